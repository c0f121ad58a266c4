"""`manage.py demo`: a plan to look at, users to look with, and everything the main job makes of it."""

import json
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.refusals import Refusal
from outsourcing import demo


class Command(BaseCommand):
    help = "Load a demo plan moved to today, make the demo users, run the main job. A second time changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", default=demo.DEFAULT, help=f"{', '.join(demo.names())}, or a folder")
        parser.add_argument(
            "--month", action="store_true", help="begin a month ago and live it: orders sent, goods out and in"
        )
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, data: str, month: bool, json: bool, **options: Any) -> None:
        try:
            made = demo.make_demo(data=data, at=timezone.now(), on=timezone.localdate(), month=month)
        except (Refusal, demo.RunFailed) as problem:
            raise CommandError(getattr(problem, "detail", str(problem))) from problem
        self.tell(made)
        if json:
            self.stdout.write(as_line(made))

    def tell(self, made: demo.Made) -> None:
        figures, write = made.figures, self.stdout.write
        if made.loaded:
            write(f"Plan {made.data} loaded, moved by {made.moved_days} days.")
        else:
            write(f"Plan {made.data} is here already (moved by {made.moved_days} days) and stays as it is.")
        for note in made.notes:
            write(f"  note: {note}")
        write(f"{made.run} looked at {figures['operations']:,} operations:")
        write(f"  {figures['in_house']:>7,} stay inside")
        write(f"  {figures['outsource']:>7,} go outside")
        write(f"  {figures['review']:>7,} wait for a person to say")
        blocked = ", ".join(f"{code.replace('_', ' ')} {count}" for code, count in sorted(made.blocked_by.items()))
        write(f"  {figures['blocked']:>7,} should go outside and cannot{f': {blocked}' if blocked else ''}")
        write(
            f"It made {figures['created']:,} order lines, changed {figures['changed']:,}, withdrew {figures['cancelled']:,}."
            f" Now: {figures['orders']:,} orders with {figures['lines']:,} lines worth {made.value:,.2f} {made.currency},"
            f" {figures['shipments']:,} planned shipments."
        )
        if made.lived:
            write("Since then: " + ", ".join(f"{number:,} {word}" for word, number in made.lived.items()) + ".")
        write(f"All of it in {made.seconds:.1f} seconds.")
        write(f"Sign in as {', '.join(user.username for user in demo.USERS)}; the password of all is {demo.PASSWORD}.")


def as_line(made: demo.Made) -> str:
    return json.dumps(made.as_data())
