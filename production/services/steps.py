"""The operations of an order as its plan asks for them: from the routing, as stated, reported so far, scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction

from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, NotFound, Refusal, WrongState
from production.models import OPEN_STATUSES, OperationStatus, OrderStatus
from production.rules import progress
from production.rules.flow import piece_flow
from production.rules.progress import CameTogether
from production.rules.schedule import Step, in_order, schedule, successors, working_days
from production.services.known import FRESH, ROUTED, Known
from production.services.pieces import Pieces
from production.services.planned import (
    CLOSED_OPERATION,
    OPERATION_RANK,
    BadOperation,
    PlannedOperation,
    PlannedOrder,
    RoutingCircle,
    Values,
    check_precision,
)
from production.services.structure import backward, sequence_of

RECOPIED = (OrderStatus.PLANNED, OrderStatus.FIRM)  # from release on, an order keeps the operations it has
UNFINISHED = (OperationStatus.OPEN, OperationStatus.IN_PROGRESS)
_STARTED = (OperationStatus.IN_PROGRESS, OperationStatus.FINISHED)


class Steps:
    """Works out operations over what is `known`; `pieces` are those that stand between operations by what was reported.

    `together`: what vendors brought back of several operations at once, by order number. `came`: what is stated came from
    vendors, who may bring more bad pieces than the order is for.
    """

    def __init__(self, known: Known, *, together: Mapping[str, Sequence[CameTogether]], came: bool = False) -> None:
        self._known = known
        self._together = together
        self._came = came
        self.pieces: list[Pieces] = []

    def of(self, order: PlannedOrder, row: Values, old: Values | None) -> list[Values]:
        """The operations of an order that are new or differ, whole rows (those that are there carry their id)."""
        before = self._known.operations.get(old["id"], {}) if old else {}
        variant = str(row.get("routing_variant", old["routing_variant"] if old else ""))
        after: dict[str, Values] = {number: dict(operation) for number, operation in before.items()}
        item_id = row["item_id"]
        is_another = old is not None and old["item_id"] != item_id
        moved = old is not None and (is_another or old["routing_variant"] != variant)
        if moved and any(is_reported(operation) for operation in before.values()):
            raise WrongState(
                "Work on it is reported already: item and routing stay. Cancel the order, and plan the rest under another "
                "number.",
                field="item",
            )
        if old and old["status"] == OrderStatus.CANCELLED and row["status"] in OPEN_STATUSES:
            for operation in after.values():
                if operation["status"] == OperationStatus.CANCELLED:
                    operation["status"] = (
                        OperationStatus.IN_PROGRESS if is_reported(operation) else OperationStatus.OPEN
                    )
        if not before or is_another or row["status"] in RECOPIED:
            self._copy_routing(item_id, variant, after)
        for given in order.operations:
            with _said_of(given.number):
                self._apply(given, order, after, decimals=self._known.decimals[item_id])
        following = self._check_order(order.operations, after)
        for operation in after.values():
            self._settle(operation, row, before.get(operation["operation_no"]))
        if any(given.good or given.scrap or given.status for given in order.operations):
            self._imply(following, before, after, self._together.get(order.number, ()))
            self._find_pieces(order, row, old, following, before, after)
        self._place(order, row, after)
        return [operation for number, operation in after.items() if number not in before or operation != before[number]]

    def _copy_routing(self, item_id: int, variant: str, after: dict[str, Values]) -> None:
        """Bring operations nobody has reported on, or given by hand, to what the routing says now."""
        asked = self._known.routings.get((item_id, variant), ())
        if variant and not asked:
            raise NotFound(f"The item has no routing variant {variant}.", field="routing_variant")
        steps = _under_known_numbers(asked, after)
        routed = {step["operation_no"] for step in steps}
        for number, operation in after.items():
            if number not in routed and not operation["is_given"] and not is_reported(operation):
                operation["status"] = OperationStatus.CANCELLED
        for step in steps:
            number = step["operation_no"]
            if number not in after:
                after[number] = step.copy()
            elif not (operation := after[number])["is_given"] and not is_reported(operation):
                if not operation["is_committed"]:
                    operation.update({name: step[name] for name in ROUTED})
                operation["status"] = OperationStatus.OPEN

    def _apply(self, given: PlannedOperation, order: PlannedOrder, after: dict[str, Values], *, decimals: int) -> None:
        """What the plan states of one operation; totals and status only ever go up."""
        operation = after.get(given.number)
        if operation is None:
            last = max((known["sequence"] for known in after.values()), default=0)
            operation = after[given.number] = {**FRESH, "operation_no": given.number, "name": ""}
            operation["sequence"] = sequence_of(given.number) or last + 10
        operation["is_given"] = True
        said = {
            "sequence": given.sequence,
            "name": given.name,
            "process_id": given.process_id,
            "work_center_id": given.work_center_id,
            "setup_minutes": given.setup_minutes,
            "run_minutes": given.run_minutes,
            "outsourced": given.outsourced,
            "next_nos": list(given.next_nos) if given.next_nos is not None else None,
            "source": given.source,
            "external_refs": given.external_refs,
        }
        operation.update({name: value for name, value in said.items() if value is not None})
        for name, value in (("good", given.good), ("scrap", given.scrap)):
            if value is not None and value < 0:
                raise InvalidQuantity(f"{value} is below zero.", field=name)
            if value is not None:
                check_precision(value, decimals, name)
        if given.good is not None and given.good > max(order.quantity, operation["good"]):
            raise InvalidQuantity(
                f"{given.good.normalize():f} good of {order.quantity.normalize():f} to make are too many.", field="good"
            )
        # Pieces that went wrong may have been begun anew, so good and scrap together may be more than the order is for.
        if not self._came and given.scrap is not None and given.scrap > max(order.quantity, operation["scrap"]):
            raise InvalidQuantity(
                f"{given.scrap.normalize():f} scrapped of {order.quantity.normalize():f} to make are too many.",
                field="scrap",
            )
        operation["good"] = max(operation["good"], given.good or 0)
        operation["scrap"] = max(operation["scrap"], given.scrap or 0)
        if given.status is not None:
            if given.status not in OPERATION_RANK:
                raise InvalidInput(f"There is no status {given.status}.", field="status")
            if OPERATION_RANK[given.status] > OPERATION_RANK[operation["status"]]:
                operation["status"] = given.status
        elif operation["status"] in UNFINISHED and given.good is not None and operation["good"] >= order.quantity:
            operation["status"] = OperationStatus.FINISHED
        elif operation["status"] == OperationStatus.OPEN and (operation["good"] or operation["scrap"]):
            operation["status"] = OperationStatus.IN_PROGRESS
        if given.start and given.end and given.end < given.start:
            raise InvalidDate(f"Ends on {given.end}, before it starts on {given.start}.", field="end")
        if given.start or given.end:
            operation["planned_start"] = given.start or given.end
            operation["planned_end"] = given.end or given.start
            operation["dates_given"] = True

    def _check_order(
        self, given: Sequence[PlannedOperation], after: Mapping[str, Values]
    ) -> Mapping[str, tuple[str, ...]]:
        """What follows an operation is there, and none comes after one that follows it, by what follows what or by the dates
        the plan gives, now or on an earlier night.

        Returns who follows whom.
        """
        if not given:
            return {}
        for number in (one.number for one in given):
            for later in after[number]["next_nos"]:
                if later not in after:
                    text = f"Operation {number} is followed by {later}, which the order does not have."
                    raise BadOperation(NotFound(text, field="next_operation_no"), operation_no=number)
        steps = [
            Step(number, one["sequence"], Fraction(0), self._known.open_days, tuple(one["next_nos"]))
            for number, one in after.items()
            if one["status"] != OperationStatus.CANCELLED
        ]
        following = successors(steps)
        if in_order(following) is None:
            raise RoutingCircle("The operations follow one another in a circle.", field="next_operation_no")
        if turned := backward(following, {number: one["sequence"] for number, one in after.items()}):
            number, later = turned[0]
            text = f"Operation {number} is followed by {later}, which comes before it by its sequence."
            raise BadOperation(InvalidInput(text, field="next_operation_no"), operation_no=number)
        moved = {one.number for one in given if one.start or one.end}
        dated = {number for number, one in after.items() if one["dates_given"]} if moved else set()
        for number in sorted(dated & following.keys()):
            for later in dated.intersection(following[number]):
                begins, ends = after[number]["planned_start"], after[later]["planned_end"]
                if begins > ends and moved & {number, later}:
                    text = f"Operation {number} starts on {begins}, after {later}, which follows it, ends on {ends}."
                    raise BadOperation(InvalidDate(text, field="start"), operation_no=number)
        return following

    def _imply(
        self,
        following: Mapping[str, tuple[str, ...]],
        before: Mapping[str, Values],
        after: Mapping[str, Values],
        together: Sequence[CameTogether],
    ) -> None:
        """What a later operation has worked on, those before it have finished, whether the plan says so or not: at most what
        the order is for.
        """
        ordered = in_order(following) or []
        made = {number: _made(after[number]) for number in ordered}
        implied = progress.implied(following, ordered, made, together)
        for number, good in implied.items():
            operation = after[number]
            most = max(operation["quantity"], before[number]["good"] if number in before else 0)
            if good > most and not self._came:
                later = next(one for one in following[number] if one not in implied or implied[one] <= most)
                text = (
                    f"{good.normalize():f} good and scrapped at operation {later} are too many: operation {number} can have "
                    f"finished {most.normalize():f} at most."
                )
                raise BadOperation(InvalidQuantity(text, field="scrap"), operation_no=later)
            operation["good"] = good
            if operation["status"] != OperationStatus.FINISHED:
                full = good + operation["scrap"] >= operation["quantity"]
                operation["status"] = OperationStatus.FINISHED if full else OperationStatus.IN_PROGRESS

    def _find_pieces(
        self,
        order: PlannedOrder,
        row: Values,
        old: Values | None,
        following: Mapping[str, tuple[str, ...]],
        before: Mapping[str, Values],
        after: Mapping[str, Values],
    ) -> None:
        """How many pieces more stand between operations than before the plan told of this progress."""
        flow = piece_flow(following)
        ordered = in_order(flow) or []
        now = progress.waiting(flow, ordered, {number: _made(after[number]) for number in ordered})
        fresh = progress.Made(row["quantity"])
        then = progress.waiting(
            flow, ordered, {number: _made(before[number]) if number in before else fresh for number in ordered}
        )
        done: dict[str, set[str]] = {}
        for number in ordered:
            done.setdefault(number, set()).add(number)
            for later in flow[number]:
                done.setdefault(later, set()).update(done[number])
        first_number = row.get("first_number") or (old["first_number"] if old else "")
        for number, count in now.items():
            if more := count - then[number]:
                self.pieces.append(
                    Pieces(
                        stage=f"{first_number or order.number}/{number}",
                        item_id=row["item_id"],
                        site_id=row["site_id"],
                        location_id=row.get("location_id", old["location_id"] if old else None),
                        more=more,
                        steps=tuple(sorted(ordered, key=lambda number: (after[number]["sequence"], number))),
                        done=frozenset(done[number]),
                    )
                )

    def _settle(self, operation: Values, row: Values, before: Values | None) -> None:
        """Quantity and status as the order's own quantity and status ask for."""
        operation["quantity"] = row["quantity"]
        if operation["status"] not in CLOSED_OPERATION:
            if row["status"] == OrderStatus.DONE:
                operation["status"] = OperationStatus.FINISHED
            elif row["status"] == OrderStatus.CANCELLED:
                operation["status"] = OperationStatus.CANCELLED
        elif (
            # More is wanted than was when it was finished: there is work again.
            before is not None
            and before["status"] == operation["status"] == OperationStatus.FINISHED
            and operation["quantity"] > max(before["quantity"], operation["good"])
            and row["status"] in OPEN_STATUSES
        ):
            operation["status"] = OperationStatus.IN_PROGRESS

    def _place(self, order: PlannedOrder, row: Values, operations: Mapping[str, Values]) -> None:
        """Schedule what is not cancelled; finished operations need no time."""
        steps = [
            Step(
                number=number,
                sequence=operation["sequence"],
                days=self._days(operation),
                calendar=self._known.calendars.get(operation["work_center_id"], self._known.open_days),
                next_nos=tuple(operation["next_nos"]),
                fixed=(operation["planned_start"], operation["planned_end"]) if operation["dates_given"] else None,
            )
            for number, operation in operations.items()
            if operation["status"] != OperationStatus.CANCELLED
        ]
        today = (
            self._known.today.get(row.get("site_id", self._known.site_id)) if row["status"] in OPEN_STATUSES else None
        )
        for number, placed in schedule(steps=steps, due=order.due_date, today=today).items():
            operations[number]["planned_start"], operations[number]["planned_end"] = placed.start, placed.end

    def _days(self, operation: Values) -> Fraction:
        if operation["status"] == OperationStatus.FINISHED:
            return Fraction(0)
        left = max(operation["quantity"] - operation["good"] - operation["scrap"], Decimal(0))
        return working_days(
            quantity=left,
            setup_minutes=None if operation["good"] or operation["scrap"] else operation["setup_minutes"],
            run_minutes=operation["run_minutes"],
            hours_a_day=self._known.centers.get(operation["work_center_id"]),
        )


