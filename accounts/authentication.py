"""Bearer tokens for other systems."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import services
from accounts.models import User


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`; the token is kept hashed."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The authorization header must read: Bearer <token>.")
        token = services.find_token(secret=parts[1].decode("latin-1"), at=timezone.now())
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or belongs to a user who is not active.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
