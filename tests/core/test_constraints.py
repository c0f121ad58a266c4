"""What the database refuses is said in words a person can act on, never in its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, transaction

from core.constraints import not_kept
from inventory.models import Lot
from masterdata.models import Downtime, Item, Process, Vendor, WorkCenter
from policies.models import Policy, PriceAgreement

pytestmark = pytest.mark.django_db


def refusal_of(act: Callable[[], object]) -> tuple[int, str, str | None, str]:
    with pytest.raises(DatabaseError) as broken, transaction.atomic():
        act()
    found = not_kept(broken.value)
    return found.status, found.code, found.field, found.detail


def test_one_that_is_there_already_is_named_with_what_makes_it_one():
    item = Item.objects.create(code="A")
    Lot.objects.create(item=item, code="L1")

    assert refusal_of(lambda: Lot.objects.create(item=item, code="L1")) == (
        409, "duplicate", None, "There is already one lot with the same item and code; change that one, or give another value.",
    )  # fmt: skip
    assert refusal_of(lambda: Item.objects.create(code="A")) == (
        409, "duplicate", "code", "There is already one item with the same code; change that one, or give another value.",
    )  # fmt: skip


def test_values_that_do_not_go_together_are_named():
    center, vendor = WorkCenter.objects.create(code="OUT"), Vendor.objects.create(code="V1")
    process = Process.objects.create(code="P")
    days = {"start_date": date(2026, 3, 2), "end_date": date(2026, 3, 1)}

    assert refusal_of(lambda: Downtime.objects.create(work_center=center, **days)) == (
        422, "invalid", None,
        "The end date and start date of one downtime cannot be so (downtime ends after start); put them right.",
    )  # fmt: skip
    assert refusal_of(lambda: PriceAgreement.objects.create(vendor=vendor, process=process, yield_pct=150)) == (
        422, "invalid", "yield_pct",
        "The yield pct of one price agreement cannot be so (price agreement yield); put them right.",
    )  # fmt: skip


def test_what_is_missing_too_large_or_too_long_is_said():
    assert refusal_of(lambda: Item.objects.create(code=None))[1:] == (
        "required",
        "code",
        "Every item needs its code; fill it in.",
    )
    assert refusal_of(lambda: Policy.objects.create(code="P", name="x" * 500))[1:3] == ("invalid", None)
    assert "at most 200 characters" in refusal_of(lambda: Policy.objects.create(code="P", name="x" * 500))[3]
    assert "13 digits" in refusal_of(lambda: Item.objects.create(code="A", standard_cost=10**14))[3]
