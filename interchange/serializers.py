"""How an import is shown, and how one is sent: JSON with exact numbers, or a packed file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.refusals import Refusal
from core.requests import RowSerializer
from interchange.models import ImportJob, JobState, PlanImport
from interchange.services import LARGEST_UPLOAD, FileRefused, job_progress

LARGEST_JSON = 32 * 1024 * 1024


class TooLarge(Refusal):
    """More than is read at once."""

    code = "too_large"
    status = 413


class PlanImportSerializer(RowSerializer[PlanImport]):
    by = serializers.SlugRelatedField(slug_field="username", read_only=True, allow_null=True)

    class Meta:
        model = PlanImport
        fields = ["reference", "at", "by", "origin", "counts", "notes", "rejected"]


class ImportJobSerializer(RowSerializer[ImportJob]):
    """An import a worker does: how far it is, and what came of it."""

    by: Any = serializers.SlugRelatedField(slug_field="username", read_only=True, allow_null=True)
    dry_run = serializers.BooleanField(source="is_dry")
    state = serializers.ChoiceField(choices=JobState.choices)
    progress = serializers.SerializerMethodField()
    report = serializers.DictField(help_text="What it did or, as a dry run, would do; empty until it is done.")
    errors: Any = serializers.ListField(child=serializers.DictField(), help_text="Why it was refused: every bad row.")
    result = serializers.CharField(source="result.reference", default=None, allow_null=True)

    class Meta:
        model = ImportJob
        fields = [
            "reference", "state", "dry_run", "asked_at", "by", "origin", "size", "progress", "started_at", "finished_at",
            "result", "report", "errors",
        ]  # fmt: skip

    @extend_schema_field(
        {
            "type": "object",
            "properties": {
                "table": {"type": "string"},
                "rows": {"type": "integer"},
                "percent": {"type": "integer"},
            },
        }
    )
    def get_progress(self, job: ImportJob) -> dict[str, Any]:
        said = job_progress(job)
        return {"table": said.table, "rows": said.rows, "percent": said.percent}


class CountSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    withdrawn = serializers.IntegerField(required=False, help_text="Snapshots only.")


class ReportSerializer(serializers.Serializer[Any]):
    """What an import did or, as a dry run, would do."""

    reference = serializers.CharField(allow_null=True, help_text="None for a dry run, and where nothing changed.")
    dry_run = serializers.BooleanField()
    counts = serializers.DictField(child=CountSerializer(), help_text="Rows per table.")
    first = serializers.DictField(
        child=serializers.DictField(child=serializers.ListField(child=serializers.CharField())),
        help_text="The first rows of each table that are (or would be) created, changed, withdrawn, by their keys; `replaced`: "
        "planned orders with the firm numbers they go on under, as `P1 → M1`.",
    )
    changes = serializers.DictField(
        child=serializers.DictField(
            child=serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
        ),
        help_text="Of the first changed rows of each table, by their keys: each column that differs, what it was and is to be.",
    )
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What a person should look at: files that may be cut off."
    )
    notes = serializers.ListField(child=serializers.CharField())
    rejected = serializers.IntegerField(help_text="Rows of orders that were left out (on_error=skip_order).")
    rejects = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()),
        help_text="The first of them by table, as they came, with `reject_reason`; all of them: `{reference}/rejects/`.",
    )
    errors = serializers.ListField(child=serializers.DictField(), help_text="Empty: a refused import answers 422.")


class ExactJSON(BaseParser):
    """JSON whose numbers stay as they are written: 0.1 is never a float."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            body = stream.read(LARGEST_JSON + 1)
            if len(body) > LARGEST_JSON:
                raise TooLarge(f"JSON may have {LARGEST_JSON // 1024 // 1024} MB. Send files, which are read in parts.")
            return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as problem:
            raise ParseError(f"This is not JSON: {problem}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


class Packed(BaseParser):
    """A zip as the body itself, kept in memory or in a temporary file."""

    media_type = "application/zip"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        kept = tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024)  # noqa: SIM115 - lives as long as the request
        size = 0
        while part := stream.read(64 * 1024):
            size += len(part)
            if size > LARGEST_UPLOAD:
                raise FileRefused("The zip is too large.", code="too_large", file="upload.zip")
            kept.write(part)
        kept.seek(0)
        return kept
