"""What a user may see: all, or the rows of certain sites and vendors. Every queryset a person reaches is cut by it."""

from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Scope:
    """Sites and vendors a user reaches; `everywhere` for a user whose access names neither."""

    everywhere: bool = False
    site_ids: frozenset[int] = frozenset()
    vendor_ids: frozenset[int] = frozenset()

    def rows(self, *, site: str | None = None, vendor: str | None = None) -> Q:
        """The filter for a table whose columns (or paths) `site` and `vendor` hold the keys. Nothing matches an empty scope."""
        if self.everywhere:
            return Q()
        allowed = Q(pk__in=())
        if site and self.site_ids:
            allowed |= Q(**{f"{site}__in": self.site_ids})
        if vendor and self.vendor_ids:
            allowed |= Q(**{f"{vendor}__in": self.vendor_ids})
        return allowed


class HasScope(Protocol):
    @property
    def scope(self) -> Scope: ...
