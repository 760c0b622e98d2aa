"""Changing and resetting passwords."""

from __future__ import annotations

from contextlib import suppress

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts import emails, lockout, security_log, tokens
from accounts.models import Address, PhoneLogin, User
from accounts.sessions import Origin
from omachemainproj.api.errors import refuse_field
from omachemainproj.text import fold_password

from .columns import update_columns
from .email_confirmation import LINK_IS_OVER, confirm


def change_password(
    user: User, *, new: str, origin: Origin | None = None, browser: str = ""
) -> tokens.Tokens:
    """Set a new password and issue new tokens; all earlier tokens are revoked.

    ``browser`` as in ``tokens.issue``. Raises FieldRefusal if another request changed the password
    first.
    """
    hashed = make_password(fold_password(new))
    with transaction.atomic():
        if not _replace_password(user, hashed):
            refuse_field("old_password", "The password was changed a moment ago.")
        return tokens.issue(user, origin, browser=browser)


def reset_password(user: User, *, new: str) -> None:
    """Set the password of a user who followed the link; all earlier tokens are revoked.

    Failed attempts are reset, since they were not at this password. If the inbox was never
    confirmed before, the sign-in phone, the contact phone and the addresses are removed too. Raises
    FieldRefusal if the link was used, or the e-mail changed, concurrently.
    """
    hashed = make_password(fold_password(new))
    with transaction.atomic():
        # The link is the proof of this inbox.
        if not _replace_password(user, hashed, event="password_reset", email=user.email):
            refuse_field("token", LINK_IS_OVER)
        lockout.reset_failures(user)
        if user.email_confirmed_at is None:
            _remove_unverified_contacts(user)
    # The link reached the inbox, so the address is confirmed too. A stranger may have registered
    # it; with the new password the account belongs to the inbox's owner.
    with suppress(IntegrityError), transaction.atomic():
        confirm(user, user.email)


def _remove_unverified_contacts(user: User) -> None:
    """Remove the sign-in phone, the contact phone and the addresses of an account.

    A stranger may have registered it with somebody else's e-mail address, and waited for the owner
    to use it (account pre-hijacking: Sudhodanan and Paverd, USENIX Security 2022).
    """
    if PhoneLogin.objects.filter(user=user).delete()[0]:
        security_log.record_on_commit("phone_unlinked", user=user.pk)
    Address.objects.filter(user=user).delete()
    update_columns(user, {"phone": "", "phone_chosen": False})


def _replace_password(
    user: User, hashed: str, *, event: str = "password_changed", **unchanged: str
) -> bool:
    """Set the password if nobody else has, and these columns are unchanged; return whether so."""
    # The old hash is the condition, so only one of two concurrent changes succeeds.
    same = User.objects.filter(pk=user.pk, password=user.password, is_active=True, **unchanged)
    if not same.update(password=hashed):
        return False
    user.password = hashed
    tokens.revoke_all(user.pk)
    emails.notify_of_change(user, "password_changed", event=event)
    return True
