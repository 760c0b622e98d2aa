"""How far M-Pesa's statement has been read."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

#: After so long without success, the statement of a former number is not read any more: M-Pesa
#: does not show the statement of a number that was closed.
GIVEN_UP = timedelta(days=7)


class StatementPullQuerySet(models.QuerySet["StatementPull"]):
    def still_read(self, receiving: str, now: datetime) -> StatementPullQuerySet:
        """Those of the number that is paid to now, and of former ones that M-Pesa still shows."""
        is_shown = Q(result_text="") | Q(read_until=None) | Q(read_until__gte=now - GIVEN_UP)
        return self.filter(Q(shortcode=receiving) | is_shown).order_by("pk")


class StatementPull(models.Model):
    """How far M-Pesa's statement has been read: one row per short code."""

    shortcode = models.CharField(max_length=12, unique=True)
    #: The statement was read without a gap between these two.
    read_from = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    #: When the next pull is due. One process at a time pulls.
    next_pull_at = models.DateTimeField()
    result_text = models.CharField(max_length=200, blank=True)

    objects = StatementPullQuerySet.as_manager()

    class Meta:
        verbose_name = "M-Pesa’s statement"

    def __str__(self) -> str:
        return f"statement of {self.shortcode}"
