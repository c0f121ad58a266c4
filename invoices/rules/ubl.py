"""UBL 2.1 Invoice and CreditNote (OASIS, November 2013) to and from plain values. No entities, no DTD, no network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from lxml import etree

from invoices.rules import amounts
from masterdata.rules.ubl import NAMESPACE, NS, Adder, UblParty, as_xml, document_root, plain

ROOTS = {f"{{{NAMESPACE}{name}-2}}{name}": name for name in ("Invoice", "CreditNote")}
MOST_BYTES = 5_000_000
ZERO, ONE_CENT = Decimal(0), Decimal("0.01")

# UNCL 7161, as far as our charges go.
CHARGE_CODES = {"freight": "FC", "minimum": "ABL", "lot": "SU", "surcharge": "ADR"}

# Why no tax is asked for, by UNCL 5305.
EXEMPTIONS = {
    "AE": "Reverse charge", "K": "Intra-community supply", "G": "Export outside the EU", "O": "Not subject to VAT",
    "E": "Exempt from tax",
}  # fmt: skip

# UNCL 1001: credit notes of every kind.
CREDIT_CODES = ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532")


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


@dataclass(frozen=True, slots=True)
class _Header:
    """What the whole document is about, where a line does not say: our order, the vendor's delivery note."""

    order: str
    note: str


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
    code = _text(root, f"cbc:{name}TypeCode")
    if not is_credit and code in CREDIT_CODES:
        raise NotUbl(f"It is written as an invoice and is a credit note by its type {code}.", "InvoiceTypeCode")
    _check_asked(root, _text(root, "cbc:DocumentCurrencyCode", need=True))
    header = _Header(_text(root, "cac:OrderReference/cbc:ID"), _text(root, "cac:DespatchDocumentReference/cbc:ID"))
    lines = [_line(node, is_credit, header) for node in root.iterfind(f"cac:{name}Line", NS)]
    charges, allowances = _charges(root, lines)
    lines = _allowed(lines, allowances)
    return UblDocument(
        number=_text(root, "cbc:ID", need=True),
        day=_day(root, "cbc:IssueDate", need=True) or date.min,
        due=_day(root, "cbc:DueDate") or _day(root, "cac:PaymentMeans/cbc:PaymentDueDate"),
        currency=_text(root, "cbc:DocumentCurrencyCode", need=True),
        note=_text(root, "cbc:Note"),
        supplier=_party(root, "cac:AccountingSupplierParty/cac:Party"),
        customer=_party(root, "cac:AccountingCustomerParty/cac:Party"),
        lines=tuple(lines),
        charges=tuple(charges),
        is_credit=is_credit,
        is_self_billed=code in ("389", "261"),
        credits=_text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        net=_number(root, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"),
        gross=_number(root, "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount")
        or _number(root, "cac:LegalMonetaryTotal/cbc:PayableAmount"),
    )


def _line(node: etree._Element, is_credit: bool, header: _Header) -> UblLine:
    number = _text(node, "cbc:ID", need=True)
    counted = "cbc:CreditedQuantity" if is_credit else "cbc:InvoicedQuantity"
    unit = node.find(counted, NS)
    quantity = _number(node, counted, need=True) or ZERO
    amount = _number(node, "cbc:LineExtensionAmount", need=True) or ZERO
    price = _number(node, "cac:Price/cbc:PriceAmount", need=True) or ZERO
    base = _number(node, "cac:Price/cbc:BaseQuantity")
    if base is not None and base <= 0:
        raise NotUbl("A price is for a quantity above zero.", f"line {number}")
    base = base or Decimal(1)
    more = sum((_signed(one) for one in node.iterfind("cac:AllowanceCharge", NS)), ZERO)
    if more and quantity:
        whole = quantity * price / base + more
        if abs(whole - amount) > ONE_CENT:
            raise NotUbl(f"Its price with its allowances and charges is {whole:.2f}, not {amount}.", f"line {number}")
        # What is left is what is asked for so many: it is compared with the price that was agreed.
        price = amount * base / quantity
    tax = "cac:Item/cac:ClassifiedTaxCategory"
    return UblLine(
        number=number,
        quantity=quantity,
        unit_code=(unit.get("unitCode") if unit is not None else "") or "C62",
        amount=amount,
        price=price,
        base=base,
        order=_text(node, "cac:OrderLineReference/cac:OrderReference/cbc:ID") or header.order,
        order_line=_text(node, "cac:OrderLineReference/cbc:LineID"),
        note=_text(node, "cac:DespatchLineReference/cac:DocumentReference/cbc:ID") or header.note,
        claim=_text(node, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        item=_text(node, "cac:Item/cac:BuyersItemIdentification/cbc:ID"),
        description=_text(node, "cac:Item/cbc:Name") or _text(node, "cac:Item/cbc:Description"),
        tax_category=_text(node, f"{tax}/cbc:ID") or "S",
        tax_rate=_number(node, f"{tax}/cbc:Percent") or ZERO,
    )


def _signed(node: etree._Element) -> Decimal:
    """An allowance below zero, a charge above."""
    amount = _number(node, "cbc:Amount", need=True) or ZERO
    return amount if _text(node, "cbc:ChargeIndicator", need=True) in ("true", "1") else -amount


def _charges(root: etree._Element, lines: list[UblLine]) -> tuple[list[UblCharge], list[UblCharge]]:
    """Charges on the document, and allowances; where they do not say, of the one tax that all lines have. Those of nothing say
    nothing.
    """
    taxes = {(line.tax_category, line.tax_rate) for line in lines}
    category, rate = taxes.pop() if len(taxes) == 1 else ("S", ZERO)
    kinds = {code: kind for kind, code in CHARGE_CODES.items()}
    charges: list[UblCharge] = []
    allowances: list[UblCharge] = []
    for node in root.iterfind("cac:AllowanceCharge", NS):
        amount = _signed(node)
        if not amount:
            continue
        said = _text(node, "cac:TaxCategory/cbc:ID")
        found = UblCharge(
            kind=kinds.get(_text(node, "cbc:AllowanceChargeReasonCode"), "surcharge"),
            amount=abs(amount),
            reason=_text(node, "cbc:AllowanceChargeReason"),
            tax_category=said or category,
            tax_rate=(_number(node, "cac:TaxCategory/cbc:Percent") or ZERO) if said else rate,
        )
        (charges if amount > 0 else allowances).append(found)
    return charges, allowances


def _allowed(lines: list[UblLine], allowances: list[UblCharge]) -> list[UblLine]:
    """Lines with what the document takes off: shared over those of the same tax by their amounts, no cent lost."""
    for allowance in allowances:
        tax = (allowance.tax_category, allowance.tax_rate)
        places = [place for place, line in enumerate(lines) if (line.tax_category, line.tax_rate) == tax]
        amounts_ = [lines[place].amount for place in places]
        if allowance.amount > sum(amounts_, ZERO):
            raise NotUbl(
                f"The allowance of {allowance.amount} is more than the lines of its tax, {tax[0]} {tax[1]} %, come to.",
                "AllowanceCharge",
            )
        decimals = max(-int(one.as_tuple().exponent) for one in (allowance.amount, *amounts_))
        shares = amounts.spread(allowance.amount, amounts_, decimals=max(decimals, 0))
        for place, share in zip(places, shares, strict=True):
            line = lines[place]
            left = line.amount - share
            lines[place] = replace(line, amount=left, price=left * line.base / line.quantity if line.quantity else ZERO)
    return lines


def _check_asked(root: etree._Element, currency: str) -> None:
    """Raises NotUbl where less or more is to be paid than the whole of it, or another currency is meant."""
    totals = "cac:LegalMonetaryTotal"
    for path in ("cac:AllowanceCharge", totals, "cac:InvoiceLine", "cac:CreditNoteLine"):
        for node in root.iterfind(path, NS):
            for one in node.iter():
                if one.get("currencyID", currency) != currency:
                    raise NotUbl(
                        f"An amount is in {one.get('currencyID')[:10]}, the document in {currency[:10]}.", path
                    )
    if prepaid := _number(root, f"{totals}/cbc:PrepaidAmount"):
        raise NotUbl(
            f"{prepaid} of it is said to be paid already, which is not known here. Ask for it without, or enter it by hand.",
            "PrepaidAmount",
        )
    whole, asked = (_number(root, f"{totals}/cbc:{name}") for name in ("TaxInclusiveAmount", "PayableAmount"))
    if whole is not None and asked is not None and whole != asked:
        raise NotUbl(
            f"{asked} is to be paid of {whole}. What is rounded or paid apart is not taken: ask for it without, or enter it by "
            "hand.",
            "PayableAmount",
        )


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
        if category != "O":
            self.text(made, "Percent", plain(rate if category == "S" else ZERO))
        if with_reason and category in EXEMPTIONS:
            self.text(made, "TaxExemptionReason", EXEMPTIONS[category])
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
