"""Vendors: all of them, the room of one, and what each would take for the same work."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from inventory.models import Balance
from masterdata.models import Item, Process, Site, Vendor
from policies import services as policies
from policies.models import PriceAgreement, VendorApproval
from reports import services as reports
from subcontract_orders.models import SubcontractOrder
from workbench import tables
from workbench.forms import Filters, Unreadable, read_filters, read_quantity
from workbench.views.page import Shell, as_file, asked_for_file, page_view, paged, show
from workbench.views.worklist import Tab, attach_first_lines

SHOWN = 10  # rows of each kind in a vendor's room; the rest is a link away
LANGUAGES = {"en": _("English"), "de": _("German")}
"""What papers and mails to a vendor are written in; English where nothing is kept."""
PARTS = 500  # parts offered to choose from when prices are compared
ZERO = Decimal(0)
EMPTY = Tab(
    "", "Vendors", "building-factory-2", "No vendors yet", "Import a plan: whoever works for you outside stands here."
)
WHY_NOT = {
    "inactive": _("not active"),
    "not_approved": _("not approved for it"),
    "approval_expired": _("approval has ended"),
    "no_price": _("no price for this part and quantity"),
    "no_rate": _("no exchange rate"),
    "no_unit_factor": _("the price's unit is unknown for this part"),
}


def listed(request: HttpRequest, filters: Filters, shell: Shell) -> QuerySet[Vendor]:
    """Vendors that do work for us, with their open orders, those past due, and the value of both."""
    orders = SubcontractOrder.objects.visible_to(request.user).open().filter(vendor=OuterRef("pk")).order_by()
    counted = orders.values("vendor")
    prices, approvals = (model.objects.filter(vendor=OuterRef("pk")) for model in (PriceAgreement, VendorApproval))
    found = Vendor.objects.visible_to(request.user).filter(Exists(orders) | Exists(prices) | Exists(approvals))  # type: ignore[arg-type]
    for word in filters.q.split():
        found = found.filter(Q(code__icontains=word) | Q(name__icontains=word) | Q(city__icontains=word))
    late = Q(due_date__lt=shell.today, sent_at__isnull=False)
    money = DecimalField(max_digits=18, decimal_places=3)
    return found.annotate(
        open_orders=Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n")), 0),
        late_orders=Coalesce(Subquery(counted.annotate(n=Count("pk", filter=late)).values("n")), 0),
        open_value=Coalesce(
            Subquery(counted.annotate(n=Sum("total_company")).values("n")), Value(ZERO), output_field=money
        ),
    )


@require_safe
@page_view
def vendor_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters = Shell(request), read_filters(request.GET)
    rows = listed(request, filters, shell).order_by("-open_value", "code")
    if asked_for_file(request):
        return as_file(request, tables.VENDORS, rows, shell=shell)
    page = paged(request, rows)
    page.object_list = list(page.object_list)
    scores = reports.vendor_scores([vendor.pk for vendor in page.object_list], today=shell.today, viewer=request.user)  # type: ignore[arg-type]
    for vendor in page.object_list:
        vendor.score = scores.get(vendor.pk)
    context = {
        "page": page,
        "filters": filters,
        "tab": EMPTY,
        "choices": [],
        "kept": [],
        "search_hint": _("Search vendors"),
        "currency": shell.company.currency if shell.company else None,
    }
    part = "workbench/_vendor_list.html"
    return show(request, "workbench/vendor_list.html", context, section="vendors", shell=shell, part=part)


@require_safe
@page_view
def vendor(request: HttpRequest, code: str) -> HttpResponse:
    """All that a buyer wants to know of one vendor before he calls him."""
    shell = Shell(request)
    shown = get_object_or_404(listed(request, Filters(), shell).select_related("currency", "belongs_to"), code=code)
    orders = SubcontractOrder.objects.visible_to(request.user).open().filter(vendor=shown)
    rows = list(orders.select_related("vendor", "currency").with_line_summary().order_by("due_date", "pk")[:SHOWN])
    attach_first_lines(rows)
    lying = (
        Balance.objects.at_vendors()
        .visible_to(request.user)  # type: ignore[arg-type]
        .filter(location__vendor=shown, quantity__gt=0)
        .aggregate(parts=Count("item", distinct=True), places=Count("location", distinct=True))
    )
    prices = (
        PriceAgreement.objects.filter(vendor=shown)
        .filter(Q(valid_to__isnull=True) | Q(valid_to__gte=shell.today))
        .select_related("item", "process", "currency", "site", "per_unit")
        .order_by("process__name", "item__code", "minimum_quantity", "pk")
    )
    approvals = list(VendorApproval.objects.filter(vendor=shown).select_related("process").order_by("process__code"))
    context: dict[str, Any] = {
        "vendor": shown,
        "score": reports.vendor_scores([shown.pk], today=shell.today, viewer=request.user).get(shown.pk),  # type: ignore[arg-type]
        "orders": rows,
        "lying": lying,
        "prices": list(prices[:SHOWN]),
        "more_prices": max(prices.count() - SHOWN, 0),
        "approvals": approvals,
        "language": LANGUAGES.get(shown.language, LANGUAGES["en"]),
        "sites": list(Vendor.objects.visible_to(request.user).filter(belongs_to=shown).order_by("code")),
        "currency": shell.company.currency if shell.company else None,
    }
    return show(request, "workbench/vendor_detail.html", context, section="vendors", shell=shell)


@require_safe
@page_view
def offers(request: HttpRequest) -> HttpResponse:
    """One process, one quantity: what every vendor would take for it today, the cheapest first."""
    shell = Shell(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("process", "item", "quantity", "site")}
    process = Process.objects.filter(code=asked["process"]).first()
    item = Item.objects.select_related("unit").filter(code=asked["item"]).first() if asked["item"] else None
    site = Site.objects.filter(code=asked["site"]).first() if asked["site"] else None
    problem, quantity = "", Decimal(1)
    try:
        quantity = read_quantity(asked["quantity"]) or Decimal(1)
    except Unreadable as unreadable:
        problem = str(unreadable)
    if asked["item"] and item is None:
        problem = str(_("There is no part {code}.")).format(code=asked["item"])
    found = []
    if process and not problem and quantity > 0:
        found = policies.compare_offers(
            process=process, item=item, quantity=quantity, site_id=site.pk if site else None, on=shell.today
        )
    scores = reports.vendor_scores([offer.vendor.pk for offer in found], today=shell.today, viewer=request.user)  # type: ignore[arg-type]
    best = min(
        (offer.total_company for offer in found if not offer.reason and offer.total_company is not None), default=None
    )
    parts = Item.objects.filter(Exists(PriceAgreement.objects.filter(process=process, item=OuterRef("pk"))))
    context = {
        "asked": asked,
        "parts": list(parts.order_by("code")[:PARTS]) if process else [],
        "needs_part": not problem and item is None and all(offer.reason == "no_price" for offer in found),
        "process": process,
        "item": item,
        "quantity": quantity,
        "problem": problem,
        "offers": [
            {
                "offer": offer,
                "why_not": WHY_NOT.get(offer.reason, ""),
                "score": scores.get(offer.vendor.pk),
                "more": offer.total_company - best
                if best is not None and offer.total_company is not None and offer.total_company > best
                else None,
                "is_best": best is not None and not offer.reason and offer.total_company == best,
            }
            for offer in found
        ],
        "processes": Process.objects.filter(
            Exists(PriceAgreement.objects.filter(process=OuterRef("pk")))
            | Exists(VendorApproval.objects.filter(process=OuterRef("pk")))
        ).order_by("name", "code"),
        "sites": Site.objects.order_by("code"),
        "currency": shell.company.currency if shell.company else None,
    }
    return show(request, "workbench/offers.html", context, section="offers", shell=shell)
