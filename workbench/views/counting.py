"""Counting our material at a vendor: his count against the book."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from core.refusals import Refusal
from masterdata.models import Item, Vendor
from receipts import services as receipts
from workbench.forms import Unreadable, read_quantity
from workbench.templatetags.workbench import called, quantity
from workbench.views.balances import lying_at_vendors
from workbench.views.page import Shell, page_for, paged, show

SEES = "inventory.view_balance"
MAY_COUNT = "receipts.count_vendorstock"
REASONS = (
    gettext_lazy("Vendor's monthly count"),
    gettext_lazy("Counted on a visit"),
    gettext_lazy("Damaged or lost at the vendor"),
    gettext_lazy("Found at the vendor"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_COUNT)
def count_stock(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    data = request.POST if request.method == "POST" else request.GET
    # Pieces back to be mended are not counted here: they come with a receipt.
    there = lying_at_vendors(request.user).exclude(stage__startswith=receipts.REWORK)
    code = data.get("vendor", "").strip()
    if not code:
        return choose_vendor(request, shell, there)
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    there = there.filter(location__vendor=vendor)
    item_code = data.get("item", "").strip()
    if not item_code:
        return choose_item(request, shell, vendor, there)
    item = get_object_or_404(Item.objects.select_related("unit"), code=item_code)
    stage = data.get("stage", "").strip()
    lots = [
        (lot or "", total)
        for lot, total in there.filter(item=item, stage=stage, quantity__gt=0)
        .values_list("lot__code")
        .annotate(total=Sum("quantity"))
        .order_by("lot__code")
    ]
    lot = data.get("lot", "").strip() or (lots[0][0] if lots else "")  # the one the form shows first
    form: dict[str, Any] = {
        "counted": data.get("counted", ""),
        "reason": data.get("reason", ""),
        "as_of": data.get("as_of", ""),
        "errors": {},
        "problem": "",
    }
    status = 200
    if request.method == "POST":
        done = post_count(request, vendor, item, lot, stage, form, zone=shell.zone)
        if done is not None:
            return done
        status = 422
    context = {
        "vendor": vendor,
        "item": item,
        "stage": stage,
        "lots": lots,
        "lot": lot,
        "book": sum((total for code, total in lots if code == lot), Decimal(0)),
        "form": form,
        "reasons": REASONS,
        "dock_page": "count",
        "is_bound": status != 200,
    }
    response = show(request, "workbench/dock_count.html", context, section="dock", shell=shell)
    response.status_code = status
    return response


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """The moment a person typed, in the company's time; nothing typed is now. Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=zone) if text.strip() else None


def post_count(
    request: HttpRequest, vendor: Vendor, item: Item, lot: str, stage: str, form: dict[str, Any], *, zone: ZoneInfo
) -> HttpResponse | None:
    """Set the count against the book. None where it is refused: what is wrong stands beside its field then."""
    try:
        counted = read_quantity(form["counted"])
    except Unreadable as unreadable:
        form["errors"]["counted"] = str(unreadable)
        return None
    if counted is None:
        form["errors"]["counted"] = _("Write what was counted; 0 if nothing is there.")
        return None
    try:
        as_of = moment_of(form["as_of"], zone)
    except ValueError:
        form["errors"]["as_of"] = _("Write a day and a time.")
        return None
    try:
        done = receipts.count_vendor_stock(
            vendor_id=vendor.pk,
            item_id=item.pk,
            counted=counted,
            reason=form["reason"],
            lot=lot,
            stage=stage,
            as_of=as_of,
            by=request.user,
            at=timezone.now(),
        )
    except Refusal as refusal:
        if refusal.field in ("counted", "reason", "lot", "as_of"):
            form["errors"][refusal.field] = refusal.detail
        else:
            form["problem"] = refusal.detail
        return None
    unit = f" {item.unit.code}" if item.unit else ""
    if done.variance:
        said = (
            _("The book said {book}, {counted} were counted: {difference} missing, posted.")
            if done.variance < 0
            else _("The book said {book}, {counted} were counted: {difference} more than in the book, posted.")
        ).format(
            book=quantity(done.book),
            counted=quantity(done.counted),
            difference=f"{quantity(abs(done.variance))}{unit}",
        )
    else:
        said = _("{counted} of {item} at {vendor}: as in the book.").format(
            counted=f"{quantity(done.counted)}{unit}", item=item, vendor=called(vendor)
        )
    messages.success(request, said, extra_tags=f"count/{vendor.code}/{item.code}{f'/{stage}' if stage else ''}")
    return redirect(f"{reverse('workbench:count_stock')}?{urlencode({'vendor': vendor.code})}")


def choose_vendor(request: HttpRequest, shell: Shell, there: Any) -> HttpResponse:
    found = list(
        there.filter(quantity__gt=0)
        .values("location__vendor")
        .annotate(parts=Count("item", distinct=True), called=F("location__vendor__name"))
        .order_by("called", "location__vendor")[:100]
    )
    vendors = Vendor.objects.in_bulk([row["location__vendor"] for row in found])
    rows = [{"parts": row["parts"], "vendor": vendors[row["location__vendor"]]} for row in found]
    return show(
        request, "workbench/dock_count_vendors.html", {"rows": rows, "dock_page": "count"}, section="dock", shell=shell
    )


def choose_item(request: HttpRequest, shell: Shell, vendor: Vendor, there: Any) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    rows = there.filter(quantity__gt=0)
    for word in text.split():
        rows = rows.filter(Q(item__code__icontains=word) | Q(item__name__icontains=word) | Q(lot__code__iexact=word))
    page = paged(request, rows.select_related("item__unit", "lot").order_by("item__code", "lot__code", "stage", "pk"))
    context = {"vendor": vendor, "page": page, "q": text, "dock_page": "count"}
    return show(request, "workbench/dock_count_items.html", context, section="dock", shell=shell)
