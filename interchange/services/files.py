"""Files in: CSV files of a folder, an upload or a zip, read row by row, never whole, and never beyond bounds."""

from __future__ import annotations

import codecs
import csv
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from core.refusals import InvalidInput

LARGEST = 512 * 1024 * 1024  # bytes of all files together, unpacked; a plan of a million operations has 40 MB
LARGEST_UPLOAD = 128 * 1024 * 1024  # bytes of a zip
MOST_FILES = 200
MOST_COLUMNS = 200
LONGEST_LINE = 1024 * 1024  # bytes


class FileRefused(InvalidInput):
    """A file, or a row of it, that cannot be read as CSV. `row` counts as a spreadsheet does: the header is 1."""

    def __init__(self, detail: str, *, code: str, file: str, row: int | None = None, value: str = "") -> None:
        self.file, self.row, self.value = file, row, value
        super().__init__(detail, code=code)


class Rows(Protocol):
    """The rows of one table, once through: `file` and `first` say where a reader finds them."""

    file: str
    first: int

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


class Allowance:
    """How many bytes may still be read from one upload."""

    def __init__(self, left: int = LARGEST) -> None:
        self.left = left

    def take(self, count: int, file: str) -> None:
        self.left -= count
        if self.left < 0:
            raise FileRefused(f"The files hold more than {LARGEST // 1024 // 1024} MB.", code="too_large", file=file)


