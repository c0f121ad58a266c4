"""Runs of the main job, and the document sets they make: subcontract orders, shipments, expected receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from activity.api import AlertViewSet
from activity.models import Alert, Event
from activity.serializers import AlertSerializer
from core.idempotency import Repeatable
from core.requests import KEY, Changeable, NothingSerializer, if_match, narrow
from documents import services, tasks
from documents.api import master
from documents.filters import (
    ExpectedReceiptFilter,
    GenerationRunFilter,
    RunItemFilter,
    SubcontractOrderFilter,
)
from documents.models import GenerationRun, RunItem, RunState
from documents.serializers import (
    AcknowledgeSerializer,
    ApplySerializer,
    ChangeLineSerializer,
    CloseSerializer,
    CounterSerializer,
    ExpectedReceiptSerializer,
    GenerationRunSerializer,
    OrderByHandSerializer,
    ReasonGivenSerializer,
    ReasonSerializer,
    ReviseSerializer,
    RunItemSerializer,
    StartRunSerializer,
    SubcontractOrderDetailSerializer,
    SubcontractOrderSerializer,
)
from masterdata import services as masterdata
from policies.api import PolicyViewSet, ProductionOrderViewSet
from policies.serializers import AlsoSupposedSerializer, SimulateSerializer, SimulationSerializer
from policies.services import SupposedPolicy
from receipts.models import ExpectedReceipt
from shipments.api import PdfRenderer, ShipmentViewSet, XmlRenderer, whole_shipments, xml_file
from shipments.models import Shipment, ShipmentLine
from subcontract_orders import services as orders
from subcontract_orders.models import OrderComponent, OrderLine, OrderRevision, SubcontractOrder
from subcontract_orders.printing.electronic import order_xml
from subcontract_orders.services.lines import KIND


def _expected() -> Any:
    return ExpectedReceipt.objects.select_related("order_line__order__vendor", "item", "location").open()


class SubcontractOrderViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[SubcontractOrder]
):
    """What vendors are asked for. If-Match binds an act to the order as it was read."""

    queryset = SubcontractOrder.objects.select_related(
        "vendor", "site", "ship_to", "receive_at", "currency", "approved_by", "sent_by"
    )
    filterset_class = SubcontractOrderFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "total_company": "total_company", "created_at": "created_at"}
    rights = {
        "create": "subcontract_orders.add_subcontractorder",
        "approve": "subcontract_orders.approve_subcontractorder",
        "send": "subcontract_orders.send_subcontractorder",
        "line": "subcontract_orders.change_subcontractorder",
        "unpin": "subcontract_orders.change_subcontractorder",
        "revise": "subcontract_orders.change_subcontractorder",
        "rush": "subcontract_orders.send_subcontractorder",
        "accept_counter": "subcontract_orders.change_subcontractorder",
        "reject_counter": "subcontract_orders.change_subcontractorder",
        "withdraw_revision": "subcontract_orders.change_subcontractorder",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    def get_serializer_class(self) -> Any:
        return SubcontractOrderSerializer if self.action == "list" else SubcontractOrderDetailSerializer

    def shown(self, number: str) -> Response:
        """The whole set, in a fixed number of queries however many lines there are."""
        lines = OrderLine.objects.select_related("production_order", "item__unit", "process", "receive_at").order_by(
            "line_no"
        )
        components = OrderComponent.objects.select_related("item", "ship_from").order_by("position")
        order = get_object_or_404(
            self.get_queryset().prefetch_related(
                Prefetch("lines", lines.prefetch_related(Prefetch("components", components), "promises")),
                Prefetch("revisions", OrderRevision.objects.order_by("revision")),
            ),
            number=number,
        )
        of_order = ShipmentLine.objects.filter(order_line__order=order).values("shipment")
        order.shipments = (
            whole_shipments(on=masterdata.company_date(at=timezone.now())).filter(pk__in=of_order).order_by("pk")
        )
        order.expected_receipts = _expected().filter(order_line__order=order).order_by("order_line__line_no")
        order.history = Event.objects.of(kind=KIND, number=order.number).select_related("by").order_by("pk")
        return Response(SubcontractOrderDetailSerializer(order).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.shown(kwargs["number"])

    @extend_schema(request=OrderByHandSerializer, responses={201: SubcontractOrderDetailSerializer})
    def create(self, request: Request) -> Response:
        """Order by hand, without a plan: a draft, to be approved and sent as any other."""
        said = OrderByHandSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        order = services.order_by_hand(by=request.user, at=timezone.now(), through="api", **said.validated_data)
        answer = self.shown(order.number)
        answer.status_code = 201
        return answer

    @extend_schema(responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"], url_path=r"document\.pdf", renderer_classes=[JSONRenderer, PdfRenderer])
    def document(self, request: Request, number: str) -> HttpResponse:
        """The order on paper, in its vendor's language: the version in force, or the draft as it is."""
        order = self.get_object()
        pdf = services.order_document(order_id=order.pk, at=timezone.now())
        shown_as = f'inline; filename="{order.number}.pdf"'
        return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})

    @extend_schema(responses={(200, "application/octet-stream"): bytes})
    @action(detail=True, methods=["get"], url_path=r"files/(?P<sha256>[0-9a-f]{64})")
    def file(self, request: Request, number: str, sha256: str) -> FileResponse:
        """A drawing or another file that goes with the order, by its content as `specification_files` names it."""
        told = orders.named_file(orders.files_of(self.get_object()), sha256)
        return FileResponse(told.open(), filename=told.name, content_type=orders.content_type(told.name))

    @extend_schema(responses={(200, "application/xml"): bytes})
    @action(detail=True, methods=["get"], url_path=r"document\.xml", renderer_classes=[JSONRenderer, XmlRenderer])
    def document_xml(self, request: Request, number: str) -> HttpResponse:
        """The same as UBL 2.1, for a vendor whose system reads it."""
        order = self.get_object()
        return xml_file(order_xml(order_id=order.pk), name=order.number)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Commit to a draft, within one's limit."""
        return self._act(request, number, services.approve_set)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, number: str) -> Response:
        """Mark an approved order as sent and keep what was sent as a revision."""
        return self._act(request, number, services.send_set)

    @extend_schema(request=AcknowledgeSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, number: str) -> Response:
        """The vendor accepts a sent order, perhaps with his own dates."""
        return self._act(request, number, services.acknowledge_set, AcknowledgeSerializer)

    @extend_schema(request=CounterSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def counter(self, request: Request, number: str) -> Response:
        """The vendor offers other quantities or dates; nothing changes until somebody accepts."""
        return self._act(request, number, services.counter_set, CounterSerializer)

    @extend_schema(request=ReasonGivenSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, number: str) -> Response:
        """The vendor does not take the order; accepting that cancels it."""
        return self._act(request, number, services.refuse_set, ReasonGivenSerializer)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"], url_path="accept-counter")
    def accept_counter(self, request: Request, number: str) -> Response:
        """Agree to what the vendor offers: a new revision with his quantities and dates."""
        return self._act(request, number, services.accept_counter)

    @extend_schema(request=ReasonSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"], url_path="reject-counter")
    def reject_counter(self, request: Request, number: str) -> Response:
        """Insist on the order as it was sent."""
        return self._act(request, number, services.reject_counter, ReasonSerializer)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def rush(self, request: Request, number: str) -> Response:
        """Approve, send, pick and dispatch in one act, or nothing."""
        return self._act(request, number, services.rush_set)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"], url_path="withdraw-revision")
    def withdraw_revision(self, request: Request, number: str) -> Response:
        """Drop a revision that waits to be sent: the order is again what the vendor has."""
        return self._act(request, number, services.withdraw_revision)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"], url_path="withdraw-approval")
    def withdraw_approval(self, request: Request, number: str) -> Response:
        """Take back an approval on which nothing was sent: the order is a draft again."""
        return self._act(request, number, services.withdraw_approval)

    @extend_schema(request=ReasonGivenSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, number: str) -> Response:
        """Stop the set where it is: nothing is sent, shipped or received meanwhile."""
        return self._act(request, number, services.hold_set, ReasonGivenSerializer)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Let a held order go on from where it was."""
        return self._act(request, number, services.release_set)

    @extend_schema(request=ReasonSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Cancel the order, its planned shipments and what is expected of it."""
        return self._act(request, number, services.cancel_set, ReasonSerializer)

    @extend_schema(request=CloseSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        """Expect no more of a sent order: what is still needed is generated anew."""
        return self._act(request, number, services.close_set, CloseSerializer)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        """Take up a closed order: its open quantity is expected again."""
        return self._act(request, number, services.reopen_set)

    @extend_schema(request=ChangeLineSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["patch"], url_path=r"lines/(?P<line_no>[0-9]{1,9})")
    def line(self, request: Request, number: str, line_no: str) -> Response:
        """Set quantity, price or need date of a line of an order never sent. If-Match takes the order's ETag."""
        return self._act(request, number, partial(services.change_line, line_no=int(line_no)), ChangeLineSerializer)

    @extend_schema(request=NothingSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"], url_path=r"lines/(?P<line_no>[0-9]{1,9})/unpin")
    def unpin(self, request: Request, number: str, line_no: str) -> Response:
        """Let runs set every field of the line again."""
        return self._act(request, number, partial(orders.unpin_line, line_no=int(line_no)))

    @extend_schema(request=ReviseSerializer, responses=SubcontractOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def revise(self, request: Request, number: str) -> Response:
        """Change a line of an order the vendor has: a new revision, which waits for approval where it is worth more."""
        return self._act(request, number, services.revise_line, ReviseSerializer)

    def _act(self, request: Request, number: str, service: Any, serializer: Any = NothingSerializer) -> Response:
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        return self._do(request, number, service, **said.validated_data)

    def _do(self, request: Request, number: str, service: Any, **said: Any) -> Response:
        order = self.get_object()
        service(
            order_id=order.pk,
            expected_version=if_match(request),
            by=request.user,
            at=timezone.now(),
            through="api",
            **said,
        )
        return self.shown(number)


class WatchedShipmentViewSet(ShipmentViewSet):
    """Shipments; what leaves may leave others short, which is watched here, where the alerts of sets are."""

    def acted(self, shipments: Sequence[Shipment], *, at: datetime) -> None:
        services.watch_shipped(shipment_ids=[one.pk for one in shipments], at=at)


class ExpectedReceiptViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ExpectedReceipt]):
    """What is still expected back from vendors."""

    queryset = _expected()
    serializer_class = ExpectedReceiptSerializer
    filterset_class = ExpectedReceiptFilter
    orderings = {"date": "expected_on"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


class GenerationRunViewSet(
    Repeatable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[GenerationRun]
):
    """Runs of the main job, the latest first."""

    queryset = GenerationRun.objects.select_related("requested_by", "settled_by")
    serializer_class = GenerationRunSerializer
    filterset_class = GenerationRunFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    key_order = "-pk"
    orderings = {"requested_at": "requested_at"}
    rights = {
        "create": "documents.start_generationrun",
        "items": "documents.view_generationrun",
        "confirm": "documents.confirm_generationrun",
        "drop": "documents.confirm_generationrun",
    }

    @extend_schema(request=StartRunSerializer, responses={202: GenerationRunSerializer})
    def create(self, request: Request) -> Response:
        """Start a run. The answer comes at once; ask for the run to see how far it is."""
        said = StartRunSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        now = timezone.now()
        with transaction.atomic():
            run = services.start_run(at=now, on=masterdata.company_date(at=now), by=request.user, **said.validated_data)
            # The nudge only makes it sooner: without a broker the run is found by its state.
            transaction.on_commit(partial(tasks.continue_run.delay, run.pk), robust=True)
        return Response(self.get_serializer(run).data, status=202)

    @extend_schema(request=NothingSerializer, responses=GenerationRunSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, number: str) -> Response:
        """Let a run go on that waits for a person because it changes much."""
        return self._settle(request, services.confirm_run)

    @extend_schema(request=NothingSerializer, responses=GenerationRunSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, number: str) -> Response:
        """Let a run that waits for a person change nothing."""
        return self._settle(request, services.drop_run)

    def _settle(self, request: Request, service: Any) -> Response:
        NothingSerializer.check(request)
        run = service(run_id=self.get_object().pk, by=request.user, at=timezone.now())
        if run.state == RunState.WRITING:
            transaction.on_commit(partial(tasks.continue_run.delay, run.pk), robust=True)
        return Response(self.get_serializer(run).data)

    @extend_schema(
        responses=RunItemSerializer(many=True),
        filters=False,
        parameters=[OpenApiParameter(name, str) for name in RunItemFilter.base_filters],
    )
    @action(detail=True, methods=["get"], orderings={})
    def items(self, request: Request, number: str) -> Response:
        """The differences the run found, and what became of each."""
        run = get_object_or_404(GenerationRun, number=number)
        found = RunItem.objects.filter(run=run).select_related("operation__production_order")
        page = self.paginate_queryset(narrow(request, found, RunItemFilter))
        return self.get_paginated_response(RunItemSerializer(page, many=True).data)


class ProposingAlertViewSet(AlertViewSet):
    """Alerts; what one proposes about a document set is applied here, where the sets are."""

    rights = {
        **AlertViewSet.rights,
        "apply": "subcontract_orders.change_subcontractorder",
        "accept": "subcontract_orders.change_subcontractorder",
        "refuse": "subcontract_orders.change_subcontractorder",
    }

    @extend_schema(request=ApplySerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, reference: str) -> Response:
        """Do what the alert proposes, in one act."""
        alert = self.get_object()
        said = ApplySerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.apply_alert(
            alert_id=alert.pk, by=request.user, at=timezone.now(), through="api", **said.validated_data
        )
        return self._shown(request, alert)

    @extend_schema(request=ReasonGivenSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, reference: str) -> Response:
        """Say that it stays as it is, and why."""
        alert = self.get_object()
        said = ReasonGivenSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.accept_alert(
            alert_id=alert.pk, by=request.user, at=timezone.now(), through="api", **said.validated_data
        )
        return self._shown(request, alert)

    def _shown(self, request: Request, alert: Alert) -> Response:
        return Response(self.get_serializer(Alert.objects.visible_to(request.user).get(pk=alert.pk)).data)

    @extend_schema(request=ReasonSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, reference: str) -> Response:
        """Leave things as they are; the same is not proposed again. A vendor's counter-offer is rejected."""
        alert = self.get_object()
        said = ReasonSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.refuse_alert(
            alert_id=alert.pk, by=request.user, at=timezone.now(), through="api", **said.validated_data
        )
        return self._shown(request, alert)


class SimulatedPolicyViewSet(PolicyViewSet):
    """Policies; what one would do is tried here, where what is sent already is known."""

    rights = {**PolicyViewSet.rights, "simulate": "policies.change_policy", "simulate_all": "policies.change_policy"}

    @extend_schema(request=AlsoSupposedSerializer, responses=SimulationSerializer)
    @action(detail=True, methods=["post"])
    def simulate(self, request: Request, code: str) -> Response:
        """What the plan would come to with this policy in force, beside what it comes to now. Nothing is written."""
        policy = self.get_object()
        return self._simulated(AlsoSupposedSerializer(data=request.data), SupposedPolicy(policy.code))

    @extend_schema(operation_id="policies_simulate_all", request=SimulateSerializer, responses=SimulationSerializer)
    @action(detail=False, methods=["post"], url_path="simulate", url_name="simulate-all", filter_backends=[])
    def simulate_all(self, request: Request) -> Response:
        """What the plan would come to with policies, prices, downtimes and lost vendors supposed. Nothing is written."""
        return self._simulated(SimulateSerializer(data=request.data))

    def _simulated(self, said: AlsoSupposedSerializer, *policies: SupposedPolicy) -> Response:
        said.is_valid(raise_exception=True)
        now = timezone.now()
        found = services.simulate(
            change=said.change(*policies), on=masterdata.company_date(at=now), at=now, by=self.request.user
        )
        return Response(services.simulation_dict(found))


class OutsourcedOrderViewSet(ProductionOrderViewSet):
    """The plan; a word on an operation looks at the documents that stand for it."""

    speak_word = staticmethod(services.speak_word)


ROUTES = [
    *master.ROUTES,
    ("production-orders", OutsourcedOrderViewSet),
    ("alerts", ProposingAlertViewSet),
    ("generation-runs", GenerationRunViewSet),
    ("policies", SimulatedPolicyViewSet),
    ("subcontract-orders", SubcontractOrderViewSet),
    ("shipments", WatchedShipmentViewSet),
    ("expected-receipts", ExpectedReceiptViewSet),
]
