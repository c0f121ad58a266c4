"""Goods in: vendors' notes counted, inspected, corrected, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from activity.models import Event
from core.idempotency import Repeatable
from core.refusals import InvalidInput, NotFound
from core.requests import KEY, Changeable, NothingSerializer, if_match
from inventory.models import Balance, Lot
from inventory.services import vendor_balances
from masterdata.models import Item, Vendor
from masterdata.printing import company
from production.models import ProductionOrder
from receipts import printing, services
from receipts.api.direct import DirectDeliveryViewSet, PurchaseRequestViewSet
from receipts.filters import OrderCostsFilter, ReceiptFilter, ReturnFilter, VendorBalanceFilter
from receipts.models import (
    ByProduct,
    Consumption,
    Finding,
    Receipt,
    ReceiptLine,
    ReceiptLot,
    Return,
    ReturnKind,
    ReturnLine,
)
from receipts.serializers import (
    AdjustConsumptionSerializer,
    CertificatesSerializer,
    CorrectSerializer,
    CountedSerializer,
    CountVendorStockSerializer,
    InspectSerializer,
    OrderCostsSerializer,
    PostReceiptSerializer,
    PostReturnSerializer,
    ReceiptDetailSerializer,
    ReceiptSerializer,
    ReceiveReturnSerializer,
    ReturnSerializer,
    TraceSerializer,
    VendorBalanceSerializer,
    WaiveSerializer,
    WriteOffSerializer,
    WrittenOffSerializer,
)
from receipts.services import KIND
from shipments.api import PdfRenderer
from subcontract_orders.models import OrderLine, SubcontractOrder


# Registered by `invoices`, which proposes what a vendor is to bear of bad pieces.
class ReceiptViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Receipt]
):
    """Vendors' notes, counted in. The same note with the same content twice is one receipt."""

    queryset = Receipt.objects.select_related("vendor", "site", "posted_by", "reversed_by")
    filterset_class = ReceiptFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "received_at": "received_at"}
    rights = {
        "create": "receipts.change_receipt",
        "inspect": "receipts.inspect_receipt",
        "certificates": "receipts.inspect_receipt",
        "waive": "receipts.inspect_receipt",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def get_serializer_class(self) -> Any:
        return ReceiptSerializer if self.action == "list" else ReceiptDetailSerializer

    def shown(self, number: str, status: int = 200) -> Response:
        """A receipt with its lines, in a fixed number of queries."""
        lines = (
            ReceiptLine.objects.select_related("order_line__order", "item", "location")
            .prefetch_related(
                Prefetch("lots", ReceiptLot.objects.select_related("lot").order_by("pk")),
                Prefetch("findings", Finding.objects.select_related("lot", "by").order_by("pk")),
                Prefetch("by_products", ByProduct.objects.select_related("item", "lot").order_by("pk")),
                Prefetch("consumptions", Consumption.objects.select_related("item").order_by("pk")),
            )
            .order_by("line_no")
        )
        receipt = get_object_or_404(self.get_queryset().prefetch_related(Prefetch("lines", lines)), number=number)
        receipt.history = Event.objects.of(kind=KIND, number=number).select_related("by").order_by("pk")
        return Response(ReceiptDetailSerializer(receipt).data, status=status)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.shown(kwargs["number"])

    @extend_schema(
        request=PostReceiptSerializer, responses={200: ReceiptDetailSerializer, 201: ReceiptDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Count a vendor's note in. A note that was counted with the same content is answered with its receipt (200)."""
        given = PostReceiptSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        now = timezone.now()
        count = services.receive_or_quarantine if said["quarantine"] else services.post_receipt
        receipt = count(
            vendor_id=self._vendor(said),
            note=said["note"],
            lines=self._lines(said),
            note_date=said["note_date"],
            received_at=said["received_at"],
            is_supplement=said["supplement"],
            by=request.user,
            at=now,
            through="api",
        )
        return self.shown(receipt.number, status=201 if receipt.posted_at == now else 200)

    @extend_schema(request=NothingSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, number: str) -> Response:
        """Undo all that the receipt did; its note is free again."""
        return self._act(request, number, services.reverse_receipt)

    @extend_schema(request=NothingSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Count goods in that lay in quarantine; the answer is the receipt that is posted for them."""
        return self._quarantine(request, services.release_quarantine)

    @extend_schema(request=NothingSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, number: str) -> Response:
        """Goods in quarantine went back to the vendor uncounted."""
        return self._quarantine(request, services.refuse_quarantine)

    def _quarantine(self, request: Request, service: Any) -> Response:
        waiting = self.get_object()
        NothingSerializer.check(request)
        done = service(
            receipt_id=waiting.pk,
            expected_version=if_match(request),
            by=request.user,
            at=timezone.now(),
            through="api",
        )
        return self.shown(done.number)

    @extend_schema(request=InspectSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def inspect(self, request: Request, number: str) -> Response:
        """Say what an inspection found of a line's pieces, and what becomes of the rejected ones."""
        return self._act(request, number, services.inspect_receipt, InspectSerializer)

    @extend_schema(request=CertificatesSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def certificates(self, request: Request, number: str) -> Response:
        """Hand in certificates that came later than the goods."""
        return self._act(request, number, services.hand_in_certificates, CertificatesSerializer)

    @extend_schema(request=WaiveSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def waive(self, request: Request, number: str) -> Response:
        """Let held pieces pass without inspection or certificate, and say why."""
        return self._act(request, number, services.waive_hold, WaiveSerializer)

    @extend_schema(request=CorrectSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, number: str) -> Response:
        """Set what was counted on a line to what it should have been; the difference is posted."""
        return self._act(request, number, services.correct_receipt, CorrectSerializer)

    @extend_schema(request=AdjustConsumptionSerializer, responses=ReceiptDetailSerializer)
    @action(detail=True, methods=["post"], url_path="adjust-consumption")
    def adjust_consumption(self, request: Request, number: str) -> Response:
        """Say that more (or less) of a component was used for a line than was booked."""
        return self._act(request, number, services.adjust_consumption, AdjustConsumptionSerializer)

    def _act(self, request: Request, number: str, service: Any, serializer: Any = NothingSerializer) -> Response:
        receipt = self.get_object()
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        service(
            receipt_id=receipt.pk,
            expected_version=if_match(request),
            by=request.user,
            at=timezone.now(),
            through="api",
            **said.validated_data,
        )
        return self.shown(number)

    def _vendor(self, said: Mapping[str, Any]) -> int:
        if "vendor" in said:
            return int(said["vendor"].pk)
        orders = SubcontractOrder.objects.visible_to(self.request.user).filter(number=said["order"])
        found = orders.values_list("vendor", flat=True).first()
        if found is None:
            raise NotFound(f"There is no order {said['order']}.", field="order")
        return found

    def _lines(self, said: Mapping[str, Any]) -> list[services.CountedLine]:
        """The lines with order lines and items by their keys. Raises NotFound with the line at fault."""
        wanted = [(line.get("order", said.get("order")), line["line"]) for line in said["lines"]]
        numbers = {number for number, _ in wanted if number is not None}
        visible = OrderLine.objects.visible_to(self.request.user).filter(order__number__in=numbers)
        known = {(number, no): pk for pk, number, no in visible.values_list("pk", "order__number", "line_no")}
        items = self._items(said["lines"])
        counted = []
        for index, (key, line) in enumerate(zip(wanted, said["lines"], strict=True)):
            if key not in known:
                raise NotFound(
                    f"There is no line {key[1]} of order {key[0] or '(none named)'}.", field=f"lines.{index}.line"
                )
            values = {
                name: value for name, value in line.items() if name not in ("order", "line", "consumed", "by_products")
            }
            values |= {"serials": tuple(values["serials"]), "certificates": tuple(values["certificates"])}
            consumed = {}
            for code, quantity in (line.get("consumed") or {}).items():
                if code not in items:
                    raise NotFound(f"There is no item {code}.", field=f"lines.{index}.consumed")
                consumed[items[code]] = quantity
            beside = line["by_products"]
            for came in beside or ():
                if came["item"] not in items:
                    raise NotFound(f"There is no item {came['item']}.", field=f"lines.{index}.by_products")
            if beside is not None:
                values["by_products"] = tuple(
                    services.CameBeside(items[came["item"]], came["quantity"], came["lot"]) for came in beside
                )
            counted.append(services.CountedLine(order_line_id=known[key], consumed=consumed or None, **values))
        return counted

    @staticmethod
    def _items(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        codes = {code for line in lines for code in line.get("consumed") or {}}
        codes |= {came["item"] for line in lines for came in line.get("by_products") or ()}
        return dict(Item.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}


class ReturnViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Return]
):
    """Material that comes back from vendors, and pieces that go back to them."""

    queryset = Return.objects.select_related("vendor", "site", "created_by").prefetch_related(
        Prefetch(
            "lines",
            ReturnLine.objects.select_related(
                "item",
                "lot",
                "from_location",
                "to_location",
                "component__line__order",
                "receipt_line__order_line__order",
            ).order_by("line_no"),
        )
    )
    serializer_class = ReturnSerializer
    filterset_class = ReturnFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "created_at": "created_at"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def shown(self, number: str, status: int = 200) -> Response:
        return Response(self.get_serializer(get_object_or_404(self.get_queryset(), number=number)).data, status=status)

    @extend_schema(request=PostReturnSerializer, responses={201: ReturnSerializer})
    def create(self, request: Request) -> Response:
        """Bring unneeded material home (all of it, without lines), or send accepted pieces back to their vendor."""
        given = PostReturnSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        who = {"reason": said["reason"], "by": request.user, "at": timezone.now(), "through": "api"}
        if said["kind"] == ReturnKind.MATERIAL:
            lines = said.get("lines")
            document = services.return_material(
                vendor_id=said["vendor"].pk,
                lines=None
                if lines is None
                else [
                    services.MaterialLine(line["item"].pk, line["quantity"], line["lot"], line["stage"])
                    for line in lines
                ],
                **who,
            )
        else:
            receipts = Receipt.objects.visible_to(request.user).filter(number=said["receipt"])
            row = ReceiptLine.objects.filter(receipt__in=receipts, line_no=said["line"]).first()
            if row is None:
                raise NotFound(f"There is no line {said['line']} of receipt {said['receipt']}.", field="receipt")
            document = services.return_product(receipt_line_id=row.pk, quantity=said["quantity"], **who)
        return self.shown(document.number, status=201)

    @extend_schema(request=NothingSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], url_path="dispatch", url_name="dispatch")
    def send_off(self, request: Request, number: str) -> Response:
        """The goods of a drafted return have left the vendor; without days on the way they are here."""
        return self._act(request, services.dispatch_return)

    @extend_schema(request=ReceiveReturnSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, number: str) -> Response:
        """What is on its way has arrived, or less of it; of a draft it left and arrived in one."""
        document = self.get_object()
        given = ReceiveReturnSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        self.check_if_match(request, document)
        services.receive_return(
            return_id=document.pk, came={row["line"]: row["quantity"] for row in said["lines"]}, reason=said["reason"],
            by=request.user, at=timezone.now(), through="api",
        )  # fmt: skip
        return self.shown(document.number)

    @extend_schema(request=NothingSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, number: str) -> Response:
        """Undo a return that left."""
        return self._act(request, services.reverse_return)

    @extend_schema(responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"], url_path=r"return-note\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def return_note(self, request: Request, number: str) -> HttpResponse:
        """The note that travels with the goods, in the vendor's language."""
        document = self.get_object()
        address = request.build_absolute_uri(f"{reverse('workbench:scan')}?{urlencode({'code': number})}")
        pdf = printing.return_note(return_id=document.pk, address=address)
        shown_as = f'inline; filename="{document.number}.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})

    def _act(self, request: Request, service: Any) -> Response:
        document = self.get_object()
        NothingSerializer.check(request)
        self.check_if_match(request, document)
        service(return_id=document.pk, by=request.user, at=timezone.now(), through="api")
        return self.shown(document.number)


class VendorBalanceViewSet(Repeatable, mixins.ListModelMixin, viewsets.GenericViewSet[Balance]):
    """What of ours lies at vendors: opening, sent, used, back, written off, closing, by item, lot and stage."""

    queryset = Balance.objects.at_vendors().select_related("item__unit", "lot", "location__vendor", "location__site")
    serializer_class = VendorBalanceSerializer
    filterset_class = VendorBalanceFilter
    orderings = {"since": "since"}
    rights = {"count": "receipts.count_vendorstock", "write_off": "receipts.write_off_material"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """`from` and `to` are days of the period, both included; without them all that ever happened."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        start, after = self._day("from"), self._day("to", later=1)
        found = vendor_balances(rows or [], start=start, end=after, at=timezone.now())
        return self.get_paginated_response(VendorBalanceSerializer(found, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("vendor", required=True), OpenApiParameter("from"), OpenApiParameter("to")],
        responses={(200, "application/pdf"): bytes},
    )
    @action(detail=False, methods=["get"], url_path=r"statement\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def statement(self, request: Request) -> HttpResponse:
        """A vendor's statement of the days `from` to `to`, both included; without them of the last thirty."""
        code = request.query_params.get("vendor", "")
        vendor = Vendor.objects.visible_to(request.user).filter(code=code).first()
        if vendor is None:
            raise NotFound(f"There is no vendor {code}.", field="vendor")
        zone = ZoneInfo(company().time_zone)
        last = self._date("to") or timezone.localdate(timezone=zone)
        pdf = services.vendor_statement(
            vendor_id=vendor.pk, first=self._date("from") or last - timedelta(days=30), last=last, zone=zone,
            by=request.user, at=timezone.now(),
        )  # fmt: skip
        shown_as = f'inline; filename="statement-{last}.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})

    @extend_schema(request=CountVendorStockSerializer, responses=CountedSerializer)
    @action(detail=False, methods=["post"])
    def count(self, request: Request) -> Response:
        """Set a vendor's count against the book as of the count's time; the difference is posted."""
        said = self._said(request, CountVendorStockSerializer)
        found = services.count_vendor_stock(**said, by=request.user, at=timezone.now(), through="api")
        return Response(CountedSerializer(found).data)

    @extend_schema(request=WriteOffSerializer, responses=WrittenOffSerializer)
    @action(detail=False, methods=["post"], url_path="write-off")
    def write_off(self, request: Request) -> Response:
        """Write material at a vendor off at its value."""
        said = self._said(request, WriteOffSerializer)
        number = services.write_off_material(**said, by=request.user, at=timezone.now(), through="api")
        return Response(WrittenOffSerializer({"number": number}).data)

    def _day(self, name: str, *, later: int = 0) -> datetime | None:
        day = self._date(name)
        if day is None:
            return None
        return datetime.combine(day + timedelta(days=later), time.min, tzinfo=timezone.get_current_timezone())

    def _date(self, name: str) -> date | None:
        given = self.request.query_params.get(name)
        try:
            return date.fromisoformat(given) if given else None
        except ValueError:
            raise InvalidInput(f"{given[:40]} is no day; write it as 2026-03-31.", field=name) from None

    @staticmethod
    def _said(request: Request, serializer: Any) -> dict[str, Any]:
        given = serializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        location = said.pop("location")
        vendor, item = said.pop("vendor"), said.pop("item")
        return {**said, "vendor_id": vendor.pk, "item_id": item.pk, "location_id": location.pk if location else None}


class LotViewSet(viewsets.GenericViewSet[Lot]):
    """Lots and serial numbers by their code."""

    queryset = Lot.objects.select_related("item")
    serializer_class = TraceSerializer
    lookup_field = "code"
    lookup_value_regex = KEY
    rights = {"trace": "inventory.view_movement"}

    @extend_schema(parameters=[OpenApiParameter("item", str)], responses=TraceSerializer)
    @action(detail=True, methods=["get"])
    def trace(self, request: Request, code: str) -> Response:
        """Forward and back through every vendor. `item` says which, where several items have a lot of this code."""
        item = request.query_params.get("item", "")
        if "\x00" in item:  # PostgreSQL knows no such text
            raise NotFound("There is no such item.", field="item")
        lot = services.find_lot(code=code, item=item)
        return Response(TraceSerializer(services.trace_lot(lot=lot, viewer=request.user)).data)


# Registered by `reports`, which knows what invoices add and why a cost is other than expected.
class OrderCostsViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ProductionOrder]):
    """What production orders have cost so far: material used, work owed; and what was expected."""

    queryset = ProductionOrder.objects.select_related("item")
    serializer_class = OrderCostsSerializer
    filterset_class = OrderCostsFilter
    orderings = {"production_order": "number"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        costs = self.costs_of(page)
        for order in page:
            order.costs = costs[order.pk]
        return page

    def costs_of(self, orders: Any) -> Any:
        """Costs by the orders' keys."""
        return services.order_costs(orders)


ROUTES = [
    ("returns", ReturnViewSet),
    ("purchase-requests", PurchaseRequestViewSet),
    ("direct-deliveries", DirectDeliveryViewSet),
    ("vendor-balances", VendorBalanceViewSet),
    ("lots", LotViewSet),
]
