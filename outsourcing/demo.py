"""The demo: a real plan moved to today, policies of ours for its outside operations, a user for each role, one run.

What comes with Outwork lies in `demo_data/NAME/` (the plan, with its licence and where it comes from) and in
`demo_data/policies/NAME.json` (what we made up around it).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from accounts import services as accounts
from accounts.models import Role, User
from core.refusals import Refusal
from documents import services as documents
from documents.models import GenerationRun, RunState
from interchange import services as interchange
from masterdata import services as masterdata
from masterdata.models import Site
from outsourcing import demo_month
from production.models import OPEN_STATUSES, ProductionOrder
from subcontract_orders.models import SubcontractOrder

FOLDER = Path(__file__).parent / "demo_data"
DEFAULT = "adventureworks"
PASSWORD = "outwork"  # noqa: S105  (the demo's, printed on purpose)
DAYS_AHEAD = 21  # for a plan that does not say better

Tables = dict[str, list[dict[str, Any]]]

# Columns that hold days. What is loaded moves as a whole, so that prices, approvals and orders keep their distances.
DAYS = {
    "production_orders": ("start", "due"),
    "operations": ("start", "end"),
    "prices": ("valid_from", "valid_to"),
    "vendor_approvals": ("valid_to",),
    "policies": ("valid_from", "valid_to", "season_from", "season_to", "transition_from"),
    "downtimes": ("start", "end"),
    "calendars": ("date", "start", "end"),
    "exchange_rates": ("valid_from",),
    "stock": ("as_of",),
    "open_orders": ("ordered_on", "need_date", "due", "promised_date"),
}
# Rows of ours that change a row of the plan name it by this column; rows of other tables are added.
KEYS = {
    "items": ("code",), "vendors": ("code",), "work_centers": ("code",), "production_orders": ("number",),
    "boms": ("parent", "component", "operation_no"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoUser:
    username: str
    name: str
    role: Role
    limit: Decimal | None = None
    at_one_site: bool = False


USERS = (
    DemoUser("planner", "Paula Planner", Role.PLANNER),
    DemoUser("buyer", "Ben Buyer", Role.BUYER, limit=Decimal(5000)),
    DemoUser("headbuyer", "Helen Headbuyer", Role.BUYER),
    DemoUser("dock", "Dirk Dock", Role.DOCK, at_one_site=True),
    DemoUser("quality", "Quentin Quality", Role.QUALITY),
    DemoUser("payables", "Petra Payables", Role.PAYABLES),
    DemoUser("auditor", "Anna Auditor", Role.AUDITOR),
    DemoUser("admin", "Adam Administrator", Role.ADMINISTRATOR),
)


@dataclass(frozen=True, slots=True)
class MainJob:
    """The run that made the document sets: what it looked at, how that came out, what it made and what that is worth by now."""

    run: str
    on: date
    figures: dict[str, Any]
    blocked_by: dict[str, int]
    orders: int
    value: Decimal


@dataclass(slots=True)
class Made:
    """What the demo did: the plan it found or loaded, the run that made the sets, and the figures of the last run."""

    data: str
    loaded: bool
    moved_days: int
    run: str
    figures: dict[str, Any]
    blocked_by: dict[str, int]
    main: MainJob
    value: Decimal
    currency: str
    seconds: float
    notes: list[str] = field(default_factory=list)
    lived: dict[str, int] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """One flat object for `--json`: the run's figures beside what the demo itself did."""
        data = asdict(self)
        figures, main = data.pop("figures"), data.pop("main")
        return {
            **figures,
            **data,
            "main": {**main.pop("figures"), **main, "on": main["on"].isoformat(), "value": str(self.main.value)},
            "value": str(self.value),
            "seconds": round(self.seconds, 2),
            "users": [user.username for user in USERS],
        }


