"""Figures as charts: what the script on the page is given to draw. The same numbers stand in a table beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from reports.rules.figures import Figure, Reading
from reports.rules.periods import steps
from reports.services import Answer

BARS = (Reading.SUM,)


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures of one unit over time. `data` is what is drawn; `rows` says the same in words."""

    title: str
    unit: str
    data: dict[str, Any]
    rows: list[tuple[str, list[str]]]

    @property
    def json(self) -> str:
        return json.dumps(self.data)

    @property
    def names(self) -> list[str]:
        return [series["name"] for series in self.data["series"]]


def charts_of(answer: Answer, *, time: str, currency: str = "") -> list[Chart]:
    """One chart for each unit of a report's figures, over the weeks or months of its period."""
    by_unit: dict[str, list[Figure]] = defaultdict(list)
    for figure in answer.figures:
        by_unit[figure.unit].append(figure)
    days = steps(answer.question.first, answer.question.last, time)
    found = {line.keys[time]: line for line in answer.lines}
    begun = next((index for index, day in enumerate(days) if day in found), 0)
    days = days[max(begun - 1, 0) :]  # what lies before the first measurement says nothing
    charts = []
    for unit, figures in by_unit.items():
        word = currency if unit == "money" else unit
        series, columns = [], []
        for figure in figures:
            values = [found[day][figure.name].value if day in found else None for day in days]
            series.append({
                "name": str(figure.title), "type": "bar" if figure.reading in BARS else "line",
                "area": figure.reading == Reading.STANDING,
                "values": [None if value is None else float(value) for value in values],
            })  # fmt: skip
            columns.append(["–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".") for value in values])
        if any(any(value is not None for value in one["values"]) for one in series):
            labels = [_label(day, time) for day in days]
            rows = [(label, [column[index] for column in columns]) for index, label in enumerate(labels)]
            title = " · ".join(str(figure.title) for figure in figures)
            charts.append(Chart(title, word, {"labels": labels, "unit": word, "series": series}, rows))
    return charts


def _label(day: date, time: str) -> str:
    return date_format(day, "M Y") if time == "month" else f"{date_format(day, 'j')} {date_format(day, 'M')}"


def week_of(day: date) -> str:
    """The calendar week a day is in, as plans name it: W48."""
    return _("W{week}").format(week=day.isocalendar().week)
