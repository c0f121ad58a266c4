"""Writing the journal: every movement, approved invoice and charge-back as debits and credits that add up to zero."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Max

from accounting.models import Account, Carry, Closing, Entry, EntryLine, Mark, Role
from accounting.rules import postings
from inventory.services.checking import Difference, text
from invoices.models import DECLARED
from masterdata import services as masterdata

ZERO = Decimal(0)
EXACT = Decimal("0.00001")
LOCK = "journal"

WRITERS = """
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'inventory_movement'::regclass AND mode = 'RowExclusiveLock' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""
PATIENCE = 100
"""Looks, a fiftieth of a second apart, at who still writes."""

# One act: what one document moved at one moment. Some acts post twice (what was used, then what was made of it).
MOVED = """
    SELECT m.document_kind, m.document_number, m.recorded_at, min(m.occurred_at), min(m.id), max(m.id),
        coalesce(min(t.site_id), min(f.site_id)), coalesce(min(t.vendor_id), min(f.vendor_id)),
        f.kind, t.kind, i.kind, m.stage <> '', sum(m.value)
    FROM inventory_movement m JOIN masterdata_location f ON f.id = m.from_location_id
    JOIN masterdata_location t ON t.id = m.to_location_id JOIN masterdata_item i ON i.id = m.item_id
    WHERE m.id > %s AND m.id <= %s AND m.value <> 0
    GROUP BY m.document_kind, m.document_number, m.recorded_at, f.kind, t.kind, i.kind, m.stage <> ''
"""
BILLED = """
    SELECT i.id, i.number, i.kind, i.invoice_date, i.site_id, i.vendor_id, i.rate, i.vendor_number,
        sum(m.agreed), sum(m.price_difference), sum(m.exchange_difference), sum(m.to_stock), sum(m.to_variance)
    FROM invoices_invoice i JOIN invoices_invoiceline l ON l.invoice_id = i.id JOIN invoices_match m ON m.line_id = l.id
    WHERE m.posted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounting_entry e WHERE e.key = 'invoice/' || i.number)
    GROUP BY i.id ORDER BY i.id
"""
# Rounded once for each category and rate, in the invoice's currency, as its own tax is.
TAXED = """
    SELECT l.invoice_id, l.tax_category, round(sum(l.amount) * l.tax_rate / 100, c.decimals) FROM invoices_invoiceline l
    JOIN invoices_invoice i ON i.id = l.invoice_id JOIN masterdata_currency c ON c.id = i.currency_id
    WHERE l.invoice_id = ANY(%s) GROUP BY l.invoice_id, l.tax_category, l.tax_rate, c.decimals
"""
CLAIMED = """
    SELECT c.number, c.status, c.decided_at, c.site_id, c.vendor_id, c.amount, c.set_off FROM invoices_chargeback c
    WHERE c.status IN ('claimed', 'settled') AND c.decided_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM accounting_entry e WHERE e.key = 'charge_back/' || c.number)
    ORDER BY c.id
"""
# A credit note on claims: what it takes off what is owed, and off what is claimed; the rest is the rate's.
SETTLED = """
    SELECT i.id, i.number, i.invoice_date, i.site_id, i.vendor_id, i.rate, i.vendor_number, sum(l.amount), sum(l.settles)
    FROM invoices_invoice i JOIN invoices_invoiceline l ON l.invoice_id = i.id
    WHERE i.of_claims AND i.status IN ('approved', 'exported')
        AND NOT EXISTS (SELECT 1 FROM accounting_entry e WHERE e.key = 'invoice/' || i.number)
    GROUP BY i.id ORDER BY i.id
"""
LET_GO = """
    SELECT c.number, c.closed_at, c.site_id, c.vendor_id, c.let_go FROM invoices_chargeback c
    WHERE c.let_go > 0 AND NOT EXISTS (SELECT 1 FROM accounting_entry w WHERE w.key = 'let_go/' || c.number) ORDER BY c.id
"""
WAIVED = """
    SELECT c.number, coalesce(c.closed_at, c.decided_at), c.site_id, c.vendor_id, l.role, l.amount FROM invoices_chargeback c
    JOIN accounting_entry e ON e.key = 'charge_back/' || c.number JOIN accounting_entryline l ON l.entry_id = e.id
    WHERE c.status = 'waived' AND NOT EXISTS (SELECT 1 FROM accounting_entry w WHERE w.key = 'waived/' || c.number)
    ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be written."""

    key: str
    kind: str
    number: str
    event: date
    amounts: Mapping[str, Decimal]
    text: str = ""
    site_id: int | None = None
    vendor_id: int | None = None


