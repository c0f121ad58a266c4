"""Material out: shipments planned, picked, dispatched, delivered, and taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.refusals import NotFound
from core.requests import KEY, Changeable, NothingSerializer, if_match
from masterdata import services as masterdata
from masterdata.models import Item, Location
from shipments import printing, services
from shipments.filters import ShipmentFilter
from shipments.models import Shipment, ShipmentLine
from shipments.printing.electronic import delivery_note_xml
from shipments.serializers import (
    DispatchedSerializer,
    PickSerializer,
    ShipmentSerializer,
    ShippedSerializer,
    ShipSerializer,
    SplitSerializer,
    WhySerializer,
)
from shipments.services import ToPick
from subcontract_orders.models import OrderLine, SubcontractOrder


class PdfRenderer(BaseRenderer):
    """Lets a caller ask for a PDF; the view answers with it itself, so only problems come here."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class XmlRenderer(PdfRenderer):
    media_type = "application/xml"
    format = "xml"


def xml_file(content: bytes, *, name: str) -> HttpResponse:
    shown_as = f'attachment; filename="{name}.xml"'
    return HttpResponse(content, content_type="application/xml", headers={"Content-Disposition": shown_as})


def whole_shipments(*, on: date) -> Any:
    """Shipments with their lines and whether they could leave `on` a day, in a fixed number of queries."""
    lines = ShipmentLine.objects.select_related("item", "lot", "order_line__order").order_by("position")
    return (
        Shipment.objects.with_ready(on=on)
        .select_related("vendor", "site", "from_location", "to_location")
        .prefetch_related(Prefetch("lines", lines))
    )


