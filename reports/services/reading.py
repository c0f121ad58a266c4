"""Reading figures: a report over a period, grouped and narrowed, and the rows behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Model, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from accounts.models import User
from core.refusals import InvalidInput
from masterdata import services as masterdata
from masterdata.models import Process, Site, Vendor, WorkCenter
from reports.models import Grain, Measurement, Rollup, RollupQuerySet
from reports.rules import periods
from reports.rules.figures import DIMENSIONS, FIGURES, REPORTS, TIMES, Figure, Reading, Report
from reports.rules.periods import Sums

MODELS: Mapping[str, type[Model]] = {"vendor": Vendor, "process": Process, "site": Site, "work_center": WorkCenter}
YEARS = 10
MOST_ROWS = 5_000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a report: days (both included), what it is narrowed to (codes; blank: what has none) and grouped by."""

    first: date
    last: date
    by: tuple[str, ...] = ()
    narrowed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of one group: its value, what it was read from, and how many rows stand behind it."""

    figure: Figure
    value: Decimal | None
    amount: Decimal
    base: Decimal
    rows: int
    percentile_90: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One group: its keys (codes, or first days of weeks and months), the names people know them by, and its figures."""

    keys: Mapping[str, str | date | None]
    names: Mapping[str, str]
    values: Sequence[Value]

    @property
    def code(self) -> str | date | None:
        """The one thing it is grouped by."""
        return next(iter(self.keys.values()), None)

    @property
    def title(self) -> str:
        return next(iter(self.names.values()), "") or str(self.code or "")

    def __getitem__(self, figure: str) -> Value:
        for value in self.values:
            if value.figure.name == figure:
                return value
        raise KeyError(figure)


@dataclass(frozen=True, slots=True)
class Answer:
    report: Report
    question: Question
    figures: Sequence[Figure]
    lines: Sequence[Line]
    total: Line


def report_named(name: str) -> Report | None:
    return REPORTS.get(name)


def ask(
    report: Report,
    *,
    first: date | None,
    last: date | None,
    by: Sequence[str],
    narrowed: Mapping[str, str],
    today: date,
) -> Question:
    """Make a question of what was given; without days, the last twelve months (and three ahead where a report looks ahead).

    Days after today are cut off where nothing can have happened yet. Raises InvalidInput.
    """
    ahead = today + timedelta(days=90) if report.looks_ahead else today
    last = last or ahead
    first = first or min(last, today) - timedelta(days=364)
    if first > last:
        raise InvalidInput("The period ends before it begins.", field="from")
    if last - first > timedelta(days=366 * YEARS):
        raise InvalidInput(f"A report covers {YEARS} years at most.", field="from")
    for name in by:
        if name not in (*DIMENSIONS, *TIMES):
            raise InvalidInput(
                f"A report is grouped by {', '.join((*DIMENSIONS, *TIMES))}, not by '{name}'.", field="by"
            )
    if len(set(by)) != len(by) or len(by) > 3 or len(set(by) & set(TIMES)) > 1:
        raise InvalidInput("Group by up to three different things, one of them a time.", field="by")
    if not report.looks_ahead:
        last = min(last, today)
    return Question(min(first, last), last, tuple(by), dict(narrowed))


def today_of(report: Report, *, site: str, at: datetime) -> date:
    """The last day that has begun: at a site, where it is narrowed to one; else wherever it is latest, so that what has happened
    is in it. Where days are judged that nothing happened on (what is late by now), that of the company.
    """
    days = masterdata.dates_by_site(at=at)
    if site or report.judges_days:
        return days.get(site, days[""])
    return max(days.values())


def answer(report: Report, question: Question, *, viewer: User) -> Answer:
    """The report's figures: one line for each group that has any, and all together. Raises InvalidInput for unknown codes."""
    lines, groups, figures = _lines(report, question, keys_of(question.narrowed), viewer=viewer)
    time = next((name for name in question.by if name in TIMES), None)
    return Answer(report, question, figures, lines, _total(figures, groups, question, time=time))


Groups = dict[tuple[Any, ...], dict[str, Sums]]