@transaction.atomic
def write_journal(*, at: datetime, wait: bool = False) -> int:
    """Bring the journal up to date. Returns how many entries are new; the same again is nothing.

    An entry counts on the day its event happened, or on the first open day where that is closed by now. Movements are taken up
    to a number below which nobody writes any more; where a transaction goes on for long they come with the next call, unless told
    to `wait`, which holds up every posting meanwhile.
    """
    lock_journal()
    closed = Closing.objects.filter(reopened_at__isnull=True).aggregate(last=Max("through"))["last"]
    company = masterdata.company()
    zone = ZoneInfo(company.time_zone)
    mark, _ = Mark.objects.select_for_update().get_or_create(name="movement")
    with connection.cursor() as cursor:
        until = _written_up_to(cursor, wait=wait)
        moved = _moved(cursor, since=mark.done_id, until=until, zone=zone) if until > mark.done_id else []
        claims = [*_claimed(cursor, zone=zone), *_waived(cursor, zone=zone), *_let_go(cursor, zone=zone)]
        drafts = [*moved, *_billed(cursor), *claims, *_settled(cursor)]
    new = [draft for draft in drafts if draft.amounts]
    entries = Entry.objects.bulk_create(
        [
            Entry(
                key=draft.key, document_kind=draft.kind, document_number=draft.number, event_date=draft.event,
                posting_date=postings.posting_date(draft.event, closed_through=closed), text=draft.text[:200],
                site_id=draft.site_id, vendor_id=draft.vendor_id, journalled_at=at,
            )
            for draft in new
        ],
        batch_size=1000,
    )  # fmt: skip
    if entries:
        EntryLine.objects.bulk_create(
            _lines(zip(entries, new, strict=True), company.currency.decimals), batch_size=2000
        )
    mark.done_id = max(until, mark.done_id)
    mark.save()
    return len(new)


