"""Business actions on policies, agreements, approvals and decisions."""
