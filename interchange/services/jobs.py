"""Imports as jobs: a file kept beside its row, read by whoever finds it, told of as it goes, stopped or confirmed by a person."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, cast

from django.core.cache import cache
from django.db import OperationalError, connection, transaction

from accounts.models import User
from core.constraints import said_of
from core.refusals import NotFound, Refusal, Refusals, WrongState
from interchange.models import UNFINISHED, ImportJob, ImportPart, JobState, PlanImport
from interchange.services.files import LARGEST_UPLOAD, FileRefused, Rows, tables_in_files, tables_in_zip, unpacked_size
from interchange.services.importer import Snapshot, import_tables
from interchange.services.profiles import load_profile, through_profile

log = logging.getLogger(__name__)

LOCK = 7_301_002  # with the job's key: one worker at a time
PIECE = 1024 * 1024
KEPT_FOR = timedelta(days=1)  # the file of a preview nobody confirms
MOST_ERRORS = 1000


class Stopped(Exception):
    """A person asked for the job to end."""


class NotUnfinished(WrongState):
    """The job is over already."""


class NotAPreview(WrongState):
    """Only a preview without errors, whose file is still here, is confirmed."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: the table it reads, rows of that table, and the share of all bytes."""

    table: str = ""
    rows: int = 0
    percent: int = 0


@transaction.atomic
def start_job(
    *,
    files: Iterable[tuple[str, BinaryIO]],
    options: Mapping[str, Any],
    at: datetime,
    by: User | None,
    is_dry: bool = False,
    origin: str = "",
) -> ImportJob:
    """Keep files (one zip, CSV files, or one JSON document of tables) for a worker to read. Raises FileRefused (too_large).

    `options`: `snapshot` ({sources, sites, statuses, confirm}), `skip_orders`, `profile`.
    """
    job = ImportJob.objects.create(asked_at=at, by=by, is_dry=is_dry, origin=origin[:200], options=dict(options))
    for name, file in files:
        file.seek(0)
        for position, data in enumerate(iter(lambda file=file: file.read(PIECE), b"")):  # type: ignore[misc]
            job.size += len(data)
            if job.size > LARGEST_UPLOAD:
                limit = LARGEST_UPLOAD // 1024 // 1024
                raise FileRefused(f"An import may have {limit} MB.", code="too_large", file=name[:100])
            ImportPart.objects.create(job=job, name=name[:200], position=position, data=data)
    job.save(update_fields=["size"])
    return job


def unfinished_jobs() -> list[int]:
    """The keys of jobs somebody has to do, oldest first: found by state, so no message can be lost."""
    return list(ImportJob.objects.unfinished().order_by("pk").values_list("pk", flat=True))


def run_job(*, job_id: int, at: datetime) -> ImportJob:
    """Do a job unless it is over or somebody else does it. What it writes and that it is done are one transaction."""
    ImportJob.objects.filter(pk=job_id, state=JobState.WAITING).update(state=JobState.READING, started_at=at)
    try:
        with transaction.atomic():
            if not _lock(job_id):
                return ImportJob.objects.get(pk=job_id)
            job = ImportJob.objects.get(pk=job_id)
            if job.state not in UNFINISHED:
                return job
            if job.is_to_stop:
                raise Stopped
            _read(job, at=at)
            return job
    except Stopped:
        _over(job_id, JobState.CANCELLED, at=at)
    except Refusal as refusal:
        errors = refusal.as_errors() if isinstance(refusal, Refusals) else [refusal.as_error()]
        _over(job_id, JobState.REFUSED, at=at, errors=errors[:MOST_ERRORS])
    except OperationalError:
        raise  # the database went away: the job stays where it was and is taken up again
    except Exception as problem:
        log.exception("Import job %s failed.", job_id)
        _over(
            job_id,
            JobState.FAILED,
            at=at,
            errors=[{"code": "failed", "detail": said_of(problem)[:500]}],
        )
    return ImportJob.objects.get(pk=job_id)


@transaction.atomic
def stop_job(*, job_id: int, by: User | None, at: datetime) -> ImportJob:
    """Ask a job to end; one that reads does so within a few thousand rows, and nothing of it stays. Raises NotUnfinished."""
    # Its reader locks the key, not the row, so this is seen at once by whoever reads.
    if not ImportJob.objects.unfinished().filter(pk=job_id).update(is_to_stop=True):
        raise NotUnfinished("This import is over already.", field="state")
    job = ImportJob.objects.get(pk=job_id)
    if _lock(job_id):  # nobody reads it
        _end(job, JobState.CANCELLED, at=at)
    return job


