"""Whatever is sent to whatever call, the answer is never a failure of the server's own."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings

from accounts import services
from accounts.models import Role
from outsourcing.wsgi import application
from tests.workbench import rows

any_of_it = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests leave the connection open, as the test's transaction lives in it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.usefixtures("one_connection")
def test_no_call_makes_the_server_fail_whatever_is_sent():
    token = services.create_token(user=rows.user("any", Role.ADMINISTRATOR), name="any", at=timezone.now())
    rows.order(number="SC-00001", of=rows.operation(number="WO-1"))
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)
    failed: dict[str, str] = {}
    played = 0

    for found in schema.get_all_operations():
        operation = found.ok()

        @any_of_it
        @given(case=operation.as_strategy())
        def play(case: schemathesis.Case) -> None:
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            if answer.status_code >= 500:
                failed[case.operation.label] = f"{answer.status_code} for {case.as_curl_command()}"

        play()
        played += 1

    assert played > 80
    assert failed == {}
