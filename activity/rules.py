"""Who looks after an alert, and by when: pure rules over plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

HOURS = {"critical": 4, "warning": 24, "info": 72}


@dataclass(frozen=True, slots=True)
class Duty:
    """One person's field: a vendor and process, a vendor, a site; None is any."""

    user_id: int
    vendor_id: int | None = None
    process_id: int | None = None
    site_id: int | None = None
    deputy_id: int | None = None
    away_from: date | None = None
    away_to: date | None = None
    escalates_to_id: int | None = None

    def reached(self, *, on: date) -> int:
        """The person, or the deputy while the person is away."""
        away = self.away_from is not None and self.away_to is not None and self.away_from <= on <= self.away_to
        return self.deputy_id if away and self.deputy_id is not None else self.user_id

    def covers(self, *, vendor_id: int | None, process_id: int | None, site_id: int | None) -> bool:
        return (
            self.vendor_id in (None, vendor_id)
            and self.process_id in (None, process_id)
            and self.site_id in (None, site_id)
        )

    @property
    def narrowness(self) -> tuple[bool, bool, bool]:
        return self.process_id is not None, self.vendor_id is not None, self.site_id is not None


def duty_for(
    duties: Iterable[Duty], *, vendor_id: int | None, process_id: int | None, site_id: int | None
) -> Duty | None:
    """The narrowest duty that covers it: vendor and process before vendor, vendor before site, any last."""
    covering = [d for d in duties if d.covers(vendor_id=vendor_id, process_id=process_id, site_id=site_id)]
    return max(covering, key=lambda duty: duty.narrowness, default=None)


def responsible(
    duties: Iterable[Duty],
    *,
    buyer_id: int | None,
    vendor_id: int | None,
    process_id: int | None,
    site_id: int | None,
    on: date,
) -> int | None:
    """Who is asked: the order's own buyer, else who has the narrowest duty; the deputy of either while away."""
    rows = list(duties)
    if buyer_id is not None:
        away = [duty.reached(on=on) for duty in rows if duty.user_id == buyer_id]
        return next((person for person in away if person != buyer_id), buyer_id)
    duty = duty_for(rows, vendor_id=vendor_id, process_id=process_id, site_id=site_id)
    return duty.reached(on=on) if duty else None


def act_by(severity: str, *, since: datetime) -> datetime:
    """When an alert goes one step up if nobody has taken it: critical after 4 hours, warning after 24, the rest after 72."""
    return since + timedelta(hours=HOURS.get(severity, 24))
