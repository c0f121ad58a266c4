"""Consecutive operations bought together: one price for all of them, as one line, and they are reported with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Self

from policies.rules import flow, whole
from policies.rules.counters import Counters
from policies.rules.values import BUY_COMPLETE, Book, Decided, OperationFacts, PolicyValues, Reason

Span = tuple[int, ...]
"""Places of operations that follow one another, in their order."""
Lists = Mapping[int, Sequence[tuple[int, ...]]]
"""Processes bought together, by the first of them, the longest list first."""
Outcomes = list[Decided | None]


class Chain(NamedTuple):
    """A production order's operations, and which come right before and right after each."""

    operations: Sequence[OperationFacts]
    before: Sequence[Sequence[int]]
    after: Sequence[Sequence[int]]

    @classmethod
    def of(cls, operations: Sequence[OperationFacts], everything: Sequence[OperationFacts]) -> Self:
        """`everything`: with those that are cancelled, which are stepped over."""
        return cls(operations, *flow.neighbours(operations, everything))

    def from_to(self, first: int, last_no: str) -> Span:
        """From one operation to the one of a number; alone where no such one follows it any more."""
        places = [first]
        while self.operations[places[-1]].operation_no != last_no:
            following = self.after[places[-1]]
            if len(following) != 1:
                return (first,)
            places.append(following[0])
        return tuple(places)


class Bundles:
    """The chain of one order, with operations bought together in the place of those they stand for."""

    def __init__(
        self,
        operations: Sequence[OperationFacts],
        everything: Sequence[OperationFacts],
        book: Book,
        policies: Mapping[int, PolicyValues],
    ) -> None:
        self.chain = Chain.of(operations, everything)
        self._everything = everything
        self._book = book
        self._policies = policies
        self._inside: dict[int, list[OperationFacts]] = {}

    def join_standing(self) -> None:
        """What vendors were asked for together stays together."""
        chain, spans = self.chain, []
        for index, operation in enumerate(chain.operations):
            last_no = next((line.last_no for line in operation.frozen if line.last_no), "")
            if last_no:
                spans.append(chain.from_to(index, last_no))
        self.chain = self._joined(spans, [None] * len(chain.operations))
        self._stand_for(chain, spans)

    def buy(self, lists: Lists, decided: Outcomes, decide: Callable[[Chain], Outcomes], counters: Counters) -> Outcomes:
        """Operations that go out and that somebody sells together are decided as one; each by itself where nobody qualifies."""
        if any(one is not None and one.verdict == BUY_COMPLETE for one in decided):
            return decided
        chain = self.chain
        spans = sold(chain, decided, lists, self._policies)
        alone, failed = decided, []
        while spans:
            counters.take_back()
            joined = self._joined(spans, alone)
            decided = decide(joined)
            found = {one.operation_id: one for one in decided if one is not None}
            heads = [(span, found[chain.operations[span[0]].operation_id]) for span in spans]
            failed += [(span, head) for span, head in heads if not head.awards]
            if all(head.awards for _, head in heads):
                self.chain = joined
                self._stand_for(chain, spans)
                break
            spans = [span for span, head in heads if head.awards]
        else:
            if failed:
                counters.take_back()
                decided = decide(chain)
        for span, head in failed:
            _say_not_together([chain.operations[index] for index in span], head, decided)
        return decided

    def opened(self, decided: Outcomes) -> list[Decided]:
        """The decisions, each on operations bought together followed by those that come with it."""
        found = []
        for one in decided:
            if one is None:
                continue
            found.append(one)
            if mine := self._inside.get(one.operation_id):
                numbers = (mine[0].operation_no, mine[-1].operation_no)
                one.reasons = (*one.reasons, Reason("sold_together", values=numbers))
                found += [_comes_with(one, operation, numbers) for operation in mine[1:] if operation.is_open]
        return found

    def _joined(self, spans: Sequence[Span], decided: Sequence[Decided | None]) -> Chain:
        merged = {span[0]: joined(self.chain, span, decided, self._book, self._policies) for span in spans}
        inside = {index for span in spans for index in span[1:]}
        operations = [merged.get(i, one) for i, one in enumerate(self.chain.operations) if i not in inside]
        return Chain.of(operations, self._everything)

    def _stand_for(self, chain: Chain, spans: Sequence[Span]) -> None:
        for span in spans:
            self._inside[chain.operations[span[0]].operation_id] = [chain.operations[index] for index in span]


