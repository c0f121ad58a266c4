"""What happened, what wants attention and whose, and the mail that goes out about it."""

from activity.services.alerts import (
    REFUSABLE,
    NothingToRefuse,
    Taken,
    close_alerts,
    close_others,
    keep_alerts,
    open_alerts,
    record,
    record_many,
    refuse_alert,
    snooze_alert,
    take_alert,
)
from activity.services.messages import (
    Attachment,
    Composer,
    Mail,
    Overtaken,
    queue_messages,
    send_due_messages,
    try_again,
)
from activity.services.people import Concern, assign_alerts, escalate_alerts, mail_critical_alerts, write_digests

__all__ = [
    "REFUSABLE",
    "Attachment",
    "Composer",
    "Concern",
    "Mail",
    "NothingToRefuse",
    "Overtaken",
    "Taken",
    "assign_alerts",
    "close_alerts",
    "close_others",
    "escalate_alerts",
    "keep_alerts",
    "mail_critical_alerts",
    "open_alerts",
    "queue_messages",
    "record",
    "record_many",
    "refuse_alert",
    "send_due_messages",
    "snooze_alert",
    "take_alert",
    "try_again",
    "write_digests",
]
