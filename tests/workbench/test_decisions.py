from datetime import date
from urllib.parse import quote

import pytest
from django.urls import reverse

from accounts.models import Role, User
from policies.models import Verdict
from production.models import Operation, ProductionOrder
from tests.factories import ItemFactory
from tests.workbench import rows

LIST = reverse("workbench:decision_list")


def address(operation) -> str:
    return reverse("workbench:decision", args=[operation.production_order.number, operation.operation_no])


def test_a_decision_reads_like_an_answer(desk):
    operation = rows.operation()
    decided = rows.decision(
        operation,
        reasons=[
            {
                "code": "policy_matched",
                "policy": "P-COAT",
                "detail": "Policy P-COAT (priority 20) was looked at: it applies.",
            },
            {"code": "vendor_chosen", "vendor": "V1", "detail": "Vendor V1 qualifies and takes 100."},
        ],
    )
    rows.award(decided, rows.vendor())

    page = desk.get(address(operation)).content.decode()

    assert "It goes outside: 100 pcs to Alpen Eloxal." in page
    assert "Alpen Eloxal qualifies and takes 100." in page
    assert "Policy P-COAT applies" in page
    assert "740.00" in page


def test_a_verdict_on_an_item_the_plan_does_not_want_any_more_says_so(desk):
    operation = rows.operation()
    rows.decision(operation)
    assert "The plan makes" not in desk.get(address(operation)).content.decode()
    ProductionOrder.objects.update(wanted_item=ItemFactory(code="BRACKET-2"))

    page = desk.get(address(operation)).content.decode()

    said = (
        f"The plan makes BRACKET-2 of this order now; a vendor still has it as {operation.production_order.item.code}"
    )
    assert said in page


def test_a_blocked_operation_says_of_each_vendor_why_he_cannot(desk):
    operation = rows.operation()
    rows.vendor("V1", "Alpen Eloxal")
    rows.decision(
        operation,
        verdict=Verdict.BLOCKED,
        reasons=[{"code": "no_price", "vendor": "V1", "detail": "Vendor V1: no price for 100."}],
    )

    page = desk.get(address(operation)).content.decode()

    assert "It should go outside, and cannot." in page
    assert "Alpen Eloxal: no price" in page


def test_who_may_say_where_an_operation_is_done_says_it_from_its_decision(client):
    operation = rows.operation()
    rows.decision(operation, verdict=Verdict.REVIEW)
    User.objects.filter(pk=rows.user("paula", Role.PLANNER).pk).update(is_staff=True)
    client.force_login(User.objects.get(username="paula"))
    speak = f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={operation.pk}&amp;next={quote(address(operation))}"

    page = client.get(address(operation)).content.decode()

    assert f"{speak}&amp;word=outsource" in page
    assert f"{speak}&amp;word=in_house" in page

    said = {"word": "in_house", "reason": "We have the jig"}
    address_of_form = speak.replace("&amp;", "&")
    assert client.post(address_of_form, said).headers["Location"] == address(operation)
    elsewhere = client.post(address_of_form.replace(quote(address(operation)), "https://evil.example/"), said)
    assert elsewhere.headers["Location"].startswith("/admin/")


def test_who_may_not_say_it_is_told_whom_to_ask(desk):
    operation = rows.operation()
    rows.decision(operation, verdict=Verdict.REVIEW)

    page = desk.get(address(operation)).content.decode()

    assert "A planner says where it is done." in page
    assert "orderwithverdicts/speak" not in page


def test_a_missing_price_is_agreed_from_the_decision_it_blocks(desk):
    operation, vendor = rows.operation(), rows.vendor("V1", "Alpen Eloxal")
    reasons = [{"code": "no_price", "vendor": "V1", "detail": "Vendor V1: no price for 100."}]
    rows.decision(operation, verdict=Verdict.BLOCKED, reasons=reasons)

    page = desk.get(address(operation)).content.decode()

    item = operation.production_order.item
    asked = f"vendor={vendor.pk}&amp;item={item.pk}&amp;process={operation.process.pk}"
    assert f"{reverse('admin:policies_priceagreement_add')}?{asked}" in page


