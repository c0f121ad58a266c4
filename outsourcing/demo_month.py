"""A month of life in the demo: orders approved, sent, shipped for and received, day by day, all through the services.

Nothing is left to chance: the same plan always lives the same month, so that what a page shows can be spoken about.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, Sum

from accounts.models import User
from core.refusals import Refusal
from documents import services as documents
from inventory import services as inventory
from inventory.models import Balance
from inventory.services import CountedStock
from masterdata import services as masterdata
from masterdata.models import Item, Location, Site
from outsourcing import demo_incidents, demo_invoices
from production import services as production
from production.models import Operation, OperationStatus, Supply
from production.services.reporting import components_of
from receipts import services as receipts
from receipts.models import Disposition, Fault, PurchaseRequest, Receipt, ReceiptLine, ReceiptStatus
from receipts.services import CountedLine
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine, ShipmentStatus
from shipments.services import ToPick
from subcontract_orders.models import (
    WITH_VENDOR,
    LineStatus,
    OrderComponent,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)

DAYS = 35
AHEAD = 3  # orders are placed when they are due within these days
FIRST_HALF, REST = 12, 20  # days after dispatch on which a vendor delivers
INSPECTED_AFTER = 2
ORDERED_AFTER = 2
TOO_LATE = 28  # days after a vendor needs it that some third party delivers
MADE_AHEAD = 10  # our own steps are finished so many days before the pieces leave
WORKDAYS = 5
COUNTED = 5  # days before the end on which vendors count
ENDED = 2  # days before the end on which what went wrong is put right
BILLED = (7, 0)  # days before the end on which vendors send their statements
LATE_PARTS = 8  # days before the end from which some of what is to be shipped has not come in
ZERO = Decimal(0)


@dataclass(slots=True)
class Lived:
    """What was done in the month, by kind, and what was refused, by code."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Month:
    """One month: who acts, and the day it is."""

    def __init__(self, *, people: dict[str, User], zone: ZoneInfo) -> None:
        self.buyer, self.dock, self.quality = people["headbuyer"], people["dock"], people["quality"]
        self.clerk = people["payables"]
        self.zone = zone
        self.lived = Lived()
        self.notes = count(40117)
        self.steps: dict[int, list[tuple[int, Any]]] = {}
        self.outside: set[int] = set()
        self.made: set[int] = set()
        self.homes: dict[int, Location] = {}
        self.tried_out: set[int] = set()

    def tried(self, kind: str, action: Callable[..., Any], **said: Any) -> Any:
        """Do one thing as a person would; a refusal is life as well."""
        try:
            result = action(**said)
        except Refusal as refusal:
            self.lived.refused[refusal.code] += 1
            return None
        self.lived.done[kind] += 1
        return result

    def day(self, at: datetime, *, until: datetime) -> None:
        """One working day. On the last one nothing leaves and nothing is inspected: that is left for whoever looks."""
        is_last = at.date() == until.date()
        self._order(at)
        self._make(at, until=until)
        self._supply_directly(at)
        if not is_last:
            self._ship(at, until=until)
        shipments.deliver_due(at=at)
        self._receive(at)
        if not is_last:
            self._inspect(at)

    def _order(self, at: datetime) -> None:
        until = at.date() + timedelta(days=AHEAD)
        for order in SubcontractOrder.objects.unsent().filter(order_by__lte=until).order_by("order_by", "pk"):
            if order.status == OrderStatus.DRAFT:
                self.tried("approved", documents.approve_set, order_id=order.pk, by=self.buyer, at=at)
            sent = self.tried(
                "sent", documents.send_set, order_id=order.pk, by=self.buyer, at=at + timedelta(minutes=20)
            )
            if sent is not None and one_in(3, order.number) != 0:
                self.tried("acknowledged", documents.acknowledge_set, order_id=order.pk, by=self.buyer,
                           at=at + timedelta(hours=5))  # fmt: skip

    def _make(self, at: datetime, *, until: datetime) -> None:
        """Our own steps before the pieces go out, finished in time to be shipped; one in nine scraps a few.

        Not of what leaves at the end, so that whoever looks finds something that is ready to leave.
        """
        scraps = (until - at).days > MADE_AHEAD + 2
        due = OrderLine.objects.filter(
            order__status__in=WITH_VENDOR,
            operation__isnull=False,
            dispatch_by__lte=at.date() + timedelta(days=MADE_AHEAD),
            status=LineStatus.OPEN,
        )
        for line in due.select_related("operation").order_by("dispatch_by", "pk"):
            operation: Any = line.operation
            if operation.pk not in self.steps:
                steps = list(
                    Operation.objects.filter(production_order=line.production_order_id).order_by("sequence", "pk")
                )
                self.steps[operation.pk] = [
                    (step.pk, ratios)
                    for step, ratios in components_of(line.item_id, steps)
                    if step.sequence < operation.sequence
                ]
            mine = self.steps[operation.pk]
            if line.pk in self.made:
                continue
            now = Operation.objects.select_related("production_order__site").in_bulk([step_id for step_id, _ in mine])
            if all(step.status == OperationStatus.FINISHED for step in now.values()):
                self.made.add(line.pk)
            previous: Operation | None = None
            for step_id, ratios in mine:
                step = now[step_id]
                done = step.good + step.scrap
                possible = (previous.good if previous else step.quantity) - done
                home = self._home(step.production_order.site)
                if previous is not None and possible > 0:
                    stage = f"{step.production_order.stage_number}/{previous.operation_no}"
                    possible = min(possible, self.free(line.item_id, home.pk, stage))
                previous = step
                if possible <= 0 or step_id in self.outside or self._is_outside(step_id):
                    continue
                name = f"{step.production_order.number}/{step.operation_no}"
                scrap = Decimal(2) if scraps and one_in(9, name) == 0 and possible > 20 else ZERO
                self._buy({(ratio.item_id, home.pk): ratio.factor * possible for ratio in ratios}, at)
                made = self.tried("reported", production.report_operation, operation_id=step_id, good=possible - scrap,
                                  scrap=scrap, by=self.buyer, at=at)  # fmt: skip
                previous = made or step

    def _home(self, site: Site) -> Location:
        if site.pk not in self.homes:
            self.homes[site.pk] = masterdata.main_location(site=site)
        return self.homes[site.pk]

    def _is_outside(self, step_id: int) -> bool:
        """Whether somebody else makes this step; asked once."""
        if OrderLine.objects.active().filter(operation=step_id).exists():
            self.outside.add(step_id)
        return step_id in self.outside

    def _buy(self, needed: dict[tuple[int, int], Decimal], at: datetime, *, in_lots: bool = False) -> None:
        """What is bought comes in just in time; what vendors are sent comes in lots."""
        there = {
            (item, place): total
            for item, place, total in Balance.objects.filter(item__in={item for item, _ in needed}, stage="", lot=None)
            .values_list("item", "location")
            .annotate(total=Sum("quantity"))
        }
        codes = dict(Item.objects.filter(pk__in={item for item, _ in needed}).values_list("pk", "code"))
        counts = [
            CountedStock(
                item_id=item,
                location_id=place,
                quantity=quantity.to_integral_value(ROUND_UP),
                lot=f"{codes[item].rpartition('-')[2]}-{at:%y%m%d}" if in_lots else "",
                unit_cost=_cost(codes[item]),
            )
            for (item, place), quantity in needed.items()
            if in_lots or there.get((item, place), ZERO) < quantity
        ]
        if not counts:
            return
        self.tried("bought", inventory.load_stock, counts=counts, at=at, by=None, number="Goods in")

    def _ship(self, at: datetime, *, until: datetime) -> None:
        """What is due leaves; of what was needed in the last week, one part is still missing."""
        due = Shipment.objects.filter(status=ShipmentStatus.PLANNED, dispatch_by__lte=at.date())
        lines = ShipmentLine.objects.filter(shipment__in=due, order_line__order__status__in=WITH_VENDOR)
        needed: dict[tuple[int, int], Decimal] = {}
        for item, code, place, quantity in lines.filter(stage="").values_list(
            "item", "item__code", "shipment__from_location", "quantity"
        ):
            if (until - at).days > LATE_PARTS or one_in(3, code) != 0:
                needed[item, place] = needed.get((item, place), ZERO) + quantity
        if needed:
            self._buy({key: quantity - self.free(*key) for key, quantity in needed.items() if quantity > self.free(*key)},
                      at, in_lots=True)  # fmt: skip
        loads: dict[int, list[ToPick]] = {}
        ready = lines.filter(order_line__dispatch_by__lte=at.date()).exclude(component__in=self.tried_out)
        for row in ready.select_related("order_line", "shipment").order_by("order_line__order", "shipment", "position"):
            quantity = row.quantity
            if row.stage:
                quantity = min(quantity, self.free(row.item_id, row.shipment.from_location_id, row.stage))
                if quantity * 2 < row.quantity:
                    continue
            if quantity == row.quantity:
                self.tried_out.add(row.component_id)
            wanted = ToPick(row.item_id, quantity, order_line_id=row.order_line_id)
            loads.setdefault(row.order_line.order_id, []).append(wanted)
        for order_id, load in loads.items():
            self.tried("dispatched", shipments.ship, order_ids=[order_id], lines=load, by=self.dock,
                       at=at + timedelta(hours=2))  # fmt: skip

    def _supply_directly(self, at: datetime) -> None:
        """What third parties bring to vendors is ordered some days after the orders went out, and comes when it is needed; some
        nobody orders, and some is ordered for a later day.
        """
        asked = (
            PurchaseRequest.objects.filter(order__status__in=WITH_VENDOR)
            .select_related("item", "order_line")
            .order_by("reference")
        )
        for one in asked.filter(on_order__gt=0, expected_on__lte=at.date()):
            self.tried("arrived", receipts.post_arrival, order_line_id=one.order_line_id, item_id=one.item_id,
                       quantity=one.on_order, note=f"TP-{next(self.notes)}", unit_cost=_cost(one.item.code), by=self.dock,
                       at=at + timedelta(hours=1))  # fmt: skip
        for one in asked.filter(to_order__gt=0, order__sent_at__lte=at - timedelta(days=ORDERED_AFTER)):
            way = one.order_line.line_no % 3
            day = one.needed_on + timedelta(days=TOO_LATE if way == 2 else 0)
            if way:
                self.tried("ordered", receipts.mark_ordered, order_line_id=one.order_line_id, item_id=one.item_id,
                           reference=f"PO-{zlib.crc32(one.reference.encode()) % 90000 + 10000}", supplier="Coatings Wholesale",
                           expected_on=day, by=self.buyer, at=at)  # fmt: skip

    def free(self, item_id: int, location_id: int, stage: str = "") -> Decimal:
        there = Balance.objects.filter(item=item_id, location=location_id, stage=stage).aggregate(total=Sum("quantity"))
        return there["total"] or ZERO

    def _receive(self, at: datetime) -> None:
        """What vendors bring: half of it after two weeks, the rest a week later; some of it bad, some without its papers."""
        arrivals = _arrivals()
        lines = OrderLine.objects.filter(pk__in=arrivals, order__status__in=WITH_VENDOR)
        bring: dict[int, list[CountedLine]] = {}
        for line in (
            lines.select_related("item__unit", "order")
            .prefetch_related("components")
            .order_by("vendor", "order", "line_no")
        ):
            counted = self._brought(line, arrivals[line.pk], at)
            if counted is not None:
                bring.setdefault(line.order_id, []).append(counted)
        vendors = dict(SubcontractOrder.objects.filter(pk__in=bring).values_list("pk", "vendor"))
        for order_id, counted_lines in bring.items():
            self.tried(
                "received", receipts.post_receipt, vendor_id=vendors[order_id], note=f"LS-{next(self.notes)}",
                lines=counted_lines, note_date=at.date() - timedelta(days=1), by=self.dock, at=at + timedelta(hours=3),
            )  # fmt: skip

    def _brought(self, line: OrderLine, first: datetime, at: datetime) -> CountedLine | None:
        name = f"{line.order.number}/{line.line_no}"
        out, possible = (at - first).days, _possible(line)
        if out < (REST if line.received else FIRST_HALF) + one_in(6, name) or possible <= line.received:
            return None
        quantity = possible - line.received
        if not line.received:
            quantity = (quantity * Decimal("0.6")).to_integral_value(ROUND_DOWN) or quantity
        rejected = Decimal(1 + one_in(3, name)) if one_in(5, name) == 0 and quantity > 20 else ZERO
        scrapped = Decimal(1) if one_in(7, name) == 0 and quantity > 20 else ZERO
        papers = tuple(line.certificates) if one_in(6, name) else ()
        is_serial = line.item.serial_tracked
        good = quantity - rejected - scrapped
        return CountedLine(
            order_line_id=line.pk,
            accepted=good,
            rejected=rejected,
            scrapped=scrapped,
            lot=f"{at:%y%m%d}-{line.line_no}" if line.item.lot_tracked else "",
            serials=tuple(f"{line.order_id}{line.line_no:02}{n:05}" for n in range(int(good))) if is_serial else (),
            certificates=papers,
        )

    def _inspect(self, at: datetime) -> None:
        """Quality passes what has waited two days, but for what lacks its papers."""
        waiting = ReceiptLine.objects.filter(
            held__gt=0,
            receipt__status=ReceiptStatus.POSTED,
            receipt__posted_at__lte=at - timedelta(days=INSPECTED_AFTER),
        )
        for line in waiting.select_related("receipt").order_by("pk"):
            if line.held_for == ["inspection"] and one_in(4, f"{line.receipt.number}/{line.line_no}"):
                self._pass(line, at)

    def _pass(self, line: ReceiptLine, at: datetime) -> None:
        """Passed as it is; one in seven with a piece that is not good: mended by the vendor, or scrapped."""
        bad = (
            Decimal(1)
            if one_in(7, f"{line.receipt.number}/{line.line_no}") == 0 and line.to_inspect > 1 and not line.stage
            else ZERO
        )
        self.tried(
            "inspected", receipts.inspect_receipt, receipt_id=line.receipt_id, line_no=line.line_no,
            accepted=line.to_inspect - bad, rejected=bad, disposition=Disposition.SCRAP if bad else "",
            fault=Fault.VENDOR if bad else Fault.OPEN, reason="Scratched" if bad else "", by=self.quality,
            at=at + timedelta(hours=6),
        )  # fmt: skip

    def counts(self, at: datetime) -> None:
        """Vendors count our material: one finds a few less, one as many as the book has."""
        there = OrderComponent.objects.lying_at_vendor().filter(stage="").select_related("line", "item")
        seen: set[int] = set()
        for row in there.order_by("pk"):
            if row.line.vendor_id in seen or row.item.lot_tracked or row.item.serial_tracked:
                continue
            seen.add(row.line.vendor_id)
            book = _lying(row)
            missing = Decimal(2) if one_in(2, row.item.code) and book > 10 else ZERO
            self.tried(
                "counted", receipts.count_vendor_stock, vendor_id=row.line.vendor_id, item_id=row.item_id,
                counted=book - missing, location_id=row.line.ship_to_id, reason="Vendor's monthly count", by=self.dock, at=at,
            )  # fmt: skip

    def endings(self, at: datetime) -> None:
        """One receipt was counted wrong and is taken back and counted anew; what is not needed at vendors comes home."""
        wrong = Receipt.objects.posted().order_by("-pk").prefetch_related("lines").first()
        if wrong is not None:
            lines = [CountedLine(row.order_line_id, row.accepted, row.rejected, row.scrapped,
                                 certificates=tuple(row.certificates)) for row in wrong.lines.all()]  # fmt: skip
            if self.tried("reversed", receipts.reverse_receipt, receipt_id=wrong.pk, by=self.dock, at=at):
                self.tried("received", receipts.post_receipt, vendor_id=wrong.vendor_id, note=wrong.note, lines=lines,
                           note_date=wrong.note_date, by=self.dock, at=at + timedelta(minutes=10))  # fmt: skip
        done = SubcontractOrder.objects.filter(status__in=WITH_VENDOR, receipt="complete").order_by("pk")
        for order in done[:3]:
            self.tried("closed", documents.close_set, order_id=order.pk, leftovers=receipts.Leftovers.RETURN, by=self.buyer,
                       at=at)  # fmt: skip


