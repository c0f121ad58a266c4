"""Expected receipts: one row for each order line, made and changed together with the order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from masterdata import services as masterdata
from receipts.models import ExpectedReceipt


def expect_new(rows: Sequence[ExpectedReceipt]) -> None:
    """Say what is expected of order lines made just now, thousands at once."""
    masterdata.copy_objects(rows)


def expect(rows: Sequence[ExpectedReceipt]) -> None:
    """Say what is still expected of order lines, by when and where; the row a line has already is changed."""
    ExpectedReceipt.objects.bulk_create(
        rows,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["order_line"],
        update_fields=["item", "quantity", "expected_on", "location"],
    )


def expect_no_more(*, order_ids: Collection[int] = (), line_ids: Collection[int] = ()) -> int:
    """Nothing more is expected of these orders, or of these lines."""
    done = ExpectedReceipt.objects.filter(order_line__order__in=order_ids) | ExpectedReceipt.objects.filter(
        order_line__in=line_ids
    )
    return done.exclude(quantity=0).update(quantity=Decimal(0))
