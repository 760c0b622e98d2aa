"""Digests of money rows as they were first written, kept by database triggers."""

from __future__ import annotations

from django.db import models


class Original(models.Model):
    """A digest of the facts of a row that must never change.

    Triggers write it in the statement that writes the row (payments.immutable_columns), and refuse
    to change or delete it; no code of the shop does either. ``kind`` names the set of columns. A
    row that was deleted legitimately has a second digest, of kind ``gone:…``.
    """

    kind = models.CharField(max_length=24)
    row = models.BigIntegerField(help_text="The key of the row.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256.")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="original_is_written_once", fields=["kind", "row"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"
