"""A buyer at the desk: signed in, on a fixed day, in a company of one site."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from tests.workbench import rows


@pytest.fixture(autouse=True)
def _today(request: pytest.FixtureRequest):
    if request.node.get_closest_marker("no_database") or request.node.get_closest_marker("browser"):
        yield
        return
    with time_machine.travel(rows.AT, tick=False):
        rows.company()
        rows.site()
        yield


@pytest.fixture
def mara() -> User:
    """A buyer without a limit."""
    return rows.user("mara")


@pytest.fixture
def desk(client: Client, mara: User) -> Client:
    client.force_login(mara)
    return client
