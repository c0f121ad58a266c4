"""Returns: material that comes home, pieces that go back to their vendor; the list, one return, and every act on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from core.refusals import InvalidInput, Refusal
from inventory.models import Lot
from masterdata.models import Item, Vendor
from receipts import printing
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine, Return, ReturnKind, ReturnLine, ReturnStatus
from receipts.services import MaterialLine
from receipts.services.moving import KIND
from workbench import tables
from workbench.forms import Filters, Unreadable, read_filters, read_quantity
from workbench.rules.undoing import offering
from workbench.templatetags.workbench import called, plain_quantity
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

SEES = "receipts.view_return"
MAY_RETURN = "receipts.add_return"
MAY_CHANGE = "receipts.change_return"
LEFT = (ReturnStatus.DISPATCHED, ReturnStatus.POSTED)
ZERO = Decimal(0)


def return_tabs() -> dict[str, Tab]:
    tabs = [
        Tab("", _("To come back"), "truck-return", _("Nothing is to come back"),
            _("What is left at a vendor when an order is closed stands here until it has come.")),
        Tab("away", _("On the way"), "route", _("Nothing is on the way"),
            _("What has left and has not arrived yet stands here, where transit days are set.")),
        Tab("done", _("Arrived"), "circle-check", _("Nothing came back yet"),
            _("Material that is home again, and pieces that are back with their vendor, stand here.")),
        Tab("all", _("All"), "file-text", _("No returns yet"),
            _("Material is brought home from the balance of a vendor, pieces are sent back from their receipt.")),
    ]  # fmt: skip
    return {tab.key: tab for tab in tabs}


def return_lists(rows: QuerySet[Return]) -> dict[str, QuerySet[Return]]:
    return {"": rows.draft(), "away": rows.on_the_way(), "done": rows.posted(), "all": rows}


def filtered_returns(rows: QuerySet[Return], filters: Filters) -> QuerySet[Return]:
    moved = ReturnLine.objects.order_by()
    for word in filters.q.split():
        rows = rows.filter(
            pk__in=Return.objects.filter(number__startswith=word.upper())
            .values("pk")
            .union(
                moved.filter(item__code__icontains=word).values("document"),
                moved.filter(item__name__icontains=word).values("document"),
                moved.filter(component__line__order__number__icontains=word).values("document"),
                moved.filter(receipt_line__order_line__order__number__icontains=word).values("document"),
            )
        )
    return filters.of_whom(rows)


def lines_of(documents: Iterable[Return]) -> QuerySet[ReturnLine]:
    return (
        ReturnLine.objects.filter(document__in=documents)
        .select_related(
            "item__unit", "lot", "from_location", "to_location", "component__line__order",
            "receipt_line__order_line__order", "receipt_line__receipt",
        )
        .order_by("document_id", "line_no")
    )  # fmt: skip


def attach_moved(found: Iterable[Return]) -> None:
    """Give each return of a page what it moves, in one query."""
    by_key = {document.pk: document for document in found}
    for document in by_key.values():
        document.moved = []
    for line in lines_of(by_key.values()):
        by_key[line.document_id].moved.append(line)


@require_safe
@page_for(SEES)
def return_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), return_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = Return.objects.visible_to(request.user)
    lists = return_lists(filtered_returns(visible, filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    found = lists[tab.key].select_related("vendor", "created_by").order_by("-pk")
    if asked_for_file(request):
        return as_file(request, tables.RETURNS, found, shell=shell)
    page = paged(request, found, counted=tab.count)
    page.object_list = list(page.object_list)
    attach_moved(page.object_list)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": [vendors_of(request, filters, visible), site_choice(request, filters)],
        "kept": kept(request, "tab"),
        "search_hint": _("Search returns, orders, parts"),
    }
    part = "workbench/_return_list.html"
    return show(request, "workbench/return_list.html", context, section="returns", shell=shell, part=part)


@require_safe
@page_for(SEES)
def show_return(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = get_object_or_404(
        Return.objects.visible_to(request.user).select_related("vendor", "site", "created_by"), number=number
    )
    may = request.user.has_perm(MAY_CHANGE)
    context = {
        "document": shown,
        "lines": list(lines_of([shown])),
        "is_product": shown.kind == ReturnKind.PRODUCT,
        "counts": may and shown.kind == ReturnKind.MATERIAL and shown.status == ReturnStatus.DISPATCHED,
        "acts": {
            "dispatch": may and shown.status == ReturnStatus.DRAFT,
            "receive": may and shown.status in (ReturnStatus.DRAFT, ReturnStatus.DISPATCHED),
            "reverse": may and shown.status in LEFT,
        },
        "history": history(KIND, shown.number),
    }
    return show(request, "workbench/return_detail.html", context, section="returns", shell=shell)


@require_safe
@page_for(SEES)
def return_note(request: HttpRequest, number: str) -> HttpResponse:
    """The paper that travels with what goes back."""
    shown = get_object_or_404(Return.objects.visible_to(request.user), number=number)
    address = request.build_absolute_uri(reverse("workbench:scan")) + f"?code={number}"
    return paper(printing.return_note(return_id=shown.pk, address=address), name=number)


@require_POST
@page_for(SEES, MAY_CHANGE)
def act_on_return(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Dispatch, receive or reverse one return."""
    acts = {
        "dispatch": (receipts.dispatch_return, _("%(number)s has left the vendor.")),
        "receive": (receipts.receive_return, _("%(number)s has arrived.")),
        "reverse": (receipts.reverse_return, _("%(number)s is reversed: everything lies where it lay before.")),
    }
    if action not in acts:
        raise BadRequest("There is no such action.")
    service, done = acts[action]
    shown = get_object_or_404(Return.objects.visible_to(request.user), number=number)

    def do(at: datetime) -> None:
        more = {"came": came_of(request)} if action == "receive" else {}
        service(return_id=shown.pk, by=request.user, at=at, **more)

    return act(request, do, done=done % {"number": number}, back=reverse("workbench:return", args=[number]))


