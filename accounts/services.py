"""Account services: register, sign in, change details and passwords."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from omachemainproj.api.errors import FieldRefusal, refuse_field
from omachemainproj.images import KEEP, PictureChange
from omachemainproj.text import fold_password

from . import emails, lockout, names, second_factor, security_log, tokens
from .lookalikes import skeleton
from .models import EMAIL_TAKEN, Address, PhoneLogin, User, avatar_path
from .sessions import Origin

#: The same for a used, expired or unknown link, so that it reveals nothing.
LINK_IS_OVER = "This link is no longer valid. Request a new one."


def register(*, username: str, email: str, password: str) -> User:
    """Create an account. Raises FieldRefusal if the name or e-mail was taken concurrently."""
    user = User(username=username, email=email)
    # Hashed before the transaction: it is slow on purpose, and SQLite has one writer.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            if not names.claim(user, username):
                refuse_field("username", names.NAME_IS_CONFUSABLE)
    except IntegrityError as error:
        _refuse_taken(username=username, email=email, error=error)
    emails.send_confirmation(user)
    return user


def sign_in(request: HttpRequest, *, name: str, password: str, code: str = "") -> User | None:
    """Return the active user with this username or e-mail and password, or None.

    ``code`` is the code of their second factor, if they have one. Raises CodeNeeded, WrongCode
    (400), NotEnrolled (403) if they must have a second factor and have none, and LockedOut (429):
    every failure counts, whichever name was typed.
    """
    user = authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        return None
    second_factor.demand(request, user, code)
    lockout.prove(request, user)
    user_logged_in.send(sender=User, request=request, user=user)
    return user


def confirm_password(request: HttpRequest, user: User, *, password: str) -> bool:
    """Check the password of a user who is already signed in.

    Failures count as they do at log-in. Raises LockedOut (429) after too many.
    """
    found = authenticate(request, username=user.username, password=password)
    if not isinstance(found, User) or found.pk != user.pk:
        return False
    # authenticate() may have upgraded the hash, which changing the password compares.
    user.password = found.password
    return True


def open_link(request: HttpRequest, uid: str, token: str) -> User | None:
    """The active user whose reset link this is, or None.

    Invalid links count as failures of this network. Raises LockedOut (429) after too many; a valid
    link always works.
    """
    user = emails.find_by_link(uid, token)
    if user is None:
        lockout.begin(request, None).fail()
    return user


def change_details(user: User, changes: dict[str, str]) -> None:
    """Change the user's names, e-mail or phone, and no other column; notify the old e-mail address.

    The old username is quarantined. A new e-mail is unconfirmed until its owner follows the link
    that is mailed to it. A phone (12 digits, or ``""`` for none) set here is no longer replaced by
    one that pays; the change is mailed to a confirmed inbox. Raises FieldRefusal if the name or
    e-mail was taken concurrently.
    """
    before, old_email, old_phone = user.username, user.email, user.phone
    has_new_email = changes.get("email", old_email).lower() != old_email.lower()
    columns: dict[str, Any] = dict(changes)
    if has_new_email:
        columns["email_confirmed_at"] = None
    # Sending the phone back unchanged is not a choice of it.
    if columns.get("phone") == old_phone:
        del columns["phone"]
    elif "phone" in columns:
        columns["phone_chosen"] = True
    try:
        with transaction.atomic():
            _update(user, columns)
            names.change(user, before=before, after=user.username)
            if old_email and old_email != user.email:
                emails.tell_of_change(user, "email_changed", to=old_email)
            elif has_new_email:
                security_log.record_on_commit("email_changed", user=user.pk)
            if user.phone != old_phone:
                _tell_of_phone(user, old_phone)
    except IntegrityError as error:
        _refuse_taken(
            username=changes.get("username", user.username),
            email=changes.get("email", user.email),
            error=error,
            but=user.pk,
        )
    if has_new_email:
        emails.send_confirmation(user)


def _tell_of_phone(user: User, before: str) -> None:
    """Log that the phone was changed, and mail the user if it replaced another.

    This phone gives no access, so an unconfirmed inbox, perhaps a stranger's, gets no mail.
    """
    if before and user.email_confirmed_at:
        emails.tell_of_change(user, "phone_changed")
    else:
        security_log.record_on_commit("phone_changed", user=user.pk)


def confirm_email(key: str) -> User:
    """Confirm the e-mail address that the key was mailed to. Safe to repeat.

    Other accounts with the same unconfirmed address lose it, so that their mail does not reach this
    inbox. Raises FieldRefusal if the link is no longer valid: it expired, the user has changed the
    address, or another user has confirmed it.
    """
    found = emails.read_key(key)
    if found is None:
        refuse_field("key", LINK_IS_OVER)
    try:
        with transaction.atomic():
            is_theirs = _confirm(found, found.email)
    except IntegrityError:
        is_theirs = False
    if not is_theirs:
        refuse_field("key", LINK_IS_OVER)
    return found


def _confirm(user: User, email: str) -> bool:
    """Mark the user's e-mail as confirmed; return whether it is confirmed now.

    Raises IntegrityError if another user confirmed it concurrently.
    """
    now = timezone.now()
    # Two concurrent confirmations would deadlock without this lock.
    list(User.objects.reached_at(email).order_by("pk").select_for_update(no_key=True))
    waiting = User.objects.filter(pk=user.pk, email=email, email_confirmed_at__isnull=True)
    if waiting.update(email_confirmed_at=now):
        same = User.objects.reached_at(email).filter(email_confirmed_at__isnull=True)
        same.exclude(pk=user.pk).order_by().update(email="")
        return True
    return User.objects.confirmed_at(email).filter(pk=user.pk).exists()


def change_account(user: User, changes: dict[str, str], avatar: PictureChange) -> None:
    """Change what others see of the user; ``avatar`` is a picture, None to remove it, or ``KEEP``.

    The old avatar's file is deleted once the change is committed, and the new one if it fails.
    """
    if avatar is KEEP:
        _update(user, changes)
        return
    storage = User._meta.get_field("avatar").storage
    name = ""
    if avatar is not None:
        file = avatar.thumbnail
        name = storage.save(avatar_path(user, file.name or ""), file)
    try:
        with transaction.atomic():
            people = User.objects.select_for_update(no_key=True).filter(pk=user.pk)
            before = people.values_list("avatar", flat=True).first()
            _update(user, {**changes, "avatar": name})
            if before:
                transaction.on_commit(partial(storage.delete, before), robust=True)
    except BaseException:
        if name:
            storage.delete(name)
        raise


@transaction.atomic
def close_account(user: User) -> None:
    """Keep a user from signing in, and end all their sessions. Safe to repeat.

    Their orders, listings and records are kept. ``reopen_account`` undoes it.
    """
    _update(user, {"is_active": False})
    tokens.revoke_all(user.pk)


def reopen_account(user: User) -> None:
    """Let the user of a closed account sign in again; deleted ones stay as they are."""
    if user.erased_at is None:
        _update(user, {"is_active": True})


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
    FieldRefusal if the link was used concurrently.
    """
    hashed = make_password(fold_password(new))
    with transaction.atomic():
        if not _replace_password(user, hashed, event="password_reset"):
            refuse_field("token", LINK_IS_OVER)
        lockout.forgive(user)
        if user.email_confirmed_at is None:
            _remove_what_a_stranger_may_have_left(user)
    # The link reached the inbox, so the address is confirmed too. A stranger may have registered
    # it; with the new password the account belongs to the inbox's owner.
    with suppress(IntegrityError), transaction.atomic():
        _confirm(user, user.email)


