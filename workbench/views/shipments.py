"""Shipments: the list of all, one shipment with what it carries, and every act on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from documents import services as documents
from inventory.models import Balance
from masterdata.models import Item
from shipments import printing
from shipments import services as shipments
from shipments.models import BEFORE_DISPATCH, Shipment, ShipmentLine, ShipmentStatus
from subcontract_orders.models import SubcontractOrder
from workbench import tables
from workbench.forms import Filters, read_filters
from workbench.views.history import history
from workbench.views.page import (
    Shell,
    act,
    as_file,
    asked_for_file,
    count,
    kept,
    page_for,
    paged,
    paper,
    show,
    site_choice,
    vendors_of,
)
from workbench.views.worklist import Tab

SEES = "shipments.view_shipment"
MAY_CHANGE = "shipments.change_shipment"


def shipment_tabs() -> dict[str, Tab]:
    tabs = [
        Tab(
            "",
            _("To dispatch"),
            "truck",
            _("Nothing to dispatch"),
            _("What an order sent to a vendor needs of us stands here until it has left."),
        ),
        Tab(
            "away",
            _("On the way"),
            "route",
            _("Nothing is on the way"),
            _("What has left and has not arrived at the vendor yet stands here."),
        ),
        Tab(
            "there",
            _("Delivered"),
            "circle-check",
            _("Nothing was delivered yet"),
            _("What has arrived at a vendor stands here."),
        ),
        Tab(
            "forecast",
            _("Planned"),
            "calendar-event",
            _("Nothing is planned"),
            _("Shipments of orders that are not sent yet: planned together with the order."),
        ),
        Tab("all", _("All"), "file-text", _("No shipments yet"), _("A run plans them together with the orders.")),
    ]
    return {tab.key: tab for tab in tabs}


def shipment_lists(rows: QuerySet[Shipment]) -> dict[str, QuerySet[Shipment]]:
    """What each tab holds. An order that is not sent has its shipment planned; it cannot leave yet."""
    sent = ShipmentLine.objects.filter(shipment=OuterRef("pk"), order_line__order__sent_at__isnull=False)
    waiting = rows.filter(status__in=BEFORE_DISPATCH)
    return {
        "": waiting.filter(Exists(sent)),
        "away": rows.filter(status=ShipmentStatus.DISPATCHED),
        "there": rows.filter(status=ShipmentStatus.DELIVERED),
        "forecast": waiting.exclude(Exists(sent)),
        "all": rows,
    }


def filtered_shipments(rows: QuerySet[Shipment], filters: Filters) -> QuerySet[Shipment]:
    for word in filters.q.split():
        orders = SubcontractOrder.objects.filter(number__icontains=word)
        items = Item.objects.filter(Q(code__icontains=word) | Q(name__icontains=word))
        carried = ShipmentLine.objects.order_by()
        # One index for each way to match, put together: an "or" over several tables would read them all.
        rows = rows.filter(
            pk__in=Shipment.objects.filter(number__startswith=word.upper())
            .values("pk")
            .union(
                carried.filter(order_line__order__in=orders).values("shipment"),
                carried.filter(item__in=items).values("shipment"),
            )
        )
    return filters.of_whom(rows)


def attach_carried(found: Iterable[Shipment]) -> None:
    """Give each shipment of a page what it carries, added up by part, and the orders it is for, in one query."""
    by_key = {shipment.pk: shipment for shipment in found}
    for shipment in by_key.values():
        shipment.carried, shipment.orders = [], []
    parts: dict[tuple[int, int, str], ShipmentLine] = {}
    rows = ShipmentLine.objects.filter(shipment__in=by_key).select_related("item__unit", "order_line__order")
    for row in rows.order_by("shipment_id", "position"):
        shipment = by_key[row.shipment_id]
        same = parts.setdefault((row.shipment_id, row.item_id, row.stage), row)
        if same is row:
            shipment.carried.append(row)
        else:
            same.quantity += row.quantity
        if row.order_line.order.number not in shipment.orders:
            shipment.orders.append(row.order_line.order.number)


@require_safe
@page_for(SEES)
def shipment_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), shipment_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    lists = shipment_lists(filtered_shipments(Shipment.objects.visible_to(request.user), filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    oldest_first = tab.key in ("", "forecast")
    rows = lists[tab.key].select_related("vendor", "from_location").with_ready(on=shell.today)
    rows = rows.order_by("dispatch_by" if oldest_first else "-pk", "pk")
    if asked_for_file(request):
        return as_file(request, tables.SHIPMENTS, rows, shell=shell)
    page = paged(request, rows, counted=tab.count)
    page.object_list = list(page.object_list)
    attach_carried(page.object_list)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": [
            vendors_of(request, filters, Shipment.objects.visible_to(request.user)),
            site_choice(request, filters),
        ],
        "kept": kept(request, "tab"),
        "search_hint": _("Search shipments, orders, parts"),
    }
    part = "workbench/_shipment_list.html"
    return show(request, "workbench/shipment_list.html", context, section="shipments", shell=shell, part=part)


@require_safe
@page_for(SEES)
def shipment(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = get_object_or_404(
        Shipment.objects.visible_to(request.user)
        .select_related("vendor", "site", "from_location", "to_location", "dispatched_by")
        .with_ready(on=shell.today),
        number=number,
    )
    lines = lines_of(shown, on=shell.today)
    orders = list(dict.fromkeys(line.order_line.order.number for line in lines))
    may = request.user.has_perm(MAY_CHANGE)
    is_sent = any(line.order_line.order.sent_at for line in lines)
    before = shown.status in BEFORE_DISPATCH
    context = {
        "shipment": shown,
        "lines": lines,
        "orders": orders,
        "is_sent": is_sent,
        "short": short_of(lines) if shown.status == ShipmentStatus.PLANNED else [],
        "acts": {
            "dispatch": may and is_sent and shown.status in (ShipmentStatus.PLANNED, ShipmentStatus.PICKED),
            "pick": may and is_sent and shown.status == ShipmentStatus.PLANNED,
            "hold": may and shown.status in (ShipmentStatus.PLANNED, ShipmentStatus.PICKED),
            "release": may and shown.status == ShipmentStatus.HELD,
            "deliver": may and shown.status == ShipmentStatus.DISPATCHED,
            "reverse": may and shown.status in (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED),
            "cancel": may and before,
        },
        "has_note": shown.status not in (ShipmentStatus.CANCELLED,),
        "history": history("shipment", shown.number),
    }
    return show(request, "workbench/shipment_detail.html", context, section="shipments", shell=shell)


def lines_of(shown: Shipment, *, on: date) -> list[ShipmentLine]:
    """What a shipment carries, each line with what lies free where it leaves and what is short there.

    What has expired `on` the day lies there for a line of its lot alone.
    """
    lines = list(
        shown.lines.select_related("item__unit", "lot", "order_line__order", "order_line__production_order").order_by(
            "position"
        )
    )
    there = {
        (item, stage): quantity
        for item, stage, quantity in Balance.objects.filter(
            location=shown.from_location_id, item__in={line.item_id for line in lines}
        )
        .unexpired(on=on)
        .values_list("item", "stage")
        .annotate(total=Sum("quantity"))
    }
    left = dict(there)
    for line in lines:
        key = (line.item_id, line.stage)
        line.there = there.get(key, Decimal(0))
        rest = left.get(key, Decimal(0))
        line.short = max(line.quantity - rest, Decimal(0))
        left[key] = max(rest - line.quantity, Decimal(0))
    return lines


def short_of(lines: Sequence[ShipmentLine]) -> list[dict[str, Any]]:
    """What is missing where it leaves, by part."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for line in lines:
        if line.short or (line.item_id, line.stage) in found:
            part = found.setdefault(
                (line.item_id, line.stage),
                {"item": line.item, "stage": line.stage, "there": line.there, "short": Decimal(0)},
            )
            part["short"] += line.short
    return list(found.values())


ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "pick": (shipments.pick, gettext_lazy("{number} is picked: its lots are set aside.")),
    "dispatch": (shipments.dispatch, gettext_lazy("{number} is dispatched.")),
    "deliver": (shipments.deliver, gettext_lazy("{number} has arrived at the vendor.")),
    "hold": (shipments.hold, gettext_lazy("{number} is held.")),
    "release": (shipments.release, gettext_lazy("{number} goes on.")),
    "cancel": (shipments.cancel, gettext_lazy("{number} is cancelled; nothing was moved.")),
    "reverse": (shipments.reverse, gettext_lazy("{number} is taken back: everything lies where it lay before.")),
}
GIVES_BACK = ("cancel", "reverse")
"""Acts after which what a shipment held is to leave once more."""
UNDONE_BY = {"dispatch": "reverse", "hold": "release", "release": "hold"}


