"""Invoices and credit notes over HTTP: entered, matched, let pass, disputed, approved, exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from activity.models import Event
from core.idempotency import Repeatable
from core.refusals import InvalidInput, NotFound
from core.requests import KEY, Changeable, NothingSerializer, if_match
from invoices import services
from invoices.api.exporting import as_file
from invoices.api.formats import CsvParser, TextXmlParser, XmlParser, XmlRenderer
from invoices.filters import InvoiceFilter
from invoices.models import ChargeBack, Hold, Invoice, InvoiceLine, LineKind, Match
from invoices.serializers import (
    CreditClaimsSerializer,
    CreditSerializer,
    EnteredSerializer,
    EnterInvoiceSerializer,
    InvoiceDetailSerializer,
    InvoiceSerializer,
    NetSerializer,
    SelfBillSerializer,
    WhyInvoiceSerializer,
)
from invoices.services import KIND, CreditedClaim, EnteredLine
from receipts.models import ReceiptLine
from subcontract_orders.models import OrderLine, SubcontractOrder


class ShownInvoices(Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin):
    """How invoices and credit notes are listed and shown."""

    filterset_class = InvoiceFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "invoice_date": "invoice_date", "entered_at": "entered_at"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)  # type: ignore[misc]

    def get_serializer_class(self) -> Any:
        return InvoiceSerializer if self.action == "list" else InvoiceDetailSerializer  # type: ignore[attr-defined]

    def shown(self, number: str, status: int = 200) -> Response:
        """An invoice with all that belongs to it, in a fixed number of queries."""
        matches = Match.objects.select_related("order_line__order", "receipt_line__receipt").order_by("pk")
        lines = (
            InvoiceLine.objects.select_related("order_line__order", "order_line__item", "receipt", "charge_back")
            .prefetch_related(Prefetch("matches", matches))
            .order_by("line_no")
        )
        reasons = Hold.objects.select_related("line").order_by("pk")
        found = Invoice.objects.visible_to(self.request.user).select_related(*RELATED)  # type: ignore[attr-defined]
        whole = found.prefetch_related(Prefetch("lines", lines), Prefetch("holds", reasons), "credit_notes")
        invoice = get_object_or_404(whole, number=number)
        invoice.history = Event.objects.of(kind=KIND, number=number).select_related("by").order_by("pk")
        return Response(InvoiceDetailSerializer(invoice).data, status=status)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.get_object()  # type: ignore[attr-defined]
        return self.shown(kwargs["number"])

    @extend_schema(responses={(200, "application/xml"): bytes})
    @action(
        detail=True,
        methods=["get"],
        url_path="document.xml",
        url_name="xml",
        renderer_classes=[JSONRenderer, XmlRenderer],
    )
    def document(self, request: Request, number: str) -> HttpResponse:
        """It as UBL 2.1."""
        invoice = self.get_object()  # type: ignore[attr-defined]
        headers = {"Content-Disposition": f'attachment; filename="{invoice.number}.xml"'}
        return HttpResponse(services.as_ubl(invoice), content_type="application/xml", headers=headers)


RELATED = ("vendor", "site", "currency", "credits", "payment_export", "entered_by", "released_by", "approved_by")


class InvoiceViewSet(ShownInvoices, viewsets.GenericViewSet[Invoice]):
    """Vendors' invoices. If-Match binds an act to the invoice as it was read."""

    queryset = Invoice.objects.billed().select_related(*RELATED).prefetch_related("holds")
    parser_classes = [JSONParser, XmlParser, TextXmlParser, CsvParser]
    rights = {
        "document": "invoices.view_invoice",
        "upload": "invoices.add_invoice",
        "release": "invoices.release_invoice",
        "approve": "invoices.approve_invoice",
        "export": "invoices.export_invoice",
        "export_all": "invoices.export_invoice",
        "self_bill": "invoices.add_invoice",
        "credit": "invoices.add_invoice",
        "net": "invoices.add_invoice",
    }

    @extend_schema(request=EnterInvoiceSerializer, responses={201: InvoiceDetailSerializer})
    def create(self, request: Request) -> Response:
        """Enter a vendor's invoice, over any of his orders and receipts: as JSON, or as a UBL 2.1 document (application/xml)."""
        if isinstance(request.data, bytes):
            read = services.enter_ubl(
                content=request.data, by=request.user, at=timezone.now(), through="api"  # type: ignore[arg-type]
            )  # fmt: skip
            return self.shown(read.number, status=201)
        given = EnterInvoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        invoice = services.enter_invoice(
            vendor_id=said["vendor"].pk,
            number=said["number"],
            lines=self._lines(said),
            currency_id=said["currency"].pk if said["currency"] else None,
            invoice_date=said["invoice_date"],
            due_date=said["due_date"],
            note=said["note"],
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return self.shown(invoice.number, status=201)

    @extend_schema(request=NothingSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def match(self, request: Request, number: str) -> Response:
        """Compare it with what was received: matched, or held with every reason."""
        return self._act(request, services.match_invoice)

    @extend_schema(request=WhyInvoiceSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Let it pass as it is; not by who entered it."""
        return self._act(request, services.release_invoice, WhyInvoiceSerializer)

    @extend_schema(request=WhyInvoiceSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def dispute(self, request: Request, number: str) -> Response:
        """It is not paid as it is; the vendor has to answer."""
        return self._act(request, services.dispute_invoice, WhyInvoiceSerializer)

    @extend_schema(request=WhyInvoiceSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        """It should not have been entered; the vendor's number is free again."""
        return self._act(request, services.withdraw_invoice, WhyInvoiceSerializer)

    @extend_schema(request=NothingSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Approve it for payment; its differences are booked."""
        return self._act(request, services.approve_invoice)

    @extend_schema(request=NothingSerializer, responses=InvoiceDetailSerializer)
    @action(detail=True, methods=["post"])
    def export(self, request: Request, number: str) -> Response:
        """Mark it as handed over to who pays."""
        return self._act(request, services.export_invoice)

    @extend_schema(request=NothingSerializer, responses={(200, "text/csv"): str}, operation_id="invoices_export_all")
    @action(detail=False, methods=["post"], url_path="export", url_name="export-all")
    def export_all(self, request: Request) -> HttpResponse:
        """Hand over all that is approved, as CSV; each goes once. The file is kept (`payment-exports/`)."""
        NothingSerializer.check(request)
        made = services.export_approved(by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return as_file(made)

    @extend_schema(request={"text/csv": str}, responses={201: EnteredSerializer})
    @action(detail=False, methods=["post"])
    def upload(self, request: Request) -> Response:
        """Enter every invoice of a CSV file, one row a line; all or nothing."""
        if not isinstance(request.data, bytes):
            raise services.NotReadable("Send the file as text/csv.", field="file")
        made = services.enter_csv(content=request.data, by=request.user, at=timezone.now(), through="api")  # type: ignore[arg-type]
        return Response({"entered": [invoice.number for invoice in made]}, status=201)

    @extend_schema(request=CreditSerializer, responses={201: InvoiceDetailSerializer})
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, number: str) -> Response:
        """Enter the vendor's credit note on it."""
        invoice = self.get_object()
        given = CreditSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        for place, line in enumerate(said["lines"]):
            if not {"order", "line"} <= line.keys() and (
                line["kind"] == LineKind.WORK or "order" in line or "line" in line
            ):
                raise InvalidInput("Name the order and its line.", field=f"lines.{place}.line")
        keys = self._order_lines([(line["order"], line["line"]) for line in said["lines"] if "order" in line])
        lines = [
            EnteredLine(
                order_line_id=keys.get((line.get("order", ""), line.get("line", 0))),
                **{name: value for name, value in line.items() if name not in ("order", "line")},
            )
            for line in said["lines"]
        ]
        made = services.credit_invoice(
            invoice_id=invoice.pk,
            lines=lines,
            number=said["number"],
            credit_date=said["credit_date"],
            note=said["note"],
            expected_version=if_match(request),
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return self.shown(made.number, status=201)

    @extend_schema(request=NetSerializer, responses={201: InvoiceDetailSerializer})
    @action(detail=True, methods=["post"])
    def net(self, request: Request, number: str) -> Response:
        """Take what was charged back off it before it is paid: a credit note of our own."""
        invoice = self.get_object()
        given = NetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.net_charge_backs(
            invoice_id=invoice.pk,
            claims=_claims(request, given.validated_data),
            expected_version=if_match(request),
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return self.shown(made.number, status=201)

    @extend_schema(request=SelfBillSerializer, responses={201: InvoiceDetailSerializer})
    @action(detail=False, methods=["post"], url_path="self-bill")
    def self_bill(self, request: Request) -> Response:
        """Write the invoice for a vendor, out of what we accepted of him."""
        given = SelfBillSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        numbers = said.pop("orders")
        orders = SubcontractOrder.objects.visible_to(request.user).filter(number__in=numbers)  # type: ignore[arg-type]
        known = dict(orders.values_list("number", "pk"))
        if missing := [number for number in numbers if number not in known]:
            raise NotFound(f"There is no order {missing[0]}.", field="orders")
        made = services.self_bill(
            vendor_id=said.pop("vendor").pk,
            order_ids=list(known.values()),
            **said,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return self.shown(made.number, status=201)

    def _act(self, request: Request, service: Any, serializer: Any = NothingSerializer) -> Response:
        invoice = self.get_object()
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        service(
            invoice_id=invoice.pk,
            expected_version=if_match(request),
            by=request.user,
            at=timezone.now(),
            through="api",
            **said.validated_data,
        )
        return self.shown(invoice.number)

    def _lines(self, said: Mapping[str, Any]) -> list[EnteredLine]:
        """Lines and charges with their order lines and receipts by key. Raises NotFound and InvalidInput with the field."""
        named = [
            (row["order"], row["line"])
            for row in [*said["lines"], *said["charges"]]
            if "order" in row and "line" in row
        ]
        keys = self._order_lines(named)
        entered = []
        for place, row in enumerate(said["lines"]):
            words = {name: row[name] for name in row if name not in ("order", "line", "note", "item")}
            order_line_id = keys.get((row.get("order", ""), row.get("line", 0)))
            receipt_id = None
            if "note" in row:
                noted = self._noted(said["vendor"].pk, row, order_line_id, place)
                order_line_id, receipt_id = noted.order_line_id, noted.receipt_id
            elif order_line_id is None:
                raise InvalidInput("Name the order and its line, or the delivery note.", field=f"lines.{place}.order")
            entered.append(EnteredLine(order_line_id=order_line_id, receipt_id=receipt_id, **words))
        for place, row in enumerate(said["charges"]):
            if ("order" in row) != ("line" in row):
                raise InvalidInput("Name the order and its line, or neither.", field=f"charges.{place}.line")
            words = {name: row[name] for name in row if name not in ("order", "line")}
            order_line_id = keys.get((row.get("order", ""), row.get("line", 0)))
            entered.append(EnteredLine(order_line_id=order_line_id, field=f"charges.{place}", **words))
        return entered

    def _noted(self, vendor_id: int, row: Mapping[str, Any], order_line_id: int | None, place: int) -> ReceiptLine:
        try:
            return services.find_noted(
                vendor_id=vendor_id,
                note=row["note"],
                item_id=row["item"].pk if "item" in row else None,
                order_line_id=order_line_id,
                by=self.request.user,  # type: ignore[arg-type]
            )
        except (NotFound, InvalidInput) as problem:
            problem.field = f"lines.{place}.note"
            raise

    def _order_lines(self, named: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        numbers = {number for number, _ in named}
        visible = OrderLine.objects.visible_to(self.request.user).filter(order__number__in=numbers)  # type: ignore[arg-type]
        known = {(number, no): pk for pk, number, no in visible.values_list("pk", "order__number", "line_no")}
        for place, key in enumerate(named):
            if key not in known:
                raise NotFound(f"There is no line {key[1]} of order {key[0]}.", field=f"lines.{place}.line")
        return known


def _claims(request: Request, said: Mapping[str, Any]) -> list[CreditedClaim]:
    """The charge-backs named, as far as their reader may see them. Raises NotFound."""
    numbers = [row.pop("charge_back") for row in said["claims"]]
    visible = ChargeBack.objects.visible_to(request.user).filter(number__in=numbers)  # type: ignore[arg-type]
    keys = dict(visible.values_list("number", "pk"))
    for place, number in enumerate(numbers):
        if number not in keys:
            raise NotFound(f"There is no charge-back {number}.", field=f"claims.{place}.charge_back")
    return [CreditedClaim(keys[number], **row) for number, row in zip(numbers, said["claims"], strict=True)]


class CreditNoteViewSet(ShownInvoices, viewsets.GenericViewSet[Invoice]):
    """Vendors' credit notes: on an invoice (entered on it), or on what was charged back."""

    queryset = Invoice.objects.credits().select_related(*RELATED).prefetch_related("holds")
    rights = {"document": "invoices.view_invoice"}

    @extend_schema(request=CreditClaimsSerializer, responses={201: InvoiceDetailSerializer})
    def create(self, request: Request) -> Response:
        """Enter a vendor's credit note that names charge-backs; each whose claim is all credited is settled by it."""
        given = CreditClaimsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        made = services.credit_charge_backs(
            vendor_id=said["vendor"].pk,
            claims=_claims(request, said),
            number=said["number"],
            credit_date=said["credit_date"],
            currency_id=said["currency"].pk if said["currency"] else None,
            note=said["note"],
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            through="api",
        )
        return self.shown(made.number, status=201)
