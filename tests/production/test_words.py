"""The planner's word on single operations."""

import pytest

from core.refusals import InvalidInput, NotFound, WrongState
from masterdata.models import PlanChange
from production import services as production
from production.models import OperationWord
from tests.factories import AT, OperationFactory, VendorFactory


def speak(operation, word="outsource", **values):
    said = {"vendor_id": None, "reason": "our machine is full", **values}
    return production.speak_word(operation_id=operation.pk, word=word, by=None, at=AT, **said)


def test_the_latest_word_counts_and_earlier_ones_stay():
    operation, vendor = OperationFactory(), VendorFactory()
    speak(operation, vendor_id=vendor.pk)

    speak(operation, "in_house", reason="second shift")

    assert list(OperationWord.objects.order_by("pk").values_list("word", "vendor", "is_current")) == [
        ("outsource", vendor.pk, False),
        ("in_house", None, True),
    ]
    assert PlanChange.objects.count() == 2


def test_the_same_word_again_changes_nothing():
    operation = OperationFactory()

    assert speak(operation) == speak(operation)
    assert (OperationWord.objects.count(), PlanChange.objects.count()) == (1, 1)


def test_a_word_can_be_taken_back():
    operation = OperationFactory()
    speak(operation)

    assert production.retract_word(operation_id=operation.pk, by=None, at=AT) is True
    assert production.retract_word(operation_id=operation.pk, by=None, at=AT) is False
    assert not OperationWord.objects.filter(is_current=True).exists()


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"word": "maybe"}, InvalidInput),
        ({"reason": " "}, InvalidInput),
        ({"vendor_id": 0}, NotFound),
        ({"word": "in_house", "vendor_id": 0}, InvalidInput),
    ],
)
def test_a_word_that_makes_no_sense_is_refused(values, refusal):
    with pytest.raises(refusal):
        speak(OperationFactory(), **values)
    assert not OperationWord.objects.exists()


@pytest.mark.parametrize("closed", [{"status": "finished"}, {"production_order__status": "done"}])
def test_nothing_is_said_on_closed_operations(closed):
    with pytest.raises(WrongState):
        speak(OperationFactory(**closed))


def test_nothing_is_said_on_what_is_not_there():
    with pytest.raises(NotFound):
        production.retract_word(operation_id=0, by=None, at=AT)
