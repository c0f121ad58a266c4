"""A person's own settings: the language and the time zone he reads in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation

from tests.workbench import rows
from workbench.forms import Unreadable, read_quantity
from workbench.templatetags.workbench import day, money, plain_quantity, quantity

pytestmark = pytest.mark.django_db


def test_a_language_and_a_zone_are_kept_and_spoken_from_then_on(client: Any, mara: Any):
    client.force_login(mara)

    answer = client.post(reverse("workbench:me"), {"language": "de", "time_zone": "Europe/Berlin"})

    mara.refresh_from_db()
    assert (answer.status_code, mara.language, mara.time_zone) == (302, "de", "Europe/Berlin")
    assert '<html lang="de"' in client.get(reverse("workbench:me")).content.decode()


def test_who_comes_before_anybody_has_an_account_reads_how_the_first_is_made(client: Any):
    command = "./dev manage createsuperuser"

    assert command in client.get(reverse("login")).content.decode()

    rows.user("mara")
    assert command not in client.get(reverse("login")).content.decode()


def test_signing_in_speaks_the_language_of_the_person(client: Any, mara: Any):
    mara.language = "de"
    mara.set_password("outwork")
    mara.save()

    answer = client.post(reverse("login"), {"username": mara.username, "password": "outwork"})

    assert answer.cookies["django_language"].value == "de"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"language": "xx", "time_zone": ""}, "xx is none of en, de."),
        ({"language": "de", "time_zone": "Berlin"}, "Berlin is no time zone; write one like Europe/Berlin."),
    ],
)
def test_what_is_no_language_or_zone_is_refused_and_nothing_is_kept(client: Any, mara: Any, typed: Any, said: str):
    client.force_login(mara)

    answer = client.post(reverse("workbench:me"), typed)

    mara.refresh_from_db()
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert (mara.language, mara.time_zone) == ("", "")


def test_numbers_and_days_are_written_as_the_language_writes_them():
    with translation.override("de"):
        assert quantity(Decimal("1250.50000")) == "1.250,5"
        assert money(Decimal("1864.2")) == "1.864,20"
        assert plain_quantity(Decimal("1250.50000")) == "1250,5"
        assert day(date(2026, 10, 3)) == "3. Okt 2026"

    assert quantity(Decimal("1250.50000")) == "1,250.5"
    assert day(date(2026, 10, 3)) == "3 Oct 2026"


def test_a_quantity_that_two_languages_read_differently_is_asked_again():
    with translation.override("de"):
        assert read_quantity("1,250") == Decimal("1.25")
        with pytest.raises(Unreadable, match=r"1\.250"):
            read_quantity("1.250")

    assert read_quantity("1.250") == Decimal("1.25")
    with pytest.raises(Unreadable, match=r"1\.250"):
        read_quantity("1,250")
