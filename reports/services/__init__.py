"""The measured promises: kept up to date, rebuilt, checked and read."""

from reports.services.costs import OperationCost, OrderCost, order_cost, order_costs
from reports.services.keeping import Kept, check, keep_up, prove, rebuild
from reports.services.lying import Lying, lying_at_vendors
from reports.services.reading import (
    Answer,
    Line,
    Question,
    Value,
    answer,
    ask,
    report_named,
    rows_behind,
    today_of,
    vendor_scores,
)

__all__ = [
    "Answer",
    "Kept",
    "Line",
    "Lying",
    "OperationCost",
    "OrderCost",
    "Question",
    "Value",
    "answer",
    "ask",
    "check",
    "keep_up",
    "lying_at_vendors",
    "order_cost",
    "order_costs",
    "prove",
    "rebuild",
    "report_named",
    "rows_behind",
    "today_of",
    "vendor_scores",
]
