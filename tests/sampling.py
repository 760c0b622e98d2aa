"""Which cases of a test with very many the quick run plays; ``make test-slow`` plays the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest


def mark_the_rest_slow(items: Iterable[pytest.Item]) -> None:
    """Mark what a ``sampled`` test can leave out as ``slow``.

    ``@pytest.mark.sampled`` keeps a case for each value of each parameter, and leaves out the
    combinations of values that were all seen; ``@pytest.mark.sampled(30)`` keeps thirty cases,
    spread evenly. The same ones in every run, and on every worker.
    """
    families: dict[tuple[object, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") is not None:
            families[item.path, item.parent, getattr(item, "originalname", item.name)].append(item)
    for unordered in families.values():
        # Whatever order the tests are played in.
        cases = sorted(unordered, key=lambda case: case.nodeid)
        marker = cases[0].get_closest_marker("sampled")
        assert marker is not None
        kept = _spread(cases, *marker.args) if marker.args else _each_value_once(cases)
        for case in cases:
            if case not in kept:
                case.add_marker(pytest.mark.slow)


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
