from django.urls import reverse

from accounts.models import Role
from activity.models import Alert
from subcontract_orders.models import OrderStatus
from tests.workbench import rows

HERE = reverse("workbench:alert_list")


def alert(subject: str, **fields) -> Alert:
    fields = {"site": rows.site(), "kind": "requirement_changed", "title": f"About {subject}"} | fields
    return Alert.objects.create(subject=subject, opened_at=rows.AT, updated_at=rows.AT, **fields)


def subjects(answer) -> list[str]:
    return [found.subject for found in answer.context["page"]]


def test_open_alerts_stand_the_worst_first_with_before_and_after(desk):
    alert("mild", severity="info")
    alert("bad", severity="critical", before={"quantity": "100"}, after={"quantity": "120"})
    alert("gone", closed_at=rows.AT)

    answer = desk.get(HERE)

    assert subjects(answer) == ["bad", "mild"]
    assert "<del>100</del>" in answer.content.decode()
    assert "<ins>120</ins>" in answer.content.decode()


def test_an_alert_calls_the_vendor_by_his_name(desk):
    vendor = rows.vendor("ALPEN01", "Alpen Eloxal")
    alert("late", vendor=vendor, title="ALPEN01 has not answered SC-ALPEN01-7 since 2026-11-02")

    said = desk.get(HERE).content.decode()

    assert "Alpen Eloxal has not answered SC-ALPEN01-7 since 2 Nov 2026" in said
    assert "ALPEN01 has not answered" not in said


def test_alerts_are_searched_and_filtered(desk):
    alert("one", title="Needs more")
    alert("two", severity="critical")

    assert subjects(desk.get(HERE, {"q": "more"})) == ["one"]
    assert subjects(desk.get(HERE, {"severity": "critical"})) == ["two"]


def test_alerts_of_another_site_are_not_shown(client):
    alert("south", site=rows.site("SOUTH", "South plant"))
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site()))

    assert subjects(client.get(HERE)) == []


def test_applying_an_alert_changes_the_order_and_closes_it(desk):
    order = rows.order(status=OrderStatus.SENT)
    found = alert(
        "x",
        order_number=order.number,
        line_no=1,
        proposes="change",
        before={"quantity": "100"},
        after={"quantity": "120"},
    )

    answer = desk.post(reverse("workbench:apply_alert", args=[found.reference]), follow=True)

    found.refresh_from_db()
    assert found.closed_at is not None
    assert order.lines.get().quantity == 120
    assert "Applied: About x" in answer.content.decode()


def test_where_the_part_is_drawn_otherwise_the_page_offers_what_may_become_of_what_is_out(desk):
    order = rows.order(status=OrderStatus.SENT)
    found = alert(
        "x",
        kind="requirement_changed",
        order_number=order.number,
        line_no=1,
        proposes="change",
        before={"item_revision": "A"},
        after={"item_revision": "B"},
    )
    page = desk.get(HERE).content.decode()
    assert [word in page for word in ("Make it to the new one", "Hold the order", "Take it back", "Go on as it is")] == [
        True, True, True, True,
    ]  # fmt: skip

    desk.post(reverse("workbench:apply_alert", args=[found.reference]), {"way": "hold"}, follow=True)

    order.refresh_from_db()
    found.refresh_from_db()
    assert (order.status, found.closed_at) == (OrderStatus.HELD, None)


def test_an_alert_that_proposes_nothing_is_refused_with_its_sentence(desk):
    found = alert("x", kind="shortage")

    answer = desk.post(reverse("workbench:apply_alert", args=[found.reference]), follow=True)

    assert "It closes when enough lies there, or less is to be shipped." in answer.content.decode()


def test_who_may_not_change_orders_applies_nothing(client):
    found = alert("x", proposes="change")
    client.force_login(rows.user("aud", Role.AUDITOR))

    assert client.post(reverse("workbench:apply_alert", args=[found.reference])).status_code == 403


def test_without_alerts_the_page_says_so(desk):
    assert "Nothing wants attention" in desk.get(HERE).content.decode()


def test_the_alert_list_costs_the_same_for_any_number_of_rows(desk, django_assert_num_queries):
    for number in range(12):
        alert(str(number))

    # session, user, access; count, rows, kinds; views, company, to order, alerts
    with django_assert_num_queries(11):
        desk.get(HERE)
