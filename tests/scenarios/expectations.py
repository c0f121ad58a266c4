"""Compares what a case expects with what the API says. Only what is written is compared, numbers exactly, as decimals."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.scenarios.runner import Api, Documents

Row = dict[str, Any]
GONE = "cancelled"
CENT = Decimal("0.01")


class NotBuiltYet(Exception):
    """The case uses a word whose API call, or a field of its answer, does not exist yet."""


class WrongAnswer(AssertionError):
    """The product answered, and not as the case says."""


def differences(
    expect: dict[str, Any], *, api: Api, documents: Documents, answer: Any, cent: Decimal = CENT
) -> list[str]:
    """One sentence for each expectation that does not hold. `cent` is the smallest amount of the company's currency."""
    seen = Seen(api, documents, answer, cent=cent)
    found: list[str] = []
    for word, expected in expect.items():
        found += [f"  {word}: {sentence}" for sentence in getattr(seen, word)(expected)]
    return found


def same(expected: Any, actual: Any) -> bool:
    """Whether two values say the same: decimals by value, dates by day, yes as true, blank as nothing.

    >>> same(10, "10.00000"), same(0, None), same("yes", True)
    (True, False, True)
    """
    if expected is None or expected == "":
        return actual is None or actual == ""
    if actual is None or actual == "":
        return False
    if isinstance(expected, bool) or isinstance(actual, bool):
        return _truth(expected) == _truth(actual)
    if isinstance(expected, date):
        return str(actual)[:10] == expected.isoformat()
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(
            same(one, other) for one, other in zip(expected, actual, strict=True)
        )
    if str(expected) == str(actual):
        return True
    one, other = _decimal(expected), _decimal(actual)
    return one is not None and one == other


def _truth(value: Any) -> bool | None:
    return {"yes": True, "true": True, "no": False, "false": False}.get(str(value).lower())


def _decimal(value: Any) -> Decimal | None:
    if not isinstance(value, int | Decimal | str):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def mismatches(expected: Row, actual: Row, *, but: tuple[str, ...] = ()) -> list[str]:
    """`field is … and should be …` for each field of `expected` that `actual` has otherwise."""
    found = []
    for field, value in expected.items():
        if field in but:
            continue
        if field not in actual:
            raise NotBuiltYet(f"field {field} of an answer")
        if not same(value, actual[field]):
            found.append(f"{field} is {_say(actual[field])} and should be {_say(value)}")
    return found


def _say(value: Any) -> str:
    number = _decimal(value) if isinstance(value, str | Decimal) else None
    return str(value if number is None or not number.is_finite() else number.normalize().__format__("f"))


def each_once(expected: list[Row], actual: list[Row], mismatch: Any, name: Any) -> list[str]:
    """Each expectation takes one row that fits it; a sentence for each that finds none, with the row that comes closest."""
    left, found = list(actual), []
    for wanted in expected:
        tried = [(mismatch(wanted, row), row) for row in left]
        fitting = next((row for wrong, row in tried if not wrong), None)
        if fitting is not None:
            left.remove(fitting)
        elif tried:
            found.append(f"{name(wanted)}: {'; '.join(min((wrong for wrong, _ in tried), key=len))}")
        else:
            found.append(f"{name(wanted)}: there is none")
    return found


def is_open(alert: Row) -> bool:
    return not alert.get("closed_at")


def _name(*fields: str) -> Any:
    return lambda row: " ".join(str(row[field]) for field in fields if row.get(field) is not None) or str(row)


