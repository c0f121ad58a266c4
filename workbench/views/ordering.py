"""An order by hand, typed line by line: what a policy did not decide."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.refusals import InvalidInput, Refusal, Refusals
from documents import services as documents
from documents.services import GivenPart, HandLine
from masterdata.models import Item, Process, Site, Vendor
from workbench.forms import Unreadable, read_day, read_quantity
from workbench.views.page import Shell, page_for, show

MAY_ORDER = "subcontract_orders.add_subcontractorder"
MOST_LINES = 20
FIELDS = ("item", "process", "description", "quantity", "unit_price", "need_date", "material")
BILL, PIECES, NOTHING = "bill", "pieces", "nothing"


@require_http_methods(["GET", "HEAD", "POST"])
@page_for("subcontract_orders.view_subcontractorder", MAY_ORDER)
def order_by_hand(request: HttpRequest) -> HttpResponse:
    """Ask a vendor for work no policy sends him: a draft, to be approved and sent as any other."""
    shell = Shell(request)
    data = request.POST if request.method == "POST" else request.GET
    form = {name: data.get(name, "").strip()[:300] for name in ("vendor", "site", "reason")}
    form["key"] = data.get("key", "")[:40] or uuid4().hex
    rows = _typed_rows(data)
    wrong: dict[str, str] = {}
    if request.method == "POST" and "more" not in request.POST:
        order = _order(request, form, rows, wrong)
        if order:
            messages.success(request, _("{order} is a draft. Approve it, then send it.").format(order=order))
            return redirect("workbench:order", number=order.number)
    elif request.method == "POST":
        rows.append(_empty(rows))
    for index, row in enumerate(rows):
        row["wrong"] = {name: wrong.pop(f"lines.{index}.{name}", "") for name in FIELDS}
    context = {
        "form": form, "rows": rows[:MOST_LINES], "wrong": wrong, "may_add": len(rows) < MOST_LINES,
        "vendors": _choices(Vendor.objects.visible_to(request.user).active()),
        "processes": _choices(Process.objects.filter(is_active=True)),
        "sites": _choices(Site.objects.filter(request.user.scope.rows(site="pk"), is_active=True)),
        "material": [
            (BILL, _("what the bill of material says")), (PIECES, _("the pieces themselves, to be worked on")),
            (NOTHING, _("nothing")),
        ],
    }  # fmt: skip
    response = show(request, "workbench/order_by_hand.html", context, section="orders", shell=shell)
    is_refused = request.method == "POST" and (wrong or any(any(row["wrong"].values()) for row in rows))
    response.status_code = 422 if is_refused else 200
    return response


def _choices(rows: QuerySet[Any]) -> list[tuple[str, str]]:
    return [(code, name or code) for code, name in rows.order_by("name", "code").values_list("code", "name")]


def _typed_rows(data: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines as they were typed; of an empty form one to begin with."""
    count = data.get("rows", "")
    last = min(int(count), MOST_LINES) if count.isdecimal() and len(count) < 4 else 1
    return [{name: data.get(f"{name}-{no}", "").strip()[:300] for name in FIELDS} for no in range(max(last, 1))]


def _empty(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One more line, needed when the last one is."""
    return {**dict.fromkeys(FIELDS, ""), "need_date": rows[-1]["need_date"], "process": rows[-1]["process"]}


def _order(request: HttpRequest, form: Mapping[str, str], rows: list[dict[str, Any]], wrong: dict[str, str]) -> Any:
    """Make the order. What is refused stands in `wrong`, by the field it is of."""
    vendor = Vendor.objects.visible_to(request.user).select_related("currency").filter(code=form["vendor"]).first()
    if vendor is None:
        wrong["vendor"] = _("Choose a vendor.")
    site = Site.objects.filter(code=form["site"]).first() if form["site"] else None
    if form["site"] and site is None:
        wrong["site"] = _("There is no site {code}.").format(code=form["site"])
    lines = []
    for index, row in enumerate(rows):
        if not any(row[name] for name in ("item", "quantity", "description", "unit_price")) and len(rows) > 1:
            continue  # left empty
        for name in FIELDS:
            try:
                row[f"read_{name}"] = _read(name, row[name])
            except (Unreadable, Refusal) as problem:
                wrong[f"lines.{index}.{name}"] = getattr(problem, "detail", None) or str(problem)
        lines.append(index)
    if wrong or vendor is None:
        return None
    try:
        return documents.order_by_hand(
            vendor=vendor, site=site, lines=[_line(rows[index]) for index in lines], reason=form["reason"],
            key=form["key"], by=request.user, at=timezone.now(),
        )  # fmt: skip
    except Refusals as several:
        refused = several.refusals
    except Refusal as refusal:
        refused = [refusal]
    for one in refused:
        wrong[_field(one, lines)] = one.detail
    return None


def _field(refusal: Refusal, lines: list[int]) -> str:
    """Where a refusal stands on the page: an empty line before it was not handed on."""
    parts = (refusal.field or "").split(".")
    return f"lines.{lines[int(parts[1])]}.{parts[2]}" if len(parts) == 3 else parts[0]


def _read(name: str, text: str) -> Any:
    """What was typed in a field. Raises Unreadable, InvalidInput."""
    if name == "item":
        found = Item.objects.select_related("unit").filter(code=text).first() if text else None
        if found is None:
            raise InvalidInput(_("There is no part {code}.").format(code=text) if text else _("Write the part's code."))
        return found
    if name == "process":
        process = Process.objects.filter(code=text).first()
        if text and process is None:
            raise InvalidInput(_("There is no process {code}.").format(code=text))
        return process
    if name in ("quantity", "unit_price"):
        number = read_quantity(text)
        if number is None and name == "quantity":
            raise Unreadable(_("Write how many."))
        return number
    if name == "need_date":
        day = read_day(text)
        if day is None:
            raise Unreadable(_("Write when the pieces are needed."))
        return day
    return text


def _line(row: Mapping[str, Any]) -> HandLine:
    item = row["read_item"]
    material = {PIECES: [GivenPart(item, Decimal(1))], NOTHING: []}.get(row["material"])
    return HandLine(
        item=item, quantity=row["read_quantity"], need_date=row["read_need_date"], process=row["read_process"],
        description=row["description"], unit_price=row["read_unit_price"], material=material,
    )  # fmt: skip
