"""Invoices as files: UBL in and out, CSV in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from accounts.models import User
from core.refusals import InvalidInput, NotFound, Refusal, Refusals
from core.retries import retried
from invoices import rules
from invoices.models import ASKED, CHARGES, ChargeBack, Invoice, InvoiceKind, InvoiceStatus, LineKind, TaxCategory
from invoices.rules import ubl
from invoices.services.crediting import credit_invoice
from invoices.services.entering import EnteredLine, enter_invoice, find_noted
from invoices.services.settling import CreditedClaim, credit_charge_backs
from masterdata.models import Currency, Item, Vendor
from masterdata.printing import own_party, vendor_party
from masterdata.rules.ubl import UblParty, unit_code, unit_names
from receipts.models import Receipt
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)
MOST_ROWS = 20_000
M = TypeVar("M", bound=Model)
T = TypeVar("T")


class NotReadable(InvalidInput):
    """The file is no UBL document, or no such CSV; the text says why."""

    code = "not_readable"


@retried
@transaction.atomic
def enter_ubl(
    *, content: bytes, vendor_id: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Invoice:
    """Enter a UBL 2.1 Invoice, or CreditNote: on one of the vendor's invoices, or on charge-backs that its lines name.

    The vendor is found by his code, another system's key or his name, unless he is named. Lines name our order and line, or his
    delivery note. Raises NotReadable, NotFound, InvalidInput and what `enter_invoice`, `credit_invoice` and `credit_charge_backs`
    raise.
    """
    try:
        document = ubl.read(content)
    except ubl.NotUbl as problem:
        raise NotReadable(f"{problem}", field=problem.path or None) from None
    vendor = _vendor(document.supplier, vendor_id, by)
    currency = Currency.objects.filter(code=document.currency).first()
    if currency is None:
        raise NotFound(f"There is no currency {document.currency[:10]}.", field="DocumentCurrencyCode")
    if document.is_credit and any(row.claim for row in document.lines):
        credit = credit_charge_backs(
            vendor_id=vendor.pk, claims=_claims(document, vendor, by), number=document.number, credit_date=document.day,
            currency_id=currency.pk, note=document.note, by=by, at=at, through=through,
        )  # fmt: skip
        return _as_it_says(credit, document)
    lines = [_line(row, vendor, by) for row in document.lines]
    lines += [
        EnteredLine(
            kind=charge.kind, amount=charge.amount, description=charge.reason, tax_category=_category(charge.tax_category),
            tax_rate=charge.tax_rate, field=f"AllowanceCharge {place}",
        )
        for place, charge in enumerate(document.charges, start=1)
    ]  # fmt: skip
    if document.is_credit:
        known = Invoice.objects.billed().filter(vendor=vendor, number_key=rules.number_key(document.credits))
        credited = known.exclude(status=InvoiceStatus.WITHDRAWN).select_related("currency").first()
        if credited is None:
            raise NotFound(
                f"There is no invoice {document.credits or '(none named)'} of {vendor} to credit.",
                field="BillingReference",
            )
        if credited.currency_id != currency.pk:
            raise InvalidInput(
                f"{credited} is in {credited.currency}, the credit note in {currency}.", field="DocumentCurrencyCode"
            )
        credit = credit_invoice(
            invoice_id=credited.pk, lines=lines, number=document.number, credit_date=document.day, by=by, at=at,
            through=through,
        )  # fmt: skip
        return _as_it_says(credit, document)
    invoice = enter_invoice(
        vendor_id=vendor.pk, number=document.number, lines=lines, currency_id=currency.pk, invoice_date=document.day,
        due_date=document.due, note=document.note[:300], by=by, at=at, through=through,
    )  # fmt: skip
    return _as_it_says(invoice, document)


def _as_it_says(invoice: Invoice, document: ubl.UblDocument) -> Invoice:
    """What was entered comes to what the document says it does. Raises InvalidInput."""
    if document.net is not None and document.net != invoice.net:
        raise InvalidInput(
            f"The document says {document.net} without tax; its lines and charges are {invoice.net}.",
            field="TaxExclusiveAmount",
        )
    if document.gross is not None and document.gross != invoice.gross:
        raise InvalidInput(
            f"The document says {document.gross} with tax; it comes to {invoice.gross}.", field="TaxInclusiveAmount"
        )
    return invoice


def _claims(document: ubl.UblDocument, vendor: Vendor, by: User | None) -> list[CreditedClaim]:
    """The charge-backs a credit note's lines give back. Raises NotFound, InvalidInput (it credits an invoice as well)."""
    visible = ChargeBack.objects.visible_to(by) if by else ChargeBack.objects.all()
    numbers = [row.claim for row in document.lines]
    keys = dict(
        visible.filter(vendor__in=Vendor.objects.invoiced_by(vendor.pk), number__in=numbers).values_list("number", "pk")
    )
    found = []
    for row in document.lines:
        if not row.claim or document.charges:
            raise InvalidInput(
                "It credits charge-backs and something else; enter the two apart.", field=f"line {row.number}"
            )
        if row.claim not in keys:
            raise NotFound(f"There is no charge-back {row.claim[:20]} of {vendor}.", field=f"line {row.number}")
        found.append(CreditedClaim(keys[row.claim], row.amount, _category(row.tax_category), row.tax_rate))
    return found


