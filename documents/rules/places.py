"""Where pieces lie between operations, where the next one takes them from, and where a vendor's come back to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from documents.rules.values import IN_HOUSE, OUTSOURCE, SENT, ZERO, Plan, Standing
from policies.rules.values import AwardValues, Decided, OperationFacts


class Source:
    """Pieces that an operation leaves at one place, given out to the lines that take them on."""

    __slots__ = ("left", "place_id")

    def __init__(self, place_id: int, left: Decimal) -> None:
        self.place_id = place_id
        self.left = left


def take(sources: list[Source], quantity: Decimal, *, at_id: int) -> list[tuple[int, Decimal]]:
    """Where so many pieces come from: what lies at the taker's own place first, then in order; the last place gives the rest."""
    taken: dict[int, Decimal] = {}
    for source in sorted(sources, key=lambda s: s.place_id != at_id):
        part = min(source.left, quantity)
        if part > ZERO:
            taken[source.place_id] = taken.get(source.place_id, ZERO) + part
            source.left -= part
            quantity -= part
    if quantity > ZERO:
        rest = next(reversed(taken), sources[-1].place_id)
        taken[rest] = taken.get(rest, ZERO) + quantity
    return list(taken.items())


def is_outside(
    operation: OperationFacts, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> bool:
    """Whether a vendor does an operation, or will."""
    verdict = decided.get(operation.operation_id)
    if verdict and verdict.verdict == OUTSOURCE and verdict.awards:
        return True
    is_over = verdict is not None and verdict.verdict == IN_HOUSE  # what vendors are done with goes on inside
    lines = standing.get(operation.operation_id, ())
    return any(line.is_sent and line.is_active and (line.open > ZERO or not is_over) for line in lines)


def goes_on(
    operation: OperationFacts, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> str:
    """Where an operation takes pieces on that are still to come: a vendor has it (`sent`), a vendor will (`outsource`), we do
    (`in_house`). Blank where nobody knows.
    """
    if any(x.is_sent and x.is_active and x.open > ZERO for x in standing.get(operation.operation_id, ())):
        return SENT
    verdict = decided.get(operation.operation_id)
    if verdict is None or (verdict.verdict == OUTSOURCE and not verdict.awards):
        return ""
    return verdict.verdict if verdict.verdict in (OUTSOURCE, IN_HOUSE) else ""


def told_places(follow: Sequence[OperationFacts], standing: Mapping[int, Sequence[Standing]]) -> set[int]:
    """From where vendors who have the next steps were told that they get the pieces."""
    lines = [line for operation in follow for line in standing.get(operation.operation_id, ())]
    return {
        place for line in lines if line.is_sent and line.is_active and line.open > ZERO for place in line.takes_from
    }


def wanted_places(plan: Plan, lines: Sequence[Standing], next_ones: Sequence[str]) -> dict[int, int]:
    """Where the open pieces of sent lines should come back to, of those that were told another place.

    They stay at the vendor where vendors take them on and nothing brings them home. Where nobody knows who takes them on, and
    where a vendor was already told from where he gets them, what was told stands; so it does for orders we did not make.
    """
    found = {}
    for line in lines:
        if not (line.is_sent and line.is_active and line.open > ZERO):
            continue
        if line.receive_at_id == line.ship_to_id:
            if not next_ones or IN_HOUSE in next_ones:
                found[line.line_id] = plan.home_id
        elif line.is_by_hand:
            continue
        elif next_ones and all(one == OUTSOURCE for one in next_ones) and not line.comes_home:
            found[line.line_id] = line.ship_to_id
        elif line.receive_at_id != plan.home_id:
            found[line.line_id] = plan.home_id
    return found


def left_by(
    operation: OperationFacts,
    lines: Sequence[Standing],
    awards: Sequence[AwardValues],
    back_to: Mapping[int, int],
    *,
    is_inside: bool,
    home_id: int,
) -> list[Source]:
    """The pieces an operation has given and will give, by place: what was made inside, what vendors have, what they will."""
    sent = [line for line in lines if line.is_sent]
    inside = max(operation.good - sum((line.accepted for line in sent), ZERO), ZERO)
    found = [Source(home_id, inside)] if inside and (sent or awards) else []
    found += [source for line in sent for source in _left_by_line(line)]
    found += [Source(back_to[award.vendor_id], award.quantity) for award in awards]
    if not found or (is_inside and not awards):  # what no vendor has is made, or was made, inside
        found.append(Source(home_id, operation.quantity))
    return found


def _left_by_line(line: Standing) -> Iterator[Source]:
    """What was received before its place was changed lies where it came; the rest comes to the place that holds now."""
    left = line.quantity if line.open > ZERO else line.received
    for place_id, quantity in line.elsewhere:
        part = min(quantity, line.received, left)
        left -= part
        yield Source(place_id, part)
    yield Source(line.receive_at_id, left)


def wanted_steps(plan: Plan, lines: Sequence[Standing], before: Sequence[OperationFacts]) -> dict[int, tuple[str, str]]:
    """After which step sent lines should get the pieces they still wait for, where another one comes before them now: what was
    told, and what it is now.

    Only where one step gives them; what branches that join give is left to a person.
    """
    if len(before) != 1:
        return {}
    now = before[0].leaves_as
    found = {}
    for line in lines:
        own = {stage.rpartition("/")[2] for stage in line.waits_for if stage.rpartition("/")[0] == plan.stage_number}
        if (
            line.is_sent
            and line.is_active
            and line.open > ZERO
            and not line.is_whole
            and len(own) == 1
            and own != {now}
        ):
            found[line.line_id] = (own.pop(), now)
    return found
