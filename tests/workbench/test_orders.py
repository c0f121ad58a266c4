import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Role
from activity.models import Alert
from subcontract_orders import services as orders
from subcontract_orders.models import LinePromise, OrderComponent, OrderStatus
from tests.workbench import rows
from workbench.templatetags.workbench import day


def page_of(client, order) -> str:
    return client.get(reverse("workbench:order", args=[order.number])).content.decode()


def test_the_order_page_says_what_it_is_about(desk):
    order = rows.order()

    page = page_of(desk, order)

    assert "Anodise, black of Pump housing 10482-B at Alpen Eloxal" in page
    assert f"SH-{order.pk:05d}" in page
    assert "Approve 740.00 EUR" in page


def test_the_price_is_broken_down_where_charges_are_in_it(desk):
    order = rows.order()
    order.lines.update(minimum_top_up=Decimal("25.00"), lot_charge=Decimal("40.00"), amount=Decimal("805.00"))

    page = page_of(desk, order)

    assert "work 740.00" in page
    assert "to the minimum 25.00" in page
    assert "lot charge 40.00" in page


def test_components_stand_under_the_way_they_reach_the_vendor(desk):
    order = rows.order()
    line = order.lines.get()
    plug = rows.item("M-4471", "Masking plug")
    OrderComponent.objects.create(line=line, position=2, item=plug, quantity_per=4, required=400, supply="consigned")

    groups = desk.get(reverse("workbench:order", args=[order.number])).context["supplies"]

    assert [(group["word"], [part.item.code for part in group["components"]]) for group in groups] == [
        ("We ship it", ["10482-RAW"]),
        ("Our stock already at the vendor", ["M-4471"]),
    ]


def test_the_order_page_says_why_it_exists(desk):
    step = rows.operation(number="WO-7")
    chosen = {"code": "vendor_chosen", "vendor": "V1", "detail": "Vendor V1 qualifies and takes 100."}
    matched = {
        "code": "policy_matched",
        "policy": "P-COAT",
        "detail": "Policy P-COAT (priority 20) was looked at: it applies.",
    }
    rows.decision(step, reasons=[matched, chosen])
    order = rows.order(of=step)

    page = page_of(desk, order)

    assert "WO-7, operation 40" in page
    assert "Policy P-COAT applies" in page
    assert "Alpen Eloxal is chosen" in page


def test_an_order_that_is_out_still_says_why_it_was_made(desk):
    step = rows.operation()
    rows.decision(
        step, is_current=False, reasons=[{"code": "vendor_chosen", "vendor": "V1", "detail": "Vendor V1 takes 100."}]
    )
    rows.decision(
        step, version=2, reasons=[{"code": "already_ordered", "vendor": "V1", "detail": "Already ordered at V1."}]
    )

    assert "Alpen Eloxal is chosen" in page_of(desk, rows.order(of=step, status=OrderStatus.SENT))


def test_what_the_plan_would_change_stands_on_top(desk):
    order = rows.order(status=OrderStatus.SENT)
    Alert.objects.create(
        kind="requirement_changed", subject="x", title="120 are now needed", order_number=order.number, site=order.site,
        before={"quantity": "100"}, after={"quantity": "120"}, opened_at=rows.AT, updated_at=rows.AT,
    )  # fmt: skip

    page = page_of(desk, order)
    assert "<del>100</del>" in page
    assert "<ins>120</ins>" in page


def test_the_steps_tell_how_far_an_order_is(desk):
    order = rows.order(status=OrderStatus.SENT, material="complete", receipt="partial")

    steps = desk.get(reverse("workbench:order", args=[order.number])).context["steps"]

    assert [(step["name"], step["state"]) for step in steps] == [
        ("Created", "done"),
        ("Approved", "done"),
        ("Sent", "done"),
        ("Acknowledged", "done"),
        ("Material out", "done"),
        ("Receiving", "now"),
        ("Closed", "to_come"),
    ]


def test_a_cancelled_order_stops_where_it_was_cancelled(desk):
    order = rows.order(status=OrderStatus.CANCELLED, cancelled_at=rows.AT)

    steps = desk.get(reverse("workbench:order", args=[order.number])).context["steps"]

    assert [(step["name"], step["state"]) for step in steps][-1] == ("Cancelled", "stopped")


def test_an_order_of_another_site_is_not_there(client):
    order = rows.order(at=rows.site("SOUTH", "South plant"))
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site()))

    assert client.get(reverse("workbench:order", args=[order.number])).status_code == 404
    assert client.post(reverse("workbench:approve", args=[order.number])).status_code == 404


