"""Small plans for tests of the main job, by business words, and what came of them as plain rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection

from accounts.models import Access, User
from documents import services as documents
from documents.models import GenerationRun
from interchange import services as interchange
from masterdata.models import Item, Location, Site, Vendor
from production import services as production
from production.models import Operation, ProductionOrder
from production.services import PlannedOrder
from subcontract_orders.models import OrderLine, SubcontractOrder
from tests.played import played
from tests.scenarios import case_files

MONDAY = date(2026, 3, 2)
BASE = case_files.load_case(Path(case_files.OWN_CASES) / "base.yaml")["given"]


def moment(day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


def load(tables: dict[str, list[dict[str, Any]]], *, ground: bool = False, day: date = MONDAY) -> None:
    """Import tables; with `ground` on what every case stands on."""
    given = case_files.with_ground(tables) if ground else tables
    interchange.import_tables(tables=case_files.row_defaults(given, costs={}), at=moment(day), by=None)


@played
def base(**tables: list[dict[str, Any]]) -> None:
    """One finished part, one component, one outside operation, one vendor; rows of the same key take their place."""
    load(case_files.add_tables(BASE, tables), ground=True)


def plan(number: str, item: str, quantity: int | str, due: str, *, day: date = MONDAY, **fields: Any) -> None:
    production.upsert_production_orders(
        orders=[
            PlannedOrder(
                number=number,
                item_id=Item.objects.get(code=item).pk,
                quantity=Decimal(quantity),
                due_date=date.fromisoformat(due),
                site_id=Site.objects.get(code="MAIN").pk,
                location_id=Location.objects.get(code="MAIN").pk,
                **fields,
            )
        ],
        at=moment(day),
        by=None,
    )


def cancel(number: str, *, day: date = MONDAY) -> None:
    production.cancel_production_order(
        production_order_id=ProductionOrder.objects.get(number=number).pk, by=None, at=moment(day)
    )


def word(number: str, operation_no: str, said: str, *, vendor: str | None = None) -> None:
    production.speak_word(
        operation_id=Operation.objects.get(production_order__number=number, operation_no=operation_no).pk,
        word=said,
        vendor_id=Vendor.objects.get(code=vendor).pk if vendor else None,
        reason="test",
        by=boss(),
        at=moment(),
    )


def generate(day: date = MONDAY, **fields: Any) -> GenerationRun:
    run = documents.start_run(at=moment(day), on=day, **fields)
    return documents.run_to_end(run_id=run.pk, at=moment(day))


def boss() -> User:
    """Somebody with every right and no limit."""
    user, made = User.objects.get_or_create(username="boss")
    if made:
        Access.objects.create(user=user, role="administrator")
    return user


def buyer(limit: int | None) -> User:
    user = User.objects.create(username=f"buyer {limit}")
    Access.objects.create(user=user, role="buyer", approval_limit=limit)
    return user


def order(number: int) -> SubcontractOrder:
    return SubcontractOrder.objects.get(number=f"SC-{number:05d}")


def line(number: int, line_no: int = 1) -> OrderLine:
    return OrderLine.objects.get(order__number=f"SC-{number:05d}", line_no=line_no)


def send(number: int) -> None:
    documents.approve_set(order_id=order(number).pk, by=boss(), at=moment())
    documents.send_set(order_id=order(number).pk, by=boss(), at=moment())


def lines() -> list[tuple[str, str, str, str, Decimal, Decimal]]:
    """Active lines: order, vendor, production order, operation, quantity, amount."""
    return list(
        OrderLine.objects.active()
        .order_by("order__number", "line_no")
        .values_list("order__number", "vendor__code", "production_order__number", "operation_no", "quantity", "amount")
    )


WRITTEN = (
    "policies.Decision",
    "policies.Award",
    "subcontract_orders.SubcontractOrder",
    "subcontract_orders.OrderLine",
    "subcontract_orders.OrderComponent",
    "subcontract_orders.OrderRevision",
    "shipments.Shipment",
    "shipments.ShipmentLine",
    "receipts.ExpectedReceipt",
    "activity.Alert",
    "activity.Event",
)


def rows_written() -> dict[str, list[str]]:
    """Every row a run writes, keys replaced by business keys, without times and run numbers, in order."""
    names = {}
    for label, path in (
        ("subcontract_orders.SubcontractOrder", "number"),
        ("shipments.Shipment", "number"),
    ):
        names[label] = dict(apps.get_model(label).objects.values_list("pk", path))
    names["subcontract_orders.OrderLine"] = {
        pk: f"{number}/{no}" for pk, number, no in OrderLine.objects.values_list("pk", "order__number", "line_no")
    }
    component = apps.get_model("subcontract_orders.OrderComponent")
    names["subcontract_orders.OrderComponent"] = {
        pk: f"{names['subcontract_orders.OrderLine'][line_id]}/{position}"
        for pk, line_id, position in component.objects.values_list("pk", "line_id", "position")
    }
    decision = apps.get_model("policies.Decision")
    names["policies.Decision"] = {
        pk: f"{operation}/{version}"
        for pk, operation, version in decision.objects.values_list("pk", "operation", "version")
    }
    found: dict[str, list[str]] = {}
    for label in WRITTEN:
        model = apps.get_model(label)
        fields = [
            field
            for field in model._meta.concrete_fields
            if not field.primary_key
            and not field.name.endswith("_at")
            and field.name not in ("at", "act_by", "reference", "run_number", "made_by_run", "transaction")
        ]
        rows = []
        # What was recorded when the policies came in is no run's.
        written = model.objects.exclude(document_kind="policy") if label == "activity.Event" else model.objects.all()
        for row in written.values(*[field.attname for field in fields]):
            shown = {}
            for field in fields:
                value = row[field.attname]
                if field.is_relation and field.related_model:
                    value = names.get(field.related_model._meta.label, {}).get(value, value)
                if field.name == "data" and isinstance(value, dict):
                    value = {key: one for key, one in value.items() if key != "run"}
                shown[field.name] = value
            rows.append(repr(sorted(shown.items(), key=str)))
        found[label] = sorted(rows)
    return found


def count_rows() -> int:
    """All rows of all business tables: nothing was written where it stays the same."""
    with connection.cursor() as cursor:
        total = 0
        for label in WRITTEN:
            cursor.execute(f'SELECT count(*) FROM "{apps.get_model(label)._meta.db_table}"')
            total += cursor.fetchone()[0]
    return total
