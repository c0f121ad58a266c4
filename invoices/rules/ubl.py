"""UBL 2.1 Invoice and CreditNote (OASIS, November 2013) to and from plain values. No entities, no DTD, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lxml import etree

from invoices.rules import amounts
from masterdata.rules.ubl import NAMESPACE, NS, Adder, UblParty, as_xml, document_root, plain

ROOTS = {f"{{{NAMESPACE}{name}-2}}{name}": name for name in ("Invoice", "CreditNote")}
MOST_BYTES = 5_000_000
ZERO = Decimal(0)

# UNCL 7161, as far as our charges go.
CHARGE_CODES = {"freight": "FC", "minimum": "ABL", "lot": "SU", "surcharge": "ADR"}


class NotUbl(ValueError):
    """It cannot be read as such a document; the text says why, `path` where."""

    def __init__(self, said: str, path: str = "") -> None:
        self.path = path
        super().__init__(said)


@dataclass(frozen=True, slots=True)
class UblLine:
    """One line: what is asked for how much, by order line or delivery note. `base`: for so many the price is. `claim`: the number
    of a charge-back that a credit note's line gives back.
    """

    number: str
    quantity: Decimal
    unit_code: str
    amount: Decimal
    price: Decimal
    base: Decimal = Decimal(1)
    order: str = ""
    order_line: str = ""
    note: str = ""
    claim: str = ""
    item: str = ""
    description: str = ""
    tax_category: str = "S"
    tax_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class UblCharge:
    """A charge on the whole document."""

    kind: str
    amount: Decimal
    reason: str = ""
    tax_category: str = "S"
    tax_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class UblTax:
    category: str
    rate: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class UblDocument:
    """An invoice, or (`credits` names the invoice) a credit note. Amounts in `currency`."""

    number: str
    day: date
    currency: str
    supplier: UblParty
    customer: UblParty
    lines: tuple[UblLine, ...]
    charges: tuple[UblCharge, ...] = ()
    taxes: tuple[UblTax, ...] = ()
    due: date | None = None
    note: str = ""
    is_credit: bool = False
    is_self_billed: bool = False
    credits: str = ""
    net: Decimal | None = None
    gross: Decimal | None = None
    decimals: int = field(default=2, compare=False)


# ── Reading ─────────────────────────────────────────────────────────────


def read(content: bytes) -> UblDocument:
    """A UBL Invoice or CreditNote. Raises NotUbl: too large, not well-formed, another document, a part missing or unreadable."""
    if len(content) > MOST_BYTES:
        raise NotUbl(f"The document is larger than {MOST_BYTES // 1_000_000} MB.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise NotUbl(f"It is not well-formed XML: {str(problem)[:200]}") from None
    if root.getroottree().docinfo.doctype:
        raise NotUbl("A document type declaration is not taken; send the document without one.")
    name = ROOTS.get(root.tag)
    if name is None:
        raise NotUbl(f"It is no UBL 2.1 Invoice or CreditNote but {etree.QName(root).localname}.")
    is_credit = name == "CreditNote"
    header_order = _text(root, "cac:OrderReference/cbc:ID")
    lines = tuple(_line(node, is_credit, header_order) for node in root.iterfind(f"cac:{name}Line", NS))
    return UblDocument(
        number=_text(root, "cbc:ID", need=True),
        day=_day(root, "cbc:IssueDate", need=True) or date.min,
        due=_day(root, "cbc:DueDate") or _day(root, "cac:PaymentMeans/cbc:PaymentDueDate"),
        currency=_text(root, "cbc:DocumentCurrencyCode", need=True),
        note=_text(root, "cbc:Note"),
        supplier=_party(root, "cac:AccountingSupplierParty/cac:Party"),
        customer=_party(root, "cac:AccountingCustomerParty/cac:Party"),
        lines=lines,
        charges=tuple(_charges(root)),
        is_credit=is_credit,
        is_self_billed=_text(root, f"cbc:{name}TypeCode") in ("389", "261"),
        credits=_text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        net=_number(root, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"),
        gross=_number(root, "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"),
    )


def _line(node: etree._Element, is_credit: bool, header_order: str) -> UblLine:
    number = _text(node, "cbc:ID", need=True)
    counted = "cbc:CreditedQuantity" if is_credit else "cbc:InvoicedQuantity"
    quantity = node.find(counted, NS)
    if any(_text(one, "cbc:ChargeIndicator") for one in node.iterfind("cac:AllowanceCharge", NS)):
        raise NotUbl("Allowances and charges on a line are not taken: state the net price, or a charge on the document.",
                     f"line {number}")  # fmt: skip
    tax = "cac:Item/cac:ClassifiedTaxCategory"
    return UblLine(
        number=number,
        quantity=_number(node, counted, need=True) or ZERO,
        unit_code=(quantity.get("unitCode") if quantity is not None else "") or "C62",
        amount=_number(node, "cbc:LineExtensionAmount", need=True) or ZERO,
        price=_number(node, "cac:Price/cbc:PriceAmount", need=True) or ZERO,
        base=_number(node, "cac:Price/cbc:BaseQuantity") or Decimal(1),
        order=_text(node, "cac:OrderLineReference/cac:OrderReference/cbc:ID") or header_order,
        order_line=_text(node, "cac:OrderLineReference/cbc:LineID"),
        note=_text(node, "cac:DespatchLineReference/cac:DocumentReference/cbc:ID"),
        claim=_text(node, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        item=_text(node, "cac:Item/cac:BuyersItemIdentification/cbc:ID"),
        description=_text(node, "cac:Item/cbc:Name") or _text(node, "cac:Item/cbc:Description"),
        tax_category=_text(node, f"{tax}/cbc:ID") or "S",
        tax_rate=_number(node, f"{tax}/cbc:Percent") or ZERO,
    )


def _charges(root: etree._Element) -> list[UblCharge]:
    kinds = {code: kind for kind, code in CHARGE_CODES.items()}
    found = []
    for node in root.iterfind("cac:AllowanceCharge", NS):
        amount = _number(node, "cbc:Amount", need=True) or ZERO
        if _text(node, "cbc:ChargeIndicator") != "true":
            raise NotUbl(
                "An allowance on the document is not taken: state net prices, or send a credit note.", "AllowanceCharge"
            )
        reason = _text(node, "cbc:AllowanceChargeReason")
        found.append(
            UblCharge(
                kind=kinds.get(_text(node, "cbc:AllowanceChargeReasonCode"), "surcharge"),
                amount=amount,
                reason=reason,
                tax_category=_text(node, "cac:TaxCategory/cbc:ID") or "S",
                tax_rate=_number(node, "cac:TaxCategory/cbc:Percent") or ZERO,
            )
        )
    return found


def _party(root: etree._Element, path: str) -> UblParty:
    keys = (
        _text(root, f"{path}/cac:PartyIdentification/cbc:ID"),
        _text(root, f"{path}/cbc:EndpointID"),
        _text(root, f"{path}/cac:PartyTaxScheme/cbc:CompanyID"),
        _text(root, f"{path}/cac:PartyLegalEntity/cbc:CompanyID"),
    )
    name = _text(root, f"{path}/cac:PartyName/cbc:Name") or _text(
        root, f"{path}/cac:PartyLegalEntity/cbc:RegistrationName"
    )
    country = _text(root, f"{path}/cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    return UblParty(name, tuple(key for key in keys if key), country)


def _text(node: etree._Element, path: str, *, need: bool = False) -> str:
    found = (node.findtext(path, "", NS) or "").strip()
    if need and not found:
        raise NotUbl(f"{path.replace('cbc:', '').replace('cac:', '')} is missing.", path)
    return found


def _number(node: etree._Element, path: str, *, need: bool = False) -> Decimal | None:
    text = _text(node, path, need=need)
    if not text:
        return None
    number = amounts.number(text)
    if number is None:
        raise NotUbl(f"{text[:40]} is no number.", path)
    return number


def _day(node: etree._Element, path: str, *, need: bool = False) -> date | None:
    text = _text(node, path, need=need)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise NotUbl(f"{text[:40]} is no day.", path) from None


# ── Writing ─────────────────────────────────────────────────────────────


def write(document: UblDocument) -> bytes:
    """The document as UBL 2.1 XML, valid against the OASIS schema."""
    name = "CreditNote" if document.is_credit else "Invoice"
    root = document_root(name)
    add = _Adder(document.currency, document.decimals)
    add.text(root, "UBLVersionID", "2.1")
    add.text(root, "ID", document.number)
    add.text(root, "IssueDate", document.day.isoformat())
    if document.due and not document.is_credit:
        add.text(root, "DueDate", document.due.isoformat())
    code = ("261" if document.is_self_billed else "381") if document.is_credit else (
        "389" if document.is_self_billed else "380"
    )  # fmt: skip
    add.text(root, f"{name}TypeCode", code)
    if document.note:
        add.text(root, "Note", document.note)
    add.text(root, "DocumentCurrencyCode", document.currency)
    if document.credits:
        reference = add.group(add.group(root, "BillingReference"), "InvoiceDocumentReference")
        add.text(reference, "ID", document.credits)
    add.party(root, "AccountingSupplierParty", document.supplier)
    add.party(root, "AccountingCustomerParty", document.customer)
    for charge in document.charges:
        add.charge(root, charge)
    _totals(root, add, document)
    for line in document.lines:
        add.line(root, name, line)
    return as_xml(root)


def _totals(root: etree._Element, add: _Adder, document: UblDocument) -> None:
    lines = sum((line.amount for line in document.lines), ZERO)
    charges = sum((charge.amount for charge in document.charges), ZERO)
    tax = sum((total.tax for total in document.taxes), ZERO)
    total = add.group(root, "TaxTotal")
    add.amount(total, "TaxAmount", tax)
    for one in document.taxes:
        part = add.group(total, "TaxSubtotal")
        add.amount(part, "TaxableAmount", one.base)
        add.amount(part, "TaxAmount", one.tax)
        add.tax(part, "TaxCategory", one.category, one.rate, with_reason=True)
    sums = add.group(root, "LegalMonetaryTotal")
    add.amount(sums, "LineExtensionAmount", lines)
    add.amount(sums, "TaxExclusiveAmount", lines + charges)
    add.amount(sums, "TaxInclusiveAmount", lines + charges + tax)
    if charges:
        add.amount(sums, "ChargeTotalAmount", charges)
    add.amount(sums, "PayableAmount", lines + charges + tax)


class _Adder(Adder):
    """Adds the elements of one document."""

    def tax(
        self, parent: etree._Element, name: str, category: str, rate: Decimal, *, with_reason: bool = False
    ) -> None:
        made = self.group(parent, name)
        self.text(made, "ID", category)
        # Of reverse charge none is asked for; the rate that is ours to declare is no part of the vendor's document.
        self.text(made, "Percent", plain(rate if category == "S" else ZERO))
        if with_reason and category == "AE":
            self.text(made, "TaxExemptionReason", "Reverse charge")
        self.text(self.group(made, "TaxScheme"), "ID", "VAT")

    def charge(self, root: etree._Element, charge: UblCharge) -> None:
        made = self.group(root, "AllowanceCharge")
        self.text(made, "ChargeIndicator", "true")
        self.text(made, "AllowanceChargeReasonCode", CHARGE_CODES[charge.kind])
        self.text(made, "AllowanceChargeReason", charge.reason or charge.kind)
        self.amount(made, "Amount", charge.amount)
        self.tax(made, "TaxCategory", charge.tax_category, charge.tax_rate)

    def line(self, root: etree._Element, name: str, line: UblLine) -> None:
        made = self.group(root, f"{name}Line")
        self.text(made, "ID", line.number)
        counted = "CreditedQuantity" if name == "CreditNote" else "InvoicedQuantity"
        self.text(made, counted, plain(line.quantity)).set("unitCode", line.unit_code)
        self.amount(made, "LineExtensionAmount", line.amount)
        if line.order_line:
            reference = self.group(made, "OrderLineReference")
            self.text(reference, "LineID", line.order_line)
            self.text(self.group(reference, "OrderReference"), "ID", line.order)
        if line.note:
            reference = self.group(made, "DespatchLineReference")
            self.text(reference, "LineID", "1")
            self.text(self.group(reference, "DocumentReference"), "ID", line.note)
        if line.claim:
            reference = self.group(self.group(made, "BillingReference"), "InvoiceDocumentReference")
            self.text(reference, "ID", line.claim)
        item = self.group(made, "Item")
        self.text(item, "Name", line.description or line.item or "–")
        if line.item:
            self.text(self.group(item, "BuyersItemIdentification"), "ID", line.item)
        self.tax(item, "ClassifiedTaxCategory", line.tax_category, line.tax_rate)
        price = self.group(made, "Price")
        self.amount(price, "PriceAmount", line.price, exact=True)
        if line.base != 1:
            self.text(price, "BaseQuantity", plain(line.base)).set("unitCode", line.unit_code)
