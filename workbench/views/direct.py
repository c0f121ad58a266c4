"""What third parties deliver to vendors: the list of what is asked for; one request, ordered, booked in, taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.refusals import Refusal
from receipts import services as receipts
from receipts.models import DirectDelivery, PurchaseRequest, PurchaseState, ReceiptStatus
from receipts.services import OfLot
from subcontract_orders.models import OrderComponent
from workbench import tables
from workbench.forms import Filters, Unreadable, read_filters, read_quantity
from workbench.rules.undoing import offering
from workbench.templatetags.workbench import plain_quantity
from workbench.views.page import (
    Shell,
    act,
    as_file,
    asked_for_file,
    count,
    kept,
    page_for,
    paged,
    show,
    site_choice,
    vendors_of,
)
from workbench.views.worklist import Tab

SEES = "receipts.view_purchaserequest"
MAY_ORDER = "receipts.change_directpurchase"
MAY_BOOK = "receipts.change_directdelivery"
FIELDS = {
    "ordered": ("reference", "supplier", "expected_on", "quantity"),
    "arrived": ("note", "quantity", "lots", "arrived_on", "unit_cost"),
    "call_off": ("reason",),
}


def direct_tabs() -> dict[str, Tab]:
    tabs = [
        Tab("", _("To order"), "route", _("Nothing to order"),
            _("What a third party is to deliver to a vendor for an order that is sent stands here until it is ordered.")),
        Tab("ordered", _("Ordered"), "clock", _("Nothing is ordered"),
            _("What was ordered of third parties stands here until all of it has arrived.")),
        Tab("surplus", _("Too much ordered"), "alert-triangle", _("Everything that is ordered is needed"),
            _("What was ordered before the need fell stands here until it is called off or has arrived."), is_bad=True),
        Tab("planned", _("Planned"), "calendar-event", _("Nothing is planned"),
            _("What orders that are not sent yet will need of third parties stands here.")),
        Tab("arrived", _("Arrived"), "circle-check", _("Nothing has arrived yet"),
            _("What lies at the vendor as asked for stands here.")),
        Tab("all", _("All"), "file-text", _("No direct deliveries"),
            _("A component of supply “direct” is asked for here with its order line.")),
    ]  # fmt: skip
    return {tab.key: tab for tab in tabs}


def direct_lists(rows: QuerySet[PurchaseRequest]) -> dict[str, QuerySet[PurchaseRequest]]:
    of = PurchaseState
    return {
        "": rows.filter(state=of.TO_ORDER),
        "ordered": rows.filter(state=of.ORDERED),
        "surplus": rows.filter(state=of.SURPLUS),
        "planned": rows.filter(state=of.PLANNED),
        "arrived": rows.filter(state__in=[of.ARRIVED, of.CLOSED]),
        "all": rows,
    }


def filtered_requests(rows: QuerySet[PurchaseRequest], filters: Filters) -> QuerySet[PurchaseRequest]:
    for word in filters.q.split():
        rows = rows.filter(
            Q(reference__icontains=word)
            | Q(item__name__icontains=word)
            | Q(purchase__reference__icontains=word)
            | Q(purchase__supplier__icontains=word)
        )
    return filters.of_whom(rows)


@require_safe
@page_for(SEES)
def direct_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), direct_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = PurchaseRequest.objects.visible_to(request.user)
    lists = direct_lists(filtered_requests(visible, filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    found = lists[tab.key].select_related("order", "order_line", "item__unit", "vendor", "ship_to", "purchase")
    found = found.order_by("needed_on", "pk")
    if asked_for_file(request):
        return as_file(request, tables.DIRECT_DELIVERIES, found, shell=shell)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": paged(request, found, counted=tab.count),
        "filters": filters,
        "choices": [vendors_of(request, filters, visible), site_choice(request, filters)],
        "kept": kept(request, "tab"),
        "search_hint": _("Search orders, parts, purchase orders"),
    }
    part = "workbench/_direct_list.html"
    return show(request, "workbench/direct_list.html", context, section="direct", shell=shell, part=part)


def attach_requests(parts: Iterable[OrderComponent]) -> None:
    """Give each directly delivered component of an order what is asked for of it, in one query where there is any."""
    parts = list(parts)
    if parts:
        rows = PurchaseRequest.objects.filter(order_line__in={part.line_id for part in parts})
        found = {(row.order_line_id, row.item_id): row for row in rows.select_related("purchase")}
        for part in parts:
            part.request = found.get((part.line_id, part.item_id))


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES)
def direct(request: HttpRequest, number: str, line_no: int, item: str) -> HttpResponse:
    """One request: what is wanted, what was ordered, what arrived; and the forms that say so."""
    shell = Shell(request)
    visible = PurchaseRequest.objects.visible_to(request.user)
    asked = get_object_or_404(
        visible.select_related("order", "order_line", "item__unit", "vendor", "site", "ship_to", "purchase__ordered_by"),
        order__number=number, order_line__line_no=line_no, item__code=item,
    )  # fmt: skip
    forms = {name: first_values(name, asked, shell.today) for name in FIELDS}
    status, may = 200, {"ordered": MAY_ORDER, "call_off": MAY_ORDER, "arrived": MAY_BOOK}
    if request.method == "POST":
        name = request.POST.get("act", "")
        if name not in may:
            raise BadRequest("There is no such action.")
        if not request.user.has_perm(may[name]):
            raise PermissionDenied
        forms[name] = {field: request.POST.get(field, "") for field in FIELDS[name]}
        done = post(request, name, asked, forms[name])
        if done is not None:
            return done
        status = 422
    over = asked.order_line.status != "open" or asked.order.status in ("closed", "cancelled")
    context = {
        "asked": asked,
        "forms": forms,
        "is_bound": status != 200,
        "is_tracked": asked.item.lot_tracked or asked.item.serial_tracked,
        "deliveries": DirectDelivery.objects.filter(order_line=asked.order_line_id, item=asked.item_id)
        .select_related("posted_by")
        .order_by("-pk"),
        "posted": ReceiptStatus.POSTED,
        "may_order": request.user.has_perm(MAY_ORDER) and not over and (asked.wanted > 0 or asked.purchase_id),
        "may_call_off": request.user.has_perm(MAY_ORDER) and asked.on_order > 0,
        "may_book": request.user.has_perm(MAY_BOOK) and not over and asked.order.is_with_vendor,
        "may_reverse": request.user.has_perm(MAY_BOOK),
    }
    response = show(request, "workbench/direct_detail.html", context, section="direct", shell=shell)
    response.status_code = status
    return response


def first_values(name: str, asked: PurchaseRequest, today: date) -> dict[str, str]:
    """What a form holds before anybody typed."""
    bought = asked.purchase
    if name == "ordered":
        return {
            "reference": bought.reference if bought else "",
            "supplier": bought.supplier if bought else "",
            "expected_on": str(bought.expected_on if bought else max(asked.needed_on, today)),
            "quantity": plain_quantity(max(asked.arrived + asked.wanted, bought.quantity if bought else Decimal(0))),
        }
    if name == "arrived":
        to_come = asked.on_order or asked.wanted
        return {"note": "", "quantity": plain_quantity(to_come), "lots": "", "arrived_on": str(today), "unit_cost": ""}
    return {"reason": ""}


def post(request: HttpRequest, name: str, asked: PurchaseRequest, form: dict[str, str]) -> HttpResponse | None:
    """Do what a form says. None where it is refused: what is wrong stands beside its field then."""
    services = {"ordered": receipts.mark_ordered, "call_off": receipts.call_off, "arrived": receipts.post_arrival}
    done = {
        "ordered": _("It is ordered, and expected on the day you said."),
        "call_off": _("What was ordered is called off."),
        "arrived": _("It is booked: it lies at the vendor for this order."),
    }
    try:
        said = read(name, form)
        made = services[name](  # type: ignore[operator]
            order_line_id=asked.order_line_id, item_id=asked.item_id, by=request.user, at=timezone.now(), **said
        )
    except Misread as wrong:
        form["problem"], form["at_fault"] = str(wrong), wrong.field
        return None
    except Refusal as refusal:
        form["problem"], form["at_fault"] = refusal.detail, refusal.field or ""
        return None
    undo = reverse("workbench:reverse_direct", args=[made.number]) if name == "arrived" else ""
    messages.success(request, done[name], extra_tags=offering(undo, f"direct/{asked.reference}") if undo else "")
    still = PurchaseRequest.objects.filter(order_line=asked.order_line_id, item=asked.item_id).exists()
    return redirect(request.path if still else reverse("workbench:direct_list"))


class Misread(ValueError):
    """What was typed in a field cannot be read."""

    def __init__(self, text: str, *, field: str) -> None:
        self.field = field
        super().__init__(text)


def read(name: str, form: dict[str, str]) -> dict[str, Any]:
    """What a form says, as the service takes it. Raises Misread."""
    if name == "call_off":
        return {"reason": form["reason"].strip()[:300]}
    quantity = _quantity(form["quantity"], "quantity")
    if name == "ordered":
        expected = _day(form["expected_on"], "expected_on")
        if expected is None:
            raise Misread(_("Write the day it is expected."), field="expected_on")
        return {
            "reference": form["reference"][:60],
            "supplier": form["supplier"][:120],
            "expected_on": expected,
            "quantity": quantity,
        }
    if quantity is None:
        raise Misread(_("Write how much came."), field="quantity")
    return {
        "note": form["note"][:60],
        "quantity": quantity,
        "lots": lots_of(form["lots"], quantity),
        "arrived_on": _day(form["arrived_on"], "arrived_on"),
        "unit_cost": _quantity(form["unit_cost"], "unit_cost"),
    }


def lots_of(text: str, quantity: Decimal) -> list[OfLot]:
    """A lot a line, with its quantity behind it where several came. Raises Misread."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if len(rows) == 1 and len(rows[0]) == 1:
        return [OfLot(rows[0][0], quantity)]
    found = []
    for row in rows:
        each = _quantity(row[-1], "lots") if len(row) > 1 else Decimal(1)
        found.append(OfLot(" ".join(row[:-1] if len(row) > 1 else row)[:60], each or Decimal(0)))
    return found


def _quantity(text: str, field: str) -> Decimal | None:
    try:
        return read_quantity(text)
    except Unreadable as unreadable:
        raise Misread(str(unreadable), field=field) from None


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Misread(_("Write a day."), field=field) from None


@require_POST
@page_for(SEES, MAY_BOOK)
def reverse_direct(request: HttpRequest, number: str) -> HttpResponse:
    """Take one booked arrival back."""
    shown = get_object_or_404(
        DirectDelivery.objects.visible_to(request.user).select_related("order_line__order", "item"), number=number
    )

    def do(at: datetime) -> None:
        receipts.reverse_arrival(delivery_id=shown.pk, reason=request.POST.get("reason", ""), by=request.user, at=at)

    line = shown.order_line
    back = reverse("workbench:direct", args=[line.order.number, line.line_no, shown.item.code])
    return act(request, do, done=_("{number} is taken back.").format(number=number), back=back)
