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
from interchange.services.report import BadRow, ImportRefused, ImportReport, rows_as_csv

__all__ = [
    "LARGEST_UPLOAD",
    "BadRow",
    "FileRefused",
    "ImportRefused",
    "ImportReport",
    "NoPlan",
    "Rows",
    "Snapshot",
    "import_tables",
    "rows_as_csv",
    "tables_in_files",
    "tables_in_folder",
    "tables_in_zip",
]
