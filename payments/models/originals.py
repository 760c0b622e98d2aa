"""What rows of money said when they were written, kept apart from them by the database itself."""

from __future__ import annotations

from django.db import models


class Original(models.Model):
    """A digest of what a row said of itself at first, and will say for ever.

    Triggers write it in the statement that writes the row (payments.originals), and refuse to
    change or delete it: no code of the shop does either. ``kind`` is which of a row's facts it is
    of. Of a row that was rightly deleted there is a second one, of kind ``gone:…``.
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
