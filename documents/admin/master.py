"""Master data that documents name: taken out of use from its own page, where all that still uses it is known."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core.refusals import Refusal, Refusals
from documents import services
from masterdata.admin import ItemGroupAdmin, LocationAdmin, SiteAdmin, UnitAdmin
from masterdata.models import ItemGroup, Location, Process, Site, Unit, WorkCenter
from production.admin import ProcessAdmin, WorkCenterAdmin


class Retiring:
    """For pages of master data: a row goes out of use and comes back. In use by something open, it stays (`in_use`)."""

    actions_detail = ["take_out_of_use", "put_into_use"]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_active = self.model.objects.filter(pk=object_id).values_list("is_active", flat=True).first()  # type: ignore[attr-defined]
        if is_active is None:
            return []
        wanted = "_take_out_of_use" if is_active else "_put_into_use"
        found = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in found if one.action_name.endswith(wanted)]

    def has_retire_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)  # type: ignore[attr-defined,no-any-return]

    @action(
        description="Take out of use",
        permissions=["retire"],
        icon="archive",
        dialog={
            "title": gettext_lazy("Take it out of use?"),
            "description": gettext_lazy("What names it already stays as it is; nothing new may name it."),
            "form_submit_text": gettext_lazy("Take out of use"),
        },
    )
    def take_out_of_use(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        return self._set_in_use(request, object_id, active=False)

    @action(
        description="Put into use again",
        permissions=["retire"],
        icon="unarchive",
        dialog={
            "title": gettext_lazy("Put it into use again?"),
            "description": gettext_lazy("From then on it may be named as before."),
            "form_submit_text": gettext_lazy("Put into use again"),
        },
    )
    def put_into_use(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        return self._set_in_use(request, object_id, active=True)

    def _set_in_use(self, request: HttpRequest, object_id: int, *, active: bool) -> HttpResponse:
        model = self.model  # type: ignore[attr-defined]
        try:
            row = services.set_in_use(model=model, pk=object_id, active=active, at=timezone.now())
        except Refusal as refusal:
            for one in refusal.refusals if isinstance(refusal, Refusals) else [refusal]:
                messages.error(request, one.detail)
        else:
            messages.success(request, f"{row} is in use again." if active else f"{row} is out of use.")
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        return HttpResponse(headers={"HX-Redirect": reverse(name, args=[object_id])})


@admin.register(Unit)
class RetirableUnitAdmin(Retiring, UnitAdmin):
    pass


@admin.register(ItemGroup)
class RetirableItemGroupAdmin(Retiring, ItemGroupAdmin):
    pass


@admin.register(Site)
class RetirableSiteAdmin(Retiring, SiteAdmin):
    pass


@admin.register(Location)
class RetirableLocationAdmin(Retiring, LocationAdmin):
    pass


@admin.register(WorkCenter)
class RetirableWorkCenterAdmin(Retiring, WorkCenterAdmin):
    pass


@admin.register(Process)
class RetirableProcessAdmin(Retiring, ProcessAdmin):
    pass
