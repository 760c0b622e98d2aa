"""The forms to add a user, to change one, and to set a password."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts import names
from accounts.backoffice.form_fields import KnownChoices
from accounts.backoffice.permission_labels import PermissionsField, offer_permissions
from accounts.backoffice.role_page import purpose_of
from accounts.models import EMAIL_TAKEN, User
from omachemainproj.api.errors import Refusal
from omachemainproj.locking import lock_row
from omachemainproj.text import fold_password


class _NormalisedPasswordsMixin(forms.BaseForm):
    """Validates new passwords in the form in which they are hashed."""

    def clean_password1(self) -> str | None:
        typed = self.cleaned_data.get("password1")
        return typed and fold_password(typed)

    def clean_password2(self) -> str | None:
        typed = self.cleaned_data.get("password2")
        return typed and fold_password(typed)


class _AvailableIdentityMixin(forms.BaseModelForm):
    """Refuses a user name that is reserved, quarantined, or confusable with an existing one.

    Also refuses an e-mail that another user has confirmed.
    """

    def clean_email(self) -> str:
        typed = str(self.cleaned_data.get("email") or "")
        if typed and User.objects.confirmed_at(typed).exclude(pk=self.instance.pk or 0).exists():
            raise forms.ValidationError(EMAIL_TAKEN)
        return typed

    def clean_username(self) -> str:
        parent = getattr(super(), "clean_username", None)
        typed = str((parent() if parent else None) or self.cleaned_data.get("username") or "")
        if typed and typed.lower() != str(self.initial.get("username", "")).lower():
            reason = names.refusal(typed, but=self.instance.pk or 0)
            if reason:
                raise forms.ValidationError(reason)
        return typed


class _RolesField(KnownChoices):
    """Roles to choose from, each with its purpose."""

    def __init__(self) -> None:
        super().__init__(
            Group.objects.order_by("name"),
            required=False,
            label="Roles",
            help_text="Their job in the back office. Buyers and sellers need no role.",
            widget=forms.CheckboxSelectMultiple,
        )

    def label_from_instance(self, obj: Any) -> str:
        purpose = purpose_of(obj)
        return f"{obj.name}: {purpose}" if purpose else str(obj.name)


class _RoleGrantsStaffMixin(forms.BaseModelForm):
    """Gives back office access (is_staff) to a user who gets a role."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django keeps fields declared on the form even where the page excludes them.
        chosen, left_out = self._meta.fields, self._meta.exclude or ()
        for name in {"groups", "user_permissions"} & self.fields.keys():
            if name in left_out or (chosen is not None and name not in chosen):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        super().clean()
        before = {each.pk for each in self.initial.get("groups") or ()}
        gained = {each.pk for each in self.cleaned_data.get("groups") or ()} - before
        if gained and not self.instance.is_staff:
            self.instance.is_staff = self.cleaned_data["is_staff"] = True
            # Recorded in the audit log with the other changes (ShopAdmin.construct_change_message).
            self.changed_data.append("is_staff")
        return self.cleaned_data


class NewPersonForm(
    _NormalisedPasswordsMixin, _AvailableIdentityMixin, _RoleGrantsStaffMixin, UserCreationForm
):
    """A user added by a superuser, with roles."""

    groups = _RolesField()


class _PasswordWidget(ReadOnlyPasswordHashWidget):
    """Shows whether a password is set, and a link to set another; never the hash."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        has_one = bool(value) and is_password_usable(value)
        words = "A password is set. It cannot be displayed." if has_one else "No password is set."
        context["summary"] = [{"label": words}]
        context["button_label"] = "Set another password" if has_one else "Set a password"
        return context


class PersonForm(_AvailableIdentityMixin, _RoleGrantsStaffMixin, UserChangeForm):
    """A user edited by a superuser."""

    password = ReadOnlyPasswordHashField(label="Password", widget=_PasswordWidget)
    groups = _RolesField()
    user_permissions = PermissionsField(
        Permission.objects.none(),
        required=False,
        label="In addition to their roles",
        help_text="Permissions given to this person individually. Prefer assigning a role.",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta(UserChangeForm.Meta):
        labels: ClassVar[dict[str, str]] = {
            "is_active": "May sign in",
            "is_staff": "Staff",
            "is_superuser": "Superuser",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "is_active": "Clear this box to close the account. What they sell is taken off sale; "
            "existing orders are kept.",
            "is_staff": "Gives access to these pages. A role does so too.",
            "is_superuser": "For the owner of the shop: can assign roles, set passwords, and do "
            "everything that any role can.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_permissions(self, "user_permissions")


class PersonErased(Refusal):
    """The account was deleted, perhaps while its page was open."""

    code = "account_deleted"
    message = "This account was deleted, and cannot be changed any more."


def lock_person(pk: int) -> User:
    """Lock a user's row, to change some of its fields. Raises PersonErased (409)."""
    try:
        person = lock_row(User, pk)
    except User.DoesNotExist:
        raise PersonErased from None
    if person.erased_at is not None:
        raise PersonErased
    return person


class NewPasswordForm(_NormalisedPasswordsMixin, AdminPasswordChangeForm):
    """A password set by a superuser."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # To stop a user from signing in, close the account instead.
        self.fields.pop("usable_password", None)

    def save(self, commit: bool = True) -> User:
        """Save the password alone: the rest of the row may have changed meanwhile."""
        user: User = super().save(commit=False)
        if commit:
            with transaction.atomic():
                lock_person(user.pk)
                user.save(update_fields=["password"])
        return user
