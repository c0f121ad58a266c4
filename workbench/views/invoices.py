"""Invoices: the inbox of what is held, entering one from what was received, and the match view where one key accepts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.refusals import Refusal
from invoices import services as invoices
from invoices.models import (
    CHARGE_CHOICES,
    ChargeBack,
    Hold,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    Match,
    TaxCategory,
)
from invoices.rules import ubl
from invoices.services import EnteredLine, Owed
from masterdata.models import Vendor
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine, SubcontractOrder
from workbench import tables
from workbench.forms import Filters, Unreadable, read_day, read_filters, read_quantity
from workbench.views.history import history
from workbench.views.page import (
    ROWS,
    Shell,
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

SEES = "invoices.view_invoice"
MAY_ENTER = "invoices.add_invoice"
LONGEST_KEY = 19  # digits of a key the database can hold
ZERO = Decimal(0)

# What the page can do with an invoice: its word, the right for it, and what is done.
ACTS: dict[str, tuple[str, Any]] = {
    "match": ("invoices.change_invoice", invoices.match_invoice),
    "release": ("invoices.release_invoice", invoices.release_invoice),
    "dispute": ("invoices.change_invoice", invoices.dispute_invoice),
    "approve": ("invoices.approve_invoice", invoices.approve_invoice),
    "withdraw": ("invoices.change_invoice", invoices.withdraw_invoice),
    "export": ("invoices.export_invoice", invoices.export_invoice),
}
WITH_REASON = ("release", "dispute", "withdraw")


def invoice_tabs() -> dict[str, Tab]:
    tabs = [
        Tab("", _("Held"), "inbox", _("Nothing is held"),
            _("What asks for more than was accepted, or for a higher price, stands here until somebody decides."), True),
        Tab("entered", _("To match"), "arrows-left-right", _("Nothing waits to be matched"),
            _("Invoices stand here once they are entered, until they are compared with what was received.")),
        Tab("matched", _("To approve"), "checks", _("Nothing waits for approval"),
            _("What fits, or was let pass, stands here until it is approved for payment.")),
        Tab("disputed", _("Disputed"), "message-exclamation", _("Nothing is disputed"),
            _("What the vendor has to answer for stands here.")),
        Tab("done", _("Done"), "file-check", _("Nothing was approved yet"), _("Approved and exported invoices stand here.")),
    ]  # fmt: skip
    return {tab.key: tab for tab in tabs}


def invoice_lists(rows: QuerySet[Invoice]) -> dict[str, QuerySet[Invoice]]:
    return {
        "": rows.held(),
        "entered": rows.filter(status=InvoiceStatus.ENTERED),
        "matched": rows.filter(status=InvoiceStatus.MATCHED),
        "disputed": rows.filter(status=InvoiceStatus.DISPUTED),
        "done": rows.posted(),
    }


def filtered_invoices(rows: QuerySet[Invoice], filters: Filters) -> QuerySet[Invoice]:
    for word in filters.q.split():
        orders = SubcontractOrder.objects.filter(number__icontains=word)
        rows = rows.filter(
            pk__in=Invoice.objects.filter(Q(number__startswith=word.upper()) | Q(vendor_number__icontains=word))
            .values("pk")
            .union(InvoiceLine.objects.order_by().filter(order_line__order__in=orders).values("invoice"))
        )
    return filters.of_whom(rows)


@require_safe
@page_for(SEES)
def invoice_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), invoice_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = Invoice.objects.billed().visible_to(request.user)
    lists = invoice_lists(filtered_invoices(visible, filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    shown = lists[tab.key].select_related("vendor", "currency").annotate(line_count=Count("lines"))
    newest_last = "pk" if tab.key in ("", "entered", "matched") else "-pk"
    if asked_for_file(request):
        return as_file(request, tables.INVOICES, shown.order_by(newest_last), shell=shell)
    page = paged(
        request,
        shown.prefetch_related(Prefetch("holds", Hold.objects.order_by("pk"))).order_by(newest_last),
        counted=tab.count,
    )
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": [vendors_of(request, filters, visible), site_choice(request, filters)],
        "kept": kept(request, "tab"),
        "search_hint": _("Search invoices, vendors' numbers, orders"),
        "may_export": request.user.has_perm("invoices.export_invoice") and visible.filter(status="approved").exists(),
    }
    part = "workbench/_invoice_list.html"
    return show(request, "workbench/invoice_list.html", context, section="invoices", shell=shell, part=part)


@require_safe
@page_for(SEES)
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = _shown(request, number)
    matches = Match.objects.select_related("order_line__order", "receipt_line__receipt").order_by("pk")
    lines = list(
        shown.lines.select_related(
            "order_line__order__currency", "order_line__item__unit", "order_line__process", "receipt", "charge_back"
        )
        .prefetch_related(
            Prefetch("matches", matches), Prefetch("holds", Hold.objects.order_by("pk"))
        )
        .order_by("line_no")
    )  # fmt: skip
    asked_of = set() if shown.of_claims else {line.order_line_id for line in lines if line.order_line_id}
    owed = invoices.what_is_owed(asked_of, but=shown)
    for line in lines:
        line.owed = owed.get(line.order_line_id or 0)
        line.bears = sum((match.difference for match in line.matches.all()), ZERO)
    context: dict[str, Any] = {
        "invoice": shown,
        "lines": lines,
        "sides": _sides(lines, owed),
        "wide_holds": shown.holds.filter(line=None),
        "credit_notes": shown.credit_notes.select_related("currency").order_by("pk"),
        "charge_backs": ChargeBack.objects.visible_to(request.user)
        .filter(order_line__in=owed, amount__gt=0)
        .order_by("pk"),
        "difference": sum((line.bears for line in lines), ZERO),
        "history": history("invoice", shown.number),
        **_possible(request, shown),
    }
    if context.get("may_export") and request.user.has_perm(MAY_ENTER):
        claimed = ChargeBack.objects.visible_to(request.user).claims_on(shown.vendor_id)
        context["claimed"] = claimed.aggregate(open=Sum(F("amount") - F("set_off") - F("credited")))["open"] or ZERO
        context["may_net"] = bool(context["claimed"])
    return show(request, "workbench/invoice_detail.html", context, section="invoices", shell=shell)


def _shown(request: HttpRequest, number: str) -> Invoice:
    people = ("entered_by", "released_by", "approved_by", "disputed_by")
    found = Invoice.objects.visible_to(request.user)
    found = found.select_related("vendor", "site", "currency", "credits", "payment_export", *people)
    return get_object_or_404(found, number=number)


def _sides(lines: Sequence[Any], owed: dict[int, Owed]) -> list[dict[str, Any]]:
    """Each order line asked for, with what came of it: what the invoice stands against."""
    found = []
    for one in owed.values():
        asked = [line for line in lines if line.order_line_id == one.line.pk]
        taken: dict[int, Decimal] = {}
        for line in asked:
            for match in line.matches.all():
                if match.receipt_line_id is not None:
                    taken[match.receipt_line_id] = taken.get(match.receipt_line_id, ZERO) + match.quantity
        rows = [
            {"row": row, "free": one.left[row.pk], "taken": taken.get(row.pk, ZERO), "bad": row.rejected + row.scrapped}
            for row in one.rows
        ]
        found.append(
            {"owed": one, "line": one.line, "asked": asked, "rows": rows, "may": max(one.payable - one.taken, ZERO)}
        )
    return found


def _possible(request: HttpRequest, shown: Invoice) -> dict[str, bool | str]:
    """Which buttons the page has, and which of them the key accepts with."""
    user, status = request.user, shown.status
    if shown.kind == InvoiceKind.CREDIT:
        return {}
    is_open = status in ("entered", "matched", "held", "disputed")
    changes = user.has_perm("invoices.change_invoice")
    may = {
        "may_match": changes and status in ("entered", "held", "disputed"),
        "may_release": user.has_perm("invoices.release_invoice")
        and status == "held"
        and shown.entered_by_id != user.pk,
        "may_dispute": changes and status in ("entered", "matched", "held"),
        "may_approve": user.has_perm("invoices.approve_invoice") and status == "matched",
        "may_export": user.has_perm("invoices.export_invoice") and status == "approved",
        "may_withdraw": changes and is_open,
        "may_credit": user.has_perm(MAY_ENTER) and status != "withdrawn",
        "is_own": status == "held" and shown.entered_by_id == user.pk,
    }
    accept = next((act for act in ("release", "approve", "match") if may[f"may_{act}"]), "")
    return {**may, "accept": accept}


@require_POST
@page_for(SEES)
def act_on_invoice(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """One act on one invoice; what was in the inbox goes on to the next that waits there."""
    if action not in ACTS:
        raise Http404
    right, service = ACTS[action]
    shown = _shown(request, number)
    if not request.user.has_perm(right):
        messages.error(request, _("You have no right to do this."))
        return redirect("workbench:invoice", number)
    said = {"reason": request.POST.get("reason", "")[:300]} if action in WITH_REASON else {}
    version = request.POST.get("version", "")
    try:
        done = service(
            invoice_id=shown.pk,
            expected_version=int(version) if version.isdecimal() and len(version) < 10 else None,
            by=request.user,
            at=timezone.now(),
            **said,
        )
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:invoice", number)
    said_word = done.get_status_display()
    messages.success(request, _("%(number)s: %(status)s.") % {"number": number, "status": said_word.lower()})
    following = _next(request, shown) if action in ("release", "approve", "dispute") else None
    return redirect("workbench:invoice", following or number)


def _next(request: HttpRequest, shown: Invoice) -> str | None:
    """The next invoice that waits as this one did."""
    waiting = Invoice.objects.billed().visible_to(request.user).filter(status=shown.status).exclude(pk=shown.pk)
    return waiting.order_by("pk").values_list("number", flat=True).first()


@require_POST
@page_for(SEES, MAY_ENTER)
def upload_invoices(request: HttpRequest) -> HttpResponse:
    """One UBL document, or a CSV file of many invoices; each is matched at once."""
    given = request.FILES.get("file")
    if given is None:
        messages.error(request, _("Choose a file first."))
        return redirect("workbench:enter_invoice")
    content, said = given.read(ubl.MOST_BYTES + 1), {"by": request.user, "at": timezone.now()}
    try:
        if given.name.lower().endswith(".csv"):
            made = invoices.enter_csv(content=content, **said)
        else:
            made = [invoices.enter_ubl(content=content, **said)]
        made = [
            one if one.kind == InvoiceKind.CREDIT else invoices.match_invoice(invoice_id=one.pk, **said) for one in made
        ]
    except Refusal as refusal:
        messages.error(request, f"{refusal.field}: {refusal.detail}" if refusal.field else refusal.detail)
        return redirect("workbench:enter_invoice")
    messages.success(request, _("Entered: %(numbers)s.") % {"numbers": ", ".join(one.number for one in made[:10])})
    return redirect("workbench:invoice", made[0].number) if len(made) == 1 else redirect("workbench:invoice_list")


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_ENTER)
def enter_invoice(request: HttpRequest) -> HttpResponse:
    """A vendor's invoice, written down beside what was received of him and not invoiced yet."""
    shell = Shell(request)
    code = request.POST.get("vendor") or request.GET.get("vendor", "")
    vendor = Vendor.objects.visible_to(request.user).filter(code=code).first() if "\x00" not in code else None
    q = request.GET.get("q", "").strip().replace("\x00", "")[:100]
    rows, more = to_invoice(request, vendor, q=q) if vendor else ([], False)
    typed: dict[str, str] = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    problem, at_fault = "", ""
    if request.method == "POST" and vendor:
        try:
            made = invoices.enter_invoice(
                vendor_id=vendor.pk, number=typed.get("number", "")[:60], lines=_typed_lines(typed, rows),
                invoice_date=read_day(typed.get("invoice_date", "")), due_date=read_day(typed.get("due_date", "")),
                note=typed.get("note", ""), by=request.user, at=timezone.now(),
            )  # fmt: skip
            made = invoices.match_invoice(invoice_id=made.pk, by=request.user, at=timezone.now())
        except Refusal as refusal:
            problem, at_fault = refusal.detail, refusal.field or ""
        except Unreadable as unreadable:
            problem = str(unreadable)
        else:
            word = made.get_status_display().lower()
            messages.success(request, _("%(number)s is entered and %(status)s.") % {"number": made, "status": word})
            return redirect("workbench:invoice", made.number)
    for row in rows:
        row["typed"] = {name: typed.get(f"{name}-{row['line'].pk}", "") for name in ("quantity", "price")}
    context = {
        "vendor": vendor,
        "vendors": vendors_with_receipts(request),
        "rows": rows,
        "more": more,
        "q": q,
        "typed": typed,
        "problem": problem,
        "at_fault": at_fault,
        "charges": [(kind, word, typed.get(f"charge-{kind}", "")) for kind, word in CHARGE_CHOICES],
        "tax_categories": TaxCategory.choices,
    }
    response = show(request, "workbench/invoice_enter.html", context, section="invoices", shell=shell)
    response.status_code = 422 if problem else 200
    return response


