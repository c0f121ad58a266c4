"""What of an invoice is for which receipt or charge, and what holds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from invoices import rules
from invoices.models import Hold, HoldCode, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, Match, SpreadBasis
from invoices.services.entering import check_weights
from invoices.services.owing import Owed, what_is_owed
from masterdata import services as masterdata
from policies.models import PayFor
from receipts.models import ReceiptLine

ZERO = Decimal(0)


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
    counts = "received" if one.line.pay_for == PayFor.RECEIVED else "accepted"
    waits = f", {one.waiting.normalize():f} wait for inspection" if one.waiting else ""
    detail = (
        f"{asked_for.normalize():f} are asked for, {max(most, ZERO).normalize():f} may be paid{where} "
        f"({one.payable.normalize():f} {counts}, {one.taken.normalize():f} invoiced before{waits})."
    )
    outcome.holds.append(
        Hold(invoice=invoice, line=line, code=HoldCode.OVER_INVOICE, detail=detail, allowed=rules.five(max(most, ZERO)),
             found=asked_for)
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
