"""Files of invoices that were handed over to whoever pays, over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.requests import KEY
from invoices.api.formats import CsvRenderer
from invoices.models import PaymentExport
from invoices.serializers import PaymentExportSerializer


def as_file(made: PaymentExport) -> HttpResponse:
    """The file as it was handed over, under its number."""
    headers = {"Content-Disposition": f'attachment; filename="{made.number}.csv"'}
    return HttpResponse(made.content, content_type="text/csv; charset=utf-8", headers=headers)


class PaymentExportViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[PaymentExport]):
    """What was handed over to whoever pays, each invoice once; every file can be had again, as it was."""

    queryset = PaymentExport.objects.select_related("exported_by").defer("content")
    serializer_class = PaymentExportSerializer
    filterset_class = None
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "exported_at": "exported_at"}
    rights = {"file": "invoices.view_paymentexport"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(responses={(200, "text/csv"): str})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def file(self, request: Request, number: str) -> HttpResponse:
        """The file, as it was handed over."""
        return as_file(self.get_object())
