"""Production orders with their verdicts, decisions, policies, price agreements and vendor approvals."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import override
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.refusals import InvalidInput
from core.requests import KEY, Changeable, Editable, NothingSerializer, if_match
from masterdata import services as masterdata
from policies import services
from policies.filters import (
    DecisionFilter,
    PolicyFilter,
    PriceAgreementFilter,
    ProductionOrderFilter,
    VendorApprovalFilter,
)
from policies.models import Award, Decision, Policy, PolicyVendor, PriceAgreement, VendorApproval
from policies.serializers import (
    DecisionSerializer,
    InsourceSerializer,
    OperationSerializer,
    OutsourceSerializer,
    PlannedOrderSerializer,
    PolicyEffectSerializer,
    PolicySerializer,
    PriceAgreementSerializer,
    ProductionOrderDetailSerializer,
    ProductionOrderSerializer,
    ReportSerializer,
    UpsertedSerializer,
    VendorApprovalSerializer,
    planned_orders,
)
from production import services as production
from production.models import Operation, OperationWord, ProductionOrder, Word

MOST_ORDERS = 10_000


class ProductionOrderViewSet(
    Repeatable, Changeable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[ProductionOrder]
):
    """The plan: orders with their operations, and the verdict on each."""

    queryset = ProductionOrder.objects.select_related("item", "wanted_item", "site", "location")
    filterset_class = ProductionOrderFilter
    lookup_field = "number"
    lookup_value_regex = KEY
    orderings = {"number": "number", "due": "due_date", "changed_at": "changed_at"}
    speak_word = staticmethod(production.speak_word)
    rights = {
        "outsource": "production.speak_operationword",
        "insource": "production.speak_operationword",
        "retract": "production.speak_operationword",
        "report": "production.report_operation",
    }

    def get_queryset(self) -> Any:
        orders = super().get_queryset().visible_to(self.request.user)
        if self.action == "list":
            return orders
        words = OperationWord.objects.filter(is_current=True).select_related("vendor", "by")
        operations = Operation.objects.select_related("process", "work_center").order_by("sequence", "pk")
        return orders.prefetch_related(
            Prefetch("operations", operations.prefetch_related(Prefetch("words", words, to_attr="current_words")))
        )

    def get_serializer_class(self) -> Any:
        return ProductionOrderSerializer if self.action == "list" else ProductionOrderDetailSerializer

    def shown(self, number: str) -> dict[str, Any]:
        order = get_object_or_404(self.get_queryset(), number=number)
        decisions = _decisions().current().filter(operation__production_order=order)
        context = {**self.get_serializer_context(), "decisions": {row.operation_id: row for row in decisions}}
        return ProductionOrderDetailSerializer(order, context=context).data

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.shown(kwargs["number"]))

    @extend_schema(
        request=PlannedOrderSerializer,
        responses={
            200: PolymorphicProxySerializer(
                component_name="UpsertedOrders",
                serializers=[ProductionOrderDetailSerializer, UpsertedSerializer],
                resource_type_field_name=None,
            ),
            201: ProductionOrderDetailSerializer,
        },
        description="Make or change one production order, or a list of up to 10,000, by number: all or none. "
        "One is answered with the order (201 where it is new), a list with counts.",
    )
    def create(self, request: Request) -> Response:
        many = isinstance(request.data, list)
        rows = request.data if many else [request.data]
        if len(rows) > MOST_ORDERS:
            raise InvalidInput(
                f"At most {MOST_ORDERS:,} orders at once; these are {len(rows):,}.", code="above_maximum"
            )
        given = PlannedOrderSerializer(data=request.data, many=many)
        given.is_valid(raise_exception=True)
        rows = given.validated_data if many else [given.validated_data]
        try:
            done = production.upsert_production_orders(
                orders=planned_orders(rows, many=many), at=timezone.now(), by=request.user
            )
        except production.OrdersRefused as refused:
            for bad in refused.refusals if many else ():
                bad.field = f"[{bad.index}].{bad.field}" if bad.field else f"[{bad.index}]"
            raise
        if not many:
            return Response(self.shown(rows[0]["number"]), status=201 if done.created else 200)
        return Response(UpsertedSerializer(done).data)

    @extend_schema(request=NothingSerializer, responses=ProductionOrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Withdraw an order with its open operations; what was made stays."""
        order = self.get_object()
        NothingSerializer.check(request)
        production.cancel_production_order(
            production_order_id=order.pk, expected_version=if_match(request), by=request.user, at=timezone.now()
        )
        return Response(self.shown(number))

    @extend_schema(request=OutsourceSerializer, responses=OperationSerializer)
    @action(detail=True, methods=["post"], url_path=r"operations/(?P<operation_no>[^\x00\n]+)/outsource")
    def outsource(self, request: Request, number: str, operation_no: str) -> Response:
        """The planner's word: this operation goes outside, at the vendor where one is named."""
        return self._speak(request, number, operation_no, OutsourceSerializer, Word.OUTSIDE)

    @extend_schema(request=InsourceSerializer, responses=OperationSerializer)
    @action(detail=True, methods=["post"], url_path=r"operations/(?P<operation_no>[^\x00\n]+)/insource")
    def insource(self, request: Request, number: str, operation_no: str) -> Response:
        """The planner's word: this operation stays inside."""
        return self._speak(request, number, operation_no, InsourceSerializer, Word.INSIDE)

    @extend_schema(request=NothingSerializer, responses=OperationSerializer)
    @action(detail=True, methods=["post"], url_path=r"operations/(?P<operation_no>[^\x00\n]+)/retract")
    def retract(self, request: Request, number: str, operation_no: str) -> Response:
        """Take the planner's word back: flags and policies decide again."""
        operation = self._operation(number, operation_no)
        NothingSerializer.check(request)
        production.retract_word(operation_id=operation.pk, by=request.user, at=timezone.now())
        return self._shown_operation(number, operation_no)

    @extend_schema(request=ReportSerializer, responses=OperationSerializer)
    @action(detail=True, methods=["post"], url_path=r"operations/(?P<operation_no>[^\x00\n]+)/report")
    def report(self, request: Request, number: str, operation_no: str) -> Response:
        """Report pieces made in house: components are used, the pieces move on to the next step, or into stock."""
        operation = self._operation(number, operation_no)
        said = ReportSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        production.report_operation(
            operation_id=operation.pk, by=request.user, at=timezone.now(), through="api", **said.validated_data
        )
        return self._shown_operation(number, operation_no)

    def _speak(self, request: Request, number: str, operation_no: str, serializer: Any, word: Word) -> Response:
        operation = self._operation(number, operation_no)
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        vendor = said.validated_data.get("vendor")
        self.speak_word(
            operation_id=operation.pk,
            word=word,
            vendor_id=vendor.pk if vendor else None,
            reason=said.validated_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
        return self._shown_operation(number, operation_no)

    def _operation(self, number: str, operation_no: str) -> Operation:
        visible = Operation.objects.visible_to(self.request.user)
        return get_object_or_404(visible, production_order__number=number, operation_no=operation_no)

    def _shown_operation(self, number: str, operation_no: str) -> Response:
        return Response(next(row for row in self.shown(number)["operations"] if row["number"] == operation_no))


class DecisionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Decision]):
    """The current verdict on every operation in the horizon, each with its reasons; earlier ones with `history=true`."""

    queryset = Decision.objects.all()
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter
    orderings = {"decided_at": "decided_at", "verdict": "verdict"}

    def get_queryset(self) -> Any:
        related = ["operation__production_order__item", "operation__process", "operation__work_center"]
        return _decisions().select_related(*related).visible_to(self.request.user)


