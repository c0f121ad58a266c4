"""Work a vendor has already, where flag, policies or approvals say something else by now: never silent, never changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from activity.models import Alert
from core.refusals import Refusal
from documents import services as documents
from masterdata.models import Vendor
from policies.models import Decision, Policy
from policies.services import Change
from production.models import Operation
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played

TUESDAY = date(2026, 3, 3)
SENT = [("SC-00001", "V1", "P1", "10", 5, 500)]


@pytest.fixture(autouse=True)
@played
def _one_sent() -> None:
    price = {"item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 100, "lead_days": 5}
    plans.base(
        vendors=[{"code": "V2", "name": "Vendor Two", "currency": "EUR"}],
        prices=[{"vendor": "V2", "valid_from": "2026-01-01", **price}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1", "V2"]}],
    )
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    plans.send(1)


def said(**policy: Any) -> tuple[str, dict[str, str]]:
    """Change the policy, look again twice, and see that one alert says so while the line stands as it was."""
    if policy:
        plans.load({"policies": [{"code": "PLATE", "process": "Plating", "verdict": "outsource", **policy}]})
    for _ in range(2):
        plans.generate(TUESDAY)
    assert plans.lines() == SENT
    alert = Alert.objects.open().get()
    assert (alert.order_number, alert.line_no) == ("SC-00001", 1)
    return alert.kind, alert.after


def reasons() -> set[str]:
    return {reason["code"] for reason in Decision.objects.current().get().reasons}


def test_a_policy_that_keeps_it_inside_by_now():
    assert said(verdict="in_house") == ("requirement_cancelled", {"quantity": "0", "verdict": "in_house"})
    assert reasons() == {"already_ordered", "policy_matched"}

    documents.apply_alert(alert_id=Alert.objects.open().get().pk, by=plans.boss(), at=moment(TUESDAY))

    assert plans.order(1).status == "cancelled"


def test_a_flag_that_says_no_by_now_and_yes_again():
    Operation.objects.update(outsourced="no")

    assert said() == ("requirement_cancelled", {"quantity": "0", "verdict": "in_house"})
    assert reasons() == {"already_ordered", "flag_no"}

    Operation.objects.update(outsourced="yes")
    plans.generate(TUESDAY)

    assert not Alert.objects.open().exists()


def test_a_policy_retired_leaves_it_to_the_flag():
    Operation.objects.update(outsourced="maybe", work_center=None)
    Policy.objects.update(status="retired")

    assert said() == ("requirement_cancelled", {"quantity": "0", "verdict": "in_house"})


def test_a_policy_that_wants_a_person_to_say():
    assert said(verdict="review") == ("requirement_changed", {"verdict": "review"})
    alert = Alert.objects.open().get()
    assert alert.title.endswith("should change: it may not go out by itself any more, a person must say")

    with pytest.raises(Refusal):
        documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=moment(TUESDAY))


def test_a_vendor_lost_names_the_next_one():
    Vendor.objects.filter(code="V1").update(is_active=False)

    assert said() == ("requirement_changed", {"vendor": "V2"})


def test_a_vendor_a_policy_does_not_name_any_more():
    assert said(vendors=["V2"]) == ("requirement_changed", {"vendor": "V2"})


def test_all_vendors_lost():
    Vendor.objects.update(is_active=False)

    assert said() == ("requirement_cancelled", {"quantity": "0", "verdict": "blocked"})
    assert Alert.objects.open().get().title.endswith("cannot stay where it is, and no vendor qualifies")


@pytest.mark.parametrize(
    ("vendors", "verdict", "to"),
    [(["V1", "V2"], "outsource", ("V2",)), (["V1"], "blocked", ())],
    ids=["another", "nobody"],
)
def test_a_simulation_without_a_vendor_tells_what_becomes_of_the_work_he_has(vendors, verdict, to):
    plans.load({"policies": [{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": vendors}]})

    found = documents.simulate(change=Change(lost_vendors=frozenset({"V1"})), on=TUESDAY)

    (flip,) = found.changed
    assert (flip.before.verdict, flip.before.vendors) == ("outsource", ("V1",))
    assert (flip.after.verdict, flip.after.vendors) == (verdict, to)
    assert "inactive" in {reason["code"] for reason in flip.after.reasons}
