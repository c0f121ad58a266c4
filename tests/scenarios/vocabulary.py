"""Every word a case may use: steps and their fields, expectations and theirs, tables and their columns, codes."""

CASE = {"title", "source", "uses", "today", "given", "steps", "expect"}
BESIDE_A_STEP = {"expect", "refused", "times"}

# Step → fields. A field with a list of objects names the objects' fields; `None` holds any value.
PLAN = {"number", "item", "quantity", "due", "start", "status", "location"}
SHIP_LINE = {"item", "quantity", "lot", "line"}
INVOICE_LINE = {"order", "line", "quantity", "unit_price"}
STEPS: dict[str, dict[str, set[str] | None]] = {
    "cancel_plan": {"number": None},
    "outsource": {"production_order": None, "operation": None, "vendor": None, "reason": None},
    "insource": {"production_order": None, "operation": None, "vendor": None, "reason": None},
    "report": {"production_order": None, "operation": None, "good": None, "scrap": None},
    "simulate": {"policy": None},
    "generate": {},
    "approve": {"order": None},
    "send": {"order": None},
    "cancel": {"order": None},
    "close": {"order": None, "leftovers": None},
    "reopen": {"order": None},
    "acknowledge": {"order": None},
    "counter": {"order": None, "line": None, "quantity": None, "promised_date": None},
    "accept_counter": {"order": None},
    "revise": {"order": None, "line": None, "quantity": None, "unit_price": None, "need_date": None},
    "ship": {"order": None, "lines": SHIP_LINE, "from": None, "to": None, "hold": None},
    "deliver": {"shipment": None},
    "cancel_shipment": {"shipment": None},
    "reverse_shipment": {"shipment": None},
    "receive": {
        "order": None,
        "note": None,
        "lines": {
            "line", "accepted", "rejected", "scrapped", "lot", "serials", "consumed", "certificates", "inspect_quantity",
        },
    },
    "inspect": {"receipt": None, "line": None, "accepted": None, "rejected": None, "disposition": None},
    "adjust_consumption": {"receipt": None, "line": None, "item": None, "quantity": None, "lot": None},
    "reverse_receipt": {"receipt": None},
    "return_material": {"vendor": None, "lines": {"item", "quantity", "lot"}},
    "return_product": {"receipt": None, "line": None, "quantity": None},
    "count": {"vendor": None, "item": None, "counted": None, "lot": None, "reason": None},
    "invoice": {
        "vendor": None, "number": None, "currency": None, "lines": INVOICE_LINE, "charges": {"kind", "amount"},
    },
    "match": {"invoice": None},
    "release": {"invoice": None},
    "dispute": {"invoice": None},
    "approve_invoice": {"invoice": None},
    "credit": {"invoice": None, "lines": INVOICE_LINE},
    "apply_alert": {"kind": None},
}  # fmt: skip
# Steps whose value is not an object: `today` a date, `load` tables, `plan` a list.
PLAIN_STEPS = {"today", "load", "plan"}

LINE = {
    "line", "production_order", "operation", "last_operation", "quantity", "received", "unit_price", "work_amount",
    "minimum_top_up", "lot_charge", "amount", "need_date", "order_by", "dispatch_by", "late_by", "open",
}  # fmt: skip
# Expectation → fields of its objects.
EXPECTATIONS: dict[str, set[str]] = {
    "counts": {"orders", "order_lines", "shipments", "receipts", "open_alerts", "decisions"},
    "orders": {"order", "vendor", "status", "material", "receipt", "currency", "total", "revision", "lines"},
    "order_lines": LINE,
    "components": {
        "order", "line", "item", "required", "sent", "consumed", "returned", "written_off", "lost", "at_vendor", "supply",
    },
    "shipments": {"shipment", "status", "from", "to", "lines"},
    "expected_receipts": {"order", "line", "quantity", "date", "location"},
    "receipts": {"receipt", "lines"},
    "operations": {"production_order", "operation", "status", "good", "scrap"},
    "decisions": {"production_order", "operation", "verdict", "vendor", "policy", "quantity", "reason"},
    "alerts": {"kind", "order", "production_order", "proposes"},
    "invoices": {"invoice", "status", "held"},
    "charge_backs": {"vendor", "order", "amount"},
    "answer": {"orders", "lines", "value", "changed"},
    "schedule": {"production_order", "operation", "start", "end"},
}  # fmt: skip
# Expectations keyed by names of the case, and what stands under each name.
KEYED = {
    "stock": None,
    "value": {"unit_cost", "value"},
    "costs": {"components", "work", "charges", "actual", "expected"},
}
PLAIN_EXPECTATIONS = {"no_alerts", "price_variance"}
INNER_LINES: dict[str, set[str]] = {
    "orders": LINE,
    "shipments": {"item", "quantity", "lot"},
    "receipts": {"line", "accepted", "rejected", "scrapped", "consumed"},
}

