"""How the pieces of an order go through its operations: a piece exists once, however many steps it needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from production.rules.schedule import in_order

Following = Mapping[str, Sequence[str]]


def piece_flow(following: Following) -> dict[str, tuple[str, ...]]:
    """Which operation takes on the pieces of each: one, or none after the last. `following` is in the order of the plan.

    Steps that are parallel on the same pieces get them one after another, the first of the plan first. Steps that begin
    apart and join give their pieces both.
    """
    before = _before(following)
    taker: dict[str, str] = {}
    for number in in_order(following) or ():
        for one in before[number]:
            while one in taker and taker[one] != number:
                one = taker[one]
            taker[one] = number
    return {number: (taker[number],) if number in taker else () for number in following}


def where_pieces_wait(following: Following, number: str) -> list[list[str]]:
    """After which operations pieces may lie that `number` can work on, for each kind of piece it takes one of.

    First where they come from by the plan. Then, as the floor may take parallel steps in any order, after the others of them.
    """
    flow = piece_flow(following)
    giver = _before(flow)
    later = {one: _reached(following, one) for one in following}
    named = set(_before(following)[number])

    def parallel(one: str) -> bool:
        return one != number and number not in later[one] and one not in later[number]

    behind = [one for one in _reached(flow, number) if parallel(one)]
    found = []
    for source in giver[number]:
        ahead = [one for one in _reached(giver, source) if one in named or parallel(one)]
        found.append([source, *ahead, *behind])
    return found


def _before(following: Following) -> dict[str, list[str]]:
    before: dict[str, list[str]] = {number: [] for number in following}
    for number, later in following.items():
        for one in later:
            before[one].append(number)
    return before


def _reached(following: Following, number: str) -> list[str]:
    """All that come after, the nearest first."""
    found: dict[str, None] = {}
    waiting = list(following[number])
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found[one] = None
            waiting.extend(following[one])
    return list(found)
