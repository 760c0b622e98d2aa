"""How many status queries about prompts all workers have sent in a minute."""

from __future__ import annotations

from django.db import models


class QueryBudget(models.Model):
    """The number of status queries about prompts in a minute, by all workers together."""

    minute = models.DateTimeField(unique=True)
    used = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.used} in {self.minute:%H:%M}"