def vendors_with_receipts(request: HttpRequest) -> list[tuple[str, str]]:
    """Vendors something was received of, or of a site of theirs; sites send no invoices."""
    sites = Q(receipt__vendor=OuterRef("pk")) | Q(receipt__vendor__belongs_to=OuterRef("pk"))
    came = ReceiptLine.objects.filter(sites, receipt__status=ReceiptStatus.POSTED)
    found = Vendor.objects.visible_to(request.user).filter(Exists(came), belongs_to=None).order_by("name", "code")
    return [(code, name or code) for code, name in found.values_list("code", "name")]


def to_invoice(request: HttpRequest, vendor: Vendor, *, q: str = "") -> tuple[list[dict[str, Any]], bool]:
    """Order lines of a vendor with pieces that may be paid and nobody has invoiced, and whether there are more than these.

    The newest, narrowed by `q` (of an order's number or a delivery note's), and every line something is typed for.
    """
    lines = invoices.lines_to_invoice(vendor.pk).visible_to(request.user)
    for word in q.split():
        noted = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, receipt__note__icontains=word)
        lines = lines.filter(Q(order__number__icontains=word) | Q(pk__in=noted.values("order_line")))
    found = list(lines.order_by("-pk").values_list("pk", flat=True)[: ROWS + 1])
    typed = _typed_keys(request)
    mine = OrderLine.objects.visible_to(request.user).filter(vendor__in=Vendor.objects.invoiced_by(vendor.pk))
    keys = mine.filter(pk__in={*found[:ROWS], *typed}).values_list("pk", flat=True)
    rows = []
    for one in invoices.what_is_owed(list(keys)).values():
        quantity = max(one.payable - one.taken, ZERO)
        if quantity <= 0 and one.line.pk not in typed:
            continue
        in_unit = quantity / one.line.price_factor
        rows.append(
            {
                "owed": one,
                "line": one.line,
                "quantity": quantity,
                "in_unit": in_unit.quantize(Decimal("0.00001")),
                "unit": one.line.price_unit or (one.line.item.unit.code if one.line.item.unit else ""),
                "notes": list(dict.fromkeys(row.receipt.note for row in one.rows if one.left[row.pk])),
            }
        )
    return rows, len(found) > ROWS