def make_demo(*, data: str = "", at: datetime, on: date, month: bool = False) -> Made:
    """Load a plan (one of ours by name, or a folder), make the demo's users, run the main job to its end.

    With `month` a plan that is not here yet begins a month ago, and the days since then are lived through: orders sent, goods
    out and in. It ends with a second run, as things stand today. All of it is there at once, or nothing.

    A plan of ours that is here already stays as it is, whatever was changed in it since; a folder is loaded again, moved by
    as many days as the first time. Without `data` it is the default plan where there is none, else the one that is here.
    Raises AnotherPlan, ImportRefused, FileRefused, RunFailed.
    """
    began = time.monotonic()
    asked, data = data, data or DEFAULT
    plan = read_plan(data)
    known = known_move(plan)
    is_other = known is None and ProductionOrder.objects.exists()
    if is_other and asked:
        raise AnotherPlan(
            f"Another plan is here already, and {data} would mix with it. Give it a place of its own: "
            f"OUTWORK_HOME=var/{Path(data).name} ./dev run --data {data}"
        )
    loaded = not is_other and (known is None or not is_ours(data))
    lives = month and loaded and known is None
    back = timedelta(days=demo_month.DAYS if lives else 0)
    days = move_to_today(plan, on=on - back, ahead=days_ahead(data)) if known is None else known
    notes: list[str] = []
    if is_other:
        data, days = "", 0
    # Workers see a month that is lived through when it is whole: they would decide the plan of a month ago as of today.
    with transaction.atomic() if lives else nullcontext():
        if loaded:
            report = interchange.import_tables(
                tables=moved(plan, days=days), at=at - back, by=None, origin=f"demo {data}"
            )
            # What the importer says about ours is known.
            notes = [] if is_ours(data) else [*report.warnings, *report.notes]
        make_users()
        run = run_now(at=at - back, on=on - back)
        main = main_job(run)
        lived = None
        if lives:
            lived = demo_month.live(until=at)
            run = run_now(at=at, on=on)
    if run.state == RunState.HELD:
        notes = [*notes, f"{run} waits for a person. {run.held_because}"]
    value = SubcontractOrder.objects.open().aggregate(value=Sum("total_company"))["value"] or Decimal(0)
    return Made(
        data=data,
        loaded=loaded,
        moved_days=days,
        run=run.number,
        figures=documents.summary(run),
        blocked_by=dict(run.blocked_by),
        main=main,
        value=value,
        currency=masterdata.company().currency.code,
        seconds=time.monotonic() - began,
        notes=notes,
        lived=dict(lived.done) if lived else {},
    )


def main_job(run: GenerationRun) -> MainJob:
    """The run that made the sets there are: the first that made any, or this one where none did."""
    made = GenerationRun.objects.filter(state=RunState.DONE, is_dry=False, created__gt=0).order_by("pk").first() or run
    orders = SubcontractOrder.objects.filter(made_by_run=made.number)
    found = orders.aggregate(orders=Count("pk"), value=Sum("total_company"))
    return MainJob(
        run=made.number,
        on=made.on,
        figures=documents.summary(made),
        blocked_by=dict(made.blocked_by),
        orders=found["orders"],
        value=found["value"] or Decimal(0),
    )


def run_now(*, at: datetime, on: date) -> GenerationRun:
    """The main job, to its end, or to where it waits for a person. Raises RunFailed."""
    run = documents.start_run(at=at, on=on, by=None, reason="Demo")
    run = documents.run_to_end(run_id=run.pk, at=at)
    if run.state == RunState.FAILED:
        raise RunFailed(run)
    return run  # one that would change much waits for a person; everything else goes on


class AnotherPlan(Refusal):
    """The database holds a plan, and not this one."""

    code = "another_plan"


class RunFailed(Exception):
    """The main job gave up; the run says why."""

    def __init__(self, run: GenerationRun) -> None:
        super().__init__(f"{run} failed: {run.error}")


def is_ours(data: str) -> bool:
    return data in names()


