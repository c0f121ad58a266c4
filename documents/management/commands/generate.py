"""`manage.py generate [--dry-run] [--json]`: the main job, here and now."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from documents import services
from documents.models import RunState
from masterdata import services as masterdata


class Command(BaseCommand):
    help = "Decide every open operation and make, change or withdraw the document sets; ends when all is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="decide and count, then take it all back")
        parser.add_argument("--whole", action="store_true", help="look at everything, also where nothing has changed")
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        begin, now = time.monotonic(), timezone.now()
        run = services.start_run(
            at=now,
            on=masterdata.company_date(at=now),
            dry_run=options["dry_run"],
            is_whole=options["whole"],
            reason="manage.py generate",
        )
        run = services.run_to_end(run_id=run.pk, at=now)
        if run.state == RunState.FAILED:
            raise CommandError(f"{run} failed: {run.error}")
        if run.state == RunState.HELD:
            raise CommandError(f"{run} waits for a person to confirm it. {run.held_because}")
        found = services.summary(run) | {"seconds": round(time.monotonic() - begin, 3)}
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        would = "would be " if run.is_dry else ""
        self.stdout.write(
            f"{run}: {found['operations']} operations looked at: {found['in_house']} inside, {found['outsource']} outside, "
            f"{found['review']} for a person to say, {found['blocked']} blocked."
        )
        for code, count in sorted(run.blocked_by.items(), key=lambda pair: -pair[1]):
            self.stdout.write(f"  blocked by {code}: {count}")
        self.stdout.write(
            f"Order lines: {found['created']} {would}made, {found['changed']} {would}changed, {found['cancelled']} "
            f"{would}withdrawn. Now active: {found['orders']} orders, {found['lines']} lines, {found['shipments']} shipments. "
            f"{found['seconds']} s."
        )
