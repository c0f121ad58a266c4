"""The demo: plans moved to today, our policies around them, a user for each role, and the same again changes nothing."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from accounts.models import User
from core.refusals import Refusal
from outsourcing import demo
from outsourcing.management.commands.demo import Command
from policies.models import Decision, Policy, Verdict
from production.models import ProductionOrder
from subcontract_orders.models import SubcontractOrder

ON = date(2026, 6, 1)
AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


def plan_due(*days: str, status: str = "planned") -> demo.Tables:
    return {
        "production_orders": [
            {"number": f"P{number}", "due": day, "status": status} for number, day in enumerate(days, start=1)
        ]
    }


@pytest.mark.no_database
@pytest.mark.parametrize("today", [ON + timedelta(days=day) for day in range(8)])
def test_a_plan_moves_by_whole_weeks_to_a_first_due_day_ahead(today):
    moved = demo.move_to_today(plan_due("2020-03-05", "2020-01-02"), on=today, ahead=21)

    assert moved % 7 == 0
    assert 21 <= (date(2020, 1, 2) + timedelta(days=moved) - today).days <= 27


@pytest.mark.no_database
def test_a_plan_of_the_future_moves_back():
    assert demo.move_to_today(plan_due("2026-08-31"), on=ON, ahead=21) == -70


@pytest.mark.no_database
def test_a_plan_with_nothing_left_to_make_does_not_move():
    assert demo.move_to_today(plan_due("2020-01-02", status="done"), on=ON, ahead=21) == 0


@pytest.mark.no_database
def test_every_day_of_a_plan_moves_alike_and_what_is_blank_stays_blank():
    plan = plan_due("2026-01-05") | {
        "prices": [{"valid_from": "2025-12-29", "valid_to": ""}],
        "company": [{"name": "X"}],
        "stock": [{"as_of": "2026-01-05T06:00:00Z"}],
        "calendars": [{"date": "2026-01-05", "end": "2026-01-09"}],
        "open_orders": [{"promised_date": "2026-02-02", "need_date": "soon"}],
    }

    moved = demo.moved(plan, days=14)

    assert moved["production_orders"][0]["due"] == "2026-01-19"
    assert moved["prices"] == [{"valid_from": "2026-01-12", "valid_to": ""}]
    assert moved["company"] == [{"name": "X"}]
    assert moved["stock"] == [{"as_of": "2026-01-19T06:00:00Z"}]
    assert moved["calendars"] == [{"date": "2026-01-19", "end": "2026-01-23"}]
    assert moved["open_orders"] == [{"promised_date": "2026-02-16", "need_date": "soon"}]


@pytest.mark.no_database
def test_our_rows_replace_columns_of_the_plans_rows_and_stand_beside_the_others():
    part = {"parent": "A", "component": "C", "operation_no": "10", "supply": "own"}
    plan: demo.Tables = {
        "items": [{"code": "A", "name": "Axle", "item_group": ""}],
        "boms": [part, {**part, "component": "D"}],
    }
    ours = {"items": [{"code": "A", "item_group": "G"}, {"code": "B"}], "policies": [{"code": "P"}]}

    demo.with_ours(plan, {**ours, "boms": [{**part, "supply": "direct"}]})

    assert [row["supply"] for row in plan["boms"]] == ["direct", "own"]
    assert plan["items"] == [{"code": "A", "name": "Axle", "item_group": "G"}, {"code": "B"}]
    assert plan["policies"] == [{"code": "P"}]


@pytest.mark.no_database
def test_every_plan_of_ours_has_its_licence_and_says_where_it_comes_from():
    assert demo.names() == ["adventureworks", "ambrosia-pie", "bc-contoso", "bc-cronus", "frepple-manufacturing"]
    for name in demo.names():
        assert (demo.FOLDER / name / "LICENSE.source.txt").is_file()
        assert (demo.FOLDER / name / "PROVENANCE.md").is_file()
        assert demo.made_up(name)["about"].startswith("Made up for the demo")


@pytest.mark.slow
def test_adventureworks_shows_every_verdict_and_orders_with_a_reason():
    made = demo.make_demo(data="adventureworks", at=AT, on=ON)

    assert (made.figures["outsource"], made.figures["review"], made.figures["blocked"]) == (123, 1, 8)
    assert made.blocked_by == {"no_price": 8}
    assert made.figures["operations"] == sum(made.figures[verdict] for verdict in Verdict.values)
    assert made.figures["lines"] == 123
    assert SubcontractOrder.objects.count() == made.figures["orders"]
    assert all(Decision.objects.current().values_list("reasons", flat=True))
    said = json.dumps(list(Decision.objects.current().filter(verdict="outsource").values_list("reasons", flat=True)))
    assert "approval_expired" in said


def test_a_second_time_changes_nothing_whatever_the_day_and_keeps_what_people_changed():
    first = demo.make_demo(data="bc-contoso", at=AT, on=ON)
    Policy.objects.filter(code="BODY").update(name="Renamed by a planner")
    dues = list(ProductionOrder.objects.order_by("pk").values_list("due_date", flat=True))

    second = demo.make_demo(data="bc-contoso", at=AT + timedelta(days=1), on=ON + timedelta(days=1))

    assert first.figures["created"] == 3
    assert (second.figures["created"], second.figures["changed"], second.figures["cancelled"]) == (0, 0, 0)
    assert (second.loaded, second.moved_days) == (False, first.moved_days)
    assert list(ProductionOrder.objects.order_by("pk").values_list("due_date", flat=True)) == dues
    assert Policy.objects.get(code="BODY").name == "Renamed by a planner"
    assert User.objects.count() == len(demo.USERS)


@pytest.mark.slow
@pytest.mark.parametrize("data", ["bc-cronus", "ambrosia-pie", "frepple-manufacturing"])
def test_the_other_plans_make_orders_too(data):
    made = demo.make_demo(data=data, at=AT, on=ON)

    assert made.figures["outsource"] > 0
    assert made.figures["orders"] > 0


def test_a_folder_is_loaded_again_and_moved_as_the_first_time(tmp_path: Path):
    folder = tmp_path / "plan"
    shutil.copytree(demo.FOLDER / "bc-contoso", folder)
    first = demo.make_demo(data=str(folder), at=AT, on=ON)
    rows = (folder / "production_orders.csv").read_text().replace("CC-002,SP-SCM1009,10", "CC-002,SP-SCM1009,12")
    (folder / "production_orders.csv").write_text(rows)

    again = demo.make_demo(data=str(folder), at=AT + timedelta(days=9), on=ON + timedelta(days=9))

    assert again.moved_days == first.moved_days
    assert ProductionOrder.objects.get(number="CC-002").quantity == 12


def test_a_day_that_is_none_is_refused_by_its_row(tmp_path: Path):
    shutil.copytree(demo.FOLDER / "bc-contoso", tmp_path / "plan")
    orders = tmp_path / "plan" / "production_orders.csv"
    orders.write_text(orders.read_text() + "CC-X,SP-SCM1009,10,,soon,planned,,,,\n")

    with pytest.raises(CommandError, match="soon"):
        call_command("demo", data=str(tmp_path / "plan"))


def test_a_second_plan_is_not_mixed_with_the_first_whose_numbers_it_may_share(tmp_path: Path):
    demo.make_demo(data="bc-contoso", at=AT, on=ON)
    orders = ProductionOrder.objects.count()
    other = tmp_path / "other"
    other.mkdir()
    (other / "items.csv").write_text("code\nSHAFT\n")
    (other / "production_orders.csv").write_text("number,item,quantity,due\nCC-002,SHAFT,1,2026-03-02\n")

    with pytest.raises(demo.AnotherPlan, match="OUTWORK_HOME=var/other"):
        demo.make_demo(data=str(other), at=AT, on=ON)
    lenient = demo.make_demo(at=AT, on=ON, month=True)

    assert (lenient.loaded, lenient.data, lenient.lived) == (False, "", {})
    assert ProductionOrder.objects.count() == orders


def test_there_is_a_user_for_each_role_and_limits_are_theirs():
    demo.make_users()
    demo.make_users()

    limits = {user.username: user.approval_limit(site_id=None) for user in User.objects.all()}
    assert limits == {
        "planner": 0, "buyer": Decimal(5000), "headbuyer": None, "dock": 0, "quality": 0, "payables": 0, "auditor": 0,
        "admin": None,
    }  # fmt: skip
    staff = set(User.objects.filter(is_staff=True).values_list("username", flat=True))
    assert staff == {"planner", "buyer", "headbuyer", "quality", "auditor", "admin"}
    assert not User.objects.filter(is_superuser=True).exists()
    assert all(user.check_password("outwork") for user in User.objects.all())


def test_the_command_tells_what_it_made_and_ends_on_one_json_line():
    out = StringIO()

    call_command("demo", data="ambrosia-pie", json=True, stdout=out)

    last = json.loads(out.getvalue().splitlines()[-1])
    assert last["operations"] == last["in_house"] + last["outsource"] + last["review"] + last["blocked"]
    assert last["currency"] == "USD"
    assert (last["main"]["run"], last["main"]["created"]) == (last["run"], last["created"])
    assert "go outside" in out.getvalue()
    assert "the password of all is outwork" in out.getvalue()


def told(capsys: pytest.CaptureFixture[str], made: demo.Made) -> list[str]:
    Command().tell(made)
    return capsys.readouterr().out.splitlines()


def test_a_second_time_still_tells_what_made_the_orders(capsys):
    first = demo.make_demo(data="bc-contoso", at=AT, on=ON)
    second = demo.make_demo(data="bc-contoso", at=AT + timedelta(days=1), on=ON + timedelta(days=1))
    orders = SubcontractOrder.objects.aggregate(orders=Count("pk"), value=Sum("total_company"))

    assert second.main == first.main
    assert (first.main.run, first.main.orders, first.main.value) == (first.run, orders["orders"], orders["value"])
    figures = first.figures
    head = (
        f"{first.run}, on 2026-06-01, looked at {figures['operations']} operations in {figures['seconds']:.1f} seconds:"
    )
    value = f"{orders['value']:,.2f} {first.currency}"
    for answer, worth in ((first, "worth"), (second, "by now worth")):
        lines = told(capsys, answer)
        assert lines[1] == head
        assert lines[2].split(maxsplit=1) == [str(figures["in_house"]), "stay inside"]
        assert lines[6] == (
            f"It made {orders['orders']} subcontract orders with 3 lines {worth} {value}, {figures['shipments']} planned "
            "shipments and 3 expected receipts."
        )
    assert told(capsys, second)[7].startswith(f"{second.run}, today: 0 order lines made, 0 changed, 0 withdrawn. Now: ")


def test_a_folder_that_is_not_there_is_refused_in_words():
    with pytest.raises(CommandError, match="There is no folder nowhere"):
        call_command("demo", data="nowhere")
    with pytest.raises(Refusal):
        demo.make_demo(data="nowhere", at=AT, on=ON)
    assert not User.objects.exists()
