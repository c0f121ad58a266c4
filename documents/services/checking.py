"""Every rule that rows of several tables must keep, checked at once; and what is stored as a sum, counted anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from inventory.services import checking as stock
from inventory.services.checking import Difference
from receipts.services import checking as receipts
from subcontract_orders.services import checking as orders


@dataclass(slots=True)
class Checked:
    """How many rows were compared, and every difference by name."""

    checked: int = 0
    differences: list[Difference] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return {"checked": self.checked, "differences": [difference.as_data() for difference in self.differences]}


@transaction.atomic
def check_invariants() -> Checked:
    """Compare what is stored with what it is the sum of: stock, value, material at vendors, orders, what is expected."""
    found = Checked()
    for check in (stock.check_stock, orders.check_orders, receipts.check_receipts):
        checked, differences = check()
        found.checked += checked
        found.differences += differences
    return found


@transaction.atomic
def recount(*, dry_run: bool = False) -> list[Difference]:
    """Count balances, cost pools, components' counters and what is expected anew. Returns what differed."""
    return [
        *stock.recount_stock(dry_run=dry_run),
        *orders.recount_components(dry_run=dry_run),
        *receipts.recount_expected(dry_run=dry_run),
    ]
