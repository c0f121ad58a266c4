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
from documents.models import GenerationRun, RunState
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
        "is_running": shown.state not in (RunState.DONE, RunState.FAILED),
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


def progress(shown: GenerationRun) -> dict[str, Any]:
    """How far a run is: deciding has no known end, writing counts what is written of what is to be written."""
    done, total = shown.items_done, shown.items_total
    if shown.state == RunState.DONE:
        return {"title": "Done", "note": f"{total:,} of {total:,} differences written", "done": 1, "total": 1}
    if shown.state == RunState.FAILED:
        return {"title": "Stopped", "note": f"{done:,} of {total:,} differences written", "done": done, "total": total}
    if shown.state == RunState.WRITING:
        return {
            "title": "Writing the document sets",
            "note": f"{done:,} of {total:,} differences written",
            "done": done,
            "total": total,
        }
    title = "Deciding" if shown.state == RunState.DECIDING else "Waiting"
    return {"title": title, "note": f"{shown.operations:,} operations looked at", "done": 0, "total": 0}


@require_POST
@page_view
@permission_required("documents.start_generationrun", raise_exception=True)
def generate(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    try:
        started = documents.start_run(at=timezone.now(), on=shell.today, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return redirect("workbench:run_list")
    tasks.continue_runs.delay_on_commit()
    return redirect("workbench:run", number=started.number)