@transaction.atomic
def confirm_job(*, job_id: int, by: User | None, at: datetime) -> ImportJob:
    """Do what a preview showed: its file is read again, as the plan stands by then. Raises NotFound, NotAPreview."""
    job = ImportJob.objects.select_for_update(of=("self",)).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such import.", field="reference")
    if not job.is_preview or not job.parts.exists():
        raise NotAPreview(f"{job} cannot be confirmed; look through the file again.", field="state")
    job.is_dry, job.is_to_stop, job.state, job.by = False, False, JobState.WAITING, by or job.by
    job.started_at = job.finished_at = None
    job.save()
    return job


def forget_files(*, at: datetime) -> int:
    """Take away files that nobody reads any more. Returns how many jobs had one."""
    over = ImportJob.objects.exclude(state__in=UNFINISHED).filter(finished_at__lt=at - KEPT_FOR)
    jobs = set(ImportPart.objects.filter(job__in=over).values_list("job_id", flat=True))
    ImportPart.objects.filter(job__in=jobs).delete()
    return len(jobs)


def job_progress(job: ImportJob) -> JobProgress:
    """How far a job is. Losing the cache loses the bar, nothing else."""
    if job.state == JobState.READING and (said := cache.get(_progress_key(job.pk))):
        return JobProgress(*said)
    return JobProgress(percent=100 if job.state == JobState.DONE else 0)


def _read(job: ImportJob, *, at: datetime) -> None:
    with ExitStack() as open_files:
        files = {name: open_files.enter_context(_spooled(job, name)) for name in _names(job)}
        names = list(files)
        packed = len(names) == 1 and names[0].lower().endswith(".zip")
        total = unpacked_size(files[names[0]]) if packed else job.size
        tables: Mapping[str, Iterable[Mapping[str, Any]]]
        if packed:
            tables = tables_in_zip(files[names[0]], names[0])
        elif len(names) == 1 and names[0].lower().endswith(".json"):
            tables = json.load(files[names[0]], parse_float=Decimal)
        else:
            tables = tables_in_files(list(files.items()))
        if profile := job.options.get("profile"):
            tables = through_profile(load_profile(profile), cast(Mapping[str, Rows], tables))
        snapshot = job.options.get("snapshot")
        report = import_tables(
            tables=tables,
            at=at,
            by=job.by,
            dry_run=job.is_dry,
            origin=job.origin,
            snapshot=Snapshot(**snapshot) if snapshot is not None else None,
            skip_orders=bool(job.options.get("skip_orders")),
            progress=_teller(job, total),
        )
    job.report, job.errors = json.loads(json.dumps(report.as_data(), default=str)), []
    if report.reference:
        job.result = PlanImport.objects.get(reference=report.reference)
    _end(job, JobState.DONE, at=at)


def _teller(job: ImportJob, total: int) -> Callable[[str, int, int], None]:
    def tell(table: str, rows: int, done: int) -> None:
        if ImportJob.objects.filter(pk=job.pk, is_to_stop=True).exists():
            raise Stopped
        cache.set(_progress_key(job.pk), (table, rows, min(99, done * 100 // total) if total else 0), 3600)

    return tell


def _names(job: ImportJob) -> list[str]:
    return list(ImportPart.objects.filter(job=job).order_by("name").values_list("name", flat=True).distinct())


def _spooled(job: ImportJob, name: str) -> BinaryIO:
    """A file of a job in a temporary file, a piece in memory at a time."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the stack of whoever asked
    parts = ImportPart.objects.filter(job=job, name=name).order_by("position").values_list("data", flat=True)
    for data in parts.iterator(chunk_size=1):
        kept.write(data)
    kept.seek(0)
    return cast(BinaryIO, kept)


@transaction.atomic
def _over(job_id: int, state: JobState, *, at: datetime, errors: list[dict[str, Any]] | None = None) -> None:
    job = ImportJob.objects.select_for_update(of=("self",)).get(pk=job_id)
    job.errors = json.loads(json.dumps(errors or [], default=str))
    _end(job, state, at=at)


def _end(job: ImportJob, state: JobState, *, at: datetime) -> None:
    job.state, job.finished_at = state, at
    job.save(update_fields=["state", "finished_at", "report", "errors", "result"])
    if not job.is_preview:
        job.parts.all().delete()
    cache.delete(_progress_key(job.pk))


def _lock(job_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, job_id])
        return bool(cursor.fetchone()[0])


def _progress_key(job_id: int) -> str:
    return f"import-progress:{job_id}"
