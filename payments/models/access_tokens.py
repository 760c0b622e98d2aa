"""M-Pesa's access token, kept where every process of the shop finds the same one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def good_at(self, now: datetime) -> AccessTokenQuerySet:
        """Tokens that may be used now."""
        return self.filter(good_until__gt=now).exclude(token="")

    def claim(self, account: str, by: str, *, now: datetime, lasts: timedelta) -> bool:
        """Let one caller fetch a new token; False while another does.

        A claim lapses by itself, so that who dies with it keeps nobody waiting for ever.
        """
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        claimed = self.filter(free, account=account).update(
            claimed_by=by, claimed_until=now + lasts
        )
        return bool(claimed)

    def renew(self, account: str, by: str, *, token: str, good_until: datetime) -> bool:
        """Keep a new token instead of the one before, if the claim to fetch it still holds."""
        held = self.filter(account=account, claimed_by=by)
        return bool(held.update(token=token, good_until=good_until))

    def release(self, account: str, by: str) -> None:
        """End a claim, if it still holds."""
        self.filter(account=account, claimed_by=by).update(claimed_by="", claimed_until=None)

    def drop(self, account: str, token: str) -> None:
        """Use this token no more; nothing changes where another has taken its place."""
        self.filter(account=account, token=token).update(token="", good_until=None)

    def record_failure(self, account: str, *, kind: str, code: str, message: str) -> None:
        """Let all who wait know why no token was to be had."""
        self.filter(account=account).update(
            failures=F("failures") + 1,
            failure_kind=kind[:32],
            failure_code=code[:64],
            failure_message=message[:200],
        )


class AccessToken(models.Model):
    """The one access token of a consumer key: each new one ends the one before it.

    The token is kept as it is, not encrypted: it ends within the hour, whoever reads this row can
    read the whole shop, and money leaves only with the initiator's password beside it, which no
    table holds. The key by which the account is found is a digest: the key itself lasts.
    """

    account = models.CharField(
        max_length=64,
        primary_key=True,
        help_text="SHA-256 of the gateway's address and the consumer key.",
    )
    token = models.TextField(blank=True, editable=False)
    good_until = models.DateTimeField(null=True)
    #: Who fetches a new one at this moment, and when that counts as given up.
    claimed_by = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True)
    #: How often none was to be had, and why the last time.
    failures = models.PositiveIntegerField(default=0)
    failure_kind = models.CharField(max_length=32, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=200, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"the token of {self.account[:8]}"
