"""Files that go with a specification: kept by their content, so that what a line was sent with stays whatever comes later."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import PurePath
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.text import get_valid_filename

from core.refusals import InvalidInput, NotFound, WrongState
from masterdata.models import Specification, SpecificationFile
from masterdata.services.changes import note_plan_change

MOST_BYTES = 20 * 1024 * 1024
MOST_FILES = 20
KINDS = frozenset({
    ".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dxf", ".dwg", ".step", ".stp", ".iges", ".igs", ".stl", ".csv", ".txt",
    ".xlsx", ".docx", ".zip",
})  # fmt: skip
"""Drawings, models and tables; nothing that a browser would run."""


class TooManyFiles(WrongState):
    """A specification has as many files as it may."""

    code = "too_many_files"


@transaction.atomic
def attach_file(*, specification_id: int, name: str, content: BinaryIO, at: datetime) -> SpecificationFile:
    """Put a file with a specification, in the place of one of the same name. Lines sent before keep the one they had.

    Raises NotFound, TooManyFiles, InvalidInput (without content, above 20 MB, or not of a kind that drawings come in).
    """
    specification = Specification.objects.select_for_update().filter(pk=specification_id).first()
    if specification is None:
        raise NotFound("There is no such specification.", field="specification")
    name = get_valid_filename(PurePath(name.replace("\\", "/")).name or "file")[-100:]
    ending = PurePath(name).suffix.lower()
    if ending not in KINDS:
        raise InvalidInput(f"{name} is none of {', '.join(sorted(KINDS))}.", field="file")
    data = content.read(MOST_BYTES + 1)
    if not data:
        raise InvalidInput(f"{name} is empty.", field="file")
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"{name} is above {MOST_BYTES // 1024 // 1024} MB.", field="file")
    others = SpecificationFile.objects.filter(specification=specification).exclude(name=name)
    if others.count() >= MOST_FILES:
        raise TooManyFiles(f"A specification has at most {MOST_FILES} files; take one away first.", field="file")
    digest = hashlib.sha256(data).hexdigest()
    path = f"specifications/{digest[:2]}/{digest}{ending}"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(data))
    found, _ = SpecificationFile.objects.update_or_create(
        specification=specification,
        name=name,
        defaults={"path": path, "sha256": digest, "size": len(data), "added_at": at},
    )
    note_plan_change(at=at, reason=f"{name} goes with {specification}")
    return found


@transaction.atomic
def remove_file(*, specification_id: int, name: str, at: datetime) -> None:
    """Take a file off a specification. Its content stays for the lines that were sent with it. Raises NotFound."""
    gone, _ = SpecificationFile.objects.filter(specification=specification_id, name=name).delete()
    if not gone:
        raise NotFound(f"The specification has no file {name}.", field="file")
    note_plan_change(at=at, reason=f"{name} does not go with a specification any more")
