"""Imports: plans and master data in."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.idempotency import Repeatable
from core.refusals import InvalidInput, NotFound
from core.requests import KEY
from interchange import services, tasks
from interchange.models import ImportJob, PlanImport
from interchange.serializers import (
    ExactJSON,
    ImportJobSerializer,
    Packed,
    PlanImportSerializer,
    ReportSerializer,
    TooLarge,
)

LARGE = 8 * 1024 * 1024  # bytes; a zip of a million operations has about as much
OPTIONS: dict[str, tuple[str, ...]] = {
    "dry_run": ("true", "false"),
    "mode": ("upsert", "snapshot"),
    "on_error": ("refuse", "skip_order"),
    "confirm": ("true", "false"),
    "as_job": ("true", "false"),
    "profile": (),
    "source": (),
    "site": (),
    "statuses": (),
}  # without values: codes, parted by commas


class ImportViewSet(Repeatable, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[PlanImport]):
    """Plans and master data read so far; POST reads more: all of it or, where a row is bad, nothing."""

    queryset = PlanImport.objects.select_related("by")
    serializer_class = PlanImportSerializer
    parser_classes = [ExactJSON, MultiPartParser, Packed]
    lookup_field = "reference"
    lookup_value_regex = KEY
    rights = {"create": "interchange.import_plan"}

    @extend_schema(
        description=(
            "Send `{table: [rows]}` as JSON, CSV files or a zip of them as multipart/form-data, or a zip as the body. Tables "
            "and columns are those of the import format; rows are found by their business keys. A refused import answers "
            "422 and names every bad row: table, file, row, column, value and why."
        ),
        request={
            "application/json": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            },
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
            },
            "application/zip": OpenApiTypes.BINARY,
        },
        parameters=[
            OpenApiParameter("dry_run", bool, description="Say what would change, and change nothing."),
            OpenApiParameter(
                "profile",
                str,
                enum=services.profile_names(),
                description="The files are an export of this system.",
            ),
            OpenApiParameter(
                "as_job",
                bool,
                description="A worker reads it: 202 with a job to follow. So it is with more than 8 MB, unless this says false.",
            ),
            OpenApiParameter(
                "mode",
                str,
                enum=["upsert", "snapshot"],
                description=(
                    "upsert: orders that are not sent stay as they are. snapshot: the plan is whole, and open orders in scope "
                    "(`source`, `site`, `statuses`) that it does not hold are withdrawn."
                ),
            ),
            OpenApiParameter("source", str, description="Snapshot of these sources; else of those its rows name."),
            OpenApiParameter("site", str, description="Snapshot of these sites, parted by commas; else of all."),
            OpenApiParameter(
                "statuses", str, description="Snapshot of orders in these statuses; else of planned ones."
            ),
            OpenApiParameter(
                "confirm", bool, description="Also where more than a fifth of the orders in scope would vanish."
            ),
            OpenApiParameter(
                "on_error",
                str,
                enum=["refuse", "skip_order"],
                description="skip_order: a production order with a bad row is left out with its rows, and the rest is read.",
            ),
        ],
        responses={200: ReportSerializer, 201: ReportSerializer, 202: ImportJobSerializer},
    )
    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > services.LARGEST_UPLOAD:
            raise TooLarge(f"A request may have {services.LARGEST_UPLOAD // 1024 // 1024} MB.")
        options = _options(request)
        try:
            if _is_for_a_worker(request, options):
                return self.queue(request, options)
            tables, origin = _tables(request)
            if "profile" in options:
                tables = services.through_profile(services.load_profile(options["profile"]), tables)  # type: ignore[arg-type]
            report = services.import_tables(
                tables=tables,
                at=timezone.now(),
                by=request.user,
                dry_run=options.get("dry_run") == "true",
                origin=origin,
                snapshot=_snapshot(options),
                skip_orders=options.get("on_error") == "skip_order",
            )
        finally:
            if isinstance(request.data, SpooledTemporaryFile):
                request.data.close()
        data = {"reference": report.reference, **report.as_data()}
        return Response(data, status=201 if report.reference else 200)

    def queue(self, request: Request, options: Mapping[str, str]) -> Response:
        """Keep what was sent for a worker."""
        snapshot = _snapshot(options)
        job = services.start_job(
            files=_files(request),
            options={
                "snapshot": asdict(snapshot) if snapshot else None,
                "skip_orders": options.get("on_error") == "skip_order",
                "profile": services.load_profile(options["profile"]).name if "profile" in options else "",
            },
            at=timezone.now(),
            by=request.user,
            is_dry=options.get("dry_run") == "true",
            origin=", ".join(str(file.name) for file in request.FILES.values())[:200] or "upload",
        )
        tasks.run_import.delay_on_commit(job.pk)
        shown = ImportJobSerializer(job, context=self.get_serializer_context()).data
        return Response(shown, status=202, headers={"Location": f"/api/v1/import-jobs/{job.reference}/"})

    @extend_schema(
        description="The rows of orders that were left out, one table as CSV: put right, they can be sent again.",
        parameters=[
            OpenApiParameter("table", str, description="production_orders (also when it is not said), operations …")
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def rejects(self, request: Request, reference: str) -> HttpResponse:
        kept, table = self.get_object(), request.query_params.get("table", "production_orders")
        if table not in kept.rejects:
            raise NotFound(f"No rows of {table[:60]} were left out.", field="table")
        return HttpResponse(
            kept.rejects[table],
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{table}.csv"'},
        )


class ImportJobViewSet(
    Repeatable, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ImportJob]
):
    """Imports that a worker does, and previews that may be confirmed."""

    queryset = ImportJob.objects.select_related("by", "result")
    serializer_class = ImportJobSerializer
    lookup_field = "reference"
    lookup_value_regex = KEY
    rights = {"cancel": "interchange.import_plan", "confirm": "interchange.import_plan"}

    @extend_schema(request=None, responses=ImportJobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, reference: str) -> Response:
        """Ask it to end; nothing of it stays."""
        services.stop_job(job_id=self.get_object().pk, by=request.user, at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: ImportJobSerializer})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, reference: str) -> Response:
        """Do what a preview showed."""
        job = services.confirm_job(job_id=self.get_object().pk, by=request.user, at=timezone.now())
        tasks.run_import.delay_on_commit(job.pk)
        return Response(self.get_serializer(self.get_object()).data, status=202)


def _is_for_a_worker(request: Request, options: Mapping[str, str]) -> bool:
    if "as_job" in options:
        return options["as_job"] == "true"
    is_file = bool(request.FILES) or request.content_type.startswith("application/zip")
    return is_file and int(request.META.get("CONTENT_LENGTH") or 0) > LARGE


def _files(request: Request) -> list[tuple[str, Any]]:
    """What a request brings, as files."""
    if request.FILES:
        return [(file.name or "", file) for name in request.FILES for file in request.FILES.getlist(name)]
    if request.content_type.startswith("application/zip") and request.data:
        return [("upload.zip", request.data)]
    tables, _ = _tables(request)
    return [("upload.json", io.BytesIO(json.dumps(tables, cls=JSONEncoder).encode()))]


def _options(request: Request) -> dict[str, str]:
    """dry_run, mode and on_error, from the address or, in a form, beside the files."""
    given = dict(request.query_params.items())
    if isinstance(request.data, Mapping) and request.FILES:
        given |= {name: value for name, value in request.data.items() if isinstance(value, str)}
    for name, value in given.items():
        allowed = OPTIONS.get(name)
        if allowed is None:
            text = f"There is no option '{name[:60]}'. Known: {', '.join(sorted(OPTIONS))}."
            raise InvalidInput(text, field=name[:60], code="unknown_parameter")
        if allowed and value not in allowed:
            raise InvalidInput(f"{name} is one of: {', '.join(allowed)}.", field=name)
        if name in ("source", "site", "statuses", "confirm") and given.get("mode") != "snapshot":
            raise InvalidInput(f"{name} says what a snapshot is whole for; say mode=snapshot.", field=name)
    return given


def _snapshot(options: Mapping[str, str]) -> services.Snapshot | None:
    if options.get("mode") != "snapshot":
        return None
    listed = {
        name: tuple(part.strip() for part in options[name].split(",") if part.strip())
        for name in ("source", "site", "statuses")
        if options.get(name)
    }
    if "statuses" in listed:
        return services.Snapshot(
            sources=listed.get("source", ()),
            sites=listed.get("site", ()),
            statuses=listed["statuses"],
            confirm=options.get("confirm") == "true",
        )
    return services.Snapshot(
        sources=listed.get("source", ()), sites=listed.get("site", ()), confirm=options.get("confirm") == "true"
    )


def _tables(request: Request) -> tuple[Mapping[str, Iterable[Mapping[str, Any]]], str]:
    """The tables a request brings, and what to call where they came from."""
    data = request.data
    if request.FILES:
        files = [file for name in request.FILES for file in request.FILES.getlist(name)]
        packed = [file for file in files if (file.name or "").lower().endswith(".zip")]
        if packed and len(files) > 1:
            raise InvalidInput("Send one zip, or CSV files, not both.", field="file")
        if packed:
            return services.tables_in_zip(packed[0], packed[0].name), packed[0].name
        return services.tables_in_files([(file.name or "", file) for file in files]), ", ".join(
            str(file.name) for file in files[:5]
        )
    if request.content_type.startswith("application/zip") and data:
        return services.tables_in_zip(data), "upload.zip"
    if not isinstance(data, dict) or not data:
        raise InvalidInput("Send an object of tables: {table: [rows]}, or files.", code="malformed")
    if data.keys() == {"tables"} and isinstance(data["tables"], dict):
        raise InvalidInput(
            'Send the tables themselves, as {table: [rows]}, for example {"items": [{"code": "A"}]}; not inside "tables".',
            field="tables",
            code="malformed",
        )
    for name, rows in data.items():
        if not isinstance(rows, list):
            raise InvalidInput(f"{name[:60]} must be a list of rows.", field=name[:60])
    return data, "JSON"


ROUTES = [("imports", ImportViewSet), ("import-jobs", ImportJobViewSet)]
