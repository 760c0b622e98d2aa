"""The admin's page of accounts and networks that are locked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import lockout
from accounts.backoffice.actions import staff_action
from accounts.backoffice.read_only_admin import ReadOnlyAdmin
from accounts.models import PasswordTries, User

from .account_access import is_superuser


class LockedNow(admin.SimpleListFilter):
    """Rows whose attempts are refused now."""

    title = "locked now"
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "yes")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PasswordTries]
    ) -> QuerySet[PasswordTries]:
        is_wanted = self.value() == "yes"
        return queryset.filter(until__gt=timezone.now()) if is_wanted else queryset


#: What each kind of key in accounts.lockout counts.
_COUNTED = {
    "pair": "{credential} of an account, from one network",
    "account": "{credential} of an account, from anywhere",
    "network": "anything, from one network",
    "site": "anything, from a wider network",
}


@admin.register(PasswordTries)
class PasswordTriesAdmin(ReadOnlyAdmin):
    """Recent failed passwords and codes, and the lockouts they led to (accounts.lockout).

    Typed names and network addresses are stored as digests only.
    """

    list_display = ("about", "counted", "failures", "at", "until")
    list_filter = (LockedNow,)
    labels: ClassVar[dict[str, str]] = {
        "failures": "Failed attempts",
        "at": "Last attempt",
        "until": "Locked until",
    }
    list_select_related = ("user",)
    ordering = ("-at",)
    fields = ("about", "counted", "failures", "at", "until", "proved_at")
    readonly_fields = ("about", "counted")
    actions = ("let_try",)

    @admin.display(description="Whose")
    def about(self, tries: PasswordTries) -> str:
        """The user whose name was typed, if there is one."""
        if tries.user is not None:
            return str(tries.user)
        return "a name nobody has" if "." in tries.key else "anybody"

    @admin.display(description="What is counted")
    def counted(self, tries: PasswordTries) -> str:
        *credential, kind = tries.key.partition(":")[0].split(".")
        description = _COUNTED.get(kind, kind).format(credential=" ".join(credential))
        return f"{description[:1].upper()}{description[1:]}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PasswordTries]:
        return super().get_queryset(request).filter(failures__gt=0)

    @staff_action("Let them try again", permissions=["forgive"])
    def let_try(tries: PasswordTries, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        lockout.reset_failures_by_key(tries.key)

    def has_forgive_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)
