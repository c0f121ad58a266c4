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
        parser.add_argument(
            "--data",
            default="",
            help=f"{', '.join(demo.names())}, or a folder; else {demo.DEFAULT} where there is no plan",
        )
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
        elif not made.data:
            write("A plan is here already and stays as it is.")
        else:
            write(f"Plan {made.data} is here already (moved by {made.moved_days} days) and stays as it is.")
        for note in made.notes:
            write(f"  note: {note}")
        self.tell_main(made.main, made.currency, worth="worth" if made.run == made.main.run else "by now worth")
        if made.lived:
            write("Since then: " + ", ".join(f"{number:,} {word}" for word, number in made.lived.items()) + ".")
        if made.run != made.main.run:
            write(
                f"{made.run}, today: {figures['created']:,} order lines made, {figures['changed']:,} changed, "
                f"{figures['cancelled']:,} withdrawn. Now: {figures['orders']:,} orders with {figures['lines']:,} lines "
                f"worth {made.value:,.2f} {made.currency}, {figures['shipments']:,} shipments."
            )
        write(f"All of it in {made.seconds:.1f} seconds.")
        write(f"Sign in as {', '.join(user.username for user in demo.USERS)}; the password of all is {demo.PASSWORD}.")

    def tell_main(self, main: demo.MainJob, currency: str, *, worth: str) -> None:
        """What the main job made of the plan. What its orders are worth is read today: prices may have moved since."""
        figures, write = main.figures, self.stdout.write
        seconds = f"{figures['seconds']:.1f} seconds"
        write(f"{main.run}, on {main.on}, looked at {figures['operations']:,} operations in {seconds}:")
        write(f"  {figures['in_house']:>7,} stay inside")
        write(f"  {figures['outsource']:>7,} go outside")
        write(f"  {figures['review']:>7,} wait for a person to say")
        blocked = ", ".join(f"{code.replace('_', ' ')} {count}" for code, count in sorted(main.blocked_by.items()))
        write(f"  {figures['blocked']:>7,} should go outside and cannot{f': {blocked}' if blocked else ''}")
        write(
            f"It made {main.orders:,} subcontract orders with {figures['created']:,} lines {worth} {main.value:,.2f} {currency}, "
            f"{figures['shipments']:,} planned shipments and {figures['created']:,} expected receipts."
        )


def as_line(made: demo.Made) -> str:
    return json.dumps(made.as_data())
