"""How far M-Pesa's statement has been read."""

from __future__ import annotations

from django.db import models


class StatementPull(models.Model):
    """How far M-Pesa's statement has been read: one row per short code."""

    shortcode = models.CharField(max_length=12, unique=True)
    #: The statement was read without a gap between these two.
    read_from = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    #: When the next pull is due. One process at a time pulls.
    next_pull_at = models.DateTimeField()
    result_text = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "M-Pesa’s statement"

    def __str__(self) -> str:
        return f"statement of {self.shortcode}"
