"""The dock, for a phone with a scanner: what a code opens, goods out, goods in. Big fields, one act a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Min, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.refusals import Refusal
from documents import services as documents
from inventory.models import Balance
from masterdata.models import Vendor
from policies.models import Consumption as ConsumptionMode
from policies.models import Inspection
from production.models import NOT_USED, Supply
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine, ReceiptStatus, Return
from receipts.services import CameBeside, CountedLine, previewing
from shipments import services as shipments
from shipments.models import BEFORE_DISPATCH, Shipment, ShipmentStatus
from subcontract_orders.models import (
    WITH_VENDOR,
    LineStatus,
    OrderComponent,
    OrderLine,
    SubcontractOrder,
)
from workbench.forms import Unreadable, read_quantity, scanned
from workbench.rules.undoing import offering
from workbench.templatetags.workbench import called, plain_quantity
from workbench.views.page import AT_DOCK, Shell, View, count, login_required, page_for, show
from workbench.views.receipts import MAY_CHANGE as MAY_RECEIVE
from workbench.views.receipts import MAY_INSPECT
from workbench.views.receipts import SEES as SEES_RECEIPTS
from workbench.views.shipments import MAY_CHANGE as MAY_SHIP
from workbench.views.shipments import SEES as SEES_SHIPMENTS
from workbench.views.shipments import attach_carried, lines_of, say_what_stays, shipment_lists

MAY_COUNT = "receipts.count_vendorstock"
LINES = 60  # of a vendor on one page; a vendor with more is received order by order
ZERO = Decimal(0)
AS_PROMISED, AS_TO_LEAVE = ("promised_date", "pk"), ("dispatch_by", "pk")
# What the books refuse though the goods are there: these may be put apart until the books can take them.
BOOKED_APART = ("over_receipt", "closed", "wrong_state", "vendor_short")


def dock_page(view: View) -> View:
    """For whoever does at least one thing at the dock."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not any(request.user.has_perm(right) for right in AT_DOCK):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


# ── Home and scanning ───────────────────────────────────────────────────


@require_safe
@dock_page
def dock(request: HttpRequest) -> HttpResponse:
    shell, user = Shell(request), request.user
    today = shell.today
    targets = []
    if user.has_perm(MAY_SHIP):
        waiting = shipment_lists(Shipment.objects.visible_to(user))[""]
        due = count(waiting.filter(dispatch_by__lte=today), along=AS_TO_LEAVE)
        targets.append(
            target(
                "dispatch",
                _("Dispatch"),
                "truck-delivery",
                "dispatch_list",
                count(waiting, along=AS_TO_LEAVE),
                _("to leave"),
                hot(due),
            )
        )
    if user.has_perm(MAY_RECEIVE):
        awaited = open_lines(request)
        due = count(awaited.filter(promised_date__lte=today), along=AS_PROMISED)
        targets.append(
            target(
                "receive",
                _("Receive"),
                "package-import",
                "receive",
                count(awaited, along=AS_PROMISED),
                _("lines expected"),
                hot(due),
            )
        )
    held = ReceiptLine.objects.filter(
        held__gt=0, receipt__status=ReceiptStatus.POSTED, receipt__in=Receipt.objects.visible_to(user)
    )
    targets.append(target("inspect", _("Inspect"), "clipboard-check", "inspect_list", count(held), _("lines wait"), ""))
    if user.has_perm(MAY_COUNT):
        targets.append(
            target("count", _("Count"), "clipboard-list", "count_stock", None, _("our material at a vendor"), "")
        )
    return show(request, "workbench/dock_home.html", {"targets": targets}, section="dock", shell=shell)


def hot(due: int) -> str:
    return _("{n} due").format(n=due) if due else ""


def target(kind: str, word: str, glyph: str, page: str, number: int | None, text: str, hot: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "word": word,
        "glyph": glyph,
        "href": reverse(f"workbench:{page}"),
        "count": number,
        "text": text,
        "hot": hot,
    }


