"""What was made of an operation, reported from outside or inside: counters on the operation, its status by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from masterdata.services import note_plan_change
from production.models import Operation, OperationStatus


@dataclass(frozen=True, slots=True)
class Report:
    """Pieces to add to an operation's counters; a reversal is negative. `is_final`: no more is to come though some is missing."""

    good: Decimal
    scrap: Decimal
    is_final: bool = False


def report_outside(reports: Mapping[int, Sequence[Report]], *, at: datetime, reason: str) -> None:
    """Count what came back from vendors on operations, by their keys. Finished when all is good or scrap, or none more comes.

    The caller holds the production orders' locks. A plan change is noted, as later operations may get less or more.
    """
    rows = list(Operation.objects.filter(pk__in=reports).select_for_update().order_by("pk"))
    for row in rows:
        for report in reports[row.pk]:
            row.good += report.good
            row.scrap += report.scrap
        done = row.good + row.scrap
        if row.status == OperationStatus.CANCELLED:
            continue
        if done >= row.quantity or any(report.is_final for report in reports[row.pk]):
            row.status = OperationStatus.FINISHED
        else:
            row.status = OperationStatus.IN_PROGRESS if done else OperationStatus.OPEN
    Operation.objects.bulk_update(rows, ["good", "scrap", "status"])
    if rows:
        note_plan_change(at=at, reason=reason)
