import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from activity import services
from activity.models import Alert
from tests.workbench import rows

ALERTS = "/api/v1/alerts/"


def client_of(role: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(role, role))
    return client


def alert(kind: str = "late", subject: str = "SC-00001/1", **fields: object) -> Alert:
    made = Alert(kind=kind, subject=subject, title="Late", site=rows.site(), **fields)
    services.open_alerts([made], at=rows.AT)
    return Alert.objects.get(kind=kind, subject=subject)


def test_an_open_alert_is_shown_and_taken():
    reference = alert(order_number="SC-00001", line_no=1, after={"quantity": "9"}, proposes="change").reference
    buyer = client_of(Role.BUYER)

    (shown,) = buyer.get(ALERTS).json()["results"]
    taken = buyer.post(f"{ALERTS}{reference}/take/")

    assert {name: shown[name] for name in ("kind", "order", "line", "proposes", "after", "closed_at", "taken_by")} == {
        "kind": "late", "order": "SC-00001", "line": 1, "proposes": "change", "after": {"quantity": "9"}, "closed_at": None,
        "taken_by": None,
    }  # fmt: skip
    assert (taken.status_code, taken.json()["taken_by"]) == (200, "buyer")


def test_what_somebody_looks_after_is_not_taken_from_him():
    reference = alert().reference
    client_of(Role.BUYER).post(f"{ALERTS}{reference}/take/")

    answer = client_of(Role.PLANNER).post(f"{ALERTS}{reference}/take/")

    assert answer.status_code == 409
    assert Alert.objects.get().taken_by.username == "buyer"


def test_an_auditor_takes_nothing():
    reference = alert().reference
    auditor = client_of(Role.AUDITOR)

    assert auditor.get(ALERTS).status_code == 200
    assert auditor.post(f"{ALERTS}{reference}/take/").json()["code"] == "no_right"


def test_closed_alerts_are_shown_on_request():
    alert()
    alert(kind="shortage")
    services.close_alerts(kind="late", subjects=["SC-00001/1"], at=rows.AT)
    buyer = client_of(Role.BUYER)

    assert [row["kind"] for row in buyer.get(ALERTS).json()["results"]] == ["shortage"]
    assert [row["kind"] for row in buyer.get(f"{ALERTS}?closed=true").json()["results"]] == ["late"]
    assert buyer.get(f"{ALERTS}?kind=late").json()["results"] == []
    assert len(buyer.get(f"{ALERTS}?taken=false").json()["results"]) == 1


@pytest.mark.parametrize("many", [1, 5])
def test_the_list_costs_one_query(django_assert_num_queries, many: int):
    for place in range(many):
        alert(subject=f"SC-0000{place}/1", vendor=rows.vendor())
    buyer = client_of(Role.BUYER)
    buyer.get("/api/v1/units/")

    with django_assert_num_queries(1):
        buyer.get(ALERTS)
