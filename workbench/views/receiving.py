"""Goods in at the dock: big fields, one act a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Min, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.refusals import Refusal
from masterdata.models import Vendor
from policies.models import Consumption as ConsumptionMode
from policies.models import Inspection
from production.models import NOT_USED, Supply
from receipts import services as receipts
from receipts.models import ReceiptStatus
from receipts.services import CameBeside, CountedLine, previewing
from subcontract_orders.models import (
    WITH_VENDOR,
    LineStatus,
    OrderComponent,
    OrderLine,
)
from workbench.forms import Unreadable, put_beside, read_day, read_quantity
from workbench.rules.undoing import offering
from workbench.templatetags.workbench import called, plain_quantity
from workbench.views.page import Shell, page_for, show
from workbench.views.receipts import MAY_CHANGE as MAY_RECEIVE
from workbench.views.receipts import SEES as SEES_RECEIPTS

LINES = 60  # of a vendor on one page; a vendor with more is received order by order
ZERO = Decimal(0)
# What the books refuse though the goods are there: these may be put apart until the books can take them.
BOOKED_APART = ("over_receipt", "closed", "wrong_state", "vendor_short")


def open_lines(request: HttpRequest) -> Any:
    """Order lines that goods may come for: with the vendor, and not all of it here."""
    return (
        OrderLine.objects.visible_to(request.user)
        .active()
        .filter(Q(status=LineStatus.OPEN) | Q(in_rework__gt=0), order__status__in=WITH_VENDOR)
    )


@dataclass(slots=True)
class PartField:
    """What was typed of one component (or by-product) of a line; `name` is its field's, `lot` stands beside it."""

    component: OrderComponent
    name: str
    typed: str = ""
    lot: str = ""

    @property
    def asks_lot(self) -> bool:
        return self.component.item.lot_tracked or self.component.item.serial_tracked

    @property
    def needs_lot(self) -> bool:
        return self.asks_lot and not self.lot


@dataclass(slots=True)
class InRow:
    """One order line of the receiving form: what is expected, what was typed, what is wrong with it.

    `uses`: components of which the vendor may say what he used; `gives`: by-products, taken as the bill says where nothing
    is typed.
    """

    line: OrderLine
    expected: Decimal
    asks_lot: bool
    uses: list[PartField] = field(default_factory=list)
    gives: list[PartField] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)
    certificates: list[str] = field(default_factory=list)
    error: str = ""
    at_fault: str = ""

    @property
    def key(self) -> int:
        return self.line.pk

    @property
    def declares(self) -> bool:
        """Whether the vendor says what he used up."""
        return self.line.consumption == ConsumptionMode.AS_REPORTED

    @property
    def is_inspected(self) -> bool:
        return self.line.inspection == Inspection.SAMPLE

    @property
    def is_open(self) -> bool:
        """Whether the finer fields stand open: something is typed there, or wrong there."""
        return bool(self.at_fault not in ("", "accepted") or self.typed.get("lot") or self.typed.get("serials"))


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES_RECEIPTS, MAY_RECEIVE)
def receive(request: HttpRequest) -> HttpResponse:
    """Count a vendor's note in, over all open lines of a vendor or of one order."""
    shell = Shell(request)
    data = request.POST if request.method == "POST" else request.GET
    order = data.get("order", "").strip()
    vendor = vendor_of(request, order, data.get("vendor", "").strip())
    if vendor is None:
        if order or data.get("vendor"):
            messages.error(request, _("Nothing is expected for {what}.").format(what=order or data.get("vendor")))
        return choose_vendor(request, shell)
    rows = in_rows(request, vendor, order, fill=bool(order))
    form = {
        "note": data.get("note", ""),
        "note_date": data.get("note_date", ""),
        "supplement": bool(data.get("supplement")),
        "errors": {},
        "problem": "",
        "offers_supplement": False,
        "offers_quarantine": False,
    }
    status = 200
    if request.method == "POST":
        done = post_note(request, vendor, rows, form)
        if done is not None:
            return done
        status = 422
    context = {
        "vendor": vendor,
        "order": order,
        "rows": rows,
        "form": form,
        "dock_page": "receive",
        "is_bound": status != 200,
        "kept_as": kept_as(vendor, order),
    }
    response = show(request, "workbench/dock_receive.html", context, section="dock", shell=shell)
    response.status_code = status
    return response