def _vendor(party: UblParty, vendor_id: int | None, by: User | None) -> Vendor:
    visible = Vendor.objects.visible_to(by) if by else Vendor.objects.all()
    if vendor_id is not None:
        found = list(visible.filter(pk=vendor_id))
    else:
        known = Q(code__in=party.keys)
        for key in party.keys:
            known |= Q(external_refs__contains=[{"key": key}])
        found = list(visible.filter(known).order_by("pk")[:2])
        if not found and party.name:
            found = list(visible.filter(name__iexact=party.name).order_by("pk")[:2])
    if len(found) != 1:
        said = party.name or ", ".join(party.keys) or "(none named)"
        several = "Several vendors are" if found else "No vendor is"
        raise NotFound(f"{several} known as {said}; name the vendor.", field="AccountingSupplierParty")
    return found[0]


def _line(row: ubl.UblLine, vendor: Vendor, by: User | None) -> EnteredLine:
    """One line with its order line, in a unit we know. Raises NotFound, InvalidInput."""
    where = f"line {row.number}"
    receipt_id = None
    if row.note and not (row.order and row.order_line):
        item_id = Item.objects.filter(code=row.item).values_list("pk", flat=True).first() if row.item else None
        noted = find_noted(vendor_id=vendor.pk, note=row.note, item_id=item_id, by=by)
        order_line, receipt_id = noted.order_line, noted.receipt_id
    elif row.order:
        order_line = _ordered(row, vendor, by, where)
        if row.note:  # pieces that are still on their way stand on no receipt of ours
            came = (
                (Receipt.objects.visible_to(by) if by else Receipt.objects.all()).posted().filter(note__iexact=row.note)
            )
            receipt_id = came.filter(lines__order_line=order_line).order_by("pk").values_list("pk", flat=True).first()
    else:
        raise InvalidInput("It names neither our order and line nor a delivery note.", field=where)
    unit, quantity, price, amount = _in_our_unit(row, order_line, where)
    return EnteredLine(
        order_line_id=order_line.pk, receipt_id=receipt_id, quantity=quantity, unit=unit, unit_price=price, amount=amount,
        tax_category=_category(row.tax_category), tax_rate=row.tax_rate, description=row.description, field=where,
    )  # fmt: skip


