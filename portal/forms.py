"""What a vendor fills in: dates, quantities in parts, a reason. One form a line, with the line's number in its fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from subcontract_orders import services as orders
from subcontract_orders.services import CounteredLine, Part, ToldLine

PARTS = (1, 2, 3)


class QuantityField(forms.DecimalField):
    """A quantity, written with a point or a comma."""

    def to_python(self, value: Any) -> Any:
        text = str(value).strip().replace(" ", "").replace("\u202f", "") if value is not None else ""
        return super().to_python(text.replace(",", ".") if "." not in text else text.replace(",", ""))


class AcceptForm(forms.Form):
    """The day on which he promises a line."""

    promised_date = forms.DateField(required=False, label=_("Promised date"))


class CounterForm(forms.Form):
    """What he can make of a line, in up to three deliveries."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in PARTS:
            self.fields[f"quantity_{number}"] = QuantityField(required=False, max_digits=18, decimal_places=5)
            self.fields[f"date_{number}"] = forms.DateField(required=False)

    def parts(self) -> tuple[Part, ...]:
        found = [Part(self.cleaned_data[f"quantity_{n}"], self.cleaned_data[f"date_{n}"]) for n in PARTS]
        return tuple(part for part in found if part != Part())


class TellForm(forms.Form):
    """How many pieces of a line are ready, or were shipped."""

    quantity = QuantityField(required=False, max_digits=18, decimal_places=5)


class AnswerForm(forms.Form):
    """Why he answers as he does."""

    reason = forms.CharField(required=False, max_length=300)


class ToldForm(forms.Form):
    """What he tells of, since when."""

    what = forms.ChoiceField(choices=[("ready", _("Ready")), ("shipped", _("Shipped"))])
    on = forms.DateField()
    note = forms.CharField(required=False, max_length=300)


class Unreadable(orders.NotOfThisState):
    """Something typed is no date or no quantity."""

    code = "invalid"


def promised(data: Any, line_nos: list[int]) -> dict[int, Any]:
    """The days promised, by line. Raises Unreadable."""
    forms_ = {no: _valid(AcceptForm(data, prefix=f"line{no}")) for no in line_nos}
    days = {no: form.cleaned_data["promised_date"] for no, form in forms_.items()}
    return {no: day for no, day in days.items() if day}


def countered(data: Any, line_nos: list[int]) -> list[CounteredLine]:
    """What is offered for each line that says something. Raises Unreadable."""
    found = []
    for no in line_nos:
        parts = _valid(CounterForm(data, prefix=f"line{no}")).parts()
        if parts:
            found.append(CounteredLine(no, parts))
    return found


def told(data: Any, line_nos: list[int]) -> list[ToldLine]:
    """The pieces told of, of each line with a quantity. Raises Unreadable."""
    found = []
    for no in line_nos:
        quantity = _valid(TellForm(data, prefix=f"line{no}")).cleaned_data["quantity"]
        if quantity is not None:
            found.append(ToldLine(no, quantity))
    return found


def _valid(form: Any) -> Any:
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise Unreadable(
            _("Line %(line)s, %(field)s: %(error)s")
            % {
                "line": form.prefix.removeprefix("line"),
                "field": field.replace("_", " ").rstrip(" 123"),
                "error": " ".join(errors),
            }
        )
    return form
