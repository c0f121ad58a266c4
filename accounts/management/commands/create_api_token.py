"""`manage.py create_api_token USER [--name NAME] [--days N] [--json]`: a bearer token for another system."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import services
from accounts.models import User


class Command(BaseCommand):
    help = "Make a bearer token of a user. It is shown this once and kept only as a digest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user the other system acts as")
        parser.add_argument("--name", default="API", help="what the token is for")
        parser.add_argument("--days", type=int, help="it expires after so many days; left out: never")
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}.")
        if options["days"] is not None and not 0 < options["days"] < 10_000:
            raise CommandError("--days is a number of days above zero.")
        now = timezone.now()
        expires_at = now + timedelta(days=options["days"]) if options["days"] else None
        token = services.create_token(user=user, name=options["name"][:100], at=now, expires_at=expires_at)
        if options["json"]:
            until = expires_at.isoformat() if expires_at else None
            self.stdout.write(json.dumps({"user": user.username, "token": token, "expires_at": until}))
        else:
            self.stdout.write(token)
