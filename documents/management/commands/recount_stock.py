"""`manage.py recount_stock`: count balances, cost pools, components' counters and what is expected anew from their rows."""

import json as jsonlib
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser

from documents.services import recount


class Command(BaseCommand):
    help = "Set stored sums of stock to what the movements and flows add up to, and name every difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what differs; exit status 1 where it does")
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, dry_run: bool, json: bool, **options: Any) -> None:
        differences = recount(dry_run=dry_run)
        for one in differences:
            self.stdout.write(f"{one.check}: {one.about} was {one.stored}, counted {one.should_be}")
        self.stdout.write(f"{len(differences):,} {'differ' if dry_run else 'put right'}.")
        if json:
            data = {"differences": [one.as_data() for one in differences], "written": bool(differences) and not dry_run}
            self.stdout.write(jsonlib.dumps(data))
        if dry_run and differences:
            sys.exit(1)
