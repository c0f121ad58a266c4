"""`manage.py check_reports`: does every figure equal the rows it is made of? Exit status 1 where one does not."""

import json as jsonlib
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from reports import services


class Command(BaseCommand):
    help = "Compare all measurements with their rows and all sums with the measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        checked, differences = services.prove(at=timezone.now())
        for one in differences:
            self.stdout.write(f"{one.check}: {one.about} is {one.stored} and should be {one.should_be}")
        self.stdout.write(f"{checked:,} rows checked, {len(differences):,} differences.")
        if json:
            self.stdout.write(
                jsonlib.dumps({"checked": checked, "differences": [one.as_data() for one in differences]})
            )
        if differences:
            sys.exit(1)
