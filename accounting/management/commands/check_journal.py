"""`manage.py check_journal`: is every entry zero, and do the stock accounts hold what stock is worth? Exit status 1 where not."""

import json as jsonlib
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from accounting import services


class Command(BaseCommand):
    help = "Bring the journal up to date and compare it with itself and with the stock ledger. Postings wait meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        checked, differences = services.prove_journal(at=timezone.now())
        for one in differences:
            self.stdout.write(f"{one.check}: {one.about} is {one.stored} and should be {one.should_be}")
        self.stdout.write(f"{checked:,} entries checked, {len(differences):,} differences.")
        if json:
            self.stdout.write(
                jsonlib.dumps({"checked": checked, "differences": [one.as_data() for one in differences]})
            )
        if differences:
            sys.exit(1)
