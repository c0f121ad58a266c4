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
        parser.add_argument(
            "--profile",
            choices=services.profile_names(),
            help="the files are another system's export, read through this",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument(
            "--snapshot", action="store_true", help="the plan is whole: withdraw orders it does not hold"
        )
        parser.add_argument("--source", action="append", default=[], help="snapshot of this source only")
        parser.add_argument("--site", action="append", default=[], help="snapshot of this site only")
        parser.add_argument("--status", action="append", default=[], help="snapshot of orders in this status (planned)")
        parser.add_argument("--confirm", action="store_true", help="also where more than a fifth would be withdrawn")
        parser.add_argument("--skip-orders", action="store_true", help="leave out orders with bad rows, read the rest")
        parser.add_argument(
            "--rejects", type=Path, help="a folder for the rows left out, to be put right and read again"
        )
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
        if options["rejects"] and report.rejects:
            options["rejects"].mkdir(parents=True, exist_ok=True)
            for table, rows in report.rejects.items():
                (options["rejects"] / f"{table}.csv").write_text(services.rows_as_csv(rows), encoding="utf-8")
        if options["json"]:
            self.stdout.write(
                json.dumps(report.as_data() | {"seconds": round(time.monotonic() - began, 2)}, default=str)
            )
            return
        for table, count in report.counts.items():
            self.stdout.write(
                f"{table:22} {count['created']:8} new {count['changed']:8} changed {count['unchanged']:8} as before"
                + (f" {count['withdrawn']:8} withdrawn" if "withdrawn" in count else "")
            )
            if report.dry_run:
                for kind, names in report.first.get(table, {}).items():
                    self.stdout.write(f"{'':22} {kind}: {', '.join(names)}")
                for key, columns in report.changes.get(table, {}).items():
                    said = ", ".join(f"{name} {was or '–'} → {now or '–'}" for name, was, now in columns)
                    self.stdout.write(f"{'':22} {key}: {said}")
        if report.rejected:
            self.stdout.write(f"{report.rejected} rows of orders with errors were left out.")
        for warning in report.warnings:
            self.stderr.write(self.style.WARNING(f"Warning: {warning}"))
        for note in report.notes:
            self.stdout.write(note)

    def read(self, tables: Any, options: dict[str, Any]) -> services.ImportReport:
        if options["profile"]:
            tables = services.through_profile(services.load_profile(options["profile"]), tables)
        return services.import_tables(
            tables=tables,
            at=timezone.now(),
            by=None,
            dry_run=options["dry_run"],
            origin=options["path"].name,
            snapshot=self.snapshot(options),
            skip_orders=options["skip_orders"],
        )

    def snapshot(self, options: dict[str, Any]) -> services.Snapshot | None:
        if not options["snapshot"]:
            return None
        narrowed = {"statuses": options["status"]} if options["status"] else {}
        return services.Snapshot(
            sources=options["source"], sites=options["site"], confirm=options["confirm"], **narrowed
        )