# Registered by `documents`, which watches what is short once something has left.
class ShipmentViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Shipment]
):
    """Material planned to go, and gone, to vendors. If-Match binds an act to the shipment as it was read."""

    queryset = Shipment.objects.all()
    serializer_class = ShipmentSerializer
    filterset_class = ShipmentFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "dispatch_by": "dispatch_by"}
    rights = {
        "create": "shipments.change_shipment",
        "delivery_note": "shipments.view_shipment",
        "delivery_note_xml": "shipments.view_shipment",
    }

    def get_queryset(self) -> Any:
        today = masterdata.company_date(at=timezone.now())
        return whole_shipments(on=today).visible_to(self.request.user)

    @extend_schema(request=ShipSerializer, responses={201: ShippedSerializer})
    def create(self, request: Request) -> Response:
        """Pick and dispatch what orders need, in one act; with `hold` it is only put together."""
        given = ShipSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        orders = self._orders(said.get("orders") or [said["order"]])
        now = timezone.now()
        made = services.ship(
            order_ids=list(orders.values()),
            lines=_lines(said, orders.values()),
            from_location_id=_place(said, "from"),
            to_location_id=_place(said, "to"),
            hold=said["hold"],
            by=request.user,  # type: ignore[arg-type]
            at=now,
            through="api",
        )
        self.acted(made, at=now)
        first = self.get_queryset().get(pk=made[0].pk)
        first.also_shipped = [shipment.number for shipment in made[1:]]
        gone = {shipment.number for shipment in made}  # with `hold` it is there still
        first.staying = [one for one in services.staying(orders.values()) if one.number not in gone]
        return Response(ShippedSerializer(first).data, status=201)

    @extend_schema(request=PickSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def pick(self, request: Request, number: str) -> Response:
        """Choose lots for it and keep them."""
        return self._act(request, number, services.pick, PickSerializer)

    @extend_schema(request=PickSerializer, responses=DispatchedSerializer)
    @action(detail=True, methods=["post"], url_path="dispatch", url_name="dispatch")
    def send_off(self, request: Request, number: str) -> Response:
        """Let it leave; what does not go is a new planned shipment, named in `staying` with all else that stays."""
        return self._act(request, number, services.dispatch, PickSerializer, shown_as=DispatchedSerializer)

    @extend_schema(request=NothingSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def deliver(self, request: Request, number: str) -> Response:
        """It has arrived."""
        return self._act(request, number, services.deliver, NothingSerializer)

    @extend_schema(request=WhySerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, number: str) -> Response:
        """Keep it back."""
        return self._act(request, number, services.hold, WhySerializer)

    @extend_schema(request=NothingSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Let it go on from where it was."""
        return self._act(request, number, services.release, NothingSerializer)

    @extend_schema(request=SplitSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def split(self, request: Request, number: str) -> Response:
        """Take quantities off a planned shipment onto a new one, which is answered."""
        return self._act(request, number, services.split, SplitSerializer)

    @extend_schema(request=WhySerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Give up a shipment that has not left."""
        return self._act(request, number, services.cancel, WhySerializer)

    @extend_schema(request=WhySerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, number: str) -> Response:
        """Take back a shipment that left, at its original values."""
        return self._act(request, number, services.reverse, WhySerializer)

    @extend_schema(responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"], url_path=r"delivery-note\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def delivery_note(self, request: Request, number: str) -> HttpResponse:
        """The paper that travels with it; its code opens the page where this delivery is dealt with."""
        shipment = self.get_object()
        address = request.build_absolute_uri(f"{reverse('workbench:scan')}?{urlencode({'code': number})}")
        pdf = printing.delivery_note(shipment_id=shipment.pk, address=address)
        shown_as = f'inline; filename="{shipment.number}.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})

    @extend_schema(responses={(200, "application/xml"): bytes})
    @action(detail=True, methods=["get"], url_path=r"delivery-note\.xml", renderer_classes=[JSONRenderer, XmlRenderer])
    def delivery_note_xml(self, request: Request, number: str) -> HttpResponse:
        """The same as UBL 2.1 DespatchAdvice."""
        return xml_file(delivery_note_xml(shipment_id=self.get_object().pk), name=number)

    @extend_schema(responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"], url_path=r"labels\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def labels(self, request: Request, number: str) -> HttpResponse:
        """A label for each part and lot, to stick on the goods."""
        shipment = self.get_object()
        address = request.build_absolute_uri(f"{reverse('workbench:scan')}?{urlencode({'code': number})}")
        pdf = printing.labels(shipment_id=shipment.pk, address=address)
        shown_as = f'inline; filename="{shipment.number}-labels.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})

    def acted(self, shipments: Sequence[Shipment], *, at: datetime) -> None:
        """After an act, for who watches shipments from above."""

    def _act(
        self,
        request: Request,
        number: str,
        service: Any,
        serializer: Any,
        *,
        shown_as: type[ShipmentSerializer] = ShipmentSerializer,
    ) -> Response:
        given = serializer(data=request.data)
        given.is_valid(raise_exception=True)
        shipment = get_object_or_404(Shipment.objects.visible_to(request.user), number=number)  # type: ignore[arg-type]
        said = dict(given.validated_data)
        if serializer in (PickSerializer, SplitSerializer):
            of_it = ShipmentLine.objects.filter(shipment=shipment).values_list("order_line__order", flat=True)
            said["lines"] = _lines(said, set(of_it))
        now = timezone.now()
        done = service(
            shipment_id=shipment.pk,
            expected_version=if_match(request),
            by=request.user,
            at=now,
            through="api",
            **said,
        )
        self.acted([done], at=now)
        shown = self.get_queryset().get(pk=done.pk)
        if shown_as is DispatchedSerializer:
            shown.staying = services.staying_beside(shown)
        return Response(shown_as(shown).data)

    def _orders(self, numbers: Sequence[str]) -> dict[str, int]:
        """Orders this user may see, by number. Raises NotFound."""
        visible = SubcontractOrder.objects.visible_to(self.request.user)  # type: ignore[arg-type]
        found = dict(visible.filter(number__in=numbers).values_list("number", "pk"))
        for number in numbers:
            if number not in found:
                raise NotFound(f"There is no order {number}.", field="order")
        return found


def _lines(said: Mapping[str, Any], order_ids: Collection[int]) -> list[ToPick] | None:
    """Lines by keys; None where none are named. Raises NotFound."""
    if said.get("lines") is None:
        return None
    items = dict(Item.objects.filter(code__in={line["item"] for line in said["lines"]}).values_list("code", "pk"))
    lines = []
    for index, line in enumerate(said["lines"]):
        if line["item"] not in items:
            raise NotFound(f"There is no item {line['item']}.", field=f"lines.{index}.item")
        lines.append(
            ToPick(
                item_id=items[line["item"]],
                quantity=line["quantity"],
                lot=line["lot"],
                order_line_id=_order_line(line, order_ids, at=f"lines.{index}"),
                stage=line.get("stage"),
            )
        )
    return lines


def _order_line(line: Mapping[str, Any], order_ids: Collection[int], *, at: str) -> int | None:
    if "line" not in line and "order" not in line:
        return None
    found = OrderLine.objects.active().filter(order__in=order_ids)
    if "line" in line:
        found = found.filter(line_no=line["line"])
    if "order" in line:
        found = found.filter(order__number=line["order"])
    ids = list(found.values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        said = "There is no such line." if not ids else "Several lines are meant: name order and line."
        raise NotFound(said, field=f"{at}.line")
    return ids[0]


def _place(said: Mapping[str, Any], name: str) -> int | None:
    if name not in said:
        return None
    found = Location.objects.filter(code=said[name]).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no place {said[name]}.", field=name)
    return found
