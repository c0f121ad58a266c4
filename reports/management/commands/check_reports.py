"""`manage.py check_reports`: does every figure equal the rows it is made of? Exit status 1 where one does not."""

import json as jsonlib
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from reports import services


class Command(BaseCommand):
    help = "Compare all measurements with their rows and all sums with the measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        outermost = not connection.in_atomic_block
        with transaction.atomic():
            if outermost:
                # One snapshot: what others write meanwhile is neither measured nor compared.
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            while services.keep_up(at=timezone.now(), thorough=True).as_of is None:
                pass
            checked, differences = services.check()
        for one in differences:
            self.stdout.write(f"{one.check}: {one.about} is {one.stored} and should be {one.should_be}")
        self.stdout.write(f"{checked:,} rows checked, {len(differences):,} differences.")
        if json:
            self.stdout.write(
                jsonlib.dumps({"checked": checked, "differences": [one.as_data() for one in differences]})
            )
        if differences:
            sys.exit(1)