def _comes_with(one: Decided, operation: OperationFacts, numbers: tuple[str, str]) -> Decided:
    return Decided(
        operation.operation_id, one.verdict, one.basis, one.policy_id, operation.quantity, operation.planned_start,
        operation.ends_on, (Reason("comes_with", values=numbers),),
        policy_version=one.policy_version,
    )  # fmt: skip


def _say_not_together(span: Sequence[OperationFacts], head: Decided, decided: Outcomes) -> None:
    """On the first of them: they are sold together, and what stands against each vendor."""
    one = next(found for found in decided if found is not None and found.operation_id == span[0].operation_id)
    against = [reason for reason in head.reasons if reason.vendor and reason not in one.reasons]
    one.reasons += (Reason("not_together", values=(span[0].operation_no, span[-1].operation_no)), *against)


def lists_of(book: Book) -> Lists:
    """The lists of processes that somebody sells together."""
    found: dict[int, set[tuple[int, ...]]] = {}
    for _, process, _ in book.prices:
        if isinstance(process, tuple):
            found.setdefault(process[0], set()).add(process)
    return {first: sorted(lists, key=lambda one: (-len(one), one)) for first, lists in found.items()}


def sold(
    chain: Chain, decided: Sequence[Decided | None], lists: Lists, policies: Mapping[int, PolicyValues]
) -> list[Span]:
    """Operations that all go out, none begun or ordered, and that somebody sells together; the longest list goes first."""
    found: list[Span] = []
    taken = -1
    for index, operation in enumerate(chain.operations):
        if index <= taken or operation.process_id is None:
            continue
        for processes in lists.get(operation.process_id, ()):
            span = _matching(chain, decided, index, processes)
            if span and _vendors(span, chain, decided, policies) != frozenset():
                found.append(span)
                taken = max(span)
                break
    return found


def joined(
    chain: Chain,
    span: Span,
    decided: Sequence[Decided | None],
    book: Book,
    policies: Mapping[int, PolicyValues],
) -> OperationFacts:
    """The operations as if they were one: it takes the first one's place, starts with it and is needed when the last is."""
    mine = [chain.operations[index] for index in span]
    first, last = mine[0], mine[-1]
    return replace(
        first,
        is_open=any(one.is_open for one in mine),
        outsourced=first.outsourced if all(one.outsourced == first.outsourced for one in mine) else "allowed",
        next_nos=last.next_nos,
        planned_end=last.planned_end,
        dates_given=last.dates_given,
        word=next((one.word for one in mine if one.word is not None), None),
        inside_cost=whole.cost(mine, book),
        processes=tuple(one.process_id or 0 for one in mine),
        last_no=last.operation_no,
        only_vendors=None if first.frozen else _vendors(span, chain, decided, policies),
    )


def _matching(chain: Chain, decided: Sequence[Decided | None], first: int, processes: tuple[int, ...]) -> Span:
    places: list[int] = []
    for process_id in processes:
        if not places:
            index = first
        else:
            following = chain.after[places[-1]]
            if len(following) != 1 or len(chain.before[following[0]]) != 1:
                return ()
            index = following[0]
        if chain.operations[index].process_id != process_id or not _goes_out(chain.operations[index], decided[index]):
            return ()
        places.append(index)
    return tuple(places)


def _goes_out(operation: OperationFacts, decided: Decided | None) -> bool:
    if (
        decided is None
        or decided.verdict not in ("outsource", "blocked")
        or decided.basis not in ("policy", "work_center")
    ):
        return False
    return not (operation.frozen or operation.word or operation.good or operation.scrap)


def _vendors(
    span: Span, chain: Chain, decided: Sequence[Decided | None], policies: Mapping[int, PolicyValues]
) -> frozenset[int] | None:
    """The vendors whom every operation may go to; None where any."""
    found: frozenset[int] | None = None
    for index in span:
        one = decided[index]
        policy = policies.get(one.policy_id) if one is not None and one.policy_id is not None else None
        if policy is None or not policy.vendors:
            continue
        named = frozenset(row.vendor_id for row in policy.vendors)
        found = named if found is None else found & named
    return found