REFUSALS = set(
    """above_maximum over_receipt over_send not_enough_stock vendor_short no_price not_approved approval_expired below_minimum
    no_capacity item_blocked inactive wrong_state closed not_found duplicate_number invalid_quantity too_precise stale
    already_ordered lot_required serial_required certificate_missing inspection_due over_invoice price_out_of_tolerance
    nothing_to_do previous_operation_short no_right""".split()
)
ALERTS = set(
    """requirement_changed requirement_cancelled material_left_at_vendor late unconfirmed not_sent short_receipt over_receipt
    shortage certificate_missing approval_expiring below_minimum batch_opportunity vendor_stock_old return_due invoice_held
    vendor_countered discrepancy""".split()
)

REFS = {"source", "external_refs", "origin"}
TABLES: dict[str, set[str]] = {
    "company": {"currency", "time_zone", "name", "address"},
    "units": {"code", "name", "decimals"},
    "item_groups": {"code", "name"},
    "items": {
        "code", "name", "unit", "kind", "lot_tracked", "standard_cost", "item_group", "serial_tracked", "blocked", "phantom",
    },
    "sites": {"code", "name", "time_zone", "address"},
    "vendors": {
        "code", "name", "country", "currency", "email", "active", "belongs_to", "transit_out_days", "transit_back_days",
    },
    "locations": {"code", "name", "kind", "vendor", "site"},
    "work_centers": {
        "code", "name", "kind", "vendor", "capacity_hours_per_day", "location", "hourly_cost", "site",
    },
    "processes": {"code", "name", "certificates"},
    "boms": {"parent", "component", "quantity", "scrap_pct", "operation_no", "supply", "quantity_basis"},
    "routings": {
        "item", "operation_no", "name", "work_center", "setup_minutes", "run_minutes_per_unit", "outsourced",
        "next_operation_no",
    },
    "routing_alternatives": {
        "item", "variant", "operation_no", "name", "work_center", "setup_minutes", "run_minutes_per_unit", "outsourced",
        "next_operation_no",
    },
    "prices": {
        "vendor", "item", "operation_name", "processes",
        "currency", "unit_price", "minimum_qty", "lot_charge", "lead_days", "valid_from",
        "valid_to", "price_unit", "minimum_charge", "minimum_charge_basis", "yield_pct", "freight",
    },
    "vendor_approvals": {"vendor", "process", "status", "valid_to", "certificate"},
    "policies": {
        "code", "name", "status", "priority", "valid_from", "valid_to",
        "item", "item_group", "process", "work_center", "site",
        "quantity_from", "quantity_to", "season_from", "season_to", "load_above_pct", "when_down", "late_days",
        "cost_below_pct", "transition_from", "transition_share_pct",
        "verdict", "strategy", "vendors", "split", "balance_days", "price_missing", "pay_for",
        "consolidate", "auto_approve_up_to", "auto_send",
        "over_receipt_pct", "under_receipt_pct", "over_send_pct", "consumption", "yield_pct", "use_vendor_stock", "shortage",
        "price_tolerance_pct", "quantity_tolerance_pct",
        "inspection", "certificates", "rejects",
        "transit_out_days", "transit_back_days", "inspection_days", "preparation_days",
    },
    "stock": {"item", "location", "quantity", "lot", "cost"},
    "calendars": {"vendor", "work_center", "date", "end", "country", "subdivision", "reason"},
    "item_units": {"item", "unit", "factor", "per_item"},
    "specifications": {"item", "process", "text"},
    "exchange_rates": {"currency", "rate", "valid_from"},
    "downtimes": {"work_center", "start", "end", "reason"},
    "production_orders": {
        "number", "item", "quantity", "start", "due", "status", "location", "routing_variant", "parent_order", "replaces",
    },
    "operations": {"order", "number", "sequence", "work_center", "start", "end", "good", "scrap", "status"},
    "open_orders": set(),  # any column: its shape is the go-live loader's
}  # fmt: skip

