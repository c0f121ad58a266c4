"""What is received and not invoiced, and what was paid beyond what was agreed: lists, and tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import F, Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.paging import CursorPages
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


AT_FIRST, AT_ONCE = 100, 1_000


def _open_lines(lines: Any) -> Iterator[OrderLine]:
    """Those of lines (the newest first) of which something is open, each with its amounts as `not_invoiced`.

    Looks at a page's worth first: where most is settled, at more and more at once.
    """
    lines = lines.only("pk")
    rest, at_once = lines, AT_FIRST
    while rows := list(rest[:at_once]):
        at_once = min(2 * at_once, AT_ONCE)
        found = services.received_not_invoiced([line.pk for line in rows])
        for line in rows:
            if line.pk in found and found[line.pk].open:
                line.not_invoiced = found[line.pk]
                yield line
        rest = lines.filter(pk__lt=rows[-1].pk)


class OpenPages(CursorPages):
    """Pages of order lines that are open, each of them full: most lines are settled."""

    def read(self, queryset: Any, count: int) -> list[Any]:
        return list(islice(_open_lines(queryset), count))


class NotInvoicedViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[OrderLine]):
    """What is received and not invoiced, by order line, the newest first; all of it together is the ledger's accrual."""

    queryset = OrderLine.objects.all()
    serializer_class = NotInvoicedSerializer
    filterset_class = NotInvoicedFilter
    pagination_class = OpenPages
    orderings: dict[str, str] = {}
    key_order = "-pk"
    rights = {"list": "invoices.view_invoice", "export": "invoices.view_invoice"}

    def get_queryset(self) -> Any:
        received = Q(accepted__gt=0) | Q(rejected__gt=0) | Q(scrapped__gt=0) | Q(in_rework__gt=0)
        touched = received | Q(invoiced_before__gt=0) | Q(pk__in=Match.objects.posted().values("order_line"))
        return super().get_queryset().filter(touched).visible_to(self.request.user)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(NotInvoicedSerializer([line.not_invoiced for line in page], many=True).data)

    @extend_schema(responses={(200, "text/csv"): str}, filters=True)
    @action(detail=False, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def export(self, request: Request) -> HttpResponse:
        """All of it as CSV."""
        lines = narrow(request, self.get_queryset(), NotInvoicedFilter).order_by("-pk")
        rows = [line.not_invoiced for line in islice(_open_lines(lines), MOST_ROWS)]
        return as_table(rows, NotInvoicedSerializer, "received-not-invoiced")


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
