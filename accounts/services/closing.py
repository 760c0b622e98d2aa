"""Closing an account, and opening it again."""

from __future__ import annotations

from django.db import transaction

from accounts import tokens
from accounts.models import User
from accounts.signals import account_closed

from .columns import update_columns


@transaction.atomic
def close_account(user: User) -> None:
    """Keep a user from signing in, and end all their sessions. Safe to repeat.

    Their orders and records are kept. What they sell is taken off sale (``account_closed``): they
    could not hand it over. ``reopen_account`` undoes all but that.
    """
    update_columns(user, {"is_active": False})
    tokens.revoke_all(user.pk)
    account_closed.send(sender=User, user=user)


def reopen_account(user: User) -> None:
    """Let the user of a closed account sign in again; deleted ones stay as they are."""
    if user.erased_at is None:
        update_columns(user, {"is_active": True})