def is_reported(operation: Values) -> bool:
    """Work on it was begun."""
    return bool(operation["good"] or operation["scrap"] or operation["status"] in _STARTED)


def _under_known_numbers(steps: Sequence[Values], known: Mapping[str, Values]) -> Sequence[Values]:
    """Routing steps, each new one that does the work of an operation begun or with a vendor under the number that one has.

    A routing that numbers its steps anew has the same work done once: it is not wanted again beside what was ordered. Of several
    steps that do the same work each stands for the operation that comes at its place among them.
    """
    routed = {step["operation_no"] for step in steps}
    gone: dict[object, list[Values]] = {}
    for operation in sorted(known.values(), key=_place_of):
        if (
            operation["operation_no"] not in routed
            and not operation["is_given"]
            and operation["status"] != OperationStatus.CANCELLED
        ):
            gone.setdefault(_work_of(operation), []).append(operation)
    stays: dict[str, str] = {}
    for step in sorted(steps, key=_place_of):
        if step["operation_no"] not in known and (same := gone.get(_work_of(step))):
            operation = same.pop(0)
            if operation["is_committed"] or is_reported(operation):
                stays[step["operation_no"]] = operation["operation_no"]
    if not stays:
        return steps
    return [
        step
        | {
            "operation_no": stays.get(step["operation_no"], step["operation_no"]),
            "next_nos": [stays.get(number, number) for number in step["next_nos"]],
        }
        for step in steps
    ]


def _work_of(operation: Values) -> object:
    """What is done where; where no process is named, its name tells."""
    return operation["process_id"] or operation["name"], operation["work_center_id"]


def _place_of(operation: Values) -> tuple[int, str]:
    return operation["sequence"], operation["operation_no"]


def _made(operation: Values) -> progress.Made:
    is_finished = operation["status"] == OperationStatus.FINISHED
    return progress.Made(operation["quantity"], operation["good"], operation["scrap"], is_finished)


@contextmanager
def _said_of(operation_no: str) -> Iterator[None]:
    """A refusal inside is this operation's."""
    try:
        yield
    except Refusal as reason:
        raise BadOperation(reason, operation_no=operation_no) from None
