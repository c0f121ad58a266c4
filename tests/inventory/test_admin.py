"""Planning pages about stock, and what stock forbids on others."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from masterdata import services as masterdata
from masterdata.models import Company, Currency
from tests.shipments import goods

pytestmark = pytest.mark.django_db


def company_page() -> tuple[Client, str]:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client, reverse("admin:masterdata_company_change", args=[Company.objects.get().pk])


def test_the_currency_of_the_company_is_not_offered_once_stock_is_valued_in_it():
    goods.ordered()
    client, page = company_page()
    company = Company.objects.get()
    other = Currency.objects.exclude(pk=company.currency_id).first() or Currency.objects.create(code="CHF")

    shown = client.get(page)
    assert (shown.status_code, 'name="currency"' in shown.content.decode()) == (200, False)
    client.post(page, {"name": company.name, "currency": other.pk, "time_zone": company.time_zone})

    assert Company.objects.get().currency_id == company.currency_id


def test_the_currency_of_a_new_company_may_still_be_chosen():
    masterdata.company()
    client, page = company_page()

    assert 'name="currency"' in client.get(page).content.decode()
