"""The order a production order is made for: its parent, named by its number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from core.refusals import InvalidInput, NotFound
from masterdata.services import named
from production.models import ProductionOrder


class UnknownParent(NotFound):
    """An order is made for one nobody knows."""

    status = 422


class ParentCircle(InvalidInput):
    """Orders that are made for one another in a circle."""

    code = "parent_cycle"

    def __init__(self, circle: Sequence[str]) -> None:
        self.number = circle[0]
        way = " → ".join([*circle, circle[0]])
        super().__init__(f"These production orders are made for one another in a circle: {way}.", field="parent_order")


class Parents:
    """Which of the orders named as parents there are, planned beside these (`own`) or known; in whatever status."""

    def __init__(self, asked: Iterable[str | None], own: Collection[str]) -> None:
        rest = {number for number in asked if number}.difference(own)
        orders = ProductionOrder.objects
        self.known = {*own, *orders.filter(number__in=rest).values_list("number", flat=True)} if rest else set(own)
        gone = rest - self.known
        # A planned order that became a firm one is still meant by its planned number.
        heirs = orders.exclude(replaces="").filter(replaces__in=gone)
        self.heirs = dict(heirs.values_list("replaces", "number")) if gone else {}

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


def unknown_parents(asked: Iterable[str]) -> set[str]:
    """Those of these numbers that no production order goes by, or went by before it became a firm one."""
    wanted = set(asked)
    found = Parents(wanted, ())
    return wanted - found.known - found.heirs.keys()


def parent_circles(made_for_others: Iterable[str]) -> list[ParentCircle]:
    """Circles these production orders stand in as they are written, each once, beginning with one of these."""
    asked = dict.fromkeys(made_for_others)
    parents: dict[str, str] = {}
    front, seen = set(asked), set(asked)
    while front:  # a level of the plan at a time
        rows = ProductionOrder.objects.filter(number__in=named(front)).exclude(parent_number="")
        above = dict(rows.values_list("number", "parent_number"))
        parents |= above
        front = set(above.values()) - seen
        seen |= front
    circles: list[ParentCircle] = []
    walked: set[str] = set()
    for number in asked:
        way: dict[str, None] = {}
        while number in parents and number not in walked and number not in way:
            way[number] = None
            number = parents[number]
        walked |= way.keys()
        if number in way:
            circle = list(way)[list(way).index(number) :]
            first = next((place for place, one in enumerate(circle) if one in asked), None)
            if first is not None:
                circles.append(ParentCircle([*circle[first:], *circle[:first]]))
    return circles
