"""Files that are cut off, damaged, malicious or too large: a named refusal, nothing written, little memory."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest

from interchange.services import (
    FileRefused,
    ImportRefused,
    import_tables,
    tables_in_files,
    tables_in_folder,
    tables_in_zip,
)
from interchange.services import files as rooms
from masterdata.models import Item, Vendor
from tests.interchange.plans import AT, DEMO

ITEMS = b"code,name,unit\nA,Axle,pcs\nB,Bar,kg\n"
CUT = (
    'items.csv does not end with a line end, so it may be cut off: its last row is read with unit "kg". '
    "Look whether that is all."
)


def read(content: bytes, name: str = "items.csv"):
    return import_tables(tables=tables_in_files([(name, io.BytesIO(content))]), at=AT, by=None)


def refused(content: bytes, name: str = "items.csv") -> tuple[str, int | None, str]:
    with pytest.raises(ImportRefused) as refusal:
        read(content, name)
    row = refusal.value.rows[0]
    assert not Item.objects.exists()
    return row.file, row.row, row.code


def packed(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".csv", content)
    out.seek(0)
    return out


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read():
    read(b"\xef\xbb\xbf" + ITEMS.replace(b"\n", b"\r\n"))

    assert list(Item.objects.order_by("code").values_list("code", "unit__code")) == [("A", "pcs"), ("B", "kg")]


@pytest.mark.parametrize(("mark", "word"), [(b";", "semicolons"), (b"\t", "tabs")])
def test_another_separator_than_a_comma_is_said(mark, word):
    with pytest.raises(ImportRefused) as refusal:
        read(ITEMS.replace(b",", mark))

    (row,) = refusal.value.rows
    assert row.detail == f"The columns are separated by {word}; the separator must be a comma."
    assert (row.row, row.code) == (1, "invalid")


def test_quoted_cells_may_hold_commas_quotes_and_line_ends():
    read(b'code,name\nA,"An ""axle"", long\nand thin"\n')

    assert Item.objects.get().name == 'An "axle", long\nand thin'


@pytest.mark.parametrize(
    ("content", "row", "code"),
    [
        (b"", 1, "truncated"),
        (b"code,name,unit\nA,Axle,pcs\nB,Ba", 3, "truncated"),
        (b"code,name,unit\nA\nB,Bar,kg\n", 2, "truncated"),
        (b'code,name\nA,"Axle\nB,Bar\n', 2, "truncated"),
        (b"code,name\nA,\xc3", 3, "truncated"),
        (b"code,name\nA,\xff\xfe\nB,x\n", 2, "invalid_encoding"),
        ("code,name\nA,Axle\n".encode("utf-16"), 2, "invalid_encoding"),
        (b"code,name\nA,Axle,too,much\n", 2, "invalid"),
        (b"code,code\nA,B\n", 1, "invalid"),
        (b"code," + b",".join(b"c%d" % n for n in range(300)) + b"\n", 1, "too_large"),
        (b"code,name\nA," + b"x" * (2 * 1024 * 1024) + b"\n", None, "too_large"),
        (b"code,name\nA," + b"x" * 200_000 + b"\n", 2, "invalid"),
    ],
)
def test_a_broken_file_is_refused_where_it_breaks(content, row, code):
    assert refused(content) == ("items.csv", row, code)


def test_half_of_a_real_file_is_refused():
    whole = (DEMO / "adventureworks" / "items.csv").read_bytes()

    assert refused(whole[: len(whole) // 2]) == ("items.csv", 286, "truncated")


def test_what_a_cut_off_file_no_longer_holds_is_not_reported_missing():
    tables = tables_in_files(
        [("items.csv", io.BytesIO(ITEMS[:-5])), ("boms.csv", io.BytesIO(b"parent,component,quantity\nA,C,1\n"))]
    )

    with pytest.raises(ImportRefused) as refusal:
        import_tables(tables=tables, at=AT, by=None)

    assert [(row.file, row.code) for row in refusal.value.rows] == [("items.csv", "truncated")]


def test_a_file_without_a_last_line_end_is_read_with_a_warning_that_says_how():
    assert read(ITEMS[:-1]).warnings == [CUT]
    assert read(ITEMS).warnings == []
    assert read(ITEMS[:-3]).warnings == [CUT.replace('unit "kg"', "an empty unit")]


def test_a_header_without_a_needed_column_is_refused():
    assert refused(b"name\nAxle\n") == ("items.csv", 2, "missing_column")


def test_a_zip_is_read_whatever_its_folder():
    import_tables(tables=tables_in_zip(packed(plan__items=ITEMS, plan__vendors=b"code\nV1\n")), at=AT, by=None)

    assert (Item.objects.count(), Vendor.objects.count()) == (2, 1)


@pytest.mark.parametrize("path", ["../items.csv", "/etc/items.csv", "a\\..\\items.csv", "C:items.csv"])
def test_a_path_that_leads_out_of_the_zip_is_refused(path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(path, ITEMS)

    with pytest.raises(FileRefused) as refusal:
        tables_in_zip(out)

    assert refusal.value.code == "invalid"


def test_half_a_zip_is_refused():
    whole = packed(items=ITEMS * 1000).getvalue()

    with pytest.raises(FileRefused) as refusal:
        tables_in_zip(io.BytesIO(whole[: len(whole) // 2]))

    assert refusal.value.code == "truncated"


def test_a_zip_damaged_inside_is_refused():
    whole = bytearray(packed(items=ITEMS * 1000).getvalue())
    whole[60:90] = b"x" * 30

    with pytest.raises((FileRefused, ImportRefused)) as refusal:
        import_tables(tables=tables_in_zip(io.BytesIO(bytes(whole))), at=AT, by=None)

    assert refusal.value.code in ("truncated", "invalid")
    assert not Item.objects.exists()


def test_a_zip_that_says_it_is_too_large_is_refused_unread():
    bomb = packed(items=b"code\n" + b"\n" * (rooms.LARGEST + 10))

    tracemalloc.start()
    with pytest.raises(FileRefused) as refusal:
        tables_in_zip(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refusal.value.code == "too_large"
    assert peak < 2 * 1024 * 1024


def test_files_are_read_no_further_than_allowed(monkeypatch):
    monkeypatch.setattr(rooms.Allowance.__init__, "__defaults__", (1000,))

    assert refused(b"code,name\n" + b"".join(b"I%d,x\n" % n for n in range(1000))) == ("items.csv", None, "too_large")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"PK\x05\x06" + b"\x00" * 17])
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(FileRefused):
        tables_in_zip(io.BytesIO(content))


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileRefused) as refusal:
            tables_in_folder(folder)
        assert refusal.value.code == "not_found"
