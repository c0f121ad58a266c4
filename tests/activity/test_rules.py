"""Who is asked, and by when."""

from datetime import UTC, date, datetime

import pytest

from activity.rules import Duty, act_by, duty_for, responsible

DAY = date(2026, 3, 2)
DUTIES = [
    Duty(1),
    Duty(2, site_id=7),
    Duty(3, vendor_id=5, deputy_id=9, away_from=date(2026, 3, 2), away_to=date(2026, 3, 3)),
    Duty(4, vendor_id=5, process_id=6),
]


@pytest.mark.parametrize(
    ("buyer", "vendor", "process", "site", "day", "person"),
    [
        (8, 5, 6, 7, DAY, 8),  # the order's own buyer
        (None, 5, 6, 7, DAY, 4),  # vendor and process
        (None, 5, None, 7, DAY, 9),  # vendor, who is away: the deputy
        (None, 5, None, 7, date(2026, 3, 4), 3),  # back again
        (None, 55, 6, 7, DAY, 2),  # site
        (None, 55, 6, 77, DAY, 1),  # anybody
        (3, 55, 6, 77, DAY, 9),  # the buyer's own deputy
    ],
)
def test_the_narrowest_duty_is_asked_and_its_deputy_while_it_is_away(buyer, vendor, process, site, day, person):
    found = responsible(DUTIES, buyer_id=buyer, vendor_id=vendor, process_id=process, site_id=site, on=day)

    assert found == person


def test_deputies_who_stand_in_for_one_another_do_not_go_round_for_ever():
    away = {"away_from": DAY, "away_to": DAY}
    circle = [Duty(1, deputy_id=2, **away), Duty(2, deputy_id=1, **away)]

    assert responsible(circle, buyer_id=1, vendor_id=None, process_id=None, site_id=None, on=DAY) == 1


def test_nobody_is_asked_where_nobody_has_the_duty():
    assert responsible([], buyer_id=None, vendor_id=1, process_id=1, site_id=1, on=DAY) is None
    assert duty_for([Duty(2, site_id=7)], vendor_id=1, process_id=1, site_id=1) is None


def test_what_is_critical_is_to_be_taken_within_four_hours():
    since = datetime(2026, 3, 2, 8, tzinfo=UTC)

    assert [act_by(severity, since=since).isoformat()[:13] for severity in ("critical", "warning", "info")] == [
        "2026-03-02T12",
        "2026-03-03T08",
        "2026-03-05T08",
    ]
