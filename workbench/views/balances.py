"""What of ours lies at vendors: who has how much of it, a vendor's balance over a period, bringing it back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from inventory import services as inventory
from inventory.models import Balance, CostPool
from masterdata.models import Vendor
from receipts import services as receipts
from receipts.models import Return, ReturnStatus
from workbench import tables
from workbench.forms import Filters, read_filters
from workbench.templatetags.workbench import called
from workbench.views.page import Shell, act, as_file, asked_for_file, kept, page_for, paged, paper, show, site_choice
from workbench.views.worklist import Tab

SEES = "inventory.view_balance"
MAY_RETURN = "receipts.add_return"
PERIOD = 30  # days a balance looks back, unless it is asked for others
OLD = 90  # days after which material at a vendor is old
EMPTY = Tab(
    "", gettext_lazy("Vendor balances"), "scale", gettext_lazy("Nothing of ours lies at a vendor"),
    gettext_lazy("What is shipped to a vendor stays ours and stands here until it is used up, returned or written off."),
)  # fmt: skip


def lying_at_vendors(user: User) -> QuerySet[Balance]:
    """Balances at vendors' places that a user may see."""
    return Balance.objects.at_vendors().visible_to(user)


def at_vendors(request: HttpRequest, filters: Filters) -> QuerySet[Balance]:
    """What the address asks for of it."""
    rows = lying_at_vendors(request.user)
    if filters.site:
        rows = rows.filter(location__site__code=filters.site)
    for word in filters.q.split():
        rows = rows.filter(
            Q(item__code__icontains=word)
            | Q(item__name__icontains=word)
            | Q(location__vendor__name__icontains=word)
            | Q(location__vendor__code__icontains=word)
            | Q(lot__code__icontains=word)
        )
    return rows


def with_value(rows: QuerySet[Balance]) -> QuerySet[Balance]:
    """`worth`: the row's share of what its cost pool holds."""
    money = DecimalField(max_digits=18, decimal_places=5)
    # Nothing (no site, no lot) equals nothing here, which SQL's own = does not say.
    pools = CostPool.objects.alias(at_site=Coalesce("site", 0), of_lot=Coalesce("lot", 0)).filter(
        item=OuterRef("item"),
        stage=OuterRef("stage"),
        quantity__gt=0,
        at_site=Coalesce(OuterRef("location__site"), 0),
        of_lot=Coalesce(OuterRef("lot"), 0),
    )
    cost = Subquery(pools.values_list(F("value") / F("quantity"))[:1], output_field=money)
    return rows.annotate(worth=ExpressionWrapper(F("quantity") * cost, output_field=money))


@require_safe
@page_for(SEES)
def balance_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters = Shell(request), read_filters(request.GET)
    there = at_vendors(request, filters).filter(quantity__gt=0)
    if asked_for_file(request):
        found = there.order_by("location__vendor__code", "item__code", "pk")
        return as_file(request, tables.BALANCES, found, shell=shell)
    by_vendor = (
        there.order_by()
        .values("location__vendor")
        .annotate(parts=Count("item", distinct=True), oldest=Min("since"), vendor_name=F("location__vendor__name"))
        .order_by("vendor_name", "location__vendor")
    )
    page = paged(request, by_vendor)
    found = list(page.object_list)
    vendors = Vendor.objects.in_bulk([row["location__vendor"] for row in found])
    worth = {}
    if shell.sees_value:
        valued = with_value(there.filter(location__vendor__in=vendors)).values_list("location__vendor", "worth")
        for vendor_id, value in valued:
            worth[vendor_id] = worth.get(vendor_id, Decimal(0)) + (value or 0)
    now = timezone.now()
    page.object_list = [
        {
            **row,
            "vendor": vendors[row["location__vendor"]],
            "age": (now - row["oldest"]).days,
            "is_old": (now - row["oldest"]).days >= OLD,
            "worth": worth.get(row["location__vendor"]),
        }
        for row in found
    ]
    context = {
        "page": page,
        "filters": filters,
        "tab": EMPTY,
        "choices": [site_choice(request, filters)],
        "kept": [],
        "search_hint": _("Search vendors, parts, lots"),
    }
    part = "workbench/_balance_list.html"
    return show(request, "workbench/balance_list.html", context, section="balances", shell=shell, part=part)


@require_safe
@page_for(SEES)
def balance(request: HttpRequest, code: str) -> HttpResponse:
    """One vendor's balance over a period: what lay there, came, was used, went back, was written off, lies there now."""
    shell, filters = Shell(request), read_filters(request.GET)
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    first, last = period(request, shell)
    everything = bool(request.GET.get("all"))
    rows = at_vendors(request, filters).filter(location__vendor=vendor)
    if not everything:
        rows = rows.filter(quantity__gt=0)
    page = paged(
        request, rows.select_related("item__unit", "lot", "location").order_by("item__code", "lot__code", "stage", "pk")
    )
    page.object_list = inventory.vendor_balances(
        list(page.object_list),
        start=datetime.combine(first, time.min, shell.zone),
        end=datetime.combine(last + timedelta(1), time.min, shell.zone) if last < shell.today else None,
        at=timezone.now(),
    )
    total = None
    if shell.sees_value:
        total = with_value(rows.filter(quantity__gt=0)).aggregate(total=Sum("worth"))["total"] or Decimal(0)
    context: dict[str, Any] = {
        "vendor": vendor,
        "page": page,
        "filters": filters,
        "first": first,
        "last": last,
        "everything": everything,
        "total": total,
        "old": OLD,
        "places": rows.filter(quantity__gt=0).aggregate(n=Count("location", distinct=True), since=Min("since")),
        "coming": Return.objects.visible_to(request.user)
        .filter(vendor=vendor, status__in=[ReturnStatus.DRAFT, ReturnStatus.DISPATCHED])
        .order_by("pk"),
        "kept": kept(request, "all"),
        "may_return": request.user.has_perm(MAY_RETURN),
        "may_receive": request.user.has_perm("receipts.change_return"),
    }
    return show(request, "workbench/balance_detail.html", context, section="balances", shell=shell)


@require_safe
@page_for(SEES)
def statement(request: HttpRequest, code: str) -> HttpResponse:
    """The same for the vendor, on paper and in his language, with what is still expected of him."""
    shell = Shell(request)
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    first, last = period(request, shell)
    pdf = receipts.vendor_statement(
        vendor_id=vendor.pk, first=first, last=last, zone=shell.company_zone, by=request.user, at=timezone.now()
    )
    return paper(pdf, name=f"{slugify(vendor.code) or 'statement'}-{last}")


def period(request: HttpRequest, shell: Shell) -> tuple[date, date]:
    """The days the address asks for; what cannot be read is the last thirty."""

    def day(name: str, otherwise: date) -> date:
        try:
            return date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            return otherwise

    last = min(day("to", shell.today), shell.today)
    return min(day("from", last - timedelta(PERIOD)), last), last


@require_POST
@page_for(SEES, MAY_RETURN)
def bring_back(request: HttpRequest, code: str) -> HttpResponse:
    """Bring home all that no open line needs, whatever became of the orders it was for."""
    vendor = get_object_or_404(Vendor.objects.visible_to(request.user), code=code)
    made: list[Return] = []

    def do(at: datetime) -> None:
        made.append(receipts.return_material(vendor_id=vendor.pk, reason="Not needed there", by=request.user, at=at))

    done = _("What {vendor} does not need is back.").format(vendor=called(vendor))
    return act(request, do, done=done, back=reverse("workbench:balance", args=[code]))
