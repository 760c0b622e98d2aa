"""The admin's pages of people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join

from accounts import emails, lockout, names, second_factor, services, tokens
from accounts.authentication import current_user
from accounts.backoffice.actions import staff_action
from accounts.backoffice.admin import ShopAdmin
from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.conflicts import log_refusal
from accounts.backoffice.formats import EMPTY_VALUE, dial
from accounts.backoffice.people_search import people_at, people_called
from accounts.backoffice.person_page import is_guest, kind_of
from accounts.backoffice.row_page import RowPage
from accounts.backoffice.search import phone_in
from accounts.lookalikes import skeleton
from accounts.models import Address, User
from accounts.validators import normalise_email, normalise_username
from omachemainproj.text import fold_identifier

from .account_access import OwnFactor, is_superuser, may_change, require_may_change
from .person_forms import NewPasswordForm, NewPersonForm, PersonForm, lock_person

_ACCESS_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
#: Anyone who can set one of these can sign in as the user: by password, or by a reset link.
_SIGN_IN_FIELDS = ("password", "email")
#: Users with this permission see addresses and phone numbers.
_HELP_USER = "accounts.help_user"
_CONTACT_FIELDS = ("phone_as_dialled", "addresses")


class GuestFilter(admin.SimpleListFilter):
    """Guests, or accounts. Not a column filter, so that nobody can filter by a guest's phone."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("account", "accounts"), ("guest", "guests (no account)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() not in {"account", "guest"}:
            return queryset
        return queryset.filter(guest__isnull=self.value() == "account")


def _closed(*fields: str) -> Any:
    """A fieldset that is collapsed until its heading is clicked."""
    return {"fields": fields, "classes": ["collapse"]}


def _has_account(person: User) -> bool:
    """Whether the user can sign in at all: neither a guest nor deleted."""
    return person.erased_at is None and not is_guest(person)


