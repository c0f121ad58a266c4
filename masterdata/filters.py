"""How lists of master data are narrowed: by the codes they name."""

from __future__ import annotations

from django_filters import rest_framework as filters

from masterdata.models import (
    Closure,
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


class UnitFilter(filters.FilterSet):
    active = filters.BooleanFilter("is_active")

    class Meta:
        model = Unit
        fields = ["code"]


class ItemGroupFilter(filters.FilterSet):
    active = filters.BooleanFilter("is_active")

    class Meta:
        model = ItemGroup
        fields = ["code"]


class SiteFilter(filters.FilterSet):
    active = filters.BooleanFilter("is_active")

    class Meta:
        model = Site
        fields = ["code"]


class ProcessFilter(filters.FilterSet):
    active = filters.BooleanFilter("is_active")

    class Meta:
        model = Process
        fields = ["code", "requires_approval"]


class ItemFilter(filters.FilterSet):
    unit = filters.CharFilter("unit__code")
    item_group = filters.CharFilter("item_group__code")
    blocked = filters.BooleanFilter("is_blocked")
    name = filters.CharFilter(lookup_expr="icontains", label="Part of the name")

    class Meta:
        model = Item
        fields = ["code", "kind", "lot_tracked", "source"]


class VendorFilter(filters.FilterSet):
    currency = filters.CharFilter("currency__code")
    active = filters.BooleanFilter("is_active")
    name = filters.CharFilter(lookup_expr="icontains", label="Part of the name")

    class Meta:
        model = Vendor
        fields = ["code", "country", "source"]


class LocationFilter(filters.FilterSet):
    site = filters.CharFilter("site__code")
    vendor = filters.CharFilter("vendor__code")
    main = filters.BooleanFilter("is_main")
    active = filters.BooleanFilter("is_active")

    class Meta:
        model = Location
        fields = ["code", "kind"]


class WorkCenterFilter(filters.FilterSet):
    active = filters.BooleanFilter("is_active")
    site = filters.CharFilter("site__code")
    vendor = filters.CharFilter("vendor__code")

    class Meta:
        model = WorkCenter
        fields = ["code", "kind"]


class ItemUnitFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    unit = filters.CharFilter("unit__code")

    class Meta:
        model = ItemUnit
        fields: list[str] = []


class SpecificationFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    process = filters.CharFilter("process__code")

    class Meta:
        model = Specification
        fields: list[str] = []


class HolidayCalendarFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    work_center = filters.CharFilter("work_center__code")

    class Meta:
        model = HolidayCalendar
        fields = ["country"]


class ClosureFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    work_center = filters.CharFilter("work_center__code")
    date_from = filters.DateFilter("day", lookup_expr="gte")
    date_to = filters.DateFilter("day", lookup_expr="lte")

    class Meta:
        model = Closure
        fields: list[str] = []


class DowntimeFilter(filters.FilterSet):
    work_center = filters.CharFilter("work_center__code")
    end_from = filters.DateFilter("end_date", lookup_expr="gte")

    class Meta:
        model = Downtime
        fields: list[str] = []


class ExchangeRateFilter(filters.FilterSet):
    currency = filters.CharFilter("currency__code")

    class Meta:
        model = ExchangeRate
        fields = ["valid_from"]
