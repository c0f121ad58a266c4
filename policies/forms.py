"""What planners fill in: policies with a word of help beside every field, and their word on operations."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from masterdata.models import Vendor
from policies.models import Consolidate, Policy, PriceAgreement
from production.models import Word

POLICY_HELP = {
    "code": "Short and lasting: decisions and orders name the policy by it.",
    "name": "What planners call it.",
    "priority": "The lowest number is looked at first. Of equal numbers the policy with more scope fields wins.",
    "valid_from": "Read on the day the operation is planned to start. Blank: from ever.",
    "valid_to": "The last day it applies. Blank: for good.",
    "item": "Only this item. Blank: any.",
    "item_group": "Only items of this group. Blank: any.",
    "process": "Only this kind of work. Blank: any.",
    "work_center": "Only operations planned on this work center. Blank: any.",
    "site": "Only orders of this site. Blank: any.",
    "quantity_from": "Applies from this operation quantity on.",
    "quantity_to": "Applies up to this operation quantity.",
    "season_from": "Applies to operations planned to start on or after this day.",
    "season_to": "Applies to operations planned to start on or before this day.",
    "load_above_pct": "Applies to what overflows: the work center's load in the operation's week is above this percentage.",
    "when_down": "Applies only while the work center is down.",
    "late_days": "Applies when working inside would end this many days (or more) after the need.",
    "cost_below_pct": "Applies when the vendor costs at most this percentage of the cost inside.",
    "transition_from": "From this day on a share of the quantity goes outside.",
    "transition_share_pct": "That share, in whole operations, by the smallest deviation.",
    "verdict": "What happens to operations in scope when all conditions hold.",
    "strategy": "How a vendor is chosen among those that qualify.",
    "split": "Whether one operation may be given to several vendors.",
    "balance_days": "How far back the quota looks at what was given to whom.",
    "consolidate": "Which operations share one order while it is a draft.",
    "auto_approve_up_to": "Orders up to this value (company currency) are approved by themselves. Blank: never.",
    "auto_send": "Approved orders are sent by themselves.",
    "auto_send_wait_minutes": "So long an approved order waits for a person to step in before it is sent.",
    "auto_send_days_before": "So many days before its order-by date an order may send itself, not sooner.",
    "price_missing": "Blocked: no order without a price. Estimate: the last paid price, marked open.",
    "over_receipt_pct": "So much more than ordered may be received.",
    "under_receipt_pct": "A line is complete when no more than this is missing.",
    "over_send_pct": "So much more material than needed may be sent.",
    "price_tolerance_pct": "So far an invoice's price may lie above the order's.",
    "price_tolerance_amount": "So much more than agreed may be asked for a whole invoice line (company currency).",
    "pay_for": "Whether a vendor is paid for the pieces we accept, or for all he made.",
    "quantity_tolerance_pct": "So far an invoice's quantity may lie above what was received.",
    "consumption": "How much of the material at the vendor a receipt uses up.",
    "yield_pct": "Good pieces out of a hundred. Blank: 100. A price agreement's own yield comes first.",
    "use_vendor_stock": "Free material of ours at the vendor is used before more is sent.",
    "shortage": "When the book says that the vendor has too little material for what he delivers.",
    "inspection": "Whether returned pieces are inspected before they are available.",
    "sample_pct": "How many of a hundred are inspected, where a sample is.",
    "certificates": "Kinds of certificate asked for, separated by commas; the process's own are asked for as well.",
    "rejects": "Who bears the cost of rejected pieces.",
    "transit_out_days": "Calendar days from our dock to the vendor.",
    "transit_back_days": "Calendar days from the vendor to our dock.",
    "inspection_days": "Calendar days between our dock and available pieces.",
    "preparation_days": "Calendar days between order and dispatch.",
}


class CommaList(forms.CharField):
    """A list of words as one line, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [word.strip() for word in super().to_python(value).split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial) or "") != self.to_python(data or "")


PRICE_HELP = {
    "vendor": "Whose price it is; a site of his may have prices of its own.",
    "process": "The kind of work. Blank: the item is bought complete.",
    "item": "Only for this item. Blank: for any item the process is done on.",
    "site": "Only for orders of this site. Blank: for all of ours.",
    "unit_price": "Of one price unit. Blank: not agreed yet, so the policy says whether an order may go.",
    "currency": "Blank: the vendor's own.",
    "price_unit": "What the price is for, such as kg or 100 pcs. Blank: one of the item's unit.",
    "price_factor": "How many of the item's unit are in one price unit: 100 for a price of 100 pcs.",
    "minimum_quantity": "It counts from this quantity on. Of several the highest one reached rules, even if it is dearer.",
    "lot_charge": "Added once to each order line.",
    "minimum_charge": "Work below it is filled up to it, as an amount of its own.",
    "minimum_charge_basis": "Whether each line is filled up, or an order's lines of one process together.",
    "freight": "Added once to each order line, and to the landed cost when vendors are compared.",
    "valid_from": "Read on the day of ordering. Blank: from ever.",
    "valid_to": "The last day it counts. Blank: for good. End it here rather than change a price that orders name.",
    "lead_days": "Working days of the vendor from arrival there to ready.",
    "yield_pct": "How many of a hundred pieces come back good. Blank: what the policy says.",
}


class PriceForm(forms.ModelForm):
    class Meta:
        model = PriceAgreement
        exclude: list[str] = []
        help_texts = PRICE_HELP


class PolicyForm(forms.ModelForm):
    certificates = CommaList(required=False, help_text=POLICY_HELP["certificates"])

    class Meta:
        model = Policy
        exclude: list[str] = []
        help_texts = POLICY_HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kinds := self.fields.get(
            "certificates"
        ):  # a field of this form's own: the page translates those of the model
            kinds.label, kinds.help_text = gettext("Certificates"), gettext(POLICY_HELP["certificates"])
        if self.instance._state.adding and "consolidate" in self.fields:
            self.fields["consolidate"].initial = Consolidate.WEEK


class WordForm(forms.Form):
    """The planner's word on the operations chosen before."""

    word = forms.ChoiceField(choices=Word, widget=UnfoldAdminSelectWidget)
    vendor = forms.ModelChoiceField(
        queryset=Vendor.objects.none(),
        required=False,
        empty_label="As the policies choose",
        help_text="Only for outside.",
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        max_length=300,
        help_text="Others read it beside the verdict.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, vendors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vendor"].queryset = vendors  # type: ignore[attr-defined]
        self.fields["vendor"].label_from_instance = lambda vendor: f"{vendor.name or vendor.code} ({vendor.code})"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("word") == Word.INSIDE and data.get("vendor"):
            self.add_error("vendor", "Work kept inside has no vendor. Leave this blank.")
        return data