def names() -> list[str]:
    """The plans that come with Outwork."""
    return sorted(path.stem for path in (FOLDER / "policies").glob("*.json"))


def made_up(data: str) -> dict[str, Any]:
    """What we made up around a plan of ours: tables, and beside them words about them and how far off it begins."""
    found: dict[str, Any] = json.loads((FOLDER / "policies" / f"{data}.json").read_text(encoding="utf-8"))
    return found


def days_ahead(data: str) -> int:
    return int(made_up(data).get("first_due_after_days", DAYS_AHEAD)) if is_ours(data) else DAYS_AHEAD


def read_plan(data: str) -> Tables:
    """A plan's tables, with what we made up around it where it is one of ours."""
    folder = FOLDER / data if is_ours(data) else Path(data)
    tables: Tables = {name: [dict(row) for row in rows] for name, rows in interchange.tables_in_folder(folder).items()}
    if is_ours(data):
        with_ours(tables, {name: rows for name, rows in made_up(data).items() if isinstance(rows, list)})
    return tables


def with_ours(tables: Tables, ours: Mapping[str, Iterable[dict[str, Any]]]) -> None:
    """Put our rows beside the plan's; where a row has the key of one of the plan's, its columns replace that row's."""
    for name, rows in ours.items():
        there = tables.setdefault(name, [])
        columns = KEYS.get(name, ())
        by_key = {tuple(row.get(column) for column in columns): row for row in there} if columns else {}
        for row in rows:
            key = tuple(row.get(column) for column in columns)
            if key in by_key:
                by_key[key].update(row)
            else:
                there.append(row)


def move_to_today(plan: Tables, *, on: date, ahead: int) -> int:
    """By how many days a plan is moved: whole weeks, so that every day keeps its weekday.

    The first order still to be made then falls due `ahead` to `ahead` + 6 days from today. How far that is depends on how
    long the plan's work outside takes: so that most of it can still be ordered in time, and some cannot.
    """
    dues = [
        due
        for row in plan.get("production_orders", [])
        if (row.get("status") or "planned") in OPEN_STATUSES and (due := day_of(row.get("due")))
    ]
    return -(((min(dues) - on).days - ahead) // 7) * 7 if dues else 0


def known_move(plan: Tables) -> int | None:
    """By how many days this plan was moved when it was loaded: what most of its orders say. None where it is not here."""
    orders = plan.get("production_orders", [])
    dues = {(row.get("number"), row.get("item")): due for row in orders if (due := day_of(row.get("due")))}
    # Another plan may have the same numbers, of other items.
    found = ProductionOrder.objects.filter(number__in={number for number, _ in dues})
    moves = Counter(
        (due - said).days
        for number, item, due in found.values_list("number", "item__code", "due_date")
        if (said := dues.get((number, item)))
    )
    return moves.most_common(1)[0][0] if moves else None


def day_of(text: Any) -> date | None:
    """The day a cell says. None where it says none: the importer says so better."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def moved(plan: Tables, *, days: int) -> Tables:
    """The plan with every day in it moved."""
    if not days:
        return plan
    by = timedelta(days=days)
    for name, columns in DAYS.items():
        for row in plan.get(name, []):
            for column in columns:
                if day := day_of(row.get(column)):
                    row[column] = f"{day + by}{str(row[column])[10:]}"
    return plan


def make_users() -> None:
    """One user for each role, all with the demo's password. Those that are there keep theirs."""
    site = Site.objects.order_by("pk").first()
    for demo in USERS:
        first, last = demo.name.split()
        user, is_new = User.objects.get_or_create(
            username=demo.username,
            defaults={"first_name": first, "last_name": last, "email": f"{demo.username}@example.com"},
        )
        if is_new:
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
            accounts.give_role(
                user=user,
                role=demo.role,
                site_id=site.pk if site and demo.at_one_site else None,
                approval_limit=demo.limit,
            )
