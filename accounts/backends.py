"""Permissions out of access rows: a user holds a permission when one of his roles does."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import User
from accounts.rules import role_grants


class AccessBackend(ModelBackend):
    """Signs in by name and password; asks the roles, not per-user permission rows."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        return any(role_grants(role, perm) for role in user_obj.roles)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        return bool(user_obj.roles - {"vendor"})
