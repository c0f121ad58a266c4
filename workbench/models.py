"""What a person keeps of the pages: a list, filtered as he likes it, under a name of his own."""

from __future__ import annotations

from typing import Self

from django.db import models

from accounts.models import User


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def of(self, user: User, *, path: str) -> Self:
        return self.filter(user=user, path=path)


class SavedView(models.Model):
    """A list with its filters, as it stands in the address: `path` is the list's, `query` what follows the question mark."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    path = models.CharField(max_length=100)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path", "name"], name="saved_view_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}"
