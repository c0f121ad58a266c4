"""The tables of the import format: their columns, and how a cell of each is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from interchange.rules import values as v
from interchange.rules.values import Reader


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is read and what an empty cell means; `required` ones may be neither missing nor empty."""

    read: Reader
    blank: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and which of them together are its key."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    aliases: Mapping[str, str] = field(default_factory=dict)


CODE, NAME, NUMBER = v.text(60), v.text(200), v.text(20)
QUANTITY = v.decimal(5, least=0, above=True, code="invalid_quantity")
QUANTITY_OR_NONE = v.decimal(5, least=0, code="invalid_quantity")
PERCENT = v.decimal(3, most=100_000)
DAYS = v.whole(most=36_500)


def need(read: Reader) -> Column:
    return Column(read, required=True)


def may(read: Reader, blank: Any = None) -> Column:
    return Column(read, blank)


EXTERNAL = {"source": may(CODE, ""), "external_refs": may(v.references, [])}  # every row of every table may carry them

STEP = {
    "item": need(CODE),
    "operation_no": need(NUMBER),
    "name": may(v.text(100), ""),
    "process": may(v.text(100)),
    "sequence": may(v.whole(least=1)),
    "work_center": may(CODE),
    "setup_minutes": may(v.decimal(4, most=10_000_000)),
    "run_minutes_per_unit": may(v.decimal(6, most=999_999)),
    "outsourced": may(v.choice(("no", "yes", "maybe"))),
    "next_operation_no": may(v.parts(20), []),
}

