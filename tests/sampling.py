"""Which tests each run plays: ``make test`` the quick ones, ``make test-postgres`` the full width.

Between the two every test is played that is not ``slow``, on PostgreSQL whatever can come out
otherwise there; ``python -m tests.played`` holds what they played to what there is. Whoever runs
pytest without a marker plays all cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

#: Cases of a test that the quick run plays, where the test does not say.
QUICK_CASES = 1


def mark_the_rest_slow(items: Iterable[pytest.Item]) -> None:
    """Mark what a ``sampled`` test can leave out as ``slow``.

    ``@pytest.mark.sampled`` keeps a case for each value of each parameter, and leaves out the
    combinations of values that were all seen; ``@pytest.mark.sampled(30)`` keeps thirty cases,
    spread evenly. The same ones in every run, and on every worker.
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

    The quick run plays every test but those that need PostgreSQL (``postgres``), take seconds
    (``long``) or are of what others sample there (``on_postgres``: the staff's pages): of its cases
    the first, or as many as ``cases`` says. The full run plays what the
    quick one leaves out, and once more whatever asks a database that could answer otherwise.
    """
    for cases in _families(item for item in items if not item.get_closest_marker("slow")):
        quick = _quick_among(cases)
        for case in cases:
            if case in quick:
                case.add_marker("quick")
            if case not in quick or _asks_a_database(case):
                case.add_marker("full")


def _families(items: Iterable[pytest.Item]) -> Iterator[list[pytest.Item]]:
    """The cases of each test, in the same order whatever order they are played in."""
    families: dict[tuple[object, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        families[item.path, item.parent, getattr(item, "originalname", item.name)].append(item)
    for cases in families.values():
        yield sorted(cases, key=lambda case: case.nodeid)


def _quick_among(cases: list[pytest.Item]) -> set[pytest.Item]:
    # Not of the keywords, among which the names of cases are.
    full_only = ("postgres", "on_postgres", "long")
    may = [case for case in cases if not any(map(case.get_closest_marker, full_only))]
    said = next((mark for case in may if (mark := case.get_closest_marker("cases"))), None)
    return _spread(may, *(said.args if said else (QUICK_CASES,)))


def _asks_a_database(item: pytest.Item) -> bool:
    """Whether a test can come out otherwise on another database."""
    if item.get_closest_marker("any_database") is not None:
        return False
    named = {"db", "transactional_db", "django_db_setup", "live_server"}
    used = {*item.fixturenames}  # type: ignore[attr-defined]
    return item.get_closest_marker("django_db") is not None or bool(named & used)


def _spread(cases: list[pytest.Item], most: int) -> set[pytest.Item]:
    step = max(len(cases) / most, 1)
    return {cases[int(number * step)] for number in range(min(most, len(cases)))}


def _each_value_once(cases: list[pytest.Item]) -> set[pytest.Item]:
    """Greedily, the cases in which most values are new."""
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
