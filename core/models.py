"""The one table of the ground: answers kept for repeated requests."""

from core.idempotency import StoredAnswer

__all__ = ["StoredAnswer"]