def _ordered(row: ubl.UblLine, vendor: Vendor, by: User | None, where: str) -> OrderLine:
    """The order line that is named, or the only one (of the item) its order has. Raises NotFound, InvalidInput."""
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    mine = visible.filter(vendor__in=Vendor.objects.invoiced_by(vendor.pk), order__number=row.order)
    if row.order_line:
        number = row.order_line if row.order_line.isdecimal() and len(row.order_line) < 10 else "0"
        mine = mine.filter(line_no=int(number))
    elif row.item:
        mine = mine.filter(item__code=row.item)
    found = list(mine.select_related("item__unit").order_by("line_no")[:2])
    if not found:
        called = row.order_line or row.item or "(none named)"
        raise NotFound(f"{vendor} has no line {called} of order {row.order}.", field=where)
    if len(found) > 1:
        raise InvalidInput(f"{row.order} has several lines: name the line, or the item.", field=where)
    return found[0]


def _in_our_unit(row: ubl.UblLine, order_line: OrderLine, where: str) -> tuple[str, Decimal, Decimal, Decimal | None]:
    """Unit, quantity, price and amount as we enter them: a price for so many of the item's unit is one for our price unit, where
    the quantity comes out even in it.
    """
    own = order_line.item.unit.code if order_line.item.unit else ""
    names = unit_names(row.unit_code)
    is_priced = bool(order_line.price_unit) and order_line.price_unit.casefold() in names
    if not is_priced and own and own.casefold() not in names and row.unit_code not in ("C62", "ZZ"):
        raise InvalidInput(f"{order_line.item} is counted in {own}; {row.unit_code} is not known for it.", field=where)
    unit = order_line.price_unit if is_priced else own
    if row.base == 1:
        return unit, row.quantity, row.price, row.amount
    in_price_unit = rules.five(row.quantity / row.base)
    if not is_priced and row.base == order_line.price_factor and in_price_unit * row.base == row.quantity:
        return "", in_price_unit, row.price, row.amount
    return unit, row.quantity, row.price / row.base, row.amount


def _category(code: str) -> str:
    if code not in TaxCategory.values:
        raise InvalidInput(
            f"Tax category {code[:10]} is not taken; known are {', '.join(TaxCategory.values)}.", field="TaxCategory"
        )
    return code


def as_ubl(invoice: Invoice) -> bytes:
    """An invoice or credit note as UBL 2.1, the vendor its supplier and we its customer."""
    related = ("order_line__order", "order_line__item__unit", "receipt", "charge_back")
    lines = list(invoice.lines.select_related(*related).order_by("line_no"))
    totals = rules.taxes(
        [rules.Taxed(line.amount, line.tax_category, line.tax_rate) for line in lines],
        decimals=invoice.currency.decimals,
    )
    work, charges = [], []
    for line in lines:
        ordered = line.order_line
        if line.kind == LineKind.CLAIM:
            work.append(
                ubl.UblLine(
                    number=str(line.line_no), quantity=Decimal(1), unit_code="C62", amount=line.amount, price=line.amount,
                    claim=line.charge_back.number if line.charge_back else "", description=line.description,
                    tax_category=line.tax_category, tax_rate=line.tax_rate,
                )
            )  # fmt: skip
            continue
        if line.is_charge or ordered is None:
            of_line = f" of {ordered.order.number}/{ordered.line_no}" if ordered else ""
            reason = line.description or f"{LineKind(line.kind).label}{of_line}"
            charges.append(ubl.UblCharge(line.kind, line.amount, reason, line.tax_category, line.tax_rate))
            continue
        own = ordered.item.unit.code if ordered.item.unit else ""
        in_own = line.unit_factor != 1 and unit_code(line.unit) == "C62"
        work.append(
            ubl.UblLine(
                number=str(line.line_no), quantity=line.item_quantity if in_own else line.quantity,
                unit_code=unit_code(own if in_own else line.unit), amount=line.amount, price=line.unit_price,
                base=line.unit_factor if in_own else Decimal(1), order=ordered.order.number, order_line=str(ordered.line_no),
                note=line.receipt.note if line.receipt else "", item=ordered.item.code,
                description=line.description or ordered.item.name or ordered.description, tax_category=line.tax_category,
                tax_rate=line.tax_rate,
            )
        )  # fmt: skip
    return ubl.write(
        ubl.UblDocument(
            number=invoice.vendor_number, day=invoice.invoice_date, due=invoice.due_date, currency=invoice.currency.code,
            supplier=vendor_party(invoice.vendor), customer=own_party(),
            lines=tuple(work), charges=tuple(charges),
            taxes=tuple(ubl.UblTax(one.category, one.rate, one.base, one.tax) for one in totals), note=invoice.note,
            is_credit=invoice.kind == InvoiceKind.CREDIT, is_self_billed=invoice.kind == InvoiceKind.SELF_BILLED,
            credits=invoice.credits.vendor_number if invoice.credits else "", decimals=invoice.currency.decimals,
        )
    )  # fmt: skip


