"""Sessions, failed password attempts, and claims of user names."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.validators import USERNAME_MAX

from .users import User


class PasswordTries(models.Model):
    """Recent failed attempts at a password or code, counted under one key.

    Only written by ``accounts.lockout``.
    """

    #: The kind of count, and a keyed digest of account and network: a typed name may be a password.
    key = models.CharField(max_length=80, primary_key=True)
    #: The user whose name was typed, if any.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="password_tries"
    )
    failures = models.PositiveIntegerField(default=0)
    #: The last try.
    at = models.DateTimeField(db_index=True)
    #: No attempts are accepted until then.
    until = models.DateTimeField(null=True)
    #: When the user last signed in from this network.
    proved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "failed log-ins"
        verbose_name_plural = "failed log-ins and locks"
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class SessionKind(models.TextChoices):
    API = "api", "app or website"
    ADMIN = "admin", "back office"


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime) -> SessionQuerySet:
        """Sessions that have neither ended nor expired."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)

    def over_before(self, moment: datetime) -> SessionQuerySet:
        """Sessions that expired before then."""
        return self.filter(expires_at__lt=moment)


class Session(models.Model):
    """One log-in, with all its tokens or its cookie (accounts.sessions)."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="log_ins",
        db_index=False,  # session_by_person begins with it
    )
    kind = models.CharField(max_length=5, choices=SessionKind, default=SessionKind.API)
    started_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    #: When it ends if unused: after the idle time, at most at its maximum age.
    expires_at = models.DateTimeField(db_index=True)
    #: When it was ended, by signing out or because a used token was reused.
    ended_at = models.DateTimeField(null=True)
    #: The address it was last used from.
    address = models.GenericIPAddressField(null=True)
    #: Like “Chrome on Android”.
    device = models.CharField(max_length=60, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="session_by_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.device or self.kind}, since {self.started_at:%d %b %Y}"


class NameClaimQuerySet(models.QuerySet["NameClaim"]):
    def active(self, now: datetime) -> NameClaimQuerySet:
        """Claims of names that are in use or quarantined."""
        return self.filter(Q(rests_until__isnull=True) | Q(rests_until__gt=now))


class NameClaim(models.Model):
    """The skeleton of a name, and the user who has or had a name like it (accounts.names)."""

    skeleton = models.CharField(max_length=USERNAME_MAX, unique=True)
    #: None if the account was deleted.
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="names")
    #: Its owner has changed their name; until then nobody else can take it.
    rests_until = models.DateTimeField(null=True, db_index=True)

    objects = NameClaimQuerySet.as_manager()

    def __str__(self) -> str:
        return self.skeleton
