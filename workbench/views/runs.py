"""Runs of the main job: all of them, one with its progress, and starting one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from core.refusals import Refusal
from documents import services as documents
from documents import tasks
from documents.models import OVER, GenerationRun, RunState
from subcontract_orders.models import SubcontractOrder
from workbench import rules
from workbench.views.page import Shell, page_view, paged, show

SHOWN_ORDERS = 8


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
            {"title": title, "text": text, "count": held}
            for (title, text), held in sorted(
                ((rules.BLOCKING[code], held) for code, held in shown.blocked_by.items() if code in rules.BLOCKING),
                key=lambda row: (-row[1], row[0][0]),
            )
        ],
        "seconds": seconds(shown),
        "orders": orders.select_related("vendor").order_by("order_by", "pk")[:SHOWN_ORDERS],
        "order_count": order_count,
        "more_orders": order_count > SHOWN_ORDERS,
    }  # fmt: skip
    return show(request, "workbench/run_detail.html", context, section="runs", shell=shell, part="workbench/_run.html")


def seconds(shown: GenerationRun) -> str:
    """How long it took, once it is finished."""
    if shown.started_at is None or shown.finished_at is None:
        return ""
    return f"{(shown.finished_at - shown.started_at).total_seconds():.1f}"


TITLES = {
    RunState.WAITING: "Waiting",
    RunState.DECIDING: "Deciding",
    RunState.WRITING: "Writing the document sets",
    RunState.DONE: "Done",
    RunState.FAILED: "Stopped",
    RunState.HELD: "Waits for a person",
    RunState.DROPPED: "Dropped",
}


def progress(shown: GenerationRun) -> dict[str, Any]:
    """How far a run is: operations while it decides, differences while it writes them."""
    now = documents.progress(shown)
    done, total = now.done, now.total
    if shown.state == RunState.DECIDING:
        note = f"{done:,} of {total:,} operations looked at" if total else ""
    elif shown.state == RunState.WAITING:
        note = ""
    else:
        note = f"{done:,} of {total:,} differences written" if total else "nothing to write"
    if shown.state == RunState.DONE:
        done, total = 1, 1
    return {"title": TITLES[RunState(shown.state)], "note": note, "done": done, "total": total}


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
