"""Every page there is, found by walking the list of addresses, so that no new page is forgotten: its pictures are made, and it is
tried for everybody's use.

A page that shows a row needs one: `_examples` says where it is found. What refuses to be read (405) is an act, not a page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.contrib import admin
from django.db.models import Count, Exists, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounting.models import Confirmation
from accounts.models import User
from documents.models import GenerationRun
from interchange.models import ImportJob
from inventory.models import Balance
from invoices.models import ChargeBack, Invoice, InvoiceKind, PaymentExport
from masterdata.models import Vendor
from policies.models import Decision, PriceAgreement, Verdict
from production.models import ProductionOrder
from receipts.models import PurchaseRequest, PurchaseState, Receipt, ReceiptLine, ReceiptStatus, Return
from reports.rules.figures import REPORTS
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderStatus, SubcontractOrder

NOT_SHOWN = (
    "portal:file",
    "workbench:order_file",
    "healthz",
    "api-schema",
    "logout",
    "admin:jsi18n",
    "admin:view_on_site",
    "admin:autocomplete",
    "admin:logout",
)
"""Data, and what signs out."""
FILES = (".pdf", ".xml", ".csv")
UNFOLDS = ("_delete", "_history")
"""Planning pages that are Unfold's own, the same for every row."""
HTML = "text/html"
NO_PAGES = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FOUND, HTTPStatus.FORBIDDEN)
"""Acts; addresses that lead on; pages nobody may open, such as adding a movement by hand."""
BESIDE = {"not_found": "/nothing/is/here/", "portal:closed": "/v/no-link-of-ours/"}
"""Pages without an address of their own."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it may be opened. `name` is that of its address, with what tells apart two examples of it."""

    name: str
    address: str

    @property
    def is_planning(self) -> bool:
        """Whether it is one of the planning pages, which are Unfold's."""
        return self.address.startswith("/admin/")


class PageForgotten(Exception):
    """An address that is neither a page we have an example of nor an act."""


def all_pages(*, user: User, only: Collection[str] = (), planning: bool = True) -> list[Page]:
    """The pages a user may open on the rows that are there: those whose name holds one of `only`, with planning pages or without.

    Raises PageForgotten.
    """
    client = Client(SERVER_NAME="localhost", HTTP_ACCEPT=HTML)
    client.force_login(user)
    found, forgotten = [], []
    for page in [*(Page(name, address) for name, address in BESIDE.items()), *_candidates(only)]:
        if (page.is_planning and not planning) or (only and not any(word in page.name for word in only)):
            continue
        answer = client.get(page.address)
        if answer.status_code == HTTPStatus.OK or page.name in BESIDE:
            is_whole = (
                answer["Content-Type"].startswith(HTML) and b"<html" in answer.content
            )  # no part that a page loads
            found += [page] if is_whole else []
        elif answer.status_code not in NO_PAGES:
            forgotten.append(f"{page.name} ({page.address} {answer.status_code})")
    if forgotten:
        raise PageForgotten(f"No example in outsourcing.pages: {', '.join(forgotten)}")
    return found


def _candidates(only: Collection[str]) -> Iterator[Page]:
    examples = {**_examples(), **_planning_examples()}
    for name, pattern in _patterns(get_resolver().url_patterns):
        if only and not any(word in name or name.rpartition(":")[2] in word for word in only):
            continue  # worklist-5 is the fifth of workbench:worklist
        if name in NOT_SHOWN or (name.startswith("admin:") and name.endswith(UNFOLDS)):
            continue
        if name in examples:
            for number, address in enumerate(examples[name](), 1):
                yield Page(name if number == 1 else f"{name}-{number}", address)
        elif not pattern.pattern.converters:
            yield Page(name, reverse(name))
        else:
            # Without an example: an act refuses to be read, whatever it is of.
            yield Page(name, reverse(name, kwargs=dict.fromkeys(pattern.pattern.converters, 1)))


