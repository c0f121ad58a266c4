"""An order by hand: asked of a vendor because a person says so (a sample, rework, a tool to be ground), without a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NoRight, Refusal, Refusals
from documents.services.acting import follow_order
from masterdata import services as masterdata
from masterdata.models import Currency, Item, Process, Site, Vendor
from policies.models import ChargeBasis
from policies.rules import dates
from policies.services.offers import Offer, compare_offers
from production.models import QuantityBasis, Supply
from production.rules.components import BomRow, Ratio, required, whole_ratios
from production.services.pieces import boms_of
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from subcontract_orders import rules
from subcontract_orders import services as orders
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder
from subcontract_orders.services.lines import KIND

ZERO = Decimal(0)
SHIPPED = (Supply.OWN, Supply.RETURNABLE)
UNFIT = {
    "inactive": "{vendor} is not active; name another vendor, or activate this one.",
    "not_approved": "{vendor} is not approved for {process}; name another vendor, or have this one approved.",
    "approval_expired": "The approval of {vendor} for {process} ended on {until}; name another vendor, or renew it.",
    "no_price": "No price of {vendor} is agreed for {quantity} of {item}; write the price that was agreed.",
    "no_unit_factor": "The price of {vendor} counts in {unit}, which {item} has no factor for; write the price of one piece.",
    "no_rate": "There is no rate of {currency} on {day}; enter one first.",
}


class VendorCannot(Refusal):
    """The vendor may not be asked for it, by code: `inactive`, `not_approved`, `approval_expired`, `no_price`, `no_unit_factor`,
    `no_rate`.
    """

    status = 422


@dataclass(frozen=True, slots=True)
class GivenPart:
    """Material for a line: so much of an item for each piece, and how it reaches the vendor."""

    item: Item
    quantity: Decimal
    supply: str = Supply.OWN


@dataclass(frozen=True, slots=True)
class HandLine:
    """What is asked for: pieces of an item by the day they are needed; `process` or, in words, `description` says what is done,
    neither that the item is bought complete. Without `unit_price` (for one of the item's unit, in the vendor's currency) the
    agreed one counts, with its charges and lead days. `material` None is what the item's bill of material says.
    """

    item: Item
    quantity: Decimal
    need_date: date
    process: Process | None = None
    description: str = ""
    unit_price: Decimal | None = None
    lead_days: int | None = None
    material: Sequence[GivenPart] | None = None


@transaction.atomic
def order_by_hand(
    *,
    vendor: Vendor,
    lines: Sequence[HandLine],
    site: Site | None = None,
    reason: str = "",
    key: str = "",
    by: User,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Make a draft with its planned shipment and expected receipts, to be approved and sent as any order. Runs leave it alone.

    `key` is what the form is known by: the same again from the same user is the order it already made.
    Raises NoRight (the user's site), VendorCannot, InvalidInput, InvalidQuantity, TooPrecise, InvalidDate; of several lines
    Refusals, with the field of each.
    """
    site = site or masterdata.default_site()
    if not by.scope.everywhere and site.pk not in by.scope.site_ids:
        raise NoRight("You have no right to order for this site.", field="site")
    if not lines:
        raise InvalidInput("Say what is ordered.", field="lines", code="missing_value")
    if key and (known := _known(key, by=by)):
        return known
    today = masterdata.site_date(site=site, at=at)
    answers = _answers(vendor, lines, site=site, today=today)
    (number,) = masterdata.draw_numbers(kind=KIND)
    order = SubcontractOrder(
        number=number, vendor=vendor, site=site, ship_to=masterdata.vendor_location(vendor=vendor, site=site),
        receive_at=masterdata.main_location(site=site), currency=_currency(lines, answers, vendor),
        consolidation_key=_key(key or number, by=by), created_at=at, created_by=by,
    )  # fmt: skip
    rate = masterdata.exchange_rate(currency_id=order.currency_id, on=today)
    if rate is None:
        text = UNFIT["no_rate"].format(currency=order.currency, day=today)
        raise VendorCannot(text, code="no_rate", field="vendor")
    orders.add_orders([order])
    closed = masterdata.closed_days(vendor_id=vendor.pk, on=today)
    decimals = masterdata.company().currency.decimals
    rows = [
        _line(order, no, said, offer, today=today, closed=closed, rate=rate, decimals=decimals)
        for no, (said, offer) in enumerate(zip(lines, answers, strict=True), 1)
    ]
    boms = boms_of({said.item.pk for said in lines if said.material is None})
    material = [
        _components(said, boms, home_id=order.receive_at_id, quantity=row.quantity)
        for said, row in zip(lines, rows, strict=True)
    ]
    orders.add_lines(rows, material)
    receipts.expect_new(
        [
            ExpectedReceipt(
                order_line_id=row.pk, item_id=row.item_id, quantity=row.quantity, expected_on=row.promised_date,
                location_id=order.receive_at_id,
            )
            for row in rows
        ]
    )  # fmt: skip
    orders.recount_orders([order.pk])
    order.refresh_from_db()
    follow_order(order, at=at)
    activity.record(
        "order.created", kind=KIND, number=number, at=at, by=by, through=through, site_id=site.pk, vendor_id=vendor.pk,
        data={"by_hand": True, "reason": reason},
    )  # fmt: skip
    order.refresh_from_db()
    return order


