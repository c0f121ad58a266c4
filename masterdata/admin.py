"""Master data that no verdict reads. What moves the plan (items, vendors, work centers …) is in production.admin."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from masterdata.models import Company, Currency, ExternallyKnown, Location, NumberRange

ELSEWHERE = ["source", "external_refs"]

# These two are for the admin rooms of the apps above, too: what is read only is so everywhere in the same words.


def never(model_admin: Any, request: HttpRequest, obj: Any = None) -> bool:
    """Nobody does this here, whatever his role."""
    return False


def plain(number: Decimal | int | None) -> str:
    """1200.50000 as 1,200.5, in German 1.200,5: five decimals are for counting, not for reading."""
    if number is None:
        return "–"
    number = Decimal(number)
    decimals = max(-int(number.normalize().as_tuple().exponent), 0)
    return number_format(number, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def money(amount: Decimal, decimals: int = 2) -> str:
    """An amount as its reader writes it: 1,864.20, in German 1.864,20."""
    return number_format(amount, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def said(text: str) -> SafeString:
    """A word or sentence in the language of who reads it. Templates know the sentences of all apps, this room does not."""
    return render_to_string("admin/said.html", {"text": text}).strip()  # type: ignore[return-value]


LISTS = ("list_display", "readonly_fields", "actions_detail", "actions_list", "actions_row", "actions")
"""Where a model admin names what has a heading of its own."""


class WordsDropdownFilter(ChoicesDropdownFilter):
    """A filter by a choice, its words in the language of who reads them."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        for shown in super().choices(changelist):
            for field in shown["form"].fields.values():
                field.choices = [(value, _read(word)) for value, word in field.choices]
            yield shown


def line_of(line: Any) -> str:
    """A line of a document as people name it: SC-00001 line 2."""
    return gettext("{order} line {no}").format(order=line.order.number, no=line.line_no)


def _spoken(column: Callable[..., Any]) -> Callable[..., Any]:
    """A column whose text is said in the language of who reads it."""

    @wraps(column)
    def spoken(shown: Any, row: Model) -> Any:
        text = column(shown, row)
        return said(text) if isinstance(text, str) and not isinstance(text, SafeString) and text else text

    return spoken


class Translated:
    """Headings, labels, choices, columns and help in the language of who reads them, as far as known; written in English."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, column in list(vars(cls).items()):
            if hasattr(column, "short_description") and not hasattr(column, "label") and name.startswith("show_"):
                setattr(cls, name, _spoken(column))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = (getattr(self, name, None) or () for name in LISTS)
        for name in (name for names in lists for name in names if isinstance(name, str)):
            column = getattr(type(self), name, None)
            if callable(column) and isinstance(said := getattr(column, "short_description", None), str):
                column.short_description = gettext_lazy(said)  # type: ignore[attr-defined]
        if isinstance(rows := getattr(self, "verbose_name_plural", None), str):
            self.verbose_name_plural = gettext_lazy(rows[:1].upper() + rows[1:])

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._in_words(name) for name in super().get_list_display(request)]  # type: ignore[misc]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        found = super().get_list_filter(request)  # type: ignore[misc]
        return [
            (one[0], WordsDropdownFilter) if isinstance(one, tuple) and one[1] is ChoicesDropdownFilter else one
            for one in found
        ]

    def _in_words(self, name: Any) -> Any:
        """A column of choices by their words; any other as it is."""
        fields = self.model._meta.fields  # type: ignore[attr-defined]
        field = next((field for field in fields if field.name == name and field.choices), None)
        if field is None:
            return name

        @display(description=field.verbose_name, ordering=name)
        def word(row: Model) -> str:
            return str(_read(getattr(row, f"get_{name}_display")()))

        return word

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            field.label, field.help_text = _read(field.label), _read(field.help_text)
            field.label = str(field.label).replace(" pct", " %")
            if isinstance(field, forms.ModelChoiceField):
                field.label_from_instance = called
            elif isinstance(field, forms.DecimalField):
                field.prepare_value = _without_zeros
            if db_field.choices:
                field.choices = [(value, _read(word)) for value, word in field.choices]
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [
            (_read(name), {**said, "description": _read(said.get("description"))})
            for name, said in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]


def called(row: Model) -> str:
    """A row as a search box offers it: its code, and its name where it has another."""
    name = getattr(row, "name", "")
    return f"{row} · {name}" if name and name != str(row) else str(row)


def _without_zeros(value: Any) -> Any:
    """A kept number as a person would type it: 47.87000 as 47.87. What somebody typed stays as it is."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _read(text: Any) -> Any:
    return gettext(str(text)[:1].upper() + str(text)[1:]) if text else text


