"""The second factor of staff: a code from an app (TOTP, RFC 6238), or one of ten recovery codes.

django-allauth stores and checks them (``allauth.mfa``). This module adds who must have one, that
each code works once across all processes, that wrong codes count as failures (accounts.lockout),
and that secrets are encrypted in the database.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from omachemainproj.api.errors import Refusal

from . import emails, lockout, tokens
from .models import User

logger = logging.getLogger(__name__)

TOTP, RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
#: No code is longer.
CODE_MAX = 32


class CodeNeeded(Refusal):
    """The password was right; a code is required too."""

    code = "mfa_required"
    status_code = 400
    message = "Send the code of your authenticator app too, as “code”."


class WrongCode(Refusal):
    """Not a code of this user, or one that was used before."""

    code = "mfa_invalid"
    status_code = 400
    message = "This code is wrong, or was used before."


class NotEnrolled(Refusal):
    """The user works with money and has no second factor yet."""

    code = "mfa_not_set_up"
    status_code = 403
    message = "Set up your second factor first: sign in to the admin."


class AlreadyEnrolled(Refusal):
    """The user already has a second factor."""

    code = "mfa_is_set_up"
    message = "Your second factor is set up already."


class Adapter(DefaultMFAAdapter):
    """Configures allauth: encryption of secrets, and account names in authenticator apps."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken if it was encrypted under another DJANGO_SECRET_KEY."""
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        return f"O-Mache:{user.get_username()}"

    def get_totp_issuer(self) -> str:
        return "O-Mache"


adapter: Adapter = SimpleLazyObject(Adapter)  # type: ignore[assignment]


def _fernet() -> MultiFernet:
    """Encrypts under DJANGO_SECRET_KEY; also decrypts with the fallback keys."""
    return MultiFernet(
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"omache.mfa:" + key.encode()).digest()))
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def is_missing(user: User) -> bool:
    """Whether this user, because they see or move money, must set up a second factor.

    Always False with STAFF_MFA off. At most two queries, for staff without one.
    """
    if not settings.STAFF_MFA or user.second_factor_at is not None or not user.is_active:
        return False
    return user.is_superuser or user.has_module_perms("payments")


def demand(request: HttpRequest, user: User, code: str) -> None:
    """Check the code of a user whose password was right, if they have a second factor.

    Raises CodeNeeded, WrongCode, LockedOut or NotEnrolled.
    """
    if is_missing(user):
        raise NotEnrolled
    if user.second_factor_at is None:
        return
    if not code:
        raise CodeNeeded
    check(request, user, code)


def check(request: HttpRequest, user: User, code: str) -> None:
    """Use up a code. Raises WrongCode, or LockedOut after too many failures."""
    attempt = lockout.begin(request, user, credential=lockout.CODE)
    if _use(user, code):
        attempt.take_back()
        return
    user_login_failed.send(
        sender=__name__, credentials={"username": user.get_username()}, request=request
    )
    attempt.fail()
    raise WrongCode


def _use(user: User, code: str) -> bool:
    try:
        return _take(user, code)
    except InvalidToken:
        logger.error("the second factor of user %s is encrypted under another key", user.pk)
        return False


@transaction.atomic
def _take(user: User, code: str) -> bool:
    """Use up a code; return whether it was the user's and unused."""
    if len(code) > CODE_MAX:
        return False
    # Locked, so that one of two concurrent requests with the same code succeeds.
    locked = Authenticator.objects.select_for_update().filter(user=user)
    rows = {row.type: row for row in locked.order_by("pk")}
    if TOTP in rows and (counter := _counter_of(rows[TOTP], code)) is not None:
        rows[TOTP].data["counter"] = counter
        rows[TOTP].last_used_at = timezone.now()
        rows[TOTP].save(update_fields=["data", "last_used_at"])
        return True
    return RECOVERY in rows and RecoveryCodes(rows[RECOVERY]).validate_code(code)


def _counter_of(row: Authenticator, code: str) -> int | None:
    """The TOTP counter of a code, if it is later than that of the last code used."""
    secret = adapter.decrypt(row.data["secret"])
    return _match(secret, code, after=row.data.get("counter", 0))


def _match(secret: str, code: str, after: int = 0) -> int | None:
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if counter > after and compare_user_code(actual=code, expected=expected):
            return counter
    return None


def new_secret() -> str:
    """A new secret for an app, encrypted; it is not stored until ``enrol``."""
    return adapter.encrypt(totp.generate_totp_secret())


def decrypt_secret(sealed: str) -> str | None:
    """The decrypted secret, as typed into an app; None if it can no longer be decrypted."""
    try:
        return adapter.decrypt(sealed)
    except InvalidToken:
        return None


def draw(user: User, secret: str) -> str:
    """The QR code (SVG) from which an app reads the secret."""
    return adapter.build_totp_svg(adapter.build_totp_url(user, secret))


@transaction.atomic
def enrol(user: User, *, secret: str, code: str) -> list[str]:
    """Set up a second factor for this user; return ten recovery codes.

    ``code`` proves that an app has the secret. All tokens and sessions are revoked. Raises
    WrongCode, and AlreadyEnrolled.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if person.second_factor_at is not None:
        raise AlreadyEnrolled
    counter = _match(secret, code)
    if counter is None:
        raise WrongCode
    Authenticator.objects.filter(user=person, type__in=(TOTP, RECOVERY)).delete()
    Authenticator.objects.create(
        user=person, type=TOTP, data={"secret": adapter.encrypt(secret), "counter": counter}
    )
    _set(user, timezone.now())
    emails.notify_of_change(user, "factor_added")
    return RecoveryCodes.activate(user).generate_codes()


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """Create ten new recovery codes; the old ones stop working."""
    Authenticator.objects.filter(user=user, type=RECOVERY).delete()
    return RecoveryCodes.activate(user).generate_codes()


@transaction.atomic
def remove(user: User) -> None:
    """Remove this user's second factor and revoke all tokens and sessions.

    Safe to repeat.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Authenticator.objects.filter(user=user, type__in=(TOTP, RECOVERY)).delete()[0]:
        emails.notify_of_change(user, "factor_removed")
    _set(user, None)


def _set(user: User, since: Any) -> None:
    User.objects.filter(pk=user.pk).update(second_factor_at=since)
    user.second_factor_at = since
    tokens.revoke_all(user.pk)
