"""Order lines as invoices see them: what may be paid of each, what was agreed, what others have taken of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from invoices import rules
from invoices.models import Invoice, LineKind, Match
from masterdata.models import Vendor
from policies.models import PayFor
from production.models import ProductionOrder
from receipts.models import ReceiptLine, ReceiptStatus, ReturnLine
from subcontract_orders.models import LineStatus, OrderLine, OrderLineQuerySet, OrderStatus, SubcontractOrder

ZERO = Decimal(0)


@dataclass(slots=True)
class Owed:
    """An order line as invoices see it: what may be paid, what was agreed, what others have taken of it.

    Amounts with `_company` in company currency, the rest in the order's; quantities in the item's unit. `covered`: for so many
    pieces the price is agreed, as they came or are still to come. `charges`: kind → agreed amount, and what was asked for it.
    """

    line: OrderLine
    payable: Decimal = ZERO
    waiting: Decimal = ZERO
    covered: Decimal = ZERO
    rate: Decimal = Decimal(1)
    work_company: Decimal = ZERO
    taken: Decimal = ZERO
    agreed_before: Decimal = ZERO
    charges: dict[str, Decimal] = field(default_factory=dict)
    charges_company: dict[str, Decimal] = field(default_factory=dict)
    charged: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    charged_company: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    rows: list[ReceiptLine] = field(default_factory=list)
    left: dict[int, Decimal] = field(default_factory=dict)

    def agreed_for(self, quantity: Decimal) -> Decimal:
        """What was agreed, in company currency, for so many pieces more than others have taken."""
        line = self.line
        through = rules.due(
            whole=self.work_company,
            ordered=line.quantity_in_force,
            quantity=min(self.taken + quantity, self.covered),
            unit_amount=line.unit_price_in_force / line.price_factor * self.rate,
        )
        return max(through - self.agreed_before, ZERO)


def lock_order_lines(order_line_ids: Collection[int]) -> None:
    """Production orders, orders, their lines: each by key."""
    lines = OrderLine.objects.filter(pk__in=order_line_ids)
    plans = lines.exclude(production_order=None).values("production_order")
    list(ProductionOrder.objects.filter(pk__in=plans).select_for_update().order_by("pk").values_list("pk"))
    orders = SubcontractOrder.objects.filter(pk__in=lines.values("order"))
    list(orders.select_for_update().order_by("pk").values_list("pk"))
    list(lines.select_for_update().order_by("pk").values_list("pk"))


def lines_to_invoice(vendor_id: int) -> OrderLineQuerySet:
    """Order lines of a vendor and his sites of which more was received than invoices have taken; `what_is_owed` tells how much of
    it may be paid.
    """
    invoiced = Match.objects.counted().filter(order_line=OuterRef("pk"), line__kind=LineKind.WORK).order_by()
    taken = invoiced.values("order_line").annotate(n=Sum("quantity")).values("n")
    came = F("accepted") + F("rejected") + F("scrapped")
    lines = OrderLine.objects.filter(vendor__in=Vendor.objects.invoiced_by(vendor_id))
    return lines.filter(GreaterThan(came, Coalesce(Subquery(taken), ZERO) + F("invoiced_before")))


def what_is_owed(order_line_ids: Collection[int], *, but: Invoice | None = None) -> dict[int, Owed]:
    """Order lines as invoices see them, in a fixed number of queries. `but`: an invoice (with its credit notes) left out."""
    lines = OrderLine.objects.filter(pk__in=order_line_ids).select_related(
        "order__currency", "item__unit", "production_order"
    )
    owed = {line.pk: Owed(line) for line in lines.order_by("pk")}
    rows = (
        ReceiptLine.objects.filter(order_line__in=owed, receipt__status=ReceiptStatus.POSTED)
        .select_related("receipt", "location")
        .order_by("receipt__received_at", "pk")
    )
    for row in rows:
        owed[row.order_line_id].rows.append(row)
    sent_back = ReturnLine.objects.gone().filter(receipt_line__order_line__in=owed)
    returned = dict(sent_back.values_list("receipt_line").annotate(Sum("quantity")))
    others = Match.objects.counted().filter(order_line__in=owed)
    if but is not None:
        others = others.exclude(line__invoice=but).exclude(line__invoice__credits=but)
    taken = dict(others.filter(receipt_line__isnull=False).values_list("receipt_line").annotate(Sum("quantity")))
    for one in owed.values():
        _set_terms(one, returned, taken)
        _take_invoiced_before(one)
    sums = others.values_list("order_line", "line__kind").annotate(Sum("quantity"), Sum("agreed"), Sum("amount"))
    for pk, kind, quantity, agreed, amount in sums:
        if kind == LineKind.WORK:
            owed[pk].taken += quantity
            owed[pk].agreed_before += agreed
        else:
            owed[pk].charged[kind] += amount
            owed[pk].charged_company[kind] += agreed
    return owed


def _set_terms(one: Owed, returned: dict[int, Decimal], taken: dict[int, Decimal]) -> None:
    line, order = one.line, one.line.order
    pays_all = line.pay_for == PayFor.RECEIVED
    one.waiting = ZERO if pays_all else sum((row.held for row in one.rows), ZERO)
    one.payable = line.received if pays_all else line.accepted - one.waiting
    for row in one.rows:
        came = row.counted if pays_all else row.accepted - row.held
        one.left[row.pk] = max(came - returned.get(row.pk, ZERO) - taken.get(row.pk, ZERO), ZERO)
    goes_on = line.status == LineStatus.OPEN and order.status not in (OrderStatus.CLOSED, OrderStatus.CANCELLED)
    made = line.received + line.in_rework
    one.covered = max(made, line.quantity_in_force) if goes_on else made
    amount, company = line.amount_in_force, line.amount_company_in_force
    one.rate = company / amount if amount else Decimal(1)
    work, minimum = _work_and_minimum(line)
    one.charges = {LineKind.MINIMUM: minimum, LineKind.LOT: line.lot_charge, LineKind.FREIGHT: line.freight}
    parts = rules.spread(company, [work, *one.charges.values()], decimals=3) if amount else [ZERO] * 4
    one.work_company = parts[0]
    share = Decimal(1) if goes_on or made >= line.quantity_in_force else made / line.quantity_in_force
    one.charges_company = {kind: rules.five(part * share) for kind, part in zip(one.charges, parts[1:], strict=True)}


def _work_and_minimum(line: OrderLine) -> tuple[Decimal, Decimal]:
    """What of a line's amount is the price of its pieces, and what tops it up to the minimum."""
    work = rules.money(
        line.quantity_in_force / line.price_factor * line.unit_price_in_force, decimals=line.order.currency.decimals
    )
    if line.sent_quantity is None and line.sent_unit_price is None:
        work = line.work_amount
    return work, max(line.amount_in_force - work - line.lot_charge - line.freight, ZERO)


def price_of_pieces(line: OrderLine, pieces: Decimal) -> Decimal:
    """What so many of a line's pieces cost by their price alone, in company currency; its charges are asked for whole."""
    if not line.amount_in_force:
        return ZERO
    work, minimum = _work_and_minimum(line)
    whole = line.amount_company_in_force
    part = rules.spread(whole, [work, minimum, line.lot_charge, line.freight], decimals=3)[0]
    return part * pieces / line.quantity_in_force


def _take_invoiced_before(one: Owed) -> None:
    """What was invoiced of a line before it was loaded is taken, with its share of the charges."""
    line = one.line
    if not line.invoiced_before:
        return
    share = min(line.invoiced_before / line.quantity_in_force, Decimal(1))
    whole = [one.work_company, *one.charges_company.values()]
    work, *charges = rules.spread(rules.five(line.amount_company_in_force * share), whole, decimals=5)
    one.taken, one.agreed_before = line.invoiced_before, work
    for (kind, amount), company in zip(one.charges.items(), charges, strict=True):
        one.charged[kind], one.charged_company[kind] = rules.five(amount * share), company
    rest = line.invoiced_before
    for row in one.rows:
        used = min(one.left[row.pk], rest)
        one.left[row.pk] -= used
        rest -= used
