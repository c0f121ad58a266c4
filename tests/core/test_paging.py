from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Closure, Unit, WorkCenter


@pytest.fixture
def planner() -> APIClient:
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def walk(client: APIClient, address: str, field: str) -> list[str]:
    found = []
    while address:
        page = client.get(address).json()
        found += [row[field] for row in page["results"]]
        parts = urlsplit(page["next"] or "")
        address = f"{parts.path}?{parts.query}" if page["next"] else ""
    return found


def test_every_row_is_shown_once_over_all_pages(planner: APIClient):
    for number in range(7):
        Unit.objects.create(code=f"u{number}")

    assert walk(planner, "/api/v1/units/?limit=2", "code") == [f"u{number}" for number in range(7)]


@pytest.mark.parametrize("ordering", ["date", "-date"])
def test_many_equal_values_lose_no_row(planner: APIClient, ordering: str):
    day = date(2026, 5, 1)
    for number in range(9):
        Closure.objects.create(
            work_center=WorkCenter.objects.create(code=f"W{number}"), day=day + timedelta(days=number // 6)
        )

    shown = walk(planner, f"/api/v1/calendars/?limit=2&ordering={ordering}", "work_center")

    assert sorted(shown) == [f"W{number}" for number in range(9)]
    assert shown[0] == ("W0" if ordering == "date" else "W8")


def test_rows_that_come_meanwhile_shift_nothing(planner: APIClient):
    for code in ("b", "d", "f"):
        Unit.objects.create(code=code)
    first = planner.get("/api/v1/units/?limit=2&ordering=code").json()
    Unit.objects.create(code="a")
    Unit.objects.create(code="e")

    second = planner.get(first["next"]).json()

    assert [row["code"] for row in second["results"]] == ["e", "f"]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=ten", "limit=99999999999", "cursor=nonsense", "cursor=W10", "ordering=name",
     "ordering=code,code", "ordering=pk"],
)  # fmt: skip
def test_a_senseless_page_is_refused(planner: APIClient, query: str):
    answer = planner.get(f"/api/v1/units/?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_a_cursor_of_another_ordering_is_refused(planner: APIClient):
    for code in ("a", "b", "c"):
        Unit.objects.create(code=code)
    following = planner.get("/api/v1/units/?limit=1").json()["next"]

    assert planner.get(following + "&ordering=code").status_code == 422


def test_a_page_has_at_most_500_rows(planner: APIClient):
    Unit.objects.bulk_create(Unit(code=f"u{number}") for number in range(501))

    assert len(planner.get("/api/v1/units/?limit=1000").json()["results"]) == 500
    assert len(planner.get("/api/v1/units/").json()["results"]) == 50
