"""The admin's pages of roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.backoffice.admin import ShopAdmin
from accounts.backoffice.permission_labels import PermissionsField, offer_permissions
from accounts.backoffice.role_page import purpose_of
from accounts.backoffice.roles import ROLES
from accounts.backoffice.row_page import RowPage

from .account_access import is_superuser

admin.site.unregister(Group)


class RoleForm(forms.ModelForm):
    """A role that a superuser makes up: its name, and what it lets people do."""

    permissions = PermissionsField(
        Permission.objects.none(),
        required=False,
        label="Allowed actions",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_permissions(self, "permissions")


@admin.register(Group)
class RoleAdmin(RowPage, ShopAdmin, GroupAdmin):
    """Roles, and what they let people do; only superusers change one.

    The shop's own roles are set by accounts.backoffice.roles, and are only shown.
    """

    form = RoleForm
    kind, page_name = "role", "Role"
    list_display = ("name", "purpose", "people")
    labels: ClassVar[dict[str, str]] = {"name": "Role"}
    search_fields = ()

    @admin.display(description="Purpose")
    def purpose(self, role: Group) -> str:
        return purpose_of(role)

    @admin.display(description="People")
    def people(self, role: Any) -> int:
        return int(role.people)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(people=Count("user"))

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Nothing beside what its sections tell, of a role that is only shown."""
        return super().get_fieldsets(request, obj) if self._is_own_making(request, obj) else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_own_making(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_own_making(request, obj)

    def _is_own_making(self, request: HttpRequest, role: Group | None) -> bool:
        return is_superuser(request) and (role is None or role.name not in ROLES)
