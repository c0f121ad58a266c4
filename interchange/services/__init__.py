"""Plans and master data in: one importer for folders, uploads and JSON."""

from interchange.services.files import FileRefused, Rows, tables_in_files, tables_in_folder, tables_in_zip
from interchange.services.importer import BadRow, ImportRefused, ImportReport, import_tables

__all__ = [
    "BadRow",
    "FileRefused",
    "ImportRefused",
    "ImportReport",
    "Rows",
    "import_tables",
    "tables_in_files",
    "tables_in_folder",
    "tables_in_zip",
]
