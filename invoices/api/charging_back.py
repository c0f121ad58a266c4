"""What vendors are to bear, over HTTP; receipts propose it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.refusals import NotFound
from core.requests import KEY, Changeable, if_match
from invoices import services
from invoices.filters import ChargeBackFilter
from invoices.models import ChargeBack, ChargeBackStatus
from invoices.serializers import (
    ChargeBackEntrySerializer,
    ChargeBackSerializer,
    WhyInvoiceSerializer,
)
from receipts.api import ReceiptViewSet
from receipts.models import ReceiptLine
from subcontract_orders.models import OrderLine


class ChargingReceiptViewSet(ReceiptViewSet):
    """Receipts whose bad pieces a vendor is to bear propose a charge-back at once; a sweep finds those counted elsewhere."""

    def shown(self, number: str, status: int = 200) -> Response:
        if self.request.method == "POST":
            lines = ReceiptLine.objects.filter(receipt__number=number).values_list("order_line", flat=True)
            services.watch_charge_backs(at=timezone.now(), order_line_ids=list(lines), by=self.request.user)
        return super().shown(number, status)


class ChargeBackViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[ChargeBack]
):
    """What vendors are to bear: bad pieces where the policy says so, lost material, lateness."""

    queryset = (
        ChargeBack.objects.filter(amount__gt=0)
        .select_related("vendor", "order_line__order", "receipt_line__receipt", "settled_by")
    )  # fmt: skip
    serializer_class = ChargeBackSerializer
    filterset_class = ChargeBackFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "created_at": "created_at"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(request=ChargeBackEntrySerializer, responses={201: ChargeBackSerializer})
    def create(self, request: Request) -> Response:
        """Claim something of an order line by hand."""
        given = ChargeBackEntrySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        key = (said.pop("order"), said.pop("line"))
        visible = OrderLine.objects.visible_to(request.user)  # type: ignore[arg-type]
        line = visible.filter(order__number=key[0], line_no=key[1]).first()
        if line is None:
            raise NotFound(f"There is no line {key[1]} of order {key[0]}.", field="line")
        made = services.charge_back(
            order_line_id=line.pk, **said, by=request.user, at=timezone.now(), through="api"  # type: ignore[arg-type]
        )  # fmt: skip
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data, status=201)

    @extend_schema(request=WhyInvoiceSerializer, responses=ChargeBackSerializer)
    @action(detail=True, methods=["post"])
    def claim(self, request: Request, number: str) -> Response:
        """Claim what was proposed."""
        return self._decide(request, ChargeBackStatus.CLAIMED)

    @extend_schema(request=WhyInvoiceSerializer, responses=ChargeBackSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, number: str) -> Response:
        """The vendor has paid it in money; what he credits is entered as his credit note (`credit-notes/`)."""
        return self._decide(request, ChargeBackStatus.SETTLED)

    @extend_schema(request=WhyInvoiceSerializer, responses=ChargeBackSerializer)
    @action(detail=True, methods=["post"])
    def waive(self, request: Request, number: str) -> Response:
        """Let it go, and say why."""
        return self._decide(request, ChargeBackStatus.WAIVED)

    def _decide(self, request: Request, status: str) -> Response:
        found = self.get_object()
        said = WhyInvoiceSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.decide_charge_back(
            charge_back_id=found.pk,
            status=status,
            reason=said.validated_data["reason"],
            expected_version=if_match(request),
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return Response(self.get_serializer(self.get_object()).data)
