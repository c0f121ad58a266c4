"""What is received and not invoiced, and what was paid beyond what was agreed: lists, and tables as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.requests import narrow
from invoices import services
from invoices.api.formats import CsvRenderer, as_table
from invoices.filters import NotInvoicedFilter, PriceVarianceFilter
from invoices.models import Match
from invoices.serializers import (
    NotInvoicedSerializer,
    PriceVarianceSerializer,
)
from subcontract_orders.models import OrderLine

MOST_ROWS = 100_000
"""More than a spreadsheet is good for; who needs all reads page by page."""


class NotInvoicedViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[OrderLine]):
    """What is received and not invoiced, by order line; all of it together is the ledger's accrual."""

    queryset = OrderLine.objects.all()
    serializer_class = NotInvoicedSerializer
    filterset_class = NotInvoicedFilter
    orderings: dict[str, str] = {}
    rights = {"list": "invoices.view_invoice", "export": "invoices.view_invoice"}

    def get_queryset(self) -> Any:
        received = Q(accepted__gt=0) | Q(rejected__gt=0) | Q(scrapped__gt=0) | Q(in_rework__gt=0)
        touched = received | Q(pk__in=Match.objects.posted().values("order_line"))
        return super().get_queryset().filter(touched).visible_to(self.request.user).order_by("pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(NotInvoicedSerializer(self._open(page), many=True).data)

    @extend_schema(responses={(200, "text/csv"): str}, filters=True)
    @action(detail=False, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def export(self, request: Request) -> HttpResponse:
        """All of it as CSV."""
        lines = narrow(request, self.get_queryset(), NotInvoicedFilter).order_by("pk")[:MOST_ROWS]
        return as_table(self._open(lines), NotInvoicedSerializer, "received-not-invoiced")

    @staticmethod
    def _open(lines: Iterable[OrderLine]) -> list[services.NotInvoiced]:
        keys = [line.pk for line in lines]
        found = services.received_not_invoiced(keys)
        return [found[pk] for pk in keys if pk in found and found[pk].open]


class PriceVarianceViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Match]):
    """What was paid beyond what was agreed, invoice line by invoice line, and whether stock or variance bears it."""

    queryset = Match.objects.select_related(
        "line__invoice__vendor", "order_line__order", "order_line__production_order", "order_line__item"
    )
    serializer_class = PriceVarianceSerializer
    filterset_class = PriceVarianceFilter
    orderings: dict[str, str] = {}
    rights = {"list": "invoices.view_invoice", "export": "invoices.view_invoice"}

    @extend_schema(responses={(200, "text/csv"): str}, filters=True)
    @action(detail=False, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def export(self, request: Request) -> HttpResponse:
        """All of it as CSV."""
        rows = narrow(request, self.get_queryset(), PriceVarianceFilter).order_by("pk")[:MOST_ROWS]
        return as_table(rows, PriceVarianceSerializer, "price-variance")

    def get_queryset(self) -> Any:
        differing = (
            super().get_queryset().filter(posted_at__isnull=False).exclude(price_difference=-F("exchange_difference"))
        )
        return differing.visible_to(self.request.user)
