"""The books are in order: the rules are those of ``manage.py prove`` (payments/proof/prove.py).

``tests/orders`` and ``tests/payments`` check it after every test. A test elsewhere that moves
orders or money says ``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from payments.proof import agreements, bounds, messages, originals, people, rules, staff
from payments.proof.prove import prove
from payments.proof.rule import Rule

#: What somebody with SQL could change, and no code of the shop's does: asked of whole days of trade
#: (the demo's, the simulation's, the crash scenes') and in tests/proof, not after each test.
_BY_HAND_ONLY = {
    module.__name__ for module in (agreements, bounds, messages, originals, people, staff)
}
CHECKED = [rule for rule in rules.RULES if rule.breaking.__module__ not in _BY_HAND_ONLY]


def check_books() -> None:
    """Raise AssertionError with every broken rule."""
    broken = what_is_broken()
    assert not broken, "the books are broken:\n" + "\n".join(broken)


def what_is_broken() -> list[str]:
    """A sentence for each broken rule."""
    # What is found may still be in order, where SQL cannot tell.
    suspected = suspected_rules(timezone.now())
    return [str(found) for found in prove(rules=suspected).broken] if suspected else []


def suspected_rules(now: datetime) -> list[Rule]:
    """The rules whose question finds a row: all that are broken, and hardly any other.

    In two statements: seventy, after two thousand tests, cost more than what the tests do.
    """
    tables = _rules_by_table()
    filled = _ask({table: (f"SELECT 1 FROM {table}", []) for table in tables})
    questions = {
        rule: (asked.sql, asked.parameters)
        for table in filled
        for rule in tables[table]
        if (asked := _first_found.statement(rule, now))
    }
    return _ask(questions) if questions else []


@cache
def _rules_by_table() -> dict[str, list[Rule]]:
    """The rules by the table whose rows their questions find: where it is empty, nothing."""
    tables = defaultdict(list)
    for rule in CHECKED:
        tables[rule.breaking(timezone.now()).model._meta.db_table].append(rule)
    return tables


@compiled
def _first_found(rule: Fixed[Rule], now: Sometimes[datetime]) -> QuerySet[Any, int]:
    return rule.breaking(now).order_by().values_list("pk", flat=True)[:1]


def _ask(questions: dict[Any, tuple[str, list[Any]]]) -> list[Any]:
    """The keys of the queries that have an answer."""
    asked = [
        f"SELECT {number} WHERE EXISTS ({sql})"
        for number, (sql, _) in enumerate(questions.values())
    ]
    values = [value for _, parameters in questions.values() for value in parameters]
    keys = list(questions)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked), values)
        return [keys[number] for (number,) in cursor.fetchall()]
