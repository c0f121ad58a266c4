"""Report pages: charts, tables, what figures mean, the rows behind them, and who may look."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from reports import services as reports
from subcontract_orders.models import SubcontractOrder
from tests.workbench import goods, rows

PAGE = reverse("workbench:report", args=["quality"])


@pytest.fixture
def received() -> None:
    goods.receipt_of(goods.shipped_order(), accepted=36, rejected=Decimal(4))


@pytest.mark.usefixtures("received")
def test_a_report_shows_figures_chart_table_and_what_they_mean(desk: Client):
    page = unescape(desk.get(PAGE).content.decode())

    assert "100,000" in page  # 4 of 40
    assert "Pieces rejected, scrapped, sent back on inspection or returned later" in page
    chart = json.loads(unescape(re.search(r'data-chart="([^"]*)"', desk.get(PAGE).content.decode())[1]))
    assert chart["series"][0]["name"] == "Rejects outside"
    assert 100_000.0 in chart["series"][0]["values"]


@pytest.mark.usefixtures("received")
@pytest.mark.parametrize(("per", "said"), [("week", "Week of"), ("month", "Month"), ("century", "Month")])
def test_a_period_is_drawn_by_week_or_month_as_one_likes(desk: Client, per: str, said: str):
    page = desk.get(PAGE, {"per": per}).content.decode()

    assert f'<th scope="col">{said}</th>' in page


@pytest.mark.usefixtures("received")
def test_a_vendors_page_shows_his_score(desk: Client):
    desk.get(PAGE)  # what is new is measured then, or by the clock

    page = desk.get(reverse("workbench:vendor", args=[SubcontractOrder.objects.get().vendor.code])).content.decode()

    assert "100,000 ppm" in page


@pytest.mark.usefixtures("received")
def test_a_group_of_rows_that_have_none_leads_to_its_rows(desk: Client):
    page = desk.get(reverse("workbench:report", args=["capacity"]), {"by": "work_center"}).content.decode()
    found = re.search(r'href="([^"]*figure=late_pieces[^"]*without=work_center)"', page)

    assert reverse("workbench:receipt", args=["GR-00001"]) in desk.get(unescape(found[1])).content.decode()


@pytest.mark.usefixtures("received")
def test_a_figure_leads_to_its_rows_and_they_to_their_receipt(desk: Client):
    found = re.search(r'href="([^"]*rows/\?figure=rejects_outside[^"]*)"', desk.get(PAGE).content.decode())
    page = desk.get(unescape(found[1])).content.decode()

    assert reverse("workbench:receipt", args=["GR-00001"]) in page


@pytest.mark.usefixtures("received")
def test_a_report_is_loaded_as_a_file(desk: Client):
    answer = desk.get(PAGE, {"as": "csv", "by": "vendor"})

    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines()[0].startswith("vendor,vendor_name,rejects_outside")


@pytest.mark.usefixtures("received")
@pytest.mark.parametrize(
    "asked", [{"from": "2027-01-01", "to": "2026-01-01"}, {"vendor": "NOBODY"}, {"from": "soon", "by": "x"}]
)
def test_what_cannot_be_read_still_shows_a_page(desk: Client, asked: dict[str, str]):
    assert desk.get(PAGE, asked).status_code == 200


def test_reports_without_any_row_say_so(desk: Client):
    assert "Nothing was measured" in desk.get(PAGE).content.decode()
    assert desk.get(reverse("workbench:report_list")).status_code == 200
    assert desk.get(reverse("workbench:report", args=["nonsense"])).status_code == 404
    assert desk.get(reverse("workbench:report_rows", args=["quality"]), {"figure": "untouched"}).status_code == 404


def test_the_dock_sees_no_reports(client: Client):
    client.force_login(rows.user("dora", Role.DOCK))

    assert client.get(PAGE).status_code == 403
    assert client.get(reverse("workbench:report_list")).status_code == 403


@pytest.mark.usefixtures("received")
def test_a_report_page_costs_the_same_for_any_number_of_rows(desk: Client, django_assert_max_num_queries):
    desk.get(PAGE)
    reports.keeping.Feed.objects.update(done_id=10**9)

    with django_assert_max_num_queries(23):
        desk.get(PAGE)


@pytest.mark.usefixtures("received")
def test_what_is_not_invoiced_is_a_report_that_leads_to_the_receipt(desk: Client):
    page = desk.get(reverse("workbench:report", args=["not-invoiced"])).content.decode()
    found = re.search(r'href="([^"]*rows/\?figure=not_invoiced[^"]*)"', page)

    assert "Work that receipts owe" in unescape(page)
    assert reverse("workbench:receipt", args=["GR-00001"]) in desk.get(unescape(found[1])).content.decode()
    table = desk.get(reverse("workbench:report", args=["price-differences"]), {"as": "csv"}).content.decode()
    assert table.startswith("vendor,vendor_name,price_difference,")


def test_material_at_vendors_leads_to_what_lies_there(desk: Client):
    order = goods.shipped_order()
    there = reverse("workbench:report_lying")
    assert there in desk.get(reverse("workbench:report", args=["material-at-vendors"])).content.decode()

    page = desk.get(there, {"vendor": order.vendor.code}).content.decode()
    table = desk.get(there, {"as": "csv"}).content.decode().splitlines()

    assert reverse("workbench:balance", args=[order.vendor.code]) in page
    assert table[0] == "vendor,vendor_name,site,item,item_name,lot,stage,quantity,value"
    assert len(table) > 1


@pytest.mark.usefixtures("received")
@pytest.mark.parametrize(
    "asked", [{"from": "2026-02-30"}, {"from": "2026-05-02", "to": "2026-05-01"}, {"vendor": "NOBODY"}]
)
def test_a_period_that_is_none_is_said_and_never_taken_for_another(desk: Client, asked: dict[str, str]):
    page = desk.get(PAGE, asked)
    rows = desk.get(reverse("workbench:report_rows", args=["quality"]), {"figure": "rejects_outside", **asked})
    lying = desk.get(reverse("workbench:report_lying"), asked)

    assert 'role="alert"' in page.content.decode()
    assert (page.status_code, rows.status_code) == (200, 404)
    assert lying.status_code == 404
