"""Which document sets should exist, and what is the difference to those that do. Pure: plain values in, differences out.

One production order at a time (`plan_order`): its decided operations on one side, the lines that stand on the other. What all
orders share, the free stock at vendors, is a pool that is given out in the order of the calls.
"""

from documents.rules.joining import bought_together, followers
from documents.rules.planning import DRAFT_BITS, draft_mark, period_key, plan_order
from documents.rules.standing import withdrawn
from documents.rules.values import ZERO, Difference, DocumentRules, Ground, Key, Need, Plan, Standing, text

__all__ = [
    "DRAFT_BITS",
    "ZERO",
    "Difference",
    "DocumentRules",
    "Ground",
    "Key",
    "Need",
    "Plan",
    "Standing",
    "bought_together",
    "draft_mark",
    "followers",
    "period_key",
    "plan_order",
    "text",
    "withdrawn",
]
