"""Plain values for tests of the rules: a small world said in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from policies.rules.decide import Decider
from policies.rules.values import (
    ApprovalValues,
    Book,
    CommittedLine,
    CurrencyValues,
    Decided,
    OperationFacts,
    OrderFacts,
    PolicyValues,
    PolicyVendorValues,
    PriceRow,
    PriceShelf,
    ProcessValues,
    VendorValues,
    WorkCenterValues,
)

TODAY = date(2026, 3, 2)
"""A Monday."""

FG, OTHER_ITEM = 1, 2
PLATING, HARDENING = 11, 12
OUT, MILL = 21, 22
SITE = 31
EUR, USD = 41, 42
V1, V2, V3, V4, V5 = 1, 2, 3, 4, 5

_numbers = count(1)


def d(value: Any) -> Decimal:
    return Decimal(str(value))


def vendor(vendor_id: int, **values: Any) -> VendorValues:
    return VendorValues(vendor_id, f"V{vendor_id}", **{"currency_id": EUR, **values})


def price(vendor_id: int, unit_price: Any = 100, **values: Any) -> PriceRow:
    """For plating the finished part, five working days, in euros, unless said otherwise."""
    defaults: dict[str, Any] = {
        "item_id": FG,
        "process_id": PLATING,
        "site_id": None,
        "currency_id": EUR,
        "lead_days": 5,
    }
    amounts = ("minimum_quantity", "lot_charge", "minimum_charge", "freight", "factor", "yield_pct")
    given = {name: d(value) if name in amounts else value for name, value in values.items()}
    return PriceRow(
        next(_numbers), vendor_id, unit_price=None if unit_price is None else d(unit_price), **{**defaults, **given}
    )


def ranked(*vendors: int | PolicyVendorValues) -> tuple[PolicyVendorValues, ...]:
    rows = [PolicyVendorValues(0, one) if isinstance(one, int) else one for one in vendors]
    for rank, row in enumerate(rows, start=1):
        row.rank = rank
    return tuple(rows)


def at(vendor_id: int, **values: Any) -> PolicyVendorValues:
    return PolicyVendorValues(0, vendor_id, **{name: d(value) for name, value in values.items()})


def policy(code: str, *vendors: int | PolicyVendorValues, **values: Any) -> PolicyValues:
    """Sends plating out to the vendors, unless said otherwise."""
    defaults: dict[str, Any] = {"verdict": "outsource", "process_id": PLATING}
    numbers = ("quantity_from", "quantity_to", "load_above_pct", "cost_below_pct", "transition_share_pct", "yield_pct")
    given = {name: d(value) if name in numbers else value for name, value in values.items()}
    values = {**defaults, **given}
    words = {"process": "Plating"} if values["process_id"] == PLATING else {}
    return PolicyValues(policy_id=next(_numbers), code=code, vendors=ranked(*vendors), scope_words=words, **values)


def operation(**values: Any) -> OperationFacts:
    """Ten pieces to plate by 31 March, flag yes, on the external work center."""
    number = next(_numbers)
    due = values.get("due_date", date(2026, 3, 31))
    defaults: dict[str, Any] = {
        "operation_id": number, "production_order_id": number, "number": f"P{number}", "operation_no": "10", "sequence": 10,
        "item_id": FG, "item_group_id": None, "process_id": PLATING, "work_center_id": OUT, "site_id": SITE,
        "quantity": 10, "good": 0, "scrap": 0, "is_open": True, "status": "open", "outsourced": "yes",
        "setup_minutes": None, "run_minutes": None, "next_nos": (), "planned_start": due, "planned_end": due, "due_date": due,
        "decimals": 0,
    }  # fmt: skip
    numbers = ("quantity", "good", "scrap", "setup_minutes", "run_minutes")
    values = {**defaults, **values}
    return OperationFacts(
        **{name: d(value) if name in numbers and value is not None else value for name, value in values.items()}
    )


def order(*operations: OperationFacts) -> OrderFacts:
    first = operations[0]
    for step, one in enumerate(operations, start=1):
        one.production_order_id, one.number = first.production_order_id, first.number
        if len(operations) > 1:
            one.sequence, one.operation_no = step * 10, str(step * 10)
    return OrderFacts(first.production_order_id, first.number, first.due_date, list(operations))


def book(*, policies: Sequence[PolicyValues] = (), prices: Sequence[PriceRow] = (), **values: Any) -> Book:
    """Five vendors in euros, two currencies (a dollar is 0.90), an external work center and a mill (8 h a day, 60 an hour)."""
    found: dict[PriceShelf, list[PriceRow]] = {}
    for row in prices:
        found.setdefault(row.shelf, []).append(row)
    defaults: dict[str, Any] = {
        "on": TODAY,
        "company_currency_id": EUR,
        "currencies": {
            EUR: CurrencyValues(EUR, "EUR"),
            USD: CurrencyValues(USD, "USD", 2, ((date(2026, 1, 1), d("0.9")),)),
        },
        "vendors": {number: vendor(number) for number in (V1, V2, V3, V4, V5)},
        "processes": {PLATING: ProcessValues(PLATING, "Plating"), HARDENING: ProcessValues(HARDENING, "Hardening")},
        "work_centers": {
            OUT: WorkCenterValues(OUT, "OUT", is_external=True),
            MILL: WorkCenterValues(MILL, "MILL", hours_a_day=d(8), hourly_cost=d(60)),
        },
    }
    return Book(policies=list(policies), prices=found, **{**defaults, **values})


def approved(status: str = "approved", valid_to: date | None = None) -> ApprovalValues:
    return ApprovalValues(status, valid_to)


def decide(what: Book, *orders: OrderFacts | OperationFacts, committed: Sequence[CommittedLine] = ()) -> list[Decided]:
    """Decide in the order given; an operation alone is an order of its own."""
    decider = Decider(what)
    decider.commit(committed)
    found = []
    for one in orders:
        found += decider.decide_order(order(one) if isinstance(one, OperationFacts) else one)
    return found


def places(decided: Sequence[Decided]) -> list[str]:
    """In short, where each goes: "V1 60, V2 40", or the verdict."""
    return [
        ", ".join(f"V{award.vendor_id} {award.quantity.normalize():f}" for award in one.awards) or one.verdict
        for one in decided
    ]
