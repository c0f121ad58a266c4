"""What the API says of figures, and what it is asked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from rest_framework import serializers

from core.requests import RowSerializer
from reports.models import Measurement
from reports.rules.figures import DIMENSIONS, TIMES, Figure, Reading, Report
from reports.services import Answer, Line, Lying

MONEY = {"max_digits": 24, "decimal_places": 5, "read_only": True}


class FigureSerializer(serializers.Serializer[Figure]):
    """A figure and what it means."""

    figure = serializers.CharField(source="name", read_only=True)
    title = serializers.CharField(read_only=True)
    unit = serializers.CharField(read_only=True)
    reading = serializers.ChoiceField([reading.value for reading in Reading], read_only=True)
    amount = serializers.CharField(read_only=True, help_text="What `amount` adds up.")
    base = serializers.CharField(
        read_only=True, help_text="What `of` adds up; blank where there is nothing to divide by."
    )
    lower_is_better = serializers.BooleanField(read_only=True)
    definition = serializers.CharField(read_only=True)


class ReportDefinitionSerializer(serializers.Serializer[Report]):
    """A report that can be asked for."""

    report = serializers.CharField(source="name", read_only=True)
    title = serializers.CharField(read_only=True)
    question = serializers.CharField(read_only=True)
    figures = FigureSerializer(many=True, read_only=True)


class FigureValueSerializer(serializers.Serializer[Any]):
    """A figure of one group. `value` is null where there is nothing to read it from."""

    figure = serializers.CharField(source="figure.name", read_only=True)
    value = serializers.DecimalField(**MONEY, allow_null=True)
    percentile_90 = serializers.DecimalField(**MONEY, allow_null=True)
    amount = serializers.DecimalField(**MONEY)
    of = serializers.DecimalField(**MONEY, source="base")
    rows = serializers.IntegerField(read_only=True)


class FigureGroupSerializer(serializers.Serializer[Line]):
    keys = serializers.DictField(
        child=serializers.CharField(allow_null=True), read_only=True,
        help_text="The group: codes of what is grouped by, first days of weeks and months. Null: none.",
    )  # fmt: skip
    names = serializers.DictField(child=serializers.CharField(), read_only=True)
    figures = FigureValueSerializer(source="values", many=True, read_only=True)


class ReportAnswerSerializer(serializers.Serializer[Answer]):
    """A report over a period. `as_of`: when the last change is counted in; null while some changes still wait."""

    report = serializers.CharField(source="report.name", read_only=True)
    first_day = serializers.DateField(source="question.first", read_only=True)
    last_day = serializers.DateField(source="question.last", read_only=True)
    by = serializers.ListField(source="question.by", child=serializers.CharField(), read_only=True)
    as_of = serializers.DateTimeField(read_only=True, allow_null=True)
    figures = FigureSerializer(many=True, read_only=True)
    total = FigureValueSerializer(source="total.values", many=True, read_only=True)
    rows = FigureGroupSerializer(source="lines", many=True, read_only=True)


class MeasurementSerializer(RowSerializer[Measurement]):
    """One row a figure is made of, and the document it was taken of."""

    site = serializers.CharField(source="site.code", read_only=True, default=None, allow_null=True)
    vendor = serializers.CharField(source="vendor.code", read_only=True, default=None, allow_null=True)
    process = serializers.CharField(source="process.code", read_only=True, default=None, allow_null=True)
    work_center = serializers.CharField(source="work_center.code", read_only=True, default=None, allow_null=True)
    of = serializers.DecimalField(**MONEY, source="base")

    class Meta:
        model = Measurement
        fields = [
            "figure", "day", "source", "document", "line_no", "site", "vendor", "process", "work_center", "amount", "of",
        ]  # fmt: skip
        read_only_fields = fields


class LyingSerializer(serializers.Serializer[Lying]):
    """So much of an item of ours at a vendor at the end of a day, in the item's unit and in company currency."""

    vendor = serializers.CharField(read_only=True)
    vendor_name = serializers.CharField(read_only=True)
    site = serializers.CharField(read_only=True)
    item = serializers.CharField(read_only=True)
    item_name = serializers.CharField(read_only=True)
    lot = serializers.CharField(read_only=True)
    stage = serializers.CharField(read_only=True)
    quantity = serializers.DecimalField(**MONEY)
    value = serializers.DecimalField(**MONEY)


class CausesSerializer(serializers.Serializer[Any]):
    """Why it cost other than expected, in company currency; above zero: dearer. Together they are the deviation."""

    price = serializers.DecimalField(**MONEY)
    quantity = serializers.DecimalField(**MONEY)
    exchange_rate = serializers.DecimalField(**MONEY, source="exchange")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "yield": serializers.DecimalField(**MONEY, source="yield_")}


