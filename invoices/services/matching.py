"""Comparing an invoice with what was ordered and received: what of it is for which receipt, and what holds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import NotFound, Stale, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import (
    Hold,
    HoldCode,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Match,
    SpreadBasis,
)
from invoices.services.entering import check_weights, record
from masterdata import services as masterdata
from policies.models import PayFor
from production.models import ProductionOrder
from receipts import services as receipts
from receipts.models import ReceiptLine, ReceiptStatus, ReturnLine
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus, SubcontractOrder

ZERO = Decimal(0)
HELD_ALERT = "invoice_held"
MATCHABLE = (InvoiceStatus.ENTERED, InvoiceStatus.MATCHED, InvoiceStatus.HELD, InvoiceStatus.DISPUTED)


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


@dataclass(slots=True)
class Outcome:
    """What comparing found, not written yet."""

    matches: list[Match] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


@dataclass(slots=True)
class Credited:
    """What credit notes take off an invoice line before it is paid: pieces with their amount, and amount alone."""

    quantity: Decimal = ZERO
    amount: Decimal = ZERO


@retried
@transaction.atomic
def match_invoice(
    *,
    invoice_id: int,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Compare an invoice with what was received and not invoiced yet: matched, or held with every reason.

    Again it is compared anew; what a release let pass must be let pass again where it is still so. Raises NotFound, Stale,
    WrongState (approved already), NoWeight.
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at)
    must_be(invoice, *MATCHABLE, to="match")
    outcome = compare(invoice)
    keep(invoice, outcome)
    invoice.status = InvoiceStatus.HELD if outcome.holds else InvoiceStatus.MATCHED
    invoice.matched_at = at
    invoice.matched_alone = not outcome.holds
    invoice.released_at = invoice.released_by = None
    invoice.release_reason = ""
    invoice.version += 1
    invoice.save()
    say_held(invoice, outcome.holds, at=at)
    codes = sorted({hold.code for hold in outcome.holds})
    record(f"invoice.{invoice.status}", invoice, by=by, at=at, through=through, data={"reasons": codes})
    return invoice


def must_be(invoice: Invoice, *allowed: str, to: str) -> None:
    if invoice.kind == InvoiceKind.CREDIT:
        raise WrongState(f"{invoice} is a credit note; it goes with its invoice.")
    if invoice.status not in allowed:
        raise WrongState(f"{invoice} is {invoice.get_status_display().lower()}; one cannot {to} it.")


def lock_invoice(
    invoice_id: int, *, expected_version: int | None, by: User | None, at: datetime, settle: bool = True
) -> Invoice:
    """Lock an invoice with the orders it is about, in the order everybody locks; bring receipts to the price in force first.

    Raises NotFound, Stale.
    """
    visible = Invoice.objects.visible_to(by) if by else Invoice.objects.all()
    if not visible.filter(pk=invoice_id).exists():
        raise NotFound("There is no such invoice.", field="invoice")
    wanted = set(
        InvoiceLine.objects.filter(invoice=invoice_id, order_line__isnull=False).values_list("order_line", flat=True)
    )
    lock_order_lines(wanted)
    if settle:
        receipts.settle_prices(order_line_ids=wanted, by=by, at=at)
    invoice = Invoice.objects.select_related("vendor", "currency").select_for_update(of=("self",)).get(pk=invoice_id)
    if expected_version not in (None, invoice.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    return invoice


def lock_order_lines(order_line_ids: Collection[int]) -> None:
    """Production orders, orders, their lines: each by key."""
    lines = OrderLine.objects.filter(pk__in=order_line_ids)
    plans = lines.exclude(production_order=None).values("production_order")
    list(ProductionOrder.objects.filter(pk__in=plans).select_for_update().order_by("pk").values_list("pk"))
    orders = SubcontractOrder.objects.filter(pk__in=lines.values("order"))
    list(orders.select_for_update().order_by("pk").values_list("pk"))
    list(lines.select_for_update().order_by("pk").values_list("pk"))


def compare(invoice: Invoice) -> Outcome:
    """What of an invoice is for what, and what holds it. Writes nothing; its orders are locked."""
    outcome = Outcome()
    lines = list(invoice.lines.order_by("line_no"))
    work = [line for line in lines if not line.is_charge]
    owed = what_is_owed({line.order_line_id for line in lines if line.order_line_id}, but=invoice)
    credited, company = _credited(invoice), in_company(invoice, lines)
    for line in work:
        _match_work(invoice, line, owed[line.order_line_id or 0], credited[line.pk], company[line.pk], outcome)
    for line in lines:
        if line.is_charge:
            at_stake = [owed[line.order_line_id]] if line.order_line_id else list(owed.values())
            _match_charge(invoice, line, at_stake, work, company[line.pk], credited[line.pk].amount, outcome)
    _hold_double(invoice, outcome)
    return outcome


def in_company(invoice: Invoice, lines: Sequence[InvoiceLine]) -> dict[int, Decimal]:
    """Each line's amount in company currency, by its key: together they are the invoice's, to its smallest unit."""
    decimals = masterdata.company().currency.decimals
    parts = rules.spread(invoice.net_company, [line.amount for line in lines], decimals=decimals)
    return {line.pk: part for line, part in zip(lines, parts, strict=True)}


def keep(invoice: Invoice, outcome: Outcome) -> None:
    """Write what comparing found in place of what was found before, and what credit notes take off it."""
    Match.objects.filter(line__invoice=invoice).delete()
    Hold.objects.filter(invoice=invoice).delete()
    Match.objects.bulk_create(outcome.matches)
    Hold.objects.bulk_create(outcome.holds)
    for credit in invoice.credit_notes.filter(of_claims=False).exclude(status=InvoiceStatus.WITHDRAWN).order_by("pk"):
        match_credit(credit)


def match_credit(credit: Invoice) -> None:
    """Take a credit note's lines off what its invoice matched: pieces off what was never received first, then the last receipt.

    An amount off the price is shared over the pieces it was asked for.
    """
    Match.objects.filter(line__invoice=credit).delete()
    made: list[Match] = []
    lines = list(credit.lines.order_by("line_no"))
    company = in_company(credit, lines)
    for line in lines:
        stand = list(
            Match.objects.filter(
                line__invoice=credit.credits_id, line__order_line=line.order_line_id, line__kind=line.kind
            ).order_by("pk")
        )
        stand.sort(key=lambda match: (match.receipt_line_id is not None, -match.pk))
        gone, free = _taken_back_before(credit, line), []
        for match in stand:
            used = min(gone, match.quantity)
            gone -= used
            free.append(match.quantity - used)
        if line.taken_back:
            parts = rules.take(line.item_quantity, free)
        else:
            parts = free if any(free) else [abs(match.amount) for match in stand]
        weights = [part for part in parts if part]
        chosen = [match for match, part in zip(stand, parts, strict=True) if part]
        amounts = rules.spread(line.amount, weights, decimals=5)
        companies = rules.spread(company[line.pk], weights, decimals=5)
        for match, part, amount, worth in zip(chosen, weights, amounts, companies, strict=True):
            agreed = rules.five(match.agreed * part / match.quantity) if line.taken_back and match.quantity else ZERO
            exchange = ZERO
            if line.taken_back and match.quantity:
                exchange = rules.five(match.exchange_difference * part / match.quantity)
            made.append(
                Match(
                    line=line, order_line_id=match.order_line_id, receipt_line_id=match.receipt_line_id,
                    quantity=-part if line.taken_back else ZERO, amount=-amount, amount_company=-worth, agreed=-agreed,
                    exchange_difference=-exchange, price_difference=-worth + agreed + exchange,
                )
            )  # fmt: skip
    Match.objects.bulk_create(made)


def _taken_back_before(credit: Invoice, line: InvoiceLine) -> Decimal:
    earlier = Match.objects.filter(
        line__invoice__credits=credit.credits_id, order_line=line.order_line_id, line__taken_back=True
    ).exclude(line__invoice=credit)
    return -(earlier.aggregate(total=Sum("quantity"))["total"] or ZERO)


def say_held(invoice: Invoice, holds: Sequence[Hold], *, at: datetime) -> None:
    """An alert while an invoice is held; none any more when it is not."""
    if not holds:
        activity.close_alerts(kind=HELD_ALERT, subjects=[invoice.number], at=at)
        return
    about = next((hold.line.order_line for hold in holds if hold.line and hold.line.order_line), None)
    said = ", ".join(dict.fromkeys(str(HoldCode(hold.code).label).lower() for hold in holds))
    alert = Alert(
        kind=HELD_ALERT,
        subject=invoice.number,
        severity=Severity.WARNING,
        title=f"Invoice {invoice.vendor_number} of {invoice.vendor} ({invoice}) is held: {said}"[:300],
        order_number=about.order.number if about else "",
        line_no=about.line_no if about else None,
        production_order=about.production_order.number if about and about.production_order else "",
        operation_no=about.operation_no if about else "",
        site_id=invoice.site_id,
        vendor_id=invoice.vendor_id,
        after={"reasons": ", ".join(sorted({hold.code for hold in holds}))},
        proposes="release",
        due_date=invoice.due_date,
    )
    activity.open_alerts([alert], at=at)


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


def _credited(invoice: Invoice) -> dict[int, Credited]:
    """What credit notes take off each of an invoice's lines, by its key."""
    found: dict[int, Credited] = defaultdict(Credited)
    lines = {(line.order_line_id, line.kind): line.pk for line in invoice.lines.order_by("-line_no")}
    credits = InvoiceLine.objects.filter(invoice__credits=invoice).exclude(invoice__status=InvoiceStatus.WITHDRAWN)
    for credit in credits:
        key = lines.get((credit.order_line_id, credit.kind))
        if key is not None:
            found[key].amount += credit.amount
            if credit.taken_back:
                found[key].quantity += credit.item_quantity
    return found


