"""The one table that belongs to no app: what processes share where there is no Redis."""

from django.db import models


class CacheEntry(models.Model):
    """A rate limit's count, or a file between two pages (``caches.TableCache``). Never money."""

    key = models.CharField(primary_key=True, max_length=255)
    value = models.TextField(help_text="JSON.")
    expires = models.FloatField(db_index=True, help_text="Seconds since 1970.")

    def __str__(self) -> str:
        return self.key
