"""Reading what decisions are made of as plain values, and writing decisions in bulk."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Self

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from masterdata.models import Closure, Currency, Downtime, ExchangeRate, Process, Vendor, WorkCenter, WorkCenterKind
from masterdata.services import company
from policies.models import (
    Award,
    Decision,
    Policy,
    PolicyStatus,
    PolicyVendor,
    PriceAgreement,
    VendorApproval,
)
from policies.rules import decide, reasons
from policies.rules.values import (
    ApprovalValues,
    AwardValues,
    Book,
    CurrencyValues,
    Decided,
    OperationFacts,
    OrderFacts,
    PolicyValues,
    PolicyVendorValues,
    PriceRow,
    ProcessValues,
    VendorValues,
    WordValues,
    WorkCenterValues,
)
from production.models import Operation, OperationStatus, OperationWord, ProductionOrder

HORIZON_DAYS = 90
OPEN_OPERATION = (OperationStatus.OPEN, OperationStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What to suppose beside what stands: policies (by code) taken as active or not, vendors lost, further downtimes."""

    activate: frozenset[str] = frozenset()
    retire: frozenset[str] = frozenset()
    lost_vendors: frozenset[str] = frozenset()
    downtimes: tuple[tuple[str, date, date, str], ...] = ()


# --- the plan, streamed -----------------------------------------------------------------------------------------------


def orders_in_horizon(*, on: date, horizon_days: int = HORIZON_DAYS) -> Any:
    """Open production orders with an open operation whose planned start lies within the horizon (or is not known)."""
    until = on + timedelta(days=horizon_days)
    near = Operation.objects.filter(
        Q(planned_start__lte=until) | Q(planned_start__isnull=True),
        production_order=OuterRef("pk"),
        status__in=OPEN_OPERATION,
    )
    return ProductionOrder.objects.open().filter(Exists(near))


