"""How the API reads a request: who may call, which version he changes, and no field or parameter that nobody reads."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.refusals import InvalidInput, Refusals, Stale

KEY = r"[^\x00\n]+"
"""A business key in an address. It may hold slashes, dots and spaces: `CNC/Axle 1`, percent-encoded by the caller."""

_VERBS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change", "PATCH": "change"}


class Rights(BasePermission):
    """A call needs the right its viewset names for the action in `rights`; else view, add or change of the viewset's model."""

    def has_permission(self, request: Request, view: Any) -> bool:
        right = needed_right(view, method=request.method or "GET")
        return right is None or bool(request.user and request.user.has_perm(right))


def needed_right(view: Any, *, method: str) -> str | None:
    """The permission a call needs. None for an action the viewset does not have: it is answered 405, not 403."""
    action = getattr(view, "action", None)
    if action is None and getattr(view, "action_map", None):
        return None
    stated: Mapping[str, str] = getattr(view, "rights", {})
    if action and action in stated:
        return stated[action]
    options = view.queryset.model._meta
    verb = "change" if action and action not in ("list", "retrieve", "create") and method == "POST" else _VERBS[method]
    return f"{options.app_label}.{verb}_{options.model_name}"


class StrictFields:
    """For serializers: a field nobody reads is refused, so that a misspelt one is not skipped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}  # type: ignore[attr-defined]
            unknown = [str(name) for name in data if name not in known]
            if unknown:
                allowed = f"Allowed: {', '.join(sorted(known))}" if known else "This takes no fields"
                said = f"There is no such field to write. {allowed}."
                raise serializers.ValidationError({name: [ErrorDetail(said, "unknown_field")] for name in unknown})
        return super().to_internal_value(data)  # type: ignore[misc]


M = TypeVar("M", bound=Model)


class RowSerializer(serializers.ModelSerializer[M]):
    """A model's rows. Its fields are worked out from the model once, not with each answer, and copied from then on."""

    _known: ClassVar[dict[str, Any]]

    def get_fields(self) -> dict[str, Any]:
        own = type(self)
        if "_known" not in vars(own):
            own._known = super().get_fields()
        return copy.deepcopy(own._known)


class CodeField(serializers.SlugRelatedField[Any]):
    """A row named by its code. One that is out of use may stay where it stands; nothing new names it."""

    default_error_messages = {
        "does_not_exist": "There is no '{value}'.",
        "inactive": "'{value}' is out of use. Name another one, or activate it again.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, slug_field="code", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, str | int) or "\x00" in str(data):
            self.fail("invalid")
        row = super().to_internal_value(str(data))
        if not getattr(row, "may_be_named", True) and row != self.named_before():
            self.fail("inactive", value=data)
        return row

    def named_before(self) -> Any:
        instance = getattr(self.parent, "instance", None)
        return getattr(instance, self.source or "", None) if isinstance(instance, Model) else None


class ExternalRefSerializer(StrictFields, serializers.Serializer[Any]):
    """The key another system knows the row by."""

    system = serializers.CharField(max_length=60)
    key = serializers.CharField(max_length=200)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Words(serializers.ListField):
    """A list of short texts."""

    child = serializers.CharField(max_length=60)


class NothingSerializer(StrictFields, serializers.Serializer[Any]):
    """No fields."""

    @classmethod
    def check(cls, request: Request) -> None:
        """Refuse fields that nobody reads."""
        cls(data=request.data).is_valid(raise_exception=True)


PAGING = frozenset({"limit", "cursor", "ordering"})


def narrow(request: Request, queryset: QuerySet[Any], filterset_class: Any) -> QuerySet[Any]:
    """The rows the parameters ask for. A parameter nobody reads is refused: a misspelt filter must not answer with all."""
    known = PAGING | set(filterset_class.base_filters if filterset_class else ())
    unknown = [
        InvalidInput(
            f"There is no filter '{name}'. Known: {', '.join(sorted(known))}.", field=name, code="unknown_parameter"
        )
        for name in request.query_params
        if name not in known
    ]
    if unknown:
        raise Refusals(unknown)
    if filterset_class is None:
        return queryset
    filterset = filterset_class(request.query_params, queryset=queryset, request=request)
    if not filterset.is_valid():
        raise translate_validation(filterset.errors)
    return filterset.qs  # type: ignore[no-any-return]


class StrictFilters(DjangoFilterBackend):
    """Narrows lists; what is addressed by its key is not narrowed further."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if getattr(view, "action", None) != "list":
            return queryset
        return narrow(request, queryset, self.get_filterset_class(view, queryset))


def etag(version: int) -> str:
    """The entity tag of a row that counts its changes."""
    return f'"{version}"'


def if_match(request: Request) -> int | None:
    """The version a caller means to change, from If-Match; None where he does not say."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    found = re.fullmatch(r'(?:W/)?"([0-9]{1,9})"', given)
    if not found:
        raise Stale(
            f"If-Match must be the ETag of the last answer, such as {etag(3)}; {given} is none.", field="If-Match"
        )
    return int(found[1])


def tag_of(representation: Mapping[str, Any]) -> str:
    """The entity tag of a row as the API shows it: its version, or a digest of it where it counts none."""
    if "version" in representation:
        return etag(representation["version"])
    text = json.dumps(representation, cls=JSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


class Changeable:
    """For viewsets: an answer that shows one row carries its ETag, and a change may be bound to it with If-Match."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        shown = getattr(response, "data", None)
        of_one = getattr(self, "detail", False) or getattr(self, "action", "") == "create"
        if of_one and response.status_code < 300 and isinstance(shown, Mapping):
            response["ETag"] = tag_of(shown)
        return response

    def check_if_match(self, request: Request, row: Model) -> None:
        """Refuse a change of a row that is no longer as the caller read it. Raises Stale."""
        given = request.headers.get("If-Match", "").strip()
        if given in ("", "*"):
            return
        if given.removeprefix("W/") != tag_of(self.get_serializer(row).data):  # type: ignore[attr-defined]
            raise Stale("Somebody changed it since it was read. Read it again, then change it.", field="If-Match")


class Editable(Changeable):
    """For viewsets of rows that are made and changed field by field: one transaction each, changes under a row lock."""

    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)  # type: ignore[misc,no-any-return]

    @transaction.atomic
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields given. Raises Stale."""
        row = self.get_object()  # type: ignore[attr-defined]
        type(row).objects.select_for_update().get(pk=row.pk)
        row = self.get_object()  # type: ignore[attr-defined]
        self.check_if_match(request, row)
        serializer = self.get_serializer(row, data=request.data, partial=True)  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return Response(serializer.data)

    def perform_update(self, serializer: Any) -> None:
        serializer.save()
