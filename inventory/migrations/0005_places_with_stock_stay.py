from django.db import migrations

# What lies at a place has the cost of its site: a place that went to another site would leave its stock in the wrong pool.
STAY = """
    CREATE FUNCTION inventory_place_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM inventory_balance WHERE location_id = NEW.id) THEN
            RAISE EXCEPTION 'stock lies or lay at %', NEW.code USING ERRCODE = 'check_violation',
                CONSTRAINT = 'stock_lies_or_lay_there', TABLE = 'masterdata_location', COLUMN = 'site';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER inventory_place_stays BEFORE UPDATE OF site_id ON masterdata_location
        FOR EACH ROW WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id) EXECUTE FUNCTION inventory_place_stays();
"""
GO = "DROP TRIGGER inventory_place_stays ON masterdata_location; DROP FUNCTION inventory_place_stays;"


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0004_balance_value'),
        ('masterdata', '0002_keys_of_other_systems'),
    ]

    operations = [migrations.RunSQL(STAY, GO)]
