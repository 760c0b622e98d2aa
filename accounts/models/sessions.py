"""Where people are signed in, how often a password was wrong, and who may have which name."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.validators import USERNAME_MAX

from .users import User


class PasswordTries(models.Model):
    """How often a password, or a second factor's code, was got wrong lately under one key.

    Written by ``accounts.lockout`` alone.
    """

    #: What is counted, and a keyed digest of whom and where from: what was typed as a name may be
    #: a password.
    key = models.CharField(max_length=80, primary_key=True)
    #: Whose they are, where the name that was typed is somebody's.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="password_tries"
    )
    failures = models.PositiveIntegerField(default=0)
    #: The last try.
    at = models.DateTimeField(db_index=True)
    #: No more tries until then.
    until = models.DateTimeField(null=True)
    #: When this person last signed in from this network.
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
        """Sessions that were not ended and whose time is not over."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)

    def over_before(self, moment: datetime) -> SessionQuerySet:
        """Sessions that were over by then."""
        return self.filter(expires_at__lt=moment)


class Session(models.Model):
    """One log-in and all the tokens, or the cookie, that descend from it (accounts.sessions)."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="log_ins",
        db_index=False,  # session_by_person begins with it
    )
    kind = models.CharField(max_length=5, choices=SessionKind, default=SessionKind.API)
    started_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    #: Unused until then it is over: the idle end, and at most the longest a session lasts.
    expires_at = models.DateTimeField(db_index=True)
    #: When it was signed out, here or elsewhere, or a spent token of it was shown again.
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
        """Claims of names that are in use, or that rest."""
        return self.filter(Q(rests_until__isnull=True) | Q(rests_until__gt=now))


class NameClaim(models.Model):
    """What a name looks like, and who has or had a name that looks like it (accounts.names)."""

    skeleton = models.CharField(max_length=USERNAME_MAX, unique=True)
    #: None where the account is gone.
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="names")
    #: Its owner has another name; until then nobody else is given it.
    rests_until = models.DateTimeField(null=True, db_index=True)

    objects = NameClaimQuerySet.as_manager()

    def __str__(self) -> str:
        return self.skeleton
