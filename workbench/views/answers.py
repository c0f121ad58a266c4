"""What vendors answer, noted and settled by a buyer: yes with dates, an offer in parts, no; reminders, what is overdue."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from activity.models import Event, Message
from core.refusals import InvalidInput
from documents import services as documents
from receipts.models import ExpectedReceipt
from subcontract_orders.models import (
    WITH_VENDOR,
    CounterOffer,
    OfferState,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import CounteredLine, Part, vendor_links
from workbench import rules
from workbench.forms import Unreadable, read_filters, read_quantity
from workbench.views.page import Shell, act_on_order, choice, page_view, paged, show, site_choice, vendor_choice

MAY_CHANGE = "subcontract_orders.change_subcontractorder"
PARTS = (1, 2, 3)


# ── On the order's page ─────────────────────────────────────────────────


def answer_of(shown: SubcontractOrder, request: HttpRequest, today: date) -> dict[str, Any]:
    """What the vendor answered and told, and what may be said to that, for the order's page."""
    may_change = request.user.has_perm(MAY_CHANGE)
    is_out = shown.status in WITH_VENDOR
    offer = CounterOffer.objects.filter(order=shown, state=OfferState.OPEN).first() if is_out else None
    told = None
    if shown.sent_at is not None:
        found = Event.objects.of(kind="subcontract_order", number=shown.number)
        told = found.filter(name__in=["order.ready", "order.shipped"]).order_by("-pk").first()
    return {
        "offer": offer,
        "offered": _offered(offer, today) if offer else [],
        "told": told,
        "may_settle": bool(offer) and may_change,
        "may_answer": is_out and may_change,
        "may_acknowledge": shown.status == OrderStatus.SENT and may_change,
        "may_withdraw": shown.revision_waits and may_change,
        "link": vendor_links(orders=[shown], at=timezone.now()).get(shown.pk, "") if is_out and may_change else "",
        "parts": PARTS,
    }


def _offered(offer: CounterOffer, today: date) -> list[dict[str, Any]]:
    """What is offered for each line, beside what stands."""
    rows: dict[OrderLine, list[Any]] = {}
    for part in offer.lines.select_related("order_line__item__unit").order_by("order_line__line_no", "position"):
        rows.setdefault(part.order_line, []).append(part)
    found = []
    for line, parts in rows.items():
        quantity = sum((part.quantity for part in parts), Decimal(0))
        last = max(part.promised_date for part in parts)
        found.append(
            {
                "line": line,
                "parts": parts,
                "is_split": len(parts) > 1,
                "changes": rules.changes(
                    {"quantity": str(line.quantity), "promised": line.promised_date.isoformat()},
                    {"quantity": str(quantity), "promised": last.isoformat()},
                ),
                "late_days": max(0, (last - line.need_date).days),
            }
        )
    return found


def _day(request: HttpRequest, name: str) -> date | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(_("%(text)s is not a day.") % {"text": text}, field="promised_date") from None


def _quantity(request: HttpRequest, name: str) -> Decimal | None:
    try:
        return read_quantity(request.POST.get(name, ""))
    except Unreadable as problem:
        raise InvalidInput(str(problem), field="quantity") from None


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def accept_counter(request: HttpRequest, number: str) -> HttpResponse:
    """Agree to what the vendor offers."""
    return act_on_order(request, number, documents.accept_counter, done=_("The vendor's offer is accepted."))


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def reject_counter(request: HttpRequest, number: str) -> HttpResponse:
    """Insist on the order as it was sent."""
    reason = request.POST.get("reason", "").strip()[:300]
    done = _("The offer is rejected: the order stands as it was sent.")
    return act_on_order(request, number, documents.reject_counter, done=done, reason=reason)


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def note_answer(request: HttpRequest, number: str) -> HttpResponse:
    """What a vendor said by telephone or mail: yes, an offer, or no."""

    def note(**common: Any) -> None:
        lines = OrderLine.objects.active().filter(order=common["order_id"])
        nos = list(lines.order_by("line_no").values_list("line_no", flat=True))
        reason = request.POST.get("reason", "").strip()[:300]
        answer = request.POST.get("answer")
        if answer == "accept":
            days = {no: _day(request, f"date-{no}-1") for no in nos}
            documents.acknowledge_set(promised={no: day for no, day in days.items() if day}, **common)
        elif answer == "counter":
            documents.counter_set(lines=_counter_lines(request, nos), reason=reason, **common)
        elif answer == "refuse":
            if not reason:
                raise InvalidInput(_("Say why he does not take it."), field="reason")
            documents.refuse_set(reason=reason, **common)
        else:
            raise InvalidInput(_("Say what the vendor answered."), field="answer")

    return act_on_order(request, number, note, done=_("The vendor's answer is noted."))


