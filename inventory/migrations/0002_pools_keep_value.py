import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0001_initial"),
        ("masterdata", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(model_name="balance", name="value"),
        migrations.AddField(
            model_name="balance",
            name="since",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="When the stock that lies here began to lie here: first in, first out.",
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="CostPool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(blank=True, max_length=90)),
                ("quantity", models.DecimalField(decimal_places=5, max_digits=18)),
                ("value", models.DecimalField(decimal_places=5, max_digits=18)),
                ("item", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="masterdata.item")),
                ("lot", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inventory.lot")),
                ("site", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="masterdata.site")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("item", "site", "lot", "stage"), name="cost_pool_once", nulls_distinct=False),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 0), ("value__gte", 0)), name="cost_pool_not_below_zero"),
                    models.CheckConstraint(condition=models.Q(("quantity__gt", 0), ("value", 0), _connector="OR"), name="cost_pool_empty_is_worth_nothing"),
                ],
            },
        ),
    ]