def came_of(request: HttpRequest) -> dict[int, Decimal]:
    """How much of each line came, where that was asked. Raises InvalidInput."""
    came = {}
    for name, typed in request.POST.items():
        if name.startswith("came-") and name[5:].isdigit():
            try:
                said = read_quantity(str(typed))
            except Unreadable as unreadable:
                raise InvalidInput(str(unreadable), field=name) from None
            if said is not None:
                came[int(name[5:])] = said
    return came


# Material home


@dataclass(slots=True)
class SpareRow:
    """One kind of goods that could come home: how much, what was typed, what is wrong with it."""

    item: Item
    lot: str
    stage: str
    spare: Decimal
    quantity: str
    error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_RETURN)
def return_material(request: HttpRequest, code: str) -> HttpResponse:
    """Bring home what a vendor does not need: as much of each part and lot as one says."""
    shell = Shell(request)
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    form: dict[str, Any] = {"reason": request.POST.get("reason", ""), "problem": ""}
    try:
        rows = spare_rows(vendor, request.user)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:balance_list")
    status = 200
    if request.method == "POST":
        status = 422
        for index, row in enumerate(rows):
            row.quantity = request.POST.get(f"quantity-{index}", "")
        done = post_material(request, vendor, rows, form)
        if done is not None:
            return done
    context = {"vendor": vendor, "rows": rows, "form": form, "is_bound": status != 200}
    response = show(request, "workbench/return_material.html", context, section="balances", shell=shell)
    response.status_code = status
    return response


def spare_rows(vendor: Vendor, user: User) -> list[SpareRow]:
    found: dict[tuple[int, int, str], Decimal] = {}
    for parcel in receipts.spare_material(vendor_id=vendor.pk, by=user):
        key = parcel.item_id, parcel.lot_id, parcel.stage
        found[key] = found.get(key, ZERO) + parcel.quantity
    items = Item.objects.select_related("unit").in_bulk({item for item, _, _ in found})
    lots = dict(Lot.objects.filter(pk__in={lot for _, lot, _ in found}).values_list("pk", "code"))
    rows = [
        SpareRow(items[item], lots.get(lot, ""), stage, spare, plain_quantity(spare))
        for (item, lot, stage), spare in found.items()
    ]
    return sorted(rows, key=lambda row: (row.item.code, row.lot, row.stage))


