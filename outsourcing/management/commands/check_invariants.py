"""`manage.py check_invariants`: does every stored sum equal its rows? Exit status 1 where one does not."""

import json as jsonlib
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from accounting.services import prove_journal
from documents.services import check_invariants
from invoices.services import check_invoices
from reports.services import prove as prove_reports


class Command(BaseCommand):
    help = (
        "Compare balances, values, counters, totals, invoices, the journal, the figures of reports and what is expected "
        "with the rows they are the sums of."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        now = timezone.now()
        found = check_invariants()
        for checked, differences in (check_invoices(), prove_journal(at=now), prove_reports(at=now)):
            found.checked += checked
            found.differences += differences
        for one in found.differences:
            self.stdout.write(f"{one.check}: {one.about} is {one.stored} and should be {one.should_be}")
        self.stdout.write(f"{found.checked:,} rows checked, {len(found.differences):,} differences.")
        if json:
            self.stdout.write(jsonlib.dumps(found.as_data()))
        if found.differences:
            sys.exit(1)