class _Upload:
    """An uploaded file from its beginning: closing it leaves it open to be read again, whoever sent it closes it."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self.readline = file.readline

    def close(self) -> None:
        pass


class CsvRows:
    """The rows of one CSV file (UTF-8, commas, a header). Raises FileRefused while it is read, where it is broken."""

    first = 2

    def __init__(self, file: str, open_file: Callable[[], Any], allowance: Allowance) -> None:
        self.file, self._open, self._allowance = file, open_file, allowance
        self._separator, self._encoding = ",", "utf-8-sig"
        self.columns: list[str] = []
        self.warnings: list[str] = []
        self.bytes_read = 0
        self._read_before = False
        self._ended = True

    def written(self, *, separator: str, encoding: str) -> None:
        """How another system writes its files."""
        self._separator, self._encoding = separator, encoding

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        row = 1
        try:
            with closing(self._open()) as binary:
                reader = csv.reader(self._lines(binary), strict=True, delimiter=self._separator)
                self.columns = self._header(next(reader, None))
                width = len(self.columns)
                last: list[str] = []
                for cells in reader:
                    row += 1
                    if len(cells) == width:
                        last = cells
                        yield dict(zip(self.columns, cells, strict=True))
                    elif cells:  # an empty line is no row
                        self._refuse_width(cells, row)
                if not self._ended and last:
                    self._warn_of_end(last)
        except UnicodeDecodeError as problem:
            cut = "unexpected end" in problem.reason
            name = "UTF-8" if self._encoding.startswith("utf-8") else self._encoding
            text = "The file ends in the middle of a character." if cut else f"The file is not {name} text."
            raise self._refuse(text, row + 1, "truncated" if cut else "invalid_encoding") from None
        except csv.Error as problem:
            cut = "unexpected end of data" in str(problem)
            text = "A quotation mark is never closed: the file seems cut off." if cut else f"Not CSV: {problem}."
            raise self._refuse(text, row + 1, "truncated" if cut else "invalid") from None
        except (zlib.error, EOFError, zipfile.BadZipFile):
            raise self._refuse("The packed file is damaged or cut off.", row + 1, "truncated") from None
        except (NotImplementedError, RuntimeError):  # a password, or a packing method not known here
            raise self._refuse("The packed file cannot be unpacked here.", None, "invalid") from None

    def _lines(self, binary: BinaryIO) -> Iterator[str]:
        decode = codecs.getincrementaldecoder(self._encoding)("strict").decode
        for line in iter(lambda: binary.readline(LONGEST_LINE), b""):
            if not self._read_before:
                self._allowance.take(len(line), self.file)
                self.bytes_read += len(line)
            self._ended = line.endswith((b"\n", b"\r"))
            if len(line) == LONGEST_LINE and not self._ended:
                raise FileRefused("A line is longer than 1 MB.", code="too_large", file=self.file)
            yield decode(line)
        yield decode(b"", final=True)
        self._read_before = True

    def _warn_of_end(self, cells: list[str]) -> None:
        """Without a line end the last cell may be half of itself. Many programs write none, so a person is asked to look."""
        said = f'{self.columns[-1]} "{cells[-1][:60]}"' if cells[-1] else f"an empty {self.columns[-1]}"
        self.warnings = [
            f"{self.file} does not end with a line end, so it may be cut off: its last row is read with {said}. "
            "Look whether that is all."
        ]

    def _header(self, cells: list[str] | None) -> list[str]:
        columns = [cell.strip() for cell in cells or []]
        if not any(columns):
            raise self._refuse("The file has no header row.", 1, "truncated")
        wanted = "semicolon" if self._separator == ";" else "comma"
        for mark, word in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
            if len(columns) == 1 and mark in columns[0] and mark != self._separator:
                text = f"The columns are separated by {word}; the separator must be a {wanted}."
                raise self._refuse(text, 1, "invalid", columns[0])
        if len(columns) > MOST_COLUMNS:
            raise self._refuse(f"The file has {len(columns)} columns, {MOST_COLUMNS} are possible.", 1, "too_large")
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise self._refuse(f"Columns stand twice in the header: {', '.join(twice)}.", 1, "invalid")
        return columns

    def _refuse_width(self, cells: list[str], row: int) -> None:
        width = len(self.columns)
        if len(cells) < width:
            text = f"The row has {len(cells)} of {width} columns: the file seems cut off here."
            raise self._refuse(text, row, "truncated", ",".join(cells))
        raise self._refuse(f"The row has {len(cells)} columns, the header {width}.", row, "invalid", ",".join(cells))

    def _refuse(self, detail: str, row: int | None, code: str, value: str = "") -> FileRefused:
        return FileRefused(detail, code=code, file=self.file, row=row, value=value[:100])


def tables_in_folder(folder: Path) -> dict[str, Rows]:
    """Every CSV file of a folder, by table name. Raises FileRefused."""
    if not folder.is_dir():
        raise FileRefused(f"There is no folder {folder}.", code="not_found", file=str(folder))
    allowance = Allowance()
    tables: dict[str, Rows] = {
        path.stem: CsvRows(path.name, lambda path=path: path.open("rb"), allowance)  # type: ignore[misc]
        for path in sorted(folder.glob("*.csv"))
    }
    if not tables:
        raise FileRefused(f"There is no CSV file in {folder}.", code="not_found", file=str(folder))
    return tables


def tables_in_files(files: Iterable[tuple[str, BinaryIO]]) -> dict[str, Rows]:
    """Uploaded CSV files (name, file), by table name. Raises FileRefused."""
    allowance = Allowance()
    tables: dict[str, Rows] = {}
    for name, file in files:
        if not name.lower().endswith(".csv"):
            raise FileRefused(f"{name[:100]} is not a CSV file.", code="invalid", file=name[:100])
        _add(tables, name, partial(_Upload, file), allowance)
    return tables


def unpacked_size(file: BinaryIO) -> int:
    """How many bytes of CSV a zip holds, by what it says itself; 0 where it is none."""
    try:
        return sum(entry.file_size for entry in zipfile.ZipFile(file).infolist())
    except (zipfile.BadZipFile, EOFError, ValueError, OSError, NotImplementedError):
        return 0
    finally:
        file.seek(0)


def tables_in_zip(file: BinaryIO, name: str = "upload.zip") -> dict[str, Rows]:
    """The CSV files of a zip, by table name; other files are read over. Nothing is ever written to disk. Raises FileRefused."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError, ValueError, OSError, NotImplementedError):
        raise FileRefused("This is not a whole zip file.", code="truncated", file=name) from None
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise FileRefused(
            f"The zip holds {len(entries)} files, {MOST_FILES} are possible.", code="too_large", file=name
        )
    allowance = Allowance()
    if sum(entry.file_size for entry in entries) > LARGEST:
        allowance.take(LARGEST + 1, name)
    tables: dict[str, Rows] = {}
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
            raise FileRefused(
                "A file in the zip has a path that leads out of it.", code="invalid", file=entry.filename[:100]
            )
        if path.suffix.lower() == ".csv" and not path.name.startswith("."):
            _add(tables, path.name, lambda entry=entry: archive.open(entry), allowance)  # type: ignore[misc]
    if not tables:
        raise FileRefused("There is no CSV file in the zip.", code="not_found", file=name)
    return tables


def _add(tables: dict[str, Rows], name: str, open_file: Callable[[], Any], allowance: Allowance) -> None:
    table = PurePosixPath(name).stem
    if table in tables:
        raise FileRefused(f"{name[:100]} stands there twice.", code="invalid", file=name[:100])
    tables[table] = CsvRows(name[:100], open_file, allowance)
