"""Views of lists a person keeps under a name."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from core.refusals import Refusal
from workbench import services
from workbench.views.page import page_for


@require_POST
@page_for()
def save(request: HttpRequest) -> HttpResponse:
    path, query = request.POST.get("path", ""), request.POST.get("query", "")
    try:
        view = services.save_view(user=request.user, path=path, name=request.POST.get("name", ""), query=query)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
        return redirect(f"{path}?{query}" if is_ours else "workbench:worklist")
    messages.success(request, gettext("“{name}” is kept.").format(name=view.name))
    return redirect(view.address)


@require_POST
@page_for()
def forget(request: HttpRequest) -> HttpResponse:
    try:
        view = services.forget_view(user=request.user, view_id=int(request.POST.get("view") or 0))  # type: ignore[arg-type]
    except (Refusal, ValueError) as refusal:
        messages.error(request, str(refusal))
        return redirect("workbench:worklist")
    messages.success(request, gettext("“{name}” is forgotten.").format(name=view.name))
    return redirect(view.path)