def _key(key: str, *, by: User) -> str:
    return f"by hand {by.pk} {key}"[:120]


def _known(key: str, *, by: User) -> SubcontractOrder | None:
    return SubcontractOrder.objects.filter(created_by=by, consolidation_key=_key(key, by=by)).order_by("pk").first()


def _answers(vendor: Vendor, lines: Sequence[HandLine], *, site: Site, today: date) -> list[Offer]:
    """What the vendor would take for each line. Raises what is wrong with any of them."""
    answers: list[Offer] = []
    wrong: list[Refusal] = []
    for index, said in enumerate(lines):
        try:
            _check(said, today=today)
            answers.append(_answer(vendor, said, site=site, today=today))
        except Refusal as refusal:
            field = refusal.field if refusal.field == "vendor" else f"lines.{index}.{refusal.field}"
            wrong.append(type(refusal)(refusal.detail, code=refusal.code, field=field))
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise Refusals(wrong)
    return answers


def _check(said: HandLine, *, today: date) -> None:
    receipts.check_quantity(said.item, said.quantity, "quantity")
    if said.unit_price is not None and said.unit_price < 0:
        raise InvalidInput(f"{said.unit_price} is below zero.", field="unit_price")
    masterdata.check_day(said.need_date, today=today, field="need_date")
    if said.need_date < today:
        raise InvalidInput(f"{said.need_date} is past; today is {today}.", field="need_date", code="invalid_date")
    if said.item.is_blocked:
        raise InvalidInput(f"{said.item} is blocked; nothing is ordered of it.", field="item", code="item_blocked")
    for part in said.material or ():
        if part.quantity <= 0:
            raise InvalidQuantity(f"{part.quantity} of {part.item} is not a quantity above zero.", field="material")
        if part.supply == Supply.BY_PRODUCT:
            raise InvalidInput(f"{part.item} comes out of the work; only what goes into it is given.", field="material")


def _answer(vendor: Vendor, said: HandLine, *, site: Site, today: date) -> Offer:
    (offer,) = compare_offers(
        process=said.process, item=said.item, quantity=said.quantity, site_id=site.pk, on=today, vendor=vendor
    )
    is_priced = said.unit_price is not None and offer.reason in ("no_price", "no_unit_factor", "no_rate")
    if offer.reason and not is_priced:
        own = vendor.currency or masterdata.company().currency
        text = UNFIT[offer.reason].format(
            vendor=vendor, process=said.process, until=offer.approved_to, quantity=f"{said.quantity.normalize():f}",
            item=said.item, unit=offer.row.price_unit if offer.row else "", currency=own, day=today,
        )  # fmt: skip
        field = {"no_price": "unit_price", "no_unit_factor": "unit_price"}.get(offer.reason, "vendor")
        raise VendorCannot(text, code=offer.reason, field=field)
    return offer