def _counter_lines(request: HttpRequest, nos: list[int]) -> list[CounteredLine]:
    found = []
    for no in nos:
        parts = [Part(_quantity(request, f"quantity-{no}-{n}"), _day(request, f"date-{no}-{n}")) for n in PARTS]
        said = tuple(part for part in parts if part != Part())
        if said:
            found.append(CounteredLine(no, said))
    return found


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def withdraw_revision(request: HttpRequest, number: str) -> HttpResponse:
    """Drop the revision that waits: the order is again what the vendor has."""
    return act_on_order(request, number, documents.withdraw_revision, done=_("The version that waited is dropped."))


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def remind(request: HttpRequest) -> HttpResponse:
    """Remind the vendors of chosen orders, each once a day."""
    chosen = SubcontractOrder.objects.visible_to(request.user).filter(number__in=request.POST.getlist("order")[:50])
    found = documents.remind_vendors(order_ids=chosen.values_list("pk", flat=True), by=request.user, at=timezone.now())
    if found.queued:
        said = ngettext("A reminder is on its way.", "%(count)s reminders are on their way.", found.queued)
        messages.success(request, said % {"count": found.queued})
    for sentence in found.refused[:5]:
        messages.warning(request, sentence)
    if not found.queued and not found.refused:
        messages.warning(request, _("No order was chosen."))
    back = request.POST.get("back", "")
    if back and SubcontractOrder.objects.visible_to(request.user).filter(number=back).exists():
        return redirect("workbench:order", number=back)
    return redirect("workbench:expediting")


# ── What is overdue ─────────────────────────────────────────────────────

WITHIN_DAYS = 7


@require_safe
@page_view
def expediting(request: HttpRequest) -> HttpResponse:
    """What should be back or is needed within days, whatever was promised: whom to call today, the latest first."""
    shell, filters = Shell(request), read_filters(request.GET)
    days = WITHIN_DAYS if filters.due is None else filters.due
    told = Event.objects.filter(
        document_kind="subcontract_order", document_number=OuterRef("order_line__order__number"),
        name__in=["order.ready", "order.shipped"],
    ).order_by("-pk")  # fmt: skip
    reminded = Message.objects.filter(
        kind=documents.REMINDER, document_number=OuterRef("order_line__order__number")
    ).order_by("-pk")
    looked_at = Q(first_day__lte=shell.today + timedelta(days=days))
    if filters.due is None:
        looked_at |= Q(order_line__order__in=documents.unanswered_orders(on=shell.today))
    rows = (
        ExpectedReceipt.objects.open()
        .visible_to(request.user)
        .filter(order_line__order__in=SubcontractOrder.objects.with_vendor())
        .select_related("order_line__order__vendor", "order_line__process", "item__unit")
        .only(
            "quantity", "expected_on", "item__code", "item__name", "item__kind", "item__unit__code",
            "order_line__line_no", "order_line__description", "order_line__last_operation_no", "order_line__process__name",
            "order_line__order__number", "order_line__order__status", "order_line__order__vendor__code",
            "order_line__order__vendor__name", "order_line__order__vendor__email",
        )
        .annotate(
            told=Subquery(told.values("data__detail")[:1]),
            told_what=Subquery(told.values("name")[:1]),
            reminded_at=Subquery(reminded.values("created_at")[:1]),
            need=F("order_line__need_date"),
            first_day=Least("expected_on", "order_line__need_date"),
        )
        .filter(looked_at)
    )  # fmt: skip
    rows = filters.of_whom(rows, through="order_line__order__")
    for word in filters.q.split():
        rows = rows.filter(
            Q(order_line__order__number__icontains=word)
            | Q(item__code__icontains=word)
            | Q(item__name__icontains=word)
            | Q(order_line__production_order__number__icontains=word)
        )
    if filters.late:
        rows = rows.filter(first_day__lt=shell.today)
    context = {
        "page": paged(request, rows.order_by("first_day", "pk")),
        "no_file": True,
        "filters": filters,
        "days": days,
        "may_remind": request.user.has_perm(MAY_CHANGE),
        "choices": [
            vendor_choice(request, filters),
            site_choice(request, filters),
            choice(
                "due", _("Due"), _("Due within %(days)s days") % {"days": WITHIN_DAYS},
                [("0", _("Due by today")), ("14", _("Due within 14 days")), ("30", _("Due within 30 days"))],
                "" if filters.due is None else str(filters.due),
            ),
        ],
        "kept": [],
        "search_hint": _("Search orders, parts"),
    }  # fmt: skip
    return show(
        request, "workbench/expediting.html", context, section="expediting", shell=shell,
        part="workbench/_expediting.html",
    )  # fmt: skip