class Seen:
    """What the API shows, read once for each comparison. One method for each word of `expect`."""

    def __init__(self, api: Api, documents: Documents, simulated: Any, *, cent: Decimal = CENT) -> None:
        self.api, self.documents, self.simulated, self.cent = api, documents, simulated, cent
        self._read: dict[Any, Any] = {}

    # reading

    def rows(self, *parts: str, **query: object) -> list[Row]:
        key = (parts, tuple(query.items()))
        if key not in self._read:
            self._read[key] = self.api.rows(*parts, **query)
        return self._read[key]

    def one(self, *parts: object) -> Row:
        if parts not in self._read:
            self._read[parts] = self.api.get(*parts)
        return self._read[parts]

    def document(self, kind: str, place: int) -> Row | None:
        """The `place`th document of a kind as its resource shows it; None where the case has not made so many."""
        numbers = self.documents.numbers[kind]
        if not numbers:
            self.rows(self.documents.LISTS[kind])  # a resource that is not there says so
        return self.one(self.documents.LISTS[kind], numbers[place - 1]) if 1 <= place <= len(numbers) else None

    def order_line(self, wanted: Row) -> Row | None:
        order = self.document("order", wanted["order"])
        return next((line for line in (order or {}).get("lines", []) if same(wanted["line"], line["line"])), None)

    def all_orders(self) -> list[Row]:
        return [self.one("subcontract-orders", row["number"]) for row in self.rows("subcontract-orders")]

    def active_lines(self) -> list[Row]:
        orders = [order for order in self.all_orders() if order["status"] != GONE]
        return [line for order in orders for line in order["lines"] if line["status"] != GONE]

    # comparing

    def counts(self, expected: Row) -> list[str]:
        count = {
            "orders": lambda: sum(row["status"] != GONE for row in self.rows("subcontract-orders")),
            "order_lines": lambda: len(self.active_lines()),
            "shipments": lambda: sum(row["status"] != GONE for row in self.rows("shipments")),
            "receipts": lambda: len(self.rows("receipts")),
            "open_alerts": lambda: sum(map(is_open, self.rows("alerts"))),
            "decisions": lambda: len(self.rows("decisions")),
        }
        return mismatches(expected, {word: count[word]() for word in expected})

    def orders(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            order = self.document("order", wanted["order"])
            if order is None:
                found.append(f"order {wanted['order']}: there is none")
                continue
            here = mismatches(wanted, order, but=("order", "lines"))
            for wanted_line in wanted.get("lines", []):
                line = self.order_line({"order": wanted["order"], "line": wanted_line["line"]})
                here += (
                    [f"line {wanted_line['line']}: there is none"]
                    if line is None
                    else _line_mismatches(wanted_line, line)
                )
            found += [f"order {wanted['order']} ({order['number']}): {sentence}" for sentence in here]
        return found

    def order_lines(self, expected: list[Row]) -> list[str]:
        return each_once(expected, self.active_lines(), _line_mismatches, _name("production_order", "operation"))

    def components(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            line = self.order_line(wanted)
            rows = [row for row in (line or {}).get("components", []) if same(wanted["item"], row["item"])]
            where = f"order {wanted['order']} line {wanted['line']} {wanted['item']}"
            if not rows:
                found.append(f"{where}: there is none")
                continue
            found += [
                f"{where}: {sentence}"
                for sentence in min((mismatches(wanted, row, but=("order", "line", "item")) for row in rows), key=len)
            ]
        return found

    def shipments(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in (row for row in expected if "shipment" in row):
            shipment = self.document("shipment", wanted["shipment"])
            wrong = ["there is none"] if shipment is None else _shipment_mismatches(wanted, shipment)
            found += [f"shipment {wanted['shipment']}: {sentence}" for sentence in wrong]
        unnamed = [row for row in expected if "shipment" not in row]
        if unnamed:
            rows = [self.one("shipments", row["number"]) for row in self.rows("shipments") if row["status"] != GONE]
            found += each_once(unnamed, rows, _shipment_mismatches, _name("from", "to"))
        return found

    def expected_receipts(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            order = self.document("order", wanted["order"])
            rows = [row for row in (order or {}).get("expected_receipts", []) if same(wanted["line"], row["line"])]
            where = f"order {wanted['order']} line {wanted['line']}"
            if rows:
                found += [f"{where}: {sentence}" for sentence in mismatches(wanted, rows[0], but=("order", "line"))]
            elif not same(wanted.get("quantity", 0), 0):
                found.append(f"{where}: nothing is expected")
        return found

    def receipts(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            receipt = self.document("receipt", wanted["receipt"])
            if receipt is None:
                found.append(f"receipt {wanted['receipt']}: there is none")
                continue
            wrong = each_once(wanted.get("lines", []), receipt["lines"], _receipt_line_mismatches, _name("line"))
            found += [f"receipt {wanted['receipt']} line {sentence}" for sentence in wrong]
        return found

    def stock(self, expected: Row) -> list[str]:
        rows = self.rows("stock")
        found = []
        for place, items in expected.items():
            for item, wanted in items.items():
                lying = [row for row in rows if same(item, row["item"]) and _lies(row, str(place))]
                for lot, quantity in wanted.items() if isinstance(wanted, dict) else [(None, wanted)]:
                    there = sum(
                        (Decimal(row["quantity"]) for row in lying if lot is None or same(lot, row.get("lot"))),
                        Decimal(0),
                    )
                    if not same(quantity, there):
                        name = " ".join(str(one) for one in (place, item, lot) if one is not None)
                        found.append(f"{name} is {_say(str(there))} and should be {_say(quantity)}")
        return found

    def operations(self, expected: list[Row]) -> list[str]:
        return self._operations(expected, lambda operation: operation)

    def schedule(self, expected: list[Row]) -> list[str]:
        return self._operations(expected, lambda operation: {"start": operation["start"], "end": operation["end"]})

    def _operations(self, expected: list[Row], shown: Any) -> list[str]:
        found = []
        for wanted in expected:
            order = self.one("production-orders", wanted["production_order"])
            where = f"{wanted['production_order']}/{wanted['operation']}"
            operation = next((row for row in order["operations"] if same(wanted["operation"], row["number"])), None)
            if operation is None:
                found.append(f"{where}: there is none")
                continue
            wrong = mismatches(wanted, shown(operation), but=("production_order", "operation"))
            found += [f"{where}: {sentence}" for sentence in wrong]
        return found

    def decisions(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            where = f"{wanted['production_order']}/{wanted['operation']}"
            rows = [
                row
                for row in self.rows("decisions")
                if all(same(wanted[field], row[field]) for field in ("production_order", "operation"))
            ]
            if len(rows) != 1:
                found.append(f"{where}: there are {len(rows)} current decisions")
                continue
            wrong = mismatches(wanted, rows[0], but=("production_order", "operation", "vendor", "reason"))
            vendors = list(
                dict.fromkeys([rows[0].get("vendor"), *(award["vendor"] for award in rows[0].get("awards") or [])])
            )
            if "vendor" in wanted and not any(same(wanted["vendor"], vendor) for vendor in vendors):
                wrong.append(f"vendor is {', '.join(map(str, vendors))} and should be {wanted['vendor']}")
            codes = [reason["code"] for reason in rows[0]["reasons"]]
            if "reason" in wanted and wanted["reason"] not in codes:
                wrong.append(f"reasons are {', '.join(codes)} and should hold {wanted['reason']}")
            found += [f"{where}: {sentence}" for sentence in wrong]
        return found

    def alerts(self, expected: list[Row]) -> list[str]:
        expected = [
            {**row, "order": self.documents.number("order", row["order"])} if "order" in row else row
            for row in expected
        ]
        rows = [alert for alert in self.rows("alerts") if is_open(alert)]
        return each_once(expected, rows, mismatches, _name("kind", "order", "production_order"))

    def no_alerts(self, expected: list[str]) -> list[str]:
        rows = [alert for alert in self.rows("alerts") if is_open(alert) and alert["kind"] in expected]
        return [f"{alert['kind']} is open: {alert.get('title')}" for alert in rows]

    def answer(self, expected: Row) -> list[str]:
        wrong = mismatches(expected, self.simulated, but=("changed",))
        return wrong + each_once(
            expected.get("changed", []),
            self.simulated.get("changed", []),
            mismatches,
            _name("production_order", "operation"),
        )

    def value(self, expected: Row) -> list[str]:
        found = []
        for item, wanted in expected.items():
            rows = [row for row in self.rows("stock", "values", item=item) if not row["stage"]]
            quantity = sum((Decimal(row["quantity"]) for row in rows), Decimal(0))
            value = sum((Decimal(row["value"]) for row in rows), Decimal(0))
            unit_cost = round(value / quantity, 5) if quantity else None
            there = self.as_money({"value": value, "unit_cost": unit_cost}, wanted, but=("unit_cost",))
            found += [f"{item}: {sentence}" for sentence in mismatches(wanted, there)]
        return found

    def as_money(self, row: Row, wanted: Row, *, but: tuple[str, ...] = ()) -> Row:
        """Amounts as the case says them: shares are kept finer than a cent; whole cents mean the rounded sum."""
        amounts = {field: _decimal(row.get(field)) for field in wanted if field not in but}
        return row | {
            field: amount.quantize(self.cent, ROUND_HALF_UP)
            for field, amount in amounts.items()
            if amount is not None and _in_steps_of(self.cent, wanted[field])
        }

    def costs(self, expected: Row) -> list[str]:
        found = []
        for number, wanted in expected.items():
            [row] = self.rows("reports", "production-order-costs", production_order=number) or [{}]
            found += [f"{number}: {sentence}" for sentence in mismatches(wanted, self.as_money(row, wanted))]
        return found

    def price_variance(self, expected: Any) -> list[str]:
        amount = sum((Decimal(row["amount"]) for row in self.rows("reports", "price-variance")), Decimal(0))
        wanted = {"amount": expected}
        return mismatches(wanted, self.as_money({"amount": amount}, wanted))

    def invoices(self, expected: list[Row]) -> list[str]:
        found = []
        for wanted in expected:
            invoice = self.document("invoice", wanted["invoice"])
            if invoice is None:
                found.append(f"invoice {wanted['invoice']}: there is none")
                continue
            wrong = mismatches(wanted, invoice, but=("invoice", "held"))
            reasons = [reason["code"] if isinstance(reason, dict) else reason for reason in invoice.get("held") or []]
            if "held" in wanted and sorted(wanted["held"]) != sorted(set(reasons)):
                wrong.append(f"held is {', '.join(reasons) or 'empty'} and should be {', '.join(wanted['held'])}")
            found += [f"invoice {wanted['invoice']}: {sentence}" for sentence in wrong]
        return found

    def charge_backs(self, expected: list[Row]) -> list[str]:
        numbered = [
            {**row, "order": self.documents.number("order", row["order"])} if "order" in row else row
            for row in expected
        ]

        def mismatch(wanted: Row, row: Row) -> list[str]:
            return mismatches(wanted, self.as_money(row, wanted, but=("vendor", "order")))

        return each_once(numbered, self.rows("charge-backs"), mismatch, _name("vendor", "order"))


def _in_steps_of(cent: Decimal, value: Any) -> bool:
    amount = _decimal(value)
    return amount is not None and amount.is_finite() and amount == amount.quantize(cent)


def _line_mismatches(wanted: Row, line: Row) -> list[str]:
    """`open` is the open quantity where the case says a number, and whether the price is still to be set where it says yes."""
    wrong = mismatches(wanted, line, but=("line", "open"))
    if "open" in wanted:
        says_yes = _truth(wanted["open"]) is not None
        wrong += mismatches({"open": wanted["open"]}, {"open": line["price_open"] if says_yes else line["open"]})
    return wrong


def _shipment_mismatches(wanted: Row, shipment: Row) -> list[str]:
    """Lines of one part (and lot) count together, and as each stands."""
    wrong = mismatches(wanted, shipment, but=("shipment", "lines"))
    together: dict[Any, Decimal] = defaultdict(Decimal)
    for line in shipment.get("lines", []):
        together[line["item"], None] += Decimal(line["quantity"])
        if line.get("lot"):
            together[line["item"], line["lot"]] += Decimal(line["quantity"])
    alone = [(line["item"], line.get("lot"), Decimal(line["quantity"])) for line in shipment.get("lines", [])]
    for line in wanted.get("lines", []):
        item, lot, quantity = str(line["item"]), line.get("lot"), Decimal(line["quantity"])
        lot = None if lot is None else str(lot)
        if together.get((item, lot)) == quantity:
            continue
        if not any(item == of_item and lot in (None, of_lot) and quantity == one for of_item, of_lot, one in alone):
            there = ", ".join(f"{item} {_say(str(one))}" for item, _, one in alone) or "empty"
            wrong.append(f"lines are {there} and should hold {line['item']} {_say(quantity)}")
    return wrong


def _receipt_line_mismatches(wanted: Row, line: Row) -> list[str]:
    wrong = mismatches(wanted, {**line, "line": line["order_line"]}, but=("consumed",))
    consumed = line.get("consumed") or {}
    for item, quantity in (wanted.get("consumed") or {}).items():
        if not same(quantity, consumed.get(str(item), 0)):
            wrong.append(f"consumed {item} is {_say(consumed.get(str(item), 0))} and should be {_say(quantity)}")
    return wrong


def _lies(row: Row, place: str) -> bool:
    """Whether a balance lies at a place of the case.

    A vendor's location holds all that is there, pieces of every stage too; a place of ours its stock, while pieces between
    two operations of ours are at `WIP:<production order>/<operation>`.
    """
    stage = row.get("stage") or ""
    if place.startswith("WIP:"):
        return stage == place.removeprefix("WIP:") and not str(row["location"]).startswith("AT-")
    return row["location"] == place and (not stage or place.startswith("AT-"))
