"""The planning site: as Unfold's, but what a search box finds is named as people call it."""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite


class NamedRows(AutocompleteJsonView):
    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, Any]:
        from masterdata.admin import called

        return super().serialize_result(obj, to_field_name) | {"text": called(obj)}


class PlanningSite(UnfoldAdminSite):
    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return NamedRows.as_view(admin_site=self)(request)


class PlanningConfig(AdminConfig):
    default_site = "outsourcing.planning.PlanningSite"