class MasterDataAdmin(Translated, ModelAdmin):
    """Rows that others name, and that may be out of use."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The search boxes of other pages offer nothing that is out of use; the list of it still does."""
        if request.path == reverse("admin:autocomplete") and any(f.name == "is_active" for f in self.opts.fields):
            queryset = queryset.filter(is_active=True)
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """What other systems call a row stands on a tab of its own, the last one."""
        found = super().get_fieldsets(request, obj)
        if not issubclass(self.model, ExternallyKnown):
            return found
        own = [
            (name, {**said, "fields": [field for field in said["fields"] if field not in ELSEWHERE]})
            for name, said in found
        ]
        return [*own, (_("Other systems"), {"fields": ELSEWHERE, "classes": ["tab"]})]


class CompanyAdmin(MasterDataAdmin):
    """Registered by `inventory`, which knows whether the currency may still change."""

    list_display = ["name", "currency", "time_zone"]
    list_select_related = ["currency"]
    fieldsets = [
        (None, {"fields": ["name", "currency", "time_zone", "address"]}),
        (
            _("Approval and promise"),
            {
                "fields": ["four_eyes", "unconfirmed_days", "vendor_stock_days", "return_within_days"],
                "description": _(
                    "What each person may approve stands with the user, under Access. How long an order approved by a policy "
                    "waits before it sends itself stands in the policy."
                ),
            },
        ),
        (
            _("Runs that wait for a person"),
            {
                "fields": ["max_change_pct", "max_change_value"],
                "description": _("Blank: however much a run would change, it goes on by itself."),
            },
        ),
    ]
    has_delete_permission = never

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Company.objects.exists()


@admin.register(Currency)
class CurrencyAdmin(Translated, ModelAdmin):
    list_display = ["code", "name", "decimals"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    has_delete_permission = never


class UnitAdmin(MasterDataAdmin):
    list_display = ["code", "name", "decimals", "is_active"]
    readonly_fields = ["is_active"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    has_delete_permission = never


class ItemGroupAdmin(MasterDataAdmin):
    list_display = ["code", "name", "is_active"]
    readonly_fields = ["is_active"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    has_delete_permission = never


class SiteLocations(Translated, TabularInline):
    model = Location
    fields = ["code", "name", "kind", "is_main"]
    ordering = ["code"]
    extra = 0
    tab = True
    per_page = 20
    has_delete_permission = never


class SiteAdmin(MasterDataAdmin):
    list_display = ["code", "name", "time_zone", "is_active"]
    readonly_fields = ["is_active"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    inlines = [SiteLocations]
    has_delete_permission = never


class LocationAdmin(MasterDataAdmin):
    list_display = ["show_name", "show_kind", "site", "vendor", "is_main", "is_active"]
    readonly_fields = ["is_active"]
    list_select_related = ["site", "vendor"]
    list_filter = [("kind", ChoicesDropdownFilter), ("site", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["code", "name"]
    autocomplete_fields = ["site", "vendor"]
    ordering = ["code"]
    has_delete_permission = never

    @display(header=True, description="Location", ordering="code")
    def show_name(self, location: Location) -> list[str]:
        return [location.code, location.name]

    @display(description="Kind", ordering="kind", label={"At a vendor": "info", "Plant": "primary"})
    def show_kind(self, location: Location) -> str:
        return location.get_kind_display()


@admin.register(NumberRange)
class NumberRangeAdmin(Translated, ModelAdmin):
    """The prefix may be chosen; the last number only ever goes up, by drawing one."""

    list_display = ["show_kind", "prefix", "last"]
    fields = ["show_kind", "prefix", "last"]
    readonly_fields = ["show_kind", "last"]
    ordering = ["kind"]
    has_add_permission = has_delete_permission = never

    @display(description="Kind", ordering="kind")
    def show_kind(self, row: NumberRange) -> str:
        return row.kind.replace("_", " ").capitalize()
