"""Which role a place of the stock ledger has, on which day an entry counts, and rounding that keeps an entry at zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
NOTHING: Mapping[str, Decimal] = {}
AS_THE_DOCUMENT_SAYS = {"payables", "input_tax", "reverse_charge", "claims"}
OWN_STOCK = {"raw": "raw", "semi": "semi", "finished": "finished", "service": "raw"}


def role_of_place(*, place: str, item_kind: str, stage: str, document: str) -> str:
    """The role of a location of a kind, for stock of an item of a kind (at a stage), moved by a document of a kind.

    An invoice's difference comes from outside (the vendor asks for it) and goes into stock or to price variance.
    """
    if place == "supplier":
        return "not_invoiced" if document == "invoice" else "opening"
    if place == "difference":
        return "price_variance" if document == "invoice" else "stock_difference"
    if place in ("consumed", "scrap"):
        return {"consumed": "production", "scrap": "scrap"}[place]
    if place == "vendor":
        return "at_vendors"
    return "work_in_progress" if stage else OWN_STOCK[item_kind]


def entry_of_moves(moves: Iterable[tuple[str, str, Decimal]]) -> dict[str, Decimal]:
    """Debits (above zero) and credits by role, of moves (from role, to role, value). What is left in production is the work a
    vendor did: it is owed and not invoiced yet, so production ends at zero with every document.
    """
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for source, target, value in moves:
        amounts[target] += value
        amounts[source] -= value
    if left := amounts.pop("production", ZERO):
        amounts["not_invoiced"] += left
    return {role: amount for role, amount in amounts.items() if amount}


def rounded(
    amounts: Mapping[str, Decimal], *, decimals: int, carried: Mapping[str, Decimal] = NOTHING
) -> dict[str, Decimal]:
    """Amounts in the currency's decimals that still add up to zero: the largest remainders bear what rounding leaves.

    `carried` is what rounding left of each role so far. It is rounded with the amount, so that an account that comes to nothing
    comes to nothing in the books too; what stands as a document says it is left alone.
    """
    step = Decimal(1).scaleb(-decimals)
    due = {
        role: amount if role in AS_THE_DOCUMENT_SAYS else amount + carried.get(role, ZERO)
        for role, amount in amounts.items()
    }
    found = {role: amount.quantize(step, ROUND_HALF_UP) for role, amount in due.items()}
    left = -sum(found.values(), ZERO)
    turn = step if left > 0 else -step
    bearing = sorted(due, key=lambda role: ((found[role] - due[role]) * (1 if left > 0 else -1), role))
    bearing = [role for role in bearing if found[role] != due[role]] or bearing
    while left:
        for role in bearing:
            if not left:
                break
            found[role] += turn
            left -= turn
    return found


def posting_date(event: date, *, closed_through: date | None) -> date:
    """The day it happened, or the first day that is still open."""
    if closed_through is None or event > closed_through:
        return event
    return closed_through + timedelta(days=1)


def last_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
