"""Which operation takes on the pieces of which, and which are bought together as one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from documents.rules.values import CANCELLED, Plan, Standing
from policies.rules.values import Decided, OperationFacts
from production.rules.flow import piece_flow


def followers(operations: Sequence[OperationFacts]) -> dict[int, list[OperationFacts]]:
    """The operation that takes on the pieces of each one: as they name one another, or the next by sequence where none does.

    Parallel ones get the same pieces one after another. A step backward is not followed.
    """
    live = sorted((o for o in operations if o.status != CANCELLED), key=lambda o: (o.sequence, o.operation_id))
    if any(operation.next_nos for operation in live):
        place = {operation.operation_no: index for index, operation in enumerate(live)}
        named = {o.operation_no: [no for no in o.next_nos if place.get(no, -1) > place[o.operation_no]] for o in live}
        flow = piece_flow(named)
        return {o.operation_id: [live[place[no]] for no in flow[o.operation_no]] for o in live}
    after: dict[int, list[OperationFacts]] = {o.operation_id: [n] for o, n in pairwise(live)}
    if live:
        after[live[-1].operation_id] = []
    return after


def bought_together(
    plan: Plan, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> dict[int, list[OperationFacts]]:
    """The operations that one line is for, or will be, by the first of them; only where they are several."""
    found = {}
    for index, operation in enumerate(plan.operations):
        verdict = decided.get(operation.operation_id)
        last_no = next((award.last_no for award in (verdict.awards if verdict else ()) if award.last_no), "")
        last_no = last_no or next(
            (line.last_no for line in standing.get(operation.operation_id, ()) if line.is_sent and line.last_no), ""
        )
        if last_no:
            found[operation.operation_id] = _up_to(plan.operations[index:], last_no)
    return found


def _up_to(operations: Sequence[OperationFacts], last_no: str) -> list[OperationFacts]:
    """From the first of these along those that follow it, to the one of a number."""
    after = followers(operations)
    found = [operations[0]]
    while found[-1].operation_no != last_no and len(following := after.get(found[-1].operation_id, [])) == 1:
        found.append(following[0])
    return found


def joined(
    operations: Sequence[OperationFacts], inside: Mapping[int, Sequence[OperationFacts]]
) -> list[OperationFacts]:
    """The operations, those bought together as one in the place of the first."""
    covered = {one.operation_id for mine in inside.values() for one in mine[1:]}
    found = []
    for operation in operations:
        if operation.operation_id in covered:
            continue
        mine = inside.get(operation.operation_id)
        found.append(operation if mine is None else _as_one(mine))
    return found


def _as_one(mine: Sequence[OperationFacts]) -> OperationFacts:
    return replace(
        mine[0],
        next_nos=mine[-1].next_nos,
        processes=tuple(one.process_id or 0 for one in mine),
        last_no=mine[-1].operation_no,
        is_open=any(one.is_open for one in mine),
    )
