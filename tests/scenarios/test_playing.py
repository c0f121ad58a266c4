"""Playing itself: when a step that should be refused, or should not be, makes a case fail."""

import json
from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from masterdata.models import Unit
from tests.scenarios.expectations import NotBuiltYet, WrongAnswer
from tests.scenarios.runner import Answer, Api, Play, business_content


def problem(code: str, *errors: str) -> Answer:
    return Answer(422, json.dumps({"code": code, "errors": [{"code": error} for error in errors]}).encode())


def play(answer: Answer, *, writes: bool = False, **step: Any) -> None:
    """Play one step that answers so, and perhaps writes a row."""

    class OneStep(Play):
        def cancel_plan(self, fields: dict[str, Any]) -> Answer:
            if writes:
                Unit.objects.create(code="written")
            return answer

    OneStep({"today": date(2026, 3, 2)}).act("step 1", "cancel_plan", {"number": "P1"}, refused=step.get("refused"))


@pytest.mark.parametrize("answer", [problem("too_precise"), problem("invalid", "not_found", "too_precise")])
def test_a_step_refused_as_the_case_says_goes_on(answer: Answer):
    play(answer, refused="too_precise")


def test_a_step_that_is_done_though_it_should_be_refused_fails():
    with pytest.raises(WrongAnswer, match="must be refused with closed and was done"):
        play(Answer(200, b"{}"), refused="closed")


def test_a_step_refused_with_another_code_fails():
    with pytest.raises(WrongAnswer, match="must be refused with closed and was with"):
        play(problem("wrong_state"), refused="closed")


def test_a_step_that_is_refused_and_yet_writes_fails():
    with pytest.raises(WrongAnswer, match="was refused and yet changed masterdata_unit"):
        play(problem("closed"), writes=True, refused="closed")


def test_a_step_that_is_refused_unasked_fails():
    with pytest.raises(WrongAnswer, match="step 1: refused with 422"):
        play(problem("closed"))


def test_a_call_that_does_not_exist_is_not_built_yet(admin_user: Any):
    with pytest.raises(NotBuiltYet, match="POST /api/v1/no-such-thing/A%2FB/"):
        Api(admin_user).post("no-such-thing", "A/B")


def test_the_fingerprint_of_the_business_sees_one_row():
    before = business_content()

    Unit.objects.create(code="m")

    assert {table for table, content in business_content().items() if content != before.get(table)} == {
        "masterdata_unit"
    }


def test_the_clock_is_that_of_the_case_and_stops_with_it():
    player = Play({"today": date(2026, 3, 2)})

    player.set_clock(date(2026, 3, 2))
    player.set_clock(date(2026, 3, 5))
    there = timezone.now()
    assert player.clock
    player.clock.stop()

    assert (there.date(), there.hour) == (date(2026, 3, 5), 8)
    assert timezone.now().date() != date(2026, 3, 5)
