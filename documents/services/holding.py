"""A run that would change more than the company allows waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import NotFound, WrongState
from documents.models import GenerationRun, RunState
from documents.rules import text
from masterdata import services as masterdata
from subcontract_orders.rules import written_money

KIND = "run_held"


class NotHeld(WrongState):
    """The run does not wait for a person."""


def hold_if_large(run: GenerationRun, *, at: datetime) -> bool:
    """Measure what a decided run would do; where that is more than the company's share or value, hold it and open an alert.

    Sets the run's fields; the caller saves it. The share is of the lines open before (new lines have none), the value all that
    is added, changed and withdrawn.
    """
    company = masterdata.company()
    if company.max_change_pct is None and company.max_change_value is None:
        return False
    lines, run.change_pct, run.change_value = _measure(run)
    because = []
    if company.max_change_pct is not None and run.change_pct > company.max_change_pct:
        because.append(
            f"{lines} lines or {text(run.change_pct)} % of the open ones (limit {text(company.max_change_pct)} %)"
        )
    if company.max_change_value is not None and run.change_value > company.max_change_value:
        currency = company.currency
        would, may = (
            written_money(value, decimals=currency.decimals, code=currency.code)
            for value in (run.change_value, company.max_change_value)
        )
        because.append(f"{would} (limit {may})")
    if not because:
        return False
    run.state, run.held_because = RunState.HELD, f"It would change {' and '.join(because)}."[:300]
    activity.open_alerts(
        [
            Alert(
                kind=KIND,
                subject=run.number,
                severity=Severity.CRITICAL,
                title=f"Run {run.number} waits: {run.held_because}"[:300],
                after={
                    "lines": lines,
                    "share_pct": f"{run.change_pct.normalize():f}",
                    "value": f"{run.change_value.normalize():f}",
                },
                proposes="confirm",
            )
        ],
        at=at,
    )
    return True


def drop_held_runs(*, at: datetime) -> list[Mapping[str, Any]]:
    """A later run decides anew what a held one would have done. Returns the scopes of those dropped."""
    held = list(GenerationRun.objects.select_for_update(of=("self",)).filter(state=RunState.HELD).order_by("pk"))
    GenerationRun.objects.filter(pk__in=[run.pk for run in held]).update(state=RunState.DROPPED, finished_at=at)
    activity.close_alerts(kind=KIND, subjects=[run.number for run in held], at=at)
    return [run.scope for run in held]


@transaction.atomic
def confirm_run(*, run_id: int, by: User, at: datetime) -> GenerationRun:
    """Let a held run go on; workers write it as any other. Raises NotFound, NotHeld."""
    return _settle(run_id, RunState.WRITING, by=by, at=at)


@transaction.atomic
def drop_run(*, run_id: int, by: User, at: datetime) -> GenerationRun:
    """Let a held run change nothing. The next one finds what is still to be done. Raises NotFound, NotHeld."""
    run = _settle(run_id, RunState.DROPPED, by=by, at=at)
    run.finished_at = at
    run.save(update_fields=["finished_at"])
    return run


def _settle(run_id: int, state: RunState, *, by: User, at: datetime) -> GenerationRun:
    run = GenerationRun.objects.select_for_update(of=("self",)).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.", field="run")
    if run.state != RunState.HELD:
        raise NotHeld(f"{run} is {run.get_state_display().lower()}; it does not wait for a person.")
    run.state, run.settled_by, run.settled_at = state, by, at
    run.save(update_fields=["state", "settled_by", "settled_at"])
    activity.close_alerts(kind=KIND, subjects=[run.number], at=at)
    return run


def _measure(run: GenerationRun) -> tuple[int, Decimal, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE i.action IN ('change', 'cancel')),
                coalesce(sum(CASE i.action WHEN 'create' THEN a.amount_company WHEN 'cancel' THEN l.amount_company
                    WHEN 'change' THEN abs(a.amount_company - l.amount_company) ELSE 0 END), 0),
                (SELECT count(*) FROM subcontract_orders_orderline x
                    JOIN subcontract_orders_subcontractorder o ON o.id = x.order_id
                    WHERE x.status = 'open' AND o.status NOT IN ('closed', 'cancelled'))
            FROM documents_runitem i
            LEFT JOIN policies_award a ON a.id = i.award_id
            LEFT JOIN subcontract_orders_orderline l ON l.id = i.line_id
            WHERE i.run_id = %s
            """,
            [run.pk],
        )
        lines, value, before = cursor.fetchone()
    share = Decimal(100 * lines) / before if before else Decimal(0)
    return lines, share.quantize(Decimal("0.001")), value
