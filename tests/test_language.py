"""Every word on a page has its German."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from html import unescape
from pathlib import Path

from django.conf import settings
from django.template.base import Lexer, TokenType
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext, override

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Item
from policies.forms import POLICY_HELP, PRICE_HELP

ROOT = Path(settings.BASE_DIR)
CATALOG = ROOT / "locale" / "de" / "LC_MESSAGES" / "django"
CALLS = {"gettext", "gettext_noop", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "_"}


def spoken_in_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def spoken_in_template(path: Path) -> Iterator[str]:
    tokens = iter(Lexer(path.read_text()).tokenize())
    for token in tokens:
        if token.token_type != TokenType.BLOCK:
            continue
        if found := re.match(r"""(?:translate|trans)\s+(?:"([^"]*)"|'([^']*)')""", token.contents):
            yield found[1] or found[2]
        elif token.contents.startswith('include "components/empty.html"'):  # it translates what it is given
            yield from re.findall(r' (?:title|text|button)="([^"]*)"', token.contents)
        elif re.match(r"blocktrans(late)?\b", token.contents):
            said = ""
            for part in tokens:
                if part.token_type == TokenType.BLOCK:  # {% plural %} and the end: the singular is the key
                    break
                said += f"%({part.contents})s" if part.token_type == TokenType.VAR else part.contents.replace("%", "%%")
            yield said


def test_every_word_on_a_page_has_its_german():
    with CATALOG.with_suffix(".mo").open("rb") as file:
        known = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    singular = {key[0] if isinstance(key, tuple) else key for key in known}
    apps = [
        ROOT / app.split(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.split(".")[0] / "apps.py").exists()
    ]

    missing = {
        said
        for app in apps
        for path in app.rglob("*.py")
        if "migrations" not in path.parts
        for said in spoken_in_code(path)
    } | {said for path in (ROOT / "templates").rglob("*.html") for said in spoken_in_template(path)}

    assert sorted(missing - singular - {""}) == []


def test_the_compiled_words_are_those_of_the_catalog():
    lines = CATALOG.with_suffix(".po").read_text()

    assert "#, fuzzy" not in lines
    assert re.findall(r'^msgstr(?:\[\d\])? ""\n(?!")', lines, re.M) == []
    with override("de"):
        assert gettext("Work list") == "Arbeitsliste"


def test_planners_read_policies_and_the_side_bar_in_german(client, db):
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client.force_login(user)
    Item.objects.create(code="A")
    german = {"accept-language": "de"}

    policy = client.get(reverse("admin:policies_policy_add"), headers=german).content.decode()
    items = client.get(reverse("admin:masterdata_item_changelist"), headers=german).content.decode()

    with override("de"):
        assert [words for words in POLICY_HELP.values() if escape(gettext(words)) not in policy] == []
    assert [words for words in POLICY_HELP.values() if escape(words) in policy] == []
    for words in ("Ausbeute in %", "Geltungsbereich", "Stücklisten", "Eine je Lieferant und Woche", "In einem Satz"):
        assert words in policy
    assert "Bills of material" not in policy
    assert "Standardkosten" in items
    assert "Bills of material" in client.get(reverse("admin:masterdata_item_changelist")).content.decode()


def test_every_field_of_a_price_is_explained_in_the_language_of_the_reader(client, db):
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client.force_login(user)

    english = unescape(client.get(reverse("admin:policies_priceagreement_add")).content.decode())
    german = client.get(
        reverse("admin:policies_priceagreement_add"), headers={"accept-language": "de"}
    ).content.decode()

    assert len(PRICE_HELP) > 12
    assert [words for words in PRICE_HELP.values() if words not in english] == []
    with override("de"):
        assert [words for words in PRICE_HELP.values() if gettext(words) not in german] == []
    assert [words for words in PRICE_HELP.values() if words in german] == []
