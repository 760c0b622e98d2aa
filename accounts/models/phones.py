"""Phones that people sign in with, and the codes that are sent to them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .users import User


class PhoneLogin(models.Model):
    """The phone a user signs in with, verified by a code sent to it.

    Not ``User.phone``, which is unverified and gives no access. Only written by
    ``accounts.phone_login``.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="phone_login"
    )
    phone = models.CharField(max_length=12, unique=True)
    linked_at = models.DateTimeField()
    #: When a code sent there was last entered for this account. A number unused for long may have
    #: been reassigned.
    proved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.phone} of {self.user_id}"


class CodePurpose(models.TextChoices):
    LOGIN = "login"  # sign in or register with the phone
    LINK = "link"  # link the phone to an account
    OWN = "own"  # confirm a sensitive change, instead of a password


class PhoneCode(models.Model):
    """A code sent to a phone: short-lived, for one success and a few failures.

    Neither the phone nor the code is stored: only a keyed digest of both, the purpose, and a token
    that only the requester knows.
    """

    #: A keyed digest of that token.
    key = models.CharField(max_length=64, primary_key=True)
    answer = models.CharField(max_length=64)
    purpose = models.CharField(max_length=5, choices=CodePurpose)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="phone_code_has_few_tries", condition=Q(tries__gte=0, tries__lte=5)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}, until {self.expires_at}"
