"""What if: both sides on one plan, every flip named, nothing written, and what generation then does is what was said."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import InternalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Access, User
from core.refusals import InvalidInput, NotFound
from documents import services as documents
from documents.services import Simulation
from documents.services import simulating as module
from masterdata.models import Company, Site, Vendor
from policies import services as policies
from policies.models import Decision, Policy
from policies.services import Change, SupposedDowntime, SupposedPolicy, SupposedPrice
from production.models import Operation
from subcontract_orders.models import OrderLine, SubcontractOrder
from subcontract_orders.services import CounteredLine, Part
from tests.documents import plans
from tests.documents.plans import MONDAY
from tests.played import played
from tests.scenarios.runner import business_content

MILL = {
    "items": [{"code": "GEAR", "kind": "finished"}],
    "vendors": [{"code": "V1", "currency": "EUR"}, {"code": "V2", "currency": "EUR"}],
    "work_centers": [{"code": "MILL", "kind": "internal", "capacity_hours_per_day": 8, "hourly_cost": 60}],
    "routings": [
        {
            "item": "GEAR", "operation_no": 10, "name": "Milling", "work_center": "MILL", "run_minutes_per_unit": 60,
            "outsourced": "maybe",
        }
    ],
    "prices": [
        {"vendor": vendor, "item": "GEAR", "operation_name": "Milling", "currency": "EUR", "unit_price": price, "lead_days": 3,
         "valid_from": "2026-01-01"}
        for vendor, price in (("V1", 50), ("V2", 60))
    ],
    "policies": [
        {"code": "OVER", "status": "draft", "work_center": "MILL", "load_above_pct": 100, "verdict": "outsource",
         "vendors": ["V1", "V2"]},
        {"code": "DOWN", "work_center": "MILL", "when_down": "yes", "verdict": "outsource", "vendors": ["V2"]},
    ],
}  # fmt: skip
OVER = Change(policies=(SupposedPolicy("OVER"),))
OUT = {"code": "OUT", "process": "Milling", "consolidate": "week", "vendors": ["V1"]}


@pytest.fixture
@played
def mill() -> None:
    """A mill of 40 h a week with 56 h in the week of 16 March and 16 h in the next."""
    plans.load(MILL, ground=True)
    for number, quantity, due in (
        ("P1", 16, "2026-03-18"), ("P2", 16, "2026-03-19"), ("P3", 16, "2026-03-20"), ("P4", 8, "2026-03-20"),
        ("P5", 16, "2026-03-27"),
    ):  # fmt: skip
        plans.plan(number, "GEAR", quantity, due)


def simulate(change: Change = OVER, **fields) -> Simulation:
    return documents.simulate(change=change, on=MONDAY, **fields)


def flips(found: Simulation) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(one.production_order, one.before.verdict, one.after.verdict, one.after.vendors) for one in found.changed]


def figures(of) -> tuple[int, int, int, Decimal]:
    return of.verdicts.get("outsource", 0), of.orders, of.lines, of.value


def test_a_draft_policy_taken_as_in_force_names_what_flips_and_why(mill):
    found = simulate()

    assert flips(found) == [("P3", "in_house", "outsource", ("V1",))]
    assert (found.changed_total, found.currency) == (1, "EUR")
    assert figures(found.before) == (0, 0, 0, 0)
    assert figures(found.after) == (1, 1, 1, 800)
    (one,) = found.changed
    assert (one.operation, one.item, one.before.policy, one.after.policy) == ("10", "GEAR", "", "OVER")
    assert one.before.reasons[-1]["detail"] == (
        "No policy sends it out and its sourcing flag is maybe, so it stays inside."
    )
    assert [reason["code"] for reason in one.after.reasons] == ["policy_skipped", "policy_matched", "vendor_chosen"]
    assert found.value_by_vendor == (("V1", Decimal(0), Decimal(800)),)


def test_the_load_of_every_work_center_and_week_stands_before_and_after(mill):
    found = simulate()

    assert [(one.work_center, one.week, one.capacity_after, one.before, one.after) for one in found.load] == [
        ("MILL", "2026-W12", 40, 56, 40),
        ("MILL", "2026-W13", 40, 16, 16),
    ]
    assert sum(one.before for one in found.load) == 72
    assert sum(found.after.hours.values()) == 56


def test_a_machine_down_takes_its_hours_and_sends_its_work_out(mill):
    down = SupposedDowntime("MILL", date(2026, 3, 23), date(2026, 3, 27), "spindle")

    found = simulate(Change(downtimes=(down,)))

    assert flips(found) == [("P5", "in_house", "outsource", ("V2",))]
    assert [(one.week, one.capacity_before, one.capacity_after) for one in found.load] == [
        ("2026-W12", 40, 40),
        ("2026-W13", 40, 0),
    ]


def test_a_vendor_lost_leaves_his_work_to_the_next(mill):
    lost = frozenset({"V1"})

    found = simulate(Change(policies=OVER.policies, lost_vendors=lost))

    assert flips(found) == [("P3", "in_house", "outsource", ("V2",))]
    assert found.changed[0].after.reasons[2]["detail"] == "Vendor V1 is not active."
    assert Vendor.objects.get(code="V1").is_active


def test_a_lost_vendor_flips_the_vendor_where_the_verdict_stays():
    plans.base(
        vendors=[{"code": "V2", "currency": "EUR"}],
        prices=[{"vendor": "V2", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 90,
                 "lead_days": 5, "valid_from": "2026-01-01"}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1", "V2"]}],
    )  # fmt: skip
    plans.plan("P1", "FG", 5, "2026-03-31")

    found = simulate(Change(lost_vendors=frozenset({"V1"})))

    (one,) = found.changed
    assert (one.before.verdict, one.before.vendors) == ("outsource", ("V1",))
    assert (one.after.verdict, one.after.vendors) == ("outsource", ("V2",))
    assert (found.before.value, found.after.value) == (500, 450)


def test_a_policy_left_out_decides_nothing():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")

    found = simulate(Change(policies=(SupposedPolicy("PLATE", in_force=False),)))

    assert flips(found) == [("P1", "outsource", "review", ())]
    assert figures(found.after) == (0, 0, 0, 0)


def test_other_values_of_a_policy_are_tried_without_being_stored():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.plan("P2", "FG", 15, "2026-03-31")

    found = simulate(Change(policies=(SupposedPolicy("PLATE", columns={"quantity_from": Decimal(10)}),)))

    assert flips(found) == [("P1", "outsource", "review", ())]
    assert Policy.objects.get(code="PLATE").quantity_from is None


def test_a_policy_nobody_has_written_yet_is_tried(mill):
    columns = {"verdict": "review", "work_center_id": Operation.objects.first().work_center_id, "priority": 1}

    found = simulate(Change(policies=(SupposedPolicy("NEW", columns=columns),)))

    assert {flip[1:] for flip in flips(found)} == {("in_house", "review", ())}
    assert found.changed_total == 5
    assert found.changed[0].after.reasons[-1]["detail"] == (
        "Policy NEW (priority 1) was looked at: work center MILL fits; it applies, a person must say."
    )


def test_consolidation_supposed_for_a_policy_joins_orders():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-30")
    plans.plan("P2", "FG", 5, "2026-03-31")

    found = simulate(Change(policies=(SupposedPolicy("PLATE", columns={"consolidate": "week"}),)))

    assert (found.before.orders, found.before.lines) == (2, 2)
    assert (found.after.orders, found.after.lines) == (1, 2)
    assert found.changed_total == 0


def test_a_new_price_changes_the_money_and_may_change_the_vendor(mill):
    Policy.objects.filter(code="OVER").update(strategy="lowest_cost")
    dearer = SupposedPrice("V1", Decimal(70), item="GEAR", process="Milling")

    found = simulate(Change(policies=OVER.policies, prices=(dearer,)))

    assert flips(found) == [("P3", "in_house", "outsource", ("V2",))]
    assert found.after.value == 960


def test_a_price_takes_the_place_of_the_one_with_its_key():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    price = SupposedPrice("V1", Decimal(80), item="FG", process="Plating", valid_from=date(2026, 1, 1), lead_days=5)

    found = simulate(Change(prices=(price,)))

    assert (found.before.value, found.after.value, found.changed_total) == (500, 400, 0)


def test_what_is_late_is_counted_on_both_sides():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-06")  # five working days at the vendor: the earliest is Monday 9 March

    found = simulate(Change(policies=(SupposedPolicy("PLATE", in_force=False),)))

    assert (found.before.late_lines, found.before.late_line_days) == (1, 3)
    assert (found.after.late_lines, found.after.late_line_days) == (0, 0)


def test_what_is_sent_counts_on_both_sides_and_a_vendor_who_cannot_keep_it_is_told():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.plan("P2", "FG", 7, "2026-03-31")
    plans.generate()
    plans.send(1)

    found = simulate(Change(lost_vendors=frozenset({"V1"})))

    assert flips(found) == [("P1", "outsource", "blocked", ()), ("P2", "outsource", "blocked", ())]
    assert figures(found.before) == (2, 2, 2, 1200)
    assert figures(found.after) == (1, 1, 1, 500)


def test_what_is_ordered_beside_a_vendor_who_makes_no_more_stands_in_the_simulation():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    plans.send(1)
    who = {"order_id": plans.order(1).pk, "by": plans.boss(), "at": plans.moment()}
    documents.counter_set(lines=[CounteredLine(1, (Part(Decimal(8)),))], **who)
    documents.accept_counter(**who)
    plans.generate()
    assert [row[0::4] for row in plans.lines()] == [("SC-00001", 8), ("SC-00002", 2)]

    assert figures(simulate(Change()).before) == (1, 2, 2, 1000)


def test_as_it_stands_is_what_the_last_run_made():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.plan("P2", "FG", 7, "2026-04-10")
    run = plans.generate()
    plans.send(1)

    found = simulate(Change(lost_vendors=frozenset()))

    assert (found.before.orders, found.before.lines) == (run.orders, run.lines)
    assert found.before.value == sum(OrderLine.objects.values_list("amount_company", flat=True))
    assert found.after == found.before


def test_flips_are_listed_so_far_and_counted_all(mill):
    found = simulate(Change(policies=(SupposedPolicy("OVER", columns={"load_above_pct": Decimal(1)}),)), most=2)

    assert found.changed_total == 5
    assert [one.production_order for one in found.changed] == ["P1", "P2"]


def test_a_planner_of_one_site_sees_his_own_figures(mill):
    user = User.objects.create(username="other site")
    Access.objects.create(user=user, role="planner", site=Site.objects.create(code="ELSEWHERE"))

    found = simulate(by=user)

    assert (found.after.operations, found.changed_total, found.load) == (0, 0, ())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (Change(policies=(SupposedPolicy("NONE"),)), NotFound),
        (Change(policies=(SupposedPolicy("NONE", in_force=False),)), NotFound),
        (Change(lost_vendors=frozenset({"NONE"})), NotFound),
        (Change(downtimes=(SupposedDowntime("NONE", MONDAY, MONDAY),)), NotFound),
        (Change(downtimes=(SupposedDowntime("MILL", MONDAY, MONDAY - timedelta(days=1)),)), InvalidInput),
        (Change(prices=(SupposedPrice("NONE", Decimal(1), process="Milling"),)), NotFound),
        (Change(prices=(SupposedPrice("V1", Decimal(1), process="NONE"),)), NotFound),
        (Change(prices=(SupposedPrice("V1", Decimal(1)),)), InvalidInput),
    ],
)
def test_what_names_nothing_or_cannot_be_is_refused(mill, change, refusal):
    with pytest.raises(refusal):
        simulate(change)


def test_without_a_company_there_is_nothing_to_simulate():
    Company.objects.all().delete()

    with pytest.raises(documents.NoCompany):
        simulate(Change())


# --- nothing is written ---------------------------------------------------------------------------------------------------


def test_nothing_is_written_before_a_run_or_after_it(mill):
    for _ in range(2):
        before = business_content()

        simulate()

        assert business_content() == before
        plans.generate()


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_to_write_meanwhile_and_keeps_one_state(mill, monkeypatch):
    before = business_content()
    seen = {}

    def write(done: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
            seen["mode"] = cursor.fetchone()
        Vendor.objects.create(code="WRITTEN")

    with pytest.raises(InternalError, match="read-only"):
        simulate(progress=write)

    assert seen["mode"] == ("repeatable read", "on")
    assert business_content() == before


def test_within_a_transaction_that_writes_it_writes_nothing_either_and_leaves_it_writing(mill):
    with transaction.atomic():
        Vendor.objects.create(code="MINE")
        simulate()
        Vendor.objects.create(code="AND MINE")

    assert Vendor.objects.filter(code__in=["MINE", "AND MINE"]).count() == 2
    with pytest.raises(InternalError, match="read-only"), module._reading_only():
        Vendor.objects.create(code="NOT")


# --- what it says is what then happens --------------------------------------------------------------------------------------

orders = st.lists(
    st.tuples(st.sampled_from(["GEAR", "ROD"]), st.integers(1, 40), st.integers(3, 50)), min_size=1, max_size=8
)


@st.composite
def drafts(draw) -> dict[str, object]:
    """A policy for milling with any of the conditions and strategies."""
    found: dict[str, object] = {
        "code": "TRIED", "status": "draft", "process": "Milling",
        "verdict": draw(st.sampled_from(["outsource", "outsource", "outsource", "review", "in_house"])),
        "priority": draw(st.sampled_from([50, 150])),
        "strategy": draw(st.sampled_from(["preferred", "lowest_cost", "earliest", "quota"])),
        "split": draw(st.sampled_from(["none", "none", "share", "capacity"])),
        "consolidate": draw(st.sampled_from(["none", "production_order", "day", "week", "month"])),
        "transit_out_days": draw(st.integers(0, 3)),
    }  # fmt: skip
    vendors: list[object] = [{"vendor": "V1", "share_pct": 60, "weekly_capacity": draw(st.integers(1, 60))}, "V2"]
    found["vendors"] = draw(st.sampled_from([vendors, vendors[::-1], ["V1"]]))
    for name, values in (
        ("quantity_from", st.integers(1, 20)), ("load_above_pct", st.integers(10, 120)), ("late_days", st.integers(1, 5)),
        ("cost_below_pct", st.integers(50, 150)), ("transition_share_pct", st.integers(10, 90)),
    ):  # fmt: skip
        if draw(st.integers(0, 3)) == 0:
            found[name] = draw(values)
            if name == "transition_share_pct":
                found["transition_from"] = "2026-03-10"
    return found


def decisions() -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    return {
        (one.operation.production_order.number, one.operation.operation_no): (
            one.verdict,
            tuple(award.vendor.code for award in one.awards.order_by("rank", "pk")),
        )
        for one in Decision.objects.current().select_related("operation__production_order").prefetch_related("awards")
    }


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(drafts(), orders, st.booleans())
def test_simulation_says_what_activating_and_generating_then_does(draft, planned, send_some):
    rod = [
        {**MILL["routings"][0], "item": "ROD"},
        {"item": "ROD", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
    ]
    with transaction.atomic():
        plans.load(
            {
                **MILL,
                "items": [*MILL["items"], {"code": "ROD", "kind": "finished"}],
                "routings": [*MILL["routings"], *rod],
                "prices": [
                    *MILL["prices"], {**MILL["prices"][0], "item": "ROD"},
                    {**MILL["prices"][1], "item": "ROD", "operation_name": "Plating"},
                ],
                "policies": [*MILL["policies"], draft, {"code": "PLATE", "process": "Plating", "vendors": ["V2"]}],
            },
            ground=True,
        )  # fmt: skip
        for number, (item, quantity, days) in enumerate(planned):
            plans.plan(f"P{number}", item, quantity, (MONDAY + timedelta(days=days)).isoformat())
        plans.generate()
        if send_some and SubcontractOrder.objects.exists():
            plans.send(1)
        before = decisions()

        found = simulate(Change(policies=(SupposedPolicy("TRIED"),)))
        policies.activate_policy(policy_id=Policy.objects.get(code="TRIED").pk, by=plans.boss(), at=plans.moment())
        run = plans.generate()
        after = decisions()

        said = {(one.production_order, one.operation): one for one in found.changed}
        assert said.keys() >= {key for key in after if before[key][0] != after[key][0]}
        for key, (verdict, vendors) in after.items():
            if key in said:
                assert said[key].after.verdict == verdict
                assert vendors == () or set(vendors) <= set(said[key].after.vendors)
            else:
                assert before[key] == (verdict, vendors) or (verdict, vendors) == ("outsource", ())
        assert found.after.verdicts.get("outsource", 0) == run.outsource
        assert (found.after.orders, found.after.lines) == (run.orders, run.lines)
        assert found.after.value == sum(OrderLine.objects.active().values_list("amount_company", flat=True))
        transaction.set_rollback(True)


@pytest.mark.parametrize("consolidate", ["none", "week"])
def test_what_a_person_set_on_a_draft_stands_in_the_simulation_as_it_does_in_the_next_run(mill, consolidate):
    plans.load({"policies": [{**OUT, "consolidate": consolidate}]})
    plans.generate()
    for number in (1, 2):
        documents.change_line(
            order_id=plans.order(number).pk, line_no=1, quantity=Decimal(20), unit_price=Decimal(45), reason="agreed",
            need_date=date(2026, 3, 3), by=plans.boss(), at=plans.moment(),
        )  # fmt: skip

    found = simulate(Change(policies=(SupposedPolicy("OUT", columns={"transit_out_days": 2}),)))
    plans.load({"policies": [{"code": "OUT", "transit_out_days": 2}]})
    run = plans.generate()

    lines = OrderLine.objects.active()
    assert plans.line(1).quantity == 20
    assert found.before.value == found.after.value == sum(lines.values_list("amount_company", flat=True))
    assert (found.after.orders, found.after.lines) == (run.orders, run.lines)
    assert found.after.late_lines == sum(line.promised_date > line.need_date for line in lines)
    assert found.after.late_line_days == sum((line.promised_date - line.need_date).days for line in lines)


def test_a_minimum_for_the_whole_order_is_paid_once_in_the_simulation_as_well(mill):
    prices = [{**MILL["prices"][0], "minimum_charge": 3000, "minimum_charge_basis": "order", "lot_charge": 7}]
    plans.load({"prices": prices})
    plans.load({"policies": [OUT]})

    found = simulate(Change(policies=(SupposedPolicy("DOWN", in_force=False),)))
    run = plans.generate()

    assert run.orders == 2
    assert found.after.value == sum(OrderLine.objects.active().values_list("amount_company", flat=True)) == 6035
    assert {code: after for code, _, after in found.value_by_vendor} == {"V1": 6035}
