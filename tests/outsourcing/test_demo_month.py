"""The month the demo lives: through the services alone, so that the books are right at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.db.models import F

from activity.models import Alert
from documents import services as documents
from invoices import services as invoices
from invoices.models import Invoice
from outsourcing import demo, demo_month
from receipts.models import PurchaseRequest, Receipt, Return
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders.models import OrderStatus, SubcontractOrder

AT = datetime(2026, 11, 25, 11, tzinfo=UTC)
pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def live() -> demo.Made:
    with time_machine.travel(AT, tick=False):
        return demo.make_demo(data="adventureworks", at=AT, on=AT.date(), month=True)


def test_a_month_fills_every_page_and_the_books_agree_wherever_the_database_begins_to_count():
    """Choices hang on codes and numbers people see, never on keys."""
    count_from(
        700_001, "subcontract_orders_orderline", "production_operation", "masterdata_item", "receipts_receiptline"
    )

    made = live()

    assert made.lived == {
        "approved": 9, "sent": 16, "acknowledged": 12, "bought": 61, "reported": 103, "dispatched": 36,
        "received": 42, "inspected": 39, "invoiced": 4, "matched": 4, "let pass": 1, "paid": 1, "disputed": 1,
        "counted": 6, "written off": 1, "reversed": 1, "closed": 4, "waived": 1, "found bad": 4, "split": 1,
        "stopped": 1, "set apart": 1, "corrected": 1, "sent back": 1, "adjusted": 1, "held": 1, "cancelled": 2,
        "returned": 1, "reopened": 1, "accepted": 1, "ordered": 3, "arrived": 1,
    }  # fmt: skip
    assert (made.main.run, made.main.on) == ("RUN-00001", AT.date() - timedelta(days=demo_month.DAYS))
    assert made.main.figures["created"] > 100
    assert made.main.orders > 0
    waits = (made.main.figures["review"], made.figures["review"])
    assert waits == (1, 1)  # what waits for a person is not made meanwhile
    kinds = set(Alert.objects.open().values_list("kind", flat=True))
    assert {"discrepancy", "over_receipt", "short_receipt", "material_left_at_vendor"} <= kinds
    assert set(Return.objects.values_list("kind", flat=True)) == {"material", "product"}
    assert Receipt.objects.quarantined().exists()
    asked = set(PurchaseRequest.objects.values_list("state", flat=True))
    assert {"planned", "to_order", "ordered", "arrived"} <= asked
    assert SubcontractOrder.objects.filter(status=OrderStatus.CLOSED).exists()
    assert Shipment.objects.with_ready(on=AT.date()).filter(status=ShipmentStatus.PLANNED, ready=True).exists()
    assert Receipt.objects.posted().filter(lines__held__gt=0).exists()
    assert not Receipt.objects.filter(posted_at__gt=AT).exists()
    early = SubcontractOrder.objects.filter(approved_at__lt=F("created_at"))
    assert not early.exists()
    assert {"matched", "held", "disputed", "approved"} <= set(Invoice.objects.values_list("status", flat=True))
    assert invoices.check_invoices()[1] == []
    assert documents.check_invariants().differences == []
    there = Receipt.objects.count()
    assert (live().lived, Receipt.objects.count()) == ({}, there)  # a month is lived once


@pytest.mark.parametrize("until", [AT + timedelta(days=more) for more in range(7)], ids=lambda until: f"{until:%a}")
def test_what_is_done_so_many_days_before_the_end_is_done_on_whatever_weekday_that_is(until: datetime):
    days = demo_month.working_days(until, zone=ZoneInfo("UTC"))

    done = [demo_month.day_of(back, days) for back in (7, 5, 2, 0)]

    assert done == sorted(done)
    assert set(done) <= set(days)
    assert done[-1] == days[-1] == until
    for back, day in zip((7, 5, 2), done, strict=False):
        wanted = until - timedelta(days=back)
        assert day == wanted or (wanted.weekday() >= 5 and day.weekday() == 4 and (wanted - day).days <= 2)


def count_from(number: int, *tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])
