"""The alert that stays until what nobody needs at a vendor any more is back, or written off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from activity import services as activity
from activity.models import Alert
from inventory.models import Balance
from inventory.rules import REWORK
from masterdata.models import Item, Location
from policies.models import Decision, Verdict
from production.models import OPEN_STATUSES, Operation, OperationStatus, ProductionOrder
from production.models import OrderStatus as ProductionOrderStatus
from production.services.reporting import followers_among
from receipts.models import ReturnLine, ReturnStatus
from receipts.services.lying import Lying
from subcontract_orders.models import LineStatus, OrderComponent, OrderLine, OrderStatus, SubcontractOrder


def watch_material_left(*, at: datetime) -> int:
    """Say what of ours still lies at the vendor, or is on its way back, for orders and lines that were cancelled, or whose work
    was, until it is home or written off; and of pieces a vendor has finished that they go on at home, or nowhere.
    """
    lines = [lines.values("pk") for lines in (_of_cancelled_orders(), _taken_off())]
    back = dict(
        ReturnLine.objects.filter(
            Q(component__line__in=lines[0]) | Q(component__line__in=lines[1]), document__status=ReturnStatus.DISPATCHED
        )
        .values_list("component")
        .annotate(total=Sum("quantity"))
    )
    # Each by its own index, then the rows: an "or" over all would read every component there is.
    lying = OrderComponent.objects.lying_at_vendor()
    there = {pk for some in lines for pk in lying.filter(line__in=some).values_list("pk", flat=True)}
    left = OrderComponent.objects.filter(pk__in={*there, *back})
    by_order: dict[str, list[tuple[OrderComponent, Decimal]]] = {}
    rows = left.select_related("line__order__vendor", "item").order_by("line__order__number", "line_id", "position")
    for component in rows:
        left_there = component.at_vendor + back.get(component.pk, Decimal(0))
        by_order.setdefault(component.line.order.number, []).append((component, left_there))
    return activity.keep_alerts(
        kind="material_left_at_vendor",
        alerts=[_left_alert(number, components) for number, components in by_order.items()] + _idle_pieces(),
        at=at,
    )


def _of_cancelled_orders() -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order__status=OrderStatus.CANCELLED, order__sent_at__isnull=False)


def _taken_off() -> QuerySet[OrderLine]:
    """Lines a vendor had that were cancelled, or ended with what had come because the work is, of orders that go on."""
    work = Q(production_order__status=ProductionOrderStatus.CANCELLED) | Q(operation__status=OperationStatus.CANCELLED)
    ended = Q(status=LineStatus.CANCELLED) | (Q(status=LineStatus.COMPLETE) & work)
    return OrderLine.objects.filter(ended, order__in=SubcontractOrder.objects.with_vendor())


def _idle_pieces() -> list[Alert]:
    """Pieces that lie between two operations at a vendor, where no vendor takes them on any more."""
    lying = Balance.objects.at_vendors().filter(quantity__gt=0).exclude(stage="").exclude(stage__startswith=REWORK)
    stages = list(lying.values_list("location", "item", "stage"))
    homeward = _going_home({stage for _, _, stage in stages})
    found = [row for row in stages if row[2] in homeward]
    if not found:
        return []
    spare: dict[tuple[int, int, str], Decimal] = {}
    here = Lying.at({place for place, _, _ in found}, item_ids={item for _, item, _ in found})
    for parcel in here.surplus():
        key = (parcel.location_id, parcel.item_id, parcel.stage)
        if parcel.component is None and key in found:
            spare[key] = spare.get(key, Decimal(0)) + parcel.quantity
    places = Location.objects.select_related("vendor").in_bulk({place for place, _, _ in spare})
    items = dict(Item.objects.filter(pk__in={item for _, item, _ in spare}).values_list("pk", "code"))
    return [
        _idle_alert(homeward[stage], stage, places[place], items[item], quantity)
        for (place, item, stage), quantity in sorted(spare.items())
    ]


def _going_home(stages: Collection[str]) -> dict[str, ProductionOrder]:
    """Of stages those whose pieces no vendor works on next: the step after is decided to be made inside, or the order is over."""
    numbers = {stage.rpartition("/")[0] for stage in stages}
    named = ProductionOrder.objects.filter(Q(number__in=numbers) | Q(first_number__in=numbers))
    plans = {plan.stage_number: plan for plan in named}
    steps: dict[int, list[Operation]] = {plan.pk: [] for plan in plans.values()}
    for step in Operation.objects.filter(production_order__in=steps).order_by("sequence", "pk"):
        steps[step.production_order_id].append(step)
    decisions = Decision.objects.current().filter(operation__production_order__in=steps, verdict=Verdict.IN_HOUSE)
    inside = set(decisions.values_list("operation__production_order", "operation__operation_no"))
    found = {}
    for stage in stages:
        number, _, operation_no = stage.rpartition("/")
        plan = plans.get(number)
        if plan is None:
            continue
        after = followers_among(steps[plan.pk]).get(operation_no, ())
        if plan.status not in OPEN_STATUSES or any((plan.pk, step) in inside for step in after):
            found[stage] = plan
    return found


def _idle_alert(plan: ProductionOrder, stage: str, place: Location, item: str, quantity: Decimal) -> Alert:
    operation_no = stage.rpartition("/")[2]
    vendor = place.vendor
    said = f"{quantity.normalize():f}"
    return Alert(
        kind="material_left_at_vendor",
        subject=f"{place.code}/{stage}",
        title=(
            f"{said} {item} of {plan.number}, finished at operation {operation_no}, lie at {vendor.code if vendor else place} "
            "and no vendor takes them on"
        )[:300],
        production_order=plan.number,
        operation_no=operation_no,
        site_id=plan.site_id,
        vendor_id=place.vendor_id,
        before={item: said},
        after={"stage": stage},
        proposes="return",
    )


def _left_alert(number: str, components: list[tuple[OrderComponent, Decimal]]) -> Alert:
    order = components[0][0].line.order
    lying: dict[str, Decimal] = {}
    for component, quantity in components:
        lying[component.item.code] = lying.get(component.item.code, Decimal(0)) + quantity
    shown = {code: f"{quantity.normalize():f}" for code, quantity in lying.items()}
    said = ", ".join(f"{quantity} {code}" for code, quantity in shown.items())
    if order.status == OrderStatus.CANCELLED:
        title = f"{number} is cancelled and {said} of ours lie at {order.vendor.code}"
    else:
        title = f"{number} does not need all it was sent: {said} of ours lie at {order.vendor.code}"
    return Alert(
        kind="material_left_at_vendor",
        subject=number,
        title=title[:300],
        order_number=number,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        before=shown,
        proposes="return",
    )