def _match_work(
    invoice: Invoice, line: InvoiceLine, one: Owed, credited: Credited, worth: Decimal, outcome: Outcome
) -> None:
    quantity = line.item_quantity
    asked_for = max(quantity - credited.quantity, ZERO)
    rows = [row for row in one.rows if line.receipt_id in (None, row.receipt_id)]
    _hold_quantity(invoice, line, one, rows, asked_for, outcome)
    _hold_price(invoice, line, one, asked_for, credited, outcome)
    taken = rules.take(asked_for, [one.left[row.pk] for row in rows])
    parts = [(row, part) for row, part in zip(rows, taken, strict=True) if part]
    for row, part in parts:
        one.left[row.pk] -= part
    agreed = one.agreed_for(quantity)
    over = quantity - sum(taken, ZERO)
    covered = max(min(over, one.covered - one.taken - sum(taken, ZERO)), ZERO)
    pieces: list[tuple[ReceiptLine | None, Decimal, Decimal]] = [(row, part, part) for row, part in parts]
    pieces += [(None, part, weight) for part, weight in ((covered, covered), (over - covered, ZERO)) if part]
    amounts = rules.spread(line.amount, [part for _, part, _ in pieces], decimals=5)
    companies = rules.spread(worth, [part for _, part, _ in pieces], decimals=5)
    weights = [weight for _, _, weight in pieces]
    shares = rules.spread(agreed, weights, decimals=5) if any(weights) else [ZERO] * len(pieces)
    same_money = invoice.currency_id == one.line.order.currency_id
    for (of_row, part, _), amount, company, share in zip(pieces, amounts, companies, shares, strict=True):
        exchange = rules.five(company - amount * one.rate) if same_money else ZERO
        outcome.matches.append(
            Match(
                line=line, order_line=one.line, receipt_line=of_row, quantity=part, amount=amount, amount_company=company,
                agreed=share, exchange_difference=exchange, price_difference=company - share - exchange,
            )
        )  # fmt: skip
    one.taken += quantity
    one.agreed_before += agreed


