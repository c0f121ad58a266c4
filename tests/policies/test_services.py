"""Loading plain values, deciding and writing decisions, acting on policies."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.translation import override

from core.refusals import NotFound, Stale
from masterdata.models import PlanChange
from policies import services
from policies.models import Award, Decision, PolicyStatus, PolicyVendor
from policies.services import deciding
from policies.services.watching import Effect, ToOrder
from production.models import OperationStatus, Outsourced, Word
from tests.factories import (
    AT,
    ClosureFactory,
    CurrencyFactory,
    ExchangeRateFactory,
    MachineFactory,
    OperationFactory,
    OperationWordFactory,
    PolicyFactory,
    PriceAgreementFactory,
    ProductionOrderFactory,
    VendorApprovalFactory,
    VendorFactory,
    WorkCenterFactory,
)

TODAY = date(2026, 3, 2)


def decide(**options):
    """One run over the whole plan: load, decide, write. Returns the award keys by operation."""
    on = options.pop("on", TODAY)
    decider = services.Decider.load(on=on, **options)
    found = {}
    for orders in services.order_chunks(on=on):
        decided = [one for order in orders for one in decider.decide_order(order)]
        found |= services.write_decisions(decided, at=AT, run_number="RUN-1")
    services.drop_outdated_decisions(on=on)
    return found


def test_an_operation_goes_to_the_vendor_of_its_policy_with_price_dates_and_reasons():
    vendor = VendorFactory(code="GALVA")
    price = PriceAgreementFactory(vendor=vendor)
    policy = PolicyFactory(code="PLATE", vendors=[vendor], transit_out_days=1)
    operation = OperationFactory()

    awards = decide()

    decision = Decision.objects.get()
    award = Award.objects.get()
    assert awards == {operation.pk: [award.pk]}
    assert (decision.verdict, decision.basis, decision.policy, decision.is_current) == (
        "outsource",
        "policy",
        policy,
        True,
    )
    assert (award.vendor, award.quantity, award.agreement, award.amount) == (vendor, 10, price, Decimal("1000.00"))
    assert (award.need_date, award.at_vendor_date) == (date(2026, 3, 31), date(2026, 3, 24))
    assert (award.dispatch_by, award.order_by, award.late_by) == (date(2026, 3, 23), date(2026, 3, 23), 0)
    assert decision.flips_on == date(2026, 3, 24)
    assert services.explain(decision) == [
        "Policy PLATE (priority 100) was looked at: process Plating fits; it applies, it goes outside.",
        "Vendor GALVA qualifies and takes 10: 100 EUR each, 1,000.00 EUR in all; order by 2026-03-23, dispatch by 2026-03-23.",
    ]


def test_deciding_again_leaves_what_did_not_change_alone():
    vendor = VendorFactory()
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(vendors=[vendor])
    OperationFactory()
    OperationFactory(outsourced=Outsourced.NO)

    first = decide()
    rows = list(Decision.objects.order_by("pk").values())

    assert decide() == first
    assert list(Decision.objects.order_by("pk").values()) == rows


def test_a_change_makes_a_new_version_and_keeps_the_old_one():
    vendor = VendorFactory()
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(vendors=[vendor])
    operation = OperationFactory()
    decide()
    operation.quantity = Decimal(12)
    operation.save()

    decide()

    old, new = Decision.objects.order_by("pk")
    assert (old.version, old.is_current, old.awards.get().quantity) == (1, False, 10)
    assert (new.version, new.is_current, new.awards.get().quantity) == (2, True, 12)


def test_an_operation_that_is_finished_or_left_the_horizon_has_no_current_decision():
    finished, later, stays = OperationFactory.create_batch(3)
    decide()
    finished.status = OperationStatus.FINISHED
    finished.save()
    later.planned_start = later.planned_end = TODAY + timedelta(days=91)
    later.save()

    decide()

    assert set(Decision.objects.current().values_list("operation_id", flat=True)) == {stays.pk}


def test_the_planners_word_is_read_with_who_and_when():
    operation = OperationFactory()
    OperationWordFactory(operation=operation, word=Word.INSIDE)

    decide()

    decision = Decision.objects.get()
    assert (decision.verdict, decision.basis) == ("in_house", "word")
    assert services.explain(decision) == ["The planner's word: keep it inside, because our own machine is free."]


def test_prices_without_currency_are_in_the_vendors_and_rates_are_dated():
    vendor = VendorFactory(currency=CurrencyFactory(code="USD"))
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(vendors=[vendor])
    OperationFactory()
    ExchangeRateFactory(rate=Decimal("0.9"), valid_from=date(2026, 1, 1))
    ExchangeRateFactory(rate=Decimal("0.8"), valid_from=date(2026, 3, 24))

    decide()

    award = Award.objects.get()
    assert (award.currency.code, award.amount, award.amount_company) == ("USD", 1000, 800)


def test_closures_of_the_vendor_count_and_those_of_ours_do_not():
    vendor = VendorFactory()
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(vendors=[vendor])
    OperationFactory()
    ClosureFactory(vendor=vendor, day=date(2026, 3, 30))
    ClosureFactory(day=date(2026, 3, 27))

    decide()

    assert Award.objects.get().at_vendor_date == date(2026, 3, 23)


def test_chunks_hold_whole_orders_by_due_date():
    later = ProductionOrderFactory(due_date=date(2026, 4, 10))
    sooner = ProductionOrderFactory(due_date=date(2026, 4, 1))
    for order in (later, sooner):
        OperationFactory(production_order=order, sequence=20)
        OperationFactory(production_order=order, sequence=10)

    chunks = list(services.order_chunks(on=TODAY, size=4))

    assert [[order.number for order in chunk] for chunk in chunks] == [[sooner.number], [later.number]]
    assert [operation.sequence for operation in chunks[0][0].operations] == [10, 20]


def test_orders_due_on_one_day_come_by_the_number_they_came_with_whatever_order_they_were_sent_in():
    for number, first in (("P10", ""), ("P9", ""), ("M1", "P11"), ("P2", "")):
        OperationFactory(production_order__number=number, production_order__first_number=first)

    (chunk,) = services.order_chunks(on=TODAY)

    assert [order.number for order in chunk] == ["P2", "P9", "P10", "M1"]


def test_a_scope_narrows_what_is_read():
    wanted, _ = OperationFactory.create_batch(2)

    chunks = list(services.order_chunks(on=TODAY, scope={"production_order": [wanted.production_order.number]}))

    assert [order.production_order_id for chunk in chunks for order in chunk] == [wanted.production_order_id]


def test_reading_the_plan_costs_the_same_for_any_number_of_rows(django_assert_num_queries):
    OperationFactory.create_batch(20)

    with django_assert_num_queries(3):  # orders, words, operations
        list(services.order_chunks(on=TODAY))


def test_writing_costs_the_same_for_any_number_of_rows(django_assert_num_queries):
    vendor = VendorFactory()
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(vendors=[vendor])
    OperationFactory.create_batch(20)
    decider = services.Decider.load(on=TODAY)
    decided = [
        one for chunk in services.order_chunks(on=TODAY) for order in chunk for one in decider.decide_order(order)
    ]

    with django_assert_num_queries(7):  # savepoint and release, what is known, keys and rows of decisions and awards
        services.write_decisions(decided, at=AT, run_number="RUN-1")


def test_texts_with_tabs_and_backslashes_are_written_as_they_are():
    operation = OperationFactory()
    OperationWordFactory(operation=operation, reason='a\tb\\c\nd "e"')

    decide()

    assert Decision.objects.get().reasons[0]["why"] == 'a\tb\\c\nd "e"'


def test_suppositions_change_what_is_read_and_nothing_that_is_stored():
    vendor, other = VendorFactory(), VendorFactory()
    for one in (vendor, other):
        PriceAgreementFactory(vendor=one)
    PolicyFactory(code="DRAFT", status=PolicyStatus.DRAFT, vendors=[vendor, other])
    OperationFactory(outsourced=Outsourced.MAYBE)

    def verdict(**supposed):
        decider = services.Decider.load(on=TODAY, change=services.Change(**supposed))
        ((order,),) = services.order_chunks(on=TODAY)
        (one,) = decider.decide_order(order)
        return one.verdict, [award.vendor_id for award in one.awards]

    assert verdict() == ("in_house", [])
    draft = (services.SupposedPolicy("DRAFT"),)
    assert verdict(policies=draft) == ("outsource", [vendor.pk])
    assert verdict(policies=draft, lost_vendors=frozenset({vendor.code})) == ("outsource", [other.pk])
    assert not Decision.objects.exists()


def test_a_downtime_may_be_supposed():
    vendor = VendorFactory()
    PriceAgreementFactory(vendor=vendor)
    PolicyFactory(when_down=True, vendors=[vendor])
    OperationFactory(outsourced=Outsourced.MAYBE, work_center=MachineFactory())

    down = services.SupposedDowntime("WC-IN", date(2026, 3, 30), date(2026, 4, 3), "spindle")
    decider = services.Decider.load(on=TODAY, change=services.Change(downtimes=(down,)))
    ((order,),) = services.order_chunks(on=TODAY)

    assert [one.verdict for one in decider.decide_order(order)] == ["outsource"]


@pytest.fixture
def planner(django_user_model):
    return django_user_model.objects.create_user("anna", is_superuser=True)


def test_activating_a_policy_counts_its_version_and_asks_for_a_new_look_at_the_plan(planner):
    policy = PolicyFactory(status=PolicyStatus.DRAFT, vendors=[VendorFactory()])

    services.activate_policy(policy_id=policy.pk, by=planner, at=AT)
    with pytest.raises(services.AlreadySo):
        services.activate_policy(policy_id=policy.pk, by=planner, at=AT)

    policy.refresh_from_db()
    assert (policy.status, policy.version) == (PolicyStatus.ACTIVE, 2)
    assert PlanChange.objects.count() == 1


def test_retiring_a_policy_stops_it(planner):
    policy = PolicyFactory(vendors=[VendorFactory()])

    services.retire_policy(policy_id=policy.pk, by=planner, at=AT)

    policy.refresh_from_db()
    assert policy.status == PolicyStatus.RETIRED
    assert services.Decider.load(on=TODAY).book.policies == []


def test_a_policy_that_names_nobody_is_not_activated(planner):
    policy = PolicyFactory(status=PolicyStatus.DRAFT)

    with pytest.raises(services.NamesNobody):
        services.activate_policy(policy_id=policy.pk, by=planner, at=AT)

    policy.refresh_from_db()
    assert (policy.status, PlanChange.objects.count()) == (PolicyStatus.DRAFT, 0)


def test_a_policy_changed_since_it_was_read_or_unknown_is_refused(planner):
    policy = PolicyFactory(vendors=[VendorFactory()])

    with pytest.raises(Stale):
        services.retire_policy(policy_id=policy.pk, by=planner, at=AT, expected_version=7)
    with pytest.raises(NotFound):
        services.retire_policy(policy_id=0, by=planner, at=AT)


def test_a_policy_reads_as_one_sentence():
    galva, nordic = VendorFactory(name="Galva"), VendorFactory(name="Nordic")
    center = WorkCenterFactory(code="WC-PLATE", kind="internal")
    policy = PolicyFactory(load_above_pct=90, work_center=center, vendors=[galva, nordic])

    assert services.policy_sentence(policy_id=policy.pk) == (
        "Plating of any item, when WC-PLATE is over 90 % in the week, goes to Galva or, if it cannot, Nordic."
    )


def test_the_sentence_of_a_policy_says_what_each_vendor_may_be_given():
    policy = PolicyFactory(strategy="quota", vendors=[VendorFactory(name="Galva"), VendorFactory(name="Nordic")])
    first, second = policy.vendors.order_by("rank")
    PolicyVendor.objects.filter(pk=first.pk).update(share_pct=60, weekly_capacity=100)
    PolicyVendor.objects.filter(pk=second.pk).update(share_pct=40, quantity_from=10, quantity_to=50)

    assert services.policy_sentence(policy_id=policy.pk) == (
        "Plating of any item goes to Galva (60 %, up to 100 a week) or Nordic (40 %, from 10 to 50 at once) by quota."
    )


def test_the_sentence_of_a_policy_for_all_work_of_a_work_center_names_it():
    mill = WorkCenterFactory(code="MILL", kind="internal")
    policy = PolicyFactory(process=None, when_down=True, work_center=mill, vendors=[VendorFactory(name="Galva")])

    assert services.policy_sentence(policy_id=policy.pk) == "Every operation on MILL, when MILL is down, goes to Galva."


def test_approvals_that_end_soon_are_told_for_vendors_whom_policies_use():
    used, unused, later = VendorFactory(), VendorFactory(), VendorFactory()
    soon = VendorApprovalFactory(vendor=used, valid_to=date(2026, 4, 15))
    VendorApprovalFactory(vendor=unused, valid_to=date(2026, 4, 15))
    VendorApprovalFactory(vendor=later, valid_to=date(2026, 12, 31))
    PolicyFactory(vendors=[used, later])

    assert [(one.vendor_id, one.valid_to, one.days_left) for one in services.ending_approvals(on=TODAY)] == [
        (used.pk, soon.valid_to, 44)
    ]


def test_facts_of_single_orders_are_read_whatever_the_horizon():
    operation = OperationFactory(production_order__due_date=date(2027, 3, 31))

    (order,) = deciding.facts_of(production_order_ids=[operation.production_order_id])

    assert [one.operation_id for one in order.operations] == [operation.pk]


def test_loading_costs_the_same_for_any_number_of_policies_and_prices(django_assert_max_num_queries):
    for vendor in VendorFactory.create_batch(5):
        PriceAgreementFactory(vendor=vendor)
        PolicyFactory(vendors=[vendor])
    services.Decider.load(on=TODAY)

    with django_assert_max_num_queries(13):
        services.Decider.load(on=TODAY)


def test_a_policy_and_its_effect_read_german_in_german():
    galva, nordic = VendorFactory(name="Galva"), VendorFactory(name="Nordic")
    center = WorkCenterFactory(code="WC-PLATE", kind="internal")
    policy = PolicyFactory(
        load_above_pct=Decimal("92.5"), work_center=center, valid_from=date(2026, 3, 1), vendors=[galva, nordic]
    )
    effect = Effect({"outsource": 2}, (ToOrder("V1", "Galva", 2, Decimal("1700.50")),), "EUR")

    with override("de"):
        assert services.policy_sentence(policy_id=policy.pk) == (
            "Plating eines jeden Teils, wenn WC-PLATE in der Woche über 92,5 % belegt ist und gültig ab 1. Mär 2026, "
            "geht an Galva oder, wenn das nicht geht, Nordic."
        )
        assert str(effect) == (
            "Sie entscheidet 2 offene Arbeitsgänge: 2 außer Haus. 1.700,50 EUR davon sind noch nicht gesendet: Galva 1.700,50."
        )
