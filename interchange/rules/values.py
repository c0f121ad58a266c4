"""One cell: from what a file or JSON holds to what a column stores. Every reader raises BadValue or returns the value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from interchange.rules.mapping import Unread
from masterdata.rules import MOST_DECIMALS, decimals_of_currency

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
YES, NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})
NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a character

Reader = Callable[[Any], Any]


class BadValue(ValueError):
    """A cell that cannot be what its column holds: a stable code and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(detail)


def plain(raw: Any) -> str:
    """The cell as text without blanks around it. JSON numbers are taken as written."""
    if isinstance(raw, str):
        text = raw.strip()
    elif isinstance(raw, bool):
        text = "yes" if raw else "no"
    elif isinstance(raw, Decimal):
        text = f"{raw:f}" if raw.is_finite() else str(raw)
    elif isinstance(raw, int | float | date):
        text = str(raw)
    else:
        raise BadValue("invalid", "This must be a single value, not a list or an object.")
    if UNSTORABLE.search(text):
        raise BadValue("invalid", "This holds a character that cannot be stored.")
    return text


def text(longest: int) -> Reader:
    def read(raw: Any) -> str:
        value = plain(raw)
        if len(value) > longest:
            raise BadValue("too_long", f"This has {len(value)} characters, {longest} are possible.")
        return value

    return read


def decimal(
    places: int,
    *,
    least: Decimal | int | None = 0,
    above: bool = False,
    most: int | None = None,
    zero: bool = True,
    code: str = "invalid",
) -> Reader:
    """A number with at most this many decimals, not below `least` (or above it), of at most 13 digits before the point.

    `zero` False: not zero.
    """
    largest = Decimal(10) ** (18 - places if places < 5 else 13)

    def read(raw: Any) -> Decimal:
        value = number(raw, code)
        if least is not None and (value < least or (above and value == least)):
            raise BadValue(code, f"{value:f} must be {'above' if above else 'at least'} {least}.")
        if not zero and value == 0:
            raise BadValue(code, "This must not be 0.")
        if most is not None and value > most:
            raise BadValue(code, f"{value:f} must be at most {most}.")
        if abs(value) >= largest:
            raise BadValue(code, f"{value:f} is too large.")
        if decimals_of(value) > places:
            raise BadValue("too_precise", f"{value:f} has more than {places} decimals.")
        return value

    return read


def decimals_of(value: Decimal) -> int:
    """How many decimals a number really has: 1.50 has one."""
    _, digits, exponent = value.as_tuple()
    places = -int(exponent)
    return max(places - (len(digits) - len("".join(map(str, digits)).rstrip("0"))), 0) if value else 0


def number(raw: Any, code: str) -> Decimal:
    value = plain(raw)
    if isinstance(raw, Unread):
        raise BadValue(code, raw.why)
    if not NUMBER.fullmatch(value):
        raise BadValue(code, f"“{value[:60]}” is not a number.")
    return Decimal(value)


def money(places: int = 5) -> Reader:
    """A price or cost; more decimals than are stored are rounded half-up (a purchase unit's price divided by its content)."""
    read_exactly = decimal(60, code="invalid")
    quantum = Decimal(1).scaleb(-places)

    def read(raw: Any) -> Decimal:
        value: Decimal = read_exactly(raw)
        return value.quantize(quantum, "ROUND_HALF_UP")

    return read


def whole(*, least: int = 0, most: int = 2_000_000_000, code: str = "invalid") -> Reader:
    read_exactly = decimal(5, least=least, most=most, code=code)

    def read(raw: Any) -> int:
        value: Decimal = read_exactly(raw)
        if value != value.to_integral_value():
            raise BadValue(code, f"{value:f} must be a whole number.")
        return int(value)

    return read


def day(raw: Any) -> date:
    value = plain(raw)
    try:
        # A spreadsheet that writes midnight with the date means the day.
        found = date.fromisoformat(value[:-9] if value.endswith((" 00:00:00", "T00:00:00")) else value)
    except ValueError:
        raise BadValue("invalid_date", f"“{value[:60]}” is not a date like 2026-03-31.") from None
    if not EARLIEST <= found <= LATEST:
        raise BadValue("invalid_date", f"{found} is not between {EARLIEST} and {LATEST}.")
    return found


