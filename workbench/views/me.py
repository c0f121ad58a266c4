"""A person's own settings: signing in, the language and the time zone he reads in."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts import services as accounts
from accounts.models import User
from core.refusals import Refusal
from workbench.views.page import Shell, page_for, show


class SignIn(LoginView):
    """Signs in, and speaks a person's own language from then on."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With whether anybody could sign in at all: where nobody can, the page says how the first user is made."""
        return {**super().get_context_data(**kwargs), "has_users": User.objects.exists()}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if language := form.get_user().language:
            speak(response, language)
        return response


def speak(response: HttpResponse, language: str) -> None:
    """Keep the language for the pages that follow; blank leaves it to the browser."""
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite=settings.LANGUAGE_COOKIE_SAMESITE)
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page_for()
def me(request: HttpRequest) -> HttpResponse:
    typed = {"language": request.user.language, "time_zone": request.user.time_zone}  # type: ignore[union-attr]
    wrong: Refusal | None = None
    if request.method == "POST":
        typed = {name: request.POST.get(name, "").strip() for name in typed}
        try:
            accounts.set_preferences(user=request.user, **typed)  # type: ignore[arg-type]
        except Refusal as refusal:
            wrong = refusal
        else:
            with translation.override(typed["language"] or translation.get_language()):
                messages.success(request, gettext("Kept."))
            response = redirect("workbench:me")
            speak(response, typed["language"])
            return response
    context = {
        "typed": typed,
        "wrong": wrong,
        "languages": settings.LANGUAGES,
        "zones": sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
    }
    response = show(request, "workbench/me.html", context, section="me", shell=Shell(request))
    response.status_code = 422 if wrong else 200
    return response
