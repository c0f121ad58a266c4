"""What is known when a plan comes: the orders it names, their items, routings, work centers and calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from masterdata.models import Item, WorkCenter
from masterdata.services import all_closed_days, among, default_site, named, site_dates
from production.models import Operation, OperationStatus, ProductionOrder, RoutingStep
from production.rules.schedule import Calendar
from production.services.parents import Parents
from production.services.planned import PlannedOrder, Values

ROUTED = (
    "sequence",
    "name",
    "process_id",
    "work_center_id",
    "setup_minutes",
    "run_minutes",
    "outsourced",
    "next_nos",
)
"""What an operation takes over from its routing step."""
FRESH: Values = {
    "process_id": None,
    "work_center_id": None,
    "setup_minutes": None,
    "run_minutes": None,
    "outsourced": "no",
    "next_nos": [],
    "good": Decimal(0),
    "scrap": Decimal(0),
    "status": OperationStatus.OPEN,
    "dates_given": False,
    "is_given": False,
    "is_committed": False,
}
"""A new operation of which nothing was said."""


class Known:
    """Read in a fixed number of statements; the orders are locked until the transaction ends. `orders` are whole rows by number,
    `operations` those of an order by its key and their number, `taken` the numbers that pieces of another order go by.
    """

    def __init__(self, orders: Sequence[PlannedOrder], *, at: datetime) -> None:
        numbers = [order.number for order in orders]
        self.parents = Parents((order.parent_number for order in orders), numbers)
        locked = ProductionOrder.objects.filter(number__in=named(numbers)).select_for_update().order_by("pk")
        self.orders: dict[str, Values] = {row["number"]: dict(row) for row in locked.values()}
        self.operations: dict[int, dict[str, Values]] = defaultdict(dict)
        ids = [row["id"] for row in self.orders.values()]
        items = {order.item_id for order in orders} | {row["item_id"] for row in self.orders.values()}
        for row in Operation.objects.filter(production_order_id__in=among(ids)).order_by("pk").values():
            self.operations[row["production_order_id"]][row["operation_no"]] = dict(row)
        self.decimals = {
            pk: 5 if decimals is None else decimals
            for pk, decimals in Item.objects.filter(pk__in=among(items)).values_list("pk", "unit__decimals")
        }
        self.routings: dict[tuple[int, str], list[Values]] = defaultdict(list)
        steps = RoutingStep.objects.filter(item_id__in=among(items)).order_by("sequence", "pk")
        for item_id, variant, number, *routed in steps.values_list("item_id", "variant", "operation_no", *ROUTED):
            step = FRESH | {"operation_no": number} | dict(zip(ROUTED, routed, strict=True))
            self.routings[(item_id, variant)].append(step)
        new = set(numbers) - self.orders.keys()
        # Few orders have one; without saying so, every part of a large plan would look through all that came before it.
        renumbered = ProductionOrder.objects.exclude(first_number="")
        self.taken = set(renumbered.filter(first_number__in=named(new)).values_list("first_number", flat=True))
        self.site_id = default_site().pk
        self.today = site_dates(at=at)
        self.centers = dict(WorkCenter.objects.values_list("pk", "capacity_hours_per_day"))
        self.calendars = calendars(on=at.date())
        self.open_days = self.calendars.get(None, Calendar())


def calendars(*, on: date) -> dict[int | None, Calendar]:
    """Closed days by work center that has some of its own (with everybody's), and everybody's under None."""
    closed = all_closed_days(on=on)
    found: dict[int | None, Calendar] = {None: Calendar(closed.ours)}
    for work_center, days in closed.work_centers.items():
        found[work_center] = Calendar(days | closed.ours)
    return found
