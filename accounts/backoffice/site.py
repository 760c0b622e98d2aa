"""The admin's sign-in by password and code, and pages for one's own password and second factor."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import REDIRECT_FIELD_NAME, login, update_session_auth_hash
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from rest_framework.request import Request

from accounts import emails, lockout, second_factor, services, sessions, tokens
from accounts.authentication import current_user
from accounts.models import User
from accounts.validators import PASSWORD_MAX
from omachemainproj.api.errors import Refusal
from omachemainproj.api.throttles import ScopedThrottle
from omachemainproj.text import fold_password

from . import audit
from .sidebar import build_sidebar

#: Seconds in which the code must follow the password.
CODE_TIMEOUT_SECONDS = 300
#: Session key: the user whose password was right, and until when the code is accepted.
_PENDING = "second_factor_of"
#: Session key: the encrypted secret that is being set up.
_OFFERED = "second_factor_offered"
_BACKEND = "accounts.backends.UsernameOrEmailBackend"


class TooOften(Refusal):
    """Too many attempts from one network within a minute."""

    code = "throttled"
    status_code = 429
    message = "Too many attempts. Wait a minute."


class SignInForm(AdminAuthenticationForm):
    """Name and password. For other users it looks, and counts, like a wrong password."""

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except forms.ValidationError:
            # A buyer's right password must be indistinguishable from a wrong one, counts included.
            lockout.begin(self.request, user).fail()
            raise


class OwnPasswordForm(AdminPasswordChangeForm):
    """Changes one's own password; wrong old passwords count as failed attempts."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        old = self.cleaned_data["old_password"]
        if not services.confirm_password(self.request, self.user, password=old):
            code = "password_incorrect"
            raise forms.ValidationError(self.error_messages[code], code=code)
        return old

    def clean_new_password1(self) -> str:
        return fold_password(self.cleaned_data["new_password1"])

    def clean_new_password2(self) -> str:
        return fold_password(self.cleaned_data["new_password2"])

    def save(self, commit: bool = True) -> Any:
        """Save the password alone: a superuser may have changed the rest of the row meanwhile."""
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


