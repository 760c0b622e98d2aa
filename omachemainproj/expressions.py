"""Database expressions that PostgreSQL and SQLite write differently."""

from __future__ import annotations

from typing import Any

from django.db import models


class SecondsBetween(models.Func):
    """The first moment minus the second, in seconds, rounded to whole ones."""

    arity = 2
    output_field = models.IntegerField()
    template = "CAST(ROUND(EXTRACT(EPOCH FROM (%(expressions)s))) AS integer)"
    arg_joiner = " - "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="CAST(ROUND((julianday(%(expressions)s)) * 86400) AS integer)",
            arg_joiner=") - julianday(",
            **context,
        )


class AddDays(models.Func):
    """The first argument, a moment, plus the second, a number of days."""

    arity = 2
    output_field = models.DateTimeField()
    template = "(%(expressions)s * interval '1 day')"
    arg_joiner = " + "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', %(expressions)s || ' days')",
            arg_joiner=", ",
            **context,
        )