class PolicyViewSet(
    Repeatable,
    Editable,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Policy],
):
    """Rules that say which operations go outside, to whom and how. A new one is a draft until it is activated."""

    queryset = Policy.objects.select_related("item", "item_group", "process", "work_center", "site").prefetch_related(
        Prefetch("vendors", PolicyVendor.objects.select_related("vendor").order_by("rank"))
    )
    serializer_class = PolicySerializer
    filterset_class = PolicyFilter
    lookup_field = "code"
    lookup_value_regex = KEY
    orderings = {"code": "code", "priority": "priority"}
    rights = {"activate": "policies.activate_policy", "retire": "policies.activate_policy"}

    def perform_create(self, serializer: Any) -> None:
        self.perform_update(serializer)

    def perform_update(self, serializer: Any) -> None:
        code = serializer.instance.code if serializer.instance else serializer.validated_data["code"]
        services.write_policy(
            values={**serializer.get_values(), "code": code}, by=self.request.user, at=timezone.now(), through="api"
        )
        serializer.instance = self.get_queryset().get(code=code)

    @extend_schema(request=NothingSerializer, responses=PolicySerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, code: str) -> Response:
        """Put the policy in force: the next run decides by it."""
        return self._set(request, services.activate_policy)

    @extend_schema(request=NothingSerializer, responses=PolicySerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, code: str) -> Response:
        """Take the policy out of force."""
        return self._set(request, services.retire_policy)

    @extend_schema(responses=PolicyEffectSerializer)
    @action(detail=True, methods=["get"], filter_backends=[])
    def effect(self, request: Request, code: str) -> Response:
        """The policy as one sentence, and what it decides as the plan stands."""
        policy = self.get_object()
        found = services.policy_effect(policy_id=policy.pk, by=request.user)
        with override("en"):  # as everything the API says
            said = {"sentence": services.policy_sentence(policy_id=policy.pk), "effect": found, "detail": str(found)}
        return Response(PolicyEffectSerializer(said).data)

    def _set(self, request: Request, service: Any) -> Response:
        policy = self.get_object()
        NothingSerializer.check(request)
        service(
            policy_id=policy.pk, expected_version=if_match(request), by=request.user, at=timezone.now(), through="api"
        )
        return Response(self.get_serializer(self.get_object()).data)