@require_safe
@dock_page
def scan(request: HttpRequest) -> HttpResponse:
    """Open the page that a scanned code belongs to, with its quantities filled in."""
    code = scanned(request.GET.get("code", ""))[:100]
    found = page_of(request, code) if code else None
    if found is None:
        unknown = _("Nothing is called {code}. Scan an order, a shipment, a receipt or a vendor.").format(code=code)
        messages.error(request, unknown if code else _("Scan or type a number first."))
        return redirect("workbench:dock")
    return redirect(found)


def page_of(request: HttpRequest, code: str) -> str | None:
    """Where a code leads: to what is to be done next with what it names."""
    user = request.user
    one = Shipment.objects.visible_to(user).filter(number__iexact=code).first()
    if one is not None:
        if one.status in BEFORE_DISPATCH and user.has_perm(MAY_SHIP):
            return reverse("workbench:dispatch", args=[one.number])
        return reverse("workbench:shipment", args=[one.number])
    back = Return.objects.visible_to(user).filter(number__iexact=code).first()
    if back is not None and user.has_perm("receipts.view_return"):
        return reverse("workbench:return", args=[back.number])
    receipt = (
        Receipt.objects.visible_to(user).filter(Q(number__iexact=code) | Q(note__iexact=code)).order_by("-pk").first()
    )
    if receipt is not None and user.has_perm(SEES_RECEIPTS):
        waits = receipt.status == ReceiptStatus.POSTED and receipt.lines.filter(held__gt=0).exists()
        page = "inspect" if waits and user.has_perm(MAY_INSPECT) else "receipt"
        return reverse(f"workbench:{page}", args=[receipt.number])
    order = SubcontractOrder.objects.visible_to(user).filter(number__iexact=code).first()
    if order is not None:
        return page_of_order(request, order)
    vendor = Vendor.objects.visible_to(user).filter(code__iexact=code).first()
    if vendor is not None and user.has_perm(MAY_RECEIVE):
        return f"{reverse('workbench:receive')}?{urlencode({'vendor': vendor.code})}"
    return None


def page_of_order(request: HttpRequest, order: SubcontractOrder) -> str:
    """An order's goods leave first; once its material is out, or nothing waits to leave, its pieces come in."""
    waiting = Shipment.objects.filter(status__in=BEFORE_DISPATCH, lines__order_line__order=order).order_by(
        "dispatch_by", "pk"
    )
    first = waiting.first() if order.material != "complete" and request.user.has_perm(MAY_SHIP) else None
    if first is not None or not request.user.has_perm(MAY_RECEIVE):
        return reverse("workbench:dispatch", args=[first.number]) if first else reverse("workbench:dock")
    return f"{reverse('workbench:receive')}?{urlencode({'order': order.number})}"


# ── Goods out ───────────────────────────────────────────────────────────


@require_safe
@page_for(SEES_SHIPMENTS, MAY_SHIP)
def dispatch_list(request: HttpRequest) -> HttpResponse:
    """What waits to leave, the most urgent first."""
    shell = Shell(request)
    waiting = shipment_lists(Shipment.objects.visible_to(request.user))[""]
    rows = list(waiting.select_related("vendor", "from_location").with_ready().order_by("dispatch_by", "pk")[:LINES])
    attach_carried(rows)
    context = {"rows": rows, "dock_page": "dispatch"}
    return show(request, "workbench/dock_dispatch_list.html", context, section="dock", shell=shell)


@dataclass(slots=True)
class OutRow:
    """One row of the dispatch form: what is planned, what lies there, what was typed and what is wrong with it."""

    key: str
    item: Any
    order_number: str
    line_no: int
    order_line_id: int
    stage: str
    planned: Decimal
    there: Decimal
    quantity: str
    lot: str = ""
    lots: list[tuple[str, Decimal]] = field(default_factory=list)
    error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES_SHIPMENTS, MAY_SHIP)
