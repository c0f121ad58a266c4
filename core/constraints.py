"""What the database would not keep, said so that a person can act on it. The database's own text is for the log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError
from django.db.models import BaseConstraint, CheckConstraint, F, Model, Q, UniqueConstraint

from core.refusals import Refusal


class NotKept(Refusal):
    """The database refused values that no check before had found; nothing of the transaction was written."""

    code = "invalid"
    status = 422


# Named constraints of the database that say something better than "duplicate" or "invalid".
CODES = {
    "order_line_one_draft": "already_ordered",
    "balance_not_below_zero": "not_enough_stock",
    "stock_lies_or_lay_there": "in_use",
}
TOO_LARGE = (
    "A number is too large to be kept, or what is reckoned from it is, such as a quantity times its price: "
    "13 digits stand before the decimal point at most."
)


def said_of(problem: Exception) -> str:
    """What a page says of work that failed in the background."""
    if isinstance(problem, IntegrityError | DataError):
        return not_kept(problem).detail
    return problem.detail if isinstance(problem, Refusal) else f"{type(problem).__name__}: {problem}"


def not_kept(problem: DatabaseError) -> NotKept:
    """The refusal for what the database broke off: its code, a sentence with the fields it is about, an HTTP status."""
    cause = problem.__cause__
    state = getattr(cause, "pgcode", None) or ""
    if isinstance(problem, DataError):
        return NotKept(_of_one_value(state, str(problem)))
    diagnosis = getattr(cause, "diag", None)
    name, table, column = (
        getattr(diagnosis, part, None) or "" for part in ("constraint_name", "table_name", "column_name")
    )
    model = next((model for model in apps.get_models() if model._meta.db_table == table), None)
    what = str(model._meta.verbose_name) if model else "row"
    rule = next((rule for rule in model._meta.constraints if rule.name == name), None) if model else None
    code, status, text = _SAID.get(state, _UNKNOWN)
    fields = [column] if column else [*_fields_of(rule), *_unique_field(model, rule, name)]
    said = text.format(
        what=what, fields=_listed(fields) or "values", rule=_words(name) or "they contradict one another"
    )
    if rule is not None and rule.violation_error_message != rule.default_violation_error_message:
        said = str(rule.violation_error_message)
    refusal = NotKept(said, code=CODES.get(name, code), field=fields[0] if len(fields) == 1 else None)
    refusal.status = 409 if name in CODES else status
    return refusal


_SAID = {
    "23505": ("duplicate", 409, "There is already one {what} with the same {fields}; change that one, or give another value."),
    "23503": ("in_use", 409, "Something else refers to this {what}, or what it refers to is gone."),
    "23502": ("required", 422, "Every {what} needs its {fields}; fill it in."),
    "23514": ("invalid", 422, "The {fields} of one {what} cannot be so ({rule}); put them right."),
    "23P01": ("overlap", 409, "It overlaps with another {what}; put one of them right."),
}  # fmt: skip
_UNKNOWN = ("conflict", 409, "The values of one {what} do not go together ({rule}); put them right.")


def _of_one_value(state: str, said: str) -> str:
    if state == "22003":
        return TOO_LARGE
    if state == "22001":
        most = re.search(r"\d+", said)
        return f"A text is too long; {f'at most {most[0]} characters are' if most else 'a shorter one is'} kept there."
    return "A value is not of the kind its field holds."


def _fields_of(rule: BaseConstraint | None) -> list[str]:
    found: Iterable[str] = ()
    if isinstance(rule, UniqueConstraint):
        found = rule.fields
    elif isinstance(rule, CheckConstraint):
        found = _named_in(rule.condition)
    return list(dict.fromkeys(found))


def _unique_field(model: type[Model] | None, rule: BaseConstraint | None, name: str) -> list[str]:
    """A field that is unique by itself has a constraint Django named after it."""
    if model is None or rule is not None:
        return []
    columns = (str(field.column) for field in model._meta.concrete_fields if field.unique and not field.primary_key)
    return [column for column in columns if f"_{column}_" in name.removeprefix(model._meta.db_table)]


def _named_in(condition: Any) -> Iterator[str]:
    if isinstance(condition, Q):
        for child in condition.children:
            yield from _named_in(child)
    elif isinstance(condition, tuple):
        name, value = condition
        yield name.partition("__")[0]
        if not isinstance(value, tuple):  # a range holds values, no further condition
            yield from _named_in(value)
    elif isinstance(condition, F):
        yield condition.deconstruct()[1][0].partition("__")[0]
    elif hasattr(condition, "get_source_expressions"):
        for part in condition.get_source_expressions():
            yield from _named_in(part)


def _listed(fields: list[str]) -> str:
    words = [_words(name) for name in fields]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
