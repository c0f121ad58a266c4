"""Bills of material and routings in, and whether they make sense together."""

from __future__ import annotations

from collections import Counter

from interchange.services.reading import Reading, renamed
from masterdata.models import Item, Process, WorkCenter
from production import services as production
from production.models import Supply


def boms(work: Reading) -> None:
    nth: Counter[tuple[int, int, str]] = Counter()
    for chunk in work.chunks():
        lines = {}
        for row, values in work.resolve_all(chunk, {"parent": Item, "component": Item}):
            parent, component = values.pop("parent_id"), values.pop("component_id")
            number = values.pop("operation_no", "")
            work.bom_rows.setdefault((parent, number), row)
            work.bom_rows.setdefault((parent, ""), row)
            if parent == component:
                work.bad(row, "component", "", "bom_cycle", "An item cannot be a component of itself.")
                continue
            supply = values.get("supply", Supply.OWN)
            comes_out = values.pop("by_product", False) or supply == Supply.BY_PRODUCT
            if values["quantity"] < 0 and not comes_out:
                told = "This must be above 0; what comes out of the work instead of going in has the supply by_product."
                work.bad(row, "quantity", f"{values['quantity']}", "invalid_quantity", told)
                continue
            if comes_out and supply not in (Supply.OWN, Supply.BY_PRODUCT):
                told = "A by-product comes out of the work; nobody supplies it."
                work.bad(row, "supply", supply, "invalid", told)
                continue
            if comes_out:  # bills elsewhere say it with a quantity below zero
                values |= {"quantity": abs(values["quantity"]), "supply": Supply.BY_PRODUCT}
            lines[(parent, component, number, nth[(parent, component, number)])] = renamed(
                values, quantity_basis="basis"
            )
            nth[(parent, component, number)] += 1
        work.count(production.upsert_boms(lines=lines))


def routings(work: Reading) -> None:
    """Routings, and the alternatives that are named variants of them."""
    refs = {"item": Item, "work_center": WorkCenter, "process": Process}
    for chunk in work.chunks():
        work.make_processes(values.get("name") for _, values in chunk if not values.get("process"))
        steps = {}
        for row, values in work.resolve_all(
            [(row, {**values, "process": values.get("process") or values.get("name")}) for row, values in chunk],
            refs,
        ):
            key = (values.pop("item_id"), values.pop("variant", ""), values.pop("operation_no"))
            work.step_rows[key] = (work.table, work.file, row)
            steps[key] = renamed(values, next_operation_no="next_nos", run_minutes_per_unit="run_minutes")
        work.count(production.upsert_routings(steps=steps))


def check_structure(work: Reading) -> None:
    """What only shows when bills of material and routings are all there."""
    for step in production.routing_problems(item_ids={item for item, _, _ in work.step_rows}):
        work.table, work.file, row = work.step_rows.get(step.key, ("routings", "routings", None))
        work.bad(row, step.field or "", step.value, step.code, step.detail)
    parents = {parent for parent, _ in work.bom_rows} | {item for item, _, _ in work.step_rows}
    for problem in production.bom_problems(parent_ids=parents):
        work.table, work.file = "boms", getattr(work.tables.get("boms"), "file", "boms")
        if isinstance(problem, production.BomCycle):
            row = work.bom_rows.get((problem.parent_id, ""))
            work.bad(row, "component", "", problem.code, problem.detail)
        else:
            item, _, number = problem.key
            row = work.bom_rows.get((item, number))
            work.bad(row, "operation_no", number, problem.code, problem.detail)
