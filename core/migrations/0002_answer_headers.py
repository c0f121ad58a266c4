from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.AddField("storedanswer", "headers", models.JSONField(default=dict)),
        migrations.AlterField("storedanswer", "status", models.PositiveSmallIntegerField()),
        migrations.AlterField("storedanswer", "body", models.TextField()),
    ]
