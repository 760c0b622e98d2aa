"""The locks under which allowances are read and existing holds are counted.

PostgreSQL's advisory locks, until the transaction ends. SQLite runs transactions one after the
other anyway.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Func, TextField, Value
from django.db.models.expressions import Expression


def lock_phone(phone: str) -> None:
    """Wait for transactions that place an order with this phone."""
    _wait_for(name_of_phone(phone))


def lock_network(network: str) -> None:
    """Wait for transactions that place an order from this network.

    Thousands of buyers may share a network: call it late, right before the products are locked.
    """
    _wait_for(f"hold:network:{network}")


def name_of_phone(phone: str) -> str:
    """The name of a phone's lock."""
    return f"hold:phone:{phone}"


def lock_in_query(name: str, vendor: str) -> Expression:
    """A column that takes the lock with this name when its row is read."""
    if vendor != "postgresql":
        return Value(name)
    # The function returns void; cast to text it is an empty string.
    return Func(
        Func(Value(name), Value(0), function="hashtextextended"),
        template="pg_advisory_xact_lock(%(expressions)s)::text",
        output_field=TextField(),
    )


def _wait_for(name: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
