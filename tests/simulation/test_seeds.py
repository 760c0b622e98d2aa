"""Seeds that once found a bug, and some others: each holds, and each is the same every time."""

import pytest
from django.db import connection

from tools.simulation.runner import seed_runner
from tools.simulation.seeds import BASE, FRESH, KEPT

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="plays in SQLite's memory, whatever the shop runs on"
)

#: Seeds of one test: enough tests to share between workers, few enough to share a database.
AT_ONCE = 10


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


@pytest.mark.slow
def test_another_seed_is_another_run(runner):
    assert runner.play(BASE).digest != runner.play(BASE + 1).digest
