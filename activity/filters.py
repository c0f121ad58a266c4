"""How the list of alerts is narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from activity.models import Alert, Event


class AlertFilter(filters.FilterSet):
    order = filters.CharFilter("order_number")
    operation = filters.CharFilter("operation_no")
    site = filters.CharFilter("site__code")
    vendor = filters.CharFilter("vendor__code")
    taken = filters.BooleanFilter("taken_by", lookup_expr="isnull", exclude=True)
    responsible = filters.CharFilter("responsible__username")
    snoozed = filters.BooleanFilter(method="that_are_snoozed", label="Put off, or not")
    refused = filters.BooleanFilter(
        "refused_at",
        lookup_expr="isnull",
        exclude=True,
        label="What they propose was refused; left out: only those not refused",
    )
    closed = filters.BooleanFilter(method="that_are_closed", label="Closed ones; open ones where it is left out")

    class Meta:
        model = Alert
        fields = ["kind", "severity", "production_order", "proposes"]

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        said = self.form.cleaned_data
        if not said.get("closed"):
            found = found.open()
        return found if said.get("closed") or said.get("refused") is not None else found.waiting()

    def that_are_snoozed(self, queryset: QuerySet[Alert], name: str, value: bool) -> QuerySet[Alert]:
        awake = Alert.objects.awake(at=timezone.now()).values("pk")
        return queryset.exclude(pk__in=awake) if value else queryset.filter(pk__in=awake)

    def that_are_closed(self, queryset: QuerySet[Alert], name: str, value: bool) -> QuerySet[Alert]:
        return queryset.filter(closed_at__isnull=not value)


class EventFilter(filters.FilterSet):
    name = filters.CharFilter("name", help_text="For example order.approved")
    kind = filters.CharFilter(
        "document_kind", help_text="Of documents: subcontract_order, shipment, receipt, invoice …"
    )
    number = filters.CharFilter("document_number")
    site = filters.CharFilter("site__code")
    vendor = filters.CharFilter("vendor__code")

    class Meta:
        model = Event
        fields: list[str] = []
