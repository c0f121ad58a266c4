"""What Outwork says when it will not do a thing: a stable code, a sentence a person can act on, a field, an HTTP status."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


class Refusal(ValidationError):
    """A business refusal. Subclasses name the state and set `code`; forms, admin and API show it as it is.

    `field` names the input at fault, `status` is the HTTP status of the API's answer. Django's own ValidationError
    forgets a code given as a class attribute, which is why this class exists.
    """

    code: str = "refused"
    status: int = 409

    def __init__(self, detail: str, *, code: str | None = None, field: str | None = None) -> None:
        self.detail = detail
        self.field = field
        super().__init__(detail, code=code or type(self).code)
        # ValidationError sets the instance attribute only for single messages; state it for every path.
        self.code = code or type(self).code

    def __str__(self) -> str:
        return self.detail

    def as_error(self) -> dict[str, Any]:
        """One entry of the `errors` list of a problem document."""
        return {"code": self.code, "field": self.field, "detail": self.detail}

    def for_form(self) -> dict[str, list[str]]:
        return {self.field or NON_FIELD_ERRORS: [self.detail]}


class NotFound(Refusal):
    """A code or number that names nothing (or nothing this user may see)."""

    code = "not_found"
    status = 404


class InvalidQuantity(Refusal):
    """A quantity that is not a number above zero."""

    code = "invalid_quantity"
    status = 422


class TooPrecise(Refusal):
    """More decimals than the unit (or the currency) has."""

    code = "too_precise"
    status = 422


class InvalidInput(Refusal):
    """A value that cannot be read as what its field holds."""

    code = "invalid"
    status = 422


class InvalidDate(InvalidInput):
    """A day that cannot be, such as an end before its start, or one in another century."""

    code = "invalid_date"


class WrongState(Refusal):
    """The document is not in a state that allows this."""

    code = "wrong_state"
    status = 409


class Stale(Refusal):
    """Somebody changed it since it was read."""

    code = "stale"
    status = 412


class NoRight(Refusal):
    """The user has no right to this, or his limit is lower."""

    code = "no_right"
    status = 403


class Refusals(Refusal):
    """Several refusals of one input (the bad rows of a file, the lines of a document)."""

    code = "invalid"
    status = 422

    def __init__(self, refusals: Sequence[Refusal], detail: str | None = None) -> None:
        self.refusals = list(refusals)
        first = self.refusals[0]
        super().__init__(detail or first.detail, code=first.code, field=first.field)
        self.status = first.status

    def as_errors(self) -> list[dict[str, Any]]:
        return [refusal.as_error() for refusal in self.refusals]
