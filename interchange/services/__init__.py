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
from interchange.services.profiles import UnknownProfile, load_profile, profile_names, through_profile
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
    "UnknownProfile",
    "confirm_job",
    "forget_files",
    "import_tables",
    "job_progress",
    "load_profile",
    "profile_names",
    "rows_as_csv",
    "run_job",
    "start_job",
    "stop_job",
    "tables_in_files",
    "tables_in_folder",
    "tables_in_zip",
    "through_profile",
    "unfinished_jobs",
]
