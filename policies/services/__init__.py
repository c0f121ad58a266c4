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
from policies.services.acting import (
    EndingApproval,
    MayNotActivate,
    NamesNobody,
    activate_policy,
    ending_approvals,
    policy_sentence,
    retire_policy,
)
from policies.services.deciding import (
    HORIZON_DAYS,
    Decider,
    Overrides,
    drop_outdated_decisions,
    explain,
    facts_of,
    order_chunks,
    orders_in_horizon,
    write_decisions,
)
from policies.services.master import upsert_approvals, upsert_policies, upsert_price_agreements

__all__ = [
    "HORIZON_DAYS",
    "AwardValues",
    "CommittedLine",
    "Decided",
    "Decider",
    "EndingApproval",
    "Frozen",
    "MayNotActivate",
    "NamesNobody",
    "OperationFacts",
    "OrderFacts",
    "Overrides",
    "Reason",
    "WordValues",
    "activate_policy",
    "drop_outdated_decisions",
    "ending_approvals",
    "explain",
    "facts_of",
    "order_chunks",
    "orders_in_horizon",
    "policy_sentence",
    "retire_policy",
    "upsert_approvals",
    "upsert_policies",
    "upsert_price_agreements",
    "write_decisions",
]
