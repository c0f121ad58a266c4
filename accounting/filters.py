"""How the journal and confirmations are narrowed."""

from __future__ import annotations

from django_filters import rest_framework as filters

from accounting.models import Confirmation, Entry


class EntryFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    posted_from = filters.DateFilter("posting_date", lookup_expr="gte")
    posted_to = filters.DateFilter("posting_date", lookup_expr="lte")
    export = filters.CharFilter("export__number")
    exported = filters.BooleanFilter("export", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Entry
        fields = ["document_kind", "document_number"]


class ConfirmationFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")

    class Meta:
        model = Confirmation
        fields = ["as_of", "status"]
