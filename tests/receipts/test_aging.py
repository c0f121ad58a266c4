"""Material of ours that lies at vendors for long: alerts that open once, follow what lies there, close, and end in a return."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from activity.models import Alert
from documents import services as documents
from masterdata.models import Company
from receipts import services as receipts
from receipts.models import Return
from receipts.services.lying import NothingToReturn
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.played import played
from tests.receipts import back
from tests.receipts.goods import counted, lying, receive

OLD, DUE = "vendor_stock_old", "return_due"
IN_180 = MONDAY + timedelta(days=180)


def watch(on: date) -> int:
    return receipts.watch_vendor_stock(at=moment(on), on=on)


def alert(kind: str) -> Alert:
    return Alert.objects.open().get(kind=kind)


def apply(kind: str, on: date) -> Alert:
    return documents.apply_alert(alert_id=alert(kind).pk, by=plans.boss(), at=moment(on))


@played
def spare() -> None:
    """Twelve sent where ten are needed."""
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)


def test_material_is_old_the_day_after_the_companys_days_and_said_once():
    spare()

    assert (watch(IN_180), watch(IN_180 + timedelta(days=1)), watch(IN_180 + timedelta(days=2))) == (0, 1, 0)

    said = alert(OLD)
    assert (said.subject, said.title) == ("AT-V1 RM", f"12 RM of ours at V1 lie there since {MONDAY}")
    assert (said.before, said.proposes) == ({"quantity": "12", "since": MONDAY.isoformat()}, "return")


def test_the_alert_follows_what_lies_there_and_closes_itself():
    spare()
    watch(IN_180 + timedelta(days=1))

    receive(counted(plans.line(1), 10))
    watch(IN_180 + timedelta(days=1))
    assert alert(OLD).before["quantity"] == "2"

    back.return_material(RM=2)
    watch(IN_180 + timedelta(days=1))
    assert not Alert.objects.open().filter(kind=OLD).exists()


def test_what_came_later_is_not_old_first_in_is_first_out():
    spare()
    receive(counted(plans.line(1), 5))  # five of the twelve are used
    august = date(2026, 8, 1)
    plans.load(
        {"stock": [{"item": "RM", "location": "AT-V1", "quantity": 27, "as_of": "2026-08-01T06:00:00Z"}]}, day=august
    )

    watch(IN_180 + timedelta(days=1))

    assert alert(OLD).before == {"quantity": "7", "since": MONDAY.isoformat()}


def test_the_act_brings_home_what_no_order_needs_and_says_when_there_is_nothing():
    spare()
    on = IN_180 + timedelta(days=1)
    watch(on)

    apply(OLD, on)

    assert [(row.quantity, row.item.code) for row in Return.objects.get().lines.all()] == [(2, "RM")]
    assert (lying("AT-V1", "RM"), alert(OLD).before["quantity"]) == (10, "10")
    with pytest.raises(NothingToReturn, match="Open orders need all of it"):
        apply(OLD, on)


def test_the_law_wants_it_back_where_the_company_says_so():
    spare()
    due = MONDAY + timedelta(days=365)
    assert watch(due) == 1  # it is old, no more
    Company.objects.update(return_within_days=365)
    Alert.objects.all().delete()

    watch(due - timedelta(days=30))
    assert not Alert.objects.open().filter(kind=DUE).exists()
    watch(due - timedelta(days=29))
    assert (alert(DUE).severity, alert(DUE).due_date) == ("warning", due)
    assert alert(DUE).title == f"12 RM of ours at V1 must be back by {due}"
    watch(due + timedelta(days=1))
    assert (alert(DUE).severity, alert(DUE).title) == ("critical", f"12 RM of ours at V1 had to be back by {due}")

    receive(counted(plans.line(1), 10))
    apply(DUE, due + timedelta(days=1))
    assert not Alert.objects.open().exists()
    assert lying("AT-V1", "RM") == 0


def test_the_sweep_looks_for_it():
    spare()

    documents.watch(at=moment(IN_180 + timedelta(days=1)), on=IN_180 + timedelta(days=1))

    assert alert(OLD).vendor.code == "V1"