TABLES: dict[str, Table] = {
    table.name: replace(table, columns={**table.columns, **EXTERNAL})
    for table in (
        Table(
            "company",
            (),
            {
                "name": may(NAME, ""),
                "currency": may(v.currency),
                "time_zone": may(v.time_zone, "UTC"),
                "address": may(v.text(2000), ""),
            },
        ),
        Table(
            "exchange_rates",
            ("currency", "valid_from"),
            {
                "currency": need(v.currency),
                "rate": need(v.decimal(8, least=0, above=True)),
                "valid_from": need(v.day),
            },
        ),
        Table("units", ("code",), {"code": need(NUMBER), "name": may(CODE, ""), "decimals": may(v.whole(most=5), 5)}),
        Table("item_groups", ("code",), {"code": need(CODE), "name": may(NAME, "")}),
        Table(
            "vendors",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "country": may(v.country, ""),
                "city": may(v.text(100), ""),
                "currency": may(v.currency),
                "email": may(v.email, ""),
                "address": may(v.text(2000), ""),
                "language": may(v.choice(("", "en", "de")), ""),
                "belongs_to": may(CODE),
                "transit_out_days": may(DAYS),
                "transit_back_days": may(DAYS),
                "active": may(v.yes_no, True),
            },
        ),
        Table(
            "sites",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "time_zone": may(v.time_zone, ""),
                "address": may(v.text(2000), ""),
            },
        ),
        Table(
            "locations",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "kind": may(
                    v.choice(("plant", "warehouse", "production", "vendor", "transit", "inspection", "quarantine")),
                    "warehouse",
                ),
                "vendor": may(CODE),
                "site": may(CODE),
            },
        ),
        Table(
            "items",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "unit": may(NUMBER),
                "kind": may(v.choice(("raw", "semi", "finished", "service")), "raw"),
                "item_group": may(CODE),
                "lot_tracked": may(v.yes_no, False),
                "serial_tracked": may(v.yes_no, False),
                "blocked": may(v.yes_no, False),
                "phantom": may(v.yes_no, False),
                "standard_cost": may(v.money()),
                "weight_kg": may(v.decimal(5, least=0)),
                "revision": may(NUMBER, ""),
            },
            {"item_blocked": "blocked"},
        ),
        Table(
            "item_units",
            ("item", "unit"),
            {
                "item": need(CODE),
                "unit": need(NUMBER),
                "factor": may(v.decimal(8, above=True)),
                "per_item": may(v.decimal(8, above=True)),
            },
        ),
        Table(
            "work_centers",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "kind": may(v.choice(("internal", "external"))),
                "vendor": may(CODE),
                "capacity_hours_per_day": may(v.decimal(3, above=True, most=9_999_999)),
                "location": may(CODE),
                "site": may(CODE),
                "hourly_cost": may(v.money()),
            },
        ),
        Table(
            "processes",
            ("code",),
            {
                "code": need(v.text(100)),
                "name": may(NAME, ""),
                "certificates": may(v.kinds, []),
                "requires_approval": may(v.yes_no, False),
            },
        ),
        Table(
            "specifications",
            ("item", "process"),
            {"item": may(CODE), "process": may(v.text(100)), "text": need(v.text(10_000))},
            {"operation_name": "process"},
        ),
        Table(
            "calendars",
            ("vendor", "work_center", "date", "country"),
            {
                "vendor": may(CODE),
                "work_center": may(CODE),
                "date": may(v.day),
                "end": may(v.day),
                "country": may(v.country, ""),
                "subdivision": may(v.text(10), ""),
                "reason": may(NAME, ""),
            },
            {"start": "date"},
        ),
        Table(
            "downtimes",
            ("work_center", "start"),
            {"work_center": need(CODE), "start": need(v.day), "end": need(v.day), "reason": may(NAME, "")},
        ),
        Table(
            "boms",
            (),
            {
                "parent": need(CODE),
                "component": need(CODE),
                "quantity": need(v.decimal(5, least=None, zero=False, code="invalid_quantity")),
                "scrap_pct": may(v.decimal(4, most=9_999), 0),
                "operation_no": may(NUMBER, ""),
                "supply": may(v.choice(("own", "vendor", "consigned", "direct", "returnable", "by_product")), "own"),
                "by_product": may(v.yes_no, False),
                "quantity_basis": may(v.choice(("per_unit", "per_order")), "per_unit"),
            },
        ),
        Table("routings", ("item", "operation_no"), STEP),
        Table("routing_alternatives", ("item", "variant", "operation_no"), {**STEP, "variant": need(CODE)}),
        Table(
            "policies",
            ("code",),
            {
                "code": need(CODE),
                "name": may(NAME, ""),
                "status": may(v.choice(("draft", "active", "retired")), "active"),
                "priority": may(v.whole(), 100),
                "valid_from": may(v.day),
                "valid_to": may(v.day),
                "item": may(CODE),
                "item_group": may(CODE),
                "process": may(v.text(100)),
                "work_center": may(CODE),
                "site": may(CODE),
                "quantity_from": may(QUANTITY_OR_NONE),
                "quantity_to": may(QUANTITY_OR_NONE),
                "season_from": may(v.day),
                "season_to": may(v.day),
                "load_above_pct": may(PERCENT),
                "when_down": may(v.yes_no, False),
                "late_days": may(DAYS),
                "cost_below_pct": may(PERCENT),
                "transition_from": may(v.day),
                "transition_share_pct": may(v.decimal(3, most=100)),
                "verdict": may(v.choice(("outsource", "in_house", "review", "buy_complete")), "outsource"),
                "strategy": may(v.choice(("preferred", "lowest_cost", "earliest", "quota")), "preferred"),
                "vendors": may(v.ranked_vendors, []),
                "split": may(v.choice(("none", "share", "capacity")), "none"),
                "balance_days": may(DAYS, 180),
                "consolidate": may(v.choice(("none", "production_order", "day", "week", "month")), "none"),
                "auto_approve_up_to": may(v.decimal(2)),
                "auto_send": may(v.yes_no, False),
                "auto_send_wait_minutes": may(v.whole(most=100_000), 0),
                "auto_send_days_before": may(DAYS, 30),
                "price_missing": may(v.choice(("block", "estimate")), "block"),
                "over_receipt_pct": may(PERCENT, 0),
                "under_receipt_pct": may(v.decimal(3, most=100), 0),
                "over_send_pct": may(PERCENT, 0),
                "price_tolerance_pct": may(PERCENT, 0),
                "price_tolerance_amount": may(v.decimal(2), 0),
                "quantity_tolerance_pct": may(PERCENT, 0),
                "pay_for": may(v.choice(("accepted", "received")), "accepted"),
                "consumption": may(v.choice(("standard", "as_sent", "as_reported")), "standard"),
                "yield_pct": may(v.decimal(3, above=True, most=100)),
                "use_vendor_stock": may(v.yes_no, False),
                "shortage": may(v.choice(("block", "warn")), "block"),
                "inspection": may(v.inspection, ("none", None)),
                "certificates": may(v.kinds, []),
                "rejects": may(v.choice(("absorb", "expense", "charge_vendor")), "expense"),
                "transit_out_days": may(DAYS, 0),
                "transit_back_days": may(DAYS, 0),
                "inspection_days": may(DAYS, 0),
                "preparation_days": may(DAYS, 0),
            },
        ),
        Table(
            "prices",
            (
                "vendor",
                "item",
                "operation_name",
                "process",
                "processes",
                "site",
                "currency",
                "minimum_qty",
                "valid_from",
            ),
            {
                "vendor": need(CODE),
                "item": may(CODE),
                "operation_name": may(v.text(100)),
                "process": may(v.text(100)),
                "processes": may(v.barred(100, together=500), ""),
                "site": may(CODE),
                "currency": may(v.currency),
                "unit_price": may(v.money()),
                "price_unit": may(v.price_unit, ("", 1)),
                "price_factor": may(v.decimal(8, above=True)),
                "minimum_qty": may(QUANTITY_OR_NONE, 0),
                "lot_charge": may(v.money(), 0),
                "minimum_charge": may(v.money(), 0),
                "minimum_charge_basis": may(v.choice(("line", "order")), "line"),
                "lead_days": may(DAYS),
                "yield_pct": may(v.decimal(3, above=True, most=100)),
                "freight": may(v.money(), 0),
                "valid_from": may(v.day),
                "valid_to": may(v.day),
            },
        ),
        Table(
            "vendor_approvals",
            ("vendor", "process"),
            {
                "vendor": need(CODE),
                "process": need(v.text(100)),
                "status": may(v.choice(("approved", "pending", "suspended")), "approved"),
                "valid_to": may(v.day),
                "certificate": may(NAME, ""),
            },
        ),
        Table(
            "stock",
            (),
            {
                "item": need(CODE),
                "location": may(CODE),
                "quantity": need(QUANTITY_OR_NONE),
                "lot": may(CODE, ""),
                "expires": may(v.day),
                "production_order": may(CODE),
                "operation": may(NUMBER),
                "cost": may(v.money()),
                "as_of": may(v.moment),
            },
        ),
        Table(
            "production_orders",
            ("number",),
            {
                "number": need(CODE),
                "item": need(CODE),
                "quantity": need(QUANTITY),
                "start": may(v.day),
                "due": need(v.day),
                "status": may(v.choice(("planned", "firm", "released", "in_progress", "done", "cancelled"))),
                "location": may(CODE),
                "routing_variant": may(CODE, ""),
                "parent_order": may(CODE, ""),
                "replaces": may(CODE, ""),
            },
        ),
        Table(
            "operations",
            ("order", "number"),
            {
                "order": need(CODE),
                "number": need(NUMBER),
                "sequence": may(v.whole(least=1)),
                "name": may(v.text(100)),
                "process": may(v.text(100)),
                "work_center": may(CODE),
                "setup_minutes": may(v.decimal(4, most=10_000_000)),
                "run_minutes_per_unit": may(v.decimal(6, most=999_999)),
                "outsourced": may(v.choice(("no", "yes", "maybe"))),
                "next_operation_no": may(v.parts(20)),
                "start": may(v.day),
                "end": may(v.day),
                "good": may(QUANTITY_OR_NONE),
                "scrap": may(QUANTITY_OR_NONE),
                "status": may(v.choice(("open", "in_progress", "finished", "cancelled"))),
            },
        ),
        Table(
            "open_orders",
            (),
            {
                "order": need(NUMBER),
                "line": may(v.whole(least=1, most=30_000)),
                "vendor": need(CODE),
                "production_order": may(CODE),
                "operation": may(NUMBER, ""),
                "last_operation": may(NUMBER, ""),
                "bought_complete": may(v.yes_no, False),
                "item": may(CODE),
                "process": may(v.text(100)),
                "location": may(CODE),
                "quantity": need(QUANTITY),
                "currency": may(v.currency),
                "unit_price": may(v.money()),
                "price_unit": may(v.price_unit),
                "price_factor": may(v.decimal(8, above=True)),
                "lot_charge": may(v.money()),
                "minimum_charge": may(v.money()),
                "freight": may(v.money()),
                "lead_days": may(DAYS),
                "ordered_on": may(v.day),
                "need_date": may(v.day),
                "promised_date": may(v.day),
                "status": may(v.choice(("sent", "acknowledged")), "sent"),
                "sent": may(QUANTITY_OR_NONE),
                "received": may(QUANTITY_OR_NONE),
                "accepted": may(QUANTITY_OR_NONE),
                "rejected": may(QUANTITY_OR_NONE, 0),
                "scrapped": may(QUANTITY_OR_NONE, 0),
                "invoiced": may(QUANTITY_OR_NONE, 0),
                "policy": may(CODE, ""),
            },
            {"number": "order", "operation_no": "operation", "operation_name": "process", "due": "need_date"},
        ),
    )
}
COUNTED_ONLY = ("purchase_history",)  # what is told of it is how many rows there are
REQUIRED = {
    table.name: tuple(name for name, column in table.columns.items() if column.required) for table in TABLES.values()
}
