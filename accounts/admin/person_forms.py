"""The forms to add a person, to change one, and to set a password."""

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

from accounts import names
from accounts.backoffice.admin import KnownChoices
from accounts.backoffice.permission_labels import PermissionsField, offer_permissions
from accounts.backoffice.role_page import purpose_of
from accounts.models import EMAIL_TAKEN, User
from omachemainproj.text import fold_password


class _NormalisedPasswordsMixin(forms.BaseForm):
    """Judges new passwords in the form in which they are hashed."""

    def clean_password1(self) -> str | None:
        typed = self.cleaned_data.get("password1")
        return typed and fold_password(typed)

    def clean_password2(self) -> str | None:
        typed = self.cleaned_data.get("password2")
        return typed and fold_password(typed)


class _AvailableIdentityMixin(forms.BaseModelForm):
    """Refuses a new name that is kept, resting, or confusable with somebody's.

    And an e-mail that another has confirmed.
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
    """Roles to tick, each with what it is for."""

    def __init__(self) -> None:
        super().__init__(
            Group.objects.order_by("name"),
            required=False,
            label="Roles",
            help_text="What they do here. Whoever buys or sells needs none.",
            widget=forms.CheckboxSelectMultiple,
        )

    def label_from_instance(self, obj: Any) -> str:
        purpose = purpose_of(obj)
        return f"{obj.name}: {purpose}" if purpose else str(obj.name)


class _RoleGrantsStaffMixin(forms.BaseModelForm):
    """Whoever is given a role is let into the admin by it, unless that is said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A field that a form declares stays on it, though its page is for who gives no powers.
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
            # What was changed goes on record (ShopAdmin.construct_change_message).
            self.changed_data.append("is_staff")
        return self.cleaned_data


class NewPersonForm(
    _NormalisedPasswordsMixin, _AvailableIdentityMixin, _RoleGrantsStaffMixin, UserCreationForm
):
    """A person whom a superuser adds, with their roles."""

    groups = _RolesField()


class _PasswordWidget(ReadOnlyPasswordHashWidget):
    """Whether there is a password, and the way to set another; not how it is hashed."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        has_one = bool(value) and is_password_usable(value)
        words = "They have one, which nobody can read." if has_one else "They have none."
        context["summary"] = [{"label": words}]
        context["button_label"] = "Set another password" if has_one else "Set a password"
        return context


class PersonForm(_AvailableIdentityMixin, _RoleGrantsStaffMixin, UserChangeForm):
    """A person whom a superuser changes."""

    password = ReadOnlyPasswordHashField(label="Password", widget=_PasswordWidget)
    groups = _RolesField()
    user_permissions = PermissionsField(
        Permission.objects.none(),
        required=False,
        label="Besides their roles",
        help_text="What they alone may do. A role is the better way.",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta(UserChangeForm.Meta):
        labels: ClassVar[dict[str, str]] = {
            "is_active": "May sign in",
            "is_staff": "Works here",
            "is_superuser": "May do everything",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "is_active": "Take the tick away to close their account; their orders stay.",
            "is_staff": "Lets them into these pages. A role does that too.",
            "is_superuser": "For whoever owns the shop: gives roles and passwords, and may do "
            "whatever any role may.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_permissions(self, "user_permissions")


class NewPasswordForm(_NormalisedPasswordsMixin, AdminPasswordChangeForm):
    """A password that a superuser sets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever shall not sign in any more has their account closed.
        self.fields.pop("usable_password", None)