def kept_as(vendor: Vendor, order: str) -> str:
    """The name a half-typed form is kept under."""
    return f"receive/{vendor.code}/{order}"


def vendor_of(request: HttpRequest, order: str, code: str) -> Vendor | None:
    if order:
        lines = open_lines(request).filter(order__number=order)
        return Vendor.objects.filter(pk__in=lines.values("vendor")).first()
    return Vendor.objects.visible_to(request.user).filter(code=code).first() if code else None


def choose_vendor(request: HttpRequest, shell: Shell) -> HttpResponse:
    """The vendors goods are expected of, the most urgent first."""
    expected = (
        open_lines(request)
        .values("vendor")
        .annotate(lines=Count("pk"), first=Min("promised_date"), orders=Count("order", distinct=True))
        .order_by("first", "vendor")[:LINES]
    )
    found = list(expected)
    vendors = Vendor.objects.in_bulk([row["vendor"] for row in found])
    rows = [{**row, "vendor": vendors[row["vendor"]]} for row in found]
    context = {"rows": rows, "dock_page": "receive"}
    return show(request, "workbench/dock_receive_list.html", context, section="dock", shell=shell)


def in_rows(request: HttpRequest, vendor: Vendor, order: str, *, fill: bool) -> list[InRow]:
    """The open lines of a vendor (or of one of his orders), the next promised first; `fill`: with what is expected."""
    lines = open_lines(request).filter(vendor=vendor)
    if order:
        lines = lines.filter(order__number=order)
    kinds = OrderComponent.objects.filter(stage="").exclude(supply__in=[Supply.VENDOR, Supply.RETURNABLE])
    components = kinds.select_related("item__unit").order_by("position")
    found = list(
        lines.select_related("order", "item__unit", "process", "production_order", "operation")
        .prefetch_related(Prefetch("components", components))
        .order_by("promised_date", "order_id", "line_no")[:LINES]
    )
    goes_on = previewing.goes_on(found)
    rows = []
    for line in found:
        expected = max(line.open_quantity, line.in_rework)
        typed = {name: request.POST.get(f"{name}-{line.pk}", "") for name in TYPED} if request.method == "POST" else {}
        if fill and request.method != "POST" and len(found) <= 3:
            typed = {"accepted": plain_quantity(expected)}
        rows.append(
            InRow(
                line=line,
                expected=expected,
                asks_lot=not goes_on[line.pk],
                uses=[part_field(request, "used", row) for row in line.components.all() if row.supply not in NOT_USED],
                gives=[
                    part_field(request, "beside", row)
                    for row in line.components.all()
                    if row.supply == Supply.BY_PRODUCT
                ],
                typed=typed,
                certificates=request.POST.getlist(f"certificate-{line.pk}"),
            )
        )
    return rows


def part_field(request: HttpRequest, kind: str, component: OrderComponent) -> PartField:
    name = f"{kind}-{component.line_id}-{component.item_id}"
    return PartField(component, name, request.POST.get(name, "").strip(), request.POST.get(f"{name}-lot", "").strip())


TYPED = ("accepted", "rejected", "scrapped", "lot", "serials", "inspect")


def counted_beside(row: InRow) -> tuple[CameBeside, ...] | None:
    """By-products as they were counted; None where nobody did. Raises Unreadable."""
    if not any(part.typed or part.lot for part in row.gives):
        return None
    counted = []
    for part in row.gives:
        row.at_fault = part.name
        quantity = read_quantity(part.typed)
        if quantity is None:
            raise Unreadable(
                _("Write how much of %(item)s came; 0 where none did.") % {"item": part.component.item.code}
            )
        counted.append(CameBeside(part.component.item_id, quantity, part.lot))
    return tuple(counted)


