"""Batch advice: which lots of one vendor and process, ordered together, reach a minimum charge that each alone does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """A draft order's work of one process at one vendor. Money in the order's currency; `minimum` is per order and process."""

    order_id: int
    number: str
    order_by: date
    work: Decimal
    minimum: Decimal

    @property
    def top_up(self) -> Decimal:
        return max(self.minimum - self.work, ZERO)


@dataclass(frozen=True, slots=True)
class Advice:
    """Order these together: `lots` in the order they are to be ordered; the first waits `wait_days` for the last."""

    lots: tuple[Lot, ...]
    saves: Decimal
    top_up: Decimal

    @property
    def wait_days(self) -> int:
        return (self.lots[-1].order_by - self.lots[0].order_by).days


def advise(lots: Iterable[Lot], *, window_days: int) -> Iterator[Advice]:
    """What to order together, for lots that may stand on one order: each in at most one advice.

    From the first lot on that does not reach its minimum, later ones within the window join until the highest minimum among them
    is reached. A lot that reaches its own takes along all in the window that do not. Said only where it saves anything.
    """
    waiting = sorted(lots, key=lambda lot: (lot.order_by, lot.order_id))
    while waiting:
        first = waiting.pop(0)
        last_day = first.order_by + timedelta(days=window_days)
        together = [first]
        for lot in [one for one in waiting if one.order_by <= last_day and (first.top_up or one.top_up)]:
            together.append(lot)
            if first.top_up and not _top_up(together):
                break
        # A lot beyond the one that brings the last saving only waits for nothing.
        best = max(range(len(together)), key=lambda n: (_saving(together[: n + 1]), -n))
        together = together[: best + 1]
        saves = _saving(together)
        if len(together) > 1 and saves > ZERO:
            waiting = [one for one in waiting if one not in together]
            yield Advice(tuple(together), saves, _top_up(together))


def _top_up(lots: list[Lot]) -> Decimal:
    return max(max(lot.minimum for lot in lots) - sum((lot.work for lot in lots), ZERO), ZERO)


def _saving(lots: list[Lot]) -> Decimal:
    return sum((lot.top_up for lot in lots), ZERO) - _top_up(lots)
