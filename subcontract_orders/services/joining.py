"""Several drafts made one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from accounts.models import User
from activity import services as activity
from subcontract_orders.models import SubcontractOrder
from subcontract_orders.services import lines as writing


def joined(
    host: SubcontractOrder, others: Sequence[SubcontractOrder], *, by: User, at: datetime, through: str = "page"
) -> None:
    """The lines of `others` stand on `host` now: cancel what is empty, count anew, and say who last changed it."""
    numbers = writing.cancel_empty_orders([order.pk for order in others], at=at, by=by, through=through)
    writing.recount_orders([host.pk])
    SubcontractOrder.objects.filter(pk=host.pk).update(changed_by=by, version=F("version") + 1)
    activity.record(
        "order.joined",
        kind=writing.KIND,
        number=host.number,
        at=at,
        by=by,
        through=through,
        site_id=host.site_id,
        vendor_id=host.vendor_id,
        data={"orders": numbers},
    )
    writing.approve_by_policy([host.pk], at=at, through=through)