# What makes two rows of a table the same row, where a case adds its rows to those of the file it uses.
KEYS: dict[str, tuple[str, ...]] = {
    "company": (),
    "units": ("code",),
    "item_groups": ("code",),
    "items": ("code",),
    "sites": ("code",),
    "vendors": ("code",),
    "locations": ("code",),
    "work_centers": ("code",),
    "processes": ("code",),
    "boms": ("parent", "component", "operation_no"),
    "routings": ("item", "operation_no"),
    "routing_alternatives": ("item", "variant", "operation_no"),
    "prices": ("vendor", "item", "operation_name", "processes", "currency", "minimum_qty", "valid_from"),
    "vendor_approvals": ("vendor", "process"),
    "policies": ("code",),
    "stock": ("item", "location", "lot"),
    "calendars": ("vendor", "work_center", "date", "country"),
    "item_units": ("item", "unit"),
    "specifications": ("item", "process"),
    "exchange_rates": ("currency", "valid_from"),
    "downtimes": ("work_center", "start"),
    "production_orders": ("number",),
    "operations": ("order", "number"),
    "open_orders": ("order", "line"),
}


class UnknownWord(Exception):
    """A case uses a word that the vocabulary does not have."""


def check_case(case: dict, *, tables: bool = False) -> None:
    """Raise UnknownWord at the first word of a case that is none; with `tables`, the columns of its rows too.

    Importers ignore columns they do not know, so a case from elsewhere is played without a look at its columns.
    """
    _known("case", case, CASE)
    if tables:
        _check_tables("given", case.get("given") or {})
    for number, step in enumerate(case.get("steps") or [], 1):
        words = [word for word in step if word not in BESIDE_A_STEP]
        if len(words) != 1:
            raise UnknownWord(f"step {number} must have one word of its own and has {words}")
        _check_step(f"step {number}", words[0], step[words[0]], tables=tables)
        if step.get("refused", "closed") not in REFUSALS:
            raise UnknownWord(f"step {number}: unknown refusal code {step['refused']!r}")
        _check_expect(f"step {number}", step.get("expect") or {})
    _check_expect("end", case.get("expect") or {})


def _known(where: str, given: dict, known: set[str]) -> None:
    unknown = sorted(str(word) for word in given if word not in known)
    if unknown:
        raise UnknownWord(f"{where}: unknown {', '.join(unknown)}")


def _check_tables(where: str, tables: dict) -> None:
    _known(where, tables, set(TABLES))
    for table, rows in tables.items():
        for row in rows:
            if TABLES[table]:
                _known(f"{where}.{table}", row, TABLES[table] | REFS)


def _check_step(where: str, word: str, value: object, *, tables: bool) -> None:
    if word == "load" and tables:
        _check_tables(f"{where} load", value)
    elif word == "plan":
        for row in value:
            _known(f"{where} plan", row, PLAN)
    elif word in STEPS:
        _known(f"{where} {word}", value or {}, set(STEPS[word]))
        for field, inner in STEPS[word].items():
            for row in (value or {}).get(field) or [] if inner else []:
                _known(f"{where} {word}.{field}", row, inner)
    elif word not in PLAIN_STEPS:
        raise UnknownWord(f"{where}: unknown step {word!r}")


def _check_expect(where: str, expect: dict) -> None:
    _known(f"{where} expect", expect, set(EXPECTATIONS) | set(KEYED) | PLAIN_EXPECTATIONS)
    for word, value in expect.items():
        here = f"{where} expect.{word}"
        if word in KEYED:
            for row in value.values() if KEYED[word] else []:
                _known(here, row, KEYED[word])
        elif word in ("counts", "answer"):
            _known(here, value, EXPECTATIONS[word])
            for row in value.get("changed", []) if word == "answer" else []:
                _known(f"{here}.changed", row, {"production_order", "operation", "from", "to", "vendor"})
        elif word in EXPECTATIONS:
            for row in value:
                _known(here, row, EXPECTATIONS[word])
                for line in row.get("lines", []) if word in INNER_LINES else []:
                    _known(f"{here}.lines", line, INNER_LINES[word])
        kinds = value if word == "no_alerts" else [row["kind"] for row in value] if word == "alerts" else []
        _known(here, dict.fromkeys(kinds), ALERTS)
