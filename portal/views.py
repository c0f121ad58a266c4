"""What a vendor does with the one order his link opens: accept, offer otherwise, refuse, tell of it. Without an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.cache import cache
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from activity.models import Event
from core.refusals import InvalidInput, NotFound, Refusal
from documents import services as documents
from masterdata.models import Company
from portal import forms
from subcontract_orders import services as orders
from subcontract_orders.models import WITH_VENDOR, CounterOffer, OfferState, OrderLine, OrderStatus, SubcontractOrder
from subcontract_orders.printing import back_to
from subcontract_orders.services import LinkedOrder

THROUGH = "vendor"
WINDOW = 600  # seconds
READS, ACTS, WRONG = 300, 60, 30
"""In a window: pages and acts of one link, and links that are none of ours from one address."""

View = Callable[..., HttpResponseBase]


def _often(key: str, *, most: int) -> bool:
    """Whether this was done too often within the window. Losing the cache only forgets the count."""
    cache.add(key, 0, WINDOW)
    try:
        return cache.incr(key) > most
    except ValueError:  # it ran out between the two
        return False


def linked(view: View) -> View:
    """Open the link, or say why it does not open; slow down who does it too often."""

    def guarded(request: HttpRequest, token: str, **named: str) -> HttpResponseBase:
        where = f"portal:wrong:{request.META.get('REMOTE_ADDR', '')}"
        if (cache.get(where) or 0) >= WRONG:
            return _said(request, _("Too many links that do not open. Wait ten minutes."), status=429)
        try:
            found = orders.open_link(token=token, at=timezone.now())
        except NotFound as refusal:
            _often(where, most=WRONG)
            return _said(request, refusal.detail, status=404)
        except Refusal as refusal:
            return _said(request, refusal.detail, status=410)
        kind, most = ("act", ACTS) if request.method == "POST" else ("read", READS)
        if _often(f"portal:{kind}:{found.order.pk}", most=most):
            return _said(request, _("This page was used very often just now. Wait ten minutes."), status=429)
        response = view(request, token, found, **named)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "same-origin"
        return response

    return never_cache(guarded)


def _said(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    return render(request, "portal/closed.html", {"sentence": sentence}, status=status)


@require_safe
@linked
def file(request: HttpRequest, token: str, found: LinkedOrder, sha256: str) -> HttpResponseBase:
    """A drawing or another file that goes with the order the vendor holds."""
    try:
        told = orders.named_file(orders.told_files(found.revision.content["lines"]), sha256)
        content = told.open()
    except NotFound as refusal:
        return _said(request, refusal.detail, status=404)
    return FileResponse(content, filename=told.name, content_type=orders.content_type(told.name))


@require_safe
@linked
def order(request: HttpRequest, token: str, found: LinkedOrder) -> HttpResponse:
    shown = found.order
    company = Company.objects.first()
    zone = ZoneInfo(shown.site.time_zone or (company and company.time_zone) or "UTC")
    offer = CounterOffer.objects.filter(order=shown, state=OfferState.OPEN).first()
    told = Event.objects.of(kind="subcontract_order", number=shown.number).filter(
        name__in=["order.ready", "order.shipped"]
    )
    now = timezone.now()
    lines = _lines(found)
    is_back = bool(lines) and all(line["open"] <= 0 for line in lines)
    context: dict[str, Any] = {
        "token": token,
        "order": shown,
        "revision": found.revision,
        "content": found.revision.content,
        "until": found.until,
        "company": company,
        "lines": lines,
        "come_back_apart": len({line["back_to"] for line in lines}) > 1,
        "files": orders.told_files(found.revision.content["lines"]),
        "offer": offer,
        "offered": offer.lines.select_related("order_line").order_by("order_line__line_no", "position")
        if offer
        else [],
        "told": told.order_by("-pk")[:5],
        "is_back": is_back,
        "may_accept": shown.status == OrderStatus.SENT and not is_back,
        "may_counter": shown.status in WITH_VENDOR and not is_back,
        "may_tell": shown.is_with_vendor and not is_back,
        "is_over": shown.status in (OrderStatus.CLOSED, OrderStatus.CANCELLED),
        "is_held": shown.status == OrderStatus.HELD,
        "parts": forms.PARTS,
        "today": timezone.localdate(now, timezone=zone),
    }
    with timezone.override(zone):
        return render(request, "portal/order.html", context)


@require_POST
@linked
def accept(request: HttpRequest, token: str, found: LinkedOrder) -> HttpResponse:
    def action(at: datetime) -> None:
        documents.acknowledge_set(
            order_id=found.order.pk,
            promised=forms.promised(request.POST, _line_nos(found.order)),
            expected_version=found.order.version,
            by=None,
            at=at,
            through=THROUGH,
        )

    return _act(request, token, action, done=_("Thank you: the order is confirmed."))


@require_POST
@linked
def counter(request: HttpRequest, token: str, found: LinkedOrder) -> HttpResponse:
    def action(at: datetime) -> None:
        documents.counter_set(
            order_id=found.order.pk,
            lines=forms.countered(request.POST, _line_nos(found.order)),
            reason=_reason(request),
            expected_version=found.order.version,
            by=None,
            at=at,
            through=THROUGH,
        )

    return _act(
        request, token, action, done=_("Your offer is with the buyer. The order stands as it was until he answers.")
    )


@require_POST
@linked
def refuse(request: HttpRequest, token: str, found: LinkedOrder) -> HttpResponse:
    def action(at: datetime) -> None:
        reason = _reason(request)
        if not reason:
            raise InvalidInput(_("Say why you do not take it."), field="reason")
        documents.refuse_set(
            order_id=found.order.pk,
            reason=reason,
            expected_version=found.order.version,
            by=None,
            at=at,
            through=THROUGH,
        )

    return _act(request, token, action, done=_("The buyer is told that you do not take the order."))


@require_POST
@linked
def tell(request: HttpRequest, token: str, found: LinkedOrder) -> HttpResponse:
    def action(at: datetime) -> None:
        said = forms.ToldForm(request.POST)
        if not said.is_valid():
            raise InvalidInput(_("Say what happened, and on which day."), field="date")
        lines = forms.told(request.POST, _line_nos(found.order))
        if not lines:
            raise InvalidInput(_("Say how many pieces of which line."), field="quantity")
        orders.tell(
            order_id=found.order.pk,
            what=said.cleaned_data["what"],
            lines=lines,
            on=said.cleaned_data["on"],
            note=said.cleaned_data["note"],
            expected_version=found.order.version,
            by=None,
            at=at,
        )

    return _act(request, token, action, done=_("Noted. Thank you."))


def _act(request: HttpRequest, token: str, action: Callable[[datetime], None], *, done: str) -> HttpResponse:
    try:
        action(timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, done)
    return redirect("portal:order", token=token)


def _reason(request: HttpRequest) -> str:
    form = forms.AnswerForm(request.POST)
    return form.cleaned_data["reason"] if form.is_valid() else ""


def _line_nos(shown: SubcontractOrder) -> list[int]:
    return list(OrderLine.objects.active().filter(order=shown).order_by("line_no").values_list("line_no", flat=True))


def _lines(found: LinkedOrder) -> list[dict[str, Any]]:
    """The lines as they were sent, with what came of them since."""
    said = {row["line_no"]: row for row in found.revision.content["lines"]}
    lines = (
        OrderLine.objects.active()
        .filter(order=found.order)
        .select_related("item__unit", "receive_at", "sent_receive_at")
        .order_by("line_no")
    )
    return [
        {
            **said[line.line_no],
            "name": line.item.name,
            "unit": line.item.unit.code if line.item.unit else "",
            "open": line.open_in_force,
            "received": line.received,
            "promised": line.promised_in_force,
            "back_to": back_to(line),
            "stays": line.receive_at_in_force_id == line.ship_to_id,
        }
        for line in lines
        if line.line_no in said
    ]
