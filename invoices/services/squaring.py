"""Charges that were paid whole before their order line ended short: what its pieces do not owe of them is a difference."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from core.retries import retried
from invoices import rules
from invoices.models import CHARGES, InvoiceKind, Match
from invoices.services.entering import record
from invoices.services.owing import Owed, lock_order_lines, what_is_owed
from invoices.services.posting import post_matches
from invoices.services.reading import received_not_invoiced
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus

ZERO = Decimal(0)
CENT = Decimal("0.01")


def square_charges(*, at: datetime) -> int:
    """Book what paid charges no longer owe since their line ended short, or owe again since it goes on.

    A charge is accrued with the pieces it is for. Invoiced before the line ends, it is taken out whole; the part of pieces that
    never come goes to those that did, or to price variance, as it does where the invoice comes last. Returns how many were
    booked.
    """
    keys = list(_to_look_at().values_list("pk", flat=True))
    stands = received_not_invoiced(keys)
    apart = [pk for pk in keys if pk in stands and abs(stands[pk].open) >= CENT]
    return _square(apart, at=at) if apart else 0


def _paid_charges() -> QuerySet[Match]:
    posted = Match.objects.filter(posted_at__isnull=False, line__kind__in=CHARGES)
    return posted.exclude(line__invoice__kind=InvoiceKind.CREDIT)


def _to_look_at() -> QuerySet[OrderLine]:
    """Lines with paid charges that ended with fewer pieces than ordered, or were squared when they had."""
    of_line = _paid_charges().filter(order_line=OuterRef("pk"))
    ended = ~Q(status=LineStatus.OPEN) | Q(order__status__in=[OrderStatus.CLOSED, OrderStatus.CANCELLED])
    lines = OrderLine.objects.annotate(made=F("accepted") + F("rejected") + F("scrapped") + F("in_rework"))
    short = ended & Q(made__lt=Coalesce("sent_quantity", "quantity")) & Exists(of_line)
    return lines.filter(short | Exists(of_line.filter(amount=0))).order_by("pk")


@retried
@transaction.atomic
def _square(order_line_ids: Collection[int], *, at: datetime) -> int:
    lock_order_lines(order_line_ids)
    booked = 0
    for pk, one in what_is_owed(order_line_ids).items():
        paid = _paid_charges().filter(order_line=pk)
        sums = paid.values_list("line__kind").annotate(Sum("amount"), Sum("agreed"))
        for kind, amount, agreed in sums:
            change = _change(one, kind, amount, agreed)
            if abs(change) < CENT:
                continue
            last = paid.filter(line__kind=kind).select_related("line__invoice").latest("pk")
            row = Match(
                line=last.line,
                order_line_id=pk,
                amount=ZERO,
                amount_company=ZERO,
                agreed=change,
                price_difference=-change,
            )
            row.save()
            post_matches([row], last.line.invoice, by=None, at=at)
            record(
                "invoice.charge_squared",
                last.line.invoice,
                by=None,
                at=at,
                through="system",
                data={"amount": f"{-change}"},
            )
            booked += 1
    return booked


def _change(one: Owed, kind: str, amount: Decimal, agreed: Decimal) -> Decimal:
    whole = one.charges.get(kind, ZERO)
    if not whole:
        return ZERO
    return rules.five(one.charges_company[kind] * min(amount / whole, Decimal(1))) - agreed