def _typed_keys(request: HttpRequest) -> set[int]:
    """The order lines a quantity is typed for."""
    typed = {name for name, value in request.POST.items() if value and name.startswith("quantity-")}
    keys = {name.removeprefix("quantity-") for name in typed}
    return {int(key) for key in keys if key.isdecimal() and len(key) < LONGEST_KEY}


def _typed_lines(typed: dict[str, str], rows: Sequence[dict[str, Any]]) -> list[EnteredLine]:
    """What was typed, line by line; a line without a quantity is not asked for. Raises Unreadable."""
    rate = read_quantity(typed.get("tax_rate", "")) or ZERO
    category = typed.get("tax_category", TaxCategory.STANDARD)
    tax: dict[str, Any] = {
        "tax_rate": rate,
        "tax_category": category if category in TaxCategory.values else TaxCategory.STANDARD,
    }
    entered = []
    for row in rows:
        line = row["line"]
        quantity = read_quantity(typed.get(f"quantity-{line.pk}", ""))
        price = read_quantity(typed.get(f"price-{line.pk}", ""))
        if quantity:
            unit_price = line.unit_price_in_force if price is None else price
            entered.append(EnteredLine(line.pk, quantity=quantity, unit_price=unit_price, **tax))
    for kind, _word in CHARGE_CHOICES:
        amount = read_quantity(typed.get(f"charge-{kind}", ""))
        if amount:
            entered.append(EnteredLine(kind=kind, amount=amount, field=f"charge-{kind}", **tax))
    return entered
