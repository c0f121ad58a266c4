"""Work that vendors were already asked for: it stays with them, and what is missing beyond it is given out."""

from __future__ import annotations

from datetime import date

from policies.rules import conditions
from policies.rules.awarding import Sourcing
from policies.rules.flow import Wanted
from policies.rules.scope import Shelf, scope_key
from policies.rules.settling import FLAG_NO, Outcome, word_outside
from policies.rules.values import BUY_COMPLETE, ZERO, Book, Frozen, OperationFacts, PolicyValues, Reason
from policies.rules.weighing import Scales, row_of


class AtVendors:
    """Says what becomes of an operation that has lines standing (`OperationFacts.frozen`)."""

    def __init__(self, book: Book, shelf: Shelf, scales: Scales, sourcing: Sourcing) -> None:
        self._book = book
        self._shelf = shelf
        self._scales = scales
        self._sourcing = sourcing
        self._policy_by_id = {policy.policy_id: policy for policy in book.policies}

    def stay(self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]) -> Outcome:
        """What a vendor was asked for stays with him; only what is missing beyond it is given out, to him first.

        Unless what is said today would not send it out, or not to him: the verdict then says so, and a person is told.
        """
        word = operation.word
        if word is not None:
            reasons.append(word_outside(word, self._book))
        for line in operation.frozen:
            vendor = self._book.vendors.get(line.vendor_id)
            code = vendor.code if vendor else ""
            reasons.append(Reason("already_ordered", "", code, (line.open, line.received, line.number)))
        said = self._said_today(operation, reasons) if word is None else None
        if isinstance(said, Outcome):
            return said
        if word is not None and word.vendor_id is None:  # to whom, the policies say
            said = self._shelf.sending_out(operation, operation.frozen[0].vendor_id)
        leaving = self.leaving(operation, said, need, reasons)
        return self._give_the_rest(operation, said, wanted, need, reasons)._replace(leaving=leaving)

    def _said_today(self, operation: OperationFacts, reasons: list[Reason]) -> Outcome | PolicyValues | None:
        """What flag and policies say about work a vendor has already: not to go out (an outcome), or by which policy.

        A condition on the moment (load, downtime, lateness, cost, share) was met when the work was given out and is not asked
        again: the work is gone because of it. Nothing where a person, or the work center's own vendor, has the last word.
        """
        if operation.outsourced == "no":
            reasons.append(FLAG_NO)
            return Outcome("in_house", "flag", None)
        start = conditions.start_of(operation)
        by = {line.policy_id for line in operation.frozen}
        for policy in self._shelf.of(scope_key(operation)):
            failure = conditions.not_valid(policy, start) or conditions.fixed_condition_failing(
                policy, operation, start
            )
            if failure is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            if policy.policy_id not in by and conditions.is_of_the_moment(policy):
                continue
            reasons.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
            if policy.verdict == "outsource":
                return policy
            if policy.verdict == BUY_COMPLETE:
                reasons.append(Reason("not_whole", policy.code, "", (operation.operation_no, "ordered")))
            return Outcome("in_house" if policy.verdict == "in_house" else "review", "policy", policy)
        center = self._scales.center_of(operation)
        is_by_policy = any(line.is_by_policy for line in operation.frozen)
        if not is_by_policy or operation.outsourced == "yes" or (center and center.is_external and center.vendor_id):
            return None
        reasons.append(Reason("default_inside", values=(operation.outsourced,)))
        return Outcome("in_house", "default", None)

    def leaving(
        self, operation: OperationFacts, policy: PolicyValues | None, need: date, reasons: list[Reason]
    ) -> tuple[tuple[str, int | None], ...]:
        """Open lines of vendors who may not do them any more, each with the vendor the policy would give it to now."""
        found: list[tuple[str, int | None]] = []
        began = len(reasons)
        for line in operation.frozen:
            if line.open <= ZERO:
                continue
            rules = policy or (self._policy_by_id.get(line.policy_id) if line.policy_id is not None else None)
            against = self._scales.lost(operation, rules, line.vendor_id, line.dispatch_by or line.at_vendor_date)
            if policy is not None and not against and _no_longer_named(line, policy):
                against.append(Reason("not_named", policy.code, self._book.vendors[line.vendor_id].code))
            if policy is None and not against and (moved := self._center_moved(operation, line, need, reasons)):
                found.append((line.number, moved))
                continue
            if not against:
                continue
            reasons.extend(against)
            rest = Wanted(line.open, ZERO, False, operation.decimals)
            offers = self._sourcing.find(operation, rules, rest, need, reasons) if rules is not None else None
            found.append((line.number, offers[0].vendor.vendor_id if offers else None))
        # Weighing who could take it meets again what stands against who has it.
        reasons[began:] = list(dict.fromkeys(reasons[began:]))
        return tuple(found)

    def _center_moved(self, operation: OperationFacts, line: Frozen, need: date, reasons: list[Reason]) -> int | None:
        """The vendor an external work center has by now, where it gave the line to another before and this one can take it."""
        center = self._scales.center_of(operation)
        if center is None or (vendor_id := self._center_names(operation, line)) is None:
            return None
        reasons.append(Reason("center_moved", "", self._book.vendors[line.vendor_id].code, (center.code,)))
        rest = Wanted(line.open, ZERO, False, operation.decimals)
        offer = self._scales.weigh(operation, None, None, vendor_id, rest, need, reasons)
        return offer.vendor.vendor_id if offer is not None else None

    def _center_names(self, operation: OperationFacts, line: Frozen) -> int | None:
        """The other vendor of the external work center that gave the line."""
        center = self._scales.center_of(operation)
        if center is None or not center.is_external or center.vendor_id == line.vendor_id:
            return None
        return None if line.is_by_policy or line.is_by_hand or operation.word is not None else center.vendor_id

    def keeping(self, operation: OperationFacts, said: PolicyValues | None) -> list[Frozen]:
        """The lines whose vendors may get more: the policy that speaks today (`said`), else the work center, still names them."""
        if said is not None:
            return [line for line in operation.frozen if not _no_longer_named(line, said)]
        return [line for line in operation.frozen if self._center_names(operation, line) is None]

    def _give_the_rest(
        self, operation: OperationFacts, said: PolicyValues | None, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """What is missing beyond the sent lines, by the rules they were ordered under, to their vendors first.

        Those who are not named any more get nothing new; where none is left, who speaks today says who does. Where nobody can
        take it the operation is blocked; what is ordered stays.
        """
        word = operation.word
        named = word.vendor_id if word is not None else None
        staying = self.keeping(operation, said)
        center = self._scales.center_of(operation)
        policy, first_id = said, None
        if staying:
            policy = self._policy_by_id.get(staying[0].policy_id) if staying[0].policy_id is not None else None
            first_id = staying[0].vendor_id
        elif said is None and center is not None:
            first_id = center.vendor_id
        if policy is None or policy.verdict in ("in_house", "review") or (named and row_of(policy, named) is None):
            policy = self._shelf.sending_out(operation, named or first_id)
        basis = "word" if word is not None else "policy" if policy is not None else "flag"
        if basis == "flag" and center is not None and center.vendor_id == first_id:
            basis = "work_center"
        if self._sourcing.is_nothing(operation, policy, wanted, []):
            return Outcome("outsource", basis, policy)
        if policy is not None and policy.split != "none" and named is None:
            offers = self._sourcing.find(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", basis, policy, offers or ())
        first_ids = [line.vendor_id for line in staying] or ([first_id] if first_id is not None else [])
        vendor_ids = dict.fromkeys([named] if named is not None else first_ids)
        for vendor_id in vendor_ids:
            offer = self._scales.weigh(operation, policy, row_of(policy, vendor_id), vendor_id, wanted, need, reasons)
            if offer is not None:
                return Outcome("outsource", basis, policy, (offer,))
        if policy is not None and named is None:
            offers = self._sourcing.find(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", basis, policy, offers or ())
        return Outcome("blocked", basis, policy)


def _no_longer_named(line: Frozen, policy: PolicyValues) -> bool:
    """A policy gave its vendor the line, and the one that speaks today names others."""
    return line.is_by_policy and bool(policy.vendors) and row_of(policy, line.vendor_id) is None
