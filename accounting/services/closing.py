"""Closing months, reopening the last one, and naming the company's accounts."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from accounting.models import Account, Closing, Role
from accounting.rules.postings import last_of_month
from accounting.services.journal import lock_journal, write_journal
from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, Refusal, WrongState
from masterdata import services as masterdata

KIND = "period"


class AlreadyClosed(WrongState):
    """The month, or a later one, is closed."""

    code = "closed"


class PeriodNotOver(Refusal):
    """A month is closed when it is over."""

    code = "wrong_state"


def closed_through() -> date | None:
    """The last closed day; none where no period is closed."""
    last: date | None = Closing.objects.filter(reopened_at__isnull=True).aggregate(last=Max("through"))["last"]
    return last


@transaction.atomic
def close_period(*, month: date, by: User | None, at: datetime, through: str = "page") -> Closing:
    """Close a month and all before it. What happened in it and is known by now is journalled first; what becomes known later
    counts on the first day of the next month. Raises AlreadyClosed, PeriodNotOver.
    """
    last = last_of_month(month)
    if last >= masterdata.company_date(at=at):
        raise PeriodNotOver(f"{last:%B %Y} is not over; it can be closed from the day after {last} on.", field="month")
    write_journal(at=at, wait=True)
    closed = closed_through()
    if closed is not None and last <= closed:
        raise AlreadyClosed(f"Everything up to {closed} is closed already.", field="month")
    made = Closing.objects.create(through=last, closed_at=at, closed_by=by)
    activity.record("period.closed", kind=KIND, number=f"{last:%Y-%m}", at=at, by=by, through=through)
    return made


@transaction.atomic
def reopen_period(*, reason: str, by: User | None, at: datetime, through: str = "page") -> date | None:
    """Open the month that was closed last; entries keep the day they were posted on. Returns the last day still closed.

    Raises WrongState, InvalidInput.
    """
    if not reason.strip():
        raise InvalidInput("Say why it is reopened.", field="reason")
    lock_journal()
    last = Closing.objects.select_for_update().filter(reopened_at__isnull=True).order_by("-through").first()
    if last is None:
        raise WrongState("No period is closed.")
    last.reopened_at, last.reopened_by, last.reason = at, by, reason.strip()[:200]
    last.save()
    number = f"{last.through:%Y-%m}"
    activity.record("period.reopened", kind=KIND, number=number, at=at, by=by, through=through, data={"reason": reason})
    return closed_through()


@transaction.atomic
def set_account(
    *, role: str, code: str, name: str = "", by: User | None, at: datetime, through: str = "page"
) -> Account:
    """Say which account of the books takes what has a role. Raises InvalidInput."""
    if role not in Role.values:
        raise InvalidInput(f"Roles are {', '.join(Role.values)}; '{role}' is none.", field="role")
    if not code.strip():
        raise InvalidInput("Name the account.", field="code")
    account, _ = Account.objects.update_or_create(
        role=role, defaults={"code": code.strip()[:30], "name": name.strip()[:100]}
    )
    activity.record(
        "account.set", kind="account", number=role, at=at, by=by, through=through, data={"code": account.code}
    )
    return account
