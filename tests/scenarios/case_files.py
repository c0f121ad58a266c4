"""Cases as files: reading them, adding up what they use, and the defaults that let a case state only what matters."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.vocabulary import KEYS

OWN_CASES = Path(__file__).parent / "cases"
NOT_YET = Path(__file__).parent / "not_yet.txt"

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class _Loader(yaml.CSafeLoader):
    """YAML whose numbers with a point are exact decimals."""


_Loader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node).replace("_", ""))
)


def read(path: Path) -> dict[str, Any]:
    """The content of a YAML file, numbers with a point as Decimal."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader) or {}


def find_cases(folder: Path) -> list[Path]:
    """The cases of a folder by name. A file without steps and expectations is ground for others, no case."""
    return [path for path in sorted(folder.glob("*.yaml")) if _is_case(path)]


def _is_case(path: Path) -> bool:
    """A file that cannot be read counts as one: it fails by itself, and the others of the folder are played."""
    try:
        return bool(read(path).keys() & {"steps", "expect"})
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError):
        return True


def load_case(path: Path) -> dict[str, Any]:
    """A case with all that it uses: `given` holds the used file's rows, then its own."""
    case = read(path)
    used = case.get("uses")
    if used:
        beside = path.with_name(used)
        ground = load_case(beside if beside.exists() else OWN_CASES / used)
        case["given"] = add_tables(ground.get("given") or {}, case.get("given") or {})
    return case


def not_yet() -> dict[str, str]:
    """Cases whose words the product cannot answer yet, with the reason: `name: reason`, one a line."""
    lines = (line.partition("#")[0].strip() for line in NOT_YET.read_text(encoding="utf-8").splitlines())
    return {name.strip(): reason.strip() for name, _, reason in (line.partition(":") for line in lines if line)}


def add_tables(ground: Tables, own: Tables) -> Tables:
    """Rows of both; a row of `own` with the key of a row of `ground` takes its place."""
    added = deepcopy(ground)
    for table, rows in own.items():
        places = {_key(table, row): place for place, row in enumerate(added.setdefault(table, []))}
        for row in rows:
            place = places.get(_key(table, row))
            if place is None:
                added[table].append(row)
            else:
                added[table][place] = row
    return added


def _key(table: str, row: Row) -> tuple[str, ...]:
    blanks = {"location": "MAIN"} if table == "stock" else {"minimum_qty": "0"}
    return tuple(str(row.get(column) or blanks.get(column, "")) for column in KEYS.get(table, ("code",)))


def with_ground(tables: Tables) -> Tables:
    """The tables of a case's `given` on the ground every case stands on; its own rows take the place of that ground's."""
    ground: Tables = {
        "company": [{"name": "Scenario", "currency": "EUR", "time_zone": "UTC"}],
        "units": [{"code": "pcs", "name": "Pieces", "decimals": 0}, {"code": "kg", "name": "Kilogram", "decimals": 3}],
        "sites": [{"code": "MAIN"}],
        "locations": [{"code": "MAIN", "name": "Main store", "kind": "plant", "site": "MAIN"}],
        "work_centers": [
            {"code": "WC-IN", "kind": "internal", "capacity_hours_per_day": 8, "hourly_cost": 60},
            {"code": "OUT", "kind": "external"},
        ],
    }
    return add_tables(ground, tables)


def row_defaults(tables: Tables, *, costs: dict[str, Any]) -> Tables:
    """What a row of a case leaves out: a vendor's location, a unit, a kind, whether a step goes out, what stock costs.

    `costs` are standard costs by item known from earlier rows; those of these tables are added to it.
    """
    tables = {table: [_yes_no(plain(row)) for row in rows or []] for table, rows in tables.items()}
    vendors = tables.get("vendors", [])
    for vendor in vendors:
        vendor.setdefault("active", "yes")
    if vendors:
        at_vendors = [
            {"code": f"AT-{vendor['code']}", "kind": "vendor", "vendor": vendor["code"]} for vendor in vendors
        ]
        tables |= add_tables({"locations": at_vendors}, {"locations": tables.get("locations", [])})
    for item in tables.get("items", []):
        item.setdefault("unit", "pcs")
        item.setdefault("kind", _kind(str(item["code"])))
        item.setdefault("lot_tracked", "no")
        if item.get("standard_cost") is not None:
            costs[item["code"]] = item["standard_cost"]
    for step in [*tables.get("routings", []), *tables.get("routing_alternatives", [])]:
        step.setdefault("outsourced", "yes" if step.get("work_center") == "OUT" else "no")
    for lying in tables.get("stock", []):
        lying.setdefault("location", "MAIN")
        if lying["item"] in costs:
            lying.setdefault("cost", costs[lying["item"]])
    return tables


def _kind(code: str) -> str:
    return "raw" if re.match(r"RM|C", code) else "semi" if code.startswith("SF") else "finished"


def _yes_no(row: Row) -> Row:
    """A row with yes and no as the import format writes them."""
    return {
        column: {True: "yes", False: "no"}[value] if isinstance(value, bool) else value for column, value in row.items()
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: dates as text, decimals as they are."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value
