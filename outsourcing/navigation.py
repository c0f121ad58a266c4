"""The side bar of the planning pages, grouped by work, and what its first page shows."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext

from documents.models import GenerationRun
from policies.models import Decision, Verdict

# (title, icon, app and model, and a page of it that is not its list) by group. Whoever may view the rows sees the link.
GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Plan",
        [
            ("Production orders", "precision_manufacturing", "policies.orderwithverdicts"),
            ("Decisions", "alt_route", "policies.decision"),
            ("Runs", "play_circle", "documents.generationrun"),
            ("Imports", "upload_file", "interchange.importjob"),
            ("Alerts", "notifications", "activity.alert"),
            ("Responsible people", "assignment_ind", "activity.responsible"),
            ("Messages", "mail", "activity.message"),
        ],
    ),
    (
        "Policies",
        [
            ("Policies", "rule", "policies.policy"),
            ("Simulations", "science", "documents.simulationrun"),
            ("Price agreements", "sell", "policies.priceagreement"),
            ("Vendor approvals", "verified", "policies.vendorapproval"),
        ],
    ),
    (
        "Documents",
        [
            ("Subcontract orders", "receipt_long", "subcontract_orders.subcontractorder"),
            ("Shipments", "local_shipping", "shipments.shipment"),
            ("Expected receipts", "move_to_inbox", "receipts.expectedreceipt"),
            ("Receipts", "inventory", "receipts.receipt"),
            ("Returns", "assignment_return", "receipts.return"),
            ("Purchase requests", "add_shopping_cart", "receipts.purchaserequest"),
            ("Direct deliveries", "local_post_office", "receipts.directdelivery"),
            ("Invoices", "request_quote", "invoices.invoice"),
            ("Charge-backs", "undo", "invoices.chargeback"),
            ("Stock", "inventory_2", "inventory.balance"),
            ("Stock value", "paid", "inventory.costpool"),
            ("Stock movements", "swap_horiz", "inventory.movement"),
            ("Lots", "qr_code_2", "inventory.lot"),
        ],
    ),
    (
        "Master data",
        [
            ("Items", "deployed_code", "masterdata.item"),
            ("Item groups", "category", "masterdata.itemgroup"),
            ("Bills of material", "account_tree", "production.bomline"),
            ("Routings", "route", "production.routingstep"),
            ("Vendors", "handshake", "masterdata.vendor"),
            ("Processes", "build", "masterdata.process"),
            ("Specifications", "description", "masterdata.specification"),
            ("Work centers", "factory", "masterdata.workcenter"),
            ("Week", "calendar_view_week", "masterdata.downtime:week"),
            ("Downtimes", "engineering", "masterdata.downtime"),
            ("Closed days", "event_busy", "masterdata.closure"),
            ("Public holidays", "beach_access", "masterdata.holidaycalendar"),
            ("Sites", "location_city", "masterdata.site"),
            ("Locations", "warehouse", "masterdata.location"),
            ("Units", "straighten", "masterdata.unit"),
            ("Currencies", "payments", "masterdata.currency"),
            ("Exchange rates", "currency_exchange", "masterdata.exchangerate"),
            ("Company", "apartment", "masterdata.company"),
            ("Number ranges", "pin", "masterdata.numberrange"),
        ],
    ),
    (
        "People",
        [
            ("Users and access", "group", "accounts.user"),
            ("API tokens", "key", "accounts.apitoken"),
            ("Events", "history", "activity.event"),
            ("Webhook endpoints", "webhook", "activity.webhookendpoint"),
            ("Webhook deliveries", "outbox", "activity.webhookdelivery"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of links a user may follow, in Unfold's form."""
    groups = []
    for title, pages in GROUPS:
        items = [_link(name, icon, model) for name, icon, model in pages if _may_view(request, model)]
        if items:
            groups.append({"title": gettext(title), "items": items, "collapsible": title in ("Master data", "People")})
    return groups


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """How many operations stand where, and the last run."""
    counts = dict(
        Decision.objects.current().visible_to(request.user).values_list("verdict").annotate(Count("pk")).order_by()
    )
    decisions = reverse_lazy("admin:policies_decision_changelist")
    context["verdicts"] = [
        {"label": gettext(str(label)), "count": counts.get(verdict, 0), "link": f"{decisions}?verdict__exact={verdict}"}
        for verdict, label in Verdict.choices
    ]
    context["title"] = gettext("Planning")
    context["last_run"] = GenerationRun.objects.order_by("-pk").first()
    return context


def stuck(request: HttpRequest) -> str:
    """The number beside Decisions: operations that wait for a person. Above 99 it no longer matters how many."""
    waiting = Decision.objects.current().visible_to(request.user).filter(verdict__in=[Verdict.REVIEW, Verdict.BLOCKED])
    count = waiting.order_by()[:100].count()
    return "99+" if count > 99 else str(count) if count else ""


def _link(title: str, icon: str, model: str) -> dict[str, Any]:
    rows, _, page = model.partition(":")
    link: dict[str, Any] = {
        "title": gettext(title),
        "icon": icon,
        "link": reverse_lazy(f"admin:{rows.replace('.', '_')}_{page or 'changelist'}"),
    }
    if model == "policies.decision":
        link["badge"] = "outsourcing.navigation.stuck"
    return link


def _may_view(request: HttpRequest, model: str) -> bool:
    app, name = model.partition(":")[0].split(".")
    return bool(request.user.has_perm(f"{app}.view_{name}"))
