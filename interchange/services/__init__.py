"""Plans and master data in: one importer for folders, uploads and JSON."""

from interchange.services.files import (
    LARGEST_UPLOAD,
    FileRefused,
    Rows,
    tables_in_files,
    tables_in_folder,
    tables_in_zip,
)
from interchange.services.importer import NoPlan, Snapshot, import_tables
from interchange.services.jobs import (
    JobProgress,
    NotAPreview,
    NotUnfinished,
    confirm_job,
    forget_files,
    job_progress,
    run_job,
    start_job,
    stop_job,
    unfinished_jobs,
)
from interchange.services.report import BadRow, ImportRefused, ImportReport, rows_as_csv

__all__ = [
    "LARGEST_UPLOAD",
    "BadRow",
    "FileRefused",
    "ImportRefused",
    "ImportReport",
    "JobProgress",
    "NoPlan",
    "NotAPreview",
    "NotUnfinished",
    "Rows",
    "Snapshot",
    "confirm_job",
    "forget_files",
    "import_tables",
    "job_progress",
    "rows_as_csv",
    "run_job",
    "start_job",
    "stop_job",
    "tables_in_files",
    "tables_in_folder",
    "tables_in_zip",
    "unfinished_jobs",
]
