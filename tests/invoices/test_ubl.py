"""UBL 2.1 in and out: valid against the OASIS schema, read without entities, refused by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from invoices.rules import ubl
from invoices.rules.ubl import NotUbl, UblCharge, UblDocument, UblLine, UblTax
from masterdata.rules.ubl import UblParty, unit_code, unit_names
from tests.ubl import errors

pytestmark = pytest.mark.no_database

DOCUMENT = UblDocument(
    number="INV-7", day=date(2026, 3, 9), due=date(2026, 4, 8), currency="EUR",
    supplier=UblParty("Vendor & Söhne", ("V1",), "DE"), customer=UblParty("Us", (), "", "Main street 1"),
    lines=(
        UblLine("1", Decimal(10), "C62", Decimal("1000.00"), Decimal("100"), order="SC-00001", order_line="1", note="DN-1",
                item="FG", description="Plating", tax_rate=Decimal(19)),
        UblLine("2", Decimal("0.5"), "KGM", Decimal("6.25"), Decimal("1250"), Decimal(100), order="SC-00002", order_line="3",
                item="PART", description="Coating", tax_category="AE", tax_rate=Decimal(0)),
    ),
    charges=(UblCharge("freight", Decimal("12.00"), "Freight", tax_rate=Decimal(19)),),
    taxes=(
        UblTax("AE", Decimal(19), Decimal("6.25"), Decimal(0)),
        UblTax("S", Decimal(19), Decimal("1012.00"), Decimal("192.28")),
    ),
    note="March", net=Decimal("1018.25"), gross=Decimal("1210.53"),
)  # fmt: skip


def test_an_invoice_is_valid_ubl():
    assert errors(ubl.write(DOCUMENT), "Invoice") == []


def test_a_self_billed_one_and_a_credit_note_are_valid_ubl():
    credit = replace(DOCUMENT, is_credit=True, credits="INV-6")

    assert errors(ubl.write(replace(DOCUMENT, is_self_billed=True)), "Invoice") == []
    assert errors(ubl.write(credit), "CreditNote") == []


def test_what_is_written_is_read_the_same():
    read = ubl.read(ubl.write(DOCUMENT))

    assert replace(read, taxes=DOCUMENT.taxes, customer=DOCUMENT.customer) == DOCUMENT
    credit = ubl.read(ubl.write(replace(DOCUMENT, is_credit=True, credits="INV-6", due=None)))
    assert (credit.is_credit, credit.credits, credit.lines) == (True, "INV-6", DOCUMENT.lines)


def test_signs_xml_does_not_have_are_left_out():
    assert ubl.read(ubl.write(replace(DOCUMENT, note="a\x00b\x0bc"))).note == "abc"


def without(path: str) -> bytes:
    """The document without an element."""
    tree = ubl.etree.fromstring(ubl.write(DOCUMENT))
    for node in tree.iterfind(path, ubl.NS):
        node.getparent().remove(node)
    return ubl.etree.tostring(tree)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not well-formed"),
        (b"<Invoice", "not well-formed"),
        (b"<a/>", "no UBL 2.1 Invoice or CreditNote but a"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "type declaration is not taken"),
        (b"x" * (ubl.MOST_BYTES + 1), "larger than 5 MB"),
        (without("cbc:ID"), "ID is missing"),
        (without("cac:InvoiceLine/cac:Price"), "Price/PriceAmount is missing"),
        (ubl.write(DOCUMENT).replace(b"2026-03-09", b"someday"), "someday is no day"),
        (ubl.write(DOCUMENT).replace(b">10<", b">ten<"), "ten is no number"),
        (ubl.write(DOCUMENT).replace(b">true<", b">false<"), "An allowance on the document is not taken"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(content, said):
    with pytest.raises(NotUbl, match=said):
        ubl.read(content)


def test_entities_are_never_expanded():
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;&b;</a>'

    with pytest.raises(NotUbl):
        ubl.read(bomb)


def test_units_have_codes():
    assert (unit_code("pcs"), unit_code("KG"), unit_code("barrel")) == ("C62", "KGM", "C62")
    assert "kg" in unit_names("KGM")
    assert unit_names("XBX") == {"xbx"}
