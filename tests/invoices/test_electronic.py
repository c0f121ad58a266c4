"""Invoices as files: UBL and CSV in, UBL out."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
import time_machine
from lxml import etree

from core.refusals import InvalidInput, NotFound, Refusal
from invoices import services as invoices
from invoices.models import Invoice
from invoices.services import DuplicateInvoice
from masterdata.models import Currency, Vendor
from masterdata.rules.ubl import NS
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.invoices.bills import asked, charge, clerk, credit, enter, held, paid
from tests.invoices.test_api import client
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, counted, receive
from tests.ubl import errors

HEADER = "vendor,number,invoice_date,kind,order,line,note,quantity,unit_price,amount,tax_rate"


def enter_ubl(content: bytes) -> Invoice:
    return invoices.enter_ubl(content=content, by=clerk(), at=moment(LATER))


def enter_csv(*rows: str) -> list[Invoice]:
    return invoices.enter_csv(content="\n".join([HEADER, *rows]).encode(), by=clerk(), at=moment(LATER))


@played
def came(**rules) -> OrderLine:
    line = at_vendor(**rules)
    receive(counted(line, 10))
    return line


def test_an_invoice_goes_out_as_ubl_and_comes_in_again():
    line = came()
    first = enter(
        asked(line, 6, 100, tax_rate=Decimal(19)), charge("freight", "5.50", tax_rate=Decimal(19)), number="A"
    )
    content = invoices.as_ubl(first)
    assert errors(content, "Invoice") == []
    invoices.withdraw_invoice(invoice_id=first.pk, by=clerk(), at=moment(LATER))

    again = enter_ubl(content)

    assert (again.vendor_number, again.net, again.gross) == ("A", first.net, first.gross)
    assert list(again.lines.order_by("line_no").values_list("kind", "order_line", "quantity", "unit_price", "amount")) == [
        ("work", line.pk, 6, 100, 600), ("freight", None, 0, 0, Decimal("5.50")),
    ]  # fmt: skip


def test_a_price_for_a_hundred_comes_as_a_base_quantity():
    line = came()
    OrderLine.objects.filter(pk=line.pk).update(
        unit_price=250, price_unit="hundred", price_factor=100, work_amount=25, amount=25, amount_company=25
    )
    first = enter(asked(line, "0.06", 250), number="A")
    content = invoices.as_ubl(first)
    assert b"BaseQuantity" in content
    invoices.withdraw_invoice(invoice_id=first.pk, by=clerk(), at=moment(LATER))

    again = enter_ubl(content)

    assert held(again) == []
    assert again.lines.get().item_quantity == 6


def test_a_credit_note_comes_as_ubl():
    line = came()
    invoice = paid(asked(line, 10, 112), number="A")
    content = invoices.as_ubl(credit(invoice, asked(line, 10, 12), number="C-1"))
    assert errors(content, "CreditNote") == []

    with pytest.raises(DuplicateInvoice):
        enter_ubl(content)

    made = enter_ubl(content.replace(b">C-1<", b">C-2<").replace(b">12<", b">2<").replace(b"120.00", b"20.00"))
    assert (made.credits, made.net, made.status) == (invoice, 20, "approved")


def test_charges_of_a_credit_note_are_read_and_its_total_is_looked_at():
    line = came()
    invoice = paid(asked(line, 10, 100), charge("freight", 30), number="A")
    content = invoices.as_ubl(credit(invoice, asked(line, 1, 100), charge("freight", 12), number="C-1"))
    assert errors(content, "CreditNote") == []
    again = content.replace(b">C-1<", b">C-2<")
    with pytest.raises(InvalidInput, match="112"):
        enter_ubl(
            again.replace(b'TaxExclusiveAmount currencyID="EUR">112.00', b'TaxExclusiveAmount currencyID="EUR">113.00')
        )
    with pytest.raises(InvalidInput, match="USD"):
        Currency.objects.get_or_create(code="USD")
        enter_ubl(again.replace(b"EUR", b"USD"))

    made = enter_ubl(again)

    assert list(made.lines.order_by("line_no").values_list("kind", "amount")) == [("work", 100), ("freight", 12)]


def test_a_credit_note_on_charge_backs_goes_out_and_comes_in_as_ubl():
    line, said = came(), {"by": clerk(), "at": moment(LATER)}
    first, second = (
        invoices.charge_back(order_line_id=line.pk, kind="lateness", amount=Decimal(90), reason="late", **said)
        for _ in range(2)
    )
    claims = [invoices.CreditedClaim(one.pk, Decimal(40), tax_rate=Decimal(19)) for one in (first, second)]
    content = invoices.as_ubl(
        invoices.credit_charge_backs(vendor_id=line.vendor_id, claims=claims, number="C-1", **said)
    )
    assert errors(content, "CreditNote") == []
    with pytest.raises(NotFound, match="CB-9"):
        enter_ubl(content.replace(b">C-1<", b">C-2<").replace(second.number.encode() + b"<", b"CB-9<"))

    made = enter_ubl(content.replace(b">C-1<", b">C-2<"))

    first.refresh_from_db()
    assert (made.of_claims, made.net, made.tax, made.status) == (True, 80, Decimal("15.2"), "approved")
    assert (first.credited, first.open, first.settled_by) == (80, 10, made)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b">SC-00001<", b">SC-00009<", "not_found"),
        (b"EUR", b"XXX", "not_found"),
        (b'TaxExclusiveAmount currencyID="EUR">600.00', b'TaxExclusiveAmount currencyID="EUR">599.00', "invalid"),
        (b'unitCode="C62"', b'unitCode="KGM"', "invalid"),
        (b"<cbc:ID>S</cbc:ID>", b"<cbc:ID>L</cbc:ID>", "invalid"),
        (b"</Invoice>", b"", "not_readable"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_and_nothing_is_written(old, new, code):
    line = came()
    Vendor.objects.update(name="")  # a vendor is found by his name as well
    first = enter(asked(line, 6, 100), number="A")
    content = invoices.as_ubl(first)
    assert old in content
    invoices.withdraw_invoice(invoice_id=first.pk, by=clerk(), at=moment(LATER))
    before = plans.rows_written()

    with pytest.raises(invoices.NotReadable if code == "not_readable" else Exception) as refused:
        enter_ubl(content.replace(old, new))

    assert refused.value.code == code
    assert plans.rows_written() == before


def of_the_document(content: bytes, *, order: bool = False, note: str = "") -> bytes:
    """With order or delivery note named once for the whole document, as EN 16931 has it, instead of on its lines."""
    tree = etree.fromstring(content)
    for node in [*tree.iterfind(".//cac:OrderLineReference", NS), *tree.iterfind(".//cac:DespatchLineReference", NS)]:
        node.getparent().remove(node)
    supplier = tree.find("cac:AccountingSupplierParty", NS)
    for name, key in (("OrderReference", "SC-00001" if order else ""), ("DespatchDocumentReference", note)):
        if key:
            node = etree.Element(f"{{{NS['cac']}}}{name}")
            etree.SubElement(node, f"{{{NS['cbc']}}}ID").text = key
            supplier.addprevious(node)
    return etree.tostring(tree).replace(b">A<", b">B<")


def test_order_or_delivery_note_may_stand_on_the_whole_document():
    line = at_vendor()
    receive(counted(line, 4), note="DN-1")
    second = receive(counted(line, 6), note="DN-2")
    content = invoices.as_ubl(enter(asked(line, 6, 100), number="A"))
    by_order, by_note = of_the_document(content, order=True), of_the_document(content, note="DN-2")
    assert errors(by_order, "Invoice") == errors(by_note, "Invoice") == []

    ordered = enter_ubl(by_order)
    invoices.withdraw_invoice(invoice_id=ordered.pk, by=clerk(), at=moment(LATER))
    noted = enter_ubl(by_note)

    assert (ordered.lines.get().order_line, ordered.lines.get().receipt) == (line, None)
    assert (noted.lines.get().order_line, noted.lines.get().receipt) == (line, second)


def test_an_order_of_several_lines_needs_the_line_or_the_item():
    line = came()
    content = of_the_document(invoices.as_ubl(enter(asked(line, 6, 100), number="A")), order=True)
    OrderLine.objects.create(
        **{
            field.attname: getattr(line, field.attname)
            for field in OrderLine._meta.concrete_fields
            if field.name not in ("id", "line_no", "operation")
        },
        line_no=2,
    )

    with pytest.raises(InvalidInput, match="SC-00001 has several lines: name the line, or the item"):
        enter_ubl(content)
    with pytest.raises(NotFound, match="has no line RM of order SC-00001"):
        enter_ubl(content.replace(b">FG<", b">RM<"))


def test_an_invoice_that_names_order_and_note_comes_in_as_it_went_out():
    line = at_vendor()
    receive(counted(line, 4), note="DN-1")
    second = receive(counted(line, 6), note="DN-2")
    content = invoices.as_ubl(enter(asked(line, 6, 100, receipt_id=second.pk), number="A"))

    again = enter_ubl(content.replace(b">A<", b">B<"))
    on_its_way = enter_ubl(content.replace(b">A<", b">C<").replace(b">DN-2<", b">DN-3<"))

    assert again.lines.get().receipt == second
    assert on_its_way.lines.get().receipt is None


def test_a_price_for_a_gross_is_taken_though_the_pieces_come_to_no_whole_one():
    line = came()
    OrderLine.objects.filter(pk=line.pk).update(
        unit_price=200,
        price_unit="gross",
        price_factor=144,
        work_amount="13.89",
        amount="13.89",
        amount_company="13.89",
    )
    content = invoices.as_ubl(enter(asked(line, 10, "1.38888", unit="pcs"), number="A"))
    content = content.replace(
        b">1.38888</cbc:PriceAmount>", b'>200</cbc:PriceAmount><cbc:BaseQuantity unitCode="C62">144</cbc:BaseQuantity>'
    )
    assert errors(content, "Invoice") == []

    made = enter_ubl(content.replace(b">A<", b">B<"))

    assert made.lines.values_list("quantity", "unit", "amount").get() == (10, "pcs", Decimal("13.89"))
    assert held(made) == []


@pytest.mark.parametrize("category", ["Z", "E", "AE", "K", "G", "O"])
def test_an_invoice_without_tax_says_why_and_comes_in_as_it_went_out(category):
    line = came()
    rate = Decimal(19 if category in ("AE", "K") else 0)
    content = invoices.as_ubl(enter(asked(line, 6, 100, tax_category=category, tax_rate=rate), number="A"))
    assert errors(content, "Invoice") == []

    made = enter_ubl(content.replace(b">A<", b">B<"))

    assert (made.lines.get().tax_category, made.net, made.tax) == (category, 600, 0)


def test_a_vendor_is_known_by_his_code_or_his_name():
    content = invoices.as_ubl(enter(asked(came(), 6, 100), number="A")).replace(b">A<", b">B<")

    assert enter_ubl(content.replace(b">V1<", b">NOBODY<")).vendor.code == "V1"
    with pytest.raises(NotFound, match="No vendor is known as Somebody"):
        enter_ubl(content.replace(b">V1<", b">NOBODY<").replace(b">Vendor One<", b">Somebody<").replace(b">B<", b">C<"))


def test_a_csv_file_holds_many_invoices():
    line = came()

    made = enter_csv(
        "V1,A,2026-03-06,,SC-00001,1,,4,100,,19",
        "V1,A,2026-03-06,lot,,,,,,2.50,19",
        "V1,B,,,,,DN-1,6,100,,",
    )

    assert [(one.vendor_number, one.net, one.tax) for one in made] == [
        ("A", Decimal("402.50"), Decimal("76.48")), ("B", 600, 0),
    ]  # fmt: skip
    assert made[1].lines.get().order_line_id == line.pk


def test_bad_rows_are_all_named_and_nothing_is_entered():
    came()
    before = plans.rows_written()

    with pytest.raises(Exception) as refused:
        enter_csv(
            "V1,A,,,SC-00001,7,,4,100,,",
            "V1,A,,,SC-00001,1,,four,100,,",
            "V9,B,,,,,DN-1,6,100,,",
            "V1,C,,,,,DN-1,0,1,,",
        )

    assert [(one.field, one.code) for one in refused.value.refusals] == [
        ("row 2, line", "not_found"), ("row 3, quantity", "invalid"), ("row 4, vendor", "not_found"),
        ("row 5.quantity", "invalid_quantity"),
    ]  # fmt: skip
    assert plans.rows_written() == before


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ("V1,A,,,SC-00001,1,,1e29,1e29,,", "row 2, quantity", "invalid"),
        ("V1,A,,,SC-00001,1,,999999999999999,999999999999999,,", "row 2.quantity", "invalid_quantity"),
        ("V1,A,,,SC-00001,1,,1_0,100,,", "row 2, quantity", "invalid"),
        ("V1,A,,,SC-00001,1,,10.0000001,100,,", "row 2.quantity", "too_precise"),
        ("V1,A,,,SC-00001,1,,10,100,,19.0004", "row 2.tax_rate", "too_precise"),
        ("V1,A,,lot,SC-00001,1,,,,999999999999999,", "row 2.amount", "invalid_quantity"),
        (f"V1,{'A' * 61},,,SC-00001,1,,10,100,,", "row 2, number", "invalid"),
        (f"V1,{'ß' * 31},,,SC-00001,1,,10,100,,", "row 2, number", "invalid"),
        ("V1,A,,,SC-00001,1,DN-9,10,100,,", "row 2, note", "not_found"),
        ("V1,A,,,SC-00001,1,,10,100,,,more", "row 2", "not_readable"),
        ("V1,A,2026-03-05,,SC-00001,1,,5,100,,\nV1,A,2026-03-06,,SC-00001,1,,5,100,,", "row 3, invoice_date", "invalid"),
    ],
)  # fmt: skip
def test_nothing_of_a_row_is_passed_over_cut_off_or_rounded(row, field, code):
    came()
    before = plans.rows_written()

    with pytest.raises(Refusal) as refused:
        enter_csv(row)

    [problem] = getattr(refused.value, "refusals", [refused.value])
    assert (problem.field, problem.code) == (field, code)
    assert plans.rows_written() == before


def test_a_row_with_order_and_note_is_matched_with_that_notes_pieces():
    line = at_vendor()
    receive(counted(line, 4), note="DN-1")
    second = receive(counted(line, 6), note="DN-2")

    made = enter_csv("V1,A,,,SC-00001,1,DN-2,6,100,,", "V1,A,2026-03-06,,SC-00001,1,DN-1,4,100,,")

    assert (made[0].lines.get(line_no=1).receipt, str(made[0].invoice_date)) == (second, "2026-03-06")
    assert held(made[0]) == []


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2", b"\xff\xfe", b"vendor,number\n", b"vendor,number,pay\n1,2,3"])
def test_what_is_no_such_file_says_so(content):
    with pytest.raises(invoices.NotReadable):
        invoices.enter_csv(content=content, by=None, at=moment(LATER))


def test_files_over_the_api():
    line = came()
    content = invoices.as_ubl(enter(asked(line, 6, 100), number="A"))
    api = client()

    with time_machine.travel(moment(LATER), tick=True):
        known = api.post("/api/v1/invoices/", content, content_type="application/xml")
        made = api.post("/api/v1/invoices/", content.replace(b">A<", b">B<"), content_type="application/xml")
        broken = api.post("/api/v1/invoices/", b"<a/>", content_type="text/xml")
        rows = f"{HEADER}\nV1,C,,,SC-00001,1,,1,100,,".encode()
        listed = api.post("/api/v1/invoices/upload/", rows, content_type="text/csv")
        shown = api.get(f"/api/v1/invoices/{made.data['number']}/document.xml")

    assert (known.status_code, known.data["code"]) == (409, "duplicate_number")
    assert (made.status_code, made.data["net"]) == (201, "600.000")
    assert (broken.status_code, broken.data["code"]) == (422, "not_readable")
    assert (listed.status_code, len(listed.data["entered"])) == (201, 1)
    assert (shown.status_code, errors(shown.content, "Invoice")) == (200, [])


def test_the_lines_taxes_in_the_payment_file_are_the_invoices_tax_to_the_cent():
    line = came()
    tax = {"tax_rate": Decimal(19)}
    invoice = paid(
        asked(line, 10, 100, **tax),
        charge("freight", "0.33", line, **tax),
        charge("surcharge", "0.33", line, **tax),
        charge("lot", "0.33", line, **tax),
    )

    rows = list(csv.DictReader(io.StringIO(invoices.export_approved(by=clerk(), at=moment(LATER)).content)))

    assert [row["tax"] for row in rows] == ["190.00", "0.07", "0.06", "0.06"]
    assert sum(Decimal(row["tax"]) for row in rows) == invoice.tax == Decimal("190.19")