@pytest.mark.parametrize(("number", "no"), [("CNC/Axle", "10"), ("M8.5 a", "10/20"), ("WO?1", "4#0")])
def test_numbers_may_hold_slashes_and_dots(desk, number, no):
    operation = rows.operation(number=number)
    operation.operation_no = no
    operation.save()
    rows.decision(operation)

    assert desk.get(address(operation)).context["operation"] == operation


def test_only_the_current_decision_is_shown(desk):
    operation = rows.operation()
    rows.decision(operation, verdict=Verdict.BLOCKED, is_current=False)
    rows.decision(operation, verdict=Verdict.IN_HOUSE, version=2)

    assert "It stays inside." in desk.get(address(operation)).content.decode()


def test_of_an_operation_that_is_done_it_is_told_how_it_was_decided_last(desk):
    operation = rows.operation()
    rows.decision(operation, verdict=Verdict.IN_HOUSE, is_current=False)
    decided = rows.decision(operation, version=2, is_current=False)
    rows.award(decided, rows.vendor())
    Operation.objects.filter(pk=operation.pk).update(status="finished")

    page = desk.get(address(operation)).content.decode()

    assert "It is done: there is nothing left to decide. This is how it was decided last" in page
    assert "It goes outside: 100 pcs to Alpen Eloxal." in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "No run has looked at it yet: the next one decides it."),
        ({"planned_start": date(2099, 1, 5)}, "it starts more than 90 days from today, on 5 Jan 2099."),
        ({"status": "cancelled"}, "It is cancelled: nothing of it is wanted any more."),
        ({"status": "finished"}, "It is done: there is nothing left to decide."),
    ],
)
def test_an_operation_on_which_no_verdict_stands_says_why_not(desk, changes, sentence):
    operation = rows.operation()
    Operation.objects.filter(pk=operation.pk).update(**changes)

    answer = desk.get(address(operation))

    assert answer.status_code == 200
    assert sentence in answer.content.decode()


def test_a_decision_of_another_site_is_not_there(client):
    operation = rows.operation(at=rows.site("SOUTH", "South plant"))
    rows.decision(operation)
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site()))

    assert client.get(address(operation)).status_code == 404


def test_each_verdict_has_its_list_and_count(desk):
    for verdict in ("outsource", "outsource", "in_house", "review", "blocked"):
        rows.decision(rows.operation(), verdict=verdict)

    answer = desk.get(LIST, {"verdict": "in_house"})

    assert {tab.key: tab.count for tab in answer.context["tabs"]} == {
        "outsource": 2,
        "in_house": 1,
        "review": 1,
        "blocked": 1,
    }
    assert [decision.verdict for decision in answer.context["page"]] == ["in_house"]


def test_the_decision_list_costs_the_same_for_any_number_of_rows(desk, django_assert_num_queries):
    for number in range(12):
        rows.decision(rows.operation(), reasons=[{"code": "vendor_chosen", "vendor": f"V{number}"}])

    # session, user, access, company; four tabs; sites; rows, vendors; to order, alerts
    with django_assert_num_queries(15):
        desk.get(LIST)


def test_the_decision_page_costs_the_same_for_any_number_of_operations(desk, django_assert_num_queries):
    for no in range(10, 90, 10):
        operation = rows.operation(number="WO-LONG", no=str(no))
        rows.decision(operation, reasons=[{"code": "vendor_chosen", "vendor": "V1"}])

    # session, user, access, operation, decision, vendors, awards, lines, siblings; company, to order, alerts
    with django_assert_num_queries(13):
        desk.get(address(operation))


def test_the_palette_finds_vendors_orders_and_operations_open_ones_first(desk):
    done = rows.order(status="closed", closed_at=rows.AT)
    now = rows.order()
    rows.decision(rows.operation(number="WO-ELOXAL"))

    hits = desk.get(reverse("workbench:jump"), {"q": "eloxal"}).context["hits"]

    assert [vendor.code for vendor in hits["vendors"]] == ["V1"]
    assert [order.number for order in hits["orders"]] == [now.number, done.number]
    assert [decision.operation.production_order.number for decision in hits["decisions"]] == ["WO-ELOXAL"]


def test_the_palette_without_words_offers_the_pages(desk):
    assert "Go to" in desk.get(reverse("workbench:jump")).content.decode()
