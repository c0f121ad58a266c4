"""Planned orders that became firm ones: they go on under the new number, with the planner's word and their documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.models import User
from core.refusals import InvalidInput, Refusal, WrongState
from masterdata.services import among, named
from production.models import Operation, OperationWord, OrderStatus, ProductionOrder
from production.services.planned import REPLACED, BadOrder, ForeignNumber, PlannedOrder, UnknownReplaced, check_scope
from production.services.withdrawing import cancel_production_order


class Renumbering:
    """`numbers` are the new numbers of orders that took a planned one's place, `replaced` names each planned one and what goes on
    of it, `bad` what is refused.
    """

    def __init__(self, orders: Sequence[PlannedOrder], *, at: datetime, by: User | None) -> None:
        self._orders, self._at, self._by = orders, at, by
        self._named = {order.number: order.replaces for order in orders if order.replaces}
        self._heirs_of: dict[str, ProductionOrder] = {}  # new number: the planned order whose word is carried to it
        self.numbers: set[str] = set()
        self.replaced: list[tuple[str, str]] = []
        self.bad: list[BadOrder] = []

    def renumber(self) -> None:
        """Let orders that replace a planned one be that order under the new number.

        Everything that hangs on the planned order (words, verdicts, documents) hangs on its row, and so goes along.
        """
        asked = {order.number: (index, order) for index, order in enumerate(self._orders) if order.replaces}
        if not asked:
            return
        wanted = {str(order.replaces) for _, order in asked.values()}
        # One after the other, as each has an index and both together have none.
        meant = ProductionOrder.objects.filter(number__in=named([*asked, *wanted])).values_list("pk", flat=True)
        heirs_of = ProductionOrder.objects.exclude(replaces="").filter(replaces__in=named(wanted))
        rows = ProductionOrder.objects.filter(pk__in=among({*meant, *heirs_of.values_list("pk", flat=True)}))
        locked = list(rows.select_for_update().order_by("pk"))
        known = {order.number: order for order in locked}
        heirs = {order.replaces: order for order in locked if order.replaces}
        own = {order.number for order in self._orders if order.status not in (OrderStatus.CANCELLED, OrderStatus.DONE)}
        for number, (index, order) in asked.items():
            before, there = known.get(str(order.replaces)), known.get(number)
            if there and there.replaces == order.replaces:
                continue  # told before
            try:
                self._may_replace(order, before, heirs.get(str(order.replaces)), planned=own)
            except Refusal as refusal:
                self.bad.append(BadOrder(refusal, index=index))
                continue
            self.replaced.append((str(order.replaces), number))
            if before is None or there:
                # A second order made of the same planned one, or one that was here before it was said: the word is carried.
                self._heirs_of[number] = before or heirs[str(order.replaces)]
                continue
            ProductionOrder.objects.filter(pk=before.pk).update(
                number=number, replaces=before.number, first_number=before.stage_number
            )
            ProductionOrder.objects.filter(parent_number=before.number).update(
                parent_number=number, changed_at=self._at
            )
            before.number, before.replaces = number, str(order.replaces)
            heirs[before.replaces] = known[number] = before
            del known[before.replaces]
            self.numbers.add(number)

    def _may_replace(
        self, order: PlannedOrder, before: ProductionOrder | None, heir: ProductionOrder | None, *, planned: set[str]
    ) -> None:
        named = order.replaces
        if before is None and heir is None:
            raise UnknownReplaced(f"{order.number} replaces {named}, which is not known.", field="replaces")
        if named == order.number or named in planned:
            raise ForeignNumber(f"{named} stands in this plan itself and is replaced by nothing.", field="replaces")
        known = before or heir
        assert known is not None  # noqa: S101
        check_scope(self._by, {known.site_id})
        if order.item_id not in (known.item_id, known.wanted_item_id):
            raise InvalidInput(f"{order.number} replaces {named}, which makes another item.", field="replaces")
        if order.source and known.source and order.source != known.source:
            raise ForeignNumber(f"{named} is a number of {known.source}.", field="replaces")
        if before and before.status not in (*REPLACED, OrderStatus.CANCELLED):
            said = before.get_status_display().lower()
            raise WrongState(f"{named} is {said}; only a planned order becomes another one.", field="replaces")

    def carry_words(self) -> None:
        """The planner's word on the operations of a planned order, for orders that are not its row."""
        for number, before in self._heirs_of.items():
            mine = dict(
                Operation.objects.filter(production_order__number=number)
                .exclude(words__is_current=True)
                .values_list("operation_no", "pk")
            )
            words = OperationWord.objects.filter(operation__production_order=before, is_current=True)
            OperationWord.objects.bulk_create(
                [
                    OperationWord(
                        operation_id=mine[word.operation.operation_no],
                        word=word.word, vendor_id=word.vendor_id, reason=word.reason, by_id=word.by_id, at=word.at,
                    )
                    for word in words.select_related("operation").order_by("pk")
                    if word.operation.operation_no in mine
                ]
            )  # fmt: skip
            if before.number == self._named[number] and before.status in REPLACED:
                cancel_production_order(production_order_id=before.pk, by=self._by, at=self._at)
