"""M-Pesa's access token, shared by all processes through the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def good_at(self, now: datetime) -> AccessTokenQuerySet:
        """Tokens that may be used now."""
        return self.filter(good_until__gt=now).exclude(token="")

    def claim(self, account: str, by: str, *, now: datetime, lasts: timedelta) -> bool:
        """Claim the right to fetch a new token; False while another caller holds it.

        A claim expires, so that a caller that dies does not block the others.
        """
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        claimed = self.filter(free, account=account).update(
            claimed_by=by, claimed_until=now + lasts
        )
        return bool(claimed)

    def renew(self, account: str, by: str, *, token: str, good_until: datetime) -> bool:
        """Replace the token with a new one, if the claim to fetch it is still held."""
        held = self.filter(account=account, claimed_by=by)
        return bool(held.update(token=token, good_until=good_until))

    def release(self, account: str, by: str) -> None:
        """End a claim, if it is still held."""
        self.filter(account=account, claimed_by=by).update(claimed_by="", claimed_until=None)

    def drop(self, account: str, token: str) -> None:
        """Discard this token, unless it was replaced already."""
        self.filter(account=account, token=token).update(token="", good_until=None)

    def record_failure(self, account: str, *, kind: str, code: str, message: str) -> None:
        """Record why no token could be fetched, for all callers that are waiting."""
        self.filter(account=account).update(
            failures=F("failures") + 1,
            failure_kind=kind[:32],
            failure_code=code[:64],
            failure_message=message[:200],
        )


class AccessToken(models.Model):
    """The current access token of a consumer key: each new one invalidates the previous one.

    The token is not encrypted: it expires within the hour, anyone who can read this row can read
    all others, and money leaves only with the initiator's password, which no table contains. The
    account is identified by a digest, because the consumer key itself does not expire.
    """

    account = models.CharField(
        max_length=64,
        primary_key=True,
        help_text="SHA-256 of the gateway's address and the consumer key.",
    )
    token = models.TextField(blank=True, editable=False)
    good_until = models.DateTimeField(null=True)
    #: The caller that is fetching a new one, and when its claim expires.
    claimed_by = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True)
    #: How often fetching one failed, and why the last time.
    failures = models.PositiveIntegerField(default=0)
    failure_kind = models.CharField(max_length=32, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=200, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"the token of {self.account[:8]}"
