"""Business actions on the plan: structure (bills of material, routings), production orders, the planner's word, reports."""

from production.services.orders import turn_to_wanted_items, upsert_operations, upsert_production_orders
from production.services.parents import ParentCircle, UnknownParent, parent_circles, unknown_parents
from production.services.planned import BadOrder, OrdersRefused, PlannedOperation, PlannedOrder, UpsertedOrders
from production.services.reporting import PreviousOperationShort, report_operation
from production.services.structure import (
    BadStep,
    BomCycle,
    bom_problems,
    routing_problems,
    upsert_boms,
    upsert_routings,
)
from production.services.weeks import Day, week_of_centers, week_of_ours, week_of_vendors
from production.services.withdrawing import (
    SnapshotScope,
    SnapshotTooSmall,
    Withdrawn,
    cancel_production_order,
    commit_operations,
    withdraw_missing,
)
from production.services.words import retract_word, speak_word

__all__ = [
    "BadOrder",
    "BadStep",
    "BomCycle",
    "Day",
    "OrdersRefused",
    "ParentCircle",
    "PlannedOperation",
    "PlannedOrder",
    "PreviousOperationShort",
    "SnapshotScope",
    "SnapshotTooSmall",
    "UnknownParent",
    "UpsertedOrders",
    "Withdrawn",
    "bom_problems",
    "cancel_production_order",
    "commit_operations",
    "parent_circles",
    "report_operation",
    "retract_word",
    "routing_problems",
    "speak_word",
    "turn_to_wanted_items",
    "unknown_parents",
    "upsert_boms",
    "upsert_operations",
    "upsert_production_orders",
    "upsert_routings",
    "week_of_centers",
    "week_of_ours",
    "week_of_vendors",
    "withdraw_missing",
]
