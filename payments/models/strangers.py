"""Counts of posts to unknown webhook addresses, per network."""

from __future__ import annotations

from django.db import connection, models


class StrangersPostsQuerySet(models.QuerySet["StrangersPosts"]):
    def add(self, network: str, since: int, size: int) -> StrangersPosts:
        """Count a message of ``size`` bytes in one statement; return the new counts."""
        sql = (
            "INSERT INTO payments_strangersposts (network, since, messages, bytes)"
            " VALUES (%s, %s, 1, %s) ON CONFLICT (network, since) DO UPDATE SET"
            " messages = payments_strangersposts.messages + 1,"
            " bytes = payments_strangersposts.bytes + EXCLUDED.bytes RETURNING messages, bytes"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [network, since, size])
            messages, total = cursor.fetchone()
        return StrangersPosts(network=network, since=since, messages=messages, bytes=total)


class StrangersPosts(models.Model):
    """Posts to unknown addresses by one network, or by all together, in one window.

    Messages refused by a network's limit count too. Those refused by the limit for all networks do
    not, so that many networks cannot fill this table.
    """

    network = models.CharField(max_length=64, blank=True, help_text="Empty: all together.")
    since = models.BigIntegerField(help_text="When the window began, seconds since 1970.")
    messages = models.BigIntegerField()
    bytes = models.BigIntegerField()

    objects = StrangersPostsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="posts_of_a_network_once", fields=["network", "since"]),
        ]

    def __str__(self) -> str:
        return f"{self.messages} messages, {self.bytes} bytes from {self.network or 'everywhere'}"
