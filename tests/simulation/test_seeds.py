"""Seeds that once found a bug, and some others: each holds, and each is the same every time."""

import itertools
import os
import subprocess
import sys
import time

import pytest
from django.db import connection

from tools.simulation.runner import seed_runner
from tools.simulation.seeds import BASE, FRESH, KEPT

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="plays in SQLite's memory, whatever the shop runs on"
)

#: Seeds of one test: enough tests to share between workers, few enough to share a database.
AT_ONCE = 10
#: What is otherwise where a seed is replayed.
ELSEWHERE = {"PYTHONHASHSEED": "7"}


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """The pretend Safaricom says of itself what stands."""


@pytest.fixture
def runner(transactional_db):
    with seed_runner() as runner:
        yield runner


@pytest.mark.cases(len(KEPT))
@pytest.mark.parametrize("seed", KEPT)
def test_a_seed_that_found_something_holds(runner, seed):
    runner.play(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, FRESH, AT_ONCE))
def test_fresh_seeds_hold(runner, first):
    for seed in range(BASE + first, BASE + min(first + AT_ONCE, FRESH)):
        runner.play(seed)


def test_a_seed_is_the_same_run_every_time(runner):
    once, again = runner.play(BASE, steps=30), runner.play(BASE, steps=30)

    assert [pair for pair in zip(once.trace, again.trace, strict=False) if len(set(pair)) > 1] == []
    assert once.digest == again.digest
    assert len(once.trace) > 100


def test_a_run_remembers_nothing_of_another_that_was_played_before_it(runner):
    """Of no content type, no session that leads to its Safaricom, nobody who was silent."""
    fresh = runner.play(BASE + 1, steps=30)
    runner.play(BASE, steps=30)

    assert runner.play(BASE + 1, steps=30).digest == fresh.digest


def test_who_waits_in_a_run_waits_by_its_clock_and_not_by_the_machines(runner, monkeypatch):
    quick = runner.play(BASE, steps=30)
    hurrying = itertools.count(0, 1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(hurrying))

    assert runner.play(BASE, steps=30).digest == quick.digest


@pytest.mark.slow
def test_a_seed_is_the_same_run_as_the_command_plays_it(runner):
    """In another process, with the shop's own settings, and sets in another order."""
    command = [sys.executable, "-m", "tools.simulation", "--seed", str(BASE)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **ELSEWHERE}
    )

    assert told.stdout.splitlines()[-1] == f"trace {runner.play(BASE).digest}"


@pytest.mark.slow
def test_another_seed_is_another_run(runner):
    assert runner.play(BASE).digest != runner.play(BASE + 1).digest
