"""Pages are found by walking the addresses, so that no new one is forgotten."""

from __future__ import annotations

import pytest

from outsourcing import pages
from outsourcing.pages import Page, PageForgotten, all_pages
from tests.workbench import rows


def test_a_page_is_found_by_its_address_and_acts_and_parts_are_none():
    rows.company(), rows.site()
    user = rows.user("mara", "administrator")

    found = all_pages(user=user, only=["workbench:order_list", "workbench:approve", "workbench:jump"])

    assert found == [Page("workbench:order_list", "/orders/")]


def test_a_page_of_a_row_is_the_one_of_each_state_that_there_is():
    rows.company(), rows.site(), rows.operation()
    orders = [rows.order(), rows.order(status="closed")]

    found = all_pages(user=rows.user("mara", "administrator"), only=["workbench:order"], planning=False)

    shown = {page.address for page in found if page.name in ("workbench:order", "workbench:order-2")}
    assert shown == {f"/orders/{order.number}/" for order in orders}


def test_an_address_nobody_gave_an_example_of_is_refused(monkeypatch: pytest.MonkeyPatch):
    rows.company(), rows.site()
    monkeypatch.setattr(pages, "_examples", dict)

    with pytest.raises(PageForgotten) as forgotten:
        all_pages(user=rows.user("mara", "administrator"), only=["workbench:vendor"], planning=False)

    assert "workbench:vendor (/vendors/1/ 404)" in str(forgotten.value)
