"""The admin's pages of people, groups and the record of staff actions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from omachemainproj.api.errors import Refusal
from omachemainproj.text import fold_identifier, fold_password

from . import emails, lockout, names, second_factor, services, tokens
from .authentication import current_user
from .backoffice.actions import staff_action
from .backoffice.admin import COUNT_AT_MOST, KnownChoices, ReadOnlyAdmin, ShopAdmin
from .backoffice.finders import people_at, people_called
from .backoffice.formats import NOTHING, dial
from .backoffice.interest import log_refusal
from .backoffice.person_page import is_guest, kind_of
from .backoffice.powers import PowersField, offer_powers
from .backoffice.proposals import agree, keys_for, reject, row_proposed_about
from .backoffice.recorded import name_in_words, value_in_words
from .backoffice.role_page import purpose_of
from .backoffice.roles import ROLES
from .backoffice.row_page import RowPage
from .backoffice.search import phone_in
from .lookalikes import skeleton
from .models import EMAIL_TAKEN, Address, Audit, PasswordTries, Proposal, User
from .validators import normalise_email, normalise_username

_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
#: Whoever sets one of these can sign in as the person: by password, or by a reset link.
_KEYS = ("password", "email")
#: Who has this permission sees where people live and are called.
_HELP = "accounts.help_user"
_WHERE = ("phone_as_dialled", "addresses")


class _PasswordsAsHashed(forms.BaseForm):
    """Judges new passwords in the form in which they are hashed."""

    def clean_password1(self) -> str | None:
        typed = self.cleaned_data.get("password1")
        return typed and fold_password(typed)

    def clean_password2(self) -> str | None:
        typed = self.cleaned_data.get("password2")
        return typed and fold_password(typed)


class _NamesThatAreFree(forms.BaseModelForm):
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


class _RolesAdmit(forms.BaseModelForm):
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


class NewPersonForm(_PasswordsAsHashed, _NamesThatAreFree, _RolesAdmit, UserCreationForm):
    """A person whom a superuser adds, with their roles."""

    groups = _RolesField()


class _KeptPassword(ReadOnlyPasswordHashWidget):
    """Whether there is a password, and the way to set another; not how it is hashed."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        has_one = bool(value) and is_password_usable(value)
        words = "They have one, which nobody can read." if has_one else "They have none."
        context["summary"] = [{"label": words}]
        context["button_label"] = "Set another password" if has_one else "Set a password"
        return context


