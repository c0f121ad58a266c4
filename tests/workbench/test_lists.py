"""What lists have in common: they come as files, and a person keeps views of them."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from masterdata.models import Vendor
from tests.workbench import rows
from workbench import services
from workbench.models import SavedView
from workbench.services import MOST_VIEWS, TooManyViews

LISTS = [
    "order_list", "worklist", "decision_list", "shipment_list", "receipt_list", "return_list", "balance_list", "alert_list",
    "invoice_list", "vendor_list",
]  # fmt: skip


def table_of(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_list_comes_as_a_file_with_its_columns_named(desk, name, kind):
    answer = desk.get(reverse(f"workbench:{name}"), {"format": kind})

    assert answer.status_code == 200
    assert f'.{kind}"' in answer["Content-Disposition"]
    if kind == "csv":
        head = table_of(answer)[0]
    else:
        head = [cell.value for cell in next(load_workbook(io.BytesIO(answer.content)).active.rows)]
    assert len(head) >= 9
    assert all(head)


def test_a_file_holds_all_that_the_filters_leave_not_one_page(desk):
    for _number in range(60):
        rows.order()

    every = table_of(desk.get("/orders/", {"format": "csv"}))
    none = table_of(desk.get("/orders/", {"format": "csv", "q": "nowhere"}))

    assert (len(every), len(none)) == (61, 1)


def test_a_text_that_looks_like_a_formula_stays_a_text(desk):
    rows.order()
    Vendor.objects.update(name="=1+1")

    plain = table_of(desk.get("/orders/", {"format": "csv"}))
    book = load_workbook(io.BytesIO(desk.get("/orders/", {"format": "xlsx"}).content))

    assert plain[1][4] == "'=1+1"
    cell = book.active.cell(2, 5)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_view_is_kept_shown_and_forgotten(desk, mara):
    kept = {"path": "/orders/", "query": "q=frame&status=sent&page=3", "name": " Frames  out "}

    answer = desk.post(reverse("workbench:save_view"), kept)

    view = SavedView.objects.get()
    assert (view.name, view.query, answer.url) == ("Frames out", "q=frame&status=sent", "/orders/?q=frame&status=sent")
    assert "Frames out" in desk.get("/orders/").content.decode()
    assert "Frames out" not in desk.get("/shipments/").content.decode()
    desk.post(reverse("workbench:forget_view"), {"view": view.pk})
    assert not SavedView.objects.exists()


def test_the_same_name_takes_the_place_of_the_view_it_had(mara):
    services.save_view(user=mara, path="/orders/", name="Mine", query="q=a")
    services.save_view(user=mara, path="/orders/", name="Mine", query="q=b")

    assert SavedView.objects.get().query == "q=b"


def test_a_person_keeps_so_many_views_of_a_list_and_no_more(mara):
    for number in range(MOST_VIEWS):
        services.save_view(user=mara, path="/orders/", name=f"View {number}", query="")

    with pytest.raises(TooManyViews):
        services.save_view(user=mara, path="/orders/", name="One more", query="")
    assert SavedView.objects.count() == MOST_VIEWS


def test_nobody_forgets_the_view_of_another(desk):
    other = services.save_view(user=rows.user("other"), path="/orders/", name="Theirs", query="")

    desk.post(reverse("workbench:forget_view"), {"view": other.pk})

    assert SavedView.objects.exists()


@pytest.mark.parametrize("wrong", [{"name": "x", "path": "//evil.example/"}, {"name": "", "path": "/orders/"}])
def test_a_view_of_nothing_or_without_a_name_is_refused(desk, wrong):
    answer = desk.post(reverse("workbench:save_view"), {"query": "", **wrong})

    assert not SavedView.objects.exists()
    assert "evil" not in answer.url
