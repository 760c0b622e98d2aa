"""Registration, and which names and e-mails are taken."""

from __future__ import annotations

from typing import NoReturn

from django.db import IntegrityError, transaction

from accounts import emails, names
from accounts.models import EMAIL_TAKEN, User
from accounts.preferences import change_preferences
from omachemainproj.api.errors import FieldRefusal, refuse_field
from omachemainproj.languages import ENGLISH


def register(*, username: str, email: str, password: str, language: str = ENGLISH) -> User:
    """Create an account, with messages in this language.

    Raises FieldRefusal if the name or e-mail was taken concurrently.
    """
    user = User(username=username, email=email)
    # Hashed before the transaction: it is slow on purpose, and SQLite has one writer.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            if not names.claim(user, username):
                refuse_field("username", names.NAME_IS_CONFUSABLE)
            if language != ENGLISH:
                change_preferences(user, {"language": language})
    except IntegrityError as error:
        refuse_taken(username=username, email=email, error=error)
    emails.send_confirmation(user)
    return user


def refuse_taken(*, username: str, email: str, error: IntegrityError, but: int = 0) -> NoReturn:
    """Raise FieldRefusal if a name or e-mail of the failed write is taken, else the error."""
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
