import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


def reference(prefix):
    return models.GeneratedField(
        db_persist=True,
        expression=django.db.models.functions.text.Concat(
            models.Value(prefix), django.db.models.functions.comparison.Cast("id", models.CharField())
        ),
        output_field=models.CharField(max_length=30),
        unique=True,
    )


class Migration(migrations.Migration):
    dependencies = [("masterdata", "0002_references")]

    operations = [
        migrations.AddField("downtime", "reference", reference("DT-")),
    ]
