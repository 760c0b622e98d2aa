"""The tables that belong to no app: what processes share, and how each is doing."""

from django.db import models


class CacheEntry(models.Model):
    """A rate limit's count, or a file between two pages (``caches.TableCache``). Never money."""

    key = models.CharField(primary_key=True, max_length=255)
    value = models.TextField(help_text="JSON.")
    expires = models.FloatField(db_index=True, help_text="Seconds since 1970.")

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When a kind of process last ran: the clock, or a worker (``heartbeats``)."""

    process = models.CharField(primary_key=True, max_length=20)
    at = models.DateTimeField()
    failing = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="The duties that failed, or some rows of theirs, in the clock's last round.",
    )

    def __str__(self) -> str:
        return self.process