class PersonForm(_NamesThatAreFree, _RolesAdmit, UserChangeForm):
    """A person whom a superuser changes."""

    password = ReadOnlyPasswordHashField(label="Password", widget=_KeptPassword)
    groups = _RolesField()
    user_permissions = PowersField(
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
        offer_powers(self, "user_permissions")


class NewPasswordForm(_PasswordsAsHashed, AdminPasswordChangeForm):
    """A password that a superuser sets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever shall not sign in any more has their account closed.
        self.fields.pop("usable_password", None)


class OutOfReach(Refusal):
    """Only superusers act on accounts of the staff."""

    code = "out_of_reach"
    message = "Only a superuser acts on an account of the staff."


class OwnFactor(Refusal):
    """One's own factor goes by a code of it, and by nobody's word."""

    code = "own_factor"
    message = "Your own second factor is taken away on its page, with a code."


class GuestFilter(admin.SimpleListFilter):
    """Guests, or accounts. A class, and no column: nobody filters by a guest's phone."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("account", "accounts"), ("guest", "guests, who have none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() not in {"account", "guest"}:
            return queryset
        return queryset.filter(guest__isnull=self.value() == "account")


def _closed(*fields: str) -> Any:
    """Columns that are shown once their heading is opened."""
    return {"fields": fields, "classes": ["collapse"]}


def _has_account(person: User) -> bool:
    """Whether somebody can sign in at all: neither a guest nor deleted."""
    return person.erased_at is None and not is_guest(person)


@admin.register(User)
class PersonAdmin(RowPage, ShopAdmin, UserAdmin):
    """Finds and helps people.

    Only superusers give powers, set passwords and e-mails, or touch an account that has any power.
    """

    list_display = ("username", "called", "email", "stands", "date_joined")
    #: A guest is called ``guest:…``, as nobody else can be (accounts.guests).
    list_filter = (GuestFilter, "is_active", "is_staff", "is_superuser")
    #: Django shows the search box for it; ``get_search_results`` does the search.
    search_fields = ("pk",)
    search_help_text = (
        "A user name, a first or last name, an e-mail address, or how one begins; a phone."
    )
    normalisers = {
        "username": normalise_username,
        "email": normalise_email,
        # A hash, and shown only.
        "password": str,
    }
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = NewPasswordForm
    change_user_password_template = "admin/set_password.html"  # noqa: S105
    # The form has all that a new person needs.
    add_form_template = None
    labels: ClassVar[dict[str, str]] = {"username": "User name"}
    list_select_related = ("guest",)
    ordering = ("-pk",)
    #: Their phone is theirs to change.
    readonly_fields = (*_WHERE, "avatar_preview", "last_login", "date_joined")
    actions = ("take_avatars_away", "sign_out", "let_try_again", "take_second_factor_away")
    page_name = "Person"
    page_actions = {
        "take_avatars_away": lambda person: bool(person.avatar),
        "sign_out": _has_account,
        "let_try_again": _has_account,
        "take_second_factor_away": lambda person: person.second_factor_at is not None,
    }
    page_words = {
        "take_avatars_away": "Take their avatar away",
        "sign_out": "Sign them out everywhere",
        "let_try_again": "Let them try their password again",
        "take_second_factor_away": "Take their second factor away",
    }
    #: Closed until somebody asks: the page tells what they hold, but for keys and powers.
    fieldsets = (
        ("Names", _closed("username", "first_name", "last_name", "email", "gender")),
        ("Where they are reached", _closed(*_WHERE, "avatar_preview")),
        ("The account", _closed("is_active", "last_login", "date_joined")),
        ("Password and powers", _closed("password", *_POWERS)),
    )
    add_fieldsets = (
        ("Who they are", {"fields": ("username", "first_name", "last_name", "email")}),
        ("Their password", {"fields": ("password1", "password2")}),
        ("What they do here", {"fields": ("groups",)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """As “Find anything” does, of whom a list can be paged through."""
        term = fold_identifier(search_term)
        if not term:
            return queryset, False
        phone = phone_in(term)
        if phone:
            found = people_at(phone, COUNT_AT_MOST) if self.has_help_permission(request) else []
        else:
            found = people_called(term, COUNT_AT_MOST)
        return queryset.filter(pk__in=[person.pk for person in found]), False

    @admin.display(description="Name")
    def called(self, person: User) -> str:
        return person.get_full_name() or NOTHING

    @admin.display(description="Stands")
    def stands(self, person: User) -> str:
        """As their own page says it."""
        return kind_of(person)

    @admin.display(description="Phone")
    def phone_as_dialled(self, person: User) -> str:
        return dial(person.phone) or "none"

    @admin.display(description="avatar")
    def avatar_preview(self, person: User) -> str:
        """The picture itself; only the person uploads one."""
        if not person.avatar:
            return "none"
        return format_html('<img src="{}" width="120" alt="">', person.avatar.url)

    @admin.display(description="addresses")
    def addresses(self, person: User) -> str:
        """Where they have goods brought, and collected; only the person changes them."""
        told = [
            (_marks(each), each.recipient, dial(each.phone), str(each), each.directions)
            for each in Address.objects.of(person).as_listed()
        ]
        return format_html_join("", "<p>{}{}, {}<br>{}<br>{}</p>", told) or "none"

    @staff_action("Take the avatars of these people away", permissions=["help"])
    def take_avatars_away(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        _require_reach(by, person)
        services.change_account(person, {}, avatar=None)

    @staff_action("Sign these people out everywhere", permissions=["help"])
    def sign_out(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        _require_reach(by, person)
        tokens.revoke_all(person.pk)

    @staff_action("Let these people try their passwords again", permissions=["help"])
    def let_try_again(person: User, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        _require_reach(by, person)
        lockout.forgive(person)

    @staff_action(
        "Take the second factors of these people away",
        permissions=["take_factor"],
        about="Only where you know that it is they who ask: by voice, or face to face. They are "
        "signed out everywhere, and told by e-mail.",
    )
    def take_second_factor_away(
        person: User,  # noqa: N805
        given: Mapping[str, Any],
        by: User,
    ) -> None:
        if person.pk == by.pk:
            raise OwnFactor
        second_factor.remove(person)

    def has_take_factor_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_help_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_HELP)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may set a password owns the account, so staff do not reach other staff."""
        return super().has_change_permission(request, obj) and _is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_within_reach(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *_POWERS, *_KEYS)

    def get_exclude(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What may not be seen may not be filtered by either (ShopAdmin.lookup_allowed)."""
        kept = () if request.user.has_perm(_HELP) else ("phone",)
        return [*(super().get_exclude(request, obj) or ()), *kept]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if _is_superuser(request):
            return fieldsets
        hidden = {"password", *_POWERS, *(("email",) if obj is None else ())}
        if not request.user.has_perm(_HELP):
            hidden.update(_WHERE)
        shown = [
            (name, {**options, "fields": [f for f in options["fields"] if f not in hidden]})
            for name, options in fieldsets
        ]
        return [(name, options) for name, options in shown if options["fields"]]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and not {"groups", "user_permissions"}.isdisjoint(form.changed_data):
            # A role may ask for a second factor, which tokens of before were given out without.
            tokens.revoke_all(form.instance.pk)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        if not _is_superuser(request):
            raise PermissionDenied
        if request.method == "GET" and id == str(request.user.pk):
            # Their own they change by the old one.
            return redirect("admin:password_change")
        asked = self.get_object(request, id)
        # Their own is changed where the old one is asked for.
        if request.method == "POST" and asked is not None and self.is_own(request, asked):
            log_refusal(current_user(request), "Set the password", asked)
        before = asked.password if asked is not None else ""
        response = super().user_change_password(request, id, form_url)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["title"] = (
                f"Set a password for {response.context_data['original']}"
            )
        # Of nobody there is no page: 404.
        person = (
            User.objects.filter(pk=asked.pk).exclude(password=before).first() if asked else None
        )
        if person is not None:
            tokens.revoke_all(person.pk)
            lockout.forgive(person)
            emails.tell_of_change(person, "password_changed")
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person. An old name rests, and an e-mail that another typed is not confirmed."""
        name_before = form.initial.get("username") or obj.username
        email_before = form.initial.get("email", "")
        if "email" in form.changed_data:
            obj.email_confirmed_at = None
        super().save_model(request, obj, form, change)
        names.claim(obj, obj.username)
        if skeleton(name_before) != obj.skeleton:
            names.rest(obj, name_before)
        if change and email_before and email_before != obj.email:
            emails.tell_of_change(obj, "email_changed", to=email_before)
        if change and "is_superuser" in form.changed_data:
            tokens.revoke_all(obj.pk)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._delete_avatar(obj)
        names.rest(obj, obj.username)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset.exclude(avatar=""):
            self._delete_avatar(person)
        for person in queryset:
            names.rest(person, person.username)
        super().delete_queryset(request, queryset)

    def _delete_avatar(self, person: User) -> None:
        if person.avatar:
            delete = partial(person.avatar.storage.delete, str(person.avatar.name))
            transaction.on_commit(delete, robust=True)


admin.site.unregister(Group)


class RoleForm(forms.ModelForm):
    """A role that a superuser makes up: its name, and what it lets people do."""

    permissions = PowersField(
        Permission.objects.none(),
        required=False,
        label="They may",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_powers(self, "permissions")


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

    @admin.display(description="What it is for")
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
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_own_making(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_own_making(request, obj)

    def _is_own_making(self, request: HttpRequest, role: Group | None) -> bool:
        return _is_superuser(request) and (role is None or role.name not in ROLES)


class LockedNow(admin.SimpleListFilter):
    """Those whose tries are refused now."""

    title = "locked now"
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "yes")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PasswordTries]
    ) -> QuerySet[PasswordTries]:
        is_wanted = self.value() == "yes"
        return queryset.filter(until__gt=timezone.now()) if is_wanted else queryset


#: What is counted under a key of accounts.lockout, by its kind.
_COUNTED = {
    "pair": "{door} of an account, from one network",
    "account": "{door} of an account, from anywhere",
    "network": "anything, from one network",
    "site": "anything, from a wider network",
}


@admin.register(PasswordTries)
class PasswordTriesAdmin(ReadOnlyAdmin):
    """Who got passwords or codes wrong lately, and who waits for it (accounts.lockout).

    What was typed as a name, and from where, is kept as a digest: a network is known by no more.
    """

    list_display = ("about", "counted", "failures", "at", "until")
    list_filter = (LockedNow,)
    labels: ClassVar[dict[str, str]] = {
        "failures": "Wrong tries",
        "at": "Last try",
        "until": "Locked until",
    }
    list_select_related = ("user",)
    ordering = ("-at",)
    fields = ("about", "counted", "failures", "at", "until", "proved_at")
    readonly_fields = ("about", "counted")
    actions = ("let_try",)

    @admin.display(description="Whose")
    def about(self, tries: PasswordTries) -> str:
        """The person, where the name that was typed is somebody's."""
        if tries.user is not None:
            return str(tries.user)
        return "a name nobody has" if "." in tries.key else "anybody"

    @admin.display(description="What is counted")
    def counted(self, tries: PasswordTries) -> str:
        *door, kind = tries.key.partition(":")[0].split(".")
        said = _COUNTED.get(kind, kind).format(door=" ".join(door))
        return f"{said[:1].upper()}{said[1:]}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PasswordTries]:
        return super().get_queryset(request).filter(failures__gt=0)

    @staff_action("Let them try again", permissions=["forgive"])
    def let_try(tries: PasswordTries, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        lockout.forgive_tries(tries.key)

    def has_forgive_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """What staff did, read-only: nobody changes or deletes it, not even superusers."""

    page_name = "What was done:"

    list_display = ("did", "object_name", "actor", "at", "why", "content_type")
    list_filter = ("at",)
    list_select_related = ("actor", "content_type")
    ordering = ("-pk",)
    search_fields = ("=object_id", "actor__username__iexact")
    search_help_text = "The user name of who did it, or the number of the row it was done to."
    fields = ("did", "object_name", "content_type", "object_id", "actor", "at", "why", "values")
    readonly_fields = ("values",)

    @admin.display(description="Before and after")
    def values(self, deed: Audit) -> str:
        """Each value that changed, a line each; the new one alone where there was none before."""
        model = deed.content_type.model_class()
        told = [
            (
                name_in_words(model, name),
                "" if before is None else f"{value_in_words(model, name, before)} → ",
                value_in_words(model, name, after),
            )
            for name, (before, after) in deed.changes.items()
        ]
        return format_html_join("", "<p>{}: {}{}</p>", told) or "nothing"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Audit], search_term: str
    ) -> tuple[QuerySet[Audit], bool]:
        term = fold_identifier(search_term)
        if not term or " " in term:
            return super().get_search_results(request, queryset, search_term)
        # An index each; joined by “or” none would be used.
        to_row = Audit.objects.filter(content_type__in=ContentType.objects.all(), object_id=term)
        by_them = Audit.objects.filter(actor__in=User.objects.called(term))
        newest = [found.order_by("-pk").values("pk")[:COUNT_AT_MOST] for found in (to_row, by_them)]
        found = sorted({row["pk"] for rows in newest for row in rows}, reverse=True)
        return queryset.filter(pk__in=found[:COUNT_AT_MOST]), False


@admin.register(Proposal)
class ProposalAdmin(RowPage, ReadOnlyAdmin):
    """What waits for a second person: somebody else who may do the same agrees, or rejects it."""

    page_name = "Proposal:"
    page_actions: ClassVar[Any] = {
        "agree": lambda proposal: proposal.is_open,
        "reject": lambda proposal: proposal.is_open,
    }

    list_display = (
        "label",
        "object_name",
        "cost",
        "state",
        "proposed_by",
        "why",
        "proposed_at",
        "decided_by",
    )
    list_filter = ("state",)
    labels: ClassVar[dict[str, str]] = {"label": "What", "cost": "Costs"}
    list_select_related = ("proposed_by", "decided_by")
    ordering = ("-pk",)
    search_fields = ("=object_id", "proposed_by__username__iexact")
    search_help_text = "The user name of who proposed it, or the number of the row it is about."
    actions = (agree, reject)
    fields = (
        *("label", "object_name", "where", "cost", "state", "why", "typed"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    readonly_fields = ("where", "typed")

    @admin.display(description="What was typed")
    def typed(self, proposal: Proposal) -> str:
        model = proposal.content_type.model_class()
        told = [
            (name_in_words(model, name), value_in_words(model, name, value))
            for name, value in proposal.given.items()
        ]
        return format_html_join("", "<p>{}: {}</p>", told) or "nothing"

    @admin.display(description="What it is about")
    def where(self, proposal: Proposal) -> str:
        """The way to the row's own page, for those who may see it."""
        row = row_proposed_about(proposal)
        if row is None:
            return "is made once somebody agrees"
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), row)

    def has_view_permission(self, request: HttpRequest, obj: Proposal | None = None) -> bool:
        """For whoever may agree to any, and to this one."""
        if obj is None:
            return request.user.is_active and bool(keys_for(current_user(request)))
        return obj.action in keys_for(current_user(request))

    def has_second_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).filter(action__in=keys_for(current_user(request)))


def _marks(address: Address) -> str:
    """What an address is called and is for, before the rest of it."""
    marks = [
        address.label,
        "default" if address.is_default else "",
        "goods are collected here" if address.is_collection_place else "",
    ]
    told = ", ".join(filter(None, marks))
    return f"{told}: " if told else ""


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _is_within_reach(request: HttpRequest, person: User | None) -> bool:
    return _is_superuser(request) or person is None or not _has_power(person)


def _has_power(person: User) -> bool:
    return person.is_staff or person.is_superuser


def _require_reach(by: User, person: User) -> None:
    """Raise OutOfReach where only a superuser may act on somebody."""
    if _has_power(person) and not by.is_superuser:
        raise OutOfReach
