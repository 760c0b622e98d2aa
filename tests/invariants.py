"""Checks the books with the rules of ``manage.py prove`` (payments/proof/prove.py).

Each test in ``guests``, ``notifications``, ``orders``, ``payments`` and ``problems`` does so at its
end, by the fixture ``balanced_books``. A test elsewhere that moves orders or money uses
``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from psycopg import ClientCursor

from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from payments.proof import agreements, bounds, immutable_columns, messages, people, rules, staff
from payments.proof.prove import prove
from payments.proof.rule import Rule

#: Changes only possible with SQL, not with the shop's code: checked after whole days of trading
#: (the demo, the simulation, the crash scenes) and in tests/proof, not after each test.
_BY_HAND_ONLY = {
    module.__name__ for module in (agreements, bounds, messages, immutable_columns, people, staff)
}
CHECKED = [rule for rule in rules.RULES if rule.violations.__module__ not in _BY_HAND_ONLY]


def check_books() -> None:
    """Raise AssertionError with every broken rule."""
    broken = what_is_broken()
    assert not broken, "the books are broken:\n" + "\n".join(broken)


def what_is_broken() -> list[str]:
    """A sentence for each broken rule."""
    # A suspected row may still be correct, where SQL alone cannot decide.
    suspected = suspected_rules(timezone.now())
    return [str(found) for found in prove(rules=suspected).broken] if suspected else []


def suspected_rules(now: datetime) -> list[Rule]:
    """The rules whose query finds a row: all broken ones, and hardly any others.

    In one statement or two: seventy, after two thousand tests, cost more than the tests themselves.
    """
    if connection.vendor == "postgresql":
        return _ask_planned(_queries(CHECKED, now))
    tables = _rules_by_table()
    filled = _keys_with_rows({table: (f"SELECT 1 FROM {table}", []) for table in tables})
    return _keys_with_rows(_queries([rule for table in filled for rule in tables[table]], now))


def _queries(rules: Iterable[Rule], now: datetime) -> dict[Any, tuple[str, list[Any]]]:
    return {
        rule: (asked.sql, asked.parameters)
        for rule in rules
        if (asked := _first_found.statement(rule, now))
    }


@cache
def _rules_by_table() -> dict[str, list[Rule]]:
    """The rules by the table they search: an empty table needs no query."""
    tables = defaultdict(list)
    for rule in CHECKED:
        tables[rule.violations(timezone.now()).model._meta.db_table].append(rule)
    return tables


@compiled
def _first_found(rule: Fixed[Rule], now: Sometimes[datetime]) -> QuerySet[Any, int]:
    return rule.violations(now).order_by().values_list("pk", flat=True)[:1]


def _keys_with_rows(questions: dict[Any, tuple[str, list[Any]]]) -> list[Any]:
    """The keys of the queries that return a row."""
    if not questions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_joined(questions), _values(questions))
        return _found(questions, cursor)


def _ask_planned(questions: dict[Any, tuple[str, list[Any]]]) -> list[Any]:
    """The same for queries that differ only in their values, planned once per connection.

    PostgreSQL takes ten times longer to plan the rules than to run them.
    """
    with connection.cursor() as cursor:
        values = _values(questions)
        # A test that altered a table has deallocated it, with everything psycopg prepared.
        cursor.execute("SELECT 1 FROM pg_prepared_statements WHERE name = 'rules'")
        if cursor.fetchone() is None:
            types = ", ".join(_TYPES.get(type(value), "unknown") for value in values)
            numbers = (f"${number}" for number in itertools.count(1))
            sql = re.sub(
                "%s|%%", lambda m: next(numbers) if m[0] == "%s" else "%", _joined(questions)
            )
            cursor.execute(f"PREPARE rules ({types}) AS {sql}")
        # EXECUTE cannot bind parameters: the values are written into it.
        with ClientCursor(cursor.connection) as plain:
            plain.execute(f"EXECUTE rules ({', '.join(['%s'] * len(values))})", values)
            return _found(questions, plain)


_TYPES = {datetime: "timestamptz", timedelta: "interval", int: "bigint", bool: "boolean"}


def _joined(questions: dict[Any, tuple[str, list[Any]]]) -> str:
    asked = (f"SELECT {n} WHERE EXISTS ({sql})" for n, (sql, _) in enumerate(questions.values()))
    return " UNION ALL ".join(asked)


def _values(questions: dict[Any, tuple[str, list[Any]]]) -> list[Any]:
    return [value for _, parameters in questions.values() for value in parameters]


def _found(questions: dict[Any, tuple[str, list[Any]]], cursor: Any) -> list[Any]:
    keys = list(questions)
    return [keys[number] for (number,) in cursor.fetchall()]
