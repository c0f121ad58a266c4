"""Figures as they are after real acts: each measured once, on its day, and equal to its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.refusals import InvalidInput
from documents import services as documents
from inventory.models import Balance
from invoices import services as invoices
from masterdata.models import Company, Site
from production import services as production
from production.models import Operation
from receipts import services as receipts
from reports import services
from reports.models import Measurement, MonthEnd, Rollup
from reports.rules.figures import REPORTS
from reports.services import Line, keeping
from subcontract_orders import services as orders
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.invoices import bills
from tests.receipts import goods

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def report(
    name: str, *, by: Sequence[str] = (), today: date = date(2026, 12, 31), narrowed: Mapping[str, str] | None = None,
    first: date = YEAR[0], last: date = YEAR[1],
) -> Any:  # fmt: skip
    services.keep_up(at=moment(today), thorough=True)
    question = services.ask(REPORTS[name], first=first, last=last, by=by, narrowed=narrowed or {}, today=today)
    return services.answer(REPORTS[name], question, viewer=plans.boss())


def values(line: Line, figure: str) -> tuple[Decimal | None, Decimal, Decimal]:
    found = line[figure]
    return found.value, found.amount, found.base


def receive(line: Any, note: str, day: date, accepted: Any = 0, **counts: Any) -> Any:
    counted = goods.counted(line, accepted, **{name: Decimal(count) for name, count in counts.items()})
    return receipts.post_receipt(vendor_id=line.vendor_id, note=note, lines=[counted], by=plans.boss(), at=moment(day))


def test_two_bad_pieces_of_ten_are_200_000_parts_per_million():
    line = goods.at_vendor()

    receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)

    assert values(report("quality").total, "rejects_outside") == (200_000, 2, 10)
    assert values(report("quality").total, "rejects_inside") == (None, 0, 0)
    assert differences() == []


def test_a_reversed_receipt_was_never_measured():
    line = goods.at_vendor()
    receipt = receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)
    report("quality")

    receipts.reverse_receipt(receipt_id=receipt.pk, by=plans.boss(), at=moment(date(2026, 3, 10)))

    assert values(report("quality").total, "rejects_outside") == (None, 0, 0)
    assert not Rollup.objects.filter(figure="rejects_outside").exists()
    assert differences() == []


def test_a_correction_changes_the_figure_of_the_receipts_own_day():
    line = goods.at_vendor()
    receipt = receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)
    report("quality")

    receipts.correct_receipt(
        receipt_id=receipt.pk, line_no=1, accepted=Decimal(9), rejected=Decimal(1), reason="counted again", by=plans.boss(),
        at=moment(date(2026, 5, 4)),
    )  # fmt: skip

    (march,) = report("quality", by=("month",)).lines
    assert march.keys == {"month": date(2026, 3, 1)}
    assert values(march, "rejects_outside") == (100_000, 1, 10)
    assert differences() == []


def test_a_line_is_on_time_when_enough_came_by_its_date_and_in_full_when_that_was_good():
    line = goods.at_vendor()
    receive(line, "DN-1", line.need_date - timedelta(3), 4)
    receive(line, "DN-2", line.need_date, 4, rejected=2)

    score = report("vendor-scores", by=("vendor",)).lines[0]

    assert score.keys == {"vendor": "V1"}
    assert values(score, "on_time_need") == (100, 1, 1)
    assert values(score, "in_full") == (0, 0, 1)
    assert differences() == []


def test_a_line_still_open_is_late_from_the_day_after_its_need_date_on():
    line = goods.at_vendor()
    receive(line, "DN-1", MONDAY, 9)

    on_the_day = report("vendor-scores", today=line.need_date).total
    day_after = report("vendor-scores", today=line.need_date + timedelta(1)).total

    assert values(on_the_day, "on_time_need") == (None, 0, 0)
    assert values(day_after, "on_time_need") == (0, 0, 1)


def test_a_need_date_moved_by_a_revision_judges_the_line_anew():
    line = goods.at_vendor()
    receive(line, "DN-1", line.need_date + timedelta(2), 4)
    assert values(report("vendor-scores").total, "on_time_need") == (0, 0, 1)
    assert values(report("capacity").total, "late_pieces") == (100, 4, 4)

    documents.revise_line(
        order_id=line.order_id, line_no=1, need_date=line.need_date + timedelta(7), by=plans.boss(),
        at=moment(line.need_date + timedelta(3)),
    )  # fmt: skip
    receive(line, "DN-2", line.need_date + timedelta(5), 6)

    assert values(report("vendor-scores").total, "on_time_need") == (100, 1, 1)
    assert values(report("capacity").total, "late_pieces") == (0, 0, 10)
    assert differences() == []


def test_turn_time_runs_from_sending_to_the_receipt_that_completes_the_line():
    line = goods.at_vendor()
    receive(line, "DN-1", MONDAY + timedelta(4), 3)
    receive(line, "DN-2", MONDAY + timedelta(9), 7)

    found = report("vendor-scores").total["turn_days"]

    assert (found.value, found.percentile_90, found.rows) == (9, 9, 1)


def test_an_unanswered_order_counts_as_not_confirmed_once_the_grace_days_are_over():
    goods.at_vendor()

    assert values(report("vendor-scores", today=MONDAY + timedelta(2)).total, "confirmed") == (None, 0, 0)
    assert values(report("vendor-scores", today=MONDAY + timedelta(3)).total, "confirmed") == (0, 0, 1)

    orders.acknowledge_order(order_id=plans.order(1).pk, by=plans.boss(), at=moment(MONDAY + timedelta(1)))

    assert values(report("vendor-scores", today=MONDAY + timedelta(1)).total, "confirmed") == (100, 1, 1)


def test_orders_that_approve_and_send_themselves_are_untouched():
    plans.base(
        policies=[
            {"code": "P", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "none",
             "auto_approve_up_to": "1500", "auto_send": "yes"}
        ]
    )  # fmt: skip
    plans.plan("P1", "FG", 10, "2026-03-20")
    plans.plan("P2", "FG", 20, "2026-03-20")
    plans.generate()
    documents.send_due_orders(at=moment(MONDAY + timedelta(1)))
    unsent = plans.order(2) if plans.order(2).sent_at is None else plans.order(1)
    documents.approve_set(order_id=unsent.pk, by=plans.boss(), at=moment())
    documents.send_set(order_id=unsent.pk, by=plans.boss(), at=moment())

    assert values(report("efficiency").total, "untouched") == (50, 1, 2)
    assert differences() == []


def test_work_given_to_vendors_leaves_the_load_of_our_own_work_centers():
    plans.base(
        work_centers=[{"code": "OWN", "kind": "internal", "capacity_hours_per_day": 8, "hourly_cost": 60}],
        routings=[
            {"item": "FG", "operation_no": "10", "name": "Plating", "work_center": "OWN", "setup_minutes": 60,
             "run_minutes_per_unit": 6, "outsourced": "maybe"}
        ],
        policies=[
            {"code": "PLATE", "process": "Plating", "quantity_from": 50, "verdict": "outsource", "vendors": ["V1"]}
        ],
    )  # fmt: skip
    plans.plan("P1", "FG", 10, "2026-03-20")
    plans.plan("P2", "FG", 50, "2026-03-20")
    plans.generate()
    plans.send(1)

    total = report("capacity", by=("work_center",)).lines[0]

    assert total.keys == {"work_center": "OWN"}
    assert total["load_before"].value == 8  # 60 + 10 × 6 and 60 + 50 × 6 minutes
    assert total["load_after"].value == 2
    assert total["hours_outside"].value == 6
    assert differences() == []

    plans.plan("P2", "FG", 50, "2026-03-27")  # what a vendor was asked for stands on other days of our own work center

    assert differences() == []


def test_pieces_reported_in_house_stand_beside_those_from_outside():
    plans.base(
        routings=[{"item": "FG", "operation_no": "10", "name": "Plating", "work_center": "WC-IN", "outsourced": "no"}]
    )
    plans.plan(
        "P1",
        "FG",
        10,
        "2026-03-20",
    )
    operation = Operation.objects.get(production_order__number="P1")
    production.report_operation(
        operation_id=operation.pk, good=Decimal(9), scrap=Decimal(1), by=plans.boss(), at=moment(date(2026, 3, 5))
    )

    (line,) = report("quality", by=("process",)).lines
    assert values(line, "rejects_inside") == (100_000, 1, 10)
    assert differences() == []


def test_what_lies_at_vendors_is_carried_from_week_to_week():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 18), 4)

    weeks = report("material-at-vendors", by=("week",), first=MONDAY, last=date(2026, 3, 22)).lines

    assert [(week.keys["week"].day, week["at_vendors"].value) for week in weeks] == [(2, 1000), (9, 1000), (16, 600)]
    assert report("material-at-vendors", last=date(2026, 3, 17)).total["at_vendors"].value == 1000
    assert report("material-at-vendors").total["at_vendors"].value == 600
    assert differences() == []


def test_what_stands_says_how_many_rows_it_is_made_of_also_over_time():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 18), 4)

    answer = report("material-at-vendors", by=("week",), first=MONDAY, last=date(2026, 3, 22))

    assert [week["at_vendors"].rows for week in answer.lines] == [1, 1, 2]
    assert answer.total["at_vendors"].rows == report("material-at-vendors").total["at_vendors"].rows == 2


def test_an_invoice_that_was_held_first_did_not_match_alone():
    line = goods.at_vendor()
    early = bills.enter(bills.asked(line, 10, 100))
    assert bills.held(early)
    receive(line, "DN-1", date(2026, 3, 9), 10)

    assert bills.match(early).status == "matched"

    assert values(report("efficiency").total, "invoices_alone") == (0, 0, 1)
    assert differences() == []


def test_what_has_happened_at_a_site_whose_day_has_begun_is_in_what_stands_today():
    line = goods.at_vendor()
    night = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    Site.objects.filter(code="MAIN").update(time_zone="Asia/Tokyo")
    said = {"vendor_id": line.vendor_id, "note": "DN-1", "by": plans.boss(), "at": night}
    receipts.post_receipt(lines=[goods.counted(line, 10)], **said)
    services.keep_up(at=night, thorough=True)

    days = {
        (name, site): services.today_of(REPORTS[name], site=site, at=night)
        for name in ("not-invoiced", "vendor-scores") for site in ("", "MAIN")
    }  # fmt: skip

    april, march = date(2026, 4, 1), date(2026, 3, 31)
    assert days == {
        ("not-invoiced", ""): april, ("not-invoiced", "MAIN"): april,
        ("vendor-scores", ""): march, ("vendor-scores", "MAIN"): april,
    }  # fmt: skip
    assert report("not-invoiced", today=april).total["not_invoiced"].value == invoices.total_not_invoiced() == 1000


def test_what_lay_at_vendors_on_a_day_is_its_items_and_together_the_figure():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 18), 4)

    for day, quantity, value in ((date(2026, 3, 17), 10, 1000), (date(2026, 3, 18), 6, 600)):
        (row,) = services.lying_at_vendors(on=day, narrowed={}, viewer=plans.boss())
        assert (row.vendor, row.item, row.lot, row.quantity, row.value) == ("V1", "RM", "", quantity, value)
        assert report("material-at-vendors", last=day).total["at_vendors"].value == value
    assert row.quantity == Balance.objects.at_vendors().get().quantity
    with pytest.raises(InvalidInput, match="There is no site NOWHERE"):
        services.lying_at_vendors(on=date(2026, 3, 17), narrowed={"site": "NOWHERE"}, viewer=plans.boss())
    assert services.lying_at_vendors(on=MONDAY - timedelta(days=1), narrowed={}, viewer=plans.boss()) == []


def lay(day: date) -> list[tuple[str, Decimal, Decimal]]:
    found = services.lying_at_vendors(on=day, narrowed={}, viewer=plans.boss())
    return [(row.item, row.quantity, row.value) for row in found]


def month_ends_kept() -> list[tuple[date, Decimal]]:
    return list(MonthEnd.objects.order_by("day").values_list("day", "quantity"))


def test_what_lay_at_vendors_begins_with_the_end_of_the_month_before():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 18), 4)
    receive(line, "DN-2", date(2026, 5, 6), 3)
    june = moment(date(2026, 6, 10))
    days = [date(2026, month, day) for month in (2, 3, 4, 5, 6) for day in (17, 18, 28, 30) if (month, day) != (2, 30)]
    by_all_movements = [lay(day) for day in (*days, date(2026, 3, 31), date(2026, 5, 31))]

    services.rebuild(at=june)

    assert month_ends_kept() == [(date(2026, 3, 31), 6), (date(2026, 4, 30), 6), (date(2026, 5, 31), 3)]
    assert [lay(day) for day in (*days, date(2026, 3, 31), date(2026, 5, 31))] == by_all_movements
    assert services.prove(at=june)[1] == []
    with CaptureQueriesContext(connection) as asked:
        lay(date(2026, 6, 10))
    assert (
        sum("2026-05-3" in query["sql"] for query in asked.captured_queries) == 3
    )  # the month end, what came, what went


@pytest.mark.usefixtures("alone")
def test_what_is_known_late_of_a_month_is_in_its_end_and_all_after_it():
    line = goods.at_vendor()
    services.rebuild(at=moment(date(2026, 6, 10)))
    assert [quantity for _, quantity in month_ends_kept()] == [10, 10, 10]

    receive(line, "DN-1", date(2026, 4, 18), 4)
    services.keep_up(at=moment(date(2026, 6, 10)))

    assert month_ends_kept() == [(date(2026, 3, 31), 10)]
    assert [lay(date(2026, 4, 17)), lay(date(2026, 5, 30))] == [[("RM", 10, 1000)], [("RM", 6, 600)]]
    services.keep_up(at=moment(date(2026, 6, 10)), thorough=True)
    assert [quantity for _, quantity in month_ends_kept()] == [10, 6, 6]
    assert services.prove(at=moment(date(2026, 6, 10)))[1] == []


@pytest.mark.usefixtures("alone")
def test_a_month_is_kept_when_it_is_over_everywhere_and_the_check_finds_what_it_should_not_be():
    goods.at_vendor()
    services.rebuild(at=moment(date(2026, 4, 1)))
    assert month_ends_kept() == []
    services.keep_up(at=moment(date(2026, 4, 2)), thorough=True)
    assert month_ends_kept() == [(date(2026, 3, 31), 10)]

    MonthEnd.objects.update(quantity=11)

    found = services.prove(at=moment(date(2026, 4, 2)))[1]
    assert {(one.check, one.stored) for one in found} == {
        ("month end equals its movements", "missing"), ("month end equals its movements", "too much"),
    }  # fmt: skip


def test_what_is_received_and_not_invoiced_stands_from_receipt_to_invoice_and_ties_to_the_rows():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 2), 8, rejected=2)
    assert report("not-invoiced").total["not_invoiced"].value == 1000
    bills.paid(bills.asked(line, 8, 101))  # on 9 March
    invoices.charge_back(
        order_line_id=line.pk, kind="unpaid_work", reason="bad", by=bills.clerk(), at=moment(date(2026, 3, 20))
    )

    weeks = report("not-invoiced", by=("week",), first=MONDAY, last=date(2026, 3, 22)).lines

    assert [week["not_invoiced"].value for week in weeks] == [1000, 200, 0]
    assert report("not-invoiced", by=("vendor",)).total["not_invoiced"].value == invoices.total_not_invoiced() == 0
    differing = report("price-differences").total
    assert [value.amount for value in differing.values] == [8, 0, 8, 0]
    assert differences() == []


def test_a_charge_back_let_go_and_a_reversed_receipt_leave_nothing_not_invoiced():
    line = goods.at_vendor()
    receipt = receive(line, "DN-1", date(2026, 3, 2), 8, rejected=2)
    one = invoices.charge_back(
        order_line_id=line.pk, kind="unpaid_work", reason="bad", by=bills.clerk(), at=moment(date(2026, 3, 3))
    )
    assert report("not-invoiced").total["not_invoiced"].value == 800

    said = {"by": bills.clerk(), "at": moment(date(2026, 3, 4))}
    invoices.decide_charge_back(charge_back_id=one.pk, status="waived", reason="He was right", **said)

    assert report("not-invoiced").total["not_invoiced"].value == 1000
    goods.reverse(receipt)
    assert report("not-invoiced").total["not_invoiced"].value == 0 == invoices.total_not_invoiced()
    assert differences() == []


def test_measuring_again_and_from_the_beginning_gives_the_same():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)
    services.keep_up(at=moment(), thorough=True)
    kept = rows()

    services.keep_up(at=moment(), thorough=True)
    assert rows() == kept

    services.rebuild(at=moment())
    assert rows() == kept


def test_the_check_finds_a_sum_and_a_measurement_that_are_not_their_rows():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)
    services.keep_up(at=moment(), thorough=True)
    Measurement.objects.filter(figure="rejects_outside").update(amount=1)
    Rollup.objects.filter(figure="late_pieces", grain="day").update(count=7)

    found = {difference.check for difference in services.check()[1]}

    assert found == {"measurement equals its row", "rollup equals its measurements"}


def test_the_commands_take_all_figures_anew_and_prove_them(capsys: pytest.CaptureFixture[str]):
    line = goods.at_vendor()
    receipt = receive(line, "DN-1", date(2026, 3, 9), 8, rejected=2)
    one = bills.paid(bills.asked(line, 4, 101))
    bills.credit(one, bills.asked(line, 4, 1))
    said = {"by": plans.boss(), "at": moment(date(2026, 4, 1)), "reason": "counted again"}
    receipts.correct_receipt(receipt_id=receipt.pk, line_no=1, accepted=Decimal(9), rejected=Decimal(1), **said)

    call_command("rebuild_reports")
    call_command("check_reports")
    assert ", 0 differences." in capsys.readouterr().out

    Rollup.objects.filter(figure="price_difference", grain="day").update(amount=7)
    with pytest.raises(SystemExit):
        call_command("check_reports")
    assert "rollup equals its measurements: price_difference day 2026-03-09" in capsys.readouterr().out


def test_another_time_zone_has_everything_measured_anew():
    line = goods.at_vendor()
    counted = goods.counted(line, 10)
    late = moment(date(2026, 3, 9)).replace(hour=23)
    receipts.post_receipt(vendor_id=line.vendor_id, note="DN-1", lines=[counted], by=plans.boss(), at=late)
    assert report("quality", by=("day",)).lines[0].keys == {"day": date(2026, 3, 9)}

    Company.objects.update(time_zone="Asia/Tokyo")

    assert report("quality", by=("day",)).lines[0].keys == {"day": date(2026, 3, 10)}


def test_invoices_and_changes_of_one_process_are_narrowed_to_it():
    plans.base(
        processes=[{"code": "OTHER", "name": "Other"}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.plan("P1", "FG", 12, "2026-04-30")
    plans.generate()
    plans.send(1)
    goods.ship(1)
    receive(plans.line(1), "DN-1", date(2026, 3, 9), 12)
    bills.match(bills.enter(bills.asked(plans.line(1), 12, 100)))
    mine = {"process": plans.line(1).process.code}

    of_mine, of_other = (report("efficiency", narrowed=asked).total for asked in (mine, {"process": "OTHER"}))

    assert (values(of_mine, "invoices_alone"), values(of_mine, "changes_caught")) == ((100, 1, 1), (100, 1, 1))
    assert (values(of_other, "invoices_alone"), values(of_other, "changes_caught")) == ((None, 0, 0), (None, 0, 0))
    assert differences() == []


def test_invoices_that_match_alone_and_what_they_ask_above_the_agreed_price():
    line = goods.at_vendor()
    receive(line, "DN-1", date(2026, 3, 9), 10)
    bills.approve(bills.match(bills.enter(bills.asked(line, 4, 100), number="A")))
    dear = bills.match(bills.enter(bills.asked(line, 6, 110), number="B"))
    assert dear.status == "held"
    bills.release(dear, by=bills.clerk("other"))
    bills.approve(dear)

    assert values(report("efficiency").total, "invoices_alone") == (50, 1, 2)
    assert values(report("vendor-scores").total, "price_variance") == (6, 60, 1000)
    assert differences() == []


def rows() -> list[tuple[Any, ...]]:
    return sorted(
        Rollup.objects.values_list("figure", "grain", "day", "vendor", "value", "count", "amount", "base"), key=str
    )


def differences() -> list[Any]:
    services.keep_up(at=moment(), thorough=True)
    return services.check()[1]


def test_nothing_new_costs_few_queries(django_assert_max_num_queries):
    goods.at_vendor()
    services.keep_up(at=moment(), thorough=True)
    keeping.Feed.objects.update(done_id=10**12, seen_id=10**12)

    with django_assert_max_num_queries(6):  # savepoint, lock, feeds, company, last numbers, release
        services.keep_up(at=moment())