def live(*, until: datetime) -> Lived:
    """Live the days before `until`, one working day after the other. The plan was loaded and decided when they began."""
    began = time.monotonic()
    zone = ZoneInfo(masterdata.company().time_zone or "UTC")
    people = {
        user.username: user for user in User.objects.filter(username__in=["headbuyer", "dock", "quality", "payables"])
    }
    month = Month(people=people, zone=zone)
    days = working_days(until, zone=zone)
    first = until - timedelta(days=DAYS)
    for at in days:
        is_last = at == until
        falls_here = {back for back in (COUNTED, ENDED, *BILLED) if day_of(back, days) == at}
        morning = min(at.astimezone(zone).replace(hour=8, minute=10, second=0, microsecond=0).astimezone(UTC), until)
        morning = max(morning, first + timedelta(minutes=30))  # on the first one nobody acts before the plan is there
        month.day(until - timedelta(hours=6) if is_last else morning, until=until)
        if COUNTED in falls_here:
            month.counts(morning + timedelta(hours=4))
            demo_incidents.at_vendors(month, morning + timedelta(hours=5))
        if ENDED in falls_here:
            month.endings(morning + timedelta(hours=5))
            demo_incidents.in_quality(month, morning + timedelta(hours=6))
            demo_incidents.at_the_dock(month, morning + timedelta(hours=7))
            demo_incidents.at_the_desk(month, morning + timedelta(hours=8))
        if falls_here & {*BILLED}:
            demo_invoices.bill(
                at=morning + timedelta(hours=6) if not is_last else until - timedelta(hours=3),
                number=f"RE{at:%m%d}",
                clerk=month.clerk,
                buyer=month.buyer,
                tried=month.tried,
                is_last=is_last,
            )
    month.lived.seconds = time.monotonic() - began
    return month.lived


