"""What bodies and answers there are beside JSON: UBL as XML, tables as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer

from invoices import services


class XmlParser(BaseParser):
    """A body of XML as the bytes it is; who reads it decides what it is."""

    media_type = "application/xml"

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> bytes:
        return bytes(stream.read())


class TextXmlParser(XmlParser):
    media_type = "text/xml"


class CsvParser(XmlParser):
    """A body of CSV as the bytes it is."""

    media_type = "text/csv"


class XmlRenderer(BaseRenderer):
    """Lets a caller ask for XML; the view answers with it itself, so only problems come here."""

    media_type = "application/xml"
    format = "xml"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class CsvRenderer(XmlRenderer):
    """Lets a caller ask for a table; the view answers with it itself, so only problems come here."""

    media_type = "text/csv"
    format = "csv"


def as_table(rows: Sequence[Any], serializer: Any, name: str) -> HttpResponse:
    """Rows as CSV, with the columns the API has."""
    text = services.rows_as_csv(list(serializer().fields), serializer(rows, many=True).data)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
