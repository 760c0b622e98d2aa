"""Notification preferences: set by users, read by orders.notifications."""

from __future__ import annotations

from typing import Any

from .models import MessagePreferences, User


def preferences_of(user: User) -> MessagePreferences:
    """A user's preferences; by default everything, in English.

    One query, or none if ``message_preferences`` was joined.
    """
    try:
        return user.message_preferences
    except MessagePreferences.DoesNotExist:
        return MessagePreferences(user=user)


def change_preferences(user: User, changes: dict[str, Any]) -> MessagePreferences:
    """Change only these preferences, so that concurrent changes of others are kept."""
    if changes:
        MessagePreferences.objects.bulk_create(
            [MessagePreferences(user=user, **changes)],
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=list(changes),
        )
    return MessagePreferences.objects.filter(user=user).first() or MessagePreferences(user=user)