def _hold_quantity(
    invoice: Invoice, line: InvoiceLine, one: Owed, rows: Sequence[ReceiptLine], asked_for: Decimal, outcome: Outcome
) -> None:
    most = rules.most_payable(accepted=one.payable, tolerance_pct=one.line.quantity_tolerance_pct) - one.taken
    where = ""
    if line.receipt_id is not None:
        # A note's own pieces, with the tolerance on them; never more than of the whole line.
        there = sum((one.left[row.pk] for row in rows), ZERO)
        most = min(most, rules.most_payable(accepted=there, tolerance_pct=one.line.quantity_tolerance_pct))
        where = f" on note {rows[0].receipt.note}" if rows else ""
    if asked_for <= most:
        return
    waits = f", {one.waiting.normalize():f} wait for inspection" if one.waiting else ""
    detail = (
        f"{asked_for.normalize():f} are asked for, {max(most, ZERO).normalize():f} may be paid{where} "
        f"({one.payable.normalize():f} accepted, {one.taken.normalize():f} invoiced before{waits})."
    )
    outcome.holds.append(
        Hold(invoice=invoice, line=line, code=HoldCode.OVER_INVOICE, detail=detail, allowed=max(most, ZERO), found=asked_for)
    )  # fmt: skip


def _hold_price(
    invoice: Invoice, line: InvoiceLine, one: Owed, asked_for: Decimal, credited: Credited, outcome: Outcome
) -> None:
    ordered = one.line
    if ordered.is_price_open:
        detail = f"{ordered.order} line {ordered.line_no} was ordered at an estimate; a buyer sets its price first."
        outcome.holds.append(
            Hold(invoice=invoice, line=line, code=HoldCode.PRICE_OPEN, detail=detail,
                 allowed=ordered.unit_price_in_force, found=line.unit_price)
        )  # fmt: skip
        return
    asked = line.unit_price * (ordered.price_factor / line.unit_factor)
    if credited.amount and asked_for:
        asked = (line.amount - credited.amount) / asked_for * ordered.price_factor
    if invoice.currency_id != ordered.order.currency_id:
        asked = asked * invoice.rate / one.rate
    agreed = ordered.unit_price_in_force
    fits = rules.price_fits(
        asked=asked,
        agreed=agreed,
        quantity=asked_for / ordered.price_factor * one.rate,
        tolerance_pct=ordered.price_tolerance_pct,
        tolerance_amount=ordered.price_tolerance_amount,
    )
    if not fits:
        per = f" per {ordered.price_unit}" if ordered.price_unit else ""
        may = f"{ordered.price_tolerance_pct.normalize():f} %" if ordered.price_tolerance_pct else ""
        if ordered.price_tolerance_amount:
            may += f"{' or ' if may else ''}{ordered.price_tolerance_amount.normalize():f} on the line"
        detail = (
            f"{asked.quantize(rules.FIVE).normalize():f}{per} is asked for, {agreed.normalize():f} was agreed"
            f"{f' ({may} more may pass)' if may else ''}."
        )
        outcome.holds.append(
            Hold(invoice=invoice, line=line, code=HoldCode.PRICE, detail=detail, allowed=agreed, found=rules.five(asked))
        )  # fmt: skip


