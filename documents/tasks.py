"""Celery's way into the main job. Every task is safe to run twice; a lost message delays a run, never loses it."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from documents import services
from documents.models import GenerationRun, RunShard, RunState, ShardState, SimulationRun
from masterdata import services as masterdata
from policies.serializers import SimulateSerializer

WRITERS = 8


@shared_task
def start_due_runs() -> None:
    """Beat: wishes that are due, and plans that came to rest, become runs. Orders whose waiting time is over go out."""
    now = timezone.now()
    for run in services.start_due_runs(at=now, on=masterdata.company_date(at=now)):
        continue_run.delay(run.pk)
    services.send_due_orders(at=now)


@shared_task
def continue_runs() -> None:
    """Beat: whatever run is unfinished is taken up by somebody."""
    for run_id in services.continue_runs(at=timezone.now()):
        continue_run.delay(run_id)


@shared_task
def continue_run(run_id: int) -> None:
    """Decide a run if nobody does, call the other writers, and write along."""
    if not services.decide_run(run_id=run_id, at=timezone.now(), wait=False):
        return
    waiting = RunShard.objects.filter(run=run_id, state=ShardState.WAITING).count()
    for _ in range(min(waiting - 1, WRITERS)):
        write_shards.delay(run_id)
    services.write_shards(run_id=run_id, at=timezone.now())


@shared_task
def write_shards(run_id: int) -> None:
    """Write shards of a run until none is left."""
    if GenerationRun.objects.filter(pk=run_id, state=RunState.WRITING).exists():
        services.write_shards(run_id=run_id, at=timezone.now())


@shared_task
def request_nightly_run() -> None:
    """Beat: once a night everything is looked at, whatever changed."""
    services.request_run(reason="Nightly", at=timezone.now(), is_whole=True)


@shared_task
def send_due_messages() -> None:
    """Beat: mail whose time has come goes out. A lost nudge delays it, never loses it."""
    services.send_due_messages(at=timezone.now())


@shared_task
def watch() -> None:
    """Beat: alerts that follow from state open, change and close; mail about critical ones waits in the outbox."""
    now = timezone.now()
    services.watch(at=now, on=masterdata.company_date(at=now))


@shared_task
def answer_simulations() -> None:
    """Beat: simulations that wait for an answer get one, also those whose worker died."""
    for simulation_id in services.waiting_simulations(at=timezone.now()):
        answer_simulation.delay(simulation_id)


@shared_task
def answer_simulation(simulation_id: int) -> None:
    """Work one simulation out, if nobody else does."""
    run = SimulationRun.objects.filter(pk=simulation_id).first()
    if run is None:
        return
    now = timezone.now()
    said = SimulateSerializer(data=run.asked)
    said.is_valid(raise_exception=True)
    services.answer(simulation_id=simulation_id, change=said.change(), at=now, on=masterdata.company_date(at=now))
