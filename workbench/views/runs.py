"""Runs of the main job: all of them, one with its progress, and starting one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Case, Count, DecimalField, F, Value, When
from django.db.models.functions import Abs, Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core.refusals import Refusal
from documents import services as documents
from documents import tasks
from documents.models import OVER, Action, GenerationRun, RunItem, RunState
from policies.models import Award
from subcontract_orders.models import OrderLine, SubcontractOrder
from workbench import rules
from workbench.templatetags.workbench import quantity
from workbench.views.page import Shell, act, page_view, paged, show

SHOWN_ORDERS = 8
SHOWN_ITEMS = 100
MAY_CONFIRM = "documents.confirm_generationrun"


@require_safe
@page_view
def run_list(request: HttpRequest) -> HttpResponse:
    page = paged(request, GenerationRun.objects.select_related("requested_by").order_by("-pk"))
    return show(request, "workbench/run_list.html", {"page": page}, section="runs", shell=Shell(request))


@require_safe
@page_view
def run(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    shown = get_object_or_404(GenerationRun.objects.select_related("requested_by"), number=number)
    orders = SubcontractOrder.objects.visible_to(request.user).filter(made_by_run=shown.number)
    order_count = orders.count()
    context: dict[str, Any] = {
        "run": shown,
        "is_running": shown.state not in OVER,
        "sentence": rules.run_sentence(
            state=shown.state, operations=shown.operations, outside=shown.outsource, made=shown.created,
            changed=shown.changed, withdrawn=shown.cancelled, is_dry=shown.is_dry,
        ),
        "progress": progress(shown),
        "refused": [
            {"title": _(title), "text": _(text), "count": held}
            for (title, text), held in sorted(
                ((rules.BLOCKING[code], held) for code, held in shown.blocked_by.items() if code in rules.BLOCKING),
                key=lambda row: (-row[1], row[0][0]),
            )
        ],
        "seconds": seconds(shown),
        "orders": orders.select_related("vendor").order_by("order_by", "pk")[:SHOWN_ORDERS],
        "order_count": order_count,
        "more_orders": order_count > SHOWN_ORDERS,
        "is_held": shown.state == RunState.HELD,
        "may_settle": shown.state == RunState.HELD and request.user.has_perm(MAY_CONFIRM),
        **(would_change(request, shown) if shown.state == RunState.HELD else {}),
    }  # fmt: skip
    return show(request, "workbench/run_detail.html", context, section="runs", shell=shell, part="workbench/_run.html")


def seconds(shown: GenerationRun) -> str:
    """How long it took, once it is finished."""
    if shown.started_at is None or shown.finished_at is None:
        return ""
    return f"{(shown.finished_at - shown.started_at).total_seconds():.1f}"


TITLES = {
    RunState.WAITING: gettext_lazy("Waiting"),
    RunState.DECIDING: gettext_lazy("Deciding"),
    RunState.WRITING: gettext_lazy("Writing the document sets"),
    RunState.DONE: gettext_lazy("Done"),
    RunState.FAILED: gettext_lazy("Stopped"),
    RunState.HELD: gettext_lazy("Waits for a person"),
    RunState.DROPPED: gettext_lazy("Dropped"),
}


def progress(shown: GenerationRun) -> dict[str, Any]:
    """How far a run is: operations while it decides, differences while it writes them."""
    now = documents.progress(shown)
    done, total = now.done, now.total
    shown_as = {"done": quantity(done), "total": quantity(total)}
    if shown.state == RunState.DECIDING:
        note = _("{done} of {total} operations looked at").format(**shown_as) if total else ""
    elif shown.state == RunState.WAITING:
        note = ""
    else:
        note = _("{done} of {total} differences written").format(**shown_as) if total else _("nothing to write")
    if shown.state == RunState.DONE:
        done, total = 1, 1
    return {"title": TITLES[RunState(shown.state)], "note": note, "done": done, "total": total}


def would_change(request: HttpRequest, shown: GenerationRun) -> dict[str, Any]:
    """What a held run would do: the largest changes first, so many of them, with what stands beside what would."""
    worth = Case(
        When(action=Action.CREATE, then=F("award__amount_company")),
        When(action=Action.CANCEL, then=F("line__amount_company")),
        default=Abs(F("award__amount_company") - F("line__amount_company")),
        output_field=DecimalField(max_digits=18, decimal_places=2),
    )
    items = (
        RunItem.objects.filter(run=shown)
        .exclude(action=Action.ALERT)
        .filter(request.user.scope.rows(site="operation__production_order__site_id"))
    )
    counts = dict(items.values_list("action").annotate(n=Count("pk")).order_by())
    rows = list(
        items.annotate(worth=Coalesce(worth, Value(0, DecimalField())))
        .select_related(
            "operation__production_order", "award__vendor", "award__currency", "line__vendor", "line__order"
        )
        .order_by("-worth", "pk")[:SHOWN_ITEMS]
    )
    for item in rows:
        before = _stands(item.line) if item.line else {}
        after = _would_be(item.award) if item.award and item.action != Action.CANCEL else {}
        item.changes = rules.changes(before, after) if before and after else []
        item.facts = before or after
    total = sum(counts.values())
    return {"items": rows, "counts": counts, "more_items": max(total - len(rows), 0)}


def _stands(line: OrderLine) -> dict[str, Any]:
    return {
        "quantity": str(line.quantity), "vendor": line.vendor.code, "need date": line.need_date.isoformat(),
        "amount": str(line.amount),
    }  # fmt: skip


def _would_be(award: Award) -> dict[str, Any]:
    return {
        "quantity": str(award.quantity), "vendor": award.vendor.code, "need date": award.need_date.isoformat(),
        "amount": str(award.amount),
    }  # fmt: skip


@require_POST
@page_view
@permission_required(MAY_CONFIRM, raise_exception=True)
def confirm(request: HttpRequest, number: str) -> HttpResponse:
    """Let a run go on that waits because it changes much."""
    shown = get_object_or_404(GenerationRun, number=number)

    def action(at: datetime) -> None:
        documents.confirm_run(run_id=shown.pk, by=request.user, at=at)
        tasks.continue_runs.delay_on_commit()

    done = _("%(run)s goes on.") % {"run": number}
    return act(request, action, done=done, back=reverse("workbench:run", args=[number]))


@require_POST
@page_view
@permission_required(MAY_CONFIRM, raise_exception=True)
def drop(request: HttpRequest, number: str) -> HttpResponse:
    """Let it change nothing; the next run finds what is still to be done."""
    shown = get_object_or_404(GenerationRun, number=number)

    def action(at: datetime) -> None:
        documents.drop_run(run_id=shown.pk, by=request.user, at=at)

    done = _("%(run)s is dropped; nothing changed.") % {"run": number}
    return act(request, action, done=done, back=reverse("workbench:run", args=[number]))


@require_POST
@page_view
@permission_required("documents.start_generationrun", raise_exception=True)
def generate(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    try:
        started = documents.start_run(
            at=timezone.now(), on=shell.today, by=request.user, reason="Asked for on the page"
        )
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:run_list")
    tasks.continue_runs.delay_on_commit()
    return redirect("workbench:run", number=started.number)
