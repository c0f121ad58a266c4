import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import ApiToken, Role, User
from tests.workbench import rows

VENDORS = "/api/v1/vendors/"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_made_by_command_lets_a_system_in():
    rows.user("erp", Role.BUYER)
    out = StringIO()

    call_command("create_api_token", "erp", "--name", "ERP", "--days", "30", "--json", stdout=out)

    made = json.loads(out.getvalue().splitlines()[-1])
    assert made["user"] == "erp"
    assert APIClient().get(VENDORS, headers=bearer(made["token"])).status_code == 200
    kept = ApiToken.objects.get()
    assert (kept.name, made["token"] in kept.digest) == ("ERP", False)
    assert kept.expires_at - timezone.now() > timedelta(days=29)


def test_a_token_is_made_for_active_users_only():
    User.objects.create_user("gone", is_active=False)

    for name in ("gone", "nobody"):
        with pytest.raises(CommandError):
            call_command("create_api_token", name)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("header", ["Bearer ", "Bearer wrong", "Bearer a b", "Bearer \x00"])
def test_a_wrong_token_is_told_so(header: str):
    answer = APIClient().get(VENDORS, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_and_one_of_a_user_who_left_are_refused():
    user, now = rows.user("erp", Role.BUYER), timezone.now()
    old = services.create_token(user=user, name="old", at=now, expires_at=now - timedelta(seconds=1))
    good = services.create_token(user=user, name="good", at=now)

    assert APIClient().get(VENDORS, headers=bearer(old)).status_code == 401
    assert APIClient().get(VENDORS, headers=bearer(good)).status_code == 200
    User.objects.update(is_active=False)
    assert APIClient().get(VENDORS, headers=bearer(good)).status_code == 401


def test_a_session_must_show_its_csrf_token_to_change_anything():
    rows.user("mara", Role.PLANNER)
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="mara", password="let me in")

    answer = client.post("/api/v1/units/", {"code": "pcs"})

    assert client.get(VENDORS).status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (403, "no_right")
    assert "CSRF" in answer.json()["detail"]
