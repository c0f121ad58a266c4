"""Every figure that is measured, defined in one place: what is counted, of what, when, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Reading(StrEnum):
    """How the sums of a figure's measurements become its value."""

    SHARE = "share"  # amount ÷ base, in per cent
    PPM = "ppm"  # amount ÷ base, in parts per million
    SUM = "sum"  # amount
    MEDIAN = "median"  # the middle one of the measured values; the 90th percentile beside it
    STANDING = "standing"  # all amounts up to the end of the period


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `amount` and `base` say what its measurements add up, `definition` when and why a measurement is taken."""

    name: str
    title: Any
    reading: Reading
    unit: str
    amount: Any
    base: Any
    definition: Any
    lower_is_better: bool = False
    rows: str = "order"
    """What its rows are: the kind of document a person is led to."""


@dataclass(frozen=True, slots=True)
class Report:
    """Some figures that answer one question. `looks_ahead`: days after today are of interest as well. `judges_days`: something is
    counted on a day because nothing happened by then.
    """

    name: str
    title: Any
    question: Any
    figures: tuple[str, ...]
    dimensions: tuple[str, ...]
    looks_ahead: bool = False
    judges_days: bool = False


_ALL = (
    Figure(
        "rejects_outside", _("Rejects outside"), Reading.PPM, "ppm", _("pieces refused"), _("pieces that came"),
        _("Pieces rejected, scrapped, sent back on inspection or returned later, of all pieces vendors brought, each time they "
          "brought them. Counted on the day of the receipt; a later finding changes that day's figure."),
        lower_is_better=True, rows="receipt",
    ),
    Figure(
        "rejects_inside", _("Rejects inside"), Reading.PPM, "ppm", _("pieces scrapped"), _("pieces reported"),
        _("Pieces reported as scrap, of all pieces reported on operations done in house. Counted on the day of the report."),
        lower_is_better=True, rows="production_order",
    ),
    Figure(
        "hours_outside", _("Hours moved outside"), Reading.SUM, "h", _("hours"), "",
        _("Set-up and run time that our own work centers would have needed for the quantity on order lines sent to vendors, of "
          "every operation a line makes; of a line that ended, for what came. An operation is set up once. Counted on the "
          "planned start of the operation. Only what was sent counts, whatever is decided by now: load before less load after "
          "counts what is decided, sent or not."),
    ),
    Figure(
        "load_before", _("Load before"), Reading.SUM, "h", _("hours"), "",
        _("Set-up and run time of all operations planned on our own work centers, as if nothing went outside. Counted on the "
          "planned start that was last decided on."),
        lower_is_better=True, rows="production_order",
    ),
    Figure(
        "load_after", _("Load after"), Reading.SUM, "h", _("hours"), "",
        _("The same operations without what the last decisions give to vendors, sent to them or not yet, and what came from "
          "them. Hours moved outside count sent orders only, so the two need not be the same."),
        lower_is_better=True, rows="production_order",
    ),
    Figure(
        "late_pieces", _("Late pieces"), Reading.SHARE, "%", _("pieces late"), _("pieces that came"),
        _("Pieces that came after the need date of their order line, of all pieces that came. Counted on the day of the "
          "receipt."),
        lower_is_better=True, rows="receipt",
    ),
    Figure(
        "untouched", _("Orders nobody touched"), Reading.SHARE, "%", _("orders without a touch"), _("orders sent"),
        _("Orders sent of which no person had changed, approved or sent anything until then. Counted on the day of first "
          "sending."),
    ),
    Figure(
        "plan_to_order", _("Minutes from plan to order"), Reading.MEDIAN, "min", _("minutes"), _("orders"),
        _("From the change of the plan that asked for a run to the order that run made. The middle of all such orders; values "
          "above 99 minutes to two digits. Counted on the day the order was made."),
        lower_is_better=True,
    ),
    Figure(
        "changes_caught", _("Changes caught in time"), Reading.SHARE, "%", _("changes caught"), _("changes"),
        _("Changes of the plan that an order not yet sent followed by itself, or that were settled with the vendor before the "
          "need date, of all changes of the plan that concerned orders. Counted when settled, else on the day after the "
          "need date."),
    ),
    Figure(
        "invoices_alone", _("Invoices matched without a person"), Reading.SHARE, "%", _("invoices matched alone"), _("invoices"),
        _("Invoices that matched the first time they were compared with what was received, with nothing to let pass, of all that "
          "were compared. Counted on the day they were compared last."),
        rows="invoice",
    ),
    Figure(
        "price_variance", _("Price variance"), Reading.SHARE, "%", _("asked above what was agreed"), _("agreed"),
        _("What approved invoices asked above (or, below zero, less than) the agreed price, of the agreed amount, exchange rates "
          "apart. Counted on the day of approval."),
        lower_is_better=True, rows="invoice",
    ),
    Figure(
        "not_invoiced", _("Received, not invoiced"), Reading.STANDING, "money", _("work owed and not invoiced"), "",
        _("Work that receipts owe, less what approved invoices cleared of it as agreed and what was set off against "
          "charge-backs: what stood at the end of the period. Counted on the days of receipt, approval and claim. What is "
          "invoiced and not received yet is below zero."),
        lower_is_better=True, rows="receipt",
    ),
    Figure(
        "price_difference", _("Asked above the price"), Reading.SUM, "money", _("asked above what was agreed"), "",
        _("What approved invoices and credit notes asked above the agreed price (below zero: less), exchange rates apart. "
          "Counted on the day of approval."),
        lower_is_better=True, rows="invoice",
    ),
    Figure(
        "rate_difference", _("By exchange rates"), Reading.SUM, "money", _("difference of the rate"), "",
        _("What the same invoices came to above what was agreed because the rate of their day was another than that of the "
          "order. Counted on the day of approval."),
        lower_is_better=True, rows="invoice",
    ),
    Figure(
        "borne_by_stock", _("Borne by stock"), Reading.SUM, "money", _("added to stock"), "",
        _("What of both differences went to pieces that were still here: they are worth so much more. Counted on the day of "
          "approval."),
        lower_is_better=True, rows="invoice",
    ),
    Figure(
        "in_variance", _("Price variance in the books"), Reading.SUM, "money", _("booked as variance"), "",
        _("What of both differences fell on pieces that were gone, or never came: price variance. Counted on the day of "
          "approval."),
        lower_is_better=True, rows="invoice",
    ),
    Figure(
        "on_time_need", _("On time to need"), Reading.SHARE, "%", _("lines on time"), _("lines judged"),
        _("Order lines of which enough had come by the need date. A line is judged on the day it was complete, or on the day "
          "after its need date where it was not."),
    ),
    Figure(
        "on_time_promise", _("On time to promise"), Reading.SHARE, "%", _("lines on time"), _("lines judged"),
        _("Order lines of which enough had come by the date the vendor promised. Judged like on time to need."),
    ),
    Figure(
        "in_full", _("In full"), Reading.SHARE, "%", _("lines in full"), _("lines complete"),
        _("Complete order lines with as many good pieces as were ordered, less the under-delivery that was agreed. Counted on "
          "the day of the last receipt."),
    ),
    Figure(
        "turn_days", _("Turn time"), Reading.MEDIAN, "d", _("days"), _("lines complete"),
        _("Calendar days from sending the order, or from the last delivery of our material to the vendor where that is later, to "
          "the receipt that completed the line. The middle of all lines; nine of ten took no longer than the 90th percentile."),
        lower_is_better=True,
    ),
    Figure(
        "confirmed", _("Confirmed"), Reading.SHARE, "%", _("orders confirmed"), _("orders sent"),
        _("Orders the vendor confirmed within the grace days. Counted on the day of the answer, else on the day after the grace "
          "days were over."),
    ),
    Figure(
        "at_vendors", _("Material at vendors"), Reading.STANDING, "money", _("value"), "",
        _("What our material and pieces at vendors are worth at the end of the period, by the stock ledger."),
        lower_is_better=True, rows="movement",
    ),
)  # fmt: skip

FIGURES = {figure.name: figure for figure in _ALL}

REPORTS = {
    report.name: report
    for report in (
        Report(
            "quality", _("Quality"), _("Is work outside as good as ours?"),
            ("rejects_outside", "rejects_inside"), ("vendor", "process", "site"),
        ),
        Report(
            "capacity", _("Capacity"), _("How much of our load did vendors take, and at what delay?"),
            ("hours_outside", "load_before", "load_after", "late_pieces"), ("work_center", "vendor", "process", "site"),
            looks_ahead=True, judges_days=True,
        ),
        Report(
            "efficiency", _("Efficiency"), _("How much of the work does itself?"),
            ("untouched", "plan_to_order", "changes_caught", "invoices_alone"), ("vendor", "process", "site"),
            judges_days=True,
        ),
        Report(
            "vendor-scores", _("Vendor scores"), _("Whom can we count on?"),
            ("on_time_need", "on_time_promise", "in_full", "rejects_outside", "turn_days", "confirmed",
             "price_variance"),
            ("vendor", "process", "site"), judges_days=True,
        ),
        Report(
            "material-at-vendors", _("Material at vendors"), _("How much of our money lies with vendors?"),
            ("at_vendors",), ("vendor", "site"),
        ),
        Report(
            "not-invoiced", _("Received, not invoiced"), _("What do we owe that nobody has asked for yet?"),
            ("not_invoiced",), ("vendor", "process", "site"),
        ),
        Report(
            "price-differences", _("Price differences"), _("What did invoices cost beyond what was agreed, and who bears it?"),
            ("price_difference", "rate_difference", "borne_by_stock", "in_variance"), ("vendor", "process", "site"),
        ),
    )
}  # fmt: skip

DIMENSIONS = ("vendor", "process", "site", "work_center")
TIMES = ("day", "week", "month")
