"""Simulations somebody asks for on a page: the row is the queue, a worker answers, the answer stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import InvalidInput, Refusal
from documents.models import SimulationRun, SimulationState
from documents.services.simulating import simulate, simulation_dict
from masterdata import services as masterdata
from policies.services.supposing import Change

GIVEN_UP = timedelta(minutes=15)
"""A worker that has said nothing for so long is gone: the simulation is taken up again."""
KEPT_FOR = timedelta(days=90)


@transaction.atomic
def ask(*, asked: Mapping[str, Any], change: Change, by: User, at: datetime) -> SimulationRun:
    """Put a simulation in the queue. `asked` is the change as it came, to be read again by who answers.

    Raises InvalidInput where nothing is supposed.
    """
    if not change:
        raise InvalidInput("Suppose something: a policy, a price, a vendor lost or a machine down.", field="policies")
    SimulationRun.objects.filter(requested_at__lt=at - KEPT_FOR).delete()
    (number,) = masterdata.draw_numbers(kind="simulation")
    return SimulationRun.objects.create(
        number=number, asked=dict(asked), said=change_sentence(change)[:300], requested_by=by, requested_at=at
    )


def waiting_simulations(*, at: datetime) -> list[int]:
    """The keys of simulations nobody works on, the first asked first."""
    stuck = Q(state=SimulationState.RUNNING, heartbeat_at__lt=at - GIVEN_UP)
    found = SimulationRun.objects.filter(Q(state=SimulationState.WAITING) | stuck)
    return list(found.order_by("pk").values_list("pk", flat=True))


def answer(*, simulation_id: int, change: Change, at: datetime, on: date) -> SimulationRun | None:
    """Work a simulation out, if nobody else does. What refuses it is kept as its answer."""
    free = SimulationRun.objects.filter(pk=simulation_id).filter(
        Q(state=SimulationState.WAITING) | Q(state=SimulationState.RUNNING, heartbeat_at__lt=at - GIVEN_UP)
    )
    if not free.update(state=SimulationState.RUNNING, started_at=at, heartbeat_at=at):
        return None
    run = SimulationRun.objects.select_related("requested_by").get(pk=simulation_id)
    try:
        found = simulate(
            change=change, on=on, by=run.requested_by, progress=lambda done: cache.set(_key(run), done, 3600)
        )
    except Refusal as refusal:
        run.state, run.error = SimulationState.REFUSED, refusal.detail[:500]
    else:
        run.state, run.answer = SimulationState.DONE, simulation_dict(found)
        run.finished_at = at + timedelta(seconds=found.seconds)
    run.finished_at = run.finished_at or at
    run.save(update_fields=["state", "answer", "error", "finished_at"])
    return run


def operations_so_far(run: SimulationRun) -> int:
    """How many operations were decided so far; losing the cache loses this only."""
    return int(cache.get(_key(run)) or 0)


def change_sentence(change: Change) -> str:
    """What is supposed, in one sentence: "with policy PEAK; without vendor V1; MILL down from … to …"."""
    said = []
    taken = [one.code for one in change.policies if one.in_force]
    left = [one.code for one in change.policies if not one.in_force]
    if taken:
        said.append(f"with {'policy' if len(taken) == 1 else 'policies'} {', '.join(taken)}")
    if left:
        said.append(f"without {'policy' if len(left) == 1 else 'policies'} {', '.join(left)}")
    if change.lost_vendors:
        said.append(f"without vendor {', '.join(sorted(change.lost_vendors))}")
    said += [f"{down.work_center} down from {down.first} to {down.last}" for down in change.downtimes]
    said += [
        f"{row.vendor} at {'no price' if row.unit_price is None else f'{row.unit_price.normalize():f}'} "
        f"for {' '.join(word for word in (row.process, row.item) if word)}"
        for row in change.prices
    ]
    return f"{'; '.join(said)[:1].upper()}{'; '.join(said)[1:]}."


def _key(run: SimulationRun) -> str:
    return f"simulation-progress:{run.number}"
