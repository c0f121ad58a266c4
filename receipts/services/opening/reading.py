"""Open lines made ready: what they are about, dates, price, rules and material, all read in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import User
from core.refusals import (
    InvalidDate,
    InvalidInput,
    InvalidQuantity,
    NoRight,
    NotFound,
    Refusal,
)
from masterdata import services as masterdata
from masterdata.models import Currency, ExchangeRate, Item, Location, LocationKind, Process, Site, Vendor
from masterdata.rules import MOST_MONEY
from policies.models import BAR, ChargeBasis, Policy, PolicyVerdict, PriceAgreement
from policies.rules import dates, price
from policies.rules.values import PriceRow
from policies.services.books import PRICE_FIELDS
from policies.services.units import priced_in
from production.models import NOT_THERE, NOT_USED, Operation, OperationStatus, ProductionOrder, QuantityBasis, Supply
from production.rules.components import Ratio, ratios, required, whole_ratios
from production.services.pieces import boms_of
from production.services.reporting import followers_among, through
from receipts import rules
from receipts.services.notes import OverReceipt
from receipts.services.opening.lines import ZERO, NoRate, OpenLine, Part, Ready
from receipts.services.progress import settle_status
from shipments.services.loading import OverSend
from subcontract_orders import rules as order_rules
from subcontract_orders.models import (
    OrderComponent,
    OrderLine,
)

POLICY_RULES = (
    "over_receipt_pct", "under_receipt_pct", "over_send_pct", "consumption", "shortage", "inspection", "sample_pct", "rejects",
    "use_vendor_stock", "price_tolerance_pct", "price_tolerance_amount", "quantity_tolerance_pct", "pay_for",
)  # fmt: skip


def _transit(policy: Policy | None, vendor: Vendor) -> dates.Transit:
    """The days around the work by the policy, on the way by the vendor where he says so."""
    around = dates.NO_TRANSIT
    if policy:
        around = dates.Transit(
            policy.preparation_days, policy.transit_out_days, policy.transit_back_days, policy.inspection_days
        )
    return around.by_vendor(vendor.transit_out_days, vendor.transit_back_days)


def names_of(steps: Sequence[Operation]) -> str:
    """What a vendor is told of the work, one name for all that are bought together."""
    return ", ".join(dict.fromkeys(step.name or str(step.process or "") for step in steps))


def check_tolerances(said: OpenLine, line: OrderLine) -> None:
    """Raises OverReceipt, OverSend where more came or went than the line and its tolerances take."""
    most = rules.at_most(ordered=said.quantity, over_pct=line.over_receipt_pct)
    if said.received > most:
        text = (
            f"{said.received.normalize():f} received of {said.quantity.normalize():f} ordered are too many: "
            f"{most.normalize():f} can be ({line.over_receipt_pct.normalize():f} % over allowed)."
        )
        raise OverReceipt(text, field="received")
    # Material for what came was there, so it is asked about only beyond that.
    most = max(rules.at_most(ordered=said.quantity, over_pct=line.over_send_pct), said.received)
    if said.sent is not None and said.sent > most:
        text = (
            f"Material for {said.sent.normalize():f} sent of {said.quantity.normalize():f} ordered is too much: for "
            f"{most.normalize():f} it can be ({line.over_send_pct.normalize():f} % over allowed). Load the rest as stock "
            "at the vendor."
        )
        raise OverSend(text, field="sent")


class Ground:
    """All that open lines are read against. Production orders are locked."""

    def __init__(self, lines: Sequence[OpenLine], *, at: datetime, by: User | None) -> None:
        self.at, self.by = at, by
        plans = {line.production_order_id for line in lines if line.production_order_id}
        locked = ProductionOrder.objects.filter(pk__in=plans).select_for_update(of=("self",)).order_by("pk")
        self.plans = {plan.pk: plan for plan in locked.select_related("location")}
        self.operations: dict[int, list[Operation]] = defaultdict(list)
        operations = Operation.objects.filter(production_order__in=plans).exclude(status=OperationStatus.CANCELLED)
        for operation in operations.select_related("process").order_by("sequence", "pk"):
            self.operations[operation.production_order_id].append(operation)
        self.vendors = Vendor.objects.select_related("currency").in_bulk({line.vendor_id for line in lines})
        items = {line.item_id for line in lines if line.item_id} | {plan.item_id for plan in self.plans.values()}
        self.boms = boms_of(items)
        parts = {row.component_id for rows in self.boms.values() for row in rows}
        self.items = Item.objects.select_related("unit").in_bulk(items | parts)
        self.places = Location.objects.in_bulk({line.location_id for line in lines if line.location_id})
        self.certificates = dict(Process.objects.exclude(certificates=[]).values_list("pk", "certificates"))
        self.currencies = Currency.objects.in_bulk()
        self.company = masterdata.company()
        self.sites = Site.objects.in_bulk()
        self.today = masterdata.site_dates(at=self.at)
        self.rates: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
        for currency_id, day, rate in ExchangeRate.objects.order_by("-valid_from").values_list(
            "currency_id", "valid_from", "rate"
        ):
            self.rates[currency_id].append((day, rate))
        self.policies = list(
            Policy.objects.active()
            .filter(verdict__in=[PolicyVerdict.OUTSOURCE, PolicyVerdict.BUY_COMPLETE])
            .prefetch_related("vendors")
            .order_by("priority", "code")
        )
        self.at_vendor: dict[tuple[int, int], int] = {}
        self.at_home: dict[int, int] = {}
        self.closed: dict[int, frozenset[date]] = {}
        self.following = {plan: followers_among(mine) for plan, mine in self.operations.items()}

    def ready(self, index: int, said: OpenLine, *, line_no: int, content: str) -> Ready:
        """A line with all it needs to be written. Raises the refusals of what it says."""
        plan, steps, item = self.about(said)
        operation = (
            steps[-1 if said.is_whole else 0] if steps else None
        )  # a line for the whole order hangs on its last one
        self.check_quantities(said, item)
        site_id, receive_at_id = self.home(said, plan)
        if self.by and not self.by.scope.everywhere and site_id not in self.by.scope.site_ids:
            raise NoRight("You have no right to load orders of this site.", field="order")
        vendor = self.vendors[said.vendor_id]
        today = self.today[site_id]
        ordered_on = said.ordered_on or today
        if ordered_on > today:
            raise InvalidDate(f"It was ordered on {ordered_on}, after today, {today}.", field="ordered_on")
        need = said.need_date or (steps and steps[-1].planned_end) or (plan and plan.due_date) or said.promised_date
        if need is None:
            raise InvalidInput("Say when the pieces are needed.", field="need_date", code="missing_value")
        for day, column in ((need, "need_date"), (said.promised_date, "promised_date")):
            if day:
                masterdata.check_day(day, today=today, field=column)
        process_id = said.process_id or (operation.process_id if operation and not said.is_whole else None)
        policy = self.policy_of(said, operation, item, process_id, site_id)
        further = [] if said.is_whole else [str(step.process or "") for step in steps[1:]]
        said, agreement_id, is_open = self.priced(said, item, process_id, further, site_id, ordered_on)
        currency = self.currencies[said.currency_id or vendor.currency_id or self.company.currency_id]
        transit = _transit(policy, vendor)
        chain = dates.chain(need, ordered_on, said.lead_days or 0, transit, self.closed_days(vendor.pk))
        ship_to_id = self.place_at(vendor, site_id)
        line = OrderLine(
            line_no=line_no,
            is_draft=False,
            vendor_id=vendor.pk,
            ship_to_id=ship_to_id,
            receive_at_id=receive_at_id,
            operation_id=operation.pk if operation else None,
            production_order_id=plan.pk if plan else None,
            operation_no=operation.operation_no if operation and not said.is_whole else "",
            last_operation_no=said.last_operation_no,
            is_whole=said.is_whole,
            item_id=item.pk,
            process_id=process_id,
            description=(item.name if said.is_whole or not steps else names_of(steps))[:300],
            quantity=said.quantity,
            accepted=said.accepted,
            rejected=said.rejected,
            scrapped=said.scrapped,
            invoiced_before=said.invoiced,
            unit_price=said.unit_price or ZERO,
            price_unit=said.price_unit,
            price_factor=said.price_factor or Decimal(1),
            minimum_charge=said.minimum_charge or ZERO,
            minimum_charge_basis=ChargeBasis.LINE,
            is_price_open=is_open,
            agreement_id=agreement_id,
            need_date=need,
            vendor_ready_date=chain.vendor_ready,
            at_vendor_date=max(chain.at_vendor, ordered_on),
            dispatch_by=max(chain.dispatch_by, ordered_on),
            order_by=ordered_on,
            transit_back_days=transit.back,
            promised_date=said.promised_date or need - timedelta(days=transit.inspection),
            content_hash=content,
            source=said.source,
            external_refs=list(said.external_refs),
        )
        if policy:
            line.policy_code = policy.code
            for name in POLICY_RULES:
                setattr(line, name, getattr(policy, name))
        check_tolerances(said, line)
        line.certificates = list(
            dict.fromkeys(
                [*(policy.certificates if policy else ()), *self.asked_by_processes(said, steps, line.process_id)]
            )
        )
        self.set_amounts(line, said, currency, ordered_on)
        settle_status(line)
        ready = Ready(index, said, line, site_id, receive_at_id, self.home_of(plan, site_id), currency, steps)
        ready.parts = self.parts(said, plan, steps, item)
        if plan and operation and not said.is_whole:
            ready.wip = self.before(plan, operation)
        return ready

    def about(self, said: OpenLine) -> tuple[ProductionOrder | None, Sequence[Operation], Item]:
        """The production order, those of its operations that are bought, and what is made."""
        if said.is_whole and (said.production_order_id is None or said.operation_no or said.last_operation_no):
            raise InvalidInput(
                "What is bought complete is a production order, without an operation.", field="bought_complete"
            )
        if said.production_order_id is None:
            if said.item_id is None:
                raise InvalidInput(
                    "Name the production order and its operation, or the item.", field="item", code="missing_value"
                )
            return None, (), self.items[said.item_id]
        plan = self.plans[said.production_order_id]
        steps = self.steps(said, plan)
        if said.item_id not in (None, plan.item_id):
            raise InvalidInput(f"{plan} makes {self.items[plan.item_id]}.", field="item")
        return plan, steps, self.items[plan.item_id]

    def steps(self, said: OpenLine, plan: ProductionOrder) -> Sequence[Operation]:
        operations = self.operations[plan.pk]
        if operations and said.is_whole:
            return operations
        if not said.operation_no and len(operations) == 1 and not said.last_operation_no:
            return operations
        if not said.operation_no:
            text = f"Name the operation of {plan}, or say that the order is bought complete (bought_complete)."
            raise InvalidInput(text, field="operation", code="missing_value")
        known = {one.operation_no for one in operations}
        for number, column in ((said.operation_no, "operation"), (said.last_operation_no, "last_operation")):
            if number and number not in known:
                raise NotFound(f"{plan} has no operation {number}.", field=column)
        found = through(operations, first=said.operation_no, last=said.last_operation_no or said.operation_no)
        if said.last_operation_no and len(found) < 2:
            text = f"Operation {said.last_operation_no} of {plan} does not follow {said.operation_no} step by step."
            raise InvalidInput(text, field="last_operation")
        return found

    def asked_by_processes(self, said: OpenLine, steps: Sequence[Operation], process_id: int | None) -> list[str]:
        """The certificates that the work itself asks for; an order bought complete is no work of ours."""
        processes = [] if said.is_whole else [step.process_id for step in steps] or [process_id]
        if said.process_id and len(processes) == 1:
            processes = [said.process_id]
        return [kind for one in processes for kind in self.certificates.get(one or 0, ())]

    def check_quantities(self, said: OpenLine, item: Item) -> None:
        for name in ("quantity", "sent", "received", "rejected", "scrapped", "invoiced"):
            value: Decimal | None = getattr(said, name)
            if value is None:
                continue
            if value < 0 or (name == "quantity" and not value):
                raise InvalidQuantity(f"{value.normalize():f} is not above zero.", field=name)
            masterdata.check_exact(item, value, field=name)
        if said.accepted < 0:
            raise InvalidQuantity(
                f"{(said.rejected + said.scrapped).normalize():f} rejected and scrapped are more than the "
                f"{said.received.normalize():f} received.",
                field="received",
            )
        if said.invoiced > max(said.received, said.quantity):
            raise InvalidQuantity(
                f"{said.invoiced.normalize():f} invoiced are more than the {said.quantity.normalize():f} ordered.",
                field="invoiced",
            )
        if said.sent is not None and said.sent < said.received:
            raise InvalidQuantity(
                f"Material for {said.sent.normalize():f} was sent, but {said.received.normalize():f} came back.",
                field="sent",
            )

    def home(self, said: OpenLine, plan: ProductionOrder | None) -> tuple[int, int]:
        """The site, and where the pieces come back to."""
        place = self.places.get(said.location_id or 0)
        if place and place.kind != LocationKind.VENDOR and place.site_id:
            return place.site_id, place.pk
        site_id = plan.site_id if plan else masterdata.default_site().pk
        return site_id, self.home_of(plan, site_id)

    def home_of(self, plan: ProductionOrder | None, site_id: int) -> int:
        """Where material comes from: the production order's place, else the site's main one."""
        if plan and plan.location and plan.location.kind != LocationKind.VENDOR:
            return plan.location.pk
        if site_id not in self.at_home:
            self.at_home[site_id] = masterdata.main_location(site=Site.objects.get(pk=site_id)).pk
        return self.at_home[site_id]

    def place_at(self, vendor: Vendor, site_id: int) -> int:
        key = (vendor.pk, site_id)
        if key not in self.at_vendor:
            site = self.sites.get(site_id) or Site.objects.get(pk=site_id)
            self.at_vendor[key] = masterdata.vendor_location(vendor=vendor, site=site).pk
        return self.at_vendor[key]

    def closed_days(self, vendor_id: int) -> frozenset[date]:
        if vendor_id not in self.closed:
            self.closed[vendor_id] = masterdata.closed_days(vendor_id=vendor_id, on=self.at.date())
        return self.closed[vendor_id]

    def policy_of(
        self, said: OpenLine, operation: Operation | None, item: Item, process_id: int | None, site_id: int
    ) -> Policy | None:
        if said.policy:
            named = Policy.objects.filter(code=said.policy).first()
            if named is None:
                raise NotFound(f"There is no policy {said.policy}.", field="policy")
            return named
        mine = {
            "item_id": item.pk,
            "item_group_id": item.item_group_id,
            "process_id": process_id,
            "work_center_id": operation.work_center_id if operation else None,
            "site_id": site_id,
        }
        fitting = [
            policy
            for policy in self.policies
            if (policy.verdict == PolicyVerdict.BUY_COMPLETE) == said.is_whole
            and all(getattr(policy, name) in (None, value) for name, value in mine.items())
            and any(row.vendor_id == said.vendor_id for row in policy.vendors.all())
        ]
        return min(
            fitting,
            key=lambda policy: (policy.priority, -sum(getattr(policy, name) is not None for name in mine), policy.code),
            default=None,
        )

    def priced(
        self, said: OpenLine, item: Item, process_id: int | None, further: Sequence[str], site_id: int, on: date
    ) -> tuple[OpenLine, int | None, bool]:
        """The line with its price: as given, else the agreed one of the day it was ordered, else still open."""
        if said.unit_price is not None:
            return replace(said, price_factor=self.factor_of(said.price_factor, said.price_unit, item)), None, False
        vendor = self.vendors[said.vendor_id]
        company_id = self.company.currency_id
        own_id = vendor.currency_id or company_id
        rows = [
            PriceRow(*values[:-1])
            for values in PriceAgreement.objects.filter(
                vendor=vendor, process=process_id, further_processes=BAR.join(further)
            ).values_list(*PRICE_FIELDS)
        ]
        for row in rows:
            row.currency_id = row.currency_id or own_id
        levels = price.levels(
            rows, item_id=item.pk, process_id=process_id, site_id=site_id, vendor_currency_id=own_id,
            company_currency_id=company_id,
        )  # fmt: skip
        found = price.select(levels, lambda row: said.quantity, lambda row: on)
        if found is None or found.unit_price is None or said.currency_id not in (None, found.currency_id):
            return said, None, True
        factor = found.factor
        if found.unit_id is not None:
            factor = self.factor_of(None, found.price_unit, item)
        charged = {
            name: getattr(found, name)
            for name in ("lot_charge", "minimum_charge", "freight", "lead_days")
            if getattr(said, name) is None
        }
        priced = replace(
            said, unit_price=found.unit_price, price_unit=found.price_unit, price_factor=factor,
            currency_id=found.currency_id, **charged,
        )  # fmt: skip
        return priced, found.agreement_id, False

    def factor_of(self, stated: Decimal | None, price_unit: str, item: Item) -> Decimal:
        """How many of the item's own unit a price unit holds. Raises UnknownUnit, NoUnitFactor."""
        if stated is not None or not price_unit:
            return stated or Decimal(1)
        (answer,) = priced_in([(item.pk, price_unit)])
        if isinstance(answer, Refusal):
            raise answer
        if answer.unit_id is None:
            return answer.factor
        factors = masterdata.unit_factors(unit_ids=[answer.unit_id], item_ids=[item.pk])
        return answer.factor * factors[item.pk, answer.unit_id]

    def set_amounts(self, line: OrderLine, said: OpenLine, currency: Currency, on: date) -> None:
        amounts = order_rules.amounts(
            quantity=line.quantity,
            unit_price=line.unit_price,
            price_factor=line.price_factor,
            minimum_charge=line.minimum_charge,
            lot_charge=said.lot_charge or ZERO,
            freight=said.freight or ZERO,
            decimals=currency.decimals,
        )
        line.work_amount, line.minimum_top_up = amounts.work, amounts.minimum_top_up
        line.lot_charge, line.freight, line.amount = amounts.lot_charge, amounts.freight, amounts.amount
        rate: Decimal | None = Decimal(1)
        if currency.pk != self.company.currency_id:
            rate = next((rate for day, rate in self.rates[currency.pk] if day <= on), None)
            if rate is None:
                raise NoRate(f"There is no rate of {currency} on {on}.", field="currency")
        assert rate is not None  # noqa: S101
        line.amount_company = order_rules.money(line.amount * rate, decimals=self.company.currency.decimals)
        if max(line.amount, line.amount_company) > MOST_MONEY:
            text = f"{line.quantity.normalize():f} at {line.unit_price:f} cost more than a line can; at most {MOST_MONEY:f}."
            raise InvalidQuantity(text, field="unit_price")

    def parts(self, said: OpenLine, plan: ProductionOrder | None, steps: Sequence[Operation], item: Item) -> list[Part]:
        if said.is_whole:
            return [self.part(ratio, said) for ratio in whole_ratios(self.boms, item_id=item.pk)]
        nos = [one.operation_no for one in self.operations[plan.pk]] if plan else []
        bought = [step.operation_no for step in steps] or [""]
        return [
            self.part(ratio, said)
            for no in bought
            for ratio in ratios(
                self.boms, item_id=item.pk, operation_no=no, is_first=not nos or no == nos[0], operation_nos=nos
            )
        ]

    def part(self, ratio: Ratio, said: OpenLine) -> Part:
        def of(pieces: Decimal) -> Decimal:
            return required(ratio, quantity=pieces).required if pieces else ZERO

        whole = of(said.quantity)
        made = min(of(said.received), whole)
        used = ZERO if ratio.supply in NOT_USED else made
        sent = None if said.sent is None else min(of(said.sent), whole)
        component = OrderComponent(
            item_id=ratio.item_id,
            supply=ratio.supply,
            basis=QuantityBasis.PER_ORDER if ratio.is_per_order else QuantityBasis.PER_UNIT,
            quantity_per=ratio.quantity_per,
            scrap_pct=ratio.scrap_pct,
            required=whole,
        )
        lying = None if sent is None else max(sent - used, ZERO)
        return Part(
            component,
            used,
            ZERO if ratio.supply in NOT_THERE else lying,
            came=made if ratio.supply == Supply.BY_PRODUCT else ZERO,
        )

    def before(self, plan: ProductionOrder, operation: Operation) -> Mapping[str, Operation]:
        """The operations whose pieces this one takes on, by stage."""
        following = self.following[plan.pk]
        return {
            f"{plan.stage_number}/{one.operation_no}": one
            for one in self.operations[plan.pk]
            if operation.operation_no in following.get(one.operation_no, ())
        }

    def stage_after(self, line: OrderLine) -> str:
        """Where the pieces stand after a line: blank after the last operation, as they are stock then."""
        if line.production_order_id is None or not self.following[line.production_order_id].get(line.leaves_as):
            return ""
        return f"{self.plans[line.production_order_id].stage_number}/{line.leaves_as}"