class OperationCostSerializer(serializers.Serializer[Any]):
    """`differences`: what approved invoices asked beyond what was owed. `deviation` is for the good pieces so far."""

    operation = serializers.CharField(source="operation.operation_no", read_only=True)
    name = serializers.CharField(source="operation.name", read_only=True)
    vendors = serializers.ListField(child=serializers.CharField(), read_only=True)
    good = serializers.DecimalField(**MONEY)
    made = serializers.DecimalField(**MONEY)
    expected_material = serializers.DecimalField(**MONEY)
    expected_work = serializers.DecimalField(**MONEY)
    expected = serializers.DecimalField(**MONEY)
    committed = serializers.DecimalField(**MONEY)
    material = serializers.DecimalField(**MONEY, help_text="Used, less by-products.")
    by_products = serializers.DecimalField(**MONEY)
    work = serializers.DecimalField(**MONEY)
    differences = serializers.DecimalField(**MONEY)
    actual = serializers.DecimalField(**MONEY)
    deviation = serializers.DecimalField(**MONEY)
    causes = CausesSerializer(read_only=True)


class OrderCostSerializer(serializers.Serializer[Any]):
    """A production order's cost by operation, in company currency."""

    production_order = serializers.CharField(source="order.number", read_only=True)
    item = serializers.CharField(source="order.item.code", read_only=True)
    expected = serializers.DecimalField(**MONEY)
    committed = serializers.DecimalField(**MONEY)
    actual = serializers.DecimalField(**MONEY)
    deviation = serializers.DecimalField(**MONEY)
    causes = CausesSerializer(read_only=True)
    operations = OperationCostSerializer(many=True, read_only=True)


class AskSerializer(serializers.Serializer[Any]):
    """What a report is asked: days (both included), what it is narrowed to and grouped by."""

    first_day = serializers.DateField(required=False, allow_null=True)
    last_day = serializers.DateField(required=False, allow_null=True)
    by = serializers.CharField(
        required=False, default="",
        help_text=f"Group by up to three of {', '.join((*DIMENSIONS, *TIMES))}, with commas between.",
    )  # fmt: skip
    vendor = serializers.CharField(required=False, max_length=60)
    process = serializers.CharField(required=False, max_length=100)
    site = serializers.CharField(required=False, max_length=60)
    work_center = serializers.CharField(required=False, max_length=60)
    without = serializers.CharField(required=False, default="", max_length=100)

    def validate_without(self, said: str) -> list[str]:
        names = [name for name in said.split(",") if name]
        if unknown := next((name for name in names if name not in DIMENSIONS), None):
            raise serializers.ValidationError(f"'{unknown}' is none of {', '.join(DIMENSIONS)}.")
        return names


def as_csv(answer: Answer) -> str:
    """A report as a table: one row for each group, four columns for each figure."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    by = answer.question.by
    head = [column for name in by for column in ((name, f"{name}_name") if name in DIMENSIONS else (name,))]
    writer.writerow(head + [column for figure in answer.figures for column in _columns(figure)])
    for line in answer.lines if by else [answer.total]:
        writer.writerow([*_cells(line, by), *_values(line)])
    return text.getvalue()


def lying_as_csv(rows: Iterable[Lying]) -> str:
    """What lies at vendors as a table. Texts never begin like a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(LyingSerializer().fields)
    writer.writerow(columns)
    for row in rows:
        values = [getattr(row, name) for name in columns]
        writer.writerow([safe(value) if isinstance(value, str) else f"{value.normalize():f}" for value in values])
    return text.getvalue()


def _columns(figure: Figure) -> list[str]:
    more = [f"{figure.name}_90th"] if figure.reading == Reading.MEDIAN else []
    return [figure.name, *more, f"{figure.name}_amount", f"{figure.name}_of", f"{figure.name}_rows"]


def _cells(line: Line, by: tuple[str, ...]) -> Iterator[str]:
    for name in by:
        key = line.keys[name]
        yield safe("" if key is None else str(key))
        if name in DIMENSIONS:
            yield safe(line.names.get(name, ""))


def _values(line: Line) -> Iterator[str]:
    for value in line.values:
        yield "" if value.value is None else f"{value.value.normalize():f}"
        if value.figure.reading == Reading.MEDIAN:
            yield "" if value.percentile_90 is None else f"{value.percentile_90:f}"
        yield f"{value.amount.normalize():f}"
        yield f"{value.base.normalize():f}"
        yield str(value.rows)


def safe(cell: str) -> str:
    """A cell a spreadsheet takes for text: codes and names come from other systems, and may look like formulas."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