class AgreementViewSet(
    Repeatable,
    Editable,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Any],
):
    """What vendors are agreed on, addressed by reference. Verdicts read it, so a change makes the next run look again."""

    lookup_field = "reference"
    lookup_value_regex = KEY

    def perform_create(self, serializer: Any) -> None:
        self.perform_update(serializer)

    def perform_update(self, serializer: Any) -> None:
        serializer.save()
        changed = serializer.instance
        reason = f"{capfirst(changed._meta.verbose_name_raw)} of {changed.vendor} changed"
        masterdata.note_plan_change(at=timezone.now(), reason=reason)


class PriceAgreementViewSet(AgreementViewSet):
    """Price rows: per vendor, item and process, with tiers and validity. To end one, set `valid_to`."""

    queryset = PriceAgreement.objects.select_related("vendor", "item", "process", "site", "currency")
    serializer_class = PriceAgreementSerializer
    filterset_class = PriceAgreementFilter

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


class VendorApprovalViewSet(AgreementViewSet):
    """Which vendor may do which process. To end one, set `status` to suspended or `valid_to`."""

    queryset = VendorApproval.objects.select_related("vendor", "process")
    serializer_class = VendorApprovalSerializer
    filterset_class = VendorApprovalFilter


def _decisions() -> Any:
    awards = Award.objects.select_related("vendor", "currency", "agreement")
    return Decision.objects.select_related("policy").prefetch_related(Prefetch("awards", awards))


# Production orders are served where documents are: what has left for a vendor does not stay inside by a word.
ROUTES = [
    ("decisions", DecisionViewSet),
    ("price-agreements", PriceAgreementViewSet),
    ("vendor-approvals", VendorApprovalViewSet),
]
