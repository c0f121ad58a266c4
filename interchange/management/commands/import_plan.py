"""Read a folder of CSV files in the import format."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.refusals import Refusal, Refusals
from interchange import services


class Command(BaseCommand):
    help = "Read a folder (or a zip) of CSV files in the import format: all of it or, where a row is bad, nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder of CSV files, or a zip of them")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        path, began = options["path"], time.monotonic()
        try:
            if path.suffix == ".zip" and path.is_file():
                with path.open("rb") as file:
                    report = self.read(services.tables_in_zip(file, path.name), options)
            else:
                report = self.read(services.tables_in_folder(path), options)
        except Refusal as refusal:
            errors = refusal.as_errors() if isinstance(refusal, Refusals) else [refusal.as_error()]
            if options["json"]:
                self.stdout.write(json.dumps({"code": refusal.code, "detail": refusal.detail, "errors": errors}))
                raise SystemExit(1) from None
            for error in errors[:50]:
                place = ", ".join(f"{name} {error[name]}" for name in ("file", "row", "column") if error.get(name))
                self.stderr.write(f"{place}: {error['detail']} [{error['code']}]")
            raise CommandError(f"Nothing was read: {len(errors)} bad rows.") from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_data() | {"seconds": round(time.monotonic() - began, 2)}))
            return
        for table, count in report.counts.items():
            self.stdout.write(
                f"{table:22} {count['created']:8} new {count['changed']:8} changed {count['unchanged']:8} as before"
            )
        for note in report.notes:
            self.stdout.write(note)

    def read(self, tables: Any, options: dict[str, Any]) -> services.ImportReport:
        return services.import_tables(
            tables=tables, at=timezone.now(), by=None, dry_run=options["dry_run"], origin=options["path"].name
        )
