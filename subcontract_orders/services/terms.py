"""The terms of an order line: quantity, price and dates, and all that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.refusals import InvalidInput, InvalidQuantity, NotFound, TooPrecise
from masterdata import services as masterdata
from policies.models import ChargeBasis
from policies.rules import dates
from policies.rules.dates import Chain
from production.models import QuantityBasis
from production.rules.components import rounded_up
from subcontract_orders import rules
from subcontract_orders.models import LinePromise, OrderComponent, OrderLine, OrderRevision, SubcontractOrder
from subcontract_orders.services.lines import TELLS_RATE


class NoRate(InvalidInput):
    """What the order is worth in company money cannot be said."""

    code = "no_rate"


def line_of(order: SubcontractOrder, line_no: int) -> OrderLine:
    line = OrderLine.objects.active().select_related("item__unit").filter(order=order, line_no=line_no).first()
    if line is None:
        raise NotFound(f"{order} has no line {line_no}.", field="line")
    return line


def set_terms(
    line: OrderLine,
    *,
    order: SubcontractOrder,
    quantity: Decimal | None,
    unit_price: Decimal | None,
    need_date: date | None,
    at: datetime,
) -> list[str]:
    """Set fields of a line, its components with the quantity, its other dates with the need date. Says which."""
    changed = []
    if quantity is not None:
        decimals = line.item.decimals
        if quantity <= 0:
            raise InvalidQuantity(f"{quantity} is not a quantity above zero.", field="quantity")
        if quantity != rounded_up(quantity, decimals=decimals):
            raise TooPrecise(f"{line.item} has {decimals} decimals; {quantity} has more.", field="quantity")
        if quantity < line.received:
            raise InvalidQuantity(
                f"{line.received.normalize():f} of line {line.line_no} are received already; it cannot be less than that.",
                field="quantity",
            )
        before, line.quantity = line.quantity, quantity
        _scale_components(line, before=before)
        changed.append("quantity")
    if unit_price is not None:
        if unit_price < 0:
            raise InvalidInput(f"{unit_price} is below zero.", field="unit_price")
        line.unit_price, line.is_price_open = unit_price, False
        changed.append("unit_price")
    if need_date is not None:
        masterdata.check_day(need_date, today=site_today(order, at=at), field="need_date")
        set_need_date(line, need_date, on=ordered_on(order, at=at))
        changed.append("need_date")
    if {"quantity", "need_date"} & set(changed):
        LinePromise.objects.filter(line=line, is_told=False).delete()
    return changed


def set_need_date(line: OrderLine, need_date: date, *, on: date) -> None:
    """Move a line's need and with it all its dates, as if it had been needed then from the start and is ordered `on` a day."""
    inspection = timedelta(days=line.inspection_days)
    frozen = Chain(
        line.need_date,
        line.vendor_ready_date,
        line.at_vendor_date,
        line.dispatch_by,
        line.order_by,
        line.order_by,
        line.late_by,
        line.promised_date + inspection,
        line.dispatch_by,
        line.at_vendor_date,
    )
    chain = dates.moved(frozen, need_date, on, masterdata.closed_days(vendor_id=line.vendor_id, on=on))
    line.need_date, line.vendor_ready_date, line.at_vendor_date = chain.need_date, chain.vendor_ready, chain.at_vendor
    line.dispatch_by, line.order_by = chain.dispatch_by, chain.order_by
    line.promised_date, line.late_by = chain.promise - inspection, chain.late_by


def ordered_on(order: SubcontractOrder, *, at: datetime) -> date:
    """The site's day on which the vendor first got the order; today where he has not."""
    first = OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("revision").first()
    return site_today(order, at=(first.sent_at if first else order.sent_at) or at)


def site_today(order: SubcontractOrder, *, at: datetime) -> date:
    """What day it is where the order is placed."""
    return masterdata.site_dates(at=at)[order.site_id]


