"""`manage.py rebuild_reports`: forget every figure and measure all rows anew."""

import json as jsonlib
import time
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from reports import services


class Command(BaseCommand):
    help = "Measure all rows anew and add the figures up again. Reports wait meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        begin = time.perf_counter()
        measured = services.rebuild(at=timezone.now())
        seconds = round(time.perf_counter() - begin, 2)
        self.stdout.write(f"{measured:,} measurements taken in {seconds} s.")
        if json:
            self.stdout.write(jsonlib.dumps({"measured": measured, "seconds": seconds}))
