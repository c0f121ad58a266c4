"""Master data: list, get, create, change. Nothing is deleted: what goes out of use is made inactive, an item blocked."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.text import capfirst
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Repeatable
from core.requests import KEY, Editable
from masterdata import services
from masterdata.filters import (
    ClosureFilter,
    DowntimeFilter,
    ExchangeRateFilter,
    HolidayCalendarFilter,
    ItemFilter,
    ItemGroupFilter,
    ItemUnitFilter,
    LocationFilter,
    ProcessFilter,
    SiteFilter,
    SpecificationFilter,
    UnitFilter,
    VendorFilter,
    WorkCenterFilter,
)
from masterdata.models import (
    Closure,
    Currency,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemGroup,
    ItemUnit,
    Location,
    Process,
    Site,
    Specification,
    Unit,
    Vendor,
    WorkCenter,
)
from masterdata.serializers import (
    ClosureSerializer,
    CurrencySerializer,
    DowntimeSerializer,
    ExchangeRateSerializer,
    FileGivenSerializer,
    HolidayCalendarSerializer,
    ItemGroupSerializer,
    ItemSerializer,
    ItemUnitSerializer,
    LocationSerializer,
    ProcessSerializer,
    SiteSerializer,
    SpecificationSerializer,
    UnitSerializer,
    VendorSerializer,
    WorkCenterSerializer,
)


class MasterDataViewSet(
    Repeatable,
    Editable,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Any],
):
    """Rows addressed by their code. Verdicts read them, so a change makes the next run look again."""

    lookup_field = "code"
    lookup_value_regex = KEY
    orderings = {"code": "code"}

    def perform_create(self, serializer: Any) -> None:
        self.perform_update(serializer)

    def perform_update(self, serializer: Any) -> None:
        serializer.save()
        self.note(serializer.instance)

    def perform_destroy(self, instance: Any) -> None:
        instance.delete()
        self.note(instance)

    def note(self, row: Any) -> None:
        services.note_plan_change(at=timezone.now(), reason=f"{capfirst(row._meta.verbose_name_raw)} {row} changed")


class UnitViewSet(MasterDataViewSet):
    queryset = Unit.objects.all()
    serializer_class = UnitSerializer
    filterset_class = UnitFilter


class ItemGroupViewSet(MasterDataViewSet):
    queryset = ItemGroup.objects.all()
    serializer_class = ItemGroupSerializer
    filterset_class = ItemGroupFilter


class ItemViewSet(MasterDataViewSet):
    queryset = Item.objects.select_related("unit", "item_group")
    serializer_class = ItemSerializer
    filterset_class = ItemFilter


class SiteViewSet(MasterDataViewSet):
    queryset = Site.objects.all()
    serializer_class = SiteSerializer
    filterset_class = SiteFilter


class VendorViewSet(MasterDataViewSet):
    queryset = Vendor.objects.select_related("currency")
    serializer_class = VendorSerializer
    filterset_class = VendorFilter

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)


class LocationViewSet(MasterDataViewSet):
    queryset = Location.objects.select_related("site", "vendor")
    serializer_class = LocationSerializer
    filterset_class = LocationFilter


class WorkCenterViewSet(MasterDataViewSet):
    queryset = WorkCenter.objects.select_related("site", "vendor", "location")
    serializer_class = WorkCenterSerializer
    filterset_class = WorkCenterFilter


class ProcessViewSet(MasterDataViewSet):
    queryset = Process.objects.all()
    serializer_class = ProcessSerializer
    filterset_class = ProcessFilter


class ClosureViewSet(mixins.DestroyModelMixin, MasterDataViewSet):
    """Closed days beyond weekends. A day entered by mistake may be taken out again."""

    queryset = Closure.objects.select_related("vendor", "work_center")
    serializer_class = ClosureSerializer
    filterset_class = ClosureFilter
    lookup_field = "reference"
    orderings = {"date": "day"}
    rights = {"destroy": "masterdata.change_closure"}


class HolidayCalendarViewSet(mixins.DestroyModelMixin, MasterDataViewSet):
    """Whose public holidays are kept by whom."""

    queryset = HolidayCalendar.objects.select_related("vendor", "work_center")
    serializer_class = HolidayCalendarSerializer
    filterset_class = HolidayCalendarFilter
    lookup_field = "reference"
    orderings = {"country": "country"}
    rights = {"destroy": "masterdata.change_holidaycalendar"}


class ItemUnitViewSet(mixins.DestroyModelMixin, MasterDataViewSet):
    """Other units items are priced in."""

    queryset = ItemUnit.objects.select_related("item", "unit")
    serializer_class = ItemUnitSerializer
    filterset_class = ItemUnitFilter
    lookup_field = "reference"
    orderings = {"item": "item__code"}
    rights = {"destroy": "masterdata.change_itemunit"}


class SpecificationViewSet(mixins.DestroyModelMixin, MasterDataViewSet):
    """What vendors are told of the work; frozen on a line when it is sent."""

    queryset = Specification.objects.select_related("item", "process").prefetch_related("files")
    serializer_class = SpecificationSerializer
    filterset_class = SpecificationFilter
    lookup_field = "reference"
    orderings: dict[str, str] = {}
    rights = dict.fromkeys(("destroy", "attach", "remove_file"), "masterdata.change_specification")

    @extend_schema(request={"multipart/form-data": FileGivenSerializer}, responses={201: SpecificationSerializer})
    @action(detail=True, methods=["post"], url_path="files", parser_classes=[MultiPartParser])
    def attach(self, request: Request, reference: str) -> Response:
        """Put a file with it, in the place of one of the same name. What was sent keeps the one it had."""
        said = FileGivenSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        given = said.validated_data["file"]
        services.attach_file(specification_id=self.get_object().pk, name=given.name, content=given, at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data, status=201)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"files/(?P<name>[^/]+)")
    def remove_file(self, request: Request, reference: str, name: str) -> Response:
        """Take a file off. Lines that were sent with it keep it."""
        services.remove_file(specification_id=self.get_object().pk, name=name, at=timezone.now())
        return Response(status=204)


class DowntimeViewSet(mixins.DestroyModelMixin, MasterDataViewSet):
    """When work centers of ours cannot work. What was entered by mistake may be taken out again."""

    queryset = Downtime.objects.select_related("work_center")
    serializer_class = DowntimeSerializer
    filterset_class = DowntimeFilter
    lookup_field = "reference"
    orderings = {"start": "start_date"}
    rights = {"destroy": "masterdata.change_downtime"}


class CurrencyViewSet(MasterDataViewSet):
    queryset = Currency.objects.all()
    serializer_class = CurrencySerializer


class ExchangeRateViewSet(MasterDataViewSet):
    queryset = ExchangeRate.objects.select_related("currency")
    serializer_class = ExchangeRateSerializer
    filterset_class = ExchangeRateFilter
    lookup_field = "reference"
    orderings = {"valid_from": "valid_from"}


# What documents name (units, sites, work centers …) is served by them, where it is known what still uses it.
ROUTES = [
    ("items", ItemViewSet),
    ("vendors", VendorViewSet),
    ("calendars", ClosureViewSet),
    ("holiday-calendars", HolidayCalendarViewSet),
    ("item-units", ItemUnitViewSet),
    ("specifications", SpecificationViewSet),
    ("downtimes", DowntimeViewSet),
    ("currencies", CurrencyViewSet),
    ("exchange-rates", ExchangeRateViewSet),
]