def counted_lines(request: HttpRequest, rows: Sequence[InRow]) -> tuple[list[CountedLine], list[InRow]]:
    """What was counted, and the row each line stands in. What cannot be read is put beside its row."""
    counted, at_row = [], []
    for row in rows:
        quantities: dict[str, Decimal | None] = {}
        used: dict[int, Decimal] = {}
        try:
            for name in ("accepted", "rejected", "scrapped", "inspect"):
                row.at_fault = name
                quantities[name] = read_quantity(row.typed.get(name, ""))
            for part in row.uses if row.declares else ():
                row.at_fault = part.name
                quantity = read_quantity(part.typed)
                if quantity is not None:
                    used[part.component.item_id] = quantity
            beside = counted_beside(row)
        except Unreadable as unreadable:
            row.error = str(unreadable)
            continue
        row.at_fault = ""
        if not (quantities["accepted"] or quantities["rejected"] or quantities["scrapped"]):
            continue
        counted.append(
            CountedLine(
                order_line_id=row.key,
                accepted=quantities["accepted"] or ZERO,
                rejected=quantities["rejected"] or ZERO,
                scrapped=quantities["scrapped"] or ZERO,
                lot=row.typed.get("lot", "").strip(),
                serials=tuple(row.typed.get("serials", "").split()),
                consumed=used or None,
                by_products=beside,
                certificates=tuple(row.certificates),
                inspect_quantity=quantities["inspect"],
            )
        )
        at_row.append(row)
    return counted, at_row


def post_note(
    request: HttpRequest, vendor: Vendor, rows: list[InRow], form: dict[str, Any]
) -> HttpResponseRedirect | None:
    """Post what was counted. None where it is refused: what is wrong stands beside its field then."""
    counted, at_row = counted_lines(request, rows)
    day = None
    try:
        day = read_day(form["note_date"])
    except Unreadable as unreadable:
        form["errors"]["note_date"] = str(unreadable)
    if any(row.error for row in rows) or form["errors"]:
        return None
    if not counted:
        form["problem"] = _("Nothing is counted yet: write what came beside at least one line.")
        return None
    try:
        count_in = receipts.receive_or_quarantine if request.POST.get("quarantine") else receipts.post_receipt
        receipt = count_in(
            vendor_id=vendor.pk,
            note=form["note"],
            lines=counted,
            note_date=day,
            is_supplement=form["supplement"],
            by=request.user,
            at=timezone.now(),
        )
    except Refusal as refusal:
        if refusal.field in ("note", "note_date"):
            form["errors"][refusal.field] = refusal.detail
            form["offers_supplement"] = refusal.code == "duplicate_number"
        else:
            form["problem"] = put_beside(refusal, at_row)
            form["offers_quarantine"] = refusal.code in BOOKED_APART
        return None
    is_apart = receipt.status == ReceiptStatus.QUARANTINED
    said = (
        _("{receipt} lies in quarantine: note {note} of {vendor}.")
        if is_apart
        else _("{receipt} is posted: note {note} of {vendor}.")
    )
    tags = kept_as(vendor, request.POST.get("order", "").strip())
    if not is_apart:
        tags = offering(reverse("workbench:reverse_receipt", args=[receipt.number]), tags)
    messages.success(request, said.format(receipt=receipt, note=receipt.note, vendor=called(vendor)), extra_tags=tags)
    return redirect("workbench:receipt", number=receipt.number)


@require_POST
@page_for(SEES_RECEIPTS, MAY_RECEIVE)
def preview(request: HttpRequest) -> HttpResponse:
    """What of our material would be used up for what is typed so far, or why it would be refused. Writes nothing."""
    order = request.POST.get("order", "").strip()
    vendor = vendor_of(request, order, request.POST.get("vendor", "").strip())
    used: Sequence[Any] = []
    problem = ""
    if vendor is not None:
        rows = in_rows(request, vendor, order, fill=False)
        counted, _ = counted_lines(request, rows)
        if counted and not any(row.error for row in rows):
            try:
                used = previewing.preview_use(vendor_id=vendor.pk, lines=counted, by=request.user, at=timezone.now())
            except Refusal as refusal:
                problem = refusal.detail
    return render(request, "workbench/_dock_use.html", {"used": used, "problem": problem})
