"""One call that does what an alert proposes, whatever it proposes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert
from core.refusals import NotFound
from documents.services import acting, advising, answering
from documents.services.acting import NothingToApply
from subcontract_orders.models import SubcontractOrder
from subcontract_orders.services.order import COUNTERED


@transaction.atomic
def apply_alert(*, alert_id: int, by: User, at: datetime, through: str = "page") -> Alert:
    """Do what an alert proposes, in one act, and close it.

    `requirement_changed`, `requirement_cancelled`: a sent line is revised or taken off, a draft's pinned fields are given back.
    `vendor_countered`: what the vendor offers is accepted. `batch_opportunity`: the lots are put on one order.
    Raises NotFound, NothingToApply, and as the acts it stands for.
    """
    alert = Alert.objects.visible_to(by).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.", field="alert")
    if alert.closed_at is not None:
        raise NothingToApply("The cause of this alert is gone; there is nothing to apply.")
    if alert.kind == COUNTERED:
        order = SubcontractOrder.objects.get(number=alert.order_number)
        answering.accept_counter(order_id=order.pk, by=by, at=at, through=through)
    elif alert.kind == advising.BATCH:
        advising.take_advice(alert=alert, by=by, at=at, through=through)
        activity.close_alerts(kind=alert.kind, subjects=[alert.subject], at=at)
    else:
        acting.apply_alert(alert_id=alert_id, by=by, at=at, through=through)
    alert.refresh_from_db()
    return alert
