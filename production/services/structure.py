"""How items are made: bills of material and routings, in bulk, and whether they make sense together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.refusals import InvalidInput, NotFound
from masterdata.models import Item, WorkCenter, WorkCenterKind
from masterdata.services import Upserted, upsert_by_key
from production.models import BomLine, Outsourced, RoutingStep, Supply
from production.rules.schedule import in_order


class BomCycle(InvalidInput):
    """An item that would be a part of itself."""

    code = "bom_cycle"

    def __init__(self, detail: str, *, parent_id: int) -> None:
        self.parent_id = parent_id
        super().__init__(detail, field="component")


class BadStep(NotFound):
    """A routing step or BOM line that names an operation which is not there.

    `key` says whose it is: (item, variant, number); `value` what its `field` holds.
    """

    status = 422

    def __init__(
        self, detail: str, *, key: tuple[int, str, str], field: str, value: str, code: str | None = None
    ) -> None:
        self.key, self.value = key, value
        super().__init__(detail, code=code, field=field)


BomKey = tuple[int, int, str, int]  # parent, component, operation number, which of the lines with these


def upsert_boms(*, lines: Mapping[BomKey, Mapping[str, Any]]) -> Upserted:
    """Make or change BOM lines, found by parent, component, operation number and, among equal ones, their place (from 0).

    Values are columns (`quantity`, `basis`, …). New lines are put at the end of their parent's bill.
    """
    parents = {key[0] for key in lines}
    known: dict[BomKey, int] = {}
    last: dict[int, int] = defaultdict(int)
    nth: dict[tuple[int, int, str], int] = defaultdict(int)
    rows = BomLine.objects.filter(parent_id__in=parents).order_by("parent_id", "position")
    for parent, component, number, position in rows.values_list(
        "parent_id", "component_id", "operation_no", "position"
    ):
        known[(parent, component, number, nth[(parent, component, number)])] = position
        nth[(parent, component, number)] += 1
        last[parent] = position
    placed = []
    for key, values in lines.items():
        parent, component, number, _ = key
        if key not in known:
            last[parent] += 10
            known[key] = last[parent]
        fixed = {"parent_id": parent, "component_id": component, "operation_no": number, "position": known[key]}
        placed.append({**values, **fixed})
    return upsert_by_key(model=BomLine, key=("parent_id", "position"), rows=placed)


def bom_problems(*, parent_ids: Iterable[int]) -> list[BomCycle | BadStep]:
    """What is wrong with these items' bills: an item that is a part of itself (naming the way round), missing operations.

    A line may name an operation of any variant of its parent's routing; a parent without any routing is not looked at.
    """
    touched = set(parent_ids)
    if not touched:
        return []
    parts: dict[int, list[int]] = defaultdict(list)
    goes_in = BomLine.objects.exclude(supply=Supply.BY_PRODUCT)  # what comes out may go into another, or in again
    for parent, component in goes_in.order_by("pk").values_list("parent_id", "component_id"):
        parts[parent].append(component)
    problems: list[BomCycle | BadStep] = []
    circle = _circle(parts, touched)
    if circle:
        codes = dict(Item.objects.filter(pk__in=circle).values_list("pk", "code"))
        way = " → ".join(codes[item] for item in circle)
        problems.append(BomCycle(f"These bills of material go round in a circle: {way}.", parent_id=circle[0]))
    numbers = defaultdict(set)
    for item, number in RoutingStep.objects.filter(item_id__in=touched).values_list("item_id", "operation_no"):
        numbers[item].add(number)
    tied = BomLine.objects.filter(parent_id__in=list(numbers)).exclude(operation_no="").order_by("pk")
    for parent, number in tied.values_list("parent_id", "operation_no"):
        if number not in numbers[parent]:
            problems.append(
                BadStep(
                    f"No routing of the item has an operation {number}.",
                    key=(parent, "", number),
                    field="operation_no",
                    value=number,
                )
            )
    return problems


def _circle(parts: Mapping[int, Sequence[int]], starts: Iterable[int]) -> list[int]:
    """A way from an item back to itself, first and last the same, or nothing."""
    finished: set[int] = set()
    for start in sorted(starts):
        way: list[int] = []
        on_way: set[int] = set()
        stack: list[tuple[int, int]] = [(start, 0)]  # item, and how many above it; no recursion, as bills may be deep
        while stack:
            item, depth = stack.pop()
            while len(way) > depth:
                left = way.pop()
                on_way.discard(left)
                finished.add(left)
            if item in on_way:
                return [*way[way.index(item) :], item]
            if item in finished:
                continue
            way.append(item)
            on_way.add(item)
            stack.extend((component, depth + 1) for component in parts.get(item, ()))
        finished.update(way)
    return []


StepKey = tuple[int, str, str]  # item, variant, operation number


def upsert_routings(*, steps: Mapping[StepKey, Mapping[str, Any]]) -> Upserted:
    """Make or change routing steps, found by item, variant and operation number. Values are columns.

    Where no `sequence` is given, a number that is one (010) is its own sequence, others are put at the end in the order given.
    A new step whose `outsourced` is not said is done outside at an external work center and inside at any other.
    """
    external = set(WorkCenter.objects.filter(kind=WorkCenterKind.EXTERNAL).values_list("pk", flat=True))
    last: dict[tuple[int, str], int] = defaultdict(int)
    known: dict[StepKey, int] = {}
    rows = RoutingStep.objects.filter(item_id__in={item for item, _, _ in steps})
    for item, variant, number, sequence in rows.values_list("item_id", "variant", "operation_no", "sequence"):
        known[(item, variant, number)] = sequence
        last[(item, variant)] = max(last[(item, variant)], sequence)
    placed = []
    for key, values in steps.items():
        item, variant, number = key
        sequence = values.get("sequence") or known.get(key) or sequence_of(number) or last[(item, variant)] + 10
        last[(item, variant)] = max(last[(item, variant)], sequence)
        fixed = {"item_id": item, "variant": variant, "operation_no": number, "sequence": sequence}
        step = {**values, **fixed}
        if not step.get("outsourced") and ("outsourced" in step or key not in known):
            step["outsourced"] = Outsourced.YES if step.get("work_center_id") in external else Outsourced.NO
        placed.append(step)
    return upsert_by_key(model=RoutingStep, key=("item_id", "variant", "operation_no"), rows=placed)


def sequence_of(number: str) -> int | None:
    """The place an operation number takes by itself, where it is a number."""
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 9 else None


def routing_problems(*, item_ids: Iterable[int]) -> list[BadStep]:
    """What is wrong with these items' routings: steps followed by missing ones or by some that come before them, or that go
    round in a circle.
    """
    following: dict[tuple[int, str], dict[str, list[str]]] = defaultdict(dict)
    places: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    rows = RoutingStep.objects.filter(item_id__in=list(item_ids)).order_by("pk")
    for item, variant, number, sequence, next_nos in rows.values_list(
        "item_id", "variant", "operation_no", "sequence", "next_nos"
    ):
        following[(item, variant)][number] = next_nos
        places[(item, variant)][number] = sequence
    problems = []
    for (item, variant), steps in following.items():
        missing = [(number, later) for number, next_nos in steps.items() for later in next_nos if later not in steps]
        for number, later in missing:
            problems.append(
                BadStep(
                    f"Operation {number} is followed by {later}, which the routing does not have.",
                    key=(item, variant, number),
                    field="next_operation_no",
                    value=later,
                )
            )
        if not missing and in_order(steps) is None:
            problems.append(
                BadStep(
                    "The operations follow one another in a circle.",
                    key=(item, variant, next(iter(steps))),
                    field="next_operation_no",
                    value="|".join(next(iter(steps.values()))),
                    code="routing_cycle",
                )
            )
            continue
        for number, later in backward(steps, places[item, variant]) if not missing else ():
            problems.append(
                BadStep(
                    f"Operation {number} is followed by {later}, which comes before it by its sequence.",
                    key=(item, variant, number),
                    field="next_operation_no",
                    value=later,
                    code="invalid",
                )
            )
    return problems


def backward(following: Mapping[str, Sequence[str]], places: Mapping[str, int]) -> list[tuple[str, str]]:
    """Steps followed by one that does not come after them by its sequence; pieces would run both ways at once."""
    return [(number, later) for number, nos in following.items() for later in nos if places[later] <= places[number]]
