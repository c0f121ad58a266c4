"""Receipts: the list of all, one receipt with what came and what was used up for it, taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.refusals import Refusal
from masterdata.models import Item
from receipts import services as receipts
from receipts.models import ByProduct, Consumption, Receipt, ReceiptLine, ReceiptLot, ReceiptStatus
from subcontract_orders.models import OrderLine, SubcontractOrder
from workbench import tables
from workbench.forms import Filters, Unreadable, read_filters, read_quantity
from workbench.templatetags.workbench import plain_quantity
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
    show,
    site_choice,
    vendors_of,
)
from workbench.views.worklist import Tab

SEES = "receipts.view_receipt"
MAY_CHANGE = "receipts.change_receipt"
MAY_INSPECT = "receipts.inspect_receipt"
ZERO = Decimal(0)


def receipt_tabs() -> dict[str, Tab]:
    tabs = [
        Tab(
            "",
            _("Posted"),
            "package-import",
            _("Nothing was received yet"),
            _("Count a vendor's note in at the dock: it stands here with everything that was used up for it."),
        ),
        Tab(
            "inspect",
            _("To inspect"),
            "clipboard-check",
            _("Nothing waits for inspection"),
            _(
                "Good pieces that are due for inspection, or came without a certificate, stand here until they are released."
            ),
        ),
        Tab(
            "quarantine",
            _("Quarantine"),
            "box-off",
            _("Nothing lies in quarantine"),
            _(
                "Goods that are here though the books refuse them stand here until somebody releases them or sends them back."
            ),
            True,
        ),
        Tab(
            "reversed",
            _("Reversed"),
            "arrow-back-up",
            _("Nothing was reversed"),
            _("Receipts that were taken back stand here."),
        ),
    ]
    return {tab.key: tab for tab in tabs}


def receipt_lists(rows: QuerySet[Receipt]) -> dict[str, QuerySet[Receipt]]:
    waiting = ReceiptLine.objects.filter(receipt=OuterRef("pk"), held__gt=0)
    return {
        "": rows.posted(),
        "inspect": rows.posted().filter(Exists(waiting)),
        "quarantine": rows.quarantined(),
        "reversed": rows.filter(status=ReceiptStatus.REVERSED),
    }


def filtered_receipts(rows: QuerySet[Receipt], filters: Filters) -> QuerySet[Receipt]:
    for word in filters.q.split():
        orders = SubcontractOrder.objects.filter(number__icontains=word)
        items = Item.objects.filter(Q(code__icontains=word) | Q(name__icontains=word))
        counted = ReceiptLine.objects.order_by()
        # One index for each way to match, put together: an "or" over several tables would read them all.
        rows = rows.filter(
            pk__in=Receipt.objects.filter(Q(number__startswith=word.upper()) | Q(note__icontains=word))
            .values("pk")
            .union(
                counted.filter(order_line__order__in=orders).values("receipt"),
                counted.filter(item__in=items).values("receipt"),
            )
        )
    return filters.of_whom(rows)


def attach_counted(found: Iterable[Receipt]) -> None:
    """Give each receipt of a page its lines and whether pieces wait for inspection, in one query."""
    by_key = {receipt.pk: receipt for receipt in found}
    for receipt in by_key.values():
        receipt.counted, receipt.is_held = [], False
    rows = ReceiptLine.objects.filter(receipt__in=by_key).select_related("item__unit", "order_line__order")
    rows = rows.only(
        "receipt_id", "line_no", "accepted", "rejected", "scrapped", "held", "item__code", "item__name", "item__kind",
        "item__unit__code", "order_line__line_no", "order_line__order__number",
    )  # fmt: skip
    for row in rows.order_by("receipt_id", "line_no"):
        receipt = by_key[row.receipt_id]
        receipt.counted.append(row)
        receipt.is_held = receipt.is_held or (row.held > 0 and receipt.status == ReceiptStatus.POSTED)


@require_safe
@page_for(SEES)
def receipt_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), receipt_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = Receipt.objects.visible_to(request.user)
    lists = receipt_lists(filtered_receipts(visible, filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    found = lists[tab.key].select_related("vendor", "posted_by").order_by("-pk")
    if asked_for_file(request):
        return as_file(request, tables.RECEIPTS, found, shell=shell)
    page = paged(request, found, counted=tab.count)
    page.object_list = list(page.object_list)
    attach_counted(page.object_list)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": [vendors_of(request, filters, visible), site_choice(request, filters)],
        "kept": kept(request, "tab"),
        "search_hint": _("Search receipts, notes, orders, parts"),
    }
    part = "workbench/_receipt_list.html"
    return show(request, "workbench/receipt_list.html", context, section="receipts", shell=shell, part=part)


@require_safe
@page_for(SEES)
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = get_object_or_404(
        Receipt.objects.visible_to(request.user).select_related("vendor", "site", "posted_by", "reversed_by"),
        number=number,
    )
    used = Consumption.objects.select_related("item__unit", "lot", "component").order_by("pk")
    lines = list(
        shown.lines.select_related("item__unit", "order_line__order", "order_line__process", "location")
        .prefetch_related(
            Prefetch("consumptions", used),
            Prefetch("by_products", ByProduct.objects.select_related("item__unit", "lot").order_by("pk")),
            Prefetch("lots", ReceiptLot.objects.select_related("lot").order_by("pk")),
        )
        .order_by("line_no")
    )
    is_posted = shown.status == ReceiptStatus.POSTED
    for line in lines:
        line.waits = line.held > 0 and is_posted
        line.bad = line.rejected + line.scrapped
    context: dict[str, Any] = {
        "receipt": shown,
        "lines": lines,
        "orders": list(dict.fromkeys(line.order_line.order.number for line in lines)),
        "used": [row for line in lines for row in named(line, line.consumptions.all())],
        "beside": [row for line in lines for row in named(line, line.by_products.all())],
        "value": value_of(lines),
        "is_held": any(line.waits for line in lines),
        "may_reverse": is_posted and request.user.has_perm(MAY_CHANGE),
        "may_correct": is_posted and request.user.has_perm(MAY_CHANGE),
        "may_inspect": is_posted and request.user.has_perm(MAY_INSPECT),
        "apart": set_apart(shown),
        "may_release": shown.status == ReceiptStatus.QUARANTINED and request.user.has_perm(MAY_CHANGE),
        "history": history(receipts.KIND, shown.number),
    }
    return show(request, "workbench/receipt_detail.html", context, section="receipts", shell=shell)


def set_apart(shown: Receipt) -> list[dict[str, Any]]:
    """What lies in quarantine, as it was counted, beside the order line it was counted for."""
    if shown.status != ReceiptStatus.QUARANTINED:
        return []
    lines = OrderLine.objects.select_related("order", "item__unit").in_bulk(
        [kept["order_line"] for kept in shown.content]
    )
    return [
        {"line": lines[kept["order_line"]], "counts": [Decimal(count) for count in kept["counts"]], "lot": kept["lot"]}
        for kept in shown.content
        if kept["order_line"] in lines
    ]


def named(line: ReceiptLine, rows: Iterable[Any]) -> list[Any]:
    """What a line used up, or gave beside its pieces, each row knowing its line."""
    found = list(rows)
    for row in found:
        row.of_line = line.line_no
    return found


def value_of(lines: Iterable[ReceiptLine]) -> dict[str, Decimal]:
    """What the pieces are worth: our pieces that went in, components and work, less what came out beside them; of that what
    fell on bad pieces.
    """
    rows = list(lines)
    used = [one for line in rows for one in line.consumptions.all()]
    pieces = sum((one.value for one in used if one.component.stage), ZERO)
    components = sum((one.value for one in used if not one.component.stage), ZERO)
    work = sum((line.work_value for line in rows), ZERO)
    beside = sum((line.by_products_value for line in rows), ZERO)
    expensed = sum((line.expensed_value for line in rows), ZERO)
    return {
        "pieces": pieces,
        "components": components,
        "work": work,
        "beside": beside,
        "expensed": expensed,
        "stock": pieces + components + work - beside - expensed,
    }


@require_POST
@page_for(SEES, MAY_CHANGE)
def reverse_receipt(request: HttpRequest, number: str) -> HttpResponse:
    shown = get_object_or_404(Receipt.objects.visible_to(request.user), number=number)

    def do(at: datetime) -> None:
        receipts.reverse_receipt(receipt_id=shown.pk, by=request.user, at=at)

    said = _("{number} is reversed. Everything lies where it lay before, and note {note} may be counted again.")
    done = said.format(number=number, note=shown.note)
    return act(request, do, done=done, back=reverse("workbench:receipt", args=[number]))


@require_POST
@page_for(SEES, MAY_CHANGE)
def release_quarantine(request: HttpRequest, number: str) -> HttpResponse:
    """Count goods in that lay in quarantine, now that the books take them."""
    shown = get_object_or_404(Receipt.objects.visible_to(request.user), number=number)
    try:
        posted = receipts.release_quarantine(receipt_id=shown.pk, by=request.user, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:receipt", number=number)
    messages.success(request, _("The goods are counted in as {receipt}.").format(receipt=posted))
    return redirect("workbench:receipt", number=posted.number)


@require_POST
@page_for(SEES, MAY_CHANGE)
def refuse_quarantine(request: HttpRequest, number: str) -> HttpResponse:
    """Goods in quarantine went back to the vendor uncounted."""
    shown = get_object_or_404(Receipt.objects.visible_to(request.user), number=number)

    def do(at: datetime) -> None:
        receipts.refuse_quarantine(receipt_id=shown.pk, by=request.user, at=at)

    done = _("The goods went back uncounted; note {note} may be counted again.").format(note=shown.note)
    return act(request, do, done=done, back=reverse("workbench:receipt", args=[number]))


COUNTS = ("accepted", "rejected", "scrapped")


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_CHANGE)
def correct(request: HttpRequest, number: str, line_no: int) -> HttpResponse:
    """Set what was counted on a line to what it should have been; only the difference is posted."""
    shell = Shell(request)
    shown = get_object_or_404(Receipt.objects.visible_to(request.user).posted().select_related("vendor"), number=number)
    line = get_object_or_404(shown.lines.select_related("item__unit", "order_line__order"), line_no=line_no)
    typed = {name: plain_quantity(getattr(line, name)) for name in COUNTS} | {"lot": "", "reason": ""}
    problem, at_fault, status = "", "", 200
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in typed}
        try:
            said: dict[str, Decimal] = {}
            for at_fault in COUNTS:
                said[at_fault] = read_quantity(typed[at_fault]) or ZERO
            receipts.correct_receipt(
                receipt_id=shown.pk,
                line_no=line_no,
                lot=typed["lot"].strip(),
                reason=typed["reason"],
                by=request.user,
                at=timezone.now(),
                **said,
            )
        except Unreadable as unreadable:
            problem, status = str(unreadable), 422
        except Refusal as refusal:
            problem, at_fault, status = refusal.detail, refusal.field or "", 422
        else:
            messages.success(
                request, f"Line {line_no} of {number} is corrected.", extra_tags=f"correct/{number}/{line_no}"
            )
            return redirect("workbench:receipt", number=number)
    context = {"receipt": shown, "line": line, "typed": typed, "problem": problem, "at_fault": at_fault}
    response = show(request, "workbench/receipt_correct.html", context, section="receipts", shell=shell)
    response.status_code = status
    return response
