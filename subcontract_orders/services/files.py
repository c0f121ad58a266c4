"""The files a vendor was given with an order: drawings, models, tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from django.core.files.base import File
from django.core.files.storage import default_storage

from core.refusals import NotFound
from subcontract_orders.models import OrderLine, SubcontractOrder


class ToldFile(NamedTuple):
    name: str
    sha256: str
    size: int
    path: str

    def open(self) -> File[Any]:
        """Its content. Raises NotFound where the storage has lost it."""
        try:
            return default_storage.open(self.path)
        except FileNotFoundError:
            raise NotFound(f"The content of {self.name} is not in the storage any more.", field="file") from None


def files_of(order: SubcontractOrder) -> list[ToldFile]:
    """The files of an order's active lines, each content once."""
    return told_files(OrderLine.objects.active().filter(order=order).order_by("line_no").values("specification_files"))


def told_files(lines: Iterable[Mapping[str, Any]]) -> list[ToldFile]:
    """The files of lines, each content once; of an order's rows, or of what a revision holds."""
    found = {
        file["sha256"]: ToldFile(file["name"], file["sha256"], file["size"], file["path"])
        for line in lines
        for file in line.get("specification_files") or ()
    }
    return list(found.values())


def named_file(files: Iterable[ToldFile], sha256: str) -> ToldFile:
    """One of these by its content. Raises NotFound."""
    found = next((file for file in files if file.sha256 == sha256), None)
    if found is None:
        raise NotFound("No such file goes with this order.", field="file")
    return found


def content_type(name: str) -> str:
    """What a browser is told of it: shown in place where it can do no harm, else only to be kept."""
    return {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}.get(
        PurePath(name).suffix.lower(), "application/octet-stream"
    )