@require_POST
@page_for(SEES, MAY_CHANGE)
def act_on_shipment(request: HttpRequest, number: str, action: str) -> HttpResponse:
    if action not in ACTS:
        raise BadRequest("There is no such action.")
    shown = get_object_or_404(Shipment.objects.visible_to(request.user), number=number)
    service, done = ACTS[action]
    did: list[str] = []

    def do(at: datetime) -> None:
        service(shipment_id=shown.pk, by=request.user, at=at)
        if action in GIVES_BACK:
            orders = list(shown.lines.values_list("order_line__order", flat=True))
            shipments.plan_what_is_open(
                order_ids=orders, at=at
            )  # so that it can leave again from the pages of the dock
        documents.watch_shipped(shipment_ids=[shown.pk], at=at)
        did.append(action)

    back, undo = reverse("workbench:shipment", args=[number]), ""
    if action in UNDONE_BY:
        undo = reverse("workbench:act_on_shipment", args=[number, UNDONE_BY[action]])
    answer = act(request, do, done=done.format(number=number), back=back, undo=undo)
    if "dispatch" in did:
        say_what_stays(request, shown)
    return answer


def say_what_stays(request: HttpRequest, left: Shipment) -> None:
    """Beside what left: what somebody holds or has set aside, and what is planned for later."""
    for one in shipments.staying_beside(left):
        say = messages.warning if one.is_set_aside else messages.info
        say(request, str(one))


@require_safe
@page_for(SEES)
def delivery_note(request: HttpRequest, number: str) -> HttpResponse:
    """The paper that travels with the goods."""
    shown = get_object_or_404(Shipment.objects.visible_to(request.user), number=number)
    address = request.build_absolute_uri(reverse("workbench:scan")) + f"?code={number}"
    return paper(printing.delivery_note(shipment_id=shown.pk, address=address), name=number)


@require_safe
@page_for(SEES)
def labels(request: HttpRequest, number: str) -> HttpResponse:
    """A label for each part and lot, to stick on the goods."""
    shown = get_object_or_404(Shipment.objects.visible_to(request.user), number=number)
    address = request.build_absolute_uri(reverse("workbench:scan")) + f"?code={number}"
    return paper(printing.labels(shipment_id=shown.pk, address=address), name=f"{number}-labels")
