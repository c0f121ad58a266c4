"""Material a receipt used though it did not lie at the vendor: asked about until somebody has settled it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from activity import services as activity
from activity.models import Alert

KIND = "discrepancy"


def open_discrepancy(*, subject: str) -> Alert | None:
    """What is still to be settled of a receipt line ("<receipt>/<line>"): quantities by item in the alert's `after`."""
    return Alert.objects.open().filter(kind=KIND, subject=subject).first()


def missing_of(alert: Alert) -> Mapping[str, Decimal]:
    return {code: Decimal(quantity) for code, quantity in alert.after.items()}


def book_settled(*, subject: str, item: str, quantity: Decimal, at: datetime) -> None:
    """So much of what was missing is booked as used now; with the last of it nothing is asked any more."""
    alert = open_discrepancy(subject=subject)
    if alert is None or item not in alert.after:
        return
    left = {**missing_of(alert)}
    left[item] -= quantity
    alert.after = {code: f"{rest.normalize():f}" for code, rest in left.items() if rest > 0}
    if not alert.after:
        activity.close_alerts(kind=KIND, subjects=[subject], at=at)
        return
    activity.open_alerts([alert], at=at)
