"""Promises of work outside in a row: the second vendor cannot begin before the first is back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from documents import services as documents
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment


def lines() -> list[tuple[str, date, date, int]]:
    rows = OrderLine.objects.active().order_by("operation_no", "pk")
    return list(rows.values_list("operation_no", "need_date", "promised_date", "late_by"))


def test_a_late_first_operation_puts_off_the_promise_of_the_second():
    price = {"currency": "EUR", "unit_price": 1, "valid_from": "2026-01-01"}
    plans.load(
        {
            "items": [{"code": "FG", "kind": "finished"}],
            "vendors": [{"code": "V1", "currency": "EUR"}, {"code": "V2", "currency": "EUR"}],
            "routings": [
                {"item": "FG", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
                {"item": "FG", "operation_no": 40, "name": "Baking", "work_center": "OUT"},
            ],
            "prices": [
                {"vendor": "V1", "operation_name": "Plating", "lead_days": 10, **price},
                {"vendor": "V2", "operation_name": "Baking", "lead_days": 5, **price},
            ],
            "policies": [
                {"code": "A", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]},
                {"code": "B", "process": "Baking", "verdict": "outsource", "vendors": ["V2"]},
            ],
        },
        ground=True,
    )
    plans.plan("P1", "FG", Decimal(5), "2026-03-16")

    plans.generate()

    assert lines() == [
        ("20", date(2026, 3, 9), date(2026, 3, 16), 7),  # ordered today, ten working days
        ("40", date(2026, 3, 16), date(2026, 3, 23), 7),  # five more
    ]

    plans.send(1)
    documents.acknowledge_set(order_id=plans.order(1).pk, promised={1: date(2026, 3, 18)}, by=plans.boss(), at=moment())
    plans.generate()

    assert lines()[1] == ("40", date(2026, 3, 16), date(2026, 3, 25), 9)
    before = plans.rows_written()
    plans.generate()
    assert plans.rows_written() == before
