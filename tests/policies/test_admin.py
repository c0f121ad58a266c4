"""Policies, prices, approvals and the planner's word on the planning pages."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Currency, Item, PlanChange, Process, Site, Vendor
from policies.models import Decision, Policy, PolicyStatus, PolicyVendor, PriceAgreement
from production.models import Operation, OperationWord, ProductionOrder

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role)
    accounts.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def make_policy(**values) -> Policy:
    process, _ = Process.objects.get_or_create(code="Zinc plating")
    return Policy.objects.create(**{"code": "ZINC", "process": process, **values})


def form_of(policy: Policy, vendors: list[PolicyVendor], **values) -> dict[str, object]:
    """What the browser posts for a policy and its vendors, as they are but for `values`."""
    blank = {
        name: "" if value is None or value is False else value
        for name, value in Policy.objects.filter(pk=policy.pk).values().get().items()
    }
    form = {name.removesuffix("_id"): value for name, value in blank.items()} | {
        "certificates": "", "external_refs": "[]", "initial-external_refs": "[]", "vendors-TOTAL_FORMS": len(vendors),
        "vendors-INITIAL_FORMS": sum(1 for vendor in vendors if vendor.pk),
    }  # fmt: skip
    for number, vendor in enumerate(vendors):
        form |= {
            f"vendors-{number}-id": vendor.pk or "",
            f"vendors-{number}-policy": policy.pk,
            f"vendors-{number}-rank": vendor.rank,
            f"vendors-{number}-vendor": vendor.vendor_id,
        }
    return form | values


@pytest.fixture
def order() -> ProductionOrder:
    site, item = Site.objects.create(code="MAIN"), Item.objects.create(code="FRAME")
    order = ProductionOrder.objects.create(
        number="P/1", item=item, quantity=5, due_date=date(2026, 6, 30), site=site, changed_at=AT
    )
    for sequence, number in enumerate(["10", "20"], start=1):
        Operation.objects.create(production_order=order, sequence=sequence, operation_no=number, quantity=5)
    return order


def test_a_new_policy_is_a_draft_that_consolidates_by_week():
    client = signed_in("planner")
    page = client.get(reverse("admin:policies_policy_add"))
    assert page.context["adminform"].form["consolidate"].value() == "week"

    policy = make_policy()

    assert policy.status == PolicyStatus.DRAFT


def test_every_field_of_a_policy_has_a_word_of_help():
    form = signed_in("planner").get(reverse("admin:policies_policy_add")).context["adminform"].form

    assert [name for name, field in form.fields.items() if not field.help_text] == ["source", "external_refs"]


def test_a_policy_is_read_as_a_sentence():
    policy = make_policy(verdict="in_house")

    page = signed_in("planner").get(reverse("admin:policies_policy_change", args=[policy.pk])).content.decode()

    assert "Zinc plating of any item stays inside." in page


def test_a_range_that_ends_before_it_begins_is_said_at_its_field():
    policy = make_policy(verdict="in_house")

    answer = signed_in("planner").post(
        reverse("admin:policies_policy_change", args=[policy.pk]),
        form_of(policy, [], quantity_from="10", quantity_to="5"),
    )

    assert answer.context["adminform"].form.errors["quantity_to"] == [
        "5 is less than 10, where it begins: the policy would never apply."
    ]


def test_shares_and_limits_that_cannot_be_are_said_at_their_fields():
    policy = make_policy(verdict="in_house")
    vendor = PolicyVendor(rank=1, vendor=Vendor.objects.create(code="V1"), policy=policy)
    given = {"transition_share_pct": "120", "vendors-0-quantity_from": "50", "vendors-0-quantity_to": "10"}

    answer = signed_in("planner").post(
        reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, [vendor], **given)
    )

    assert answer.context["adminform"].form.errors["transition_share_pct"] == [
        "More than 100 % of the quantity cannot move."
    ]
    (formset,) = answer.context["inline_admin_formsets"]
    assert formset.formset.errors[0]["quantity_to"] == [
        "10 is less than 50, from which he is used: he would never be given any."
    ]


def test_the_page_of_a_policy_says_what_it_decides_today(order):
    policy = make_policy(verdict="in_house")
    page, client = reverse("admin:policies_policy_change", args=[policy.pk]), signed_in("planner")
    assert "It decides nothing as the plan stands." in client.get(page).content.decode()
    for operation, basis in zip(order.operations.order_by("sequence"), ("policy", "word"), strict=True):
        Decision.objects.create(
            operation=operation, verdict="in_house", basis=basis, policy=policy, quantity=5, decided_at=AT
        )

    assert "It decides 1 open operation: 1 inside." in client.get(page).content.decode()


def test_saving_a_policy_counts_its_version_up_and_asks_for_a_run():
    policy = make_policy()
    client = signed_in("planner")

    answer = client.post(reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, [], priority=7))

    assert answer.status_code == 302
    policy.refresh_from_db()
    assert (policy.priority, policy.version) == (7, 2)
    assert [change.reason for change in PlanChange.objects.all()] == ["policy ZINC changed by planner"]


def test_saving_a_policy_unchanged_asks_for_nothing():
    policy = make_policy()

    signed_in("planner").post(reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, []))

    assert not PlanChange.objects.exists()


def test_two_vendors_of_a_policy_change_places():
    policy = make_policy()
    first, second = (
        PolicyVendor.objects.create(policy=policy, rank=rank, vendor=Vendor.objects.create(code=code))
        for rank, code in ((1, "A"), (2, "B"))
    )
    first.rank, second.rank = 2, 1

    answer = signed_in("planner").post(
        reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, [first, second])
    )

    assert answer.status_code == 302
    assert list(policy.vendors.order_by("rank").values_list("vendor__code", flat=True)) == ["B", "A"]


def test_a_policy_is_activated_and_retired_by_buttons():
    policy = make_policy(verdict="in_house")
    client = signed_in("planner")

    client.post(reverse("admin:policies_policy_activate", args=[policy.pk]), {"_form_submitted": "True"})
    policy.refresh_from_db()
    assert policy.status == PolicyStatus.ACTIVE
    client.post(reverse("admin:policies_policy_retire", args=[policy.pk]), {"_form_submitted": "True"})
    policy.refresh_from_db()
    assert policy.status == PolicyStatus.RETIRED


def test_opening_the_activation_dialog_activates_nothing():
    policy = make_policy(verdict="in_house")

    signed_in("planner").get(reverse("admin:policies_policy_activate", args=[policy.pk]))

    policy.refresh_from_db()
    assert policy.status == PolicyStatus.DRAFT


def test_a_buyer_reads_policies_and_activates_none():
    policy = make_policy(verdict="in_house")
    client = signed_in("buyer")

    assert client.get(reverse("admin:policies_policy_change", args=[policy.pk])).status_code == 200
    answer = client.post(reverse("admin:policies_policy_activate", args=[policy.pk]), {"_form_submitted": "True"})

    assert answer.status_code == 403
    policy.refresh_from_db()
    assert policy.status == PolicyStatus.DRAFT


def test_a_policy_that_names_nobody_is_refused_in_words():
    policy = make_policy(verdict="outsource")
    client = signed_in("planner")

    answer = client.post(
        reverse("admin:policies_policy_changelist"),
        {"action": "activate_all", "_selected_action": [policy.pk]},
        follow=True,
    )

    assert "names no vendor" in answer.content.decode()
    policy.refresh_from_db()
    assert policy.status == PolicyStatus.DRAFT


def test_a_new_price_asks_for_a_run():
    vendor, process = Vendor.objects.create(code="V1"), Process.objects.create(code="Paint")
    currency = Currency.objects.create(code="EUR")

    answer = signed_in("buyer").post(
        reverse("admin:policies_priceagreement_add"),
        {
            "vendor": vendor.pk, "process": process.pk, "currency": currency.pk, "unit_price": "1.5", "price_factor": "1",
            "minimum_quantity": "0", "lot_charge": "0", "minimum_charge": "0", "minimum_charge_basis": "line", "freight": "0",
            "external_refs": "[]",
        },
    )  # fmt: skip

    assert answer.status_code == 302
    assert PriceAgreement.objects.get().unit_price == 1.5
    assert PlanChange.objects.count() == 1


def test_a_search_box_names_what_it_finds_and_a_form_shows_numbers_as_people_type_them():
    euro = Currency.objects.create(code="EUR")
    vendor = Vendor.objects.create(code="V1", name="Alpen Eloxal", currency=euro)
    item = Item.objects.create(code="FRAME", name="FRAME")
    price = PriceAgreement.objects.create(vendor=vendor, item=item, unit_price="47.87000")
    planner = signed_in("planner")
    asked = {"app_label": "policies", "model_name": "priceagreement", "field_name": "vendor", "term": "alpen"}

    offered = planner.get(reverse("admin:autocomplete"), asked).json()["results"]
    page = planner.get(reverse("admin:policies_priceagreement_change", args=[price.pk])).content.decode()

    assert [one["text"] for one in offered] == ["V1 · Alpen Eloxal"]
    assert ("V1 · Alpen Eloxal" in page, ">FRAME<" in page) == (True, True)
    assert ('value="47.87"' in page, 'value="0"' in page, "00000" in page) == (True, True, False)


def test_an_order_shows_the_verdict_and_why_beside_each_operation(order):
    operation = order.operations.get(operation_no="20")
    Decision.objects.create(
        operation=operation, verdict="blocked", basis="policy", quantity=5, decided_at=AT,
        reasons=[{"code": "no_price", "vendor": "V1", "detail": "V1 has no price for 5 pieces."}],
    )  # fmt: skip

    page = (
        signed_in("planner").get(reverse("admin:policies_orderwithverdicts_change", args=[order.pk])).content.decode()
    )

    assert "Blocked" in page
    assert "V1 has no price for 5 pieces." in page
    assert page.count("Send outside") == 2


def test_the_planners_word_is_kept_with_its_reason(order):
    operation = order.operations.get(operation_no="10")
    vendor = Vendor.objects.create(code="V1")

    answer = signed_in("planner").post(
        f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={operation.pk}",
        {"word": "outsource", "vendor": vendor.pk, "reason": "Our press is down."},
    )

    assert answer.url == reverse("admin:policies_orderwithverdicts_change", args=[order.pk])
    word = OperationWord.objects.get()
    assert (word.word, word.vendor, word.reason, word.by.username) == (
        "outsource",
        vendor,
        "Our press is down.",
        "planner",
    )


def test_a_word_on_several_operations_is_kept_for_all_or_none(order):
    Operation.objects.filter(operation_no="20").update(status="finished")
    ids = ",".join(str(operation.pk) for operation in order.operations.all())

    answer = signed_in("planner").post(
        f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={ids}", {"word": "in_house", "reason": "Ours."}
    )

    assert answer.status_code == 200
    assert "finished" in answer.content.decode()
    assert not OperationWord.objects.exists()


def test_a_word_is_taken_back(order):
    operation = order.operations.get(operation_no="10")
    client = signed_in("planner")
    client.post(
        f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={operation.pk}",
        {"word": "in_house", "reason": "Ours."},
    )

    client.post(reverse("admin:policies_orderwithverdicts_retract", args=[operation.pk]))

    assert not OperationWord.objects.filter(is_current=True).exists()


def test_only_planners_say_a_word(order):
    operation = order.operations.get(operation_no="10")

    answer = signed_in("buyer").post(
        f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={operation.pk}",
        {"word": "in_house", "reason": "Ours."},
    )

    assert answer.status_code == 403
    assert not OperationWord.objects.exists()


def test_chosen_decisions_lead_to_the_word(order):
    decisions = [
        Decision.objects.create(operation=operation, verdict="in_house", basis="default", quantity=5, decided_at=AT)
        for operation in order.operations.order_by("sequence")
    ]

    answer = signed_in("planner").post(
        reverse("admin:policies_decision_changelist"),
        {"action": "send_outside", "_selected_action": [decision.pk for decision in decisions]},
    )

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:policies_orderwithverdicts_speak"))
    assert "word=outsource" in answer.url


def test_the_order_that_is_called_as_one_searched_stands_first():
    item = Item.objects.create(code="FR")
    site = Site.objects.create(code="MAIN")
    for number, due in (
        ("X-AW-00001", date(2026, 6, 1)),
        ("AW-000012", date(2026, 6, 2)),
        ("AW-00001", date(2026, 6, 9)),
    ):
        ProductionOrder.objects.create(
            number=number, item=item, quantity=1, due_date=due, site=site, changed_at=AT, parent_number="AW-00001"
        )

    page = signed_in("planner").get(reverse("admin:policies_orderwithverdicts_changelist"), {"q": "aw-00001"})

    found = [order.number for order in page.context["cl"].result_list]
    assert found == ["AW-00001", "X-AW-00001", "AW-000012"]


def told_on(client: Client, policy: Policy) -> list[tuple[str, str]]:
    """Who did what, as the history page tells it, the latest first."""
    page = client.get(reverse("admin:policies_policy_history", args=[policy.pk]))
    return [
        (row.user.get_username() if row.user else "", row.get_change_message()) for row in page.context["action_list"]
    ]


def test_the_history_of_a_policy_tells_every_change_whatever_it_came_through():
    Currency.objects.create(code="EUR")
    Process.objects.create(code="Zinc")
    Vendor.objects.create(code="V1")
    galva = Vendor.objects.create(code="V2", name="Galva")
    client, boss = signed_in("planner"), signed_in("administrator")
    client.post(
        "/api/v1/policies/", {"code": "ZINC", "process": "Zinc", "load_above_pct": "90", "vendors": ["V1"]},
        content_type="application/json",
    )  # fmt: skip
    client.patch("/api/v1/policies/ZINC/", {"load_above_pct": "95.5"}, content_type="application/json")
    client.post("/api/v1/policies/ZINC/activate/")
    row = {"code": "ZINC", "vendors": ["V1", {"vendor": "V2", "share_pct": "40"}], "valid_from": "2026-07-01"}
    answer = boss.post("/api/v1/imports/", {"policies": [row]}, content_type="application/json")
    assert answer.status_code < 400, answer.content
    boss.post("/api/v1/imports/", {"policies": [row]}, content_type="application/json")  # says nothing new
    policy = Policy.objects.get()
    client.post(
        reverse("admin:policies_policy_change", args=[policy.pk]),
        form_of(
            policy, [PolicyVendor(rank=1, vendor=galva, policy=policy)], verdict="outsource", season_from="2026-06-01"
        ),
    )

    told = told_on(client, policy)

    assert told == [
        ("planner", "Changed: Season from: – → 1 Jun 2026; Vendors: V1, V2 (40 %) → V2"),
        ("administrator", "Changed (import): Valid from: – → 1 Jul 2026; Vendors: V1 → V1, V2 (40 %)"),
        ("planner", "Changed (api): Status: Draft → Active"),
        ("planner", "Changed (api): Load above %: 90 → 95.5"),
        ("planner", "Made (api)"),
    ]


def test_a_policy_that_is_saved_as_it_is_has_no_history_of_it():
    policy = make_policy(verdict="in_house")
    client = signed_in("planner")

    answer = client.post(reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, []))

    assert answer.status_code == 302
    assert told_on(client, policy) == []
    policy.refresh_from_db()
    assert policy.version == 1
    client.post(reverse("admin:policies_policy_change", args=[policy.pk]), form_of(policy, [], priority=7))
    policy.refresh_from_db()
    assert (policy.version, policy.priority) == (2, 7)


def test_what_a_dry_run_of_an_import_would_change_is_no_history():
    policy = make_policy(verdict="in_house")
    client = signed_in("administrator")

    client.post(
        "/api/v1/imports/?dry_run=true",
        {"policies": [{"code": "ZINC", "priority": 5}]},
        content_type="application/json",
    )

    assert told_on(client, policy) == []
