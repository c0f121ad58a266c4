"""What happened to a document, as its page tells it."""

from __future__ import annotations

from typing import Any

from activity.models import Event
from workbench import rules
from workbench.rules import sentences

SHOWN = 30


def history(kind: str, number: str) -> list[dict[str, Any]]:
    """The events of a document, the newest first."""
    entries = []
    events = Event.objects.of(kind=kind, number=number).select_related("by").order_by("-pk")[:SHOWN]
    for event in events:
        tone, glyph = rules.event_look(event.name)
        word = rules.words(event.name.rpartition(".")[2])
        said = str(event.data.get("detail") or event.data.get("reason") or "")
        entries.append(
            {
                "tone": tone,
                "glyph": glyph,
                "text": f"{word}: {sentences.told(said)}" if said else word,
                "at": event.at,
                "who": (event.by.get_full_name() or event.by.username) if event.by else rules.words(event.through),
            }
        )
    return entries
