from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_references"), ("production", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="OrderWithVerdicts",
            fields=[],
            options={"verbose_name": "production order", "proxy": True, "indexes": [], "constraints": []},
            bases=("production.productionorder",),
        ),
    ]
