"""Guests: buyers without an account."""

from __future__ import annotations

from django.db import models

from .users import User


class Guest(models.Model):
    """A buyer known only by the phone that is asked to pay. Nobody can sign in as a guest.

    The ``User`` has no name, password or ``PhoneLogin``; anyone who enters the phone at checkout
    orders as this guest. Only written by ``accounts.guests``.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="guest"
    )
    phone = models.CharField(max_length=12, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"guest {self.user_id}"
