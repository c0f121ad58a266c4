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

    def is_away(self, *, on: date) -> bool:
        return self.away_from is not None and self.away_to is not None and self.away_from <= on <= self.away_to

    def reached(self, *, on: date) -> int:
        """The person, or the deputy while the person is away."""
        return self.deputy_id if self.is_away(on=on) and self.deputy_id is not None else self.user_id

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
        return present(rows, buyer_id, on=on)
    duty = duty_for(rows, vendor_id=vendor_id, process_id=process_id, site_id=site_id)
    return present(rows, duty.reached(on=on), on=on) if duty else None


def present(duties: Iterable[Duty], person_id: int, *, on: date) -> int:
    """A person who is there, or the deputy while away; of a deputy who is away the next one. In a circle the first asked is."""
    stands_in = {duty.user_id: duty.reached(on=on) for duty in duties if duty.reached(on=on) != duty.user_id}
    asked = [person_id]
    while (following := stands_in.get(asked[-1])) is not None:
        if following in asked:
            return person_id
        asked.append(following)
    return asked[-1]


def step_up(
    duties: Iterable[Duty],
    *,
    person_id: int | None,
    vendor_id: int | None,
    process_id: int | None,
    site_id: int | None,
    on: date,
) -> int | None:
    """To whom an alert goes that nobody took: whom the duty names by which the responsible person was asked, his own or one he
    stands in for; else any of his; else the narrowest that names somebody. The deputy while that one is away.
    """
    rows = list(duties)
    naming = [duty for duty in rows if duty.escalates_to_id is not None]
    mine = [duty for duty in naming if person_id in (duty.user_id, present(rows, duty.user_id, on=on))]
    about = {"vendor_id": vendor_id, "process_id": process_id, "site_id": site_id}
    duty = duty_for(mine, **about) or next(iter(mine), None) or duty_for(naming, **about)
    return present(rows, duty.escalates_to_id, on=on) if duty and duty.escalates_to_id is not None else None


def is_graver(severity: str, than: str) -> bool:
    """Whether one severity is to be taken sooner than another."""
    return HOURS.get(severity, 24) < HOURS.get(than, 24)


def act_by(severity: str, *, since: datetime) -> datetime:
    """When an alert goes one step up if nobody has taken it: critical after 4 hours, warning after 24, the rest after 72."""
    return since + timedelta(hours=HOURS.get(severity, 24))
