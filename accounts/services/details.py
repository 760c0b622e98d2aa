"""A user's own details: names, e-mail, phone, and what others see of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from accounts import emails, names, security_log, tokens
from accounts.models import User, avatar_path
from omachemainproj.images import KEEP, PictureChange

from .columns import update_columns
from .registration import refuse_taken


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
            if has_new_email:
                # Reset links go there.
                tokens.lock_caller(user)
            update_columns(user, columns)
            names.change(user, before=before, after=user.username)
            if old_email and old_email != user.email:
                emails.notify_of_change(user, "email_changed", to=old_email)
            elif has_new_email:
                security_log.record_on_commit("email_changed", user=user.pk)
            if user.phone != old_phone:
                _notify_of_phone_change(user, old_phone)
    except IntegrityError as error:
        refuse_taken(
            username=changes.get("username", user.username),
            email=changes.get("email", user.email),
            error=error,
            but=user.pk,
        )
    if has_new_email:
        emails.send_confirmation(user)


def _notify_of_phone_change(user: User, before: str) -> None:
    """Log that the phone was changed, and mail the user if it replaced another.

    This phone gives no access, so an unconfirmed inbox, perhaps a stranger's, gets no mail.
    """
    if before and user.email_confirmed_at:
        emails.notify_of_change(user, "phone_changed")
    else:
        security_log.record_on_commit("phone_changed", user=user.pk)


def change_account(user: User, changes: dict[str, str], avatar: PictureChange) -> None:
    """Change what others see of the user; ``avatar`` is a picture, None to remove it, or ``KEEP``.

    The old avatar's file is deleted once the change is committed, and the new one if it fails.
    """
    if avatar is KEEP:
        update_columns(user, changes)
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
            update_columns(user, {**changes, "avatar": name})
            if before:
                transaction.on_commit(partial(storage.delete, before), robust=True)
    except BaseException:
        if name:
            storage.delete(name)
        raise