def set_amounts(line: OrderLine, *, order: SubcontractOrder, at: datetime) -> None:
    """Work out a line's amounts from its own price, quantity and charges; company money at the rate its amounts had.

    Where they are too small to tell it, the rate is that of the day the vendor first got the order, or today. Raises NoRate.
    """
    rate = line.amount_company / line.amount if line.amount and line.amount_company >= TELLS_RATE else None
    found = rules.amounts(
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_factor=line.price_factor,
        # A minimum per order is shared out over the order's lines when it is counted.
        minimum_charge=line.minimum_charge if line.minimum_charge_basis == ChargeBasis.LINE else Decimal(0),
        lot_charge=line.lot_charge,
        freight=line.freight,
        decimals=order.currency.decimals,
    )
    line.work_amount, line.minimum_top_up, line.amount = found.work, found.minimum_top_up, found.amount
    company = masterdata.company()
    if order.currency_id == company.currency_id:
        line.amount_company = line.amount
        return
    if rate is None and line.amount:
        day = ordered_on(order, at=at)
        rate = masterdata.exchange_rate(currency_id=order.currency_id, on=day)
        if rate is None:
            raise NoRate(f"There is no rate of {order.currency} on {day}; enter one first.", field="unit_price")
    line.amount_company = rules.money(line.amount * (rate or 0), decimals=company.currency.decimals)


def _scale_components(line: OrderLine, *, before: Decimal) -> None:
    components = list(OrderComponent.objects.select_related("item__unit").filter(line=line).order_by("position"))
    pieces = [component for component in components if component.stage]
    same = [
        [pieces[place] for place in places]
        for places in rules.same_pieces([(row.stage, row.required) for row in pieces], quantity=before)
    ]
    shared = [_shared(rows, line.quantity) for rows in same]
    for component in components:
        if component.basis == QuantityBasis.PER_UNIT:
            factor = component.quantity_per * (1 + component.scrap_pct / 100)
            decimals = component.item.decimals
            component.required = rounded_up(factor * line.quantity, decimals=decimals)
    for rows, gives in zip(same, shared, strict=True):
        for row, required in zip(rows, gives, strict=True):
            row.required = required
    for component in components:
        component.carried_in = min(component.carried_in, component.required)
    OrderComponent.objects.bulk_update(components, ["required", "carried_in"])


def _shared(rows: Sequence[OrderComponent], quantity: Decimal) -> list[Decimal]:
    """What each row of the same pieces gives, which go in one for one wherever they come from: what has left stays, then each
    gives what it was to give, and the last one the rest.
    """
    rest, found = quantity, []
    for row in rows:
        found.append(min(max(row.net_sent, Decimal(0)), rest))
        rest -= found[-1]
    for place, row in enumerate(rows):
        more = min(max(row.required - found[place], Decimal(0)), rest)
        found[place] += more
        rest -= more
    return [*found[:-1], found[-1] + rest]


def take_pieces_after(line: OrderLine, *, told: str, now: str, ship_from_id: int) -> None:
    """Let the pieces a line still waits for be those of another stage, at another place; what it has got stays what it was."""
    rows = list(OrderComponent.objects.select_for_update().filter(line=line).order_by("position"))
    for row in [one for one in rows if one.stage == told]:
        given = max(row.net_sent + row.carried_in - row.carried_out, Decimal(0))
        if not (given or row.sent or row.carried_in):
            row.stage, row.ship_from_id = now, ship_from_id
            row.save(update_fields=["stage", "ship_from"])
        elif row.required > given:
            rest = OrderComponent(
                line=line, position=max(one.position for one in rows) + 1, item_id=row.item_id, stage=now,
                supply=row.supply, basis=row.basis, quantity_per=row.quantity_per, scrap_pct=row.scrap_pct,
                required=row.required - given, ship_from_id=ship_from_id,
            )  # fmt: skip
            row.required = given
            if row.sent_required is not None:
                rest.sent_required = max(row.sent_required - given, Decimal(0))
                row.sent_required -= rest.sent_required
            row.save(update_fields=["required", "sent_required"])
            rest.save()
            rows.append(rest)