def order_chunks(
    *, on: date, horizon_days: int = HORIZON_DAYS, scope: Mapping[str, Sequence[str]] | None = None, size: int = 2000
) -> Iterator[list[OrderFacts]]:
    """All operations of the production orders in the horizon, whole orders, by due date; about `size` operations at a time.

    `scope` narrows it: {"site": codes, "item": codes, "production_order": numbers}. Lines with vendors (`frozen`) are for
    the caller to fill in.
    """
    orders = orders_in_horizon(on=on, horizon_days=horizon_days)
    for name, path in (("site", "site__code"), ("item", "item__code"), ("production_order", "number")):
        if scope and scope.get(name):
            wanted = scope[name]
            orders = orders.filter(**{f"{path}__in": [wanted] if isinstance(wanted, str) else list(wanted)})
    rows = orders.order_by("due_date", "pk").values_list("pk", "number", "due_date").iterator(chunk_size=10_000)
    while chunk := list(islice(rows, max(1, size // 4))):
        yield _facts(chunk)


def facts_of(*, production_order_ids: Sequence[int]) -> list[OrderFacts]:
    """The facts of some production orders, by due date, whatever the horizon."""
    rows = ProductionOrder.objects.filter(pk__in=production_order_ids).order_by("due_date", "pk")
    return _facts(list(rows.values_list("pk", "number", "due_date")))


OPERATION_FIELDS = (
    "pk", "production_order_id", "operation_no", "sequence", "production_order__item_id",
    "production_order__item__item_group_id", "process_id", "work_center_id", "production_order__site_id", "quantity", "good",
    "scrap", "status", "outsourced", "setup_minutes", "run_minutes", "next_nos", "planned_start", "planned_end", "dates_given",
    "production_order__item__unit__decimals", "production_order__item__is_blocked",
)  # fmt: skip


def _facts(orders: Sequence[tuple[int, str, date]]) -> list[OrderFacts]:
    ids = [pk for pk, _, _ in orders]
    words = {
        operation_id: WordValues(word, vendor_id, reason, by or "", at.date())
        for operation_id, word, vendor_id, reason, by, at in OperationWord.objects.filter(
            is_current=True, operation__production_order_id__in=ids
        ).values_list("operation_id", "word", "vendor_id", "reason", "by__username", "at")
    }
    facts = {pk: OrderFacts(pk, number, due_date, []) for pk, number, due_date in orders}
    rows = Operation.objects.filter(production_order_id__in=ids).order_by("production_order_id", "sequence", "pk")
    for (
        pk, order_id, operation_no, sequence, item_id, item_group_id, process_id, work_center_id, site_id, quantity, good, scrap,
        status, outsourced, setup_minutes, run_minutes, next_nos, planned_start, planned_end, dates_given, decimals, is_blocked,
    ) in rows.values_list(*OPERATION_FIELDS):  # fmt: skip
        order = facts[order_id]
        order.operations.append(
            OperationFacts(
                pk, order_id, order.number, operation_no, sequence, item_id, item_group_id, process_id, work_center_id, site_id,
                quantity, good, scrap, status in OPEN_OPERATION, status, outsourced, setup_minutes, run_minutes,
                tuple(next_nos), planned_start, planned_end, order.due_date, dates_given, 5 if decimals is None else decimals,
                is_blocked, words.get(pk),
            )
        )  # fmt: skip
    return list(facts.values())


# --- what decides -------------------------------------------------------------------------------------------------------


class Decider(decide.Decider):
    """The pure decider, loaded from the database. One for a run; decide orders by due date, committed lines first."""

    @classmethod
    def load(
        cls,
        *,
        on: date,
        overrides: Overrides | None = None,
        last_paid: dict[tuple[int, int, int], Decimal] | None = None,
    ) -> Self:
        """Read policies, vendors, prices, approvals, calendars, rates and work centers once, as they stand on the day `on`."""
        return cls(load_book(on=on, overrides=overrides or Overrides(), last_paid=last_paid or {}))


def load_book(*, on: date, overrides: Overrides, last_paid: dict[tuple[int, int, int], Decimal]) -> Book:
    """Everything but the plan that a decision reads."""
    company_currency_id = company().currency_id
    rates: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for currency_id, valid_from, rate in ExchangeRate.objects.order_by("-valid_from").values_list(
        "currency_id", "valid_from", "rate"
    ):
        rates[currency_id].append((valid_from, rate))
    currencies = {
        pk: CurrencyValues(pk, code, decimals, tuple(rates.get(pk, ())))
        for pk, code, decimals in Currency.objects.values_list("pk", "code", "decimals")
    }
    vendor_closed: dict[int, set[date]] = defaultdict(set)
    center_closed: dict[int, set[date]] = defaultdict(set)
    own_closed: set[date] = set()
    for vendor_id, work_center_id, day in Closure.objects.values_list("vendor_id", "work_center_id", "day"):
        if vendor_id is not None:
            vendor_closed[vendor_id].add(day)
        elif work_center_id is not None:
            center_closed[work_center_id].add(day)
        else:
            own_closed.add(day)
    vendors = {
        pk: VendorValues(
            pk,
            code,
            name,
            is_active and code not in overrides.lost_vendors,
            currency_id,
            frozenset(vendor_closed.get(pk, ())),
        )
        for pk, code, name, is_active, currency_id in Vendor.objects.values_list(
            "pk", "code", "name", "is_active", "currency_id"
        )
    }
    downtimes: dict[int, list[tuple[date, date, str]]] = defaultdict(list)
    for work_center_id, first, last, why in Downtime.objects.order_by("start_date").values_list(
        "work_center_id", "start_date", "end_date", "reason"
    ):
        downtimes[work_center_id].append((first, last, why))
    centers = {
        pk: WorkCenterValues(
            pk, code, kind == WorkCenterKind.EXTERNAL, vendor_id, hours, cost,
            frozenset(own_closed | center_closed.get(pk, set())), tuple(downtimes.get(pk, ())),
        )
        for pk, code, kind, vendor_id, hours, cost in WorkCenter.objects.values_list(
            "pk", "code", "kind", "vendor_id", "capacity_hours_per_day", "hourly_cost"
        )
    }  # fmt: skip
    for code, first, last, why in overrides.downtimes:
        for center in centers.values():
            if center.code == code:
                center.downtimes = (*center.downtimes, (first, last, why))
    approvals = {
        (vendor_id, process_id): ApprovalValues(status, valid_to)
        for vendor_id, process_id, status, valid_to in VendorApproval.objects.values_list(
            "vendor_id", "process_id", "status", "valid_to"
        )
    }
    processes = {
        pk: ProcessValues(pk, name or code, requires_approval)
        for pk, code, name, requires_approval in Process.objects.values_list("pk", "code", "name", "requires_approval")
    }
    standing = (Q(status=PolicyStatus.ACTIVE) | Q(code__in=overrides.activate)) & ~Q(code__in=overrides.retire)
    return Book(
        on, company_currency_id, currencies, vendors, policy_values(Policy.objects.filter(standing)),
        _prices(on, vendors, company_currency_id), approvals, processes, centers, last_paid,
    )  # fmt: skip


PRICE_FIELDS = (
    "pk", "vendor_id", "item_id", "process_id", "site_id", "currency_id", "unit_price", "price_unit", "price_factor",
    "minimum_quantity", "valid_from", "valid_to", "lot_charge", "minimum_charge", "minimum_charge_basis", "lead_days",
    "yield_pct", "freight",
)  # fmt: skip


def _prices(
    on: date, vendors: Mapping[int, VendorValues], company_currency_id: int
) -> dict[tuple[int, int, int], list[PriceRow]]:
    found: dict[tuple[int, int, int], list[PriceRow]] = defaultdict(list)
    # A price that ended before today cannot be that of a day of ordering, which is today or later.
    rows = PriceAgreement.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=on)).values_list(*PRICE_FIELDS)
    # Price lists repeat themselves: one object for each value of a column keeps hundreds of thousands of rows small.
    same: dict[Any, Any] = {}
    for row in rows.iterator(chunk_size=10_000):
        priced = PriceRow(*(same.setdefault(pair, pair[1]) for pair in enumerate(row)))
        if row[5] is None:
            own = vendors[priced.vendor_id].currency_id
            priced.currency_id = company_currency_id if own is None else own
        found[priced.vendor_id, priced.process_id or 0, priced.item_id or 0].append(priced)
    return dict(found)


POLICY_FIELDS = (
    "pk", "code", "verdict", "version", "priority", "valid_from", "valid_to", "item_id", "item_group_id", "process_id",
    "work_center_id", "site_id", "quantity_from", "quantity_to", "season_from", "season_to", "load_above_pct", "when_down",
    "late_days", "cost_below_pct", "transition_from", "transition_share_pct", "strategy", "split", "balance_days",
    "price_missing", "yield_pct", "transit_out_days", "transit_back_days", "inspection_days", "preparation_days",
)  # fmt: skip
SCOPE_FIELDS = ("item", "item_group", "process", "work_center", "site")


def policy_values(policies: Any) -> list[PolicyValues]:
    """The policies of a queryset as plain values, with their vendors in rank order."""
    rows: dict[int, list[PolicyVendorValues]] = defaultdict(list)
    vendors = PolicyVendor.objects.filter(policy__in=policies).order_by("policy_id", "rank")
    for policy_id, rank, vendor_id, share_pct, weekly_capacity, quantity_from, quantity_to in vendors.values_list(
        "policy_id", "rank", "vendor_id", "share_pct", "weekly_capacity", "quantity_from", "quantity_to"
    ):
        rows[policy_id].append(
            PolicyVendorValues(rank, vendor_id, share_pct, weekly_capacity, quantity_from, quantity_to)
        )
    names = [
        f"{name}__{column}" for name in SCOPE_FIELDS for column in ("code", *(["name"] if name == "process" else []))
    ]
    found = []
    for row in policies.order_by("pk").values(*POLICY_FIELDS, *names):
        words = {name: row[f"{name}__code"] for name in SCOPE_FIELDS if row[f"{name}__code"] is not None}
        if row["process__name"]:
            words["process"] = row["process__name"]
        values: dict[str, Any] = {name: row[name] for name in POLICY_FIELDS if name != "pk"}
        vendor_rows = tuple(rows[row["pk"]])
        found.append(PolicyValues(policy_id=row["pk"], vendors=vendor_rows, scope_words=words, **values))
    return found


# --- decisions ----------------------------------------------------------------------------------------------------------

DECISION_COLUMNS = (
    "id", "operation_id", "version", "is_current", "verdict", "basis", "policy_id", "quantity", "planned_start", "need_date",
    "reasons", "input_hash", "flips_on", "decided_at", "run_number",
)  # fmt: skip
AWARD_COLUMNS = ("id", "decision_id", *AwardValues.__slots__)  # the columns are named as the values are
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@transaction.atomic
def write_decisions(decided: Sequence[Decided], *, at: datetime, run_number: str) -> dict[int, list[int]]:
    """Make these the current decisions of their operations. Returns the award keys by operation, in the awards' order.

    A decision that came out as before leaves its row alone; another is a new version and the old one stays as history.
    """
    operation_ids = [one.operation_id for one in decided]
    known = {
        operation_id: (pk, version, input_hash)
        for operation_id, pk, version, input_hash in Decision.objects.current()
        .filter(operation_id__in=operation_ids)
        .values_list("operation_id", "pk", "version", "input_hash")
    }
    found: dict[int, list[int]] = {operation_id: [] for operation_id in operation_ids}
    fresh: list[tuple[Decided, int, str]] = []
    unchanged: dict[int, int] = {}
    outdated: list[int] = []
    for one in decided:
        digest = input_hash(one)
        pk, version, before = known.get(one.operation_id, (0, 0, ""))
        if pk and before == digest:
            if one.awards:
                unchanged[pk] = one.operation_id
            continue
        if pk:
            outdated.append(pk)
        fresh.append((one, version + 1, digest))
    if unchanged:
        awards = Award.objects.filter(decision_id__in=unchanged).order_by("rank", "pk")
        for decision_id, pk in awards.values_list("decision_id", "pk"):
            found[unchanged[decision_id]].append(pk)
    if outdated:
        Decision.objects.filter(pk__in=outdated).update(is_current=False)
    if not fresh:
        return found
    decision_ids = _keys("policies_decision", len(fresh))
    award_ids = iter(_keys("policies_award", sum(len(one.awards) for one, _, _ in fresh)))
    decision_rows, award_rows = [], []
    for pk, (one, version, digest) in zip(decision_ids, fresh, strict=True):
        told = json.dumps(
            [reasons.as_dict(reason) for reason in one.reasons], ensure_ascii=False, default=reasons.plain
        )
        decision_rows.append(
            (pk, one.operation_id, version, "t", one.verdict, one.basis, one.policy_id, one.quantity, one.planned_start,
             one.need_date, told, digest, one.flips_on, at.isoformat(), run_number)
        )  # fmt: skip
        for award in one.awards:
            award_id = next(award_ids)
            found[one.operation_id].append(award_id)
            award_rows.append((award_id, pk, *(getattr(award, name) for name in AwardValues.__slots__)))
    _copy("policies_decision", DECISION_COLUMNS, decision_rows)
    _copy("policies_award", AWARD_COLUMNS, award_rows)
    return found


def input_hash(decided: Decided) -> str:
    """One text for all that was read and came out: two decisions with the same hash say the same."""
    told = (
        decided.verdict, decided.basis, decided.policy_id, decided.policy_version, decided.quantity, decided.planned_start,
        decided.need_date, [tuple(reason) for reason in decided.reasons],
        [[getattr(award, name) for name in AwardValues.__slots__] for award in decided.awards],
    )  # fmt: skip
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


@transaction.atomic
def drop_outdated_decisions(*, on: date, horizon_days: int = HORIZON_DAYS) -> int:
    """Decisions on operations that are no longer open or in the horizon are history. Returns how many."""
    return (
        Decision.objects.current()
        .exclude(
            operation__status__in=OPEN_OPERATION,
            operation__production_order__in=orders_in_horizon(on=on, horizon_days=horizon_days),
        )
        .update(is_current=False)
    )


def _keys(table: str, count: int) -> list[int]:
    """Keys of a table drawn ahead, so that rows can be copied in with them."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [key for (key,) in cursor.fetchall()]


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into a table of ours: the fastest way in, with every constraint on."""
    text = io.StringIO()
    for row in rows:
        text.write("\t".join("\\N" if value is None else str(value).translate(ESCAPES) for value in row))
        text.write("\n")
    if not text.tell():
        return
    text.seek(0)
    with connection.cursor() as cursor:
        names = ", ".join(f'"{column}"' for column in columns)
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', text)


def explain(decision: Decision) -> list[str]:
    """The reasons of a decision as sentences, in the order in which things were looked at."""
    return [str(reason.get("detail", "")) for reason in decision.reasons]
