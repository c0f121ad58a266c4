"""What a return does to stock: it leaves, is on its way where that takes days, arrives, and is said to have done so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from activity import services as activity
from core.refusals import NotFound
from inventory import services as ledger
from inventory.models import Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Location, LocationKind
from receipts.models import Return, ReturnKind, ReturnLine, ReturnStatus

KIND = "return"
ZERO = Decimal(0)


def locked(return_id: int, by: User | None) -> Return:
    """Raises NotFound."""
    visible = Return.objects.visible_to(by) if by else Return.objects.all()
    document = visible.select_for_update(of=("self",)).select_related("site").filter(pk=return_id).first()
    if document is None:
        raise NotFound("There is no such return.", field="return")
    return document


def way_of(document: Return, *, days: int) -> Location | None:
    """Where goods of a return are until they arrive; none: they arrive as they leave."""
    return masterdata.transit_location(site=document.site) if days > 0 else None


def left(document: Return, *, days: int, by: User | None, at: datetime, occurred_at: datetime, through: str) -> None:
    """Say that its goods left; without days on the way they are there. The stock is posted already."""
    document.dispatched_at = occurred_at
    document.arrives_on = masterdata.site_dates(at=occurred_at)[document.site_id] + timedelta(days=days)
    document.status = ReturnStatus.DISPATCHED if days > 0 else ReturnStatus.POSTED
    document.posted_at = None if days > 0 else at
    document.version += 1
    document.save()
    record(document, "return.dispatched" if days > 0 else "return.posted", by=by, at=at, through=through)


def arrive(
    document: Return,
    *,
    lost: Mapping[int, Decimal] | None = None,
    reason: str = "",
    by: User | None,
    at: datetime,
    through: str,
) -> None:
    """Put what is on its way where it was to go, but for what was `lost` of lines, by their numbers."""
    targets = dict(document.lines.values_list("line_no", "to_location"))
    lost = lost or {}
    gone = masterdata.virtual_location(kind=LocationKind.DIFFERENCE).pk
    out = Movement.objects.unreversed().filter(
        document_kind=KIND, document_number=document.number, quantity__gt=0, to_location__kind=LocationKind.TRANSIT
    )
    moves = []
    for m in out.order_by("pk"):
        line_no = m.document_line or 0
        missing = lost.get(line_no, ZERO)
        if came := m.quantity - missing:
            moves.append(Move(m.item_id, m.to_location_id, targets[line_no], came, m.lot_id, m.stage, line=line_no))
        if missing:
            why = f"lost on the way: {reason}" if reason else "lost on the way"
            moves.append(
                Move(m.item_id, m.to_location_id, gone, missing, m.lot_id, m.stage, line=line_no, reason=why[:200])
            )
    ledger.post_movements(moves, kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by)
    for line_no, missing in lost.items():
        document.lines.filter(line_no=line_no).update(lost=missing)
    document.status, document.posted_at = ReturnStatus.POSTED, at
    document.version += 1
    document.save()
    said = {"lost": {f"{line_no}": f"{missing}" for line_no, missing in lost.items()}, "reason": reason} if lost else {}
    record(document, "return.posted", by=by, at=at, through=through, **said)


def record(document: Return, event: str, *, by: User | None, at: datetime, through: str, **said: Any) -> None:
    activity.record(
        event, kind=KIND, number=document.number, at=at, by=by, through=through, site_id=document.site_id,
        vendor_id=document.vendor_id, data={"orders": orders_of(document), "kind": document.kind, **said},
    )  # fmt: skip


def orders_of(document: Return) -> list[str]:
    """The numbers of the orders its goods are of."""
    path = "receipt_line__order_line" if document.kind == ReturnKind.PRODUCT else "component__line"
    rows: Sequence[str] = list(
        ReturnLine.objects.filter(document=document, **{f"{path}__isnull": False})
        .values_list(f"{path}__order__number", flat=True)
        .distinct()
    )
    return sorted(rows)
