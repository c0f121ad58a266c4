"""What a third party delivers to a vendor: asked for with the line, ordered, booked where it lies, used up, taken back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activity.models import Alert, Event
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Stale, TooPrecise, WrongState
from documents import services as documents
from inventory.models import Lot, Movement
from inventory.services import NotEnoughStock
from masterdata.models import Item
from receipts import services as receipts
from receipts.models import DirectDelivery, DirectPurchase, PurchaseRequest
from receipts.services import (
    DuplicateNote,
    LotRequired,
    NothingWanted,
    NotTracked,
    OfLot,
    OrderClosed,
    OrderNotSent,
    OverDelivery,
    SerialRequired,
    VendorShort,
)
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_races import at_once
from tests.played import played
from tests.receipts import back
from tests.receipts.goods import LATER, counted, lying, receive, used, worth
from tests.shipments.goods import refused

DIRECT = [{"parent": "FG", "component": "RM", "quantity": 2, "operation_no": 10, "supply": "direct"}]
FIELDS = ("state", "required", "arrived", "there", "wanted", "to_order")


@played
def planned(quantity: int = 5, **tables: Any) -> None:
    """An order for FG at V1; a third party brings two RM a piece, worth 100 each."""
    plans.base(**{"boms": DIRECT, **tables})
    plans.plan("P1", "FG", quantity, "2026-04-30")
    plans.generate()


def sent(quantity: int = 5, **tables: Any) -> None:
    planned(quantity, **tables)
    plans.send(1)


def requests() -> list[tuple[Any, ...]]:
    return list(PurchaseRequest.objects.order_by("reference").values_list("reference", *FIELDS))


def key(order: int = 1, item: str = "RM") -> dict[str, int]:
    return {"order_line_id": plans.line(order).pk, "item_id": Item.objects.get(code=item).pk}


def order(
    quantity: int | None = None, *, day: str = "2026-04-10", reference: str = "PO-7", **said: Any
) -> DirectPurchase:
    total = None if quantity is None else Decimal(quantity)
    fields = {"quantity": total, "reference": reference, "expected_on": date.fromisoformat(day), **said}
    return receipts.mark_ordered(**key(), by=plans.boss(), at=moment(), **fields)


def arrive(quantity: Any, *, note: str = "LS-1", **said: Any) -> DirectDelivery:
    fields = {"quantity": Decimal(str(quantity)), "note": note, "by": plans.boss(), "at": moment(LATER), **said}
    return receipts.post_arrival(**key(), **fields)


def take_back(delivery: DirectDelivery, **said: Any) -> DirectDelivery:
    return receipts.reverse_arrival(delivery_id=delivery.pk, by=plans.boss(), at=moment(LATER), **said)


def test_a_run_leaves_a_request_with_the_line_for_where_and_when_the_vendor_needs_it():
    planned()

    request = PurchaseRequest.objects.select_related("ship_to", "item", "vendor").get()

    line = plans.line(1)
    assert (request.reference, request.state) == ("SC-00001/1/RM", "planned")
    assert (request.item.code, request.vendor.code, request.ship_to.code) == ("RM", "V1", "AT-V1")
    assert (request.required, request.arrived, request.wanted, request.to_order) == (10, 0, 10, 10)
    assert request.needed_on == request.expected_on == line.at_vendor_date


def test_a_draft_that_follows_the_plan_takes_its_request_and_what_was_ordered_along():
    planned()
    order()

    plans.plan("P1", "FG", 8, "2026-05-29")
    plans.generate()

    assert requests() == [("SC-00001/1/RM", "planned", 16, 0, 0, 16, 6)]
    assert PurchaseRequest.objects.get().needed_on == plans.line(1).at_vendor_date


def test_a_sent_line_asks_for_what_the_revision_in_force_needs():
    sent()

    documents.revise_line(
        order_id=plans.order(1).pk,
        line_no=1,
        quantity=Decimal(8),
        expected_version=None,
        by=plans.buyer(1),
        at=moment(),
    )
    assert requests() == [("SC-00001/1/RM", "to_order", 10, 0, 0, 10, 10)]  # the dearer revision waits

    plans.send(1)
    assert requests() == [("SC-00001/1/RM", "to_order", 16, 0, 0, 16, 16)]


def test_a_request_goes_with_its_line_and_what_was_ordered_for_it_is_to_be_called_off():
    planned()
    plans.cancel("P1")
    plans.generate()
    assert requests() == []

    plans.plan("P2", "FG", 5, "2026-04-30")
    plans.generate()
    receipts.mark_ordered(**key(2), reference="PO-8", expected_on=date(2026, 4, 1), by=plans.boss(), at=moment())
    plans.cancel("P2")
    plans.generate()
    assert requests() == [("SC-00002/1/RM", "surplus", 10, 0, 0, 0, 0)]

    receipts.call_off(**key(2), reason="too late", by=plans.boss(), at=moment())
    assert requests() == []
    assert Event.objects.get(name="purchase_request.called_off").data["reason"] == "too late"


def test_what_was_ordered_is_known_by_reference_and_day_until_it_has_arrived():
    sent()

    order(supplier="Steel & Co")

    request = PurchaseRequest.objects.select_related("purchase__ordered_by").get()
    assert (request.state, request.to_order, request.expected_on) == ("ordered", 0, date(2026, 4, 10))
    assert (request.purchase.reference, request.purchase.supplier, request.purchase.quantity) == (
        "PO-7",
        "Steel & Co",
        10,
    )
    assert str(request.purchase.ordered_by) == "boss"
    arrive(4)
    assert requests() == [("SC-00001/1/RM", "ordered", 10, 4, 0, 6, 0)]
    arrive(6, note="LS-2")
    assert requests() == [("SC-00001/1/RM", "arrived", 10, 10, 0, 0, 0)]


def test_ordering_the_same_again_is_nothing_and_something_else_takes_its_place():
    sent()
    order(6)
    assert requests() == [("SC-00001/1/RM", "to_order", 10, 0, 0, 10, 4)]

    order(6)
    order(10, reference="PO-7, PO-9")

    assert requests() == [("SC-00001/1/RM", "ordered", 10, 0, 0, 10, 0)]
    assert Event.objects.filter(name="purchase_request.ordered").count() == 2


def test_an_arrival_lies_at_the_vendor_for_its_line_and_a_receipt_uses_it():
    sent()
    assert refused(VendorShort, "vendor_short", lambda: receive(counted(plans.line(1), 5)))

    delivery = arrive(10)

    assert (delivery.number, delivery.value, lying("AT-V1", "RM")) == ("DD-00001", 1000, 10)
    assert back.counters(1) == {"direct": 10, "at_vendor": 10}
    assert back.problems() == []
    receipt = receive(counted(plans.line(1), 5))
    assert used(receipt) == {"RM": 10}
    assert back.counters(1) == {"direct": 10, "consumed": 10, "at_vendor": 0}
    assert requests() == [("SC-00001/1/RM", "closed", 10, 10, 0, 0, 0)]
    assert worth("FG") == 1500
    assert back.problems() == []
    assert back.value_is_conserved()


def test_an_arrival_is_worth_what_was_paid_for_it_where_that_is_said():
    sent()

    delivery = arrive(3, unit_cost=Decimal("0.335"))

    assert delivery.value == Decimal("1.01")
    assert Movement.objects.get(document_kind="direct_delivery").value == Decimal("1.01")


def test_the_same_note_again_is_the_same_delivery_and_with_other_content_it_is_refused():
    sent()
    first = arrive(4)

    assert arrive(4, note=" ls-1 ") == first

    assert refused(DuplicateNote, "duplicate_number", lambda: arrive(5))
    assert back.counters(1) == {"direct": 4, "at_vendor": 4}
    arrive(4, note="LS-2")
    assert back.counters(1) == {"direct": 8, "at_vendor": 8}


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_eight_people_booking_the_same_note_at_once_book_it_once():
    sent()
    boss, wanted = plans.boss(), key()

    def book() -> None:
        receipts.post_arrival(**wanted, quantity=Decimal(6), note="LS-1", by=boss, at=moment(LATER))

    assert at_once(*[book] * 8) == []

    assert back.counters(1) == {"direct": 6, "at_vendor": 6}
    assert DirectDelivery.objects.count() == 1


def test_more_than_is_wanted_is_refused_with_what_is_possible():
    sent()
    arrive(4)

    said = refused(OverDelivery, "over_delivery", lambda: arrive(7, note="LS-2"))

    assert said == (
        "6 more of RM may arrive for SC-00001 line 1 (10 required, 4 arrived, 0 free there, 0 % over allowed); "
        "7 were to be booked. Order more, or load the rest as stock at AT-V1."
    )


def test_as_much_as_the_tolerance_allows_or_was_ordered_may_arrive():
    policy = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "over_send_pct": 10}
    sent(policies=[policy])
    assert refused(OverDelivery, "over_delivery", lambda: arrive(12))
    order()
    arrive(11)
    assert requests() == [("SC-00001/1/RM", "arrived", 10, 11, 0, 0, 0)]
    assert refused(OverDelivery, "over_delivery", lambda: arrive(1, note="LS-2"))

    order(25)
    arrive(14, note="LS-2")

    assert back.counters(1) == {"direct": 25, "at_vendor": 25}
    assert back.problems() == []


def test_free_stock_at_the_vendor_counts_for_the_line_that_needs_it_first():
    sent()
    plans.plan("P2", "FG", 5, "2026-04-20")
    plans.generate()
    plans.send(2)

    plans.load({"stock": [{"item": "RM", "location": "AT-V1", "quantity": 13}]})

    assert requests() == [
        ("SC-00001/1/RM", "to_order", 10, 0, 3, 7, 7),
        ("SC-00002/1/RM", "arrived", 10, 0, 10, 0, 0),
    ]
    assert refused(OverDelivery, "over_delivery", lambda: arrive(8))
    receive(counted(plans.line(2), 5))
    assert requests() == [("SC-00001/1/RM", "to_order", 10, 0, 3, 7, 7)]


def test_what_went_home_or_was_lost_is_wanted_again():
    sent()
    arrive(10)

    back.count(7)

    assert requests() == [("SC-00001/1/RM", "to_order", 10, 10, 0, 3, 3)]
    arrive(3, note="LS-2")
    assert back.counters(1) == {"direct": 13, "lost": 3, "at_vendor": 10}
    assert back.problems() == []


def test_lots_are_named_add_up_and_are_used_by_name():
    sent(
        items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}],
        stock=[{"item": "RM", "location": "MAIN", "quantity": 0, "lot": "X"}],
    )
    lots = [OfLot("A", Decimal(4)), OfLot("B", Decimal(6))]
    assert refused(LotRequired, "lot_required", lambda: arrive(10))
    assert refused(InvalidQuantity, "invalid_quantity", lambda: arrive(9, lots=lots))

    arrive(10, lots=lots)

    assert (lying("AT-V1", "RM", lot="A"), lying("AT-V1", "RM", lot="B")) == (4, 6)
    assert arrive(10, lots=lots[::-1]).number == "DD-00001"
    receive(counted(plans.line(1), 5))
    assert back.problems() == []


def test_serial_numbers_are_one_piece_each_and_not_in_use():
    serial = [{"code": "RM", "kind": "raw", "standard_cost": 100, "serial_tracked": "yes"}]
    sent(items=serial, stock=[{"item": "RM", "location": "MAIN", "quantity": 1, "lot": "S1"}])

    def bring(*codes: str, each: int = 1) -> DirectDelivery:
        return arrive(len(codes) * each, lots=[OfLot(code, Decimal(each)) for code in codes])

    assert refused(SerialRequired, "serial_required", lambda: arrive(2))
    assert refused(SerialRequired, "serial_required", lambda: bring("S2", each=2))
    assert refused(DuplicateNote, "duplicate_number", lambda: bring("S1", "S2"))
    bring("S2", "S3")
    assert lying("AT-V1", "RM", lot="S2") == 1


def test_what_cannot_be_booked_is_refused_by_name():
    sent()

    assert refused(NotTracked, "not_tracked", lambda: arrive(1, lots=[OfLot("A", Decimal(1))]))
    assert not Lot.objects.exists()
    assert refused(TooPrecise, "too_precise", lambda: arrive("0.5"))
    assert refused(InvalidQuantity, "invalid_quantity", lambda: arrive(0))
    assert refused(InvalidInput, "invalid", lambda: arrive(1, note=" "))
    assert refused(InvalidInput, "invalid", lambda: arrive(1, arrived_on=date(2026, 3, 10)))
    assert refused(InvalidInput, "invalid", lambda: arrive(1, arrived_on=date(1926, 3, 2)))
    assert refused(InvalidInput, "invalid", lambda: arrive(1, unit_cost=Decimal(-1)))
    assert refused(InvalidInput, "invalid", lambda: order(reference=" "))
    assert refused(InvalidQuantity, "invalid_quantity", lambda: order(0))
    assert refused(NothingWanted, "nothing_to_do", lambda: receipts.call_off(**key(), by=plans.boss(), at=moment()))
    other = {"order_line_id": plans.line(1).pk, "item_id": Item.objects.get(code="FG").pk}
    assert refused(NotFound, "not_found", lambda: receipts.call_off(**other, by=plans.boss(), at=moment()))


def test_nothing_arrives_for_an_order_that_is_not_sent_or_is_over():
    planned()
    assert refused(OrderNotSent, "wrong_state", lambda: arrive(1))
    plans.send(1)
    arrive(4)

    back.close(1)

    assert refused(OrderClosed, "closed", lambda: arrive(1, note="LS-2"))
    assert refused(OrderClosed, "closed", lambda: order())
    assert arrive(4).number == "DD-00001"  # the same note, told again
    assert requests() == [("SC-00001/1/RM", "closed", 10, 4, 0, 0, 0)]
    back.reopen(1)
    assert requests() == [("SC-00001/1/RM", "to_order", 10, 4, 0, 6, 6)]


def test_an_arrival_of_yesterday_lies_there_since_yesterday():
    sent()

    arrive(4, arrived_on=date(2026, 3, 6))

    assert Movement.objects.get(document_kind="direct_delivery").occurred_at.date() == date(2026, 3, 6)


def test_a_reversal_takes_everything_back_at_its_value_and_frees_the_note():
    sent()
    delivery = arrive(4, unit_cost=Decimal(7))

    take_back(delivery, reason="counted twice")

    assert (lying("AT-V1", "RM"), back.counters(1)) == (0, {"at_vendor": 0})
    assert requests() == [("SC-00001/1/RM", "to_order", 10, 0, 0, 10, 10)]
    assert back.problems() == []
    assert refused(WrongState, "wrong_state", lambda: take_back(delivery))
    arrive(5)
    assert Event.objects.get(name="direct_delivery.reversed").data["reason"] == "counted twice"


def test_what_was_used_is_not_taken_back():
    sent()
    delivery = arrive(10)
    receive(counted(plans.line(1), 1))

    said = refused(NotEnoughStock, "not_enough_stock", lambda: take_back(delivery))

    assert said == "Only 8 of RM still lie at AT-V1 for the line, 10 came with DD-00001. Reverse first what used them."
    assert refused(Stale, "stale", lambda: take_back(delivery, expected_version=7))


def late(day: date) -> list[tuple[str, str, str]]:
    documents.watch(at=moment(day), on=day)
    found = Alert.objects.open().filter(kind="late", subject__endswith="/RM")
    return list(found.order_by("subject").values_list("subject", "severity", "title"))


def test_what_is_not_there_when_the_vendor_needs_it_is_called_late_until_it_is():
    sent()
    needed = PurchaseRequest.objects.get().needed_on
    assert late(needed) == []

    said = f"10 of RM for V1 (SC-00001 line 1) were to be delivered by a third party on {needed}"
    assert late(needed + timedelta(days=1)) == [("SC-00001/1/RM", "warning", said)]
    assert late(needed + timedelta(days=7)) == [("SC-00001/1/RM", "critical", said)]
    arrive(10)
    assert late(needed + timedelta(days=7)) == []


def direct(day: date) -> list[tuple[str, str, str]]:
    documents.watch(at=moment(day), on=day)
    found = Alert.objects.open().filter(kind="direct_supply")
    return list(found.order_by("subject").values_list("subject", "proposes", "title"))


def test_what_nobody_ordered_though_the_order_went_out_is_said_until_it_is_ordered_or_late():
    sent()
    needed = PurchaseRequest.objects.get().needed_on
    assert direct(plans.MONDAY) == []

    said = f"10 of RM for V1 (SC-00001 line 1) are to be delivered by a third party until {needed}, and nobody has ordered them"
    assert direct(plans.MONDAY + timedelta(days=1)) == [("SC-00001/1/RM", "order", said)]
    assert len(direct(needed)) == 1
    assert direct(needed + timedelta(days=1)) == []
    order(4, day=str(needed))
    assert [title.split(" ")[0] for _, _, title in direct(plans.MONDAY + timedelta(days=1))] == ["6"]
    order(10, day=str(needed))
    assert direct(plans.MONDAY + timedelta(days=1)) == []


def test_what_is_on_order_and_not_wanted_any_more_is_said_until_it_is_called_off():
    sent()
    order(12)
    assert direct(plans.MONDAY) == []  # whoever orders more than is asked for knows why

    documents.revise_line(
        order_id=plans.order(1).pk,
        line_no=1,
        quantity=Decimal(3),
        expected_version=None,
        by=plans.buyer(1),
        at=moment(),
    )

    said = "12 of RM for V1 (SC-00001 line 1) are on order with PO-7, 6 are wanted: call the rest off"
    assert direct(plans.MONDAY) == [("SC-00001/1/RM", "call_off", said)]
    order(6)
    assert direct(plans.MONDAY) == []


def test_what_is_expected_after_the_vendor_needs_it_is_called_late_at_once():
    planned()
    needed = PurchaseRequest.objects.get().needed_on
    after = needed + timedelta(days=1)
    order(day=str(needed))
    assert late(plans.MONDAY) == []

    order(day=str(after))

    said = (
        f"10 of RM for V1 (SC-00001 line 1) are to be delivered by a third party on {after}, and are needed on {needed}"
    )
    assert late(plans.MONDAY) == [("SC-00001/1/RM", "warning", said)]
    receipts.call_off(**key(), by=plans.boss(), at=moment())
    assert late(plans.MONDAY) == []