def _currency(lines: Sequence[HandLine], answers: Iterable[Offer], vendor: Vendor) -> Currency:
    """The one agreed prices are in; where a person names all prices, the vendor's, else the company's."""
    agreed = {offer.currency for said, offer in zip(lines, answers, strict=True) if said.unit_price is None}
    if len(agreed) > 1:
        raise InvalidInput(
            f"The prices are in {' and '.join(sorted(agreed))}; make an order for each currency.",
            field="lines",
            code="mixed_currency",
        )
    return Currency.objects.get(code=agreed.pop()) if agreed else vendor.currency or masterdata.company().currency


def _line(
    order: SubcontractOrder,
    no: int,
    said: HandLine,
    offer: Offer,
    *,
    today: date,
    closed: frozenset[date],
    rate: Decimal,
    decimals: int,
) -> OrderLine:
    """`rate` and `decimals` are the company currency's for one unit of the order's."""
    row = offer.row if said.unit_price is None else None
    vendor = order.vendor
    lead_days = said.lead_days if said.lead_days is not None else (row.lead_days if row else None) or 0
    transit = dates.Transit(out=vendor.transit_out_days or 0, back=vendor.transit_back_days or 0)
    days = dates.chain(said.need_date, today, lead_days, transit, closed)
    line = OrderLine(
        order=order, line_no=no, vendor=vendor, ship_to=order.ship_to, receive_at=order.receive_at, item=said.item,
        process=said.process, description=said.description, quantity=said.quantity, need_date=said.need_date,
        vendor_ready_date=days.vendor_ready, at_vendor_date=days.at_vendor, dispatch_by=days.dispatch_by,
        order_by=days.order_by, promised_date=days.promise, late_by=days.late_by,
        transit_back_days=vendor.transit_back_days or 0,
        certificates=list(said.process.certificates) if said.process else [],
    )  # fmt: skip
    line.minimum_charge, line.lot_charge, line.freight = ZERO, ZERO, ZERO
    if row:
        line.agreement_id, line.price_unit, line.price_factor = row.agreement_id, row.price_unit, row.factor
        line.minimum_charge, line.minimum_charge_basis = row.minimum_charge or ZERO, row.minimum_charge_basis
        line.lot_charge, line.freight = row.lot_charge or ZERO, row.freight or ZERO
    line.unit_price = (row.unit_price if row else said.unit_price) or ZERO
    worth = rules.amounts(
        quantity=line.quantity, unit_price=line.unit_price, price_factor=line.price_factor,
        minimum_charge=line.minimum_charge if line.minimum_charge_basis == ChargeBasis.LINE else ZERO,
        lot_charge=line.lot_charge, freight=line.freight, decimals=order.currency.decimals,
    )  # fmt: skip
    line.work_amount, line.minimum_top_up, line.amount = worth.work, worth.minimum_top_up, worth.amount
    line.lot_charge, line.freight = worth.lot_charge, worth.freight
    line.amount_company = rules.money(worth.amount * rate, decimals=decimals)
    return line


def _components(
    said: HandLine, boms: Mapping[int, Sequence[BomRow]], *, home_id: int, quantity: Decimal
) -> list[OrderComponent]:
    if said.material is None:
        ratios: Iterable[Ratio] = whole_ratios(boms, item_id=said.item.pk)
    else:
        ratios = [
            Ratio(
                part.item.pk, part.supply, False, part.quantity, ZERO, part.quantity,
                part.item.decimals,
            )
            for part in said.material
        ]  # fmt: skip
    return [
        OrderComponent(
            position=position, item_id=ratio.item_id, supply=ratio.supply, scrap_pct=ratio.scrap_pct,
            basis=QuantityBasis.PER_ORDER if ratio.is_per_order else QuantityBasis.PER_UNIT,
            quantity_per=ratio.quantity_per, required=required(ratio, quantity=quantity).required,
            ship_from_id=home_id if ratio.supply in SHIPPED else None,
        )
        for position, ratio in enumerate(ratios, 1)
    ]  # fmt: skip
