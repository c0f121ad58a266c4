"""Writing off our material at a vendor: what is lost there for good."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from core.refusals import Refusal
from masterdata.models import Item, Location, Vendor
from receipts import services as receipts
from workbench.forms import Unreadable, read_quantity
from workbench.templatetags.workbench import called, quantity
from workbench.views.balances import SEES, lying_at_vendors
from workbench.views.page import Shell, page_for, show

MAY_WRITE_OFF = "receipts.write_off_material"
REASONS = (
    gettext_lazy("Damaged at the vendor"),
    gettext_lazy("Lost at the vendor"),
    gettext_lazy("Expired"),
    gettext_lazy("Not worth bringing back"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_WRITE_OFF)
def write_off(request: HttpRequest, code: str) -> HttpResponse:
    shell = Shell(request)
    data = request.POST if request.method == "POST" else request.GET
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    item = get_object_or_404(Item.objects.select_related("unit"), code=data.get("item", ""))
    there = lying_at_vendors(request.user).filter(location__vendor=vendor, item=item, quantity__gt=0)
    lots = [
        ({"lot": lot or "", "stage": stage, "place": place, "called": name or place}, total)
        for lot, stage, place, name, total in there.exclude(stage__startswith=receipts.REWORK)
        .values_list("lot__code", "stage", "location__code", "location__name")
        .annotate(total=Sum("quantity"))
        .order_by("lot__code", "stage", "location__code")
    ]
    chosen = data.get("of", "") or key_of(data.get("lot", ""), data.get("place", ""), data.get("stage", ""))
    form: dict[str, Any] = {
        "quantity": data.get("quantity", ""),
        "reason": data.get("reason", ""),
        "errors": {},
        "problem": "",
    }
    rows = [{**row, "key": key_of(row["lot"], row["place"], row["stage"]), "there": total} for row, total in lots]
    row = next((row for row in rows if row["key"] == chosen), rows[0] if rows else None)
    status = 200
    if request.method == "POST":
        done = post_write_off(request, vendor, item, row, form)
        if done is not None:
            return done
        status = 422
    context = {
        "vendor": vendor, "item": item, "rows": rows, "row": row, "form": form, "reasons": REASONS, "is_bound": status != 200,
    }  # fmt: skip
    response = show(request, "workbench/write_off.html", context, section="balances", shell=shell)
    response.status_code = status
    return response


def key_of(lot: str, place: str, stage: str) -> str:
    """What one row of the form is chosen by."""
    return "@".join([lot, place, stage] if stage else [lot, place])


def post_write_off(
    request: HttpRequest, vendor: Vendor, item: Item, row: dict[str, Any] | None, form: dict[str, Any]
) -> HttpResponse | None:
    """Post it. None where it is refused: what is wrong stands beside its field then."""
    try:
        lost = read_quantity(form["quantity"])
    except Unreadable as unreadable:
        form["errors"]["quantity"] = str(unreadable)
        return None
    if lost is None:
        form["errors"]["quantity"] = _("Write how much is lost.")
        return None
    place = Location.objects.filter(code=row["place"] if row else "").values_list("pk", flat=True).first()
    try:
        number = receipts.write_off_material(
            vendor_id=vendor.pk, item_id=item.pk, quantity=lost, reason=form["reason"], lot=row["lot"] if row else "",
            stage=row["stage"] if row else "", location_id=place, by=request.user, at=timezone.now(),
        )  # fmt: skip
    except Refusal as refusal:
        if refusal.field in ("quantity", "reason", "lot"):
            form["errors"][refusal.field] = refusal.detail
        else:
            form["problem"] = refusal.detail
        return None
    unit = f" {item.unit.code}" if item.unit else ""
    said = _("%(quantity)s of %(item)s at %(vendor)s are written off (%(number)s).")
    messages.success(
        request,
        said
        % {"quantity": f"{quantity(Decimal(lost))}{unit}", "item": item, "vendor": called(vendor), "number": number},
        extra_tags=f"write-off/{vendor.code}/{item.code}",
    )
    return redirect("workbench:balance", code=vendor.code)
