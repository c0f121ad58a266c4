from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Access, Role
from policies.models import Verdict
from subcontract_orders.models import OrderStatus
from tests.workbench import rows
from tests.workbench.rows import TODAY

HERE = reverse("workbench:worklist")


def numbers(answer) -> list[str]:
    return [order.number for order in answer.context["page"]]


def counts(answer) -> dict[str, int]:
    return {tab.key: tab.count for tab in answer.context["tabs"]}


def test_who_is_not_signed_in_is_sent_to_sign_in(client):
    answer = client.get(HERE)

    assert answer.status_code == 302
    assert answer.url == f"{reverse('login')}?next=/"


def test_signing_in_leads_to_the_work_list(client, mara):
    answer = client.post(reverse("login"), {"username": "mara", "password": "let me in"})

    assert (answer.status_code, answer.url) == (302, "/")


def test_a_wrong_password_is_said_on_the_sign_in_page(client, mara):
    answer = client.post(reverse("login"), {"username": "mara", "password": "no"})

    assert "Please enter a correct username and password" in answer.content.decode()


def test_the_dock_is_shown_its_own_pages_instead(client):
    client.force_login(rows.user("vera", Role.DOCK))

    assert client.get(HERE).headers["Location"] == "/dock/"


def test_who_may_not_see_orders_is_refused(client):
    client.force_login(rows.user("vera", Role.DOCK))

    assert client.get("/orders/").status_code == 403


def test_what_is_due_to_be_ordered_within_14_days_comes_first_by_date(desk):
    later = rows.order(order_by=TODAY + timedelta(14))
    first = rows.order(order_by=TODAY - timedelta(2))
    rows.order(order_by=TODAY + timedelta(15))

    assert numbers(desk.get(HERE)) == [first.number, later.number]


def test_each_order_stands_in_the_tab_of_its_state(desk):
    rows.order()
    rows.order(status=OrderStatus.APPROVED)
    rows.order(order_by=TODAY + timedelta(40))
    rows.order(status=OrderStatus.SENT)
    rows.order(status=OrderStatus.ACKNOWLEDGED)
    rows.order(status=OrderStatus.CANCELLED)
    rows.decision(rows.operation(), verdict=Verdict.BLOCKED)
    rows.decision(rows.operation(), verdict=Verdict.REVIEW)
    rows.decision(rows.operation(), verdict=Verdict.IN_HOUSE)

    assert counts(desk.get(HERE)) == {"to_order": 2, "forecast": 1, "sent": 2, "attention": 2, "open": 5}


def test_the_stuck_tab_says_why(desk):
    rows.vendor("V9", "Nordic Coatings")
    reasons = [{"code": "no_price", "vendor": "V9", "detail": "Vendor V9: no price for 100 is valid on 2026-06-10."}]
    rows.decision(rows.operation(), verdict=Verdict.BLOCKED, reasons=reasons)

    page = desk.get(HERE, {"tab": "attention"}).content.decode()

    assert "Nordic Coatings: no price for 100 is valid on 10 Jun 2026." in page


CHOSEN = {"code": "vendor_chosen", "vendor": "V1", "rank": 2, "detail": "Vendor V1 qualifies and takes 100."}
MATCHED = {"code": "policy_matched", "policy": "BLACK", "verdict": "outsource", "detail": "Policy BLACK applies."}
WORD = {"code": "planners_word", "vendor": "V1", "word": "outsource", "why": "the bath is being cleaned"}


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ([MATCHED, {**CHOSEN, "rank": 1}], "First choice of BLACK"),
        ([MATCHED, {"code": "no_price", "vendor": "V2"}, CHOSEN], "Choice 2 of BLACK"),
        (
            [MATCHED, CHOSEN, {"code": "vendor_compared", "vendor": "V1", "strategy": "lowest_cost"}],
            "Cheapest of BLACK",
        ),
        ([MATCHED, CHOSEN, {"code": "vendor_compared", "vendor": "V2", "strategy": "earliest"}], "Choice 2 of BLACK"),
        ([{**MATCHED, "verdict": "buy_complete"}, CHOSEN], "Bought complete by BLACK"),
        ([{"code": "work_center_vendor", "vendor": "V1", "work_center": "ELOX"}, CHOSEN], "Vendor of ELOX"),
        ([WORD, CHOSEN], "Planner: the bath is being cleaned"),
        ([{"code": "already_ordered", "vendor": "V1"}], "Ordered before"),
    ],
)
def test_each_order_says_in_a_line_why_it_is_with_its_vendor(desk, reasons, said):
    of = rows.operation()
    rows.order(of=of)
    rows.decision(of, reasons=reasons)

    page = desk.get(HERE).content.decode()

    assert f">{said}</span>" in page


def test_an_order_that_is_out_says_what_chose_its_vendor_and_not_that_it_is_ordered_already(desk):
    of = rows.operation()
    rows.order(of=of, status=OrderStatus.SENT)
    rows.decision(of, reasons=[MATCHED, CHOSEN], is_current=False, version=1)
    rows.decision(of, reasons=[{"code": "already_ordered", "vendor": "V1"}], version=2)

    page = desk.get(HERE, {"tab": "sent"}).content.decode()

    assert ">Choice 2 of BLACK</span>" in page
    assert "Ordered before" not in page