def _match_charge(
    invoice: Invoice,
    line: InvoiceLine,
    at_stake: Sequence[Owed],
    work: Sequence[InvoiceLine],
    worth: Decimal,
    credited: Decimal,
    outcome: Outcome,
) -> None:
    """A charge against what was agreed of its kind and not asked for yet; what goes beyond is spread by the line's basis."""
    kind = line.kind
    to_order = [
        Decimal(1) if invoice.currency_id == one.line.order.currency_id else invoice.rate / one.rate for one in at_stake
    ]
    open_amounts = [
        max(one.charges.get(kind, ZERO) - one.charged[kind], ZERO) / factor
        for one, factor in zip(at_stake, to_order, strict=True)
    ]
    still_open = sum(open_amounts, ZERO)
    within = min(line.amount, still_open)
    inside = rules.spread(within, open_amounts, decimals=5) if within else [ZERO] * len(at_stake)
    beyond = rules.spread(line.amount - within, _weights(line, at_stake, work), decimals=5)
    _hold_charge(invoice, line, line.amount - credited, at_stake, still_open, outcome)
    parts = [one + extra for one, extra in zip(inside, beyond, strict=True)]
    companies = rules.spread(worth, parts, decimals=5)
    for one, is_open, agreed_part, extra, company in zip(
        at_stake, open_amounts, inside, beyond, companies, strict=True
    ):
        if not agreed_part and not extra:
            continue
        left = one.charges_company.get(kind, ZERO) - one.charged_company[kind]
        agreed = rules.five(max(left, ZERO) * agreed_part / is_open) if is_open else ZERO
        same_money = invoice.currency_id == one.line.order.currency_id
        exchange = rules.five(company - (agreed_part + extra) * one.rate) if same_money else ZERO
        outcome.matches.append(
            Match(
                line=line, order_line=one.line, quantity=ZERO, amount=agreed_part + extra, amount_company=company,
                agreed=agreed, exchange_difference=exchange, price_difference=company - agreed - exchange,
            )
        )  # fmt: skip
        one.charged[kind] += agreed_part + extra
        one.charged_company[kind] += agreed


