"""The OASIS UBL 2.1 schemas; see PROVENANCE.md."""

from __future__ import annotations

import tempfile
import zipfile
from functools import cache
from pathlib import Path

from lxml import etree


@cache
def schema(document: str) -> etree.XMLSchema:
    """The schema of a document such as Invoice."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(Path(__file__).parent / "UBL-2.1-xsd.zip").extractall(folder)
        return etree.XMLSchema(etree.parse(Path(folder) / "maindoc" / f"UBL-{document}-2.1.xsd"))


def errors(content: bytes, document: str) -> list[str]:
    """What the schema finds wrong with a document."""
    found = schema(document)
    found.validate(etree.fromstring(content))
    return [f"{error.line}: {error.message}" for error in found.error_log]
