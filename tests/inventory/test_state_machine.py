"""Whatever people do, in whatever order: every sum is the sum of its rows, and no cent and no piece is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.refusals import Refusal
from documents import services as documents
from masterdata.models import Item, Vendor
from receipts import services as receipts
from receipts.models import Disposition, Receipt, ReceiptLine, ReceiptStatus, Return
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders.models import OrderStatus, SubcontractOrder
from tests.documents import plans
from tests.receipts import back

pytestmark = [pytest.mark.slow]

ORDERS = st.sampled_from([1, 2])
FEW = st.integers(min_value=1, max_value=8)
LOTS = st.sampled_from(["L1", "L2"])


def received_lines() -> QuerySet[ReceiptLine]:
    return ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED).order_by("pk")


class OverTheDock(RuleBasedStateMachine):
    """Two orders at one vendor over the same material, in two lots: shipped, received, returned, counted, closed, undone."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.combine(date(2026, 3, 2), datetime.min.time(), plans.moment().tzinfo) + timedelta(hours=8)
        self.notes = 0

    @initialize()
    def two_orders(self) -> None:
        plans.base(
            items=[{"code": "RM", "kind": "raw", "standard_cost": "3.33", "lot_tracked": "yes"}],
            stock=[
                {"item": "RM", "location": "MAIN", "lot": "L1", "quantity": 11, "cost": "3.33"},
                {"item": "RM", "location": "MAIN", "lot": "L2", "quantity": 9, "cost": "7.07"},
            ],
            policies=[
                {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "over_send_pct": 30,
                 "over_receipt_pct": 20, "under_receipt_pct": 10, "use_vendor_stock": "yes",
                 "inspection": {"sample_pct": 50}}
            ],
        )  # fmt: skip
        plans.plan("P1", "FG", 7, "2026-04-15")
        plans.plan("P2", "FG", 5, "2026-05-15")
        plans.generate()
        plans.send(1)
        plans.send(2)
        self.item, self.vendor = Item.objects.get(code="RM").pk, Vendor.objects.get(code="V1").pk

    @contextmanager
    def act(self) -> Iterator[dict[str, Any]]:
        """A named refusal changes nothing; whatever else is raised is a fault. Time goes on by an hour."""
        self.now += timedelta(hours=1)
        with suppress(Refusal), transaction.atomic():
            yield {"by": plans.boss(), "at": self.now}

    @rule(order=ORDERS, quantity=FEW, lot=LOTS)
    def ship(self, order: int, quantity: int, lot: str) -> None:
        with self.act() as who:
            lines = [shipments.ToPick(self.item, Decimal(quantity), lot)]
            shipments.ship(order_ids=[plans.order(order).pk], lines=lines, **who)

    @rule(order=ORDERS)
    def ship_all(self, order: int) -> None:
        with self.act() as who:
            shipments.ship(order_ids=[plans.order(order).pk], **who)

    @precondition(lambda self: Shipment.objects.filter(dispatched_at__isnull=False).exists())
    @rule(data=st.data())
    def reverse_shipment(self, data: st.DataObject) -> None:
        gone = Shipment.objects.filter(status__in=[ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED])
        with self.act() as who:
            self.undo(data, gone, shipments.reverse, "shipment_id", who)

    @rule(order=ORDERS, accepted=st.integers(1, 3), rejected=st.integers(0, 1), scrapped=st.integers(0, 1))
    def receive(self, order: int, accepted: int, rejected: int, scrapped: int) -> None:
        counted = receipts.CountedLine(plans.line(order).pk, Decimal(accepted), Decimal(rejected), Decimal(scrapped))
        with self.act() as who:
            self.notes += 1
            receipts.post_receipt(vendor_id=self.vendor, note=f"DN-{self.notes}", lines=[counted], **who)

    @precondition(lambda self: received_lines().exists())
    @rule(data=st.data())
    def reverse_receipt(self, data: st.DataObject) -> None:
        with self.act() as who:
            self.undo(data, Receipt.objects.posted(), receipts.reverse_receipt, "receipt_id", who)

    @precondition(lambda self: received_lines().exists())
    @rule(data=st.data(), accepted=st.integers(0, 3), rejected=st.integers(0, 1))
    def correct_receipt(self, data: st.DataObject, accepted: int, rejected: int) -> None:
        with self.line(data) as (who, line):
            receipts.correct_receipt(
                **line, accepted=Decimal(accepted), rejected=Decimal(rejected), reason="miscounted", **who
            )

    @precondition(lambda self: received_lines().exists())
    @rule(data=st.data(), quantity=st.sampled_from([-2, -1, 1, 2]), lot=LOTS)
    def adjust_consumption(self, data: st.DataObject, quantity: int, lot: str) -> None:
        with self.line(data) as (who, line):
            receipts.adjust_consumption(**line, item_id=self.item, quantity=Decimal(quantity), lot=lot, **who)

    @precondition(lambda self: received_lines().exists())
    @rule(
        data=st.data(),
        accepted=st.integers(0, 2),
        rejected=st.integers(0, 2),
        disposition=st.sampled_from(Disposition.values),
    )
    def inspect(self, data: st.DataObject, accepted: int, rejected: int, disposition: str) -> None:
        with self.line(data) as (who, line):
            receipts.inspect_receipt(
                **line, accepted=Decimal(accepted), rejected=Decimal(rejected), disposition=disposition, **who
            )

    @rule(quantity=st.none() | FEW)
    def return_material(self, quantity: int | None) -> None:
        lines = None if quantity is None else [receipts.MaterialLine(self.item, Decimal(quantity))]
        with self.act() as who:
            receipts.return_material(vendor_id=self.vendor, lines=lines, **who)

    @precondition(lambda self: received_lines().exists())
    @rule(data=st.data(), quantity=st.integers(1, 2))
    def return_product(self, data: st.DataObject, quantity: int) -> None:
        row = data.draw(st.sampled_from(list(received_lines())))
        with self.act() as who:
            receipts.return_product(receipt_line_id=row.pk, quantity=Decimal(quantity), **who)

    @precondition(lambda self: Return.objects.posted().exists())
    @rule(data=st.data())
    def reverse_return(self, data: st.DataObject) -> None:
        with self.act() as who:
            self.undo(data, Return.objects.posted(), receipts.reverse_return, "return_id", who)

    @precondition(lambda self: Return.objects.draft().exists())
    @rule(data=st.data())
    def receive_draft(self, data: st.DataObject) -> None:
        with self.act() as who:
            self.undo(data, Return.objects.draft(), receipts.receive_return, "return_id", who)

    @rule(counted=st.integers(0, 12), lot=LOTS, hours_ago=st.integers(0, 3))
    def count(self, counted: int, lot: str, hours_ago: int) -> None:
        with self.act() as who:
            receipts.count_vendor_stock(
                vendor_id=self.vendor, item_id=self.item, counted=Decimal(counted), reason="count", lot=lot,
                as_of=self.now - timedelta(hours=hours_ago), **who,
            )  # fmt: skip

    @rule(quantity=FEW, lot=LOTS)
    def write_off(self, quantity: int, lot: str) -> None:
        with self.act() as who:
            receipts.write_off_material(
                vendor_id=self.vendor, item_id=self.item, quantity=Decimal(quantity), reason="broken", lot=lot, **who
            )

    @precondition(lambda self: self.now.hour % 3 == 0)
    @rule(order=ORDERS, leftovers=st.sampled_from(["keep", "return", "write_off"]))
    def close(self, order: int, leftovers: str) -> None:
        with self.act() as who:
            documents.close_set(order_id=plans.order(order).pk, leftovers=leftovers, **who)

    @precondition(lambda self: SubcontractOrder.objects.filter(status=OrderStatus.CLOSED).exists())
    @rule()
    def reopen(self) -> None:
        with self.act() as who:
            for order in SubcontractOrder.objects.filter(status=OrderStatus.CLOSED):
                documents.reopen_set(order_id=order.pk, **who)

    @precondition(lambda self: self.now.hour % 8 == 0)  # now and then only, or nothing else happens
    @rule(order=ORDERS)
    def cancel(self, order: int) -> None:
        with self.act() as who:
            documents.cancel_set(order_id=plans.order(order).pk, **who)

    @contextmanager
    def line(self, data: st.DataObject) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
        receipt_id, line_no = data.draw(st.sampled_from(list(received_lines().values_list("receipt", "line_no"))))
        with self.act() as who:
            yield who, {"receipt_id": receipt_id, "line_no": line_no}

    def undo(self, data: st.DataObject, rows: Any, service: Any, key: str, who: dict[str, Any]) -> None:
        known = list(rows.order_by("pk").values_list("pk", flat=True))
        if known:
            service(**{key: data.draw(st.sampled_from(known))}, **who)

    @invariant()
    def every_sum_holds(self) -> None:
        assert back.problems() == []

    @invariant()
    def no_value_is_lost(self) -> None:
        assert back.value_is_conserved()

    @invariant()
    def no_more_is_received_than_may_be(self) -> None:
        for number in (1, 2):
            line = plans.line(number)
            assert line.received <= line.quantity * Decimal("1.2")


@pytest.mark.django_db(transaction=True)
def test_random_acts_over_the_dock_keep_every_sum(transactional_db):
    class Rolled(OverTheDock):
        """Each sequence of acts in a transaction that is rolled back, so that the next one starts from nothing."""

        def __init__(self) -> None:
            self.around = transaction.atomic()
            self.around.__enter__()
            super().__init__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    run_state_machine_as_test(
        Rolled,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True, database=None,
            phases=[Phase.generate],  # shrinking thirty acts over the database takes many minutes
        ),
    )  # fmt: skip
