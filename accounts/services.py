"""Business actions on users and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import Access, ApiToken, User
from accounts.rules import role_grants
from core.refusals import Refusal


def create_token(*, user: User, name: str, at: datetime, expires_at: datetime | None = None) -> str:
    """Make a bearer token and return its secret, which is shown once and kept only as a digest."""
    secret = f"ow_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(user=user, name=name, digest=_digest(secret), created_at=at, expires_at=expires_at)
    return secret


@transaction.atomic
def find_token(*, secret: str, at: datetime) -> ApiToken | None:
    """The token with this secret, where it has not expired and its user is active."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), digest=_digest(secret), user__is_active=True)
        .first()
    )
    # Once a minute is enough to see whether a token is in use; more would write on every call.
    if token and (token.last_used_at is None or at - token.last_used_at > timedelta(minutes=1)):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return token


@transaction.atomic
def give_role(
    *,
    user: User,
    role: str,
    site_id: int | None = None,
    vendor_id: int | None = None,
    approval_limit: Decimal | None = None,
) -> Access:
    """Give a user a role everywhere, within a site or for a vendor; again with another limit sets the limit."""
    access, _ = Access.objects.update_or_create(  # type: ignore[misc]  # None is looked up as NULL
        user=user, role=role, site_id=site_id, vendor_id=vendor_id, defaults={"approval_limit": approval_limit}
    )
    let_into_planning(user_id=user.pk)
    return access


class UnknownLanguage(Refusal):
    """A language the product does not speak."""

    code = "unknown_language"
    status = 422


class UnknownTimeZone(Refusal):
    """A name that is no time zone."""

    code = "unknown_time_zone"
    status = 422


def set_preferences(*, user: User, language: str, time_zone: str) -> User:
    """Keep the language and the time zone a person reads in; blank is the browser's language, the company's zone.

    Raises UnknownLanguage, UnknownTimeZone.
    """
    languages = [code for code, _name in settings.LANGUAGES]
    if language and language not in languages:
        raise UnknownLanguage(f"{language} is none of {', '.join(languages)}.", field="language")
    if time_zone and time_zone not in available_timezones():
        raise UnknownTimeZone(f"{time_zone} is no time zone; write one like Europe/Berlin.", field="time_zone")
    user.language, user.time_zone = language, time_zone
    user.save(update_fields=["language", "time_zone"])
    return user


def let_into_planning(*, user_id: int) -> None:
    """Make Django's staff flag, which opens the planning pages, say what the user's roles say."""
    roles = Access.objects.filter(user_id=user_id).values_list("role", flat=True)
    User.objects.filter(pk=user_id, is_superuser=False).update(
        is_staff=any(role_grants(role, "staff") for role in roles)
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
