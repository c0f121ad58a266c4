"""The journal, its export, closed periods, accounts, and balances confirmed by vendors."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounting import printing, services
from accounting.filters import ConfirmationFilter, EntryFilter
from accounting.models import Account, Closing, Confirmation, ConfirmationLine, Entry, EntryLine, JournalExport
from accounting.serializers import (
    AccountSerializer,
    AnswerConfirmationSerializer,
    ClosePeriodSerializer,
    ClosingSerializer,
    ConfirmationSerializer,
    EntrySerializer,
    JournalExportSerializer,
    MakeExportSerializer,
    PeriodReasonSerializer,
    PrepareConfirmationsSerializer,
)
from core.idempotency import Repeatable
from core.refusals import NotFound
from core.requests import KEY, NothingSerializer, narrow
from masterdata.models import Item

MOST_LINES = 200_000


class CsvRenderer(BaseRenderer):
    """Lets a caller ask for a table; the view answers with it itself, so only problems come here."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class PdfRenderer(CsvRenderer):
    media_type = "application/pdf"
    format = "pdf"


class JournalViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Entry]):
    """Every movement, approved invoice and charge-back as debits and credits. Each entry adds up to zero."""

    queryset = Entry.objects.select_related("site", "vendor", "export").prefetch_related(
        Prefetch("lines", EntryLine.objects.order_by("role"))
    )
    serializer_class = EntrySerializer
    filterset_class = EntryFilter
    orderings = {"posting_date": "posting_date", "event_date": "event_date"}
    rights = {"list": "accounting.view_entry", "export": "accounting.view_entry"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        services.write_journal(at=timezone.now())
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR}, filters=True)
    @action(detail=False, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def export(self, request: Request) -> HttpResponse:
        """The journal's lines with the company's accounts, debit and credit, as CSV; in the order they were posted."""
        services.write_journal(at=timezone.now())
        entries = narrow(request, Entry.objects.visible_to(request.user), EntryFilter).order_by("posting_date", "pk")
        return _as_csv(services.journal_csv(entries[:MOST_LINES]), "journal")


def _as_csv(text: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


class JournalExportViewSet(
    Repeatable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[JournalExport]
):
    """What was handed over to bookkeeping, each entry once; every file can be had again."""

    queryset = JournalExport.objects.select_related("exported_by")
    serializer_class = JournalExportSerializer
    filterset_class = None
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number"}
    rights = {"create": "accounting.add_journalexport", "file": "accounting.view_entry"}

    @extend_schema(request=MakeExportSerializer, responses={201: JournalExportSerializer})
    def create(self, request: Request) -> Response:
        """Take all that is not handed over yet, posted up to a day."""
        said = MakeExportSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        made = services.export_journal(**said.validated_data, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return Response(JournalExportSerializer(made).data, status=201)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def file(self, request: Request, number: str) -> HttpResponse:
        """The file, as it was handed over; accounts as they are named now."""
        found = self.get_object()
        return _as_csv(services.journal_csv(services.entries_of(found, by=request.user)), found.number)  # type: ignore[arg-type]


class PeriodViewSet(Repeatable, mixins.ListModelMixin, viewsets.GenericViewSet[Closing]):
    """Closed months. What becomes known later counts on the first open day."""

    queryset = Closing.objects.select_related("closed_by")
    serializer_class = ClosingSerializer
    filterset_class = None
    orderings = {"through": "through"}
    rights = {"close": "accounting.close_period", "reopen": "accounting.close_period"}

    @extend_schema(request=ClosePeriodSerializer, responses=ClosingSerializer)
    @action(detail=False, methods=["post"])
    def close(self, request: Request) -> Response:
        """Close a month and all before it, once what is known of it stands in the journal."""
        said = ClosePeriodSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        made = services.close_period(
            month=said.validated_data["month"], by=request.user, at=timezone.now(), through="api"
        )  # type: ignore[arg-type]
        return Response(ClosingSerializer(made).data)

    @extend_schema(request=PeriodReasonSerializer, responses=ClosingSerializer(many=True))
    @action(detail=False, methods=["post"], pagination_class=None)
    def reopen(self, request: Request) -> Response:
        """Open the month that was closed last. Answers with the closings there are."""
        said = PeriodReasonSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.reopen_period(**said.validated_data, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return Response(ClosingSerializer(self.get_queryset().order_by("pk"), many=True).data)


class AccountViewSet(Repeatable, mixins.ListModelMixin, viewsets.GenericViewSet[Account]):
    """Which account of the books takes what has a role."""

    queryset = Account.objects.all()
    serializer_class = AccountSerializer
    filterset_class = None
    orderings = {"role": "role"}
    rights = {"create": "accounting.change_account"}

    @extend_schema(request=AccountSerializer, responses=AccountSerializer)
    def create(self, request: Request) -> Response:
        """Name the account of a role; it takes the place of the one before."""
        said = AccountSerializer(data=request.data)
        said.fields["role"].validators = []
        said.is_valid(raise_exception=True)
        made = services.set_account(**said.validated_data, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return Response(AccountSerializer(made).data)


class ConfirmationViewSet(
    Repeatable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Confirmation]
):
    """Balances vendors are asked to confirm: letter, answer, difference."""

    queryset = Confirmation.objects.select_related("vendor").prefetch_related(
        Prefetch("lines", ConfirmationLine.objects.select_related("item", "lot").order_by("item__code", "pk"))
    )
    serializer_class = ConfirmationSerializer
    filterset_class = ConfirmationFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "as_of": "as_of"}
    rights = {
        "create": "accounting.add_confirmation",
        "letter": "accounting.view_confirmation",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def shown(self, number: str) -> Response:
        return Response(ConfirmationSerializer(get_object_or_404(self.get_queryset(), number=number)).data)

    @extend_schema(request=PrepareConfirmationsSerializer, responses={201: ConfirmationSerializer(many=True)})
    def create(self, request: Request) -> Response:
        """Prepare one for every vendor with whom anything is open at the end of a day."""
        said = PrepareConfirmationsSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        made = services.prepare_confirmations(**said.validated_data, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        rows = self.get_queryset().filter(pk__in=[one.pk for one in made]).order_by("pk")
        return Response(ConfirmationSerializer(rows, many=True).data, status=201)

    @extend_schema(request=NothingSerializer, responses=ConfirmationSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, number: str) -> Response:
        """The letter went out."""
        found = self.get_object()
        NothingSerializer.check(request)
        services.send_confirmation(confirmation_id=found.pk, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return self.shown(number)

    @extend_schema(request=AnswerConfirmationSerializer, responses=ConfirmationSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, number: str) -> Response:
        """Enter the vendor's answer: it agrees, or the difference stands."""
        found = self.get_object()
        given = AnswerConfirmationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        material = said.pop("material", None)
        services.answer_confirmation(
            confirmation_id=found.pk, material=None if material is None else _material(material), **said, by=request.user,
            at=timezone.now(), through="api",
        )  # type: ignore[arg-type]  # fmt: skip
        return self.shown(number)

    @extend_schema(responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"], url_path=r"letter\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def letter(self, request: Request, number: str) -> HttpResponse:
        """The letter that asks the vendor, to be signed and sent."""
        found = self.get_object()
        pdf = printing.confirmation_letter(confirmation_id=found.pk)
        shown_as = f'inline; filename="{found.number}.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})


def _material(said: list[dict[str, Any]]) -> list[services.AnsweredQuantity]:
    items = dict(Item.objects.filter(code__in={one["item"] for one in said}).values_list("code", "pk"))
    for index, one in enumerate(said):
        if one["item"] not in items:
            raise NotFound(f"There is no item {one['item']}.", field=f"material.{index}.item")
    return [services.AnsweredQuantity(items[one["item"]], one["quantity"], one["lot"], one["stage"]) for one in said]


ROUTES = [
    ("journal-exports", JournalExportViewSet),
    ("journal", JournalViewSet),
    ("periods", PeriodViewSet),
    ("accounts", AccountViewSet),
    ("balance-confirmations", ConfirmationViewSet),
]
