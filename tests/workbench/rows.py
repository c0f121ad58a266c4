"""Rows the pages are tested on, made directly: the pages only read, so how rows came to be does not matter here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import Access, Role, User
from documents.models import GenerationRun, RunState
from masterdata.models import Company, Currency, Item, Location, LocationKind, Process, Site, Unit, Vendor
from policies.models import Award, Basis, Decision, Verdict
from production.models import Operation, ProductionOrder
from receipts.models import ExpectedReceipt
from shipments.models import Shipment, ShipmentLine
from subcontract_orders.models import OrderComponent, OrderLine, OrderRevision, OrderStatus, SubcontractOrder
from subcontract_orders.services.lines import contents_of

AT = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
TODAY = AT.date()
numbers = count(1)


def company() -> Company:
    found = Company.objects.first()
    return found or Company.objects.create(pk=1, name="Alpine Cycles", currency=currency())


def currency(code: str = "EUR") -> Currency:
    return Currency.objects.get_or_create(code=code)[0]


def site(code: str = "MAIN", name: str = "Main plant") -> Site:
    found, is_new = Site.objects.get_or_create(code=code, defaults={"name": name})
    if is_new:
        Location.objects.create(code=code, name=name, kind=LocationKind.PLANT, site=found, is_main=True)
    return found


def vendor(code: str = "V1", name: str = "Alpen Eloxal", **fields: Any) -> Vendor:
    found, is_new = Vendor.objects.get_or_create(code=code, defaults={"name": name, "currency": currency(), **fields})
    if is_new:
        Location.objects.create(code=f"AT-{code}", name=f"At {name}", kind=LocationKind.VENDOR, vendor=found)
    return found


def item(code: str = "10482-B", name: str = "Pump housing") -> Item:
    unit = Unit.objects.get_or_create(code="pcs", defaults={"decimals": 0})[0]
    return Item.objects.get_or_create(code=code, defaults={"name": name, "unit": unit})[0]


def process(name: str = "Anodise, black") -> Process:
    return Process.objects.get_or_create(code=name, defaults={"name": name})[0]


def user(name: str = "mara", *roles: str, limit: Decimal | None = None, at: Site | None = None) -> User:
    made = User.objects.create_user(name, password="let me in", first_name="Mara", last_name="Lindt")
    for role in roles or (Role.BUYER,):
        Access.objects.create(user=made, role=role, site=at, approval_limit=limit)
    return made


def operation(
    *, number: str = "", no: str = "40", part: Item | None = None, at: Site | None = None, **fields: Any
) -> Operation:
    plan, _ = ProductionOrder.objects.get_or_create(
        number=number or f"WO-{next(numbers):05d}",
        defaults={
            "item": part or item(),
            "quantity": 100,
            "due_date": TODAY + timedelta(30),
            "site": at or site(),
            "changed_at": AT,
        },
    )
    work = fields.pop("process", None) or process()
    return Operation.objects.create(
        production_order=plan, sequence=int(no), operation_no=no, name=work.name, process=work, outsourced="maybe",
        quantity=plan.quantity, planned_start=TODAY + timedelta(20), planned_end=TODAY + timedelta(25), **fields,
    )  # fmt: skip


def decision(
    of: Operation, *, verdict: str = Verdict.OUTSOURCE, reasons: list[dict[str, str]] | None = None, **fields: Any
) -> Decision:
    return Decision.objects.create(
        operation=of, verdict=verdict, basis=Basis.POLICY, quantity=of.quantity, planned_start=of.planned_start,
        need_date=of.planned_end, reasons=reasons or [], decided_at=AT, **fields,
    )  # fmt: skip


def award(of: Decision, to: Vendor, **fields: Any) -> Award:
    day = of.need_date or TODAY
    return Award.objects.create(
        decision=of, vendor=to, quantity=of.quantity, currency=currency(), unit_price=Decimal("7.4"), work_amount=740, amount=740,
        amount_company=740, need_date=day, vendor_ready_date=day, at_vendor_date=day - timedelta(10),
        dispatch_by=day - timedelta(12), order_by=day - timedelta(14), promise_date=day, **fields,
    )  # fmt: skip


def order(
    *,
    to: Vendor | None = None,
    at: Site | None = None,
    order_by: date = TODAY + timedelta(3),
    due: date = TODAY + timedelta(25),
    status: str = OrderStatus.DRAFT,
    number: str = "",
    lines: int = 1,
    of: Operation | None = None,
    **fields: Any,
) -> SubcontractOrder:
    """An order with lines of 100 pieces at 7.40, its components, planned shipment and expected receipt."""
    to, at = to or vendor(), at or site()
    place = Location.objects.get(code=f"AT-{to.code}")
    home = Location.objects.get(site=at, is_main=True)
    number = number or f"SC-{next(numbers):05d}"
    stamps: dict[str, Any] = {}
    if status != OrderStatus.DRAFT:
        stamps["approved_at"] = AT
    if status in (OrderStatus.SENT, OrderStatus.ACKNOWLEDGED, OrderStatus.CLOSED):
        stamps["sent_at"] = AT
    made = SubcontractOrder.objects.create(
        number=number, vendor=to, site=at, ship_to=place, receive_at=home, currency=currency(), status=status,
        consolidation_key=number,
        total=740 * lines, total_company=740 * lines, order_by=order_by, dispatch_by=order_by + timedelta(2), due_date=due,
        created_at=AT, **stamps, **fields,
    )  # fmt: skip
    raw = item("10482-RAW", "Housing, machined")
    shipment = Shipment.objects.create(
        number=f"SH-{made.pk:05d}", vendor=to, site=at, from_location=home, to_location=place,
        dispatch_by=order_by + timedelta(2), created_at=AT,
    )  # fmt: skip
    for no in range(1, lines + 1):
        step = of if of and no == 1 else operation(at=at)
        line = OrderLine.objects.create(
            order=made, line_no=no, is_draft=status == OrderStatus.DRAFT, vendor=to, ship_to=place, receive_at=home,
            operation=step, production_order=step.production_order, operation_no=step.operation_no,
            item=step.production_order.item,
            process=step.process, description=step.name, quantity=100, unit_price=Decimal("7.4"), work_amount=740, amount=740,
            amount_company=740, need_date=due, vendor_ready_date=due, at_vendor_date=order_by + timedelta(4),
            dispatch_by=order_by + timedelta(2), order_by=order_by, promised_date=due,
        )  # fmt: skip
        part = OrderComponent.objects.create(
            line=line, position=1, item=raw, quantity_per=1, required=100, ship_from=home, supply="own"
        )
        ShipmentLine.objects.create(
            shipment=shipment, position=no, component=part, order_line=line, item=raw, quantity=100
        )
        ExpectedReceipt.objects.create(order_line=line, item=line.item, quantity=100, expected_on=due, location=home)
    if made.sent_at:  # what a vendor holds is kept
        kept = contents_of([made.pk])[made.pk]
        OrderRevision.objects.create(order=made, revision=made.revision, content=kept, made_at=AT, sent_at=AT)
    return made


def run(*, state: str = RunState.DONE, number: str = "", **fields: Any) -> GenerationRun:
    return GenerationRun.objects.create(
        number=number or f"RUN-{next(numbers):05d}", state=state, requested_at=AT, on=TODAY, **fields
    )