def _lines(
    report: Report, question: Question, narrowed: Mapping[str, Any], *, viewer: User
) -> tuple[list[Line], Groups, list[Figure]]:
    figures = [FIGURES[name] for name in report.figures]
    time = next((name for name in question.by if name in TIMES), None)
    groups: Groups = defaultdict(lambda: defaultdict(Sums))
    flows = [figure.name for figure in figures if figure.reading != Reading.STANDING]
    if flows:
        _gather(groups, flows, question, narrowed, viewer=viewer, time=time)
    standing = [figure.name for figure in figures if figure.reading == Reading.STANDING]
    if standing:
        _gather_standing(groups, standing, question, narrowed, viewer=viewer, time=time)
    names = _names(question.by, groups)
    lines = []
    for keys, sums in groups.items():
        found = dict(zip(question.by, keys, strict=True))
        known = {name: names[name][key] for name, key in found.items() if name in MODELS and key is not None}
        codes = {name: known[name][0] if name in known else key for name, key in found.items()}
        titles = {name: title for name, (_, title) in known.items()}
        lines.append(Line(codes, titles, [_value(figure, sums[figure.name]) for figure in figures]))
    lines.sort(key=lambda line: tuple(str(line.keys[name] or "") for name in question.by))
    return lines, groups, figures


def rows_behind(report: Report, question: Question, *, figure: str, viewer: User) -> QuerySet[Measurement]:
    """The measurements a figure is made of, to be shown with the documents they were taken of. Raises InvalidInput."""
    if figure not in report.figures:
        raise InvalidInput(
            f"{report.name} has the figures {', '.join(report.figures)}, not '{figure}'.", field="figure"
        )
    first = date.min if FIGURES[figure].reading == Reading.STANDING else question.first
    found = Measurement.objects.visible_to(viewer).filter(figure=figure, day__range=(first, question.last))
    return found.filter(**keys_of(question.narrowed)).select_related("site", "vendor", "process", "work_center")


def _rollups(figures: Sequence[str], narrowed: Mapping[str, Any], viewer: User) -> RollupQuerySet:
    return Rollup.objects.visible_to(viewer).filter(figure__in=figures, **narrowed)


def _gather(
    groups: dict[tuple[Any, ...], dict[str, Sums]], figures: Sequence[str], question: Question,
    narrowed: Mapping[str, Any], *, viewer: User, time: str | None,
) -> None:  # fmt: skip
    rows = _rollups(figures, narrowed, viewer)
    if time in ("day", "week"):
        rows = rows.filter(grain=Grain.DAY, day__range=(question.first, question.last))
    else:
        parts = periods.parts(question.first, question.last)
        rows = rows.within(months=parts.months, days=parts.days)
    columns = [_column(name) for name in question.by]
    if time:
        rows = rows.annotate(**{f"at_{time}": _step(time)})
    summed = rows.order_by().values_list("figure", "value", *columns).annotate(Sum("count"), Sum("amount"), Sum("base"))
    for name, value, *rest in summed:
        keys, (count, amount, base) = tuple(rest[:-3]), rest[-3:]
        groups[keys][name].add(count, amount, base, value)
    if len(groups) > MOST_ROWS:
        raise InvalidInput(
            f"That is more than {MOST_ROWS} rows; narrow it, shorten the period or group it more coarsely.", field="by"
        )


def _gather_standing(
    groups: dict[tuple[Any, ...], dict[str, Sums]], figures: Sequence[str], question: Question,
    narrowed: Mapping[str, Any], *, viewer: User, time: str | None,
) -> None:  # fmt: skip
    """What stands at the end of each step: all up to it. By the opening of the period, then by what each step adds."""
    others = [_column(name) for name in question.by if name not in TIMES]
    end = question.first - timedelta(days=1) if time else question.last
    parts = periods.parts(date(1970, 1, 1), end)
    rows = _rollups(figures, narrowed, viewer).within(months=parts.months, days=parts.days)
    opening = {
        tuple(row[:-2]): (row[-2], row[-1])
        for row in rows.order_by().values_list("figure", *others).annotate(Sum("count"), Sum("amount"))
    }
    place = next((index for index, name in enumerate(question.by) if name in TIMES), None)
    if time is None or place is None:
        for (name, *keys), (count, amount) in opening.items():
            if amount or not keys:
                groups[tuple(keys)][name].add(count, amount, ZERO, 0)
        return
    added: dict[tuple[Any, ...], dict[date, tuple[Decimal, Decimal]]] = defaultdict(dict)
    moved = _rollups(figures, narrowed, viewer).filter(grain=Grain.DAY, day__range=(question.first, question.last))
    moved = moved.annotate(step=_step(time)).order_by()
    for name, *keys, step, count, amount in moved.values_list("figure", *others, "step").annotate(
        Sum("count"), Sum("amount")
    ):
        added[(name, *keys)][step] = (Decimal(count), amount)
    steps = periods.steps(question.first, question.last, time)
    for group in opening.keys() | added.keys():
        rows_before, start = opening.get(group, (0, ZERO))
        mine = added.get(group, {})
        counts = periods.running(steps, {day: one[0] for day, one in mine.items()}, opening=Decimal(rows_before))
        amounts = periods.running(steps, {day: one[1] for day, one in mine.items()}, opening=start)
        for day, total in amounts.items():
            keys = list(group[1:])
            keys.insert(place, day)
            groups[tuple(keys)][group[0]].add(int(counts[day]), total, ZERO, 0)


