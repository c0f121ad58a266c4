"""Stock and its movements, to read."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, viewsets

from inventory.filters import BalanceFilter, MovementFilter, ValueFilter
from inventory.models import Balance, CostPool, Movement
from inventory.serializers import BalanceSerializer, MovementSerializer, ValueSerializer


class StockViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Balance]):
    """What lies where now. Nothing is shown of what is used up."""

    queryset = Balance.objects.select_related("item__unit", "lot", "location__site", "location__vendor").filter(
        quantity__gt=0
    )
    serializer_class = BalanceSerializer
    filterset_class = BalanceFilter
    orderings = {"quantity": "quantity", "since": "since"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


class StockValueViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[CostPool]):
    """What stock is worth, wherever it lies: material at a vendor is ours."""

    queryset = CostPool.objects.select_related("item", "site", "lot").filter(quantity__gt=0)
    serializer_class = ValueSerializer
    filterset_class = ValueFilter
    orderings = {"value": "value"}
    rights = {"list": "inventory.view_balance"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


class MovementViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Movement]):
    """Every movement of stock, in the order in which they were recorded."""

    queryset = Movement.objects.select_related("item", "lot", "from_location", "to_location", "by")
    serializer_class = MovementSerializer
    filterset_class = MovementFilter
    orderings = {"occurred_at": "occurred_at", "recorded_at": "recorded_at"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


ROUTES = [("stock", StockViewSet), ("stock/values", StockValueViewSet), ("stock-movements", MovementViewSet)]
