"""Users with their roles, and the tokens of other systems."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import services
from accounts.models import Access, ApiToken, User
from masterdata.admin import Translated, never

admin.site.unregister(Group)  # rights come from roles (accounts.rules), not from groups


class AccessInline(Translated, TabularInline):
    model = Access
    fields = ["role", "site", "vendor", "approval_limit"]
    autocomplete_fields = ["site", "vendor"]
    extra = 0


@admin.register(User)
class UserAdmin(Translated, BaseUserAdmin, ModelAdmin):
    """Users are switched off, never deleted: what they did names them."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ["show_name", "show_roles", "email", "is_active", "last_login"]
    list_filter = ["is_active", ("access__role", ChoicesDropdownFilter)]
    list_filter_submit = True
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    inlines = [AccessInline]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "is_active"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email", ("language", "time_zone")]}),
        ("Times", {"fields": [("last_login", "date_joined")]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2"]})]
    has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows = Access.objects.select_related("site", "vendor").order_by("role", "pk")
        return super().get_queryset(request).prefetch_related(Prefetch("access", rows))

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.let_into_planning(user_id=form.instance.pk)

    @display(header=True, description="User", ordering="username")
    def show_name(self, user: User) -> list[str]:
        return [user.username, user.get_full_name()]

    @display(description="Roles")
    def show_roles(self, user: User) -> str:
        return ", ".join(
            f"{row.get_role_display()}{f' ({row.site or row.vendor})' if row.site or row.vendor else ''}"
            for row in user.access.all()
        )


@admin.register(ApiToken)
class ApiTokenAdmin(Translated, ModelAdmin):
    """A token's secret is shown once, when it is made; taking a token away is deleting it."""

    list_display = ["name", "user", "created_at", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    autocomplete_fields = ["user"]
    fields = ["user", "name", "expires_at"]
    ordering = ["-pk"]
    has_change_permission = never

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool) -> None:
        secret = services.create_token(user=obj.user, name=obj.name, at=timezone.now(), expires_at=obj.expires_at)
        made = ApiToken.objects.filter(user=obj.user, name=obj.name).latest("pk")
        obj.pk, obj.created_at, obj._state.adding = made.pk, made.created_at, False
        messages.warning(request, f"Copy the token now, it is not shown again: {secret}")