# ── CSV ─────────────────────────────────────────────────────────────────

CSV_COLUMNS = (
    "vendor", "number", "invoice_date", "due_date", "currency", "kind", "order", "line", "note", "item", "quantity", "unit",
    "unit_price", "amount", "tax_category", "tax_rate", "description",
)  # fmt: skip


@retried
@transaction.atomic
def enter_csv(*, content: bytes, by: User | None, at: datetime, through: str = "page") -> list[Invoice]:
    """Enter every invoice of a CSV file, one row a line; rows of one vendor and number are one invoice. All or nothing.

    Raises NotReadable; Refusals with row and column of every bad row.
    """
    rows = _rows(content)
    found: dict[tuple[str, str], list[tuple[int, Mapping[str, str]]]] = {}
    for number, row in enumerate(rows, start=2):
        found.setdefault((row["vendor"], row["number"]), []).append((number, row))
    entered: list[Invoice] = []
    problems: list[Refusal] = []
    for (vendor_code, invoice_number), mine in found.items():
        first_no = mine[0][0]
        try:
            vendor = _named(Vendor.objects.visible_to(by) if by else Vendor.objects.all(), vendor_code, "vendor")
            lines = []
            for row_no, row in mine:
                try:
                    lines.append(_csv_line(row_no, row, vendor, by))
                except Refusal as refusal:
                    problems.append(_at(row_no, refusal))
            if len(lines) < len(mine):
                continue
            said = _said_once(mine)
            with transaction.atomic():
                entered.append(
                    enter_invoice(
                        vendor_id=vendor.pk, number=invoice_number, lines=lines,
                        currency_id=_named(Currency.objects.all(), said["currency"], "currency").pk
                        if said["currency"] else None,
                        invoice_date=_read(said, "invoice_date", date.fromisoformat) if said["invoice_date"] else None,
                        due_date=_read(said, "due_date", date.fromisoformat) if said["due_date"] else None,
                        by=by, at=at, through=through,
                    )
                )  # fmt: skip
        except Refusal as refusal:
            problems.append(_at(first_no, refusal))
    if problems:
        raise Refusals(problems, f"{len(problems)} rows cannot be entered; the first: {problems[0].detail}")
    return entered


def _said_once(rows: Sequence[tuple[int, Mapping[str, str]]]) -> Mapping[str, str]:
    """What rows say of their invoice as a whole, in any of them. Raises InvalidInput where they say two things."""
    said = dict.fromkeys(("invoice_date", "due_date", "currency"), "")
    for row_no, row in rows:
        for column, before in said.items():
            said[column] = before or row[column]
            if row[column] not in ("", said[column]):
                raise InvalidInput(
                    f"{row[column][:40]} stands here, {before[:40]} in a row of the same invoice before.",
                    field=f"row {row_no}, {column}",
                )
    return said


