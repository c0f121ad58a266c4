"""Purchase requests for what third parties deliver to vendors, taken over by who buys; and what arrived of them."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.requests import KEY, Changeable, if_match
from receipts import services
from receipts.filters import DirectDeliveryFilter, PurchaseRequestFilter
from receipts.models import DirectDelivery, PurchaseRequest
from receipts.serializers import (
    ArrivedSerializer,
    DirectDeliverySerializer,
    OrderedSerializer,
    PurchaseRequestSerializer,
)
from shipments.serializers import WhySerializer


class PurchaseRequestViewSet(
    Repeatable,
    Changeable,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[PurchaseRequest],
):
    """What third parties are to deliver to vendors, one request an order line and item. It follows its line by itself."""

    queryset = PurchaseRequest.objects.select_related(
        "order", "order_line", "item__unit", "vendor", "site", "ship_to", "purchase__ordered_by"
    )
    serializer_class = PurchaseRequestSerializer
    filterset_class = PurchaseRequestFilter
    lookup_field = "reference"
    lookup_value_regex = KEY
    orderings = {"reference": "reference", "needed_on": "needed_on", "expected_on": "expected_on"}
    rights = {
        "ordered": "receipts.change_directpurchase",
        "call_off": "receipts.change_directpurchase",
        "arrived": "receipts.change_directdelivery",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(request=OrderedSerializer, responses=PurchaseRequestSerializer)
    @action(detail=True, methods=["post"])
    def ordered(self, request: Request, reference: str) -> Response:
        """It was ordered: under what reference, how much in all, expected when. Said again it takes the place of before."""
        self._act(request, services.mark_ordered, OrderedSerializer)
        return self.retrieve(request)

    @extend_schema(request=WhySerializer, responses=PurchaseRequestSerializer)
    @action(detail=True, methods=["post"], url_path="call-off")
    def call_off(self, request: Request, reference: str) -> Response:
        """What was ordered and has not arrived does not come. A request whose line is over is gone with it: 204."""
        self._act(request, services.call_off, WhySerializer)
        found = self.get_queryset().filter(reference=reference).first()
        return Response(self.get_serializer(found).data) if found else Response(status=204)

    @extend_schema(request=ArrivedSerializer, responses={201: DirectDeliverySerializer})
    @action(detail=True, methods=["post"])
    def arrived(self, request: Request, reference: str) -> Response:
        """Book what came to the vendor on a delivery note. The same note with the same content is the same delivery."""
        made = self._act(request, services.post_arrival, ArrivedSerializer)
        shown = DirectDeliveryViewSet.queryset.get(pk=made.pk)
        return Response(DirectDeliverySerializer(shown).data, status=201)

    def _act(self, request: Request, service: Any, serializer: Any) -> Any:
        asked = self.get_object()
        self.check_if_match(request, asked)
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        return service(
            order_line_id=asked.order_line_id,
            item_id=asked.item_id,
            by=request.user,
            at=timezone.now(),
            through="api",
            **said.validated_data,
        )


class DirectDeliveryViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[DirectDelivery]
):
    """What third parties brought to vendors, by their delivery notes."""

    queryset = DirectDelivery.objects.select_related(
        "order_line__order", "item", "vendor", "site", "location", "posted_by", "reversed_by"
    )
    serializer_class = DirectDeliverySerializer
    filterset_class = DirectDeliveryFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "arrived_at": "arrived_at"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(request=WhySerializer, responses=DirectDeliverySerializer)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, number: str) -> Response:
        """Take it back at its original value; its note is free again."""
        found = self.get_object()
        said = WhySerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.reverse_arrival(
            delivery_id=found.pk,
            expected_version=if_match(request),
            by=request.user,
            at=timezone.now(),
            through="api",
            **said.validated_data,
        )
        return Response(self.get_serializer(get_object_or_404(self.get_queryset(), number=number)).data)
