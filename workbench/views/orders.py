"""Orders: the list of all, one order with all that belongs to it, approving and sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Prefetch, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from activity.models import Alert, Message
from core.refusals import NotFound, Refusal
from documents import services as documents
from policies.models import Decision
from production.models import Supply
from receipts.models import ByProduct, ExpectedReceipt, ReceiptLine, ReceiptStatus
from receipts.services import Leftovers
from shipments import services as shipments
from shipments.models import BEFORE_DISPATCH, GONE, Shipment, ShipmentLine
from subcontract_orders import services as orders
from subcontract_orders.models import (
    UNSENT,
    WITH_VENDOR,
    LineStatus,
    OrderComponent,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from workbench import rules, tables
from workbench.forms import read_filters
from workbench.templatetags.workbench import day, money, quantity
from workbench.views import answers, order_terms
from workbench.views.alerts import offer_acts
from workbench.views.direct import attach_requests
from workbench.views.history import history as events_of
from workbench.views.page import (
    ROWS,
    Shell,
    act_on_order,
    as_file,
    asked_for_file,
    choice,
    kept,
    page_view,
    paged,
    show,
    site_choice,
    vendor_choice,
    version_of,
)
from workbench.views.worklist import (
    Tab,
    at_vendor,
    attach_first_lines,
    attach_refusals,
    deciding,
    filtered_orders,
    vendor_names,
)

MAY_APPROVE = "subcontract_orders.approve_subcontractorder"
MAY_CHANGE = "subcontract_orders.change_subcontractorder"
MAY_SEND = "subcontract_orders.send_subcontractorder"
MAY_SHIP = "shipments.change_shipment"


@require_safe
@page_view
def order_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters = Shell(request), read_filters(request.GET)
    found = filtered_orders(SubcontractOrder.objects.visible_to(request.user), filters, today=shell.today)
    rows = found.select_related("vendor", "currency").with_line_summary()
    if asked_for_file(request):
        return as_file(request, tables.ORDERS, rows.order_by("-pk"), shell=shell)
    page = paged(request, rows.order_by("-pk"))
    page.object_list = list(page.object_list)
    attach_first_lines(page.object_list)
    attach_refusals(page.object_list, request)
    context = {
        "page": page,
        "filters": filters,
        "tab": Tab(
            "",
            _("Orders"),
            "file-text",
            _("No orders yet"),
            _("Import a plan and start a run: what goes outside becomes an order by itself."),
        ),
        "choices": [
            vendor_choice(request, filters),
            site_choice(request, filters),
            choice("status", _("Status"), _("Any status"), list(OrderStatus.choices), filters.status),
        ],
        "kept": kept(request, "late", "due", "run"),
        "search_hint": _("Search orders, parts, vendors"),
    }
    return show(
        request, "workbench/order_list.html", context, section="orders", shell=shell, part="workbench/_order_list.html"
    )


@require_safe
@page_view
def order(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = get_object_or_404(
        SubcontractOrder.objects.visible_to(request.user).select_related(
            "vendor", "site", "ship_to", "receive_at", "currency", "created_by", "approved_by", "sent_by"
        ),
        number=number,
    )
    components = OrderComponent.objects.select_related("item__unit", "ship_from").order_by("position")
    lines = list(
        shown.lines.select_related(
            "item__unit", "process", "operation", "production_order", "receive_at", "sent_receive_at"
        )
        .prefetch_related(Prefetch("components", components), "promises")
        .order_by("line_no")
    )
    active = [line for line in lines if line.status != LineStatus.CANCELLED]
    for line in lines:
        line.at_vendor = at_vendor(line)
        line.terms, line.pins = order_terms.terms(line), order_terms.pins(line, shell.today)
    may_change = request.user.has_perm(MAY_CHANGE)
    decisions = deciding(active)
    alerts = list(
        Alert.objects.waiting()
        .visible_to(request.user)
        .filter(order_number=shown.number)
        .select_related("vendor")
        .order_by("-opened_at", "pk")
    )
    offer_acts(alerts, request)
    answer = answers.answer_of(shown, request, shell.today)
    if answer["offer"]:  # it has a panel of its own
        alerts = [alert for alert in alerts if alert.kind != "vendor_countered"]
    carried = shipments_of(shown)
    to_approve = shown.status == OrderStatus.DRAFT and request.user.has_perm(MAY_APPROVE)
    refusal = orders.why_not_approve([shown], by=request.user).get(shown.pk) if to_approve else None
    context: dict[str, Any] = {
        "order": shown,
        "lines": lines,
        "sentence": rules.order_sentence(
            [work_of(line) for line in active], [part_of(line) for line in active], name_of(shown.vendor)
        ),
        "steps": steps(shown, shell, active),
        "balance": balance(shown, active),
        "supplies": supplies(active),
        "shipments": carried,
        "receipts": receipts_of(shown),
        "expected": ExpectedReceipt.objects.open()
        .filter(order_line__order=shown)
        .select_related("order_line", "item__unit", "location")
        .order_by("order_line__line_no"),
        "whys": whys(active, decisions),
        "alerts": alerts,
        "answer": answer,
        "history": history(shown),
        "company_value": company_value(shown, shell),
        "acts": acts_on(request, shown, carried, lines),
        "leftovers": Leftovers.choices,
        "waiting": order_terms.waiting(shown, active),
        **sends_itself(shown, active, shell),
        "may_hold": may_change and shown.status not in (OrderStatus.HELD, OrderStatus.CLOSED, OrderStatus.CANCELLED),
        "may_release": may_change and shown.status == OrderStatus.HELD,
        "may_approve": to_approve and not refusal,
        "may_rush": may_rush(request, shown) and not refusal,
        "cannot_approve": refusal,
        "mail": Message.objects.filter(document_kind="subcontract_order", document_number=shown.number)
        .order_by("-pk")
        .first(),
        "may_send": shown.status == OrderStatus.APPROVED and request.user.has_perm(MAY_SEND),
    }
    return show(request, "workbench/order_detail.html", context, section="orders", shell=shell)


@require_safe
@page_view
def document(request: HttpRequest, number: str) -> HttpResponse:
    """The order on paper, as its vendor gets it."""
    shown = get_object_or_404(SubcontractOrder.objects.visible_to(request.user), number=number)
    pdf = documents.order_document(order_id=shown.pk, at=timezone.now())
    shown_as = f'inline; filename="{shown.number}.pdf"'
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})


@require_safe
@page_view
def file(request: HttpRequest, number: str, sha256: str) -> HttpResponseBase:
    """A drawing or another file that the vendor is given with the order."""
    shown = get_object_or_404(SubcontractOrder.objects.visible_to(request.user), number=number)
    try:
        told = orders.named_file(orders.files_of(shown), sha256)
        content = told.open()
    except NotFound as refusal:
        raise Http404(refusal.detail) from refusal
    return FileResponse(content, filename=told.name, content_type=orders.content_type(told.name))


@require_POST
@page_view
@permission_required(MAY_APPROVE, raise_exception=True)
def approve(request: HttpRequest, number: str) -> HttpResponse:
    done = _("{number} is approved. It can be sent now.").format(number=number)
    undo = reverse("workbench:withdraw_approval", args=[number])
    return act_on_order(request, number, documents.approve_set, done=done, undo=undo)


@require_POST
@page_view
@permission_required(MAY_APPROVE, raise_exception=True)
def withdraw_approval(request: HttpRequest, number: str) -> HttpResponse:
    done = _("The approval of {number} is withdrawn. It is a draft again.").format(number=number)
    return act_on_order(request, number, documents.withdraw_approval, done=done)


@require_POST
@page_view
@permission_required(MAY_SEND, raise_exception=True)
def send(request: HttpRequest, number: str) -> HttpResponse:
    shown = get_object_or_404(SubcontractOrder.objects.visible_to(request.user).select_related("vendor"), number=number)
    done = (
        _("{number} goes to {vendor} by mail, with its paper and a link to answer.")
        if shown.vendor.email
        else _("{number} counts as sent. {vendor} has no mail address: print the paper and hand it over.")
    ).format(number=number, vendor=name_of(shown.vendor))
    return act_on_order(request, number, documents.send_set, done=done)


def may_rush(request: HttpRequest, shown: SubcontractOrder) -> bool:
    """Whether the order has not gone yet, and this person may do each of the steps."""
    rights = [MAY_SEND, MAY_SHIP] + ([MAY_APPROVE] if shown.status == OrderStatus.DRAFT else [])
    return shown.status in UNSENT and shown.sent_at is None and all(request.user.has_perm(right) for right in rights)


@require_POST
@page_view
@permission_required([MAY_SEND, MAY_SHIP], raise_exception=True)
def rush(request: HttpRequest, number: str) -> HttpResponse:
    """Approve, send, pick and dispatch in one act, by right and limit, and offer the delivery note."""
    shown = get_object_or_404(SubcontractOrder.objects.visible_to(request.user).select_related("vendor"), number=number)
    if not may_rush(request, shown) and shown.status == OrderStatus.DRAFT:
        raise PermissionDenied
    try:
        documents.rush_set(order_id=shown.pk, expected_version=version_of(request), by=request.user, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:order", number=number)
    gone = Shipment.objects.filter(lines__order_line__order=shown, status__in=GONE).distinct().order_by("-pk")
    stays = shipments.staying([shown.pk])
    done = (
        _("%(number)s is approved and sent to %(vendor)s; not all it needs of us has left.")
        if stays
        else _("%(number)s is approved and sent to %(vendor)s; all it needs of us has left.")
    )
    messages.success(request, done % {"number": number, "vendor": name_of(shown.vendor)})
    for one in stays:
        messages.warning(request, str(one))
    if len(gone) != 1:
        return redirect("workbench:order", number=number)
    return redirect(f"{reverse('workbench:shipment', args=[gone[0].number])}?left=1")


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def hold(request: HttpRequest, number: str) -> HttpResponse:
    """Stop an order where it is, also one that would send itself."""
    reason = request.POST.get("reason", "").strip()[:300]
    if not reason:
        messages.error(request, _("Say why it is held."))
        return redirect("workbench:order", number=number)
    done = _("{number} is held. It goes no further until it is released.").format(number=number)
    undo = reverse("workbench:release", args=[number])
    return act_on_order(request, number, documents.hold_set, done=done, undo=undo, reason=reason)


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def release(request: HttpRequest, number: str) -> HttpResponse:
    return act_on_order(request, number, documents.release_set, done=_("{number} goes on.").format(number=number))


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def close(request: HttpRequest, number: str) -> HttpResponse:
    """Expect no more of an order, and say what becomes of our material that is left there."""
    leftovers = request.POST.get("leftovers", Leftovers.KEEP)
    if leftovers not in Leftovers.values:
        raise BadRequest("There is no such choice.")
    done = _("{number} is closed.").format(number=number)
    # A return that was drafted with it would stay: opening the order again does not take it back.
    undo = reverse("workbench:reopen", args=[number]) if leftovers == Leftovers.KEEP else ""
    return act_on_order(request, number, documents.close_set, done=done, undo=undo, leftovers=leftovers)


@require_POST
@page_view
@permission_required(MAY_CHANGE, raise_exception=True)
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    done = _("{number} is open again: what is missing is expected.").format(number=number)
    return act_on_order(request, number, documents.reopen_set, done=done)


@require_POST
@page_view
def act_on_many(request: HttpRequest) -> HttpResponse:
    """Approve or send each chosen order by itself: one that is refused holds no other back."""
    actions = {
        "approve": (MAY_APPROVE, documents.approve_set),
        "send": (MAY_SEND, documents.send_set),
    }
    if request.POST.get("action") not in actions:
        raise BadRequest("There is no such action.")
    right, service = actions[request.POST["action"]]
    if not request.user.has_perm(right):
        raise PermissionDenied
    chosen = SubcontractOrder.objects.visible_to(request.user).filter(number__in=request.POST.getlist("order")[:ROWS])
    finished, refused = 0, []
    for key in chosen.order_by("pk").values_list("pk", flat=True):
        try:
            service(order_id=key, expected_version=None, by=request.user, at=timezone.now())
        except Refusal as refusal:
            refused.append(refusal.detail)
        else:
            finished += 1
    if finished:
        said = (
            ngettext("{n} order is approved.", "{n} orders are approved.", finished)
            if service is documents.approve_set
            else ngettext("{n} order is marked as sent.", "{n} orders are marked as sent.", finished)
        )
        messages.success(request, said.format(n=finished))
    for detail in refused[:5]:
        messages.error(request, detail)
    if len(refused) > 5:
        messages.error(request, _("{n} more were refused.").format(n=len(refused) - 5))
    if not finished and not refused:
        messages.warning(request, _("No order was chosen."))
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "workbench:worklist")


# ── The parts of the page ───────────────────────────────────────────────


def name_of(thing: Any) -> str:
    return thing.name or thing.code


def work_of(line: OrderLine) -> str:
    return (line.process and name_of(line.process)) or line.description or _("Complete delivery")


def part_of(line: OrderLine) -> str:
    return f"{line.item.name} {line.item.code}" if line.item.name else line.item.code


# What a step is called while it is the one to do.
NOW = {
    "approved": gettext_lazy("To approve"),
    "sent": gettext_lazy("To send"),
    "acknowledged": gettext_lazy("Awaiting the vendor"),
    "received": gettext_lazy("Receiving"),
    "closed": gettext_lazy("To close"),
}
STEPS = {
    "created": gettext_lazy("Created"),
    "approved": gettext_lazy("Approved"),
    "sent": gettext_lazy("Sent"),
    "acknowledged": gettext_lazy("Acknowledged"),
    "material": gettext_lazy("Material out"),
    "received": gettext_lazy("Received"),
    "closed": gettext_lazy("Closed"),
}


def steps(shown: SubcontractOrder, shell: Shell, lines: Sequence[OrderLine]) -> list[dict[str, Any]]:
    """How far the order is, from made to closed: done, now, still to come, or stopped there."""
    when = shell_time(shell)
    names = [
        ("created", when(shown.created_at), who(shown.created_by) or shown.made_by_run),
        ("approved", when(shown.approved_at), who(shown.approved_by)),
        ("sent", when(shown.sent_at), who(shown.sent_by)),
        ("acknowledged", when(shown.acknowledged_at), ""),
        ("material", _(str(shown.get_material_display())) if shown.material != "none" else "", ""),
        ("received", received_text(shown, lines), ""),
        ("closed", when(shown.closed_at), ""),
    ]
    reached = [
        True,
        bool(shown.approved_at),
        bool(shown.sent_at),
        bool(shown.acknowledged_at) or shown.material != "none" or shown.receipt != "none" or bool(shown.closed_at),
        shown.material == "complete" or bool(shown.closed_at),
        shown.receipt == "complete" or bool(shown.closed_at),
        bool(shown.closed_at),
    ]
    now = next((index for index, done in enumerate(reached) if not done), len(reached))
    stopped = shown.status == OrderStatus.CANCELLED
    laid = []
    for index, (key, text, by) in enumerate(names):
        name = STEPS[key]
        state = "done" if reached[index] and index < now else "to_come"
        if index == now:
            state = "stopped" if stopped else "now"
            name, text = (_("Cancelled"), when(shown.cancelled_at)) if stopped else (NOW.get(key, name), text)
        laid.append({"name": name, "text": text, "who": by, "state": state})
    return laid[: now + 1] if stopped else laid


def received_text(shown: SubcontractOrder, lines: Sequence[OrderLine]) -> str:
    """How much is back: pieces of a single line, else the progress; different parts are never added up."""
    if shown.receipt == "none":
        return ""
    if len(lines) == 1:
        return _("{received} of {ordered}").format(
            received=quantity(lines[0].received), ordered=quantity(lines[0].quantity)
        )
    return _(str(shown.get_receipt_display()))


def sends_itself(shown: SubcontractOrder, active: Sequence[OrderLine], shell: Shell) -> dict[str, str]:
    """When an approved order goes by itself: after its waiting time, and not before the day its nearest line is near enough."""
    if shown.status != OrderStatus.APPROVED or shown.auto_send_at is None:
        return {}
    near = [line.order_by - timedelta(line.auto_send_days_before) for line in active if line.order_by]
    first = min(near, default=shell.today)
    if first > shell.today:
        return {"sends_itself_on": day(first, shell.today)}
    return {"sends_itself": shell_time(shell)(shown.auto_send_at)}


def shell_time(shell: Shell) -> Any:
    def text(at: datetime | None) -> str:
        if at is None:
            return ""
        local = timezone.localtime(at, shell.zone)
        return f"{day(local, shell.today)}, {local:%H:%M}"

    return text


def who(user: Any) -> str:
    return (user.get_full_name() or user.username) if user else ""


def balance(shown: SubcontractOrder, lines: Sequence[OrderLine]) -> dict[str, Any] | None:
    """Where the pieces are, once there are any to follow; different parts are never added up."""
    if len(lines) != 1 or shown.sent_at is None:
        return None
    line = lines[0]
    return {
        "ordered": line.quantity_in_force,
        "received": line.accepted,
        "scrapped": line.rejected + line.scrapped,
        "at_vendor": at_vendor(line),
        "unit": line.item.unit.code if line.item.unit else "",
        "note": _("every piece that left the plant is accounted for"),
    }


SUPPLY_LOOKS = {
    Supply.OWN: ("truck", gettext_lazy("We ship it")),
    Supply.VENDOR: ("building-factory-2", gettext_lazy("The vendor provides it")),
    Supply.CONSIGNED: ("building-warehouse", gettext_lazy("Our stock already at the vendor")),
    Supply.DIRECT: ("route", gettext_lazy("A third party delivers it to the vendor")),
    Supply.RETURNABLE: ("repeat", gettext_lazy("Shipped, not used up, expected back")),
    Supply.BY_PRODUCT: ("recycle", gettext_lazy("Comes out of the work beside the piece")),
}


def supplies(lines: Sequence[OrderLine]) -> list[dict[str, Any]]:
    """The components, by the way they reach the vendor."""
    found: dict[str, list[OrderComponent]] = {}
    for line in lines:
        for component in line.components.all():
            component.line = line  # already here: no query for its number
            found.setdefault(component.supply, []).append(component)
    attach_came(found.get(Supply.BY_PRODUCT, []))
    attach_requests(found.get(Supply.DIRECT, []))
    return [
        {"glyph": glyph, "word": word, "components": found[supply]}
        for supply, (glyph, word) in SUPPLY_LOOKS.items()
        if supply in found
    ]


def attach_came(gives: Sequence[OrderComponent]) -> None:
    """Give each by-product how much of it came so far; one query, where there is any."""
    if gives:
        rows = ByProduct.objects.filter(component__in=gives, line__receipt__status=ReceiptStatus.POSTED)
        came = dict(rows.values_list("component").annotate(Sum("quantity")))
        for component in gives:
            component.came = came.get(component.pk, 0)


def shipments_of(shown: SubcontractOrder) -> list[Shipment]:
    """The shipments that carry anything for this order, each with what it carries for it; rows of one part are added up."""
    rows = (
        ShipmentLine.objects.filter(order_line__order=shown)
        .select_related("shipment__from_location", "shipment__to_location", "item__unit")
        .order_by("shipment__dispatch_by", "shipment_id", "position")
    )
    found: dict[int, Shipment] = {}
    carried: dict[int, dict[tuple[int, str], ShipmentLine]] = {}
    for row in rows:
        found.setdefault(row.shipment_id, row.shipment)
        parts = carried.setdefault(row.shipment_id, {})
        same = parts.setdefault((row.item_id, row.stage), row)
        if same is not row:
            same.quantity += row.quantity
    for key, shipment in found.items():
        shipment.carried = list(carried[key].values())
    return list(found.values())


def receipts_of(shown: SubcontractOrder) -> list[ReceiptLine]:
    """What came for this order, the newest first, reversed receipts included."""
    rows = ReceiptLine.objects.filter(order_line__order=shown)
    return list(
        rows.select_related("receipt__posted_by", "item__unit", "order_line").order_by("-receipt_id", "line_no")
    )


def acts_on(
    request: HttpRequest, shown: SubcontractOrder, carried: Sequence[Shipment], lines: Sequence[OrderLine]
) -> dict[str, Any]:
    """What may be done with the goods of an order now; `next` is the step that is due."""
    user, is_out = request.user, shown.status in WITH_VENDOR
    waiting = [one for one in carried if one.status in BEFORE_DISPATCH]
    ship = waiting[0].number if waiting and is_out and user.has_perm("shipments.change_shipment") else ""
    expected = any(line.open_quantity > 0 or line.in_rework > 0 for line in lines)
    receive = is_out and expected and user.has_perm("receipts.change_receipt")
    may_change = user.has_perm(MAY_CHANGE)
    return {
        "ship": ship,
        "receive": receive,
        "close": is_out and may_change,
        "reopen": shown.status == OrderStatus.CLOSED and may_change,
        "next": "ship" if ship and shown.material != "complete" else "receive" if receive else "close",
        "left": any(part.at_vendor for line in lines for part in line.components.all()),
        "open": [line for line in lines if line.open_quantity > 0],
    }


def whys(lines: Sequence[OrderLine], decisions: dict[int, Decision]) -> list[dict[str, Any]]:
    """Why the lines are outside, in sentences. Lines decided by the same things are told once; at most five stories."""
    names = vendor_names(decisions.values())
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        decision = decisions.get(line.operation_id) if line.operation_id else None
        if decision is None or line.production_order is None:
            continue
        seen = rules.policy_steps(decision.reasons, names) + rules.vendor_steps(decision.reasons, names)
        telling = [step for step in seen if step.tone != "mute"][:4]
        story = found.setdefault(
            tuple(step.title for step in telling),
            {
                "sentence": (
                    _("{order}, the whole order").format(order=line.production_order.number)
                    if line.is_whole
                    else _("{order}, operation {no}").format(order=line.production_order.number, no=line.steps)
                ),
                "steps": telling,
                "href": reverse(
                    "workbench:decision", args=[line.production_order.number, decision.operation.operation_no]
                ),
                "more": -1,
            },
        )
        story["more"] += 1
    return list(found.values())[:5]


def history(shown: SubcontractOrder) -> list[dict[str, Any]]:
    """What happened to the order, the newest first."""
    entries = events_of("subcontract_order", shown.number)
    if not entries:
        tone, glyph = rules.event_look("order.created")
        text = _("Made by {run}").format(run=shown.made_by_run) if shown.made_by_run else _("Created")
        entries.append(
            {"tone": tone, "glyph": glyph, "text": text, "at": shown.created_at, "who": who(shown.created_by)}
        )
    return entries


def company_value(shown: SubcontractOrder, shell: Shell) -> str:
    """The value in company currency, where the order has another one."""
    if shell.company is None or shell.company.currency_id == shown.currency_id:
        return ""
    return f"{money(shown.total_company, shell.company.currency.decimals)} {shell.company.currency.code}"