def moment(raw: Any) -> datetime:
    """A day (its end, as stock is counted) or an instant with its zone."""
    value = plain(raw)
    if len(value) == 10:
        return datetime.combine(day(value), time.max, UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise BadValue("invalid_date", f"“{value[:60]}” is not a date or an instant.") from None
    if found.tzinfo is None:
        raise BadValue("invalid_date", f"“{value[:60]}” names no time zone.")
    if not EARLIEST <= found.date() <= LATEST:
        raise BadValue("invalid_date", f"{found.date()} is not between {EARLIEST} and {LATEST}.")
    return found


def yes_no(raw: Any) -> bool:
    value = plain(raw).lower()
    if value in YES:
        return True
    if value in NO:
        return False
    raise BadValue("invalid", f"“{value[:60]}” is neither yes nor no.")


def choice(values: Collection[str]) -> Reader:
    allowed = tuple(values)

    def read(raw: Any) -> str:
        value = plain(raw)
        if value not in allowed:
            raise BadValue("invalid", f"“{value[:60]}” is none of: {', '.join(allowed)}.")
        return value

    return read


def currency(raw: Any) -> str:
    value = plain(raw)
    if not re.fullmatch("[A-Z]{3}", value, re.ASCII):
        raise BadValue("invalid", f"“{value[:60]}” is not a currency code of three capitals.")
    decimals = decimals_of_currency(value)
    if decimals > MOST_DECIMALS:
        raise BadValue(
            "invalid",
            f"Amounts in {value} have {decimals} decimals; Outwork keeps {MOST_DECIMALS}, so it cannot be used.",
        )
    return value


def country(raw: Any) -> str:
    value = plain(raw)
    if not re.fullmatch("[A-Z]{2}", value, re.ASCII):
        raise BadValue("invalid", f"“{value[:60]}” is not a country code of two capitals.")
    return value


def email(raw: Any) -> str:
    value = plain(raw)
    if len(value) > 254 or not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise BadValue("invalid", f"“{value[:60]}” is not an e-mail address.")
    return value


def time_zone(raw: Any) -> str:
    value = plain(raw)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise BadValue("invalid", f"“{value[:60]}” is not a time zone like Europe/Berlin.") from None
    return value


def parts(longest: int) -> Reader:
    """Several short texts: a list, or written with bars between (10|20)."""
    read_one = text(longest)

    def read(raw: Any) -> list[str]:
        many = raw if isinstance(raw, list | tuple) else plain(raw).split("|")
        return [value for value in map(read_one, many) if value]

    return read


def barred(longest: int, *, together: int) -> Reader:
    """Several short texts as one, with bars between, of `together` characters at most."""
    read_all, read_one = parts(longest), text(together)
    return lambda raw: read_one("|".join(read_all(raw)))


def structured(raw: Any) -> Any:
    """A list or object, in a file as JSON text."""
    if isinstance(raw, list | dict):
        return raw
    value = plain(raw)
    try:
        return json.loads(value, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadValue("invalid", f"“{value[:60]}” is not JSON.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def references(raw: Any) -> list[dict[str, str]]:
    """How other systems call the row: a list of {system, key}, in a file as JSON or system:key with bars between."""
    if isinstance(raw, str) and not raw.strip().startswith(("[", "{")):
        pairs: Sequence[Any] = [
            dict(zip(("system", "key"), pair.split(":", 1), strict=False)) for pair in plain(raw).split("|")
        ]
    else:
        found = structured(raw)
        pairs = found if isinstance(found, list) else [found]
    read = text(100)
    if not all(isinstance(pair, dict) and pair.keys() == {"system", "key"} for pair in pairs):
        raise BadValue("invalid", "References are a list of {system, key}.")
    return [{"system": read(pair["system"]), "key": read(pair["key"])} for pair in pairs]


def inspection(raw: Any) -> tuple[str, Decimal | None]:
    """none, all, or {sample_pct: 10}: (kind, percent)."""
    if isinstance(raw, str) and not raw.strip().startswith("{"):
        return choice(("none", "all"))(raw), None
    found = structured(raw)
    if not isinstance(found, dict) or found.keys() != {"sample_pct"}:
        raise BadValue("invalid", "Inspection is none, all or {sample_pct: 10}.")
    return "sample", decimal(3, above=True, most=100)(found["sample_pct"])


VENDOR_PARTS: dict[str, Reader] = {
    "share_pct": decimal(3, most=100),
    "weekly_capacity": decimal(5),
    "quantity_from": decimal(5),
    "quantity_to": decimal(5),
}


def ranked_vendors(raw: Any) -> list[dict[str, Any]]:
    """Vendors in rank order: codes, or objects with vendor and share_pct, weekly_capacity, quantity_from, quantity_to."""
    is_plain = isinstance(raw, str) and not raw.strip().startswith(("[", "{"))
    found = parts(60)(raw) if is_plain else structured(raw)
    vendors = []
    for entry in found if isinstance(found, list) else [found]:
        stated = entry if isinstance(entry, dict) else {"vendor": entry}
        unknown = stated.keys() - VENDOR_PARTS.keys() - {"vendor"}
        if unknown or not stated.get("vendor"):
            raise BadValue(
                "invalid",
                "A vendor is his code, or has vendor, share_pct, weekly_capacity, quantity_from, quantity_to.",
            )
        vendor: dict[str, Any] = {"vendor": text(60)(stated["vendor"])}
        for name, read in VENDOR_PARTS.items():
            if stated.get(name) not in (None, ""):
                vendor[name] = read(stated[name])
        smallest, largest = vendor.get("quantity_from"), vendor.get("quantity_to")
        if smallest is not None and largest is not None and largest < smallest:
            raise BadValue(
                "invalid_quantity",
                f"{largest:f} is less than {smallest:f}, from which he is used: he would never be given any.",
            )
        vendors.append(vendor)
    if len({vendor["vendor"] for vendor in vendors}) < len(vendors):
        raise BadValue("invalid", "A vendor stands twice in the list.")
    return vendors


def price_unit(raw: Any) -> tuple[str, Decimal]:
    """What a price is for, with how many of the item's unit that is: kg is (kg, 1), 100 pcs is (100 pcs, 100)."""
    value = text(20)(raw)
    leading = re.match(r"\d+(\.\d+)?", value, re.ASCII)
    factor = Decimal(leading.group()) if leading else Decimal(1)
    if not 0 < factor < 10**9:
        raise BadValue("invalid", f"“{value}” says no amount above zero.")
    return value, factor


def kinds(raw: Any) -> list[str]:
    """Kinds of certificate: a list, JSON, or written with bars between."""
    if isinstance(raw, str) and raw.strip().startswith("["):
        raw = structured(raw)
    found: list[str] = parts(60)(raw)
    return found
