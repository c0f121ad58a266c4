"""The order as a vendor gets it on paper: the work, its specification, the material for it, what comes back when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext

from masterdata.models import Item
from masterdata.printing import as_pdf, company, number, qr_code
from production.models import Supply
from subcontract_orders.models import OrderComponent, OrderLine, OrderRevision, OrderStatus, SubcontractOrder


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line as it stands on the paper, numbers written out."""

    line_no: int
    work: str
    item: Item
    revision: str
    reference: str
    specification: list[str]
    certificates: list[str]
    quantity: str
    unit: str
    tolerance: str
    is_price_open: bool
    price: str
    price_unit: str
    amount: str
    charges: list[tuple[str, str]]
    due: date
    parts: list[tuple[str, date]]
    back_to: str


@dataclass(frozen=True, slots=True)
class PaperPart:
    """Material for a line, how much, and how it reaches the vendor; or what comes out of the work beside the pieces."""

    line_no: int
    item: Item
    stage: str
    quantity: str
    way: str
    leaves: date | None


@dataclass(frozen=True, slots=True)
class PaperHead:
    revision: int
    sent_on: date | None
    stamp: str
    total: str
    back_to: str
    """Blank where the lines' goods come back to different places."""


def order_paper(*, order_id: int, link: str = "") -> bytes:
    """An order as a PDF, in the vendor's language: the version in force, or, of an order never sent, what it says now.

    `link` is where the vendor answers; it stands on the paper as a code. An order not with the vendor is stamped with its
    state. Raises PdfUnavailable.
    """
    order = SubcontractOrder.objects.select_related("vendor", "site", "currency").get(pk=order_id)
    lines = list(
        OrderLine.objects.active()
        .filter(order=order)
        .select_related("item__unit", "process", "production_order", "receive_at", "sent_receive_at")
        .prefetch_related("promises")
        .order_by("line_no")
    )
    tell_as_sent(order, lines)
    components = OrderComponent.objects.filter(line__in=lines).select_related("line", "item__unit")
    parts = list(components.order_by("line__line_no", "position"))
    with translation.override(order.vendor.language or "en"):
        return as_pdf(
            "subcontract_orders/order_paper.html",
            {
                "order": order,
                "paper": _head(order, lines),
                "lines": [_line(line, decimals=order.currency.decimals) for line in lines],
                "components": [_part(part) for part in parts if part.supply != Supply.BY_PRODUCT],
                "beside": [_part(part) for part in parts if part.supply == Supply.BY_PRODUCT],
                "link": link,
                "qr": qr_code(link) if link else "",
            },
        )


def _head(order: SubcontractOrder, lines: list[OrderLine]) -> PaperHead:
    sent = OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("-revision").first()
    zone = ZoneInfo(order.site.time_zone or company().time_zone)
    places = {back_to(line) for line in lines}
    return PaperHead(
        revision=sent.revision if sent else order.revision,
        sent_on=sent.sent_at.astimezone(zone).date() if sent and sent.sent_at else None,
        stamp=_stamp(order),
        total=_money(sum((line.amount_in_force for line in lines), Decimal(0)), order.currency.decimals),
        back_to=places.pop() if len(places) == 1 else "",
    )


def tell_as_sent(order: SubcontractOrder, lines: Iterable[OrderLine]) -> None:
    """While a later version waits, lines tell of the work what the vendor was told last. Nothing is saved."""
    if not order.revision_waits:
        return
    told = OrderRevision.objects.filter(order=order, sent_at__isnull=False).latest("revision").work_told()
    for line in lines:
        for name, value in told.get(line.line_no, {}).items():
            setattr(line, name, value)


def back_to(line: OrderLine) -> str:
    """Where a line's pieces come back to as it is in force, in words for its vendor."""
    place = line.receive_at_in_force
    if place.pk == line.ship_to_id:
        return gettext("They stay at your place and go on from there")
    return place.name or place.code


def _stamp(order: SubcontractOrder) -> str:
    if order.status == OrderStatus.CANCELLED:
        return gettext("Cancelled")
    if order.status == OrderStatus.HELD:
        return gettext("Held: do not begin")
    return "" if order.is_with_vendor or order.sent_at else gettext("Draft: not an order yet")


def _line(line: OrderLine, *, decimals: int) -> PaperLine:
    charges = (
        (gettext("to the minimum"), line.minimum_top_up),
        (gettext("lot charge"), line.lot_charge),
        (gettext("freight"), line.freight),
    )
    reference = line.production_order.number if line.production_order else ""
    return PaperLine(
        line_no=line.line_no,
        work=line.work_name or gettext("Bought complete"),
        item=line.item,
        revision=line.item_revision,
        reference=f"{reference} / {line.steps}" if reference and line.operation_no else reference,
        specification=[
            *(
                [line.description]
                if line.process and line.description not in ("", line.work_name, line.process.name)
                else []
            ),
            *([line.specification] if line.specification else []),
            *([gettext("Files: {names}").format(names=names)] if (names := _file_names(line)) else []),
        ],
        certificates=list(line.certificates),
        quantity=number(line.quantity_in_force),
        unit=line.item.unit.code if line.item.unit else "",
        tolerance=_tolerance(line),
        is_price_open=line.is_price_open,
        price=number(line.unit_price_in_force, least=2),
        price_unit=line.price_unit,
        amount=_money(line.amount_in_force, decimals),
        # A version that waits may have other charges; what is in force is known as a whole only.
        charges=[(what, _money(much, decimals)) for what, much in charges if much and line.sent_amount is None],
        due=line.promised_in_force,
        parts=[(number(part.quantity), part.promised_date) for part in line.promises_in_force],
        back_to=back_to(line),
    )


def _tolerance(line: OrderLine) -> str:
    if not line.over_receipt_pct and not line.under_receipt_pct:
        return ""
    return f"+{number(line.over_receipt_pct)} / −{number(line.under_receipt_pct)} %"


def _file_names(line: OrderLine) -> str:
    return ", ".join(file["name"] for file in line.specification_files)


def _part(part: OrderComponent) -> PaperPart:
    way = {
        Supply.OWN: gettext("we send it"),
        Supply.VENDOR: gettext("you provide it"),
        Supply.CONSIGNED: gettext("from our stock at your place"),
        Supply.DIRECT: gettext("a third party delivers it"),
        Supply.RETURNABLE: gettext("we lend it; send it back"),
        Supply.BY_PRODUCT: gettext("comes back with the goods"),
    }[Supply(part.supply)]
    is_sent = part.supply in (Supply.OWN, Supply.RETURNABLE)
    return PaperPart(
        line_no=part.line.line_no,
        item=part.item,
        stage=part.stage,
        quantity=number(part.required_in_force),
        way=gettext("it lies at your place") if is_sent and part.ship_from_id == part.line.ship_to_id else way,
        leaves=part.line.dispatch_in_force if is_sent and part.ship_from_id != part.line.ship_to_id else None,
    )


def _money(value: Decimal, decimals: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return number_format(rounded, decimal_pos=decimals, use_l10n=True, force_grouping=True)