def working_days(until: datetime, *, zone: ZoneInfo) -> list[datetime]:
    """The days of the month somebody works on, the first one first; the last one always is one."""
    days = [until - timedelta(days=back) for back in range(DAYS, -1, -1)]
    return [at for at in days if at == until or at.astimezone(zone).weekday() < WORKDAYS]


def day_of(back: int, days: list[datetime]) -> datetime:
    """The working day on which falls what is done so many days before the end: before a weekend that lies between."""
    return max(at for at in days if at <= days[-1] - timedelta(days=back))


def _arrivals() -> dict[int, datetime]:
    """When each order line's material began to arrive."""
    there = ShipmentLine.objects.filter(shipment__status=ShipmentStatus.DELIVERED, order_line__status=LineStatus.OPEN)
    return dict(there.values_list("order_line").annotate(first=Min("shipment__delivered_at")))


def _possible(line: OrderLine) -> Decimal:
    """How many pieces a line's material is enough for."""
    possible = line.quantity
    for part in line.components.all():
        if part.required and part.supply in (Supply.OWN, Supply.DIRECT):
            possible = min(possible, (line.quantity * (part.at_vendor + part.consumed) / part.required))
    return possible.to_integral_value(ROUND_DOWN)


def one_in(many: int, key: str) -> int:
    """0 once in so many keys, the same for a key wherever and whenever the month is lived."""
    return zlib.crc32(key.encode()) % many


def _cost(code: str) -> Decimal:
    """What a bought part costs: made up, as the plan says nothing."""
    return Decimal("0.40") + one_in(17, code) * Decimal("0.85")


def _lying(row: OrderComponent) -> Decimal:
    there = Balance.objects.filter(location=row.line.ship_to_id, item=row.item_id, stage="", lot=None)
    return there.values_list("quantity", flat=True).first() or ZERO
