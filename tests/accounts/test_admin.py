"""Users, their roles, and tokens on the planning pages."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import ApiToken, User


@pytest.fixture
def administrator() -> Client:
    user = User.objects.create_user("admin")
    accounts.give_role(user=user, role="administrator")
    client = Client()
    client.force_login(user)
    return client


def change(client: Client, user: User, **values: object) -> int:
    form = {
        "username": user.username, "is_active": "on", "access-TOTAL_FORMS": "0", "access-INITIAL_FORMS": "0", **values,
    }  # fmt: skip
    return client.post(reverse("admin:accounts_user_change", args=[user.pk]), form).status_code


def test_a_role_that_plans_opens_the_planning_pages_and_losing_it_closes_them(administrator):
    user = User.objects.create_user("paula")
    new = {"access-TOTAL_FORMS": "1", "access-0-user": user.pk, "access-0-role": "planner"}

    assert change(administrator, user, **new) == 302
    user.refresh_from_db()
    assert user.is_staff
    row = user.access.get()
    gone = {
        "access-TOTAL_FORMS": "1", "access-INITIAL_FORMS": "1", "access-0-id": row.pk, "access-0-user": user.pk,
        "access-0-role": "planner", "access-0-DELETE": "on",
    }  # fmt: skip
    assert change(administrator, user, **gone) == 302
    user.refresh_from_db()
    assert not user.is_staff


def test_a_new_user_is_made_with_a_password(administrator):
    answer = administrator.post(
        reverse("admin:accounts_user_add"),
        {
            "username": "paula", "password1": "zinc-Plating-7", "password2": "zinc-Plating-7", "usable_password": "true",
            "access-TOTAL_FORMS": "0", "access-INITIAL_FORMS": "0",
        },
    )  # fmt: skip

    assert answer.status_code == 302
    assert User.objects.get(username="paula").check_password("zinc-Plating-7")


def test_the_secret_of_a_token_is_shown_once_and_kept_as_a_digest(administrator):
    user = User.objects.create_user("erp")

    page = administrator.post(
        reverse("admin:accounts_apitoken_add"), {"user": user.pk, "name": "Plan export"}, follow=True
    ).content.decode()

    token = ApiToken.objects.get()
    secret = page.split("not shown again: ")[1].split("<")[0].strip()
    assert secret.startswith("ow_")
    assert token.digest != secret
    assert secret not in administrator.get(reverse("admin:accounts_apitoken_changelist")).content.decode()
