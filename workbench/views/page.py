"""What all pages share: the shell around them, today, pages of a list, and acts that may be refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from activity.models import Alert
from core.refusals import Refusal
from invoices.models import Invoice
from masterdata.models import Company, Site, Vendor
from subcontract_orders.models import SubcontractOrder
from workbench import tables
from workbench.forms import Filters
from workbench.models import SavedView
from workbench.rules.undoing import offering
from workbench.tables import Table

COUNT_UP_TO = 1000  # counts of tabs stop here and say 1,000+
ROWS = 25
ORDER_DAYS = 14  # what is to be ordered within these days stands in the work list, the rest is forecast
View = Callable[..., HttpResponseBase]


SEES_ORDERS = "subcontract_orders.view_subcontractorder"  # and prices and values with them

AT_DOCK = ("shipments.change_shipment", "receipts.change_receipt", "receipts.inspect_receipt")


def page_for(*permissions: str) -> Callable[[View], View]:
    """For people of ours who are signed in and hold all of these rights; others are sent to sign in, or refused."""

    def guarded(view: View) -> View:
        return login_required(permission_required(permissions, raise_exception=True)(view))

    return guarded


def page_view(view: View) -> View:
    """For people of ours who are signed in and may see orders; others are sent to sign in, or refused."""
    return page_for(SEES_ORDERS)(view)


class Shell:
    """What stands around a page: whose day it is, the user's role, and the counts of the side bar (read once, on demand)."""

    def __init__(self, request: HttpRequest) -> None:
        self.user = request.user

    @cached_property
    def company(self) -> Company | None:
        return Company.objects.select_related("currency").first()

    @cached_property
    def company_zone(self) -> ZoneInfo:
        return ZoneInfo((self.company and self.company.time_zone) or "UTC")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone times are shown in: the user's, else the company's."""
        return ZoneInfo(self.user.time_zone) if self.user.time_zone else self.company_zone

    @cached_property
    def today(self) -> date:
        """The company's day, whoever looks: what is late is late for all."""
        return timezone.localdate(timezone=self.company_zone)

    @cached_property
    def to_order(self) -> int:
        until = self.today + timezone.timedelta(days=ORDER_DAYS)
        return count(SubcontractOrder.objects.visible_to(self.user).to_order(until=until))

    @cached_property
    def alerts(self) -> int:
        return count(Alert.objects.waiting().awake(at=timezone.now()).visible_to(self.user))

    @cached_property
    def views(self) -> dict[str, list[SavedView]]:
        """The views this person keeps, by the list's path."""
        found: dict[str, list[SavedView]] = {}
        for view in SavedView.objects.filter(user=self.user.pk).order_by("name", "pk"):
            found.setdefault(view.path, []).append(view)
        return found

    @cached_property
    def sees_value(self) -> bool:
        """Money is for those who see orders; the dock counts pieces."""
        return bool(self.user.has_perm(SEES_ORDERS))

    @cached_property
    def works_at_dock(self) -> bool:
        return any(self.user.has_perm(right) for right in AT_DOCK)

    @property
    def home(self) -> str:
        """The page a person begins on."""
        return "workbench:worklist" if self.sees_value else "workbench:dock"

    @cached_property
    def held_invoices(self) -> int:
        return count(Invoice.objects.held().visible_to(self.user))

    @property
    def role(self) -> str:
        return ", ".join(dict.fromkeys(row.get_role_display() for row in self.user.access_rows)) or "Administrator"

    @property
    def where(self) -> str:
        return (self.company and self.company.name) or "Outwork"


def count(rows: QuerySet[Any], *, along: Sequence[str] = ()) -> int:
    """How many, counted no further than one past the cap.

    `along`: the order of an index that holds just such rows; left to itself the database may walk all rows from their oldest.
    """
    if rows.query.group_by is None:
        rows = rows.values("pk")  # nothing else is worked out of a row that is only counted
    return rows.order_by(*along)[: COUNT_UP_TO + 1].count()


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, section: str, shell: Shell, part: str = ""
) -> HttpResponse:
    """Render a page in its shell; for htmx only the part that changes."""
    is_part = bool(part and request.htmx)  # type: ignore[attr-defined]
    with timezone.override(shell.zone):
        response = render(
            request,
            part if is_part else template,
            {**context, "shell": shell, "section": section, "today": shell.today, "path": request.path},
        )
    patch_vary_headers(response, ["HX-Request"])
    return response


