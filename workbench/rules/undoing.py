"""What a message offers to take back: the address stands among the message's tags, beside what a phone may forget now."""

from __future__ import annotations

MARK = "undo:"


def offering(address: str, tags: str = "") -> str:
    """Tags of a message that can be undone by a POST to this address."""
    return f"{tags} {MARK}{address}".strip()


def undo_of(tags: str) -> str:
    """The address that takes it back; blank where nothing does."""
    return tags.partition(MARK)[2]


def tags_of(tags: str) -> str:
    """The other tags."""
    return tags.partition(MARK)[0].strip()
