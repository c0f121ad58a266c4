"""What a plan no longer holds, and what vendors were asked for: orders withdrawn, operations fixed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.refusals import InvalidInput, NotFound, Refusal, Stale, WrongState
from masterdata.models import Site
from masterdata.services import note_plan_change
from production.models import Operation, OperationStatus, OrderStatus, ProductionOrder
from production.services.planned import CLOSED_OPERATION

WITHDRAWABLE = (OrderStatus.PLANNED, OrderStatus.FIRM, OrderStatus.RELEASED)
LARGEST_LOSS_PCT = 20
PART = 5000


class SnapshotTooSmall(Refusal):
    """So much of the plan would vanish that the snapshot is more likely half a plan."""

    code = "snapshot_too_small"
    status = 422


@dataclass(frozen=True, slots=True)
class SnapshotScope:
    """Which orders a snapshot is whole for: of these sources and sites (none: all of them), in these statuses."""

    sources: Sequence[str] = ()
    sites: Sequence[str] = ()
    statuses: Sequence[str] = (OrderStatus.PLANNED,)


@dataclass(slots=True)
class Withdrawn:
    """How many of how many open orders in scope were withdrawn, and the first of them."""

    count: int = 0
    open: int = 0
    first: list[str] = field(default_factory=list)


@transaction.atomic
def withdraw_missing(
    *, present: Collection[int], scope: SnapshotScope, confirm: bool, at: datetime, by: User | None, named: int = 10
) -> Withdrawn:
    """Cancel the open orders in scope that are not `present` (keys), with their open operations; what was made stays.

    The plan that names one of them again brings it back.

    Without `confirm` at most a fifth of the open orders in scope. Raises SnapshotTooSmall, NotFound, InvalidInput.
    """
    check_scope(scope)
    orders = ProductionOrder.objects.visible_to(by) if by else ProductionOrder.objects.all()
    orders = orders.filter(status__in=scope.statuses)
    if scope.sources:
        orders = orders.filter(source__in=scope.sources)
    if scope.sites:
        orders = orders.filter(site__code__in=scope.sites)
    done = Withdrawn()
    gone: list[int] = []
    for pk in orders.order_by("due_date", "pk").values_list("pk", flat=True).iterator(chunk_size=PART):
        done.open += 1
        if pk not in present:
            gone.append(pk)
    done.count = len(gone)
    if not gone:
        return done
    numbers = dict(ProductionOrder.objects.filter(pk__in=gone[:named]).values_list("pk", "number"))
    done.first = [numbers[pk] for pk in gone[:named]]
    if not confirm and done.count * 100 > done.open * LARGEST_LOSS_PCT:
        raise SnapshotTooSmall(
            f"{done.count} of {done.open} open orders would be withdrawn ({', '.join(done.first[:3])} …): more than "
            f"{LARGEST_LOSS_PCT} %. Confirm it, if this is the whole plan.",
            field="confirm",
        )
    for start in range(0, len(gone), PART):
        part = gone[start : start + PART]
        locked = list(ProductionOrder.objects.filter(pk__in=part).select_for_update().order_by("pk"))
        for order in locked:
            order.withdrawn_from = order.status
            order.status, order.changed_at, order.version = OrderStatus.CANCELLED, at, order.version + 1
        ProductionOrder.objects.bulk_update(
            locked, ["status", "withdrawn_from", "changed_at", "version"], batch_size=1000
        )
        Operation.objects.filter(production_order__in=part).exclude(
            status__in=[OperationStatus.FINISHED, OperationStatus.CANCELLED]
        ).update(status=OperationStatus.CANCELLED)
    note_plan_change(at=at, reason=f"{done.count} orders withdrawn")
    return done


def check_scope(scope: SnapshotScope) -> None:
    """Raises InvalidInput for a status that no snapshot withdraws, NotFound for a site that is not there."""
    for status in scope.statuses:
        if status not in WITHDRAWABLE:
            raise InvalidInput(
                f"A snapshot withdraws orders that are {', '.join(WITHDRAWABLE)}, not {status[:60]}.", field="statuses"
            )
    known = set(Site.objects.filter(code__in=scope.sites).values_list("code", flat=True))
    if unknown := next((code for code in scope.sites if code not in known), None):
        raise NotFound(f"There is no site {unknown[:60]}.", field="site")


def commit_operations(*, operation_ids: Iterable[int | None]) -> None:
    """Vendors were asked for these operations: from now on they stay as they were asked for."""
    ids = [pk for pk in operation_ids if pk]
    Operation.objects.filter(pk__in=ids, is_committed=False).update(is_committed=True)


@transaction.atomic
def cancel_production_order(
    *, production_order_id: int, expected_version: int | None = None, by: User | None, at: datetime
) -> ProductionOrder:
    """Withdraw an order with its open operations; what was made stays. Again is the same. Raises NotFound, Stale, WrongState."""
    visible = ProductionOrder.objects.visible_to(by) if by else ProductionOrder.objects.all()
    order = visible.select_for_update().filter(pk=production_order_id).first()
    if order is None:
        raise NotFound("There is no such production order.", field="number")
    if expected_version is not None and order.version != expected_version:
        raise Stale(f"{order} was changed since you read it; look at it again.")
    if order.status == OrderStatus.CANCELLED:
        if order.withdrawn_from:  # so far only the plan had left it out, now a person says so
            order.withdrawn_from = ""
            order.save(update_fields=["withdrawn_from"])
        return order
    if order.status == OrderStatus.DONE:
        raise WrongState(f"{order} is done.", field="status")
    order.status, order.changed_at, order.version = OrderStatus.CANCELLED, at, order.version + 1
    order.save(update_fields=["status", "changed_at", "version"])
    order.operations.exclude(status__in=CLOSED_OPERATION).update(status=OperationStatus.CANCELLED)
    note_plan_change(at=at, reason=f"{order} cancelled")
    return order
