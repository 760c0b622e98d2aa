"""What a row is inserted with, read of its instance.

Django asks each column's field what to make of its value, in six calls, and of a text, a truth
value or an id it makes nothing. That took a fifth of what an insert costs Python.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import UUID

#: By kind of column, of which class of value the driver is given just that.
_AS_IS: dict[str, type] = {
    "CharField": str,
    "TextField": str,
    "BooleanField": bool,
    "UUIDField": UUID,
}


@lru_cache(maxsize=4096)
def reader_of(field: Any) -> Callable[[Any, Any], Any]:
    """What reads the value of a column: called with an instance and a connection, it returns what
    Django would insert, or the expression that stands in its place.

    It may write to the instance, as ``auto_now_add`` does.
    """

    def read(instance: Any, connection: Any) -> Any:
        value = field.pre_save(instance, add=True)
        if hasattr(value, "resolve_expression"):
            return value
        return field.get_db_prep_save(value, connection=connection)

    # Only Django's own: another may make something of a text.
    is_django = type(field).__module__ == "django.db.models.fields"
    as_is, name = _AS_IS.get(field.get_internal_type()) if is_django else None, field.attname

    def read_as_is(instance: Any, connection: Any) -> Any:
        value = getattr(instance, name)
        return value if value.__class__ is as_is else read(instance, connection)

    return read if as_is is None else read_as_is
