"""Cursor pages for every list of the API."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.refusals import InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class CursorPages(BasePagination):
    """`?limit=` rows a page (50, at most 500) after `?cursor=`, which `next` of the page before holds.

    A cursor holds the last row's values of all columns the list is ordered by, the key last, so rows that come and go
    meanwhile are neither shown twice nor left out, and many equal values do no harm. `?ordering=` takes the names a viewset
    states in `orderings` (API name to own column, which must not be nullable), `-` before a name turns it round.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.limit = _limit(request)
        ordering = self.ordering(request, view)
        cursor = request.query_params.get("cursor")
        if cursor:
            try:
                queryset = queryset.filter(_after(ordering, _read(cursor, ordering, queryset)))
            except (ValueError, TypeError, ValidationError, binascii.Error) as problem:
                raise InvalidInput(
                    "This cursor is none of this list, or the ordering changed.", field="cursor"
                ) from problem
        rows = self.read(queryset.order_by(*ordering), self.limit + 1)
        self.next_cursor = None
        if len(rows) > self.limit:
            rows = rows[: self.limit]
            self.next_cursor = _write(rows[-1], ordering)
        return rows

    def read(self, queryset: Any, count: int) -> list[Any]:
        """So many rows, the first of them; fewer are the last there are."""
        return list(queryset[:count])

    def ordering(self, request: Request, view: Any) -> list[str]:
        """The columns a page is ordered by, the key last."""
        return _ordering(request, view)

    def get_paginated_response(self, data: Any) -> Response:
        address = self.request.build_absolute_uri()
        following = replace_query_param(address, "cursor", self.next_cursor) if self.next_cursor else None
        return Response({"next": following, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {"type": ["string", "null"], "format": "uri", "description": "The address of the next page."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in getattr(view, "orderings", {}) for sign in ("", "-")]
        found: list[dict[str, Any]] = [
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                "description": "Rows a page.",
            },
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "From `next` of the page before.",
            },
        ]
        if names:
            found.append(
                {
                    "name": "ordering",
                    "in": "query",
                    "schema": {"type": "array", "items": {"type": "string", "enum": names}},
                    "explode": False,
                    "style": "form",
                    "description": "By what the rows are ordered.",
                }
            )
        return found


class FeedPages(CursorPages):
    """Pages of what has no end. `cursor` says where to go on, also when nothing came since: the last row's, or the one given.

    `feed_order` of the viewset names the columns, the key last; what comes later must sort behind what is there.
    """

    def ordering(self, request: Request, view: Any) -> list[str]:
        return list(view.feed_order)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        rows = super().paginate_queryset(queryset, request, view)
        given = request.query_params.get("cursor")
        self.cursor = _write(rows[-1], self.ordering(request, view)) if rows else given
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["cursor"] = self.cursor
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = super().get_paginated_response_schema(schema)
        text = {"type": ["string", "null"], "description": "Ask with it for what comes next, now or later."}
        found["properties"]["cursor"] = text
        found["required"].append("cursor")
        return found


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given) > 0):
        raise InvalidInput(f"limit must be a whole number from 1 to {MAX_LIMIT}.", field="limit")
    return min(int(given), MAX_LIMIT)


def _ordering(request: Request, view: Any) -> list[str]:
    allowed: dict[str, str] = getattr(view, "orderings", {})
    given = request.query_params.get("ordering", "")
    names = [name for name in given.split(",") if name]
    columns = []
    for name in names:
        column = allowed.get(name.removeprefix("-"))
        if column is None:
            raise InvalidInput(
                f"ordering takes {', '.join(allowed) or 'nothing'} here, not '{name}'.", field="ordering"
            )
        columns.append("-" + column if name.startswith("-") else column)
    if len({column.removeprefix("-") for column in columns}) < len(columns):
        raise InvalidInput("ordering names a column twice.", field="ordering")
    return [*columns, "-pk" if columns and columns[-1].startswith("-") else getattr(view, "key_order", "pk")]


def _after(ordering: list[str], values: list[Any]) -> Q:
    """Rows behind the one with these values: greater in a column where all before it are equal."""
    behind, equal = Q(), Q()
    for column, value in zip(ordering, values, strict=True):
        name = column.removeprefix("-")
        behind |= equal & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": value})
        equal &= Q(**{name: value})
    # Follows from the rest; the database finds the place in its index by it.
    first = ordering[0]
    return Q(**{f"{first.removeprefix('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]}) & behind


def _write(row: Any, ordering: list[str]) -> str:
    values = [
        str(row.pk if name == "pk" else getattr(row, name))
        for name in (column.removeprefix("-") for column in ordering)
    ]
    return base64.urlsafe_b64encode(json.dumps([ordering, values]).encode()).decode().rstrip("=")


def _read(cursor: str, ordering: list[str], queryset: QuerySet[Any]) -> list[Any]:
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    made_for, values = json.loads(text)
    if made_for != ordering or len(values) != len(ordering):
        raise ValueError
    options = queryset.model._meta
    fields = [
        options.pk if column.lstrip("-") == "pk" else options.get_field(column.lstrip("-")) for column in ordering
    ]
    read = [field.to_python(value) for field, value in zip(fields, values, strict=True)]
    for field, value in zip(fields, read, strict=True):
        field.run_validators(value)
    if "\x00" in str(read):
        raise ValueError
    return read
