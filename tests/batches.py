"""How many ids a statement names: each is a parameter, of which PostgreSQL takes 65,535."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

#: A list of values that an id, or another row's, is one of.
_IDS = re.compile(r'"(?:id|key|\w+_id)" IN \(([\w\':-]+(?:, [\w\':-]+)*)\)')


@contextmanager
def ids_in_a_statement(most: int) -> Iterator[None]:
    """Check that the longest list of ids in a statement has this many."""
    with CaptureQueriesContext(connection) as asked:
        yield
    lists = [ids for query in asked.captured_queries for ids in _IDS.findall(query["sql"])]
    assert max((ids.count(",") + 1 for ids in lists), default=0) == most
