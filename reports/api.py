"""The measured promises, to read: every report as JSON and CSV, with the rows behind each figure."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.paging import CursorPages
from core.refusals import InvalidInput, Refusals
from core.requests import KEY
from receipts import api as receipts
from reports import services
from reports.models import Measurement
from reports.rules.figures import DIMENSIONS, FIGURES, REPORTS, TIMES, Report
from reports.serializers import (
    AskSerializer,
    LyingSerializer,
    MeasurementSerializer,
    OrderCostSerializer,
    ReportAnswerSerializer,
    ReportDefinitionSerializer,
    as_csv,
    lying_as_csv,
)
from reports.services import Question

PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; a year before the last without it."),
    OpenApiParameter(
        "to", OpenApiTypes.DATE, description="The last day; today without it, later where a report looks ahead."
    ),
]
NARROWED = [
    OpenApiParameter(name, str, description=f"Only this {name.replace('_', ' ')}, by its code.") for name in DIMENSIONS
]
WITHOUT = OpenApiParameter(
    "without", str, description=f"Only what has none of these: {', '.join(DIMENSIONS)}, with commas between."
)
BY = OpenApiParameter(
    "by", str, description=f"Group by up to three of {', '.join((*DIMENSIONS, *TIMES))}, with commas between."
)


class CsvRenderer(BaseRenderer):
    """Lets a caller ask for a table; the view answers with it itself, so only problems come here."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class ByDay(CursorPages):
    """By day where nothing else is asked: so an index holds the rows of one figure, however many there are of all."""

    def ordering(self, request: Request, view: Any) -> list[str]:
        found = super().ordering(request, view)
        return found if len(found) > 1 else ["day", *found]


