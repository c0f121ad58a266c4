"""What a person keeps of the pages."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django.urls import Resolver404, resolve

from accounts.models import User
from core.refusals import InvalidInput, NotFound
from workbench.models import SavedView

NOT_KEPT = ("page", "format")
MOST_VIEWS = 30
"""Of one person on one list; more is a search, not a choice."""


class TooManyViews(InvalidInput):
    """A person keeps no more views of one list."""

    code = "too_many_views"


def save_view(*, user: User, path: str, name: str, query: str) -> SavedView:
    """Keep a list as it is filtered now; under a name that is taken it takes that view's place.

    Raises InvalidInput (no name, or no list of ours), TooManyViews.
    """
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise InvalidInput("Give the view a name of at most 60 letters.", field="name")
    try:
        resolve(path)
    except Resolver404:
        raise InvalidInput("There is no such list.", field="path") from None
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key not in NOT_KEPT])
    if len(kept) > 500 or len(path) > 100:
        raise InvalidInput("These filters are too long to be kept.", field="query")
    views = SavedView.objects.of(user, path=path)
    if views.exclude(name=name).count() >= MOST_VIEWS:
        raise TooManyViews(f"You keep {MOST_VIEWS} views of this list; forget one first.", field="name")
    view, _made = SavedView.objects.update_or_create(user=user, path=path, name=name, defaults={"query": kept})
    return view


def forget_view(*, user: User, view_id: int) -> SavedView:
    """Forget one of a person's own views. Raises NotFound."""
    view = SavedView.objects.filter(user=user, pk=view_id).first()
    if view is None:
        raise NotFound("You keep no such view.", field="view")
    SavedView.objects.filter(pk=view.pk).delete()
    return view
