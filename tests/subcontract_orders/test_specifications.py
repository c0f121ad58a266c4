"""What a vendor is told of the work stays as it was when the order went out."""

from masterdata.models import Specification
from subcontract_orders.models import OrderRevision
from subcontract_orders.services import outdated_specifications
from tests.documents.plans import base, generate, line, load, plan, send
from tests.interchange.plans import only, refused


def spec(text: str, **of: str) -> dict:
    return {"item": "", "process": "", **of, "text": text}


def test_the_text_for_item_and_process_goes_before_the_processs_and_that_before_the_items():
    base(specifications=[spec("any part", process="Plating"), spec("this part", item="FG")])
    plan("P1", "FG", 5, "2026-04-15")
    generate()
    assert line(1).specification == "any part"

    load({"specifications": [spec("8 µm on this part", process="Plating", item="FG")]})
    plan("P2", "FG", 5, "2026-04-15")
    generate()

    assert line(2).specification == "8 µm on this part"


def test_revision_and_text_are_those_of_the_day_the_order_was_sent():
    base(specifications=[spec("8 µm", process="Plating")], items=[{"code": "FG", "kind": "finished", "revision": "A"}])
    plan("P1", "FG", 5, "2026-04-15")
    generate()
    load({"items": [{"code": "FG", "revision": "B"}], "specifications": [spec("12 µm", process="Plating")]})

    send(1)

    assert (line(1).item_revision, line(1).specification) == ("B", "12 µm")
    sent = OrderRevision.objects.get().content["lines"][0]
    assert (sent["item_revision"], sent["specification"]) == ("B", "12 µm")
    load({"items": [{"code": "FG", "revision": "C"}], "specifications": [spec("20 µm", process="Plating")]})
    generate()
    assert (line(1).item_revision, line(1).specification) == ("B", "12 µm")
    assert Specification.objects.get().text == "20 µm"


def test_a_line_for_operations_bought_together_tells_of_each_of_them():
    steps = [
        {"item": "FG", "operation_no": number, "name": name, "work_center": "OUT"}
        for number, name in ((10, "Hardening"), (20, "Plating"))
    ]
    base(
        routings=steps,
        prices=[
            {
                "vendor": "V1",
                "item": "FG",
                "processes": "Hardening|Plating",
                "currency": "EUR",
                "unit_price": 2,
                "lead_days": 5,
            }
        ],
        policies=[
            {"code": name, "process": name, "verdict": "outsource", "vendors": ["V1"]}
            for name in ("Hardening", "Plating")
        ],
        specifications=[spec("58 HRC", process="Hardening"), spec("8 µm on this part", process="Plating", item="FG")],
    )
    plan("P1", "FG", 5, "2026-04-15")
    generate()
    assert line(1).specification == "Hardening:\n58 HRC\n\nPlating:\n8 µm on this part"

    load({"specifications": [spec("60 HRC", process="Hardening")]})
    send(1)

    assert line(1).specification == "Hardening:\n60 HRC\n\nPlating:\n8 µm on this part"
    assert outdated_specifications() == {}
    load({"specifications": [spec("12 µm on this part", process="Plating", item="FG")]})
    assert outdated_specifications()[line(1).pk] == {
        "specification": (line(1).specification, "Hardening:\n60 HRC\n\nPlating:\n12 µm on this part")
    }


def test_a_text_for_nothing_is_refused():
    assert only(refused({"specifications": [spec("lost")]})) == ("specifications", 1, "item", "", "missing_value")
