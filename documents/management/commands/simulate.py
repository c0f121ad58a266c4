"""`manage.py simulate [POLICY …]`: what the plan would come to, beside what it comes to now. Nothing is written."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.refusals import Refusal
from documents import services
from documents.services import Simulation
from masterdata import services as masterdata
from policies.services import Change, SupposedDowntime, SupposedPolicy, SupposedPrice, terms_that_stand

SHOWN = 20


class Command(BaseCommand):
    help = "Decide the plan with policies, prices, downtimes or lost vendors supposed, and compare. Nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("policies", nargs="*", metavar="POLICY", help="policies taken as in force")
        parser.add_argument("--leave-out", action="append", default=[], metavar="POLICY", help="not in force")
        parser.add_argument("--down", action="append", default=[], metavar="WC:START:END", help="a work center down")
        parser.add_argument("--without-vendor", action="append", default=[], metavar="V", help="a vendor lost")
        parser.add_argument(
            "--price",
            action="append",
            default=[],
            metavar="V:PROCESS:ITEM:PRICE",
            help="a price, with the charges and days of the one that stands; the item may be blank",
        )
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        change = Change(
            policies=(
                *(SupposedPolicy(code) for code in options["policies"]),
                *(SupposedPolicy(code, in_force=False) for code in options["leave_out"]),
            ),
            downtimes=tuple(_downtime(text) for text in options["down"]),
            lost_vendors=frozenset(options["without_vendor"]),
            prices=tuple(_price(text) for text in options["price"]),
        )
        if not change:
            raise CommandError(
                "Say what should be supposed: a POLICY, --leave-out, --down, --without-vendor or --price."
            )
        try:
            found = services.simulate(change=change, on=masterdata.company_date(at=timezone.now()), at=timezone.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(services.simulation_dict(found)))
        else:
            self.tell(found)

    def tell(self, found: Simulation) -> None:
        before, after = services.simulation_dict(found)["before"], services.simulation_dict(found)["after"]
        self.stdout.write(f"{'':18}{'as it stands':>16}{'as it would be':>16}")
        for name in before:
            self.stdout.write(f"{name.replace('_', ' '):18}{before[name]:>16}{after[name]:>16}")
        self.stdout.write(f"Money in {found.currency}. {found.changed_total} operations flip. {found.seconds} s.")
        for one in found.changed[:SHOWN]:
            self.stdout.write(
                f"  {one.production_order} {one.operation}: {_side(one.before)} -> {_side(one.after)}. "
                f"{one.after.reasons[-1]['detail'] if one.after.reasons else ''}"
            )


def _side(side: Any) -> str:
    return f"{side.verdict} {', '.join(side.vendors)}".strip()


def _downtime(text: str) -> SupposedDowntime:
    try:
        work_center, first, last = text.rsplit(":", 2)
        return SupposedDowntime(work_center, date.fromisoformat(first), date.fromisoformat(last), "supposed")
    except ValueError as problem:
        raise CommandError(f"--down takes WC:START:END with dates as 2026-03-31, not {text}.") from problem


def _price(text: str) -> SupposedPrice:
    try:
        vendor, process, item, price = text.split(":")
        terms = terms_that_stand(
            vendor=vendor, process=process, item=item, on=masterdata.company_date(at=timezone.now())
        )
        return SupposedPrice(vendor, Decimal(price), item=item, process=process, **terms)
    except (ValueError, InvalidOperation) as problem:
        raise CommandError(f"--price takes VENDOR:PROCESS:ITEM:PRICE (the item may be blank), not {text}.") from problem
