"""Errors of the API in one shape (RFC 9457 problem details with a stable code), and of pages; never a 500 for bad input."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from core.constraints import not_kept
from core.refusals import Refusal, Refusals

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

BUSY_STATES = ("40001", "40P01", "55P03")


class Busy(Refusal):
    """Two met, and the database let the other one go first."""

    code, status = "busy", 503


# What DRF calls it, and what Outwork does.
CODES = {
    "does_not_exist": "not_found",
    "incorrect_type": "invalid",
    "max_decimal_places": "too_precise",
    "not_authenticated": "not_authenticated",
    "authentication_failed": "not_authenticated",
    "permission_denied": "no_right",
    "parse_error": "malformed",
    "unique": "duplicate",
    "unique_together": "duplicate",
}
QUANTITIES = ("quantity", "good", "scrap", "minimum_qty")
DAYS = {
    "due", "start", "end", "date", "on", "until", "as_of", "due_from", "due_to", "date_from", "date_to", "end_from",
    "valid_from", "valid_to", "season_from", "season_to", "transition_from",
}  # fmt: skip


def problem_handler(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into a problem document; None lets an unforeseen error through as a 500."""
    match problem:
        case Refusals():
            return answer(problem.status, problem.code, problem.detail, problem.as_errors())
        case Refusal():
            return answer(problem.status, problem.code, problem.detail, [problem.as_error()])
        case exceptions.ValidationError():
            errors = list(_flat(problem.detail))
            only_duplicates = all(error["code"] == "duplicate" for error in errors)
            return answer(409 if only_duplicates else 422, _common_code(errors), _sentence(errors), errors)
        case ValidationError():
            errors = list(_django_errors(problem))
            return answer(422, _common_code(errors), _sentence(errors), errors)
        case IntegrityError() | DataError():
            refusal = not_kept(problem)
            return answer(refusal.status, refusal.code, refusal.detail, [refusal.as_error()])
        case OperationalError() if _is_busy(problem):
            busy = _busy()
            return answer(busy.status, busy.code, busy.detail, headers={"Retry-After": "1"})
        case RequestDataTooBig():
            return answer(413, "too_large", "The request is too large.")
        case SuspiciousOperation():
            return answer(400, "malformed", "The request cannot be read.")
        case Http404() | ObjectDoesNotExist():
            return answer(404, "not_found", "There is no such row, or you may not see it.")
        case PermissionDenied() | exceptions.PermissionDenied():
            said = str(problem) if isinstance(problem, exceptions.PermissionDenied) and "CSRF" in str(problem) else ""
            return answer(403, "no_right", said or "You have no right to do this.")
        case exceptions.APIException():
            plain = exception_handler(problem, context)
            code = CODES.get(problem.default_code, problem.default_code)
            headers = {name: plain[name] for name in ("WWW-Authenticate", "Retry-After") if plain and name in plain}
            return answer(problem.status_code, code, str(problem.detail), headers=headers)
    return None


def answer(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem document. `errors` has one entry for each thing that is wrong."""
    return Response(document(status, code, detail, errors), status=status, headers=headers, content_type=MEDIA_TYPE)


def document(status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "type": f"urn:outwork:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors or [{"code": code, "field": None, "detail": detail}],
    }


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return _plain(400, "malformed", "The request cannot be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.permission_denied(request, exception)
    return _plain(403, "no_right", "You have no right to do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return _plain(404, "not_found", "There is nothing at this address. Addresses end on a slash.")


def failed(request: HttpRequest) -> HttpResponse:
    if not _is_api(request):
        return defaults.server_error(request)
    return _plain(500, "failed", "This is a fault of ours, not of the request. Nothing was written.")


class SaysWhyOnPages:
    """What a service or the database refuses, and the page had not looked for, is said on a page that leads back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED or answer.content or _is_api(request):
            return answer
        # The address of a button, opened as if it were a page: from the history, or a link somebody passed on.
        said = gettext("This address only takes what a button sends. Press the button on its page again.")
        page = render(request, "refused.html", {"said": said, "back": "/"}, status=HTTPStatus.METHOD_NOT_ALLOWED)
        page["Allow"] = answer["Allow"]
        return page

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Django asks this for every exception of a view, once its transaction is rolled back."""
        if _is_api(request):
            return None
        if isinstance(problem, IntegrityError | DataError):
            log.error("%s %s", request.method, request.path, exc_info=problem)
            problem = not_kept(problem)
        elif _is_busy(problem):
            problem = _busy()
        if not isinstance(problem, Refusal):
            return None
        parts = urlsplit(request.META.get("HTTP_REFERER", ""))
        back = urlunsplit(("", "", parts.path, parts.query, "")) if parts.netloc == request.get_host() else "/"
        return render(request, "refused.html", {"said": problem.detail, "back": back}, status=problem.status)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _plain(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(document(status, code, detail), status=status, content_type=MEDIA_TYPE)


def _flat(detail: Any, field: str = "") -> Iterator[dict[str, Any]]:
    """DRF's nested details as a flat list; the field is a path such as `lines[2].quantity`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if name in (NON_FIELD_ERRORS, api_settings.NON_FIELD_ERRORS_KEY):
                yield from _flat(inner, field)
            elif isinstance(name, int):
                yield from _flat(inner, f"{field}[{name}]")
            else:
                yield from _flat(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            is_row = isinstance(inner, Mapping)
            yield from _flat(inner, f"{field}[{index}]" if is_row else field)
    else:
        code = getattr(detail, "code", "invalid")
        name = field.rpartition(".")[2]
        if name in QUANTITIES and code in ("min_value", "max_value", "max_digits", "max_whole_digits", "invalid"):
            code = "invalid_quantity"
        if code == "invalid" and (name in DAYS or name.endswith(("_date", "_on"))):
            code = "invalid_date"
        yield {"code": CODES.get(code, code), "field": field or None, "detail": str(detail)}


def _django_errors(problem: ValidationError) -> Iterator[dict[str, Any]]:
    by_field = problem.error_dict if hasattr(problem, "error_dict") else {NON_FIELD_ERRORS: problem.error_list}
    for name, inner in by_field.items():
        for error in inner:
            code = CODES.get(error.code or "", error.code or "invalid")
            yield {
                "code": code,
                "field": None if name == NON_FIELD_ERRORS else name,
                "detail": " ".join(error.messages),
            }


def _common_code(errors: list[dict[str, Any]]) -> str:
    codes = {error["code"] for error in errors}
    return codes.pop() if len(codes) == 1 else "invalid"


def _sentence(errors: list[dict[str, Any]]) -> str:
    first = errors[0]
    said = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    return said if len(errors) == 1 else f"{said} (and {len(errors) - 1} more)"


def _busy() -> Busy:
    return Busy("Others are changing the same rows. Try again.")


def _is_busy(problem: Exception) -> bool:
    return isinstance(problem, OperationalError) and getattr(problem.__cause__, "pgcode", None) in BUSY_STATES