def _hold_charge(
    invoice: Invoice,
    line: InvoiceLine,
    asked_for: Decimal,
    at_stake: Sequence[Owed],
    still_open: Decimal,
    outcome: Outcome,
) -> None:
    pct = min(one.line.price_tolerance_pct for one in at_stake)
    amount = min(one.line.price_tolerance_amount for one in at_stake)
    if asked_for <= still_open * (rules.HUNDRED + pct) / rules.HUNDRED:
        return
    if still_open and (asked_for - still_open) * invoice.rate <= amount:
        return
    agreed = sum((one.charges.get(line.kind, ZERO) for one in at_stake), ZERO)
    code = HoldCode.OVER_INVOICE if agreed and not still_open else HoldCode.PRICE
    decimals = invoice.currency.decimals
    detail = (
        f"{line.get_kind_display()} of {rules.money(asked_for, decimals=decimals)} is asked for; "
        f"{rules.money(still_open, decimals=decimals)} of it was agreed and not "
        "asked for before."
    )
    outcome.holds.append(
        Hold(invoice=invoice, line=line, code=code, detail=detail, allowed=rules.five(still_open), found=asked_for)
    )


def _weights(line: InvoiceLine, at_stake: Sequence[Owed], work: Sequence[InvoiceLine]) -> list[Decimal]:
    """What of an extra charge each order line bears: by pieces, kilograms or value invoiced with it; else by what it has."""
    pieces: dict[int, Decimal] = defaultdict(Decimal)
    values: dict[int, Decimal] = defaultdict(Decimal)
    for row in work:
        pieces[row.order_line_id or 0] += row.item_quantity
        values[row.order_line_id or 0] += row.amount
    if not any(pieces[one.line.pk] for one in at_stake):
        pieces = defaultdict(Decimal, {one.line.pk: one.line.received for one in at_stake})
        values = defaultdict(Decimal, {one.line.pk: one.line.amount_in_force for one in at_stake})
    if line.basis == SpreadBasis.VALUE:
        return [values[one.line.pk] for one in at_stake]
    if line.basis == SpreadBasis.WEIGHT:
        check_weights([one.line for one in at_stake], field=f"lines.{line.line_no - 1}.basis")
        return [pieces[one.line.pk] * (one.line.item.weight_kg or ZERO) for one in at_stake]
    return [pieces[one.line.pk] for one in at_stake]


def _hold_double(invoice: Invoice, outcome: Outcome) -> None:
    """The same vendor, day and amount again, under another number. Only where the vendor's own day is known."""
    if not invoice.is_dated or invoice.kind != InvoiceKind.INVOICE:
        return
    other = (
        Invoice.objects.filter(
            vendor=invoice.vendor_id, kind=InvoiceKind.INVOICE, is_dated=True, invoice_date=invoice.invoice_date,
            currency=invoice.currency_id, net=invoice.net, tax=invoice.tax,
        )
        .exclude(pk=invoice.pk)
        .exclude(status=InvoiceStatus.WITHDRAWN)
        .order_by("pk")
        .first()
    )  # fmt: skip
    if other is not None:
        detail = f"{other} ({other.vendor_number}) has the same day and amount."
        outcome.holds.append(Hold(invoice=invoice, code=HoldCode.DUPLICATE, detail=detail, found=invoice.gross))