def _patterns(patterns: Iterable[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """All named addresses but those of files and of the API."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _patterns(pattern.url_patterns, inner)
        elif pattern.name and not pattern.name.startswith("api-") and not str(pattern.pattern).endswith(FILES):
            yield f"{namespace}{pattern.name}", pattern


def _planning_examples() -> dict[str, Callable[[], Iterable[str]]]:
    """What the planning pages say of one row, by the first one there is."""
    found: dict[str, Callable[[], Iterable[str]]] = {}
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        found[name] = _of_first(model, name)
    found["admin:auth_user_password_change"] = _of_first(User, "admin:auth_user_password_change")
    found["admin:app_list"] = lambda: [reverse("admin:app_list", args=["policies"])]
    found["admin:interchange_importjob_look"] = _of_first(ImportJob, "admin:interchange_importjob_look")
    return found


def _of_first(model: type[Model], name: str) -> Callable[[], Iterable[str]]:
    def found() -> Iterable[str]:
        row = model._default_manager.order_by("pk").first()
        return [reverse(name, args=[row.pk])] if row else []

    return found


def _examples() -> dict[str, Callable[[], Iterable[str]]]:
    """By the name of an address: its pages, one for each state that looks different."""
    return {
        "workbench:worklist": lambda: [f"/?tab={tab}" for tab in ("to_order", "forecast", "sent", "attention", "open")],
        "workbench:order": lambda: _numbers("order", _half_in(), *(_of_each(SubcontractOrder, "status"))),
        "workbench:vendor": lambda: [reverse("workbench:vendor", args=[_vendor().code])],
        "workbench:offers": lambda: [reverse("workbench:offers"), _with("offers", process=_process(), quantity="10")],
        "workbench:invoice": lambda: _numbers("invoice", *(_of_each(Invoice, "status"))),
        "workbench:credit_invoice": lambda: _numbers("credit_invoice", Invoice.objects.filter(kind=InvoiceKind.INVOICE)),
        "workbench:self_bill": lambda: [reverse("workbench:self_bill"), _with("self_bill", vendor=_invoiced())],
        "workbench:enter_invoice": lambda: [reverse("workbench:enter_invoice"), _with("enter_invoice", vendor=_invoiced())],
        "workbench:payment_file": lambda: _numbers("payment_file", PaymentExport.objects.all()),
        "workbench:credit_charge_backs": _claimed,
        "workbench:decision": _decisions,
        "workbench:run": lambda: _numbers("run", *(_of_each(GenerationRun, "state"))),
        "workbench:jump": list,  # a part of the palette, no page
        "workbench:shipment": lambda: _numbers("shipment", *(_of_each(Shipment, "status"))),
        "workbench:receipt": lambda: _numbers("receipt", *(_of_each(Receipt, "status")), _with_rejects()),
        "workbench:correct": lambda: _of_line("correct"),
        "workbench:adjust": lambda: _of_line("adjust"),
        "workbench:send_back": lambda: _of_line("send_back"),
        "workbench:balance": lambda: [_of_vendor("balance"), _of_vendor("balance") + "?all=1"],
        "workbench:return_material": lambda: [_of_vendor("return_material")],
        "workbench:write_off": lambda: [f"{_of_vendor('write_off')}?{urlencode(_lying())}"],
        "workbench:return_list": lambda: [_with("return_list", tab=tab) for tab in ("waiting", "all")],
        "workbench:return": lambda: _numbers("return", *(_of_each(Return, "status"))),
        "workbench:direct_list": lambda: [_with("direct_list", tab=tab) for tab in ("", "ordered", "all")],
        "workbench:direct": _requests,
        "workbench:trace": lambda: [reverse("workbench:trace"), _with("trace", **_lying())],
        "workbench:order_cost": lambda: [reverse("workbench:order_cost", args=[_costed()])],
        "workbench:report": lambda: [reverse("workbench:report", args=[name]) for name in REPORTS],
        "workbench:report_rows": lambda: [
            f"{reverse('workbench:report_rows', args=[name])}?figure={report.figures[0]}" for name, report in REPORTS.items()
        ],
        "workbench:scan": list,  # leads on, or says what it does not know on the dock's first page
        "workbench:dispatch": lambda: _numbers("dispatch", Shipment.objects.filter(status=ShipmentStatus.PLANNED)),
        "workbench:receive": lambda: [reverse("workbench:receive"), _with("receive", order=_still_expected())],
        "workbench:inspect": lambda: _numbers("inspect", _to_inspect()),
        "workbench:count_stock": lambda: [
            reverse("workbench:count_stock"), _with("count_stock", vendor=_lying_at()),
            _with("count_stock", vendor=_lying_at(), **_lying()),
        ],
        "workbench:journal": lambda: [_with("journal", tab=tab) for tab in ("", "exported")],
        "workbench:confirmation": lambda: _numbers("confirmation", *(_of_each(Confirmation, "status"))),
        "workbench:charge_back_list": lambda: [_with("charge_back_list", tab=tab) for tab in ("", "claimed", "settled")],
        "workbench:charge_back": lambda: [reverse("workbench:charge_back"), _with("charge_back", order=_still_expected())],
        "portal:order": _links,
    }  # fmt: skip


def _numbers(name: str, *rows: QuerySet[Any]) -> list[str]:
    """The page of the first row of each of these, where there is one."""
    found = (one.order_by("pk").first() for one in rows)
    return list(dict.fromkeys(reverse(f"workbench:{name}", args=[row.number]) for row in found if row))


def _with(name: str, **asked: str) -> str:
    return f"{reverse(f'workbench:{name}')}?{urlencode(asked, quote_via=quote)}"


def _of_each(model: type[Model], state: str) -> list[QuerySet[Any]]:
    rows = model._default_manager
    return [rows.filter(**{state: value}) for value in rows.order_by(state).values_list(state, flat=True).distinct()]


def _half_in() -> QuerySet[SubcontractOrder]:
    """Orders with the vendor of which some came back."""
    got = ReceiptLine.objects.filter(order_line__order=OuterRef("pk"))
    return SubcontractOrder.objects.with_vendor().filter(Exists(got))


def _still_expected() -> str:
    """An order that is with its vendor, some of it back and some not."""
    half = _half_in().filter(lines__status=LineStatus.OPEN).order_by("pk").first()
    return half.number if half else SubcontractOrder.objects.with_vendor().order_by("pk")[0].number


def _with_rejects() -> QuerySet[Receipt]:
    return Receipt.objects.filter(status=ReceiptStatus.POSTED, lines__rejected__gt=0)


def _to_inspect() -> QuerySet[Receipt]:
    return Receipt.objects.filter(status=ReceiptStatus.POSTED, lines__held__gt=0)


def _decisions() -> list[str]:
    current = Decision.objects.current().select_related("operation__production_order").order_by("pk")
    found = (current.filter(verdict=verdict).first() for verdict in Verdict.values)
    return [
        reverse("workbench:decision", args=[one.operation.production_order.number, one.operation.operation_no])
        for one in found
        if one
    ]


def _vendor() -> Vendor:
    """The vendor who has most to do."""
    return Vendor.objects.annotate(work=_work()).order_by("-work", "pk")[0]


def _work() -> Any:
    of_vendor = SubcontractOrder.objects.filter(vendor=OuterRef("pk")).order_by().values("vendor")
    return Coalesce(Subquery(of_vendor.annotate(number=Count("pk")).values("number")), 0)


def _process() -> str:
    """A process that several vendors have a price for."""
    prices = PriceAgreement.objects.exclude(process=None).values_list("process__code")
    found = prices.annotate(vendors=Count("vendor", distinct=True)).order_by("-vendors", "process__code").first()
    return str(found[0]) if found else ""


def _lying_row() -> Balance:
    """Material that lies at a vendor, in a lot where there is one."""
    lying = (
        Balance.objects.at_vendors().filter(stage="", quantity__gt=0).select_related("location__vendor", "item", "lot")
    )
    return lying.order_by(F("lot").asc(nulls_last=True), "pk")[0]


def _lying_at() -> str:
    return _lying_row().location.vendor.code


def _lying() -> dict[str, str]:
    row = _lying_row()
    return {"item": row.item.code, "lot": row.lot.code if row.lot else ""}


def _of_vendor(name: str) -> str:
    return reverse(f"workbench:{name}", args=[_lying_at()])


def _of_line(name: str) -> list[str]:
    """A page of one receipt line. It changes what was counted, so it is of one that still stands as it came."""
    lines = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, accepted__gt=F("held"))
    line = lines.select_related("receipt").order_by("-pk").first()
    return [reverse(f"workbench:{name}", args=[line.receipt.number, line.line_no])] if line else []


def _costed() -> str:
    """A production order of which something came back."""
    line = ReceiptLine.objects.filter(order_line__production_order__isnull=False).order_by("pk").first()
    return line.order_line.production_order.number if line else ProductionOrder.objects.order_by("pk")[0].number


def _invoiced() -> str:
    invoice = Invoice.objects.select_related("vendor").order_by("-pk").first()
    return invoice.vendor.code if invoice else _vendor().code


def _requests() -> list[str]:
    """Purchase requests as they stand, one of each state."""
    rows = PurchaseRequest.objects.select_related("order", "order_line", "item").order_by("pk")
    found = (rows.filter(state=state).first() for state in PurchaseState)
    return [
        reverse("workbench:direct", args=[one.order.number, one.order_line.line_no, one.item.code])
        for one in found
        if one
    ]


def _claimed() -> list[str]:
    """What is claimed of a vendor."""
    claim = ChargeBack.objects.claimed().select_related("vendor").order_by("pk").first()
    return [reverse("workbench:credit_charge_backs", args=[claim.vendor.code])] if claim else []


def _links() -> list[str]:
    """What vendors open: an order to answer, one answered, one that is over; and a link that is none of ours."""
    states = (OrderStatus.SENT, OrderStatus.ACKNOWLEDGED, OrderStatus.CLOSED)
    found = [SubcontractOrder.objects.filter(status=state).order_by("pk").first() for state in states]
    links = orders.vendor_links(orders=[one for one in found if one], at=timezone.now())
    return [urlsplit(link).path for link in links.values()]