class CappedPaginator(Paginator):
    """Pages of a list that is counted no further than the cap: past a thousand rows one narrows, one does not page."""

    @cached_property
    def counted(self) -> int:
        return count(self.object_list)

    @cached_property
    def count(self) -> int:
        return min(self.counted, COUNT_UP_TO)


def paged(request: HttpRequest, rows: QuerySet[Any], *, counted: int | None = None) -> Page[Any]:
    """The page of a list the address asks for. `counted` is how many there are, where a tab has counted them already."""
    paginator = CappedPaginator(rows, per_page=ROWS)
    if counted is not None:
        paginator.counted = counted
    return paginator.get_page(request.GET.get("page"))


def asked_for_file(request: HttpRequest) -> bool:
    """Whether a list is wanted as a file instead of a page."""
    return request.GET.get("format") in tables.KINDS


def as_file(request: HttpRequest, table: Table, found: QuerySet[Any], *, shell: Shell) -> HttpResponseBase:
    """A list as CSV or XLSX: all that it holds by the filters in the address, not one page of it."""
    kind = request.GET["format"]
    headers = {"Content-Disposition": f'attachment; filename="{table.name}-{shell.today}.{kind}"'}
    if kind == tables.CSV:
        return StreamingHttpResponse(
            tables.as_csv(table, found, zone=shell.zone), content_type=tables.KINDS[kind], headers=headers
        )
    return HttpResponse(tables.as_xlsx(table, found, zone=shell.zone), content_type=tables.KINDS[kind], headers=headers)


def paper(pdf: bytes, *, name: str) -> HttpResponse:
    """A paper, opened beside the page; `name` is what it is called when it is kept."""
    return HttpResponse(
        pdf, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'}
    )


def choice(name: str, word: str, everything: str, options: list[tuple[str, str]], chosen: str) -> dict[str, Any]:
    """One drop-down of a filter bar; words of a choice are said in the reader's language."""
    said = [(value, _(str(text)) if text else text) for value, text in options]
    return {"name": name, "word": _(word), "all": _(everything), "options": said, "chosen": chosen}


def vendor_choice(request: HttpRequest, filters: Filters) -> dict[str, Any]:
    """The vendors that have orders."""
    with_orders = Vendor.objects.visible_to(request.user).filter(
        Exists(SubcontractOrder.objects.visible_to(request.user).filter(vendor=OuterRef("pk")))
    )
    options = [(code, name or code) for code, name in with_orders.order_by("name", "code").values_list("code", "name")]
    return choice("vendor", _("Vendor"), _("All vendors"), options, filters.vendor)


def vendors_of(request: HttpRequest, filters: Filters, rows: QuerySet[Any]) -> dict[str, Any]:
    """The vendors that these rows (shipments, receipts) are of."""
    there = Vendor.objects.visible_to(request.user).filter(Exists(rows.filter(vendor=OuterRef("pk"))))
    options = [(code, name or code) for code, name in there.order_by("name", "code").values_list("code", "name")]
    return choice("vendor", _("Vendor"), _("All vendors"), options, filters.vendor)


def site_choice(request: HttpRequest, filters: Filters) -> dict[str, Any]:
    """The sites the user reaches."""
    sites = Site.objects.filter(request.user.scope.rows(site="pk")).order_by("name", "code")
    options = [(code, name or code) for code, name in sites.values_list("code", "name")]
    return choice("site", _("Site"), _("All sites"), options, filters.site)


def kept(request: HttpRequest, *names: str) -> list[tuple[str, str]]:
    """What the filter form must carry along, as it is no field of its own."""
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]


def act(
    request: HttpRequest, action: Callable[[datetime], Any], *, done: str, back: str, undo: str = ""
) -> HttpResponseRedirect:
    """Do one business action; what refuses it becomes a message, and the page is shown again either way.

    `undo`: the address that takes it back, offered with the message.
    """
    try:
        action(timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, done, extra_tags=offering(undo) if undo else "")
    return redirect(back)


def act_on_order(
    request: HttpRequest, number: str, service: Callable[..., Any], *, done: str, undo: str = "", **said: Any
) -> HttpResponseRedirect:
    """Do one business action on an order this person sees, in the version he saw, and show its page again."""
    shown = get_object_or_404(SubcontractOrder.objects.visible_to(request.user), number=number)
    return act(
        request,
        lambda at: service(order_id=shown.pk, expected_version=version_of(request), by=request.user, at=at, **said),
        done=done,
        back=reverse("workbench:order", args=[number]),
        undo=undo,
    )


def version_of(request: HttpRequest) -> int | None:
    """The version the person saw; a form without a readable one is checked against none."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() else None
