"""The filters of the lists, as they stand in the address. A value that cannot be read is no filter."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms

from activity.models import Severity
from subcontract_orders.models import OrderStatus


class ListFilters(forms.Form):
    """Every filter any list knows; each list applies its own."""

    q = forms.CharField(required=False, max_length=100)
    tab = forms.CharField(required=False, max_length=20)
    vendor = forms.CharField(required=False, max_length=60)
    site = forms.CharField(required=False, max_length=60)
    status = forms.ChoiceField(required=False, choices=OrderStatus.choices)
    severity = forms.ChoiceField(required=False, choices=Severity.choices)
    verdict = forms.CharField(required=False, max_length=10)
    run = forms.CharField(required=False, max_length=20)
    late = forms.BooleanField(required=False)
    due = forms.IntegerField(required=False, min_value=0, max_value=366)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for."""

    q: str = ""
    tab: str = ""
    vendor: str = ""
    site: str = ""
    status: str = ""
    severity: str = ""
    verdict: str = ""
    run: str = ""
    late: bool = False
    due: int | None = None

    @property
    def active(self) -> bool:
        """Whether anything but the tab narrows the list."""
        return bool(
            self.q
            or self.vendor
            or self.site
            or self.status
            or self.severity
            or self.run
            or self.late
            or self.due is not None
        )


def read_filters(data: object) -> Filters:
    """The filters out of a query string."""
    form = ListFilters(data)  # type: ignore[arg-type]
    form.is_valid()
    return Filters(**{name: value for name, value in form.cleaned_data.items() if value not in (None, "")})
