"""What a planner supposes on the simulation page, as the API takes it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from masterdata.models import Item, Process, Vendor, WorkCenter
from masterdata.services import company_date
from policies.models import ChargeBasis, Policy, PolicyStatus
from policies.serializers import SimulateSerializer
from policies.services import Change, terms_that_stand

ROWS = (1, 2, 3)
COLUMNS = (
    ("priority", _("Priority")),
    ("quantity_from", _("Quantity from")),
    ("quantity_to", _("Quantity to")),
    ("load_above_pct", _("Load above %")),
    ("late_days", _("Days late inside")),
    ("cost_below_pct", _("Cost at most % of inside")),
    ("transition_share_pct", _("Share that moves out, %")),
    ("strategy", _("Strategy")),
    ("split", _("Split")),
    ("vendors", _("Vendors, in rank order (V1, V2)")),
    ("consolidate", _("Consolidate")),
    ("transit_out_days", _("Transit out, days")),
    ("transit_back_days", _("Transit back, days")),
)
"""Columns of a policy that can be tried with another value on the page; the API takes all."""


class SimulationForm(forms.Form):
    """Policies taken as in force or left out, other values for them, vendors lost, machines down, new prices."""

    policies = forms.MultipleChoiceField(required=False, label=_("Taken as in force"))
    left_out = forms.MultipleChoiceField(required=False, label=_("Left out"))
    vendors_lost = forms.CharField(
        required=False, max_length=600, label=_("Vendors lost"), help_text=_("Codes, with commas between them.")
    )

    def __init__(self, data: QueryDict | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        known = list(Policy.objects.order_by("priority", "code").values_list("code", "name", "status"))
        words = {code: f"{code} {name}".strip() for code, name, _status in known}
        drafts = [(code, words[code]) for code, _name, status in known if status != PolicyStatus.ACTIVE]
        active = [(code, words[code]) for code, _name, status in known if status == PolicyStatus.ACTIVE]
        self.fields["policies"].choices = [*drafts, *active]  # type: ignore[attr-defined]
        self.fields["left_out"].choices = active  # type: ignore[attr-defined]
        every = [("", "–"), *((code, words[code]) for code, _name, _status in known)]
        for n in ROWS:
            self.fields[f"change_{n}_policy"] = forms.ChoiceField(required=False, choices=every)
            self.fields[f"change_{n}_column"] = forms.ChoiceField(required=False, choices=[("", "–"), *COLUMNS])
            self.fields[f"change_{n}_value"] = forms.CharField(required=False, max_length=200)
            self.fields[f"down_{n}_work_center"] = forms.CharField(required=False, max_length=60)
            self.fields[f"down_{n}_start"] = forms.DateField(required=False)
            self.fields[f"down_{n}_end"] = forms.DateField(required=False)
            self.fields[f"down_{n}_start"].widget = forms.DateInput(attrs={"type": "date"})
            self.fields[f"down_{n}_end"].widget = forms.DateInput(attrs={"type": "date"})
            for name in ("vendor", "process", "item"):
                self.fields[f"price_{n}_{name}"] = forms.CharField(required=False, max_length=60)
            self.fields[f"price_{n}_unit_price"] = forms.DecimalField(required=False, max_digits=18, decimal_places=5)
            self.fields[f"price_{n}_lead_days"] = forms.IntegerField(required=False, min_value=0)

        for field, known in (
            ("down_{}_work_center", "work_centers"), ("price_{}_vendor", "vendors"), ("price_{}_process", "processes"),
            ("price_{}_item", "items"),
        ):  # fmt: skip
            for n in ROWS:
                self.fields[field.format(n)].widget.attrs["list"] = f"known-{known}"

    def asked(self) -> dict[str, Any]:
        """What is supposed, in the words of the API."""
        said = self.cleaned_data
        policies: dict[str, dict[str, Any]] = {code: {"code": code} for code in said["policies"]}
        for code in said["left_out"]:
            policies[code] = {"code": code, "in_force": False}
        downtimes, prices = [], []
        for n in ROWS:
            code, column = said[f"change_{n}_policy"], said[f"change_{n}_column"]
            if code and column:
                policies.setdefault(code, {"code": code})[column] = _value(column, said[f"change_{n}_value"])
            if said[f"down_{n}_work_center"]:
                days = {name: said[f"down_{n}_{name}"] for name in ("start", "end")}
                row = {name: day and day.isoformat() for name, day in days.items()}
                downtimes.append({"work_center": said[f"down_{n}_work_center"], **row})
            if said[f"price_{n}_vendor"]:
                price = {
                    name: said[f"price_{n}_{name}"] for name in ("vendor", "process", "item", "unit_price", "lead_days")
                }
                given = {name: str(value) for name, value in price.items() if value not in (None, "")}
                prices.append({**_terms(given), **given})
        found: dict[str, Any] = {
            "policies": list(policies.values()),
            "vendors_lost": [code.strip() for code in said["vendors_lost"].split(",") if code.strip()],
            "downtimes": downtimes,
            "prices": prices,
        }
        return {name: value for name, value in found.items() if value}

    def change(self) -> Change | None:
        """The change, or None with errors on the form where the API would refuse it."""
        said = SimulateSerializer(data=self.asked())
        if not said.is_valid():
            for name, errors in said.errors.items():
                self.add_error(None, f"{name.replace('_', ' ')}: {_first(errors)}")
            return None
        return said.change()

    @property
    def rows(self) -> list[dict[str, list[Any]]]:
        """The rows of the page: other values, downtimes, prices."""
        names = {
            "change": ("policy", "column", "value"),
            "down": ("work_center", "start", "end"),
            "price": ("vendor", "process", "item", "unit_price", "lead_days"),
        }
        return [{kind: [self[f"{kind}_{n}_{name}"] for name in fields] for kind, fields in names.items()} for n in ROWS]

    @staticmethod
    def known() -> dict[str, list[str]]:
        """Codes offered while one types."""
        return {
            "vendors": list(
                Vendor.objects.filter(is_active=True).order_by("code").values_list("code", flat=True)[:500]
            ),
            "work_centers": list(WorkCenter.objects.order_by("code").values_list("code", flat=True)[:500]),
            "processes": list(Process.objects.order_by("code").values_list("code", flat=True)[:500]),
            "items": list(Item.objects.order_by("code").values_list("code", flat=True)[:200]),
        }


def _terms(price: Mapping[str, str]) -> dict[str, str]:
    """What stays as it is where another price is tried, as it is typed."""
    stands = terms_that_stand(
        vendor=price["vendor"],
        process=price.get("process", ""),
        item=price.get("item", ""),
        on=company_date(at=timezone.now()),
    )
    usual = {"price_factor": Decimal(1), "minimum_charge_basis": ChargeBasis.LINE}
    if stands.pop("per_unit_id", None):
        del stands["price_factor"]  # the unit says it
    return {name: str(value) for name, value in stands.items() if value and value != usual.get(name)}


def _value(column: str, text: str) -> Any:
    text = text.strip()
    if column == "vendors":
        return [code.strip() for code in text.split(",") if code.strip()]
    return text or None


def _first(errors: Any) -> str:
    """The first sentence of errors as a serializer nests them."""
    while isinstance(errors, list | dict):
        if not errors:
            return ""
        errors = next(iter(errors.values())) if isinstance(errors, dict) else next((one for one in errors if one), "")
    return str(errors)