def post_material(
    request: HttpRequest, vendor: Vendor, rows: list[SpareRow], form: dict[str, Any]
) -> HttpResponse | None:
    """Post the return. None where it is refused: what is wrong stands beside its row then."""
    wanted: list[MaterialLine] = []
    at_row: list[SpareRow] = []
    for row in rows:
        try:
            quantity = read_quantity(row.quantity)
        except Unreadable as unreadable:
            row.error = str(unreadable)
            continue
        if quantity:
            wanted.append(MaterialLine(row.item.pk, quantity, row.lot, row.stage))
            at_row.append(row)
    if any(row.error for row in rows):
        return None
    if not wanted:
        form["problem"] = _("Say how much of at least one part comes back.")
        return None
    try:
        document = receipts.return_material(
            vendor_id=vendor.pk, lines=wanted, reason=form["reason"], by=request.user, at=timezone.now()
        )
    except Refusal as refusal:
        parts = (refusal.field or "").split(".")
        if len(parts) > 1 and parts[0] == "lines" and parts[1].isdecimal() and int(parts[1]) < len(at_row):
            at_row[int(parts[1])].error = refusal.detail
        else:
            form["problem"] = refusal.detail
        return None
    said = (
        _("%(number)s has left %(vendor)s.") if document.status == ReturnStatus.DISPATCHED else _("%(number)s is back.")
    )
    messages.success(
        request,
        said % {"number": document, "vendor": called(vendor)},
        extra_tags=offering(_reversal(document), f"return/{vendor.code}"),
    )
    return redirect("workbench:return", number=document.number)


def _reversal(document: Return) -> str:
    return reverse("workbench:act_on_return", args=[document.number, "reverse"])


# Pieces back to their vendor


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_RETURN)
def send_back(request: HttpRequest, number: str, line_no: int) -> HttpResponse:
    """Send accepted pieces of a receipt line back to the vendor who made them, to be mended or made good."""
    shell = Shell(request)
    shown = get_object_or_404(Receipt.objects.visible_to(request.user).posted().select_related("vendor"), number=number)
    line = get_object_or_404(shown.lines.select_related("item__unit", "order_line__order"), line_no=line_no)
    possible = still_here(line)
    form = {"quantity": request.POST.get("quantity", ""), "reason": request.POST.get("reason", "")}
    problem, at_fault, status = "", "", 200
    if request.method == "POST":
        try:
            quantity = read_quantity(form["quantity"])
            if quantity is None:
                raise Unreadable(_("Write how many go back."))
            document = receipts.return_product(
                receipt_line_id=line.pk, quantity=quantity, reason=form["reason"], by=request.user, at=timezone.now()
            )
        except Unreadable as unreadable:
            problem, at_fault, status = str(unreadable), "quantity", 422
        except Refusal as refusal:
            problem, at_fault, status = refusal.detail, refusal.field or "", 422
        else:
            said = _("%(number)s goes back to %(vendor)s; the pieces are expected again.")
            messages.success(
                request,
                said % {"number": document, "vendor": called(shown.vendor)},
                extra_tags=offering(_reversal(document), f"send-back/{number}/{line_no}"),
            )
            return redirect("workbench:return", number=document.number)
    context = {
        "receipt": shown, "line": line, "possible": possible, "form": form, "problem": problem, "at_fault": at_fault,
        "is_bound": status != 200,
    }  # fmt: skip
    response = show(request, "workbench/return_product.html", context, section="receipts", shell=shell)
    response.status_code = status
    return response


def still_here(line: ReceiptLine) -> Decimal:
    """Accepted pieces that neither wait in inspection nor went back."""
    gone = ReturnLine.objects.gone().filter(receipt_line=line).aggregate(total=Sum("quantity"))["total"] or ZERO
    return max(line.accepted - line.held - gone, ZERO)
