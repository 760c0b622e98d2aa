"""Who buys without an account."""

from __future__ import annotations

from django.db import models

from .users import User


class Guest(models.Model):
    """A person who is only known by the phone that is asked to pay: nobody signs in as them.

    Their ``User`` has no name, no password and no ``PhoneLogin``; anybody who types the phone at a
    cash-out orders as them. Written by ``accounts.guests`` alone.
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
