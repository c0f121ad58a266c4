"""What is said of lines that no run may change: those that are sent, and what a person pinned on a draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from documents.rules.values import BLOCKED, OUTSOURCE, REVIEW, ZERO, Difference, Key, Plan, Standing, text
from policies.rules.values import AwardValues, Decided, OperationFacts


def withdrawn(key: Key, lines: Sequence[Standing], *, is_over: bool) -> Iterator[Difference]:
    """What to do about the lines of an operation that is not decided any more.

    Lines never sent are withdrawn. Where the operation is over (cancelled, or done without them), sent ones should be.
    """
    for line in lines:
        if line.is_active and not line.is_sent:
            yield Difference("cancel", *key, line=line)
        elif is_over and line.is_sent and line.open > ZERO:
            yield proposal(key, line, proposes="cancel", after={"quantity": text(line.received)})


def of_another_item(plan: Plan, standing: Mapping[int, Sequence[Standing]]) -> Iterator[Difference]:
    """What to do about lines of an order whose plan makes another item of it now: none is made, sent ones wait for a person."""
    assert plan.item_change is not None  # noqa: S101
    was, now = plan.item_change
    for operation in plan.operations:
        key = Key(operation.operation_id, operation.number, operation.operation_no)
        for line in standing.get(operation.operation_id, ()):
            if line.is_active and not line.is_sent:
                yield Difference("cancel", *key, line=line)
            elif line.is_sent and line.open > ZERO:
                yield proposal(key, line, proposes="change", after={"item": now}, told={"item": was})


def of_pinned(line: Standing, award: AwardValues, key: Key) -> Iterator[Difference]:
    """A person's word on a draft stays; where the run would say otherwise, somebody is told."""
    pairs = {
        "quantity": (text(line.quantity), text(award.quantity)),
        "unit_price": (text(line.unit_price), text(award.unit_price)),
        "need_date": (line.need_date.isoformat(), award.need_date.isoformat()),
    }
    differing = {name: pair for name, pair in pairs.items() if name in line.pinned and pair[0] != pair[1]}
    if differing:
        yield Difference(
            "alert",
            *key,
            line=line,
            proposes="change",
            before={name: pair[0] for name, pair in differing.items()},
            after={name: pair[1] for name, pair in differing.items()},
        )


def said_of_sent(
    operation: OperationFacts,
    verdict: Decided,
    lines: Sequence[Standing],
    raised: Mapping[int, AwardValues],
    outdated: Mapping[int, Mapping[str, tuple[str, str]]],
    places_now: Mapping[int, int],
    steps_now: Mapping[int, tuple[str, str]],
) -> Iterator[Difference]:
    """A sent line is never touched: an alert proposes its new quantity, date, vendor, place to come back to, step to get its
    pieces after, revision or specification, or that it be cancelled.
    """
    key = Key(operation.operation_id, operation.number, operation.operation_no)
    open_lines = [line for line in lines if line.is_sent and line.is_active and line.open > ZERO]
    if not open_lines:
        return
    if verdict.verdict == REVIEW:  # nobody says that it is not needed: somebody has to say what becomes of it
        for line in open_lines:
            yield proposal(key, line, proposes="change", after={"verdict": REVIEW})
        return
    if verdict.verdict not in (OUTSOURCE, BLOCKED):  # blocked is only what is missing beyond them
        for line in open_lines:
            after = {"quantity": text(line.received), "verdict": verdict.verdict}
            yield proposal(key, line, proposes="cancel", after=after)
        return
    word = operation.word
    leaving = dict(verdict.leaving)
    elsewhere = [a for a in verdict.awards if a.vendor_id not in {line.vendor_id for line in open_lines}]
    ordered = sum((x.counts for x in lines if x.is_sent), ZERO)
    is_enough = verdict.verdict == OUTSOURCE and not raised and not elsewhere
    surplus = max(ordered - verdict.quantity, ZERO) if is_enough else ZERO
    for line in reversed(open_lines):
        after = {}
        name = f"{line.order_number}/{line.line_no}"
        if name in leaving and (goes_to := leaving[name]) is None:  # he cannot keep it and nobody else can take it
            yield proposal(key, line, proposes="cancel", after={"quantity": text(line.received), "verdict": BLOCKED})
            continue
        award = raised.get(line.line_id)
        cut = min(surplus, line.open)
        surplus -= cut
        if award:
            after["quantity"] = text(line.quantity + award.quantity)
        elif cut > ZERO:
            after["quantity"] = text(line.quantity - cut)
        if verdict.need_date and verdict.need_date != line.need_date:
            after["need_date"] = verdict.need_date.isoformat()
        if word and word.word == OUTSOURCE and word.vendor_id not in (None, line.vendor_id):
            after["vendor"] = str(word.vendor_id)
        elif name in leaving:
            after["vendor"] = str(goes_to)
        if cut > ZERO and line.quantity == cut:
            yield proposal(key, line, proposes="cancel", after=after)
            continue
        retold = dict(outdated.get(line.line_id, {}))
        if line.line_id in places_now and "vendor" not in after:
            retold["receive_at"] = (str(line.receive_at_id), str(places_now[line.line_id]))
        if line.line_id in steps_now and "vendor" not in after:
            retold["pieces_after"] = steps_now[line.line_id]
        after |= {name: now for name, (_, now) in retold.items()}
        if after:
            told = {name: before for name, (before, _) in retold.items()}
            yield proposal(key, line, proposes="change", after=after, told=told)


def proposal(
    key: Key, line: Standing, *, proposes: str, after: dict[str, str], told: Mapping[str, str] | None = None
) -> Difference:
    """What a person should do about a line: what its vendor was told, and what is wanted now."""
    before = {"quantity": text(line.quantity), "need_date": line.need_date.isoformat(), **(told or {})}
    return Difference("alert", *key, line=line, proposes=proposes, before=before, after=after)
