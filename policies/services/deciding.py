"""Reading what decisions are made of as plain values, and writing decisions in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Self

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Length, NullIf

from masterdata.services import among, copy_values, draw_keys, with_mark
from policies.models import Award, Decision, Policy
from policies.rules import decide, reasons
from policies.rules.sharing import Pool
from policies.rules.values import (
    AwardValues,
    CommittedLine,
    Decided,
    OperationFacts,
    OrderFacts,
    Paid,
    PolicyValues,
    Reason,
    WordValues,
)
from policies.services.books import load_book, policy_values, work_center_values
from policies.services.supposing import Change, suppose
from production.models import Operation, OperationStatus, OperationWord, ProductionOrder

HORIZON_DAYS = 90
OPEN_OPERATION = (OperationStatus.OPEN, OperationStatus.IN_PROGRESS)


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
    *,
    on: date,
    horizon_days: int = HORIZON_DAYS,
    scope: Mapping[str, Sequence[str]] | None = None,
    only: Collection[int] | None = None,
    size: int = 2000,
) -> Iterator[list[OrderFacts]]:
    """All operations of the production orders in the horizon, whole orders, by due date; about `size` operations at a time.

    `scope` narrows it: {"site": codes, "item": codes, "production_order": numbers}; `only` to these keys. Lines with vendors
    (`frozen`) are for the caller to fill in.
    """
    orders = orders_in_horizon(on=on, horizon_days=horizon_days)
    for name, path in (("site", "site__code"), ("item", "item__code"), ("production_order", "number")):
        if scope and scope.get(name):
            wanted = scope[name]
            orders = orders.filter(**{f"{path}__in": [wanted] if isinstance(wanted, str) else list(wanted)})
    if only is not None:
        orders = orders.filter(pk__in=among(only))
    rows = _order_rows(orders).iterator(chunk_size=10_000)
    while chunk := list(islice(rows, max(1, size // 4))):
        yield _facts(chunk)


ORDER_FIELDS = (
    "pk", "number", "due_date", "item_id", "item__item_group_id", "site_id", "item__unit__decimals", "item__is_blocked",
)  # fmt: skip
OPERATION_FIELDS = (
    "pk", "production_order_id", "operation_no", "sequence", "process_id", "work_center_id", "quantity", "good", "scrap",
    "status", "outsourced", "setup_minutes", "run_minutes", "next_nos", "planned_start", "planned_end", "dates_given",
)  # fmt: skip


def facts_of(*, production_order_ids: Sequence[int]) -> list[OrderFacts]:
    """The facts of some production orders, by due date, whatever the horizon."""
    return _facts(list(_order_rows(ProductionOrder.objects.filter(pk__in=among(production_order_ids)))))


def _order_rows(orders: Any) -> Any:
    """By due date; of those due on one day P9 before P10, by the number an order came with: in which order a plan is sent, and
    that one is renumbered later, decides nothing.
    """
    number = Coalesce(NullIf(F("first_number"), Value("")), F("number"))
    return orders.order_by("due_date", Length(number), number, "pk").values_list(
        *ORDER_FIELDS, with_mark(ProductionOrder)
    )


def _facts(orders: Sequence[tuple[Any, ...]]) -> list[OrderFacts]:
    production_order_ids = [row[0] for row in orders]
    words: dict[int, WordValues] = {}
    word_marks: dict[int, int] = {}
    for operation_id, word, vendor_id, reason, by, at, mark in OperationWord.objects.filter(
        is_current=True, operation__production_order_id__in=among(production_order_ids)
    ).values_list("operation_id", "word", "vendor_id", "reason", "by__username", "at", with_mark(OperationWord)):
        words[operation_id] = WordValues(word, vendor_id, reason, by or "", at.date())
        word_marks[operation_id] = mark
    facts = {}
    of_order = {}
    for pk, number, due_date, item_id, group_id, site_id, decimals, is_blocked, mark in orders:
        facts[pk] = OrderFacts(pk, number, due_date, [], mark)
        of_order[pk] = (item_id, group_id, site_id, 5 if decimals is None else decimals, is_blocked)
    rows = Operation.objects.filter(production_order_id__in=among(production_order_ids)).order_by(
        "production_order_id", "sequence", "pk"
    )
    for (
        pk, order_id, operation_no, sequence, process_id, work_center_id, quantity, good, scrap, status, outsourced,
        setup_minutes, run_minutes, next_nos, planned_start, planned_end, dates_given, mark,
    ) in rows.values_list(*OPERATION_FIELDS, with_mark(Operation)):  # fmt: skip
        order = facts[order_id]
        item_id, group_id, site_id, decimals, is_blocked = of_order[order_id]
        order.mark ^= mark ^ word_marks.get(pk, 0)
        order.operations.append(
            OperationFacts(
                pk, order_id, order.number, operation_no, sequence, item_id, group_id, process_id, work_center_id, site_id,
                quantity, good, scrap, status in OPEN_OPERATION, status, outsourced, setup_minutes, run_minutes,
                tuple(next_nos), planned_start, planned_end, order.due_date, dates_given, decimals, is_blocked, words.get(pk),
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
        change: Change | None = None,
        last_paid: Mapping[tuple[int, int, int], Paid] | None = None,
        days: Mapping[int, date] | None = None,
        item_ids: Collection[int] | None = None,
    ) -> Self:
        """Read policies, vendors, prices, approvals, calendars, rates and work centers once, as they stand on the day `on`;
        with a `change` as they would be. `last_paid` is what estimates begin with, `days` what day it is at each site.
        `item_ids`: prices of these items are enough.
        """
        book = load_book(on=on, last_paid=last_paid or {}, days=days, item_ids=item_ids)
        return cls(suppose(book, change) if change else book)

    def commit(self, lines: Iterable[CommittedLine], *, outside_of: Collection[int] | None = None) -> None:
        """Count what stands with vendors already, and for transitions what has stayed inside; with a scope also what stays there
        of orders outside of it.
        """
        super().commit(lines)
        for policy in self.book.policies:
            if policy.transition_from is not None:
                self._counters.seen[policy.policy_id] += stayed_by_share(policy, outside_of=outside_of)


def stayed_by_share(policy: PolicyValues, *, outside_of: Collection[int] | None = None) -> Decimal:
    """How much a transition has left inside, of operations that are done: the share of what is still to come builds on it."""
    is_done = Q(status=OperationStatus.FINISHED)
    if outside_of is not None:
        is_done |= Q(status__in=OPEN_OPERATION) & ~Q(production_order__in=among(outside_of))
    scope = {
        "production_order__item": policy.item_id,
        "production_order__item__item_group": policy.item_group_id,
        "process": policy.process_id,
        "work_center": policy.work_center_id,
        "production_order__site": policy.site_id,
    }
    last = Decision.objects.filter(operation=OuterRef("pk")).order_by("-version").values("reasons")[:1]
    said: Any = [{"code": "policy_skipped", "policy": policy.code, "condition": "transition_share_pct"}]
    stayed = (
        Operation.objects.filter(is_done, planned_start__gte=policy.transition_from)
        .filter(**{name: key for name, key in scope.items() if key is not None})
        .annotate(said=Subquery(last))
        .filter(said__contains=said)
    )
    return stayed.aggregate(quantity=Sum("quantity"))["quantity"] or Decimal(0)


def load_pool(*, stock_policies: Collection[int]) -> Pool:
    """Which operations hang together by counters, as policies stand; `stock_policies` give out free stock."""
    return Pool(policy_values(Policy.objects.active()), work_center_values(), stock_policies=stock_policies)


# --- decisions ----------------------------------------------------------------------------------------------------------

DECISION_COLUMNS = (
    "id", "operation_id", "version", "is_current", "verdict", "basis", "policy_id", "quantity", "planned_start", "need_date",
    "reasons", "input_hash", "flips_on", "decided_at", "run_number",
)  # fmt: skip
AWARD_COLUMNS = ("id", "decision_id", *AwardValues.__slots__)  # the columns are named as the values are


@transaction.atomic
def write_decisions(decided: Sequence[Decided], *, at: datetime, run_number: str) -> dict[int, list[int]]:
    """Make these the current decisions of their operations. Returns the award keys by operation, in the awards' order.

    A decision that came out as before leaves its row alone; another is a new version and the old one stays as history.
    """
    operation_ids = [one.operation_id for one in decided]
    known = {
        operation_id: (pk, version, input_hash)
        for operation_id, pk, version, input_hash in Decision.objects.current()
        .filter(operation_id__in=among(operation_ids))
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
        awards = Award.objects.filter(decision_id__in=among(unchanged)).order_by("rank", "pk")
        for decision_id, pk in awards.values_list("decision_id", "pk"):
            found[unchanged[decision_id]].append(pk)
    if outdated:
        Decision.objects.filter(pk__in=among(outdated)).update(is_current=False)
    if not fresh:
        return found
    decision_ids = draw_keys("policies_decision", len(fresh))
    award_ids = iter(draw_keys("policies_award", sum(len(one.awards) for one, _, _ in fresh)))
    decision_rows, award_rows = [], []
    for pk, (one, version, digest) in zip(decision_ids, fresh, strict=True):
        is_plain = len(one.reasons) == 1 and one.basis in ("flag", "default")
        told = _told_again(one.reasons) if is_plain else _told(one.reasons)
        decision_rows.append(
            (pk, one.operation_id, version, "t", one.verdict, one.basis, one.policy_id, one.quantity, one.planned_start,
             one.need_date, told, digest, one.flips_on, at.isoformat(), run_number)
        )  # fmt: skip
        for award in one.awards:
            award_id = next(award_ids)
            found[one.operation_id].append(award_id)
            award_rows.append((award_id, pk, *(getattr(award, name) for name in AwardValues.__slots__)))
    copy_values("policies_decision", DECISION_COLUMNS, decision_rows)
    copy_values("policies_award", AWARD_COLUMNS, award_rows)
    return found


def _told(found: tuple[Reason, ...]) -> str:
    """Reasons as compact JSON."""
    told = [reasons.as_dict(reason) for reason in found]
    return json.dumps(told, ensure_ascii=False, default=reasons.plain, separators=(",", ":"))


_told_again = lru_cache(maxsize=1000)(_told)
"""Most operations stay inside for one of a few reasons, worded once."""


def input_hash(decided: Decided) -> str:
    """One text for all that was read and came out: two decisions with the same hash say the same."""
    told = (
        decided.verdict, decided.basis, decided.policy_id, decided.policy_version, decided.quantity, decided.planned_start,
        decided.need_date, [tuple(reason) for reason in decided.reasons],
        [[getattr(award, name) for name in AwardValues.__slots__] for award in decided.awards],
    )  # fmt: skip
    text = f"{told!r}{decided.leaving!r}" if decided.leaving else repr(told)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@transaction.atomic
def drop_outdated_decisions(*, on: date, horizon_days: int = HORIZON_DAYS, only: Collection[int] | None = None) -> int:
    """Decisions on operations that are no longer open or in the horizon are history (of `only` these orders). Says how many."""
    current = Decision.objects.current()
    if only is not None:
        current = current.filter(operation__production_order__in=among(only))
    return current.exclude(
        operation__status__in=OPEN_OPERATION,
        operation__production_order__in=orders_in_horizon(on=on, horizon_days=horizon_days),
    ).update(is_current=False)


def explain(decision: Decision) -> list[str]:
    """The reasons of a decision as sentences, in the order in which things were looked at."""
    return [str(reason.get("detail", "")) for reason in decision.reasons]
