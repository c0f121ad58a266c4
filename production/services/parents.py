"""The order a production order is made for: its parent, named by its number."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.refusals import InvalidInput, NotFound
from production.models import ProductionOrder


class UnknownParent(NotFound):
    """An order is made for one nobody knows."""

    status = 422


class Parents:
    """Which of the orders named as parents there are, planned beside these (`own`) or known; in whatever status."""

    def __init__(self, named: Iterable[str | None], own: Collection[str]) -> None:
        rest = {number for number in named if number}.difference(own)
        orders = ProductionOrder.objects
        self.known = {*own, *orders.filter(number__in=rest).values_list("number", flat=True)} if rest else set(own)
        gone = rest - self.known
        # A planned order that became a firm one is still meant by its planned number.
        self.heirs = dict(orders.filter(replaces__in=gone).values_list("replaces", "number")) if gone else {}

    def number(self, parent: str | None, *, of: str, may_follow: bool = False) -> str | None:
        """The number the parent goes by now. `may_follow`: one that is not there yet may come with the rest of the plan.

        Raises UnknownParent, InvalidInput where an order is to be its own parent.
        """
        if not parent:
            return parent
        if parent == of:
            raise InvalidInput(f"{of} cannot be made for itself.", field="parent_order")
        found = parent if parent in self.known else self.heirs.get(parent)
        if found is None and not may_follow:
            raise UnknownParent(
                f"{of} is made for {parent}, and there is no such production order. Send it along, or name none.",
                field="parent_order",
            )
        return found or parent


def unknown_parents(named: Iterable[str]) -> set[str]:
    """Those of these numbers that no production order goes by, or went by before it became a firm one."""
    wanted = set(named)
    found = Parents(wanted, ())
    return wanted - found.known - found.heirs.keys()
