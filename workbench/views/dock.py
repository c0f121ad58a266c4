"""The dock, for a phone with a scanner: what is to be done there, and what a code opens."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from masterdata.models import Vendor
from receipts.models import Receipt, ReceiptLine, ReceiptStatus, Return
from shipments.models import BEFORE_DISPATCH, Shipment
from subcontract_orders.models import (
    SubcontractOrder,
)
from workbench.forms import scanned
from workbench.views.page import AT_DOCK, Shell, View, count, login_required, show
from workbench.views.receipts import MAY_CHANGE as MAY_RECEIVE
from workbench.views.receipts import MAY_INSPECT
from workbench.views.receipts import SEES as SEES_RECEIPTS
from workbench.views.receiving import open_lines
from workbench.views.shipments import MAY_CHANGE as MAY_SHIP
from workbench.views.shipments import shipment_lists

MAY_COUNT = "receipts.count_vendorstock"
AS_PROMISED, AS_TO_LEAVE = ("promised_date", "pk"), ("dispatch_by", "pk")


def dock_page(view: View) -> View:
    """For whoever does at least one thing at the dock."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not any(request.user.has_perm(right) for right in AT_DOCK):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


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
