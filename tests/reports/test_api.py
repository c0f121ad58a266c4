"""Reports over the API: JSON, CSV, the rows behind a figure, and who may read what."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Access, Role, User
from masterdata.models import Site, Vendor
from receipts import services as receipts
from reports.models import Measurement
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import goods

API = "/api/v1/reports/"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(moment(date(2026, 3, 20)), tick=False):
        yield


@pytest.fixture
def eyes(client: Client) -> Client:
    client.force_login(plans.boss())
    return client


@played
def received() -> None:
    line = goods.at_vendor()
    counted = goods.counted(line, 8, rejected=Decimal(2))
    receipts.post_receipt(
        vendor_id=line.vendor_id, note="DN-1", lines=[counted], by=plans.boss(), at=moment(date(2026, 3, 9))
    )


def figures(answer: dict[str, Any], row: int | None = None) -> dict[str, Any]:
    rows = answer["total"] if row is None else answer["rows"][row]["figures"]
    return {value["figure"]: value["value"] for value in rows}


def test_the_rows_that_have_no_vendor_or_work_center_can_be_had_alone(eyes: Client):
    received()
    asked = {"by": "work_center"}

    (group,) = eyes.get(API + "capacity/", asked).json()["rows"]
    rows = eyes.get(API + "capacity/rows/", {"figure": "late_pieces", "without": "work_center"}).json()["results"]
    none = eyes.get(API + "capacity/rows/", {"figure": "late_pieces", "without": "vendor,work_center"}).json()[
        "results"
    ]
    refused = eyes.get(API + "capacity/rows/", {"figure": "late_pieces", "without": "colour"})

    assert group["keys"] == {"work_center": None}
    assert [(row["document"], Decimal(row["of"])) for row in rows] == [("GR-00001", 10)]
    assert none == []
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


def test_every_report_names_its_figures_and_what_they_mean(eyes: Client):
    answer = eyes.get(API).json()

    assert [report["report"] for report in answer] == [
        "quality", "capacity", "efficiency", "vendor-scores", "material-at-vendors", "not-invoiced", "price-differences",
    ]  # fmt: skip
    assert all(figure["definition"] for report in answer for figure in report["figures"])


def test_a_report_is_grouped_narrowed_and_up_to_date(eyes: Client):
    received()

    answer = eyes.get(API + "quality/", {"by": "vendor,month", "from": "2026-03-01", "process": "Plating"}).json()

    assert answer["as_of"] == "2026-03-20T08:00:00Z"
    assert answer["rows"][0]["keys"] == {"vendor": "V1", "month": "2026-03-01"}
    assert answer["rows"][0]["names"] == {"vendor": "Vendor One"}
    assert Decimal(figures(answer, 0)["rejects_outside"]) == 200_000
    assert Decimal(figures(answer)["rejects_outside"]) == 200_000
    assert figures(answer)["rejects_inside"] is None


def test_what_lies_at_vendors_is_its_items_and_lots(eyes: Client):
    received()

    rows = eyes.get(API + "material-at-vendors/lying/", {"on": "2026-03-08", "vendor": "V1"}).json()
    table = eyes.get(API + "material-at-vendors/lying/", {"on": "2026-03-08", "format": "csv"}).content.decode()
    unknown = eyes.get(API + "material-at-vendors/lying/", {"colour": "blue"}).json()

    assert [(row["vendor"], row["item"], Decimal(row["quantity"]), Decimal(row["value"])) for row in rows] == [
        ("V1", "RM", 10, 1000)
    ]
    assert table.splitlines()[1].endswith(",10,1000")
    assert unknown["code"] == "unknown_parameter"


def test_a_report_is_a_table_as_well(eyes: Client):
    received()
    Vendor.objects.filter(code="V1").update(name="=HYPERLINK(1)")

    answer = eyes.get(API + "quality/", {"by": "vendor", "format": "csv"})

    assert answer["Content-Type"].startswith("text/csv")
    head, first = csv.reader(io.StringIO(answer.content.decode()))
    assert dict(zip(head, first, strict=True))["vendor_name"] == "'=HYPERLINK(1)"
    assert dict(zip(head, first, strict=True))["rejects_outside"] == "200000"
    assert dict(zip(head, first, strict=True))["rejects_outside_of"] == "10"


def test_the_rows_behind_a_figure_name_their_documents(eyes: Client):
    received()

    answer = eyes.get(API + "quality/rows/", {"figure": "rejects_outside", "vendor": "V1"}).json()

    (row,) = answer["results"]
    assert (row["document"], row["line_no"], row["day"]) == ("GR-00001", 1, "2026-03-09")
    assert (Decimal(row["amount"]), Decimal(row["of"])) == (2, 10)


def test_the_rows_behind_a_figure_come_by_day_and_page_by_page(eyes: Client):
    received()
    eyes.get(API + "quality/")
    earlier = Measurement.objects.get(figure="rejects_outside")
    for number, day in ((1, "2026-03-05"), (2, "2026-03-07")):
        earlier.pk, earlier.row_id, earlier.day = None, earlier.row_id + number, day
        earlier.save()

    first = eyes.get(API + "quality/rows/", {"figure": "rejects_outside", "limit": 2}).json()
    rest = eyes.get(first["next"]).json()["results"]

    assert [row["day"] for row in (*first["results"], *rest)] == ["2026-03-05", "2026-03-07", "2026-03-09"]


@pytest.mark.parametrize(
    ("address", "asked", "status", "code"),
    [
        ("nonsense/", {}, 404, "not_found"),
        ("quality/", {"by": "color"}, 422, "invalid"),
        ("quality/", {"by": "vendor,vendor"}, 422, "invalid"),
        ("quality/", {"from": "2026-03-02", "to": "2026-03-01"}, 422, "invalid"),
        ("quality/", {"from": "yesterday"}, 422, "invalid"),
        ("quality/", {"vendor": "V9"}, 422, "invalid"),
        ("quality/", {"vendors": "V1"}, 422, "unknown_parameter"),
        ("quality/rows/", {"figure": "hours_outside"}, 422, "invalid"),
        ("quality/rows/", {}, 422, "invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    eyes: Client, address: str, asked: dict[str, str], status: int, code: str
):
    answer = eyes.get(API + address, asked)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_site_and_a_vendor_see_their_own_figures_only(client: Client):
    received()
    other = Site.objects.create(code="OTHER")
    away = User.objects.create(username="away")
    Access.objects.create(user=away, role=Role.BUYER, site=other)
    dock = User.objects.create(username="dock")
    Access.objects.create(user=dock, role=Role.DOCK)

    client.force_login(away)
    assert client.get(API + "quality/", {"by": "vendor"}).json()["rows"] == []
    assert client.get(API + "quality/rows/", {"figure": "rejects_outside"}).json()["results"] == []
    client.force_login(dock)
    assert client.get(API + "quality/").status_code == 403


@pytest.mark.usefixtures("alone")
def test_a_report_costs_the_same_for_any_number_of_rows(eyes: Client, django_assert_max_num_queries):
    received()
    eyes.get(API + "quality/")

    with django_assert_max_num_queries(49):  # what is new is measured; after that sums and names
        eyes.get(API + "quality/", {"by": "vendor,process,month"})
