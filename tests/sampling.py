"""Which tests are in which run: ``make test`` the quick ones, ``make test-postgres`` all cases.

Together they run every test that is not ``slow``, on PostgreSQL everything that could differ there;
``python -m tests.not_run`` compares what they ran with all tests. Without a marker, pytest runs all
cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

#: Default number of cases of a test in the quick run.
QUICK_CASES = 1


def mark_the_rest_slow(items: Iterable[pytest.Item]) -> None:
    """Mark the cases a ``sampled`` test can leave out as ``slow``.

    ``@pytest.mark.sampled`` keeps a case for each value of each parameter, and leaves out
    combinations of values already covered; ``@pytest.mark.sampled(30)`` keeps thirty cases, spread
    evenly. The same ones in every run, and on every worker.
    """
    for cases in _families(item for item in items if item.get_closest_marker("sampled")):
        marker = cases[0].get_closest_marker("sampled")
        assert marker is not None
        kept = _spread(cases, *marker.args) if marker.args else _each_value_once(cases)
        for case in cases:
            if case not in kept:
                case.add_marker(pytest.mark.slow)


def mark_runs(items: Iterable[pytest.Item]) -> None:
    """Mark each test that is not ``slow`` as ``quick``, ``full`` or both.

    The quick run runs every test except those that need PostgreSQL (``postgres``), take seconds
    (``long``) or are already sampled there (``on_postgres``: the staff's pages): the first of its
    cases, or as many as ``cases`` says. The full run runs what the quick one leaves out, and again
    every test whose database could answer differently.
    """
    for cases in _families(item for item in items if not item.get_closest_marker("slow")):
        quick = _quick_among(cases)
        for case in cases:
            if case in quick:
                case.add_marker("quick")
            if case not in quick or _asks_a_database(case):
                case.add_marker("full")


def _families(items: Iterable[pytest.Item]) -> Iterator[list[pytest.Item]]:
    """The cases of each test, in an order independent of the run's."""
    families: dict[tuple[object, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        families[item.path, item.parent, getattr(item, "originalname", item.name)].append(item)
    for cases in families.values():
        yield sorted(cases, key=lambda case: case.nodeid)


def _quick_among(cases: list[pytest.Item]) -> set[pytest.Item]:
    # Not from the keywords, which include the names of cases.
    full_only = ("postgres", "on_postgres", "long")
    may = [case for case in cases if not any(map(case.get_closest_marker, full_only))]
    said = next((mark for case in may if (mark := case.get_closest_marker("cases"))), None)
    return _spread(may, *(said.args if said else (QUICK_CASES,)))


def _asks_a_database(item: pytest.Item) -> bool:
    """Whether a test's result can depend on the database."""
    if item.get_closest_marker("any_database") is not None:
        return False
    named = {"db", "transactional_db", "django_db_setup", "live_server"}
    used = {*item.fixturenames}  # type: ignore[attr-defined]
    return item.get_closest_marker("django_db") is not None or bool(named & used)


def _spread(cases: list[pytest.Item], most: int) -> set[pytest.Item]:
    step = max(len(cases) / most, 1)
    return {cases[int(number * step)] for number in range(min(most, len(cases)))}


def _each_value_once(cases: list[pytest.Item]) -> set[pytest.Item]:
    """Choose cases greedily, those with most uncovered values first."""
    values = {
        case: {(name, repr(value)) for name, value in case.callspec.params.items()}  # type: ignore[attr-defined]
        for case in cases
    }
    missing = set().union(*values.values())
    kept = set()
    while missing:
        best = max(cases, key=lambda case: len(values[case] & missing))
        kept.add(best)
        missing -= values[best]
    return kept
