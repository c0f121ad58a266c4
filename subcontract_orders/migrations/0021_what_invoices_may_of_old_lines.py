"""Lines that stand get what invoices for them may by now: what their policy says today was what counted until now."""

from django.db import migrations

COPY = """
    UPDATE subcontract_orders_orderline l SET price_tolerance_pct = p.price_tolerance_pct,
        price_tolerance_amount = p.price_tolerance_amount, quantity_tolerance_pct = p.quantity_tolerance_pct, pay_for = p.pay_for
    FROM policies_policy p
    WHERE p.code = l.policy_code AND l.policy_code <> '' AND (
        p.price_tolerance_pct <> 0 OR p.price_tolerance_amount <> 0 OR p.quantity_tolerance_pct <> 0 OR p.pay_for <> 'accepted')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0011_three_decimals_of_a_tolerance"),
        ("subcontract_orders", "0020_what_invoices_may"),
    ]

    operations = [migrations.RunSQL(COPY, migrations.RunSQL.noop)]
