"""A small plan for the journeys, as the files a planner would choose: one housing, anodised outside, of a raw part of ours."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from documents import services as documents
from documents.models import GenerationRun
from interchange import services as interchange

Rows = list[dict[str, Any]]
VENDOR, OTHER_VENDOR = "V1", "V2"


def tables(*, pieces: int = 100) -> dict[str, Rows]:
    due = (today() + timedelta(25)).isoformat()
    return {
        "company": [{"name": "Alpine Cycles", "currency": "EUR", "time_zone": "UTC"}],
        "units": [{"code": "pcs", "name": "Pieces", "decimals": 0}],
        "sites": [{"code": "MAIN", "name": "Main plant"}],
        "locations": [
            {"code": "MAIN", "name": "Main store", "kind": "plant", "site": "MAIN", "vendor": ""},
            {"code": "AT-V1", "name": "", "kind": "vendor", "site": "", "vendor": VENDOR},
            {"code": "AT-V2", "name": "", "kind": "vendor", "site": "", "vendor": OTHER_VENDOR},
        ],
        "items": [
            {"code": "HOUSING", "name": "Pump housing", "unit": "pcs", "kind": "finished", "standard_cost": "20"},
            {"code": "RAW", "name": "Housing, machined", "unit": "pcs", "kind": "raw", "standard_cost": "12"},
        ],
        "vendors": [
            {"code": VENDOR, "name": "Alpen Eloxal", "currency": "EUR", "email": "orders@alpen-eloxal.example", "active": "yes"},
            {"code": OTHER_VENDOR, "name": "Nordic Coatings", "currency": "EUR", "email": "", "active": "yes"},
        ],
        "work_centers": [
            {"code": "ANODISING", "kind": "internal", "capacity_hours_per_day": "8", "hourly_cost": "60"},
        ],
        "routings": [
            {"item": "HOUSING", "operation_no": "10", "name": "Anodise", "work_center": "ANODISING",
             "run_minutes_per_unit": "6", "outsourced": "maybe"},
        ],
        "boms": [{"parent": "HOUSING", "component": "RAW", "quantity": "1", "operation_no": "10", "supply": "own"}],
        "prices": [
            {"vendor": vendor, "item": "HOUSING", "operation_name": "Anodise", "currency": "EUR", "unit_price": price,
             "lead_days": "5", "valid_from": (today() - timedelta(60)).isoformat()}
            for vendor, price in ((VENDOR, "7.40"), (OTHER_VENDOR, "6.90"))
        ],
        "policies": [
            {"code": "ANODISE", "name": "Anodising goes to Alpen Eloxal", "process": "Anodise", "verdict": "outsource",
             "vendors": VENDOR, "status": "active"},
        ],
        "stock": [{"item": "RAW", "location": "MAIN", "quantity": "500", "cost": "12"}],
        "production_orders": [{"number": "WO-1", "item": "HOUSING", "quantity": str(pieces), "due": due, "status": "firm"}],
    }  # fmt: skip


def as_zip(to: Path, content: dict[str, Rows]) -> Path:
    """The files as a planner has them: one zip of CSV."""
    with zipfile.ZipFile(to, "w") as packed:
        for name, rows in content.items():
            sheet = io.StringIO()
            writer = csv.DictWriter(sheet, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            packed.writestr(f"{name}.csv", sheet.getvalue())
    return to


def load(content: dict[str, Rows]) -> None:
    interchange.import_tables(tables=content, at=now(), by=None)


def generate() -> GenerationRun:
    """Run the main job to its end, as a worker would."""
    run = documents.start_run(at=now(), on=today())
    return documents.run_to_end(run_id=run.pk, at=now())


def now() -> datetime:
    return timezone.now()


def today() -> date:
    return timezone.localdate()