def _remove_what_a_stranger_may_have_left(user: User) -> None:
    """Remove the sign-in phone, the contact phone and the addresses of an account.

    A stranger may have registered it with somebody else's e-mail address, and waited for the owner
    to use it (account pre-hijacking: Sudhodanan and Paverd, USENIX Security 2022).
    """
    if PhoneLogin.objects.filter(user=user).delete()[0]:
        security_log.record_on_commit("phone_unlinked", user=user.pk)
    Address.objects.filter(user=user).delete()
    _update(user, {"phone": "", "phone_chosen": False})


def _replace_password(user: User, hashed: str, *, event: str = "password_changed") -> bool:
    # The old hash is the condition, so only one of two concurrent changes succeeds.
    same = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if not same.update(password=hashed):
        return False
    user.password = hashed
    tokens.revoke_all(user.pk)
    emails.tell_of_change(user, "password_changed", event=event)
    return True


def _update(user: User, changes: dict[str, Any]) -> None:
    # Only these columns: saving the whole row would undo concurrent changes by staff.
    if "username" in changes:
        changes = {**changes, "skeleton": skeleton(changes["username"])}
    if changes and not User.objects.filter(pk=user.pk).update(**changes):
        tokens.refuse("user_not_found")
    for name, value in changes.items():
        setattr(user, name, value)


def _refuse_taken(*, username: str, email: str, error: IntegrityError, but: int = 0) -> NoReturn:
    errors = taken(username=username, email=email, but=but)
    if errors:
        raise FieldRefusal(errors) from error
    raise error


def taken(*, username: str, email: str, but: int = 0) -> dict[str, list[str]]:
    """Return the errors of a username or e-mail that is not available to user ``but``.

    An e-mail is taken only if another user has confirmed it.
    """
    errors = {}
    # The user's own name stays available to them in any case or form.
    own = User.objects.called(username).filter(pk=but).exists() if username and but else False
    reason = names.refusal(username, but=but) if username and not own else None
    if reason:
        errors["username"] = [reason]
    if email and User.objects.confirmed_at(email).exclude(pk=but).exists():
        errors["email"] = [EMAIL_TAKEN]
    return errors
