"""The overview: every chart's numbers, what they lead to, and what stands there before anything happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from subcontract_orders.models import OrderStatus
from tests.workbench import rows

HERE = reverse("workbench:overview")


@pytest.fixture
def day():
    return timezone.localdate()


def test_open_lines_stand_by_vendor_and_week_the_overdue_first(desk, day):
    rows.order(due=day - timedelta(10), status=OrderStatus.SENT)
    rows.order(due=day, lines=2)
    rows.order(to=rows.vendor("V2", "Nordic Coatings"), due=day + timedelta(7))
    rows.order(due=day, status=OrderStatus.CLOSED)

    load = desk.get(HERE).context["load"]

    assert [(row["name"], [int(cell.value) for cell in row["cells"]][:3]) for row in load] == [
        ("Alpen Eloxal", [740, 1480, 0]),
        ("Nordic Coatings", [0, 0, 740]),
    ]
    assert [[cell.heat for cell in row["cells"]][:3] for row in load] == [[3, 5, 0], [0, 0, 3]]


def test_orders_with_vendors_stand_by_how_late_they_are(desk, day):
    for late in (-3, 0, 1, 5, 30):
        rows.order(due=day - timedelta(late), status=OrderStatus.SENT)
    rows.order(due=day - timedelta(5))

    chart = desk.get(HERE).context["ages"]

    assert chart.rows == [
        ("not yet due", ["2", "1,480"]), ("1 to 3 days", ["1", "740"]), ("4 to 7 days", ["1", "740"]),
        ("8 to 14 days", ["0", "0"]), ("15 and more", ["1", "740"]),
    ]  # fmt: skip
    assert chart.data["series"][0]["values"] == [2, 1, 1, 0, 1]


def test_vendors_stand_by_what_their_open_orders_are_worth(desk, day):
    rows.order(due=day, lines=3)
    rows.order(to=rows.vendor("V2", "Nordic Coatings"), due=day)

    answer = desk.get(HERE)

    assert answer.context["values"].rows == [("Alpen Eloxal", ["1", "2,220"]), ("Nordic Coatings", ["1", "740"])]
    assert "data-chart=" in answer.content.decode()


def test_another_site_is_not_counted(client, day):
    rows.order(at=rows.site("SOUTH", "South plant"), due=day)
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site()))

    context = client.get(HERE).context

    assert (context["load"], context["ages"], context["values"]) == ([], None, None)


def test_before_anything_happened_every_part_says_what_will_stand_there(desk):
    page = desk.get(HERE).content.decode()

    for said in (
        "Nothing has come back yet",
        "Nothing is promised for the next weeks",
        "Nothing is with a vendor",
        "No open orders",
    ):
        assert said in page


def test_the_dock_does_not_see_it(client):
    client.force_login(rows.user("dirk", Role.DOCK))

    assert client.get(HERE).status_code == 403


def test_it_costs_the_same_for_any_number_of_orders(desk, day, django_assert_max_num_queries):
    desk.get(HERE)
    for number in range(12):
        rows.order(to=rows.vendor(f"V{number}", f"Vendor {number}"), due=day, status=OrderStatus.SENT)

    with django_assert_max_num_queries(25):
        desk.get(HERE)