def _column(name: str) -> str:
    return f"at_{name}" if name in TIMES else f"{name}_id"


def _step(time: str) -> Any:
    return {"day": F("day"), "week": TruncWeek("day"), "month": TruncMonth("day")}[time]


def _value(figure: Figure, sums: Sums) -> Value:
    is_spread = figure.reading == Reading.MEDIAN
    ninety = periods.percentile(sums.bins or {}, 90) if is_spread else None
    return Value(figure, periods.read(figure.reading, sums), sums.amount, sums.base, sums.count, ninety)


def _total(
    figures: Sequence[Figure], groups: Mapping[tuple[Any, ...], Mapping[str, Sums]], question: Question, *, time: str | None
) -> Line:  # fmt: skip
    place = next((index for index, name in enumerate(question.by) if name in TIMES), None)
    last = max((keys[place] for keys in groups), default=None) if place is not None else None
    values = []
    for figure in figures:
        total = Sums()
        for keys, sums in groups.items():
            if figure.reading == Reading.STANDING and place is not None and keys[place] != last:
                continue  # what stood before stands no more
            if figure.name not in sums:
                continue
            one = sums[figure.name]
            for value, count in (one.bins or {}).items():
                total.add(count, ZERO, ZERO, value)
            total.amount += one.amount
            total.base += one.base
        values.append(_value(figure, total))
    return Line({}, {}, values)


def keys_of(narrowed: Mapping[str, str]) -> dict[str, Any]:
    """Codes as keys of rows. Raises InvalidInput for one that is not there."""
    found: dict[str, Any] = {}
    for dimension, code in narrowed.items():
        if not code:
            found[f"{dimension}__isnull"] = True
            continue
        row = MODELS[dimension].objects.filter(code=code).values_list("pk", flat=True).first()  # type: ignore[attr-defined]
        if row is None:
            raise InvalidInput(f"There is no {dimension.replace('_', ' ')} {code}.", field=dimension)
        found[f"{dimension}_id"] = row
    return found


def _names(by: Sequence[str], groups: Mapping[tuple[Any, ...], Any]) -> dict[str, dict[Any, tuple[str, str]]]:
    """Code and name of everything that is grouped by, in one query for each dimension."""
    found: dict[str, dict[Any, tuple[str, str]]] = {}
    for index, name in enumerate(by):
        if name in MODELS:
            wanted = {keys[index] for keys in groups} - {None}
            rows = MODELS[name].objects.filter(pk__in=wanted).values_list("pk", "code", "name")  # type: ignore[attr-defined]
            found[name] = {pk: (code, title or code) for pk, code, title in rows}
    return found


def vendor_scores(vendor_ids: Collection[int], *, today: date, viewer: User) -> dict[int, Line]:
    """The scores of some vendors over the last twelve months, by their keys: shown wherever vendors are compared."""
    if not vendor_ids:
        return {}
    report = REPORTS["vendor-scores"]
    question = ask(report, first=None, last=None, by=("vendor",), narrowed={}, today=today)
    codes = dict(Vendor.objects.filter(pk__in=vendor_ids).values_list("code", "pk"))
    lines = _lines(report, question, {"vendor_id__in": list(vendor_ids)}, viewer=viewer)[0]
    return {codes[str(line.keys["vendor"])]: line for line in lines}
