"""Business actions on policies, agreements, approvals and decisions."""

from policies.rules.values import (
    AwardValues,
    CommittedLine,
    Decided,
    Frozen,
    OperationFacts,
    OrderFacts,
    Reason,
    WordValues,
)
from policies.services.books import load_book
from policies.services.deciding import (
    HORIZON_DAYS,
    Decider,
    drop_outdated_decisions,
    explain,
    facts_of,
    order_chunks,
    orders_in_horizon,
    write_decisions,
)
from policies.services.history import KIND, policy_contents, record_changes
from policies.services.master import upsert_approvals, upsert_policies, upsert_price_agreements
from policies.services.offers import Offer, compare_offers
from policies.services.standing import AlreadySo, NamesNobody, activate_policy, retire_policy, write_policy
from policies.services.supposing import (
    Change,
    SupposedDowntime,
    SupposedPolicy,
    SupposedPrice,
    suppose,
    terms_that_stand,
)
from policies.services.watching import EndingApproval, ending_approvals, policy_effect, policy_sentence

__all__ = [
    "HORIZON_DAYS",
    "KIND",
    "AlreadySo",
    "AwardValues",
    "Change",
    "CommittedLine",
    "Decided",
    "Decider",
    "EndingApproval",
    "Frozen",
    "NamesNobody",
    "Offer",
    "OperationFacts",
    "OrderFacts",
    "Reason",
    "SupposedDowntime",
    "SupposedPolicy",
    "SupposedPrice",
    "WordValues",
    "activate_policy",
    "compare_offers",
    "drop_outdated_decisions",
    "ending_approvals",
    "explain",
    "facts_of",
    "load_book",
    "order_chunks",
    "orders_in_horizon",
    "policy_contents",
    "policy_effect",
    "policy_sentence",
    "record_changes",
    "retire_policy",
    "suppose",
    "terms_that_stand",
    "upsert_approvals",
    "upsert_policies",
    "upsert_price_agreements",
    "write_decisions",
    "write_policy",
]
