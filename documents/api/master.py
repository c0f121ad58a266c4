"""Master data that documents name: taken out of use here, where all that still uses it is known."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.requests import NothingSerializer
from documents import services
from masterdata.api import (
    ItemGroupViewSet,
    LocationViewSet,
    ProcessViewSet,
    SiteViewSet,
    UnitViewSet,
    WorkCenterViewSet,
)


class Retiring:
    """For viewsets of master data: rows go out of use and come back. In use by something open, they stay (`in_use`)."""

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, code: str) -> Response:
        """Take it out of use: what names it stays as it is, nothing new may name it. The same as `active: false`."""
        return self._set_in_use(request, active=False)

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, code: str) -> Response:
        """Take it into use again."""
        return self._set_in_use(request, active=True)

    def _set_in_use(self, request: Request, *, active: bool) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]
        NothingSerializer.check(request)
        self.check_if_match(request, row)  # type: ignore[attr-defined]
        services.set_in_use(model=type(row), pk=row.pk, active=active, at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)  # type: ignore[attr-defined]

    def perform_update(self, serializer: Any) -> None:
        row = serializer.instance
        if row and row.is_active and serializer.validated_data.get("is_active") is False:
            services.refuse_where_used(row)
        super().perform_update(serializer)  # type: ignore[misc]


class RetirableUnitViewSet(Retiring, UnitViewSet):
    """Units of measure."""


class RetirableItemGroupViewSet(Retiring, ItemGroupViewSet):
    """Groups of items a policy can name."""


class RetirableSiteViewSet(Retiring, SiteViewSet):
    """Plants of ours."""


class RetirableLocationViewSet(Retiring, LocationViewSet):
    """Places that hold stock."""


class RetirableWorkCenterViewSet(Retiring, WorkCenterViewSet):
    """Machines of ours, and stand-ins for work outside."""


class RetirableProcessViewSet(Retiring, ProcessViewSet):
    """Kinds of work a vendor is bought for."""


ROUTES = [
    ("units", RetirableUnitViewSet),
    ("item-groups", RetirableItemGroupViewSet),
    ("sites", RetirableSiteViewSet),
    ("locations", RetirableLocationViewSet),
    ("work-centers", RetirableWorkCenterViewSet),
    ("processes", RetirableProcessViewSet),
]
