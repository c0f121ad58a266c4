"""What bookkeeping gets: the journal and its exports, closed periods with the accounts, balances vendors confirm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounting import printing
from accounting import services as accounting
from accounting.models import Account, Closing, Confirmation, ConfirmationLine, Entry, EntryLine, JournalExport, Role
from accounting.services import AnsweredQuantity
from core.refusals import Refusal
from masterdata.printing import PdfUnavailable
from workbench.forms import Filters, Unreadable, read_day, read_filters, read_quantity
from workbench.views.page import Shell, choice, count, kept, page_for, paged, show, site_choice, vendors_of
from workbench.views.worklist import Tab

SEES, SEES_CONFIRMATIONS = "accounting.view_entry", "accounting.view_confirmation"
MAY_EXPORT, MAY_CLOSE, MAY_NAME = "accounting.add_journalexport", "accounting.close_period", "accounting.change_account"
MAY_ASK, MAY_ANSWER = "accounting.add_confirmation", "accounting.change_confirmation"
MOST_LINES = 200_000


def _done(request: HttpRequest, act: Callable[[datetime], Any], said: str) -> bool:
    """Do it and say so, or say why not."""
    try:
        act(timezone.now())
    except (Refusal, Unreadable) as problem:
        messages.error(request, getattr(problem, "detail", None) or str(problem))
        return False
    messages.success(request, said)
    return True


# ── The journal ─────────────────────────────────────────────────────────


def journal_tabs() -> dict[str, Tab]:
    tabs = [
        Tab("", _("Not exported"), "file-export", _("Everything is exported"),
            _("What bookkeeping has not been given yet stands here.")),
        Tab("exported", _("Exported"), "checks", _("Nothing was exported yet"),
            _("What bookkeeping was given stands here, with the file it was in.")),
    ]  # fmt: skip
    return {tab.key: tab for tab in tabs}


def _narrowed(rows: QuerySet[Entry], filters: Filters, first: date | None, last: date | None) -> QuerySet[Entry]:
    for word in filters.q.split():
        rows = rows.filter(document_number__istartswith=word)
    if filters.kind:
        rows = rows.filter(document_kind=filters.kind)
    rows = filters.of_whom(rows)
    if first:
        rows = rows.filter(posting_date__gte=first)
    return rows.filter(posting_date__lte=last) if last else rows


def _asked_day(request: HttpRequest, name: str) -> date | None:
    try:
        return read_day(request.GET.get(name, ""))
    except Unreadable:
        return None


@require_safe
@page_for(SEES)
def journal(request: HttpRequest) -> HttpResponse:
    accounting.write_journal(at=timezone.now())
    shell, filters, tabs = Shell(request), read_filters(request.GET), journal_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = Entry.objects.visible_to(request.user)
    first, last = _asked_day(request, "from"), _asked_day(request, "to")
    rows = _narrowed(visible, filters, first, last)
    lists = {"": rows.unexported(), "exported": rows.filter(export__isnull=False)}
    for key, found in lists.items():
        tabs[key].count = count(found)
    shown = lists[tab.key]
    if request.GET.get("format") == "csv":
        return _csv(accounting.journal_csv(shown.order_by("posting_date", "pk")[:MOST_LINES]), "journal")
    lines = Prefetch("lines", EntryLine.objects.exclude(booked=0).order_by("-booked", "role"))
    page = paged(
        request,
        shown.select_related("vendor", "site", "export").prefetch_related(lines).order_by("-posting_date", "-pk"),
        counted=tab.count,
    )
    accounts = {account.role: account for account in Account.objects.all()}
    for entry in page:
        entry.booked = [
            {"line": line, "account": accounts.get(line.role), "credit": -line.booked} for line in entry.lines.all()
        ]
    kinds = choice("kind", _("Document"), _("All documents"), _document_kinds(visible, filters), filters.kind)
    context = {
        "tabs": list(tabs.values()), "tab": tab, "page": page, "filters": filters, "first": first, "last": last,
        "choices": [kinds, vendors_of(request, filters, visible), site_choice(request, filters)],
        "kept": kept(request, "tab", "from", "to"), "search_hint": _("Search document numbers"), "no_file": True,
        "exports": JournalExport.objects.select_related("exported_by").order_by("-pk")[:12],
        "closed_through": accounting.closed_through(), "may_export": request.user.has_perm(MAY_EXPORT),
    }  # fmt: skip
    return show(
        request, "workbench/journal.html", context, section="journal", shell=shell, part="workbench/_journal_list.html"
    )


def _document_kinds(visible: QuerySet[Entry], filters: Filters) -> list[tuple[str, str]]:
    kinds = visible.order_by("document_kind").values_list("document_kind", flat=True).distinct()
    return [(kind, kind.replace("_", " ").capitalize()) for kind in kinds]


def _csv(text: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@page_for(SEES, MAY_EXPORT)
def export_journal(request: HttpRequest) -> HttpResponse:
    """Hand over what is not exported yet; the file stands in the list of exports."""
    made: list[JournalExport] = []

    def act(at: datetime) -> None:
        until = read_day(request.POST.get("until", ""))
        made.append(accounting.export_journal(until=until, by=request.user, at=at))

    _done(request, act, _("Exported. The file stands at the right, and can be had again."))
    return redirect("workbench:journal")


@require_safe
@page_for(SEES)
def journal_file(request: HttpRequest, number: str) -> HttpResponse:
    """A file that was exported, again."""
    found = get_object_or_404(JournalExport, number=number)
    return _csv(accounting.journal_csv(accounting.entries_of(found, by=request.user)), found.number)


# ── Periods and accounts ────────────────────────────────────────────────


@require_safe
@page_for(SEES)
def periods(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    named = {account.role: account for account in Account.objects.all()}
    closed = accounting.closed_through()
    context = {
        "closings": Closing.objects.select_related("closed_by", "reopened_by").order_by("-pk")[:50],
        "closed_through": closed,
        "accounts": [{"role": role, "word": word, "account": named.get(role)} for role, word in Role.choices],
        "may_close": request.user.has_perm(MAY_CLOSE),
        "may_name": request.user.has_perm(MAY_NAME),
    }
    return show(request, "workbench/periods.html", context, section="journal", shell=shell)


@require_POST
@page_for(SEES, MAY_CLOSE)
def close_period(request: HttpRequest) -> HttpResponse:
    month = request.POST.get("month", "")

    def act(at: datetime) -> None:
        day = read_day(f"{month}-01" if len(month) == 7 else month)
        if day is None:
            raise Unreadable(_("Choose the month to close."))
        accounting.close_period(month=day, by=request.user, at=at)

    _done(request, act, _("%(month)s is closed.") % {"month": month})
    return redirect("workbench:periods")


@require_POST
@page_for(SEES, MAY_CLOSE)
def reopen_period(request: HttpRequest) -> HttpResponse:
    reason = request.POST.get("reason", "")[:200]
    _done(
        request,
        lambda at: accounting.reopen_period(reason=reason, by=request.user, at=at),
        _("The month closed last is open again."),
    )
    return redirect("workbench:periods")


@require_POST
@page_for(SEES, MAY_NAME)
def name_accounts(request: HttpRequest) -> HttpResponse:
    """Write the accounts that were changed on the form."""
    known = {account.role: account for account in Account.objects.all()}

    def act(at: datetime) -> None:
        for role in Role.values:
            code, name = (request.POST.get(f"{part}-{role}", "").strip() for part in ("code", "name"))
            before = known.get(role)
            if code and (before is None or (before.code, before.name) != (code, name)):
                accounting.set_account(role=role, code=code, name=name, by=request.user, at=at)

    _done(request, act, _("The accounts are kept."))
    return redirect("workbench:periods")


# ── Balances vendors confirm ────────────────────────────────────────────


@require_safe
@page_for(SEES_CONFIRMATIONS)
def confirmation_list(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    rows = Confirmation.objects.visible_to(request.user).select_related("vendor").order_by("-as_of", "pk")
    for_day = _asked_day(request, "as_of")
    page = paged(request, rows.filter(as_of=for_day) if for_day else rows)
    context = {
        "page": page,
        "days": list(rows.order_by("-as_of").values_list("as_of", flat=True).distinct()[:12]),
        "for_day": for_day,
        "last_day": date(shell.today.year - 1, 12, 31),
        "may_ask": request.user.has_perm(MAY_ASK),
    }
    return show(request, "workbench/confirmation_list.html", context, section="confirmations", shell=shell)


@require_POST
@page_for(SEES_CONFIRMATIONS, MAY_ASK)
def prepare_confirmations(request: HttpRequest) -> HttpResponse:
    def act(at: datetime) -> None:
        as_of = read_day(request.POST.get("as_of", ""))
        if as_of is None:
            raise Unreadable(_("Choose the day."))
        accounting.prepare_confirmations(as_of=as_of, by=request.user, at=at)

    _done(request, act, _("A letter is prepared for every vendor with whom anything is open."))
    return redirect("workbench:confirmation_list")


def _confirmation(request: HttpRequest, number: str) -> Confirmation:
    lines = ConfirmationLine.objects.select_related("item__unit", "lot").order_by("item__code", "pk")
    found = Confirmation.objects.visible_to(request.user).select_related("vendor", "prepared_by", "entered_by")
    return get_object_or_404(found.prefetch_related(Prefetch("lines", lines)), number=number)


@require_safe
@page_for(SEES_CONFIRMATIONS)
def letter(request: HttpRequest, number: str) -> HttpResponse:
    found = _confirmation(request, number)
    try:
        pdf = printing.confirmation_letter(confirmation_id=found.pk)
    except PdfUnavailable as problem:
        messages.error(request, problem.detail)
        return redirect("workbench:confirmation", number)
    shown_as = f'inline; filename="{found.number}.pdf"'
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": shown_as})


@require_POST
@page_for(SEES_CONFIRMATIONS, MAY_ANSWER)
def send_confirmation(request: HttpRequest, number: str) -> HttpResponse:
    found = _confirmation(request, number)
    _done(
        request,
        lambda at: accounting.send_confirmation(confirmation_id=found.pk, by=request.user, at=at),
        _("%(number)s is noted as sent.") % {"number": number},
    )
    return redirect("workbench:confirmation", number)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES_CONFIRMATIONS)
def confirmation(request: HttpRequest, number: str) -> HttpResponse:
    """What a vendor was asked, and his answer."""
    shell, found = Shell(request), _confirmation(request, number)
    lines = list(found.lines.all())
    typed: dict[str, str] = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    if request.method == "POST":
        if not request.user.has_perm(MAY_ANSWER):
            messages.error(request, _("You have no right to do this."))
            return redirect("workbench:confirmation", number)
        if _done(
            request,
            lambda at: accounting.answer_confirmation(
                confirmation_id=found.pk, by=request.user, at=at, **_answered(typed, found, lines)
            ),
            _("The answer of %(vendor)s is kept.") % {"vendor": found.vendor.name or found.vendor.code},
        ):
            return redirect("workbench:confirmation", number)
    for line in lines:
        line.typed = typed.get(f"quantity-{line.pk}", "")
        line.difference = None if line.answered is None else line.answered - line.quantity
    answered = found.answered_not_invoiced
    context = {
        "confirmation": found, "lines": lines, "typed": typed,
        "difference": None if answered is None else answered - found.not_invoiced,
        "may_send": request.user.has_perm(MAY_ANSWER) and found.status == "prepared",
        "may_answer": request.user.has_perm(MAY_ANSWER) and found.status != "prepared",
    }  # fmt: skip
    response = show(request, "workbench/confirmation.html", context, section="confirmations", shell=shell)
    response.status_code = 422 if request.method == "POST" else 200
    return response


def _answered(typed: dict[str, str], found: Confirmation, lines: list[ConfirmationLine]) -> dict[str, Any]:
    """His answer: what is left blank he confirms. Raises Unreadable."""
    owed = read_quantity(typed.get("not_invoiced", ""))
    said = [(line, read_quantity(typed.get(f"quantity-{line.pk}", ""))) for line in lines]
    material = [
        AnsweredQuantity(
            line.item_id, line.quantity if quantity is None else quantity, line.lot.code if line.lot else "", line.stage
        )
        for line, quantity in said
    ]
    return {
        "not_invoiced": found.not_invoiced if owed is None else owed, "material": material,
        "answered_by": typed.get("answered_by", ""), "note": typed.get("note", ""),
    }  # fmt: skip