@admin.register(User)
class PersonAdmin(RowPage, ShopAdmin, UserAdmin):
    """Finds and helps users.

    Only superusers grant permissions, set passwords and e-mails, or change a staff account.
    """

    list_display = ("username", "called", "email", "status_label", "date_joined")
    #: Guests have user names like ``guest:…``, which nobody else can take (accounts.guests).
    list_filter = (GuestFilter, "is_active", "is_staff", "is_superuser")
    #: Makes Django show the search box; ``get_search_results`` does the search.
    search_fields = ("pk",)
    search_help_text = (
        "Search by user name, first or last name, e-mail address (or its beginning), or phone "
        "number."
    )
    normalisers = {
        "username": normalise_username,
        "email": normalise_email,
        # A hash, which is only displayed.
        "password": str,
    }
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = NewPasswordForm
    change_user_password_template = "admin/set_password.html"  # noqa: S105
    # The add form already has all the fields that a new user needs.
    add_form_template = None
    labels: ClassVar[dict[str, str]] = {"username": "User name"}
    list_select_related = ("guest",)
    ordering = ("-pk",)
    #: Only the users themselves change their phone.
    readonly_fields = (*_CONTACT_FIELDS, "avatar_preview", "last_login", "date_joined")
    actions = (
        "take_avatars_away",
        "sign_out",
        "let_try_again",
        "take_second_factor_away",
        "close",
        "reopen",
    )
    page_name = "Person"
    page_actions = {
        "take_avatars_away": lambda person: bool(person.avatar),
        "sign_out": _has_account,
        "let_try_again": _has_account,
        "take_second_factor_away": lambda person: person.second_factor_at is not None,
        "close": lambda person: _has_account(person) and person.is_active,
        "reopen": lambda person: _has_account(person) and not person.is_active,
    }
    page_labels = {
        "take_avatars_away": "Take their avatar away",
        "sign_out": "Sign them out everywhere",
        "let_try_again": "Let them try their password again",
        "take_second_factor_away": "Take their second factor away",
        "close": "Close their account",
        "reopen": "Open their account again",
    }
    #: Collapsed: the sections above show the same facts, except for sign-in and access fields.
    fieldsets = (
        ("Names", _closed("username", "first_name", "last_name", "email", "gender")),
        ("Where they are reached", _closed(*_CONTACT_FIELDS, "avatar_preview")),
        ("The account", _closed("is_active", "last_login", "date_joined")),
        ("Password and permissions", _closed("password", *_ACCESS_FIELDS)),
    )
    add_fieldsets = (
        ("Identity", {"fields": ("username", "first_name", "last_name", "email")}),
        ("Their password", {"fields": ("password1", "password2")}),
        ("Their job", {"fields": ("groups",)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Search as “Find anything” does, up to the number of rows a list can be paged through."""
        term = fold_identifier(search_term)
        if not term:
            return queryset, False
        phone = phone_in(term)
        if phone:
            people = people_at(phone, COUNT_AT_MOST) if self.has_help_permission(request) else []
        else:
            people = people_called(term, COUNT_AT_MOST)
        return queryset.filter(pk__in=[person.pk for person in people]), False

    @admin.display(description="Name")
    def called(self, person: User) -> str:
        return person.get_full_name() or EMPTY_VALUE

    @admin.display(description="Status")
    def status_label(self, person: User) -> str:
        """The account's status, as on the user's own page."""
        return kind_of(person)

    @admin.display(description="Phone")
    def phone_as_dialled(self, person: User) -> str:
        return dial(person.phone) or "none"

    @admin.display(description="avatar")
    def avatar_preview(self, person: User) -> str:
        """The picture itself; only the user can upload one."""
        if not person.avatar:
            return "none"
        return format_html('<img src="{}" width="120" alt="">', person.avatar.url)

    @admin.display(description="addresses")
    def addresses(self, person: User) -> str:
        """Delivery and collection addresses; only the user can change them."""
        rows = [
            (_address_prefix(each), each.recipient, dial(each.phone), str(each), each.directions)
            for each in Address.objects.of(person).as_listed()
        ]
        return format_html_join("", "<p>{}{}, {}<br>{}<br>{}</p>", rows) or "none"

    @staff_action("Take the avatars of these people away", permissions=["help"])
    def take_avatars_away(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        require_may_change(by, person)
        services.change_account(person, {}, avatar=None)

    @staff_action("Sign these people out everywhere", permissions=["help"])
    def sign_out(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        require_may_change(by, person)
        tokens.revoke_all(person.pk)

    @staff_action("Let these people try their passwords again", permissions=["help"])
    def let_try_again(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        require_may_change(by, person)
        lockout.reset_failures(person)

    @staff_action(
        "Take the second factors of these people away",
        permissions=["take_factor"],
        about="Only do this when you are sure who is asking: by phone or in person. The user is "
        "signed out everywhere and notified by e-mail.",
    )
    def take_second_factor_away(
        person: User,  # noqa: N805
        given: Mapping[str, Any],
        by: User,
    ) -> None:
        if person.pk == by.pk:
            raise OwnFactor
        second_factor.remove(person)

    @staff_action(
        "Close the accounts of these people",
        permissions=["change"],
        about="They are signed out everywhere and cannot sign in any more. What they sell is taken "
        "off sale; their orders and records are kept. You can open the account again.",
    )
    def close(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        require_may_change(by, person)
        services.close_account(person)

    @staff_action(
        "Open the accounts of these people again",
        permissions=["change"],
        about="They can sign in again. What they sell stays off sale until it is listed again, by "
        "them or in the list of products.",
    )
    def reopen(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        require_may_change(by, person)
        services.reopen_account(person)

    def has_take_factor_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_help_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_HELP_USER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Setting a password gives control of the account, so only superusers change staff."""
        return super().has_change_permission(request, obj) and may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and may_change(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if is_superuser(request) else (*fields, *_ACCESS_FIELDS, *_SIGN_IN_FIELDS)

    def get_exclude(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Hide the phone from staff who may not see it: filtering by it would reveal it."""
        hidden = () if request.user.has_perm(_HELP_USER) else ("phone",)
        return [*(super().get_exclude(request, obj) or ()), *hidden]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if is_superuser(request):
            return fieldsets
        hidden = {"password", *_ACCESS_FIELDS, *(("email",) if obj is None else ())}
        if not request.user.has_perm(_HELP_USER):
            hidden.update(_CONTACT_FIELDS)
        shown = [
            (name, {**options, "fields": [f for f in options["fields"] if f not in hidden]})
            for name, options in fieldsets
        ]
        return [(name, options) for name, options in shown if options["fields"]]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and not {"groups", "user_permissions"}.isdisjoint(form.changed_data):
            # The new role may require a second factor, which existing tokens were issued without.
            tokens.revoke_all(form.instance.pk)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        if not is_superuser(request):
            raise PermissionDenied
        if request.method == "GET" and id == str(request.user.pk):
            # Users change their own password with the current one.
            return redirect("admin:password_change")
        person = self.get_object(request, id)
        # A POST for one's own account is refused below (has_change_permission).
        if request.method == "POST" and person is not None and self.is_own(request, person):
            log_refusal(current_user(request), "Set the password", person)
        before = person.password if person is not None else ""
        response = super().user_change_password(request, id, form_url)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["title"] = (
                f"Set a password for {response.context_data['original']}"
            )
        same = User.objects.filter(pk=person.pk) if person is not None else User.objects.none()
        changed = same.exclude(password=before).first()
        if changed is not None:
            tokens.revoke_all(changed.pk)
            lockout.reset_failures(changed)
            emails.notify_of_change(changed, "password_changed")
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a user; reserve the old user name, and mark a new e-mail as unconfirmed."""
        before = lock_person(obj.pk) if change else obj
        name_before, email_before = before.username, before.email
        if "email" in form.changed_data:
            obj.email_confirmed_at = None
        super().save_model(request, obj, form, change)
        names.claim(obj, obj.username)
        if skeleton(name_before) != obj.skeleton:
            names.quarantine(obj, name_before)
        if change and email_before and email_before != obj.email:
            emails.notify_of_change(obj, "email_changed", to=email_before)
        if change and "is_superuser" in form.changed_data:
            tokens.revoke_all(obj.pk)
        if change and "is_active" in form.changed_data and not obj.is_active:
            services.close_account(obj)

    def changed_columns(self, obj: User, form: Any) -> set[str]:
        """The fields that were changed, and those that follow from them."""
        changed = super().changed_columns(obj, form)
        if "username" in changed:
            changed.add("skeleton")
        if "email" in changed:
            changed.add("email_confirmed_at")
        return changed

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._delete_avatar(obj)
        names.quarantine(obj, obj.username)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset.exclude(avatar=""):
            self._delete_avatar(person)
        for person in queryset:
            names.quarantine(person, person.username)
        super().delete_queryset(request, queryset)

    def _delete_avatar(self, person: User) -> None:
        if person.avatar:
            delete = partial(person.avatar.storage.delete, str(person.avatar.name))
            transaction.on_commit(delete, robust=True)


def _address_prefix(address: Address) -> str:
    """The label and purposes of an address, to be shown before it."""
    marks = [
        address.label,
        "default" if address.is_default else "",
        "goods are collected here" if address.is_collection_place else "",
    ]
    prefix = ", ".join(filter(None, marks))
    return f"{prefix}: " if prefix else ""