class CodeForm(forms.Form):
    """A code of the user's app, or a recovery code."""

    code = forms.CharField(
        max_length=second_factor.CODE_MAX,
        label="Code",
        help_text="Six digits of your authenticator app, or a recovery code.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class EnrolForm(CodeForm):
    """A first code, and the password, so that nobody can use a session left open to enrol."""

    password = forms.CharField(
        max_length=PASSWORD_MAX,
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "The six digits that your app shows now."


class _SignIn(LoginView):
    """Asks users with a second factor for its code, after the password."""

    def form_valid(self, form: Any) -> HttpResponse:
        user, request = form.get_user(), self.request
        if user.second_factor_at is None:
            lockout.record_sign_in(request, user)
            return super().form_valid(form)
        request.session[_PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "until": time.time() + CODE_TIMEOUT_SECONDS,
            "next": self.get_success_url(),
        }
        return redirect("admin:sign_in_code")


class _OwnPassword(PasswordChangeView):
    """Notifies the user by e-mail, and ends all other sessions and tokens."""

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.request = self.request
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user = current_user(self.request)
        tokens.revoke_all(user.pk)
        sessions.reopen_with_cookie(self.request, user)
        emails.notify_of_change(user, "password_changed")
        return response


def _keep_this_session(request: HttpRequest, user: User) -> None:
    """Keep this session after the change of the second factor has ended all sessions."""
    update_session_auth_hash(request, user)
    sessions.reopen_with_cookie(request, user)


class ShopSite(AdminSite):
    """Django's admin. Staff who must set up a second factor only see the page to do so."""

    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        return _is_staff(request) and not second_factor.is_missing(current_user(request))

    def get_urls(self) -> list[Any]:
        own = [
            path("login/code/", self.ask_code, name="sign_in_code"),
            path("second-factor/", self.second_factor, name="second_factor"),
        ]
        return own + super().get_urls()

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The sidebar's sections (sidebar.py) instead of Django's apps."""
        apps = self._build_app_dict(request, app_label).values()
        lists = [each for app in apps for each in app["models"]]
        if app_label and not lists:
            # Django answers that there is no such page.
            return []
        return build_sidebar(request, lists)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The password's page; what follows it is ``ask_code`` or ``second_factor``."""
        if request.method == "GET" and _is_staff(request):
            where = "index" if self.has_permission(request) else "second_factor"
            return redirect(f"admin:{where}")
        _refuse_too_often(request)
        context = {
            **self.each_context(request),
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        view: Any = _SignIn.as_view(
            extra_context=context,
            authentication_form=self.login_form,
            template_name="admin/login.html",
        )
        response: HttpResponse = never_cache(view)(request)
        return response

    @method_decorator([never_cache, csrf_protect])
    def ask_code(self, request: HttpRequest) -> HttpResponse:
        """The code's page: the second half of signing in."""
        user, goes_to = _pending(request)
        if user is None:
            return redirect("admin:login")
        form = CodeForm(request.POST or None)
        if _has_right_code(form, request, user):
            del request.session[_PENDING]
            login(request, user, backend=_BACKEND)
            lockout.record_sign_in(request, user)
            return HttpResponseRedirect(goes_to)
        return self._page(request, "admin/sign_in_code.html", "One more step", form=form)

    @method_decorator([never_cache, csrf_protect])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Set up one's own second factor, renew its recovery codes, or remove it."""
        if not _is_staff(request):
            return redirect("admin:login")
        if current_user(request).second_factor_at is None:
            return self._enrol(request)
        return self._manage(request)

    def _enrol(self, request: HttpRequest) -> HttpResponse:
        user = current_user(request)
        sealed = request.session.get(_OFFERED) or second_factor.new_secret()
        secret = second_factor.decrypt_secret(sealed)
        if secret is None:
            sealed = second_factor.new_secret()
            secret = second_factor.decrypt_secret(sealed) or ""
        request.session[_OFFERED] = sealed
        form = EnrolForm(request.POST or None)
        if form.is_valid():
            codes = self._try_to_enrol(request, user, secret, form)
            if codes:
                return self._show_codes(request, codes)
        return self._page(
            request,
            "admin/second_factor.html",
            "Set up your second factor",
            form=form,
            secret=secret,
            # Generated here from safe text: letters, digits and a validated user name.
            picture=mark_safe(second_factor.draw(user, secret)),  # noqa: S308
            is_needed=second_factor.is_missing(user),
            is_nav_sidebar_enabled=not second_factor.is_missing(user),
        )

    def _try_to_enrol(
        self, request: HttpRequest, user: User, secret: str, form: forms.Form
    ) -> list[str]:
        given = form.cleaned_data
        if not services.confirm_password(request, user, password=given["password"]):
            form.add_error("password", "This is not your password.")
            return []
        try:
            with transaction.atomic():
                codes = second_factor.enrol(user, secret=secret, code=given["code"])
                _record(user, "Set up a second factor")
        except second_factor.WrongCode as refusal:
            form.add_error("code", str(refusal))
            return []
        del request.session[_OFFERED]
        _keep_this_session(request, user)
        return codes

    def _manage(self, request: HttpRequest) -> HttpResponse:
        user = current_user(request)
        form = CodeForm(request.POST or None)
        if _has_right_code(form, request, user):
            return self._change(request, user)
        return self._page(request, "admin/second_factor_kept.html", "Your second factor", form=form)

    def _change(self, request: HttpRequest, user: User) -> HttpResponse:
        if "remove" in request.POST:
            with transaction.atomic():
                second_factor.remove(user)
                _record(user, "Took their own second factor away")
            _keep_this_session(request, user)
            return redirect("admin:second_factor")
        with transaction.atomic():
            codes = second_factor.renew_recovery_codes(user)
            _record(user, "Made new recovery codes")
        return self._show_codes(request, codes)

    def _show_codes(self, request: HttpRequest, codes: list[str]) -> HttpResponse:
        return self._page(request, "admin/recovery_codes.html", "Your recovery codes", codes=codes)

    def _page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> HttpResponse:
        return TemplateResponse(
            request, template, {**self.each_context(request), "title": title, **context}
        )

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """One's own password, by the old one."""
        view = _OwnPassword.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={
                **self.each_context(request),
                "title": "Change your password",
                **(extra_context or {}),
            },
        )
        return view(request)

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = {"title": "Your password is changed"}
        return super().password_change_done(request, {**title, **(extra_context or {})})

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().logout(request, {"title": "You are logged out", **(extra_context or {})})


def _record(user: User, did: str) -> None:
    # A request's user is a lazy object, not a model instance.
    audit.log(user, did, User.objects.get(pk=user.pk), action=audit.OWN_ACCOUNT)


def _is_staff(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff


def _pending(request: HttpRequest) -> tuple[User | None, str]:
    """The user who just entered the right password in this session, and the page to go to next."""
    pending = request.session.get(_PENDING) or {}
    if pending.get("until", 0) < time.time():
        return None, ""
    user = User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()
    if user is None or user.get_session_auth_hash() != pending["hash"]:
        return None, ""
    return user, pending["next"]


def _refuse_too_often(request: HttpRequest) -> None:
    """Raise TooOften beyond the API's limit of log-ins per minute and network or user."""
    view: Any = SimpleNamespace(throttle_scope="login")
    throttle = ScopedThrottle()
    if not settings.THROTTLES or request.method != "POST":
        return
    if not throttle.allow_request(cast(Request, request), view):
        refusal = TooOften()
        refusal.retry_after = int(throttle.wait())
        raise refusal


def _has_right_code(form: CodeForm, request: HttpRequest, user: User) -> bool:
    """Whether a code was posted and is the user's; a wrong one gets an error in the form.

    Raises TooOften, and LockedOut after too many failures.
    """
    if not form.is_valid():
        return False
    _refuse_too_often(request)
    try:
        second_factor.check(request, user, form.cleaned_data["code"])
    except second_factor.WrongCode as refusal:
        form.add_error("code", str(refusal))
        return False
    return True
