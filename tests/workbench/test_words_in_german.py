"""Words a German reads: kinds of alerts, choices, what models and their columns are called."""

from __future__ import annotations

import ast
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Choices
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override

from accounts.models import User
from tests.workbench import goods, rows
from tests.workbench.said_in_code import speaks
from tests.workbench.test_said_in_code import ROOT, examples, only_values, said
from workbench import rules
from workbench.rules import sentences
from workbench.templatetags.workbench import LOOKS

OURS = {config.label for config in apps.get_app_configs() if (ROOT / config.label / "apps.py").exists()}
THE_SAME = {"Code", "Journal", "Info", "Position", "Status", "Version", "Text", "Name", "Material", "ID", "Logo", "System"} | {
    "Administrator", "Simulation", "Simulations", "Name of the operation", "Import", "Person", "Revision",
}  # fmt: skip


GIVEN = {  # to a function that makes the alert
    "below_minimum", "certificate_missing", "direct_supply", "discrepancy", "due_tomorrow", "late", "not_sent", "price_open",
    "return_due", "requirement_cancelled", "requirement_changed", "run_held", "shortage", "short_receipt", "unconfirmed",
    "vendor_countered", "vendor_stock_old",
}  # fmt: skip


def kinds_of_alerts() -> set[str]:
    """The kinds alerts are made with, as the code names them: by a word, or by a constant."""
    found = set(GIVEN)
    for module, call in said().calls["Alert"]:
        kind = next((keyword.value for keyword in call.keywords if keyword.arg == "kind"), None)
        if isinstance(kind, ast.Constant):
            found.add(str(kind.value))
        elif isinstance(kind, ast.Name):
            given = [
                (where, value.value) for where, value in said().constants[kind.id] if isinstance(value, ast.Constant)
            ]
            own = [value for where, value in given if where is module] or [value for _, value in given]
            found |= {value for value in own if isinstance(value, str)}
    return found


@pytest.mark.no_database
def test_every_kind_of_alert_has_its_german():
    kinds = kinds_of_alerts()

    with override("de"):
        english = {kind for kind in kinds if rules.words(kind) == kind.replace("_", " ").capitalize()}

    assert len(kinds) > 15
    assert english == set()


COLUMNS = {"code", "note", "number", "operation_no"}
"""What stands behind a point in a lookup, and is no event."""
KINDS_OF_DOCUMENTS = {
    "balance_confirmation", "charge_back", "credit_note", "direct_delivery", "invoice", "journal_export", "opening",
    "payment_export", "period", "plan_progress", "production_order", "production_report", "receipt", "return", "run", "shipment",
    "simulation", "stock_load", "subcontract_order", "vendor_count", "vendor_write_off",
}  # fmt: skip


def in_english(codes: set[str]) -> set[str]:
    """Which of these a German would read in English."""
    with override("de"):
        return {code for code in codes if rules.words(code) == code.replace("_", " ").capitalize()}


@pytest.mark.no_database
def test_whatever_happens_to_a_document_has_its_german():
    of = {
        "order",
        "receipt",
        "shipment",
        "return",
        "invoice",
        "operation",
        "policy",
        "vendor_stock",
        "purchase_request",
    }
    of |= {"direct_delivery", "charge_back", "period", "journal"}
    named = {
        node.value
        for module in said().modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    events = {name for name in named if re.fullmatch(r"[a-z_]+\.[a-z_]+", name) and name.partition(".")[0] in of}
    happened = {name.partition(".")[2] for name in events} - COLUMNS - {"name"}

    assert len(happened) > 40
    assert in_english(happened | {"matched", "held"}) == set()


@pytest.mark.no_database
def test_every_chip_has_its_german():
    words = [look.word for family in LOOKS.values() for look in family.values()]
    with override("en"):
        english = [str(word) for word in words]
    with override("de"):
        german = [str(word) for word in words]

    assert {word for word, said_so in zip(english, german, strict=True) if word == said_so} == set()


@pytest.mark.no_database
def test_every_kind_of_document_has_its_german():
    assert in_english(KINDS_OF_DOCUMENTS) - {"simulation"} == set()  # the same word


@pytest.mark.no_database
def test_what_an_alert_sets_side_by_side_is_named_in_german():
    named = {
        key.value
        for _, call in said().calls["Alert"]
        for given in call.keywords
        if given.arg in ("before", "after") and isinstance(given.value, ast.Dict)
        for key in given.value.keys
        if isinstance(key, ast.Constant)
    }

    assert {"there", "wanted", "missing"} <= named
    assert in_english(named) == set()


@pytest.mark.no_database
def test_what_a_run_was_asked_for_is_said_in_german(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sentences, "gettext", only_values)
    reasons = {
        sentence
        for name in ("request_run", "note_plan_change", "report_lines", "report_outside")
        for module, call in said().calls[name]
        for given in call.keywords
        if given.arg == "reason"
        for sentence in said().sentences(given.value, module, 0)
        if speaks(sentence)
    }
    asked = {example for sentence in reasons for example in examples(sentence)}
    left = {text: words for text in asked if (words := re.findall(r"[a-z]{3,}", sentences._told(text, "nobody's")))}

    assert len(asked) > 20
    assert left == {}


@pytest.mark.no_database
def test_every_word_of_a_choice_has_its_german():
    english = set()
    for choices in all_choices():
        for word in choices.labels:
            with override("en"):
                written = str(word)
            with override("de"):
                if gettext(written) == written:
                    english.add(written)

    assert sorted(english - THE_SAME) == []


def all_choices() -> list[type[Choices]]:
    found, left = [], list(Choices.__subclasses__())
    while left:
        one = left.pop()
        left += one.__subclasses__()
        if one.__module__.split(".")[0] in OURS and len(one):
            found.append(one)
    return found


@pytest.mark.no_database
def test_every_list_of_planning_and_its_columns_are_called_in_german():
    english = set()
    for model, shown in admin.site._registry.items():
        columns = [name for name in [*shown.list_display, *shown.readonly_fields] if isinstance(name, str)]
        fields = [field for field in model._meta.fields if field.name in columns]
        for name in [
            model._meta.verbose_name,
            model._meta.verbose_name_plural,
            *(field.verbose_name for field in fields),
        ]:
            with override("de"):
                german = str(name)
            with override("en"):
                if german == str(name) and german[:1].upper() + german[1:] not in THE_SAME:
                    english.add(german)

    assert sorted(english) == []


def test_planning_is_german_in_breadcrumbs_headings_choices_and_dialogs(client: Client, db: None):
    user = rows.user("mara", "administrator")
    User.objects.filter(pk=user.pk).update(language="de", is_superuser=True, is_staff=True)
    client.force_login(User.objects.get(pk=user.pk))
    order = goods.sent_order()
    german = {"accept-language": "de"}

    listed = client.get(
        reverse("admin:subcontract_orders_subcontractorder_changelist"), headers=german
    ).content.decode()
    shown = client.get(
        reverse("admin:subcontract_orders_subcontractorder_change", args=[order.pk]), headers=german
    ).content.decode()
    unit = client.get(
        reverse("admin:masterdata_unit_take_out_of_use", args=[order.lines.get().item.unit_id]), headers=german
    ).content.decode()

    assert "Lohnbestellungen" in listed
    assert not re.search(r">\s*(Subcontract orders?|Vendor|Sent|Draft|Apply Filters)\s*<", listed)
    assert not re.search(r">\s*(Subcontract orders?|Sent|Go back|Due date)\s*<", shown)
    assert "Außer Gebrauch nehmen?" in unit
    assert "Take it out of use" not in unit
