"""How items are made: bills of material and routings, one resource per item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.refusals import Refusal, Stale
from core.requests import KEY, Changeable, NothingSerializer, tag_of
from masterdata.models import Item
from production.filters import BomFilter, RoutingFilter
from production.models import BomLine, RoutingStep
from production.serializers import BomSerializer, RoutingSerializer
from production.services.replacing import replace_bom, replace_routing, withdraw_bom, withdraw_routing


class AlreadyThere(Refusal):
    """The item has one already; change that."""

    code = "duplicate"


class StructureViewSet(Repeatable, Changeable, viewsets.GenericViewSet[Item]):
    """What is stated whole for an item: list, get, make, replace."""

    lookup_field = "code"
    lookup_url_kwarg = "item"
    lookup_value_regex = KEY
    orderings = {"item": "code"}

    def rows_of(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def write(self, item: Item, values: dict[str, Any]) -> None:
        raise NotImplementedError

    withdraw: Callable[..., None]

    def shown(self, items: Sequence[Item]) -> Any:
        return self.get_serializer(self.rows_of(items), many=True).data

    def list(self, request: Request) -> Response:
        items = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(items or []))

    def retrieve(self, request: Request, item: str) -> Response:
        return Response(self.shown([self.get_object()])[0])

    @transaction.atomic
    def create(self, request: Request) -> Response:
        said = self.get_serializer(data=request.data)
        said.is_valid(raise_exception=True)
        item = Item.objects.select_for_update().get(pk=said.validated_data["item"].pk)
        if self.get_queryset().filter(pk=item.pk).exists():
            raise AlreadyThere(f"{item} has one already; change that.", field="item")
        self.write(item, said.validated_data)
        return Response(self.shown([item])[0], status=201)

    @transaction.atomic
    def partial_update(self, request: Request, item: str) -> Response:
        found = Item.objects.select_for_update().get(pk=self.get_object().pk)
        self.refuse_stale(request, found)
        said = self.get_serializer(data=request.data, partial=True)
        said.is_valid(raise_exception=True)
        self.write(found, said.validated_data)
        return Response(self.shown([found])[0])

    @extend_schema(request=NothingSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def deactivate(self, request: Request, item: str) -> Response:
        """Take it out of use: no order is made by it any more. Refused (`in_use`) while open production orders are."""
        found = Item.objects.select_for_update().get(pk=self.get_object().pk)
        NothingSerializer.check(request)
        self.refuse_stale(request, found)
        self.withdraw(item_id=found.pk, at=timezone.now())
        return Response(status=204)

    def refuse_stale(self, request: Request, item: Item) -> None:
        given = request.headers.get("If-Match", "").strip()
        if given not in ("", "*") and given.removeprefix("W/") != tag_of(self.shown([item])[0]):
            raise Stale("Somebody changed it since it was read. Read it again, then change it.", field="If-Match")


class BomViewSet(StructureViewSet):
    """Bills of material."""

    queryset = Item.objects.filter(Exists(BomLine.objects.filter(parent=OuterRef("pk"))))
    serializer_class = BomSerializer
    filterset_class = BomFilter
    withdraw = staticmethod(withdraw_bom)
    rights = {
        "list": "production.view_bomline",
        "retrieve": "production.view_bomline",
        "create": "production.add_bomline",
        "partial_update": "production.change_bomline",
        "deactivate": "production.change_bomline",
    }

    @extend_schema(operation_id="boms_list", responses=BomSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    def rows_of(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        lines = defaultdict(list)
        found = BomLine.objects.filter(parent__in=items).select_related("component").order_by("parent", "position")
        for line in found:
            lines[line.parent_id].append(line)
        return [{"item": item, "lines": lines[item.pk]} for item in items]

    def write(self, item: Item, values: dict[str, Any]) -> None:
        if "lines" in values:
            replace_bom(item_id=item.pk, lines=values["lines"], at=timezone.now())


class RoutingViewSet(StructureViewSet):
    """Routings, with their variants."""

    queryset = Item.objects.filter(Exists(RoutingStep.objects.filter(item=OuterRef("pk"))))
    serializer_class = RoutingSerializer
    filterset_class = RoutingFilter
    withdraw = staticmethod(withdraw_routing)
    rights = {
        "list": "production.view_routingstep",
        "retrieve": "production.view_routingstep",
        "create": "production.add_routingstep",
        "partial_update": "production.change_routingstep",
        "deactivate": "production.change_routingstep",
    }

    @extend_schema(operation_id="routings_list", responses=RoutingSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    def rows_of(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        steps: dict[int, dict[str, list[RoutingStep]]] = defaultdict(lambda: defaultdict(list))
        found = RoutingStep.objects.filter(item__in=items).select_related("process", "work_center")
        for step in found.order_by("item", "variant", "sequence", "pk"):
            steps[step.item_id][step.variant].append(step)
        return [
            {
                "item": item,
                "steps": steps[item.pk].get("", []),
                "alternatives": [
                    {"variant": variant, "steps": of} for variant, of in steps[item.pk].items() if variant
                ],
            }
            for item in items
        ]

    def write(self, item: Item, values: dict[str, Any]) -> None:
        now = timezone.now()
        if "steps" in values:
            replace_routing(item_id=item.pk, variant="", steps=[_step(step) for step in values["steps"]], at=now)
        for alternative in values.get("alternatives", []):
            steps = [_step(step) for step in alternative["steps"]]
            replace_routing(item_id=item.pk, variant=alternative["variant"], steps=steps, at=now)


def _step(values: dict[str, Any]) -> dict[str, Any]:
    """A step's fields as columns."""
    related = ("process", "work_center")
    return {
        (f"{name}_id" if name in related else name): (value.pk if name in related and value else value)
        for name, value in values.items()
    }


ROUTES = [("boms", BomViewSet), ("routings", RoutingViewSet)]