def lock_journal() -> None:
    """One writer, and no period closes while he writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [LOCK])


def _written_up_to(cursor: Any, *, wait: bool) -> int:
    """A movement's number below which no other transaction can bring one any more; 0 where somebody takes too long.

    Who inserts movements holds a lock on their table from before it draws a number until its end.
    """
    if wait:
        cursor.execute("LOCK TABLE inventory_movement IN SHARE MODE")
    cursor.execute("SELECT coalesce(max(id), 0) FROM inventory_movement")
    (last,) = cursor.fetchone()
    cursor.execute(WRITERS)
    writers = [writer for (writer,) in cursor.fetchall()]
    for _ in range(PATIENCE):
        if not writers:
            return int(last)
        time.sleep(0.02)
        cursor.execute(f"{WRITERS} AND virtualtransaction = ANY(%s)", [writers])
        writers = [writer for (writer,) in cursor.fetchall()]
    return 0


def _lines(entries: Iterable[tuple[Entry, Draft]], decimals: int) -> list[EntryLine]:
    """The lines of new entries, rounded one after the other: what is left of a role goes with its next entry."""
    carried: dict[str, Decimal] = defaultdict(Decimal, Carry.objects.values_list("role", "amount"))
    lines = []
    for entry, draft in entries:
        booked = postings.rounded(draft.amounts, decimals=decimals, carried=carried)
        for role, amount in sorted(draft.amounts.items()):
            carried[role] += amount - booked[role]
            lines.append(EntryLine(entry=entry, role=role, amount=amount, booked=booked[role]))
    Carry.objects.bulk_create(
        [Carry(role=role, amount=amount) for role, amount in carried.items()],
        update_conflicts=True,
        unique_fields=["role"],
        update_fields=["amount"],
    )
    return lines


def _moved(cursor: Any, *, since: int, until: int, zone: ZoneInfo) -> Iterator[Draft]:
    cursor.execute(MOVED, [since, until])
    acts: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row in cursor.fetchall():
        acts[row[:3]].append(row[3:])
    for (kind, number, _), rows in acts.items():
        moves = [
            (
                postings.role_of_place(place=source, item_kind=item, stage="x" if staged else "", document=kind),
                postings.role_of_place(place=target, item_kind=item, stage="x" if staged else "", document=kind),
                value,
            )
            for *_, source, target, item, staged, value in rows
        ]
        event = min(row[0] for row in rows).astimezone(zone).date()
        site = next((row[3] for row in rows if row[3]), None)
        vendor = next((row[4] for row in rows if row[4]), None)
        key = f"{kind}/{number}/{max(row[2] for row in rows)}"
        yield Draft(key, kind, number, event, postings.entry_of_moves(moves), "", site, vendor)


def _billed(cursor: Any) -> Iterator[Draft]:
    """What is owed by now, no longer merely received; exchange differences that fell to price variance stand apart."""
    cursor.execute(BILLED)
    rows = cursor.fetchall()
    taxes = _taxes(cursor, [row[0] for row in rows])
    for pk, number, kind, day, site, vendor, rate, vendor_number, agreed, price, exchange, _stock, variance in rows:
        sign = -1 if kind == "credit" else 1
        asked = agreed + price + exchange
        paid_tax, declared = ((tax * rate * sign).quantize(EXACT) for tax in taxes[pk])
        # The differences' own movements credit "not invoiced" with what goes to stock and variance; this takes it all out.
        amounts = {
            Role.NOT_INVOICED: asked,
            Role.INPUT_TAX: paid_tax + declared,
            Role.REVERSE_CHARGE: -declared,
            Role.PAYABLES: -asked - paid_tax,
        }
        difference = price + exchange
        share = (variance * exchange / difference).quantize(EXACT) if difference and exchange else ZERO
        if share:
            amounts |= {Role.EXCHANGE_DIFFERENCE: share, Role.PRICE_VARIANCE: -share}
        found = {str(role): amount for role, amount in amounts.items() if amount}
        yield Draft(f"invoice/{number}", "invoice", number, day, found, vendor_number, site, vendor)


def _taxes(cursor: Any, invoice_ids: list[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """What is paid to the vendor and what is ours to declare of each invoice's tax, in its currency."""
    cursor.execute(TAXED, [invoice_ids])
    taxes: dict[int, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for invoice_id, category, tax in cursor.fetchall():
        paid, declared = taxes[invoice_id]
        taxes[invoice_id] = (paid, declared + tax) if category in DECLARED else (paid + tax, declared)
    return taxes


def _settled(cursor: Any) -> Iterator[Draft]:
    """Claims that a vendor credited, or that were netted on an invoice of his: he is owed so much less."""
    cursor.execute(SETTLED)
    rows = cursor.fetchall()
    taxes = _taxes(cursor, [row[0] for row in rows])
    for pk, number, day, site, vendor, rate, vendor_number, asked, settles in rows:
        worth = (asked * rate).quantize(EXACT)
        paid_tax, declared = ((tax * rate).quantize(EXACT) for tax in taxes[pk])
        amounts = {
            Role.PAYABLES: worth + paid_tax,
            Role.CLAIMS: -settles,
            Role.INPUT_TAX: -paid_tax - declared,
            Role.REVERSE_CHARGE: declared,
            Role.EXCHANGE_DIFFERENCE: settles - worth,
        }
        found = {str(role): amount for role, amount in amounts.items() if amount}
        yield Draft(f"invoice/{number}", "invoice", number, day, found, vendor_number, site, vendor)


def _let_go(cursor: Any, *, zone: ZoneInfo) -> Iterator[Draft]:
    """What was claimed and neither credited nor paid: it is ours after all."""
    cursor.execute(LET_GO)
    for number, closed_at, site, vendor, amount in cursor.fetchall():
        amounts = {str(Role.CLAIMS): -amount, str(Role.CHARGED_BACK): amount}
        day = closed_at.astimezone(zone).date()
        yield Draft(f"let_go/{number}", "charge_back", number, day, amounts, "", site, vendor)


def _claimed(cursor: Any, *, zone: ZoneInfo) -> Iterator[Draft]:
    cursor.execute(CLAIMED)
    for number, _status, decided_at, site, vendor, amount, set_off in cursor.fetchall():
        amounts = {"not_invoiced": set_off, "claims": amount - set_off, "charged_back": -amount}
        found = {role: value for role, value in amounts.items() if value}
        yield Draft(
            f"charge_back/{number}", "charge_back", number, decided_at.astimezone(zone).date(), found, "", site, vendor
        )


def _waived(cursor: Any, *, zone: ZoneInfo) -> Iterator[Draft]:
    """A claim that was journalled and then let go."""
    cursor.execute(WAIVED)
    gone: dict[str, dict[str, Decimal]] = defaultdict(dict)
    about: dict[str, tuple[Any, ...]] = {}
    for number, decided_at, site, vendor, role, amount in cursor.fetchall():
        gone[number][role] = -amount
        about[number] = (decided_at.astimezone(zone).date(), site, vendor)
    for number, amounts in gone.items():
        day, site, vendor = about[number]
        yield Draft(f"waived/{number}", "charge_back", number, day, amounts, "", site, vendor)


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One line of the journal as bookkeeping takes it in."""

    entry: int
    posting_date: date
    event_date: date
    document_kind: str
    document_number: str
    account: str
    account_name: str
    debit: Decimal
    credit: Decimal
    vendor: str
    site: str
    text: str


def export_rows(entries: Iterable[Entry]) -> Iterator[ExportRow]:
    """Lines of entries (lines, site and vendor read along) with the company's own accounts; zero lines are left out."""
    accounts = {row.role: row for row in Account.objects.all()}
    labels = dict(Role.choices)
    step = Decimal(1).scaleb(-masterdata.company().currency.decimals)
    for entry in entries:
        for line in sorted(entry.lines.all(), key=lambda line: (line.booked < 0, line.role)):
            if not line.booked:
                continue
            account = accounts.get(line.role)
            yield ExportRow(
                entry.pk, entry.posting_date, entry.event_date, entry.document_kind, entry.document_number,
                account.code if account else line.role, account.name if account else str(labels[line.role]),
                max(line.booked, ZERO).quantize(step), max(-line.booked, ZERO).quantize(step),
                entry.vendor.code if entry.vendor else "",
                entry.site.code if entry.site else "", entry.text,
            )  # fmt: skip


@transaction.atomic
def prove_journal(*, at: datetime) -> tuple[int, list[Difference]]:
    """Bring the journal up to date and check it, while nobody posts. How many entries were compared, and every difference."""
    write_journal(at=at, wait=True)
    return check_journal()


def check_journal() -> tuple[int, list[Difference]]:
    """Every entry adds up to zero, exactly and as booked; the stock accounts hold what the ledger says stock is worth."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.key, sum(l.amount), sum(l.booked) FROM accounting_entry e JOIN accounting_entryline l ON l.entry_id = e.id
            GROUP BY e.id HAVING sum(l.amount) <> 0 OR sum(l.booked) <> 0 ORDER BY e.id LIMIT 1000
            """
        )
        for key, amount, booked in cursor.fetchall():
            found.append(Difference("an entry adds up to zero", key, f"{text(amount)} ({text(booked)} booked)", "0"))
        cursor.execute(
            """
            SELECT coalesce((SELECT sum(amount) FROM accounting_entryline
                    WHERE role IN ('raw', 'semi', 'finished', 'work_in_progress', 'at_vendors')), 0),
                coalesce((SELECT sum(value) FROM inventory_costpool), 0)
            """
        )
        journal, ledger = cursor.fetchone()
        if journal != ledger:
            found.append(Difference("stock accounts hold what stock is worth", "all", text(journal), text(ledger)))
        cursor.execute("SELECT count(*) FROM accounting_entry")
        (checked,) = cursor.fetchone()
    return checked, found