def test_an_order_by_hand_says_so(desk):
    made = rows.order()
    made.lines.update(operation=None, production_order=None)

    assert ">Made by hand</span>" in desk.get(HERE).content.decode()


@pytest.mark.parametrize(
    ("text", "found"), [("eloxal", True), ("pump 10482", True), ("nothing", False), ("eloxal nothing", False)]
)
def test_search_finds_orders_that_have_every_word(desk, text, found):
    rows.order()

    assert bool(numbers(desk.get(HERE, {"q": text}))) == found


def test_filters_narrow_the_list_and_every_count(desk):
    wanted = rows.order(to=rows.vendor("V2", "Nordic Coatings"))
    rows.order()
    rows.order(status=OrderStatus.SENT)

    answer = desk.get(HERE, {"vendor": "V2"})

    assert numbers(answer) == [wanted.number]
    assert counts(answer) == {"to_order": 1, "forecast": 0, "sent": 0, "attention": 0, "open": 1}


def test_a_filter_that_cannot_be_read_is_no_filter(desk):
    order = rows.order()

    assert numbers(desk.get(HERE, {"due": "soon", "late": "x" * 9, "page": "zero", "tab": "moon"})) in (
        [order.number],
        [],
    )
    assert desk.get(HERE, {"due": "-1"}).status_code == 200


def test_late_shows_only_orders_past_their_order_date(desk):
    late = rows.order(order_by=TODAY - timedelta(1))
    rows.order(order_by=TODAY)

    assert numbers(desk.get(HERE, {"tab": "to_order", "late": "1"})) == [late.number]


def test_the_figures_count_and_add_up_and_lead_to_their_lists(desk):
    rows.order(order_by=TODAY - timedelta(4))
    rows.order()
    rows.order(order_by=TODAY + timedelta(40))
    rows.order(status=OrderStatus.SENT, due=TODAY + timedelta(5))
    rows.decision(rows.operation(), verdict=Verdict.BLOCKED)

    figures = desk.get(HERE).context["figures"]

    assert [(figure["value"], figure["note"]) for figure in figures] == [
        ("2", "1,480 EUR"),
        ("1", "the oldest by 4 days"),
        ("1", "1 without the vendor's word"),
        ("1", "1 blocked, 0 to review"),
        ("2,960", "4 orders, 1 vendor"),
    ]
    assert all(desk.get(figure["href"]).status_code == 200 for figure in figures)


def test_past_a_thousand_one_narrows_and_does_not_page(desk, monkeypatch):
    monkeypatch.setattr("workbench.views.page.COUNT_UP_TO", 2)
    monkeypatch.setattr("workbench.views.page.ROWS", 2)
    for _ in range(3):
        rows.order()

    page = desk.get(HERE, {"page": "9"}).context["page"]

    assert (page.number, page.paginator.num_pages, page.paginator.counted) == (1, 1, 3)


def test_an_order_of_several_lines_counts_lines_not_different_pieces(desk):
    rows.order(lines=3)

    page = desk.get(HERE).content.decode()

    assert "and 2 more" in page
    assert "0 of 3 lines received" in page


def test_htmx_gets_only_the_list(desk):
    rows.order()

    answer = desk.get(HERE, headers={"HX-Request": "true"})

    assert answer.content.decode().lstrip().startswith("<section")
    assert "HX-Request" in answer.headers["Vary"]


def test_an_empty_list_says_what_to_do(desk):
    rows.order(status=OrderStatus.CLOSED)

    assert "Nothing to order now" in desk.get(HERE).content.decode()
    assert "No orders match" in desk.get(HERE, {"q": "zzz"}).content.decode()


def test_a_buyer_of_one_site_sees_only_its_orders(client):
    other = rows.site("SOUTH", "South plant")
    mine = rows.order()
    rows.order(at=other)
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site()))

    answer = client.get(HERE, {"tab": "open"})

    assert numbers(answer) == [mine.number]
    assert counts(answer)["open"] == 1


def test_an_access_without_rows_sees_nothing(client):
    rows.order()
    user = rows.user("nora")
    Access.objects.filter(user=user).delete()
    client.force_login(user)

    assert client.get(HERE).status_code == 403


@pytest.mark.parametrize("tab", ["to_order", "forecast", "sent", "attention", "open"])
def test_the_work_list_costs_the_same_for_any_number_of_rows(desk, django_assert_num_queries, tab):
    for number in range(12):
        rows.order(to=rows.vendor(f"V{number}", f"Vendor {number}"), lines=2)
        rows.order(order_by=TODAY + timedelta(40))
        rows.order(status=OrderStatus.SENT)
        rows.decision(rows.operation(), verdict=Verdict.BLOCKED, reasons=[{"code": "no_price", "vendor": f"V{number}"}])

    # session, user, access, company; five tabs; vendors, sites; rows, first lines, their components and why they are there
    # (decisions have none); to order, four figures, alerts
    with django_assert_num_queries(21 if tab == "attention" else 23):
        desk.get(HERE, {"tab": tab})