def _rows(content: bytes) -> list[Mapping[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("The file is not UTF-8 text.", field="file") from None
    if "\x00" in text:
        raise NotReadable("The file is no text.", field="file")
    reader = csv.DictReader(io.StringIO(text))
    given = [name.strip() for name in reader.fieldnames or []]
    if missing := [name for name in ("vendor", "number") if name not in given]:
        raise NotReadable(f"Column {missing[0]} is missing. Known are {', '.join(CSV_COLUMNS)}.", field="file")
    if unknown := [name for name in given if name not in CSV_COLUMNS]:
        raise NotReadable(f"There is no column {unknown[0][:40]}. Known are {', '.join(CSV_COLUMNS)}.", field="file")
    try:
        rows = [_cells(row, row_no) for row_no, row in enumerate(reader, start=2)]
    except csv.Error as problem:
        raise NotReadable(f"The file cannot be read: {problem}", field="file") from None
    if not rows:
        raise NotReadable("The file has no rows.", field="file")
    if len(rows) > MOST_ROWS:
        raise NotReadable(f"The file has {len(rows):,} rows; {MOST_ROWS:,} are taken at a time.", field="file")
    return rows


def _cells(row: Mapping[str, str], row_no: int) -> Mapping[str, str]:
    if any(cell.strip() for cell in row.get(None) or ()):  # type: ignore[call-overload]
        raise NotReadable("It has more cells than there are columns.", field=f"row {row_no}")
    cells = {str(name).strip(): value.strip() for name, value in row.items() if isinstance(value, str) and name}
    return {name: cells.get(name, "") for name in CSV_COLUMNS}


def _csv_line(row_no: int, row: Mapping[str, str], vendor: Vendor, by: User | None) -> EnteredLine:
    kind = row["kind"] or LineKind.WORK
    if kind not in ASKED:
        raise InvalidInput(f"{kind[:40]} is no kind; known are {', '.join(ASKED)}.", field="kind")
    order_line_id = receipt_id = None
    if row["order"]:
        visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
        number = int(row["line"]) if row["line"].isdecimal() and len(row["line"]) < 10 else 0
        mine = visible.filter(
            vendor__in=Vendor.objects.invoiced_by(vendor.pk), order__number=row["order"], line_no=number
        )
        order_line_id = mine.values_list("pk", flat=True).first()
        if order_line_id is None:
            raise NotFound(
                f"{vendor} has no line {row['line'] or '(none named)'} of order {row['order']}.", field="line"
            )
    if row["note"]:
        item = _named(Item.objects.all(), row["item"], "item") if row["item"] else None
        noted = find_noted(
            vendor_id=vendor.pk, note=row["note"], item_id=item.pk if item else None, order_line_id=order_line_id, by=by
        )
        order_line_id, receipt_id = noted.order_line_id, noted.receipt_id
    amount = _read(row, "amount", _decimal) if row["amount"] else None
    is_work = kind not in CHARGES
    return EnteredLine(
        order_line_id=order_line_id, receipt_id=receipt_id, kind=kind,
        quantity=_read(row, "quantity", _decimal) if is_work else ZERO, unit=row["unit"],
        unit_price=_read(row, "unit_price", _decimal) if is_work else ZERO, amount=amount,
        tax_category=_category(row["tax_category"] or TaxCategory.STANDARD),
        tax_rate=_read(row, "tax_rate", _decimal) if row["tax_rate"] else ZERO, description=row["description"],
        field=f"row {row_no}",
    )  # fmt: skip


def _named(rows: QuerySet[M], code: str, field: str) -> M:
    found = rows.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no {field} {code or '(none named)'}.", field=field)
    return found


def _decimal(text: str) -> Decimal:
    number = rules.number(text)
    if number is None:
        raise ValueError(text)
    return number


def _read(row: Mapping[str, str], column: str, reader: Callable[[str], T]) -> T:
    try:
        return reader(row[column])
    except ValueError:
        raise InvalidInput(f"{row[column][:40] or 'Nothing'} cannot be read as {column}.", field=column) from None


def _at(row_no: int, refusal: Refusal) -> Refusal:
    """The refusal with the row it is about."""
    where = refusal.field or ""
    refusal.field = where if where.startswith("row ") else f"row {row_no}" + (f", {where}" if where else "")
    return refusal
