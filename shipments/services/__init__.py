"""Material out: `planning` keeps the planned shipments of orders; `outbound` picks, dispatches, delivers and takes back."""

from production.services.reporting import PreviousOperationShort
from shipments.services.arranging import plan_open
from shipments.services.loading import (
    NothingToShip,
    OrderClosed,
    OrderNotSent,
    OverSend,
    ToPick,
)
from shipments.services.outbound import (
    ShipmentNotOfThisState,
    cancel,
    deliver,
    deliver_due,
    dispatch,
    hold,
    on_the_way,
    pick,
    release,
    reverse,
    ship,
    split,
)
from shipments.services.planning import ToShip, cancel_planned, plan, planned_shipments, refresh, unplan
from shipments.services.replanning import plan_what_is_open
from shipments.services.staying import Staying, staying, staying_beside

__all__ = [
    "NothingToShip",
    "OrderClosed",
    "OrderNotSent",
    "OverSend",
    "PreviousOperationShort",
    "ShipmentNotOfThisState",
    "Staying",
    "ToPick",
    "ToShip",
    "cancel",
    "cancel_planned",
    "deliver",
    "deliver_due",
    "dispatch",
    "hold",
    "on_the_way",
    "pick",
    "plan",
    "plan_open",
    "plan_what_is_open",
    "planned_shipments",
    "refresh",
    "release",
    "reverse",
    "ship",
    "split",
    "staying",
    "staying_beside",
    "unplan",
]