def dispatch(request: HttpRequest, number: str) -> HttpResponse:
    """Pick, dispatch and offer the delivery note in one act; quantities and lots may be changed before."""
    shell = Shell(request)
    shown = get_object_or_404(
        Shipment.objects.visible_to(request.user).select_related("vendor", "site", "from_location", "to_location"),
        number=number,
    )
    if shown.status not in (ShipmentStatus.PLANNED, ShipmentStatus.PICKED):
        if shown.status in (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED):
            messages.info(request, _("{number} has left already.").format(number=number))
        return redirect("workbench:shipment", number=number)
    rows = out_rows(shown)
    problem, status = "", 200
    if request.method == "POST":
        wanted: list[shipments.ToPick] = []
        at_row: list[OutRow] = []
        for row in rows:
            row.quantity = request.POST.get(f"quantity-{row.key}", "")
            row.lot = request.POST.get(f"lot-{row.key}", "").strip()
            try:
                quantity = read_quantity(row.quantity)
            except Unreadable as unreadable:
                row.error = str(unreadable)
                continue
            if quantity:
                wanted.append(shipments.ToPick(row.item.pk, quantity, row.lot, row.order_line_id))
                at_row.append(row)
        if not any(row.error for row in rows):
            try:
                at = timezone.now()
                shipments.dispatch(shipment_id=shown.pk, lines=wanted, by=request.user, at=at)
                documents.watch_shipped(shipment_ids=[shown.pk], at=at)
            except Refusal as refusal:
                problem = put_beside(refusal, at_row)
            else:
                said = _("{number} has left for {vendor}.").format(number=number, vendor=called(shown.vendor))
                undo = reverse("workbench:act_on_shipment", args=[number, "reverse"])
                messages.success(request, said, extra_tags=offering(undo, f"dispatch/{number}"))
                say_what_stays(request, shown)
                return redirect(f"{reverse('workbench:shipment', args=[number])}?left=1")
        status = 422
    context = {"shipment": shown, "rows": rows, "problem": problem, "dock_page": "dispatch", "is_bound": status != 200}
    response = show(request, "workbench/dock_dispatch.html", context, section="dock", shell=shell)
    response.status_code = status
    return response


def out_rows(shown: Shipment) -> list[OutRow]:
    """The rows of the form: one for each part of an order line; of a picked shipment one for each lot."""
    rows: list[OutRow] = []
    lines = lines_of(shown)
    lots: dict[int, list[tuple[str, Decimal]]] = {}
    there = Balance.objects.filter(
        location=shown.from_location_id, item__in={line.item_id for line in lines}, lot__isnull=False, quantity__gt=0
    ).order_by(F("lot__expires_on").asc(nulls_last=True), "since", "pk")
    for item_id, code, quantity in there.values_list("item", "lot__code", "quantity"):
        lots.setdefault(item_id, []).append((code, quantity))
    for line in lines:
        rows.append(
            OutRow(
                key=str(line.position),
                item=line.item,
                order_number=line.order_line.order.number,
                line_no=line.order_line.line_no,
                order_line_id=line.order_line_id,
                stage=line.stage,
                planned=line.quantity,
                there=line.there,
                quantity=plain_quantity(max(line.quantity - line.short, ZERO)) if line.short < line.quantity else "",
                lot=line.lot.code if line.lot else "",
                lots=lots.get(line.item_id, []) if not line.stage else [],
            )
        )
    return rows


def put_beside(refusal: Refusal, rows: Sequence[Any]) -> str:
    """Put a refusal beside the row it is about; what is about no row is returned, to stand above the form."""
    parts = (refusal.field or "").split(".")
    if len(parts) > 1 and parts[0] == "lines" and parts[1].isdecimal() and int(parts[1]) < len(rows):
        rows[int(parts[1])].error = refusal.detail
        if hasattr(rows[int(parts[1])], "at_fault"):
            rows[int(parts[1])].at_fault = parts[2] if len(parts) > 2 else "accepted"
        return ""
    if parts[0] == "lines" and len(rows) == 1:
        rows[0].error = refusal.detail
        if hasattr(rows[0], "at_fault"):
            rows[0].at_fault = parts[1] if len(parts) > 1 else "accepted"
        return ""
    return refusal.detail


# ── Goods in ────────────────────────────────────────────────────────────


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
    day = read_day(form["note_date"])
    if form["note_date"] and day is None:
        form["errors"]["note_date"] = _("Write the day as 2026-03-31.")
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


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


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