def test_approving_moves_the_order_on_and_says_so(desk, mara):
    order = rows.order()

    answer = desk.post(reverse("workbench:approve", args=[order.number]), {"version": order.version}, follow=True)

    order.refresh_from_db()
    assert (order.status, order.approved_by) == (OrderStatus.APPROVED, mara)
    assert f"{order.number} is approved. It can be sent now." in answer.content.decode()
    assert "Send to Alpen Eloxal" in answer.content.decode()


def test_sending_is_state_only_and_says_so(desk):
    order = rows.order(status=OrderStatus.APPROVED)

    answer = desk.post(reverse("workbench:send", args=[order.number]), {"version": order.version}, follow=True)

    order.refresh_from_db()
    assert order.status == OrderStatus.SENT
    said = f"{order.number} counts as sent. Alpen Eloxal has no mail address: print the paper and hand it over."
    assert said in answer.content.decode()


def test_an_order_above_the_limit_is_refused_with_the_sentence_and_stays_a_draft(client):
    order = rows.order()
    client.force_login(rows.user("sam", Role.BUYER, limit=Decimal(500)))

    answer = client.post(reverse("workbench:approve", args=[order.number]), {"version": order.version}, follow=True)

    order.refresh_from_db()
    assert order.status == OrderStatus.DRAFT
    assert "is worth 740.00 EUR; your limit is 500.00 EUR." in answer.content.decode()
    assert 'role="alert"' in answer.content.decode()


def test_above_ones_limit_nothing_is_offered_but_who_can_approve(client):
    order = rows.order()
    for name, limit in (("boss", None), ("deputy", Decimal(900)), ("aide", Decimal(600))):
        other = rows.user(name, Role.BUYER, limit=limit)
        other.first_name, other.last_name = "", ""
        other.save()
    client.force_login(rows.user("sam", Role.BUYER, limit=Decimal(500)))
    says = f"{order.number} is worth 740.00 EUR; your limit is 500.00 EUR. deputy or boss must approve it."

    page = page_of(client, order)

    assert says in page
    assert "Approve 740" not in page
    assert says in client.get(reverse("workbench:worklist")).content.decode()


def test_an_order_that_changed_meanwhile_is_not_approved(desk):
    order = rows.order()

    answer = desk.post(reverse("workbench:approve", args=[order.number]), {"version": order.version + 1}, follow=True)

    order.refresh_from_db()
    assert order.status == OrderStatus.DRAFT
    assert "was changed since you read it" in answer.content.decode()


@pytest.mark.parametrize("act", ["approve", "send"])
def test_who_has_no_right_to_an_act_is_refused_and_nothing_changes(client, act):
    order = rows.order()
    client.force_login(rows.user("aud", Role.AUDITOR))

    answer = client.post(reverse(f"workbench:{act}", args=[order.number]), {"version": order.version})

    order.refresh_from_db()
    assert answer.status_code == 403
    assert order.status == OrderStatus.DRAFT


def test_who_may_only_read_sees_no_buttons(client):
    order = rows.order()
    client.force_login(rows.user("aud", Role.AUDITOR))

    assert "Approve" not in page_of(client, order).split("sc-acts")[1].split("</div>")[0]


def test_several_orders_are_approved_at_once_and_each_refusal_is_named(client):
    small, large = rows.order(), rows.order(lines=3)
    client.force_login(rows.user("sam", Role.BUYER, limit=Decimal(1000)))

    answer = client.post(
        reverse("workbench:act_on_many"), {"action": "approve", "order": [small.number, large.number]}, follow=True
    )

    small.refresh_from_db()
    large.refresh_from_db()
    assert (small.status, large.status) == (OrderStatus.APPROVED, OrderStatus.DRAFT)
    assert "1 order is approved." in answer.content.decode()
    assert f"{large.number} is worth 2,220.00 EUR; your limit is 1,000.00 EUR" in answer.content.decode()


@pytest.mark.parametrize(
    ("back", "leads_to"), [("/?tab=forecast", "/?tab=forecast"), ("https://evil.example/", "/"), ("", "/")]
)
def test_acting_on_many_leads_back_to_our_own_pages_only(desk, back, leads_to):
    answer = desk.post(reverse("workbench:act_on_many"), {"action": "send", "back": back})

    assert answer.url == leads_to


def test_an_act_that_does_not_exist_is_a_bad_request(desk):
    assert desk.post(reverse("workbench:act_on_many"), {"action": "burn"}).status_code == 400


def test_acts_are_posts(desk):
    order = rows.order()

    assert desk.get(reverse("workbench:approve", args=[order.number])).status_code == 405


