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


def payable(before: bytes, asked: bytes) -> bytes:
    """The document with something before what is to be paid, and that."""
    end = b'<cbc:PayableAmount currencyID="EUR">1210.53'
    assert end in ubl.write(DOCUMENT)
    return ubl.write(DOCUMENT).replace(end, before + end[: end.index(b"1210")] + asked)


def allowed(was: bytes, amount: bytes) -> bytes:
    """The document with its charge as an allowance."""
    made = ubl.write(DOCUMENT).replace(b">true<", b">false<")
    return made.replace(b'<cbc:Amount currencyID="EUR">' + was, b'<cbc:Amount currencyID="EUR">' + amount)


def on_line(amount: bytes, left: bytes, indicator: bytes = b"false") -> bytes:
    """The document with something off the first line's price."""
    off = (
        b"<cac:AllowanceCharge><cbc:ChargeIndicator>" + indicator + b"</cbc:ChargeIndicator>"
        b'<cbc:Amount currencyID="EUR">' + amount + b"</cbc:Amount></cac:AllowanceCharge>"
    )
    made = ubl.write(DOCUMENT).replace(b"<cac:Item>", off + b"<cac:Item>", 1)
    return made.replace(
        b'LineExtensionAmount currencyID="EUR">1000.00', b'LineExtensionAmount currencyID="EUR">' + left
    )


def test_what_a_line_takes_off_or_adds_is_its_price():
    less, more = ubl.read(on_line(b"25.00", b"975.00")), ubl.read(on_line(b"5.00", b"1005.00", b"1"))

    assert errors(on_line(b"25.00", b"975.00"), "Invoice") == []
    assert [(one.lines[0].amount, one.lines[0].price) for one in (less, more)] == [
        (975, Decimal("97.5")), (1005, Decimal("100.5")),
    ]  # fmt: skip


def test_an_allowance_on_the_document_is_shared_over_the_lines_of_its_tax_to_the_cent():
    third = replace(DOCUMENT.lines[0], quantity=Decimal(3), amount=Decimal("300.00"))
    document = replace(DOCUMENT, lines=(third, DOCUMENT.lines[1], third, replace(third, tax_rate=Decimal(7)), third))
    content = ubl.write(document).replace(b">true<", b">false<").replace(b">12.00<", b">10.00<")

    read = ubl.read(content)

    assert [line.amount for line in read.lines] == [
        Decimal("296.66"), Decimal("6.25"), Decimal("296.67"), 300, Decimal("296.67"),
    ]  # fmt: skip
    assert [line.price * line.quantity / line.base for line in read.lines] == pytest.approx(
        [one.amount for one in read.lines]
    )
    assert read.charges == ()


def test_a_charge_of_nothing_says_nothing_and_one_is_true():
    assert ubl.read(allowed(b"12.00", b"0.00")).charges == ()
    assert ubl.read(ubl.write(DOCUMENT).replace(b">true<", b">1<")).charges == DOCUMENT.charges


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
        (ubl.write(DOCUMENT).replace(b">10<", b">1E+1<"), "is no number"),
        (ubl.write(DOCUMENT).replace(b">100</cbc:BaseQ", b">0</cbc:BaseQ"), "A price is for a quantity above zero"),
        (ubl.write(DOCUMENT).replace(b'"EUR">6.25', b'"USD">6.25'), "An amount is in USD, the document in EUR"),
        (ubl.write(DOCUMENT).replace(b">380<", b">381<"), "is a credit note by its type 381"),
        (payable(b'<cbc:PrepaidAmount currencyID="EUR">500</cbc:PrepaidAmount>', b"710.53"), "500 of it is said to be paid"),
        (payable(b'<cbc:PayableRoundingAmount currencyID="EUR">0.02</cbc:PayableRoundingAmount>', b"1210.55"),
         "1210.55 is to be paid of 1210.53"),
        (allowed(b"12.00", b"1000.01"), "more than the lines of its tax, S 19 %, come to"),
        (on_line(b"1.00", b"1000.00"), "with its allowances and charges is 999.00, not 1000.00"),
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
