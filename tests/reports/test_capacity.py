"""Hours moved outside and the load of our own work centers, before and after: they follow the pieces, also once they are back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from documents import services as documents
from production import services as production
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts import goods
from tests.reports.test_figures import differences, receive, report

OWN = {"kind": "internal", "capacity_hours_per_day": 8, "hourly_cost": 60}
CAME = date(2026, 3, 9)
HARDENING = {"item": "FG", "operation_no": "10", "name": "Hardening", "work_center": "A", "setup_minutes": 60,
             "run_minutes_per_unit": 6, "outsourced": "maybe"}  # fmt: skip
"""60 + 10 × 6 minutes: two hours for ten pieces."""
ZINC = {"item": "FG", "operation_no": "20", "name": "Zinc plating", "work_center": "B", "run_minutes_per_unit": 12,
        "outsourced": "maybe"}  # fmt: skip
"""10 × 12 minutes: two hours as well."""


def ordered(*, routings: Any, policies: Any, prices: Any) -> None:
    plans.base(
        work_centers=[{"code": "A", **OWN}, {"code": "B", **OWN}], routings=routings, policies=policies,
        prices=[{"vendor": "V1", "item": "FG", "currency": "EUR", "unit_price": 2, "lead_days": 5, **price} for price in prices],
    )  # fmt: skip
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)


def one_step() -> Any:
    ordered(
        routings=[HARDENING],
        policies=[{"code": "PLATE", "process": "Hardening", "verdict": "outsource", "vendors": ["V1"]}],
        prices=[{"operation_name": "Hardening"}],
    )
    goods.ship(1)
    return plans.line(1)


def hours(by: str = "work_center") -> dict[Any, tuple[Decimal | None, ...]]:
    """Hours moved outside, load before and load after."""
    assert differences() == []
    lines = [line for line in report("capacity", by=(by,)).lines if line.keys[by]]
    return {
        line.keys[by]: tuple(line[name].value for name in ("hours_outside", "load_before", "load_after"))
        for line in lines
    }


def test_operations_bought_together_move_the_hours_of_each():
    ordered(
        routings=[HARDENING, ZINC],
        policies=[
            {"code": "HT", "process": "Hardening", "verdict": "outsource", "vendors": ["V1"]},
            {"code": "ZN", "process": "Zinc plating", "verdict": "outsource", "vendors": ["V1"]},
        ],
        prices=[{"processes": "Hardening|Zinc plating"}],
    )

    assert hours() == {"A": (2, 2, 0), "B": (2, 2, 0)}
    assert hours(by="process") == {"Hardening": (2, 2, 0), "Zinc plating": (2, 2, 0)}


def test_an_order_bought_complete_moves_the_hours_of_all_its_operations():
    ordered(
        routings=[HARDENING, {**ZINC, "work_center": "A"}],
        policies=[{"code": "BUY", "item": "FG", "verdict": "buy_complete", "vendors": ["V1"]}],
        prices=[{}],
    )

    assert hours() == {"A": (4, 4, 0)}


@pytest.mark.parametrize("counts", [{"accepted": 4}, {"accepted": 7, "rejected": 2}, {"accepted": 8, "rejected": 2}])
def test_load_after_stays_what_it_was_while_pieces_come_back_and_when_all_are(counts: dict[str, int]):
    line = one_step()
    assert hours() == {"A": (2, 2, 0)}
    receipt = receive(line, "DN-1", CAME, **counts)

    plans.generate(CAME)

    assert hours() == {"A": (2, 2, 0)}
    goods.reverse(receipt)
    plans.generate(CAME)
    assert hours() == {"A": (2, 2, 0)}


def test_pieces_that_never_come_and_are_ordered_again_are_moved_once():
    line = one_step()
    receive(line, "DN-1", CAME, 8)
    documents.close_set(order_id=line.order_id, leftovers="keep", by=plans.boss(), at=moment(CAME))
    assert hours()["A"][0] == Decimal("1.6")  # 8 of 10 pieces

    plans.generate(CAME)
    plans.send(2)

    assert hours() == {"A": (2, 2, 0)}


def test_the_rest_that_is_made_here_after_all_is_load_of_ours():
    line = one_step()
    receive(line, "DN-1", CAME, 8)
    documents.close_set(order_id=line.order_id, leftovers="keep", by=plans.boss(), at=moment(CAME))
    plans.word("P1", "10", "in_house")
    plans.generate(CAME)
    assert hours() == {"A": (Decimal("1.6"), 2, Decimal("0.4"))}

    production.report_operation(operation_id=goods.operation().pk, good=Decimal(2), by=plans.boss(), at=moment(CAME))
    plans.generate(CAME)

    assert hours() == {"A": (Decimal("1.6"), 2, Decimal("0.4"))}


def test_what_was_made_here_stays_in_the_load_of_its_day_when_it_is_finished():
    plans.base(
        work_centers=[{"code": "A", **OWN}], routings=[{**HARDENING, "outsourced": "no"}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}],
    )  # fmt: skip
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()

    production.report_operation(operation_id=goods.operation().pk, good=Decimal(10), by=plans.boss(), at=moment(CAME))
    plans.generate(CAME)

    assert hours() == {"A": (None, 2, 2)}


@pytest.mark.parametrize(
    ("figure", "address"), [("hours_outside", "/orders/SC-00001/"), ("load_after", "/costs/of/P1/")]
)
def test_hours_lead_to_the_order_they_are_of(client: Client, figure: str, address: str):
    one_step()
    assert differences() == []
    client.force_login(plans.boss())
    period = {"from": "2026-03-01", "to": "2026-05-31"}

    page = client.get("/reports/capacity/rows/", {"figure": figure, **period}).content.decode()

    assert f'href="{address}"' in page
    assert client.get(address).status_code == 200
