"""The account endpoints' addresses."""

from django.contrib.admin import site
from django.urls import path, re_path

from . import phone_views, profile_views, session_views, token_views, views
from .addresses import views as address_views
from .backoffice.search import find

urlpatterns = [
    path("registration/", views.RegistrationView.as_view(), name="registration"),
    path("registration/verify-email/", views.ConfirmEmailView.as_view(), name="confirm-email"),
    path(
        "registration/resend-email/",
        views.ResendConfirmationView.as_view(),
        name="resend-confirmation",
    ),
    path("login/", views.SignInView.as_view(), name="login"),
    path("login/phone/", phone_views.AskForCodeView.as_view(), name="login-phone"),
    path("login/phone/confirm/", phone_views.PhoneSignInView.as_view(), name="login-phone-confirm"),
    path("logout/", token_views.SignOutView.as_view(), name="logout"),
    path("token/verify/", token_views.VerifyView.as_view(), name="token-verify"),
    path("token/refresh/", token_views.RefreshView.as_view(), name="token-refresh"),
    path("token/logout/", token_views.SignOutOfBrowserView.as_view(), name="token-logout"),
    path("password/change/", views.ChangePasswordView.as_view(), name="password-change"),
    path("password/set/", phone_views.SetPasswordView.as_view(), name="password-set"),
    path("password/reset/", views.ResetPasswordView.as_view(), name="password-reset"),
    path(
        "password/reset/confirm/",
        views.ConfirmResetView.as_view(),
        name="password-reset-confirm",
    ),
    path("user/", profile_views.UserView.as_view(), name="user"),
    path("account/", profile_views.AccountView.as_view(), name="account"),
    path("account/phone/", phone_views.PhoneView.as_view(), name="account-phone"),
    path(
        "account/phone/confirm/",
        phone_views.ConfirmPhoneView.as_view(),
        name="account-phone-confirm",
    ),
    path("account/phone/code/", phone_views.OwnCodeView.as_view(), name="account-phone-code"),
    path("account/messages/", profile_views.MessagesView.as_view(), name="account-messages"),
    path("account/addresses/", address_views.AddressesView.as_view(), name="account-addresses"),
    re_path(
        r"^account/addresses/(?P<address_id>[0-9]{1,18})/$",
        address_views.AddressView.as_view(),
        name="account-address",
    ),
    path("counties/", address_views.CountiesView.as_view(), name="counties"),
    path("account/sessions/", session_views.SessionsView.as_view(), name="account-sessions"),
    path(
        "account/sessions/end-all/",
        session_views.EndSessionsView.as_view(),
        name="account-sessions-end-all",
    ),
    # 18 digits fit the column.
    re_path(
        r"^account/sessions/(?P<session_id>[0-9]{1,18})/$",
        session_views.SessionView.as_view(),
        name="account-session",
    ),
    path("admin/find/", site.admin_view(find), name="find"),
]