class ReportViewSet(viewsets.GenericViewSet[Measurement]):
    """Quality, capacity, efficiency, vendor scores, material at vendors: measured, each figure with its definition."""

    queryset = Measurement.objects.order_by("pk")
    serializer_class = MeasurementSerializer
    pagination_class = CursorPages
    lookup_field = "name"
    lookup_value_regex = "[a-z-]+"
    rights = {
        "list": "reports.view_measurement", "retrieve": "reports.view_measurement", "rows": "reports.view_measurement",
        "lying": "reports.view_measurement",
    }  # fmt: skip
    orderings = {"day": "day"}

    @extend_schema(responses=ReportDefinitionSerializer(many=True), parameters=[], filters=False)
    def list(self, request: Request) -> Response:
        """The reports there are, with the definition of every figure."""
        self._known(request, frozenset())
        reports = [
            {"name": report.name, "title": report.title, "question": report.question,
             "figures": [FIGURES[name] for name in report.figures]}
            for report in REPORTS.values()
        ]  # fmt: skip
        return Response(ReportDefinitionSerializer(reports, many=True).data)

    @extend_schema(
        parameters=[*PERIOD, BY, *NARROWED, WITHOUT, OpenApiParameter("format", str, enum=["json", "csv"])],
        responses={(200, "application/json"): ReportAnswerSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def retrieve(self, request: Request, name: str) -> Response | HttpResponse:
        """One report over a period, grouped and narrowed; as a table with `format=csv`."""
        report = self._report(name)
        self._known(request, frozenset({"from", "to", "by", "format", "without", *DIMENSIONS}))
        now = timezone.now()
        question = self._question(request, report)
        kept = services.keep_up(at=now)
        answer = services.answer(report, question, viewer=request.user)  # type: ignore[arg-type]
        if request.accepted_renderer.format == "csv":
            named = f'attachment; filename="{report.name}-{question.first}-{question.last}.csv"'
            text = as_csv(answer)
            return HttpResponse(text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": named})
        data = {name: getattr(answer, name) for name in ("report", "question", "figures", "lines", "total")}
        return Response(ReportAnswerSerializer({**data, "as_of": kept.as_of}).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("figure", str, required=True, description="One figure of the report."), *PERIOD, *NARROWED, WITHOUT,
        ],
        responses=MeasurementSerializer(many=True),
    )  # fmt: skip
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer], pagination_class=ByDay)
    def rows(self, request: Request, name: str) -> Response:
        """What a figure is made of: the rows measured, with the documents they were taken of."""
        report = self._report(name)
        self._known(request, frozenset({"from", "to", "figure", "limit", "cursor", "ordering", "without", *DIMENSIONS}))
        services.keep_up(at=timezone.now())
        found = services.rows_behind(
            report, self._question(request, report), figure=request.query_params.get("figure", ""), viewer=request.user
        )  # type: ignore[arg-type]
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("on", OpenApiTypes.DATE, description="At the end of this day; today without it."),
            *[one for one in NARROWED if one.name in ("vendor", "site")],
            OpenApiParameter("format", str, enum=["json", "csv"]),
        ],
        responses={(200, "application/json"): LyingSerializer(many=True), (200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=False, methods=["get"], url_path="material-at-vendors/lying")
    def lying(self, request: Request) -> Response | HttpResponse:
        """What of ours lay at vendors at the end of a day, by item and lot; together it is the figure of that day."""
        self._known(request, frozenset({"on", "format", "vendor", "site"}))
        report = REPORTS["material-at-vendors"]
        asked = AskSerializer(data={"last_day": request.query_params.get("on") or None, **self._given(request)})
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        narrowed = {name: said[name] for name in ("vendor", "site") if name in said}
        today = services.today_of(report, site=narrowed.get("site", ""), at=timezone.now())
        question = services.ask(report, first=None, last=said["last_day"], by=[], narrowed=narrowed, today=today)
        services.keep_up(at=timezone.now())
        found = services.lying_at_vendors(on=question.last, narrowed=narrowed, viewer=request.user)  # type: ignore[arg-type]
        if request.accepted_renderer.format == "csv":
            named = f'attachment; filename="lying-at-vendors-{question.last}.csv"'
            headers = {"Content-Disposition": named}
            return HttpResponse(lying_as_csv(found), content_type="text/csv; charset=utf-8", headers=headers)
        return Response(LyingSerializer(found, many=True).data)

    def get_renderers(self) -> list[Any]:
        return [JSONRenderer(), CsvRenderer()] if self.action in ("retrieve", "lying") else [JSONRenderer()]

    @staticmethod
    def _given(request: Request) -> dict[str, str]:
        return {name: value for name, value in request.query_params.items() if value}

    @staticmethod
    def _report(name: str) -> Report:
        report = services.report_named(name)
        if report is None:
            raise NotFound
        return report

    @staticmethod
    def _known(request: Request, names: frozenset[str]) -> None:
        unknown = [
            InvalidInput(f"There is no parameter '{name}'. Known: {', '.join(sorted(names))}.", field=name,
                         code="unknown_parameter")
            for name in request.query_params
            if name not in names
        ]  # fmt: skip
        if unknown:
            raise Refusals(unknown)

    @staticmethod
    def _question(request: Request, report: Report) -> Question:
        given = ReportViewSet._given(request)
        asked = AskSerializer(data={"last_day": given.get("to"), "first_day": given.get("from"), **given})
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        narrowed = {name: said[name] for name in DIMENSIONS if name in said} | dict.fromkeys(said["without"], "")
        return services.ask(
            report,
            first=said.get("first_day"),
            last=said.get("last_day"),
            by=[name for name in said["by"].split(",") if name],
            narrowed=narrowed,
            today=services.today_of(report, site=narrowed.get("site", ""), at=timezone.now()),
        )


class OrderCostsViewSet(receipts.OrderCostsViewSet):
    """What production orders have cost so far and were expected to; one of them by operation, with causes of the difference."""

    lookup_field = "number"
    lookup_value_regex = KEY

    def costs_of(self, orders: Any) -> Any:
        return services.order_costs(orders)

    @extend_schema(responses=OrderCostSerializer)
    def retrieve(self, request: Request, number: str) -> Response:
        """Expected, committed and actual cost of each operation, and why they differ: price, quantity, yield, exchange rate."""
        order = get_object_or_404(self.get_queryset(), number=number)
        return Response(OrderCostSerializer(services.order_cost(order)).data)


ROUTES = [("reports/production-order-costs", OrderCostsViewSet), ("reports", ReportViewSet)]
