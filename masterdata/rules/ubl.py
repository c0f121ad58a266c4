"""What all UBL 2.1 documents (OASIS, November 2013) share: namespaces, codes of units, parties, and how elements are written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC, CBC = f"{NAMESPACE}CommonAggregateComponents-2", f"{NAMESPACE}CommonBasicComponents-2"
NS = {"cac": CAC, "cbc": CBC}
ZERO = Decimal(0)

PIECES = frozenset({"pcs", "pc", "st", "stk", "ea", "each", "piece", "unit"})
# UN/ECE recommendations 20 and 21: codes for units, and how people commonly write them. The first of a name is what we write.
UNITS: dict[str, frozenset[str]] = {
    "C62": PIECES,
    "H87": PIECES,
    "PCE": PIECES,
    "XPP": PIECES,
    "NAR": PIECES,
    "EA": frozenset({"pcs", "pc", "ea", "each"}),
    "KGM": frozenset({"kg"}),
    "GRM": frozenset({"g"}),
    "TNE": frozenset({"t"}),
    "MTR": frozenset({"m"}),
    "MTK": frozenset({"m2", "m²"}),
    "LTR": frozenset({"l"}),
    "HUR": frozenset({"h"}),
    "CEN": frozenset({"100 pcs", "100"}),
    "MIL": frozenset({"1000 pcs", "1000"}),
}


@dataclass(frozen=True, slots=True)
class UblParty:
    """Who: a name, and what he is known by."""

    name: str
    keys: tuple[str, ...] = ()
    country: str = ""
    street: str = ""


def unit_names(code: str) -> frozenset[str]:
    """What a unit code may be called with us, in small letters; an unknown code is a name itself."""
    return UNITS.get(code.upper(), frozenset({code.casefold()}))


def unit_code(name: str) -> str:
    """The code of a unit of ours; C62 ("one") where it has none."""
    wanted = name.casefold()
    return next((code for code, names in UNITS.items() if wanted in names), "C62")


def document_root(name: str) -> etree._Element:
    """An empty document: Invoice, CreditNote, Order, DespatchAdvice."""
    kind = f"{NAMESPACE}{name}-2"
    return etree.Element(f"{{{kind}}}{name}", nsmap={None: kind, "cac": CAC, "cbc": CBC})


def as_xml(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


class Adder:
    """Adds the elements of one document, amounts in its currency."""

    def __init__(self, currency: str = "", decimals: int = 2) -> None:
        self.currency, self.decimals = currency, decimals

    def text(self, parent: etree._Element, name: str, text: str) -> etree._Element:
        made = etree.SubElement(parent, f"{{{CBC}}}{name}")
        made.text = _printable(text)
        return made

    def group(self, parent: etree._Element, name: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{CAC}}}{name}")

    def quantity(self, parent: etree._Element, name: str, quantity: Decimal, unit: str) -> None:
        """`unit` as we call it; it goes out as its code."""
        self.text(parent, name, plain(quantity)).set("unitCode", unit_code(unit))

    def amount(self, parent: etree._Element, name: str, amount: Decimal, *, exact: bool = False) -> None:
        shown = amount if exact else amount.quantize(Decimal(1).scaleb(-self.decimals))
        self.text(parent, name, plain(shown) if exact else f"{shown:f}").set("currencyID", self.currency)

    def party(self, root: etree._Element, name: str, party: UblParty) -> None:
        made = self.group(self.group(root, name), "Party")
        for key in party.keys:
            self.text(self.group(made, "PartyIdentification"), "ID", key)
        self.text(self.group(made, "PartyName"), "Name", party.name or "–")
        if party.street or party.country:
            address = self.group(made, "PostalAddress")
            if party.street:
                self.text(address, "StreetName", party.street)
            if party.country:
                self.text(self.group(address, "Country"), "IdentificationCode", party.country)


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _printable(text: str) -> str:
    """Without what XML 1.0 has no sign for."""
    return "".join(sign for sign in text if sign in "\t\n\r" or (sign >= " " and sign not in "\ufffe\uffff"))