def test_the_order_list_costs_the_same_for_any_number_of_rows(desk, django_assert_num_queries):
    for _ in range(12):
        rows.order(lines=2)

    # session, user, access, company; vendors, sites; count, rows, first lines, components; to order, alerts
    with django_assert_num_queries(14):
        desk.get(reverse("workbench:order_list"))


def test_the_parts_a_vendor_promised_stand_on_their_line(desk):
    line = rows.order().lines.get()
    for position, (quantity, promised) in enumerate([(40, date(2027, 3, 20)), (60, date(2027, 4, 3))], 1):
        LinePromise.objects.create(line=line, position=position, quantity=quantity, promised_date=promised)

    page = desk.get(reverse("workbench:order", args=[line.order.number])).content.decode()

    assert re.findall(r">(\d+ by [^<]+)<", page) == ["40 by 20 Mar 2027", "60 by 3 Apr 2027"]


@pytest.mark.parametrize("lines", [1, 9])
def test_the_order_page_costs_the_same_for_any_number_of_lines(desk, django_assert_num_queries, lines):
    order = rows.order(lines=lines)
    for line in order.lines.all():
        rows.decision(line.operation, reasons=[{"code": "vendor_chosen", "vendor": "V1"}])

    # session, user, access, order, lines, components, decisions, alerts, company, shipments, vendors, events, expected,
    # receipts, mail; shell 2
    with django_assert_num_queries(19):
        desk.get(reverse("workbench:order", args=[order.number]))


def test_the_order_page_says_what_is_asked_and_what_a_person_has_set(desk):
    order = rows.order()
    order.lines.update(
        certificates=["3.1", "RoHS"], inspection="sample", sample_pct=10, over_receipt_pct=5, under_receipt_pct=2,
        pinned={"quantity": {"by": "mara", "at": "2026-05-28T08:00:00+00:00", "reason": "spare parts"}},
    )  # fmt: skip

    page = page_of(desk, order)

    for said in (
        "certificates: 3.1, RoHS",
        "10 % are inspected",
        "5 % more may come",
        "2 % less is enough",
        "Quantity set by mara on",
        ": spare parts",
        "promised 26 Jun",
    ):
        assert said in page


def test_an_order_far_ahead_says_on_which_day_it_sends_itself(desk):
    order = rows.order(status=OrderStatus.APPROVED, auto_send_at=rows.AT + timedelta(minutes=15))
    order.lines.update(order_by=rows.TODAY + timedelta(40), auto_send_days_before=30)

    page = page_of(desk, order)

    assert f"Sends itself on {day(rows.TODAY + timedelta(10), rows.TODAY)}" in page
    assert "Sends itself at" not in page


def test_an_order_that_sends_itself_says_when_and_can_be_held_and_released(desk):
    order = rows.order(status=OrderStatus.APPROVED, auto_send_at=rows.AT + timedelta(minutes=15))
    assert "Sends itself at" in page_of(desk, order)
    hold, release = (reverse(f"workbench:{act}", args=[order.number]) for act in ("hold", "release"))

    assert "Say why it is held." in desk.post(hold, {"version": order.version}, follow=True).content.decode()
    held = desk.post(hold, {"version": order.version, "reason": "drawing is wrong"}, follow=True).content.decode()

    order.refresh_from_db()
    assert (order.status, order.auto_send_at) == (OrderStatus.HELD, None)
    assert "drawing is wrong" in held
    assert "Release" in held
    desk.post(release, {"version": order.version})
    order.refresh_from_db()
    assert order.status == OrderStatus.APPROVED


def test_a_revision_that_waits_is_shown_with_what_it_changes(desk):
    order = rows.order(status=OrderStatus.SENT, approved_total=740)
    orders.revise_line(
        order_id=order.pk,
        line_no=1,
        quantity=Decimal(120),
        need_date=date(2026, 7, 3),
        by=rows.user("boss"),
        at=rows.AT,
    )

    page = page_of(desk, order)

    assert "Version 2 waits to be approved; version 1 stays in force until then" in page
    assert "<del>100</del>" in page
    assert "<ins>120</ins>" in page
    assert "<ins>3 Jul 2026</ins>" in page


def test_the_balance_counts_against_what_the_vendor_was_told_while_more_waits(desk):
    order = rows.order(status=OrderStatus.SENT)
    order.lines.update(sent_quantity=100, quantity=126)

    page = desk.get(reverse("workbench:order", args=[order.number])).content.decode()

    assert re.search(r"Ordered</dt><dd>100</dd>", page)
