"""People, as staff see them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from omachemainproj.admin import ShopAdmin

from . import services, tokens
from .models import User

_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class PersonAdmin(ShopAdmin, UserAdmin):
    """Finds and helps people. Only superusers give powers, or touch an account that has any."""

    list_display = ("username", "email", "first_name", "last_name", "is_active", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("^username", "^email")
    ordering = ("-pk",)
    readonly_fields = ("avatar_preview", "last_login", "date_joined")
    actions = ("take_avatars_away", "sign_out")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "gender", "avatar_preview")}),
        ("Powers", {"fields": ("is_active", *_POWERS)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(description="avatar")
    def avatar_preview(self, person: User) -> str:
        """The picture itself; uploading one is the person's own affair."""
        if not person.avatar:
            return "none"
        return format_html('<img src="{}" width="120" alt="">', person.avatar.url)

    @admin.action(description="Take the avatars of these people away", permissions=["change"])
    def take_avatars_away(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._within_reach(request, people):
            services.change_account(person, {}, avatar=None)

    @admin.action(description="Sign these people out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._within_reach(request, people):
            tokens.end_all(person.pk)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever may set a password owns the account, so staff do not reach other staff."""
        return super().has_change_permission(request, obj) and _is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_within_reach(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *_POWERS)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._forget_avatar(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset.exclude(avatar=""):
            self._forget_avatar(person)
        super().delete_queryset(request, queryset)

    def _forget_avatar(self, person: User) -> None:
        if person.avatar:
            delete = partial(person.avatar.storage.delete, str(person.avatar.name))
            transaction.on_commit(delete, robust=True)

    def _within_reach(self, request: HttpRequest, people: QuerySet[User]) -> list[User]:
        return [person for person in people if _is_within_reach(request, person)]


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _is_within_reach(request: HttpRequest, person: User | None) -> bool:
    return _is_superuser(request) or person is None or not (person.is_staff or person.is_superuser)
