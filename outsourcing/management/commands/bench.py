"""`manage.py bench NAME [--json]`: how fast it is, in a database of its own that is dropped afterwards."""

import inspect
import json as jsonlib
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection

from outsourcing import benches

DATABASE = "bench_outwork"
MODULES = {module.name.rstrip("_"): module.name for module in iter_modules(benches.__path__)}  # import_ is "import"
NAMES = sorted(MODULES)


def parameters(name: str) -> list[str]:
    """What a bench can be told: the numbers its function takes."""
    bench = import_module(f"outsourcing.benches.{MODULES[name]}").bench
    return [parameter for parameter in inspect.signature(bench).parameters if parameter != "write"]


class Command(BaseCommand):
    help = "Measure one thing, beside the limit where there is one. Writes to a database of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=NAMES)
        parser.add_argument(
            "options", nargs="*", metavar="option=number", help="such as clients=4, where the bench has it"
        )
        for option in sorted({one for name in NAMES for one in parameters(name)}):
            of = ", ".join(name for name in NAMES if option in parameters(name))
            parser.add_argument(
                f"--{option.replace('_', '-')}", type=int, dest=option, metavar="NUMBER", help=f"of {of}"
            )
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(
        self, *args: Any, name: str, options: list[str] | None = None, json: bool = False, **others: Any
    ) -> None:
        known = parameters(name)
        given = {option: value for option, value in others.items() if option in known and value is not None}
        for option in options or []:
            key, _, value = option.partition("=")
            if not value.isdigit():
                raise CommandError(f"{option} is not of the form option=number")
            given[key] = int(value)
        if missing := sorted(given.keys() - set(known)):
            raise CommandError(f"The bench {name} knows no {missing[0]}; it knows {', '.join(known)}.")
        connection.settings_dict["TEST"]["NAME"] = DATABASE
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            figures = import_module(f"outsourcing.benches.{MODULES[name]}").bench(write=self.stdout.write, **given)
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)
        for key, value in figures.items():
            self.stdout.write(f"  {key.replace('_', ' '):<28} {value:>12,}")
        if json:
            self.stdout.write(jsonlib.dumps(figures))
