"""Seeds that once found a bug, and some others: each holds, and each is the same every time."""

import pytest
from django.db import connection

from tools.simulation.seeds import BASE, FRESH, KEPT
from tools.simulation.theatre import theatre

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="plays in SQLite's memory, whatever the shop runs on"
)

#: Seeds of one test: enough tests to share between workers, few enough to share a stage.
AT_ONCE = 10


@pytest.fixture
def stage(transactional_db):
    with theatre() as place:
        yield place


@pytest.mark.parametrize("seed", KEPT)
def test_a_seed_that_found_something_holds(stage, seed):
    stage.play(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, FRESH, AT_ONCE))
def test_fresh_seeds_hold(stage, first):
    for seed in range(BASE + first, BASE + min(first + AT_ONCE, FRESH)):
        stage.play(seed)


def test_a_seed_is_the_same_run_every_time(stage):
    once, again = stage.play(BASE), stage.play(BASE)

    assert once.digest == again.digest
    assert len(once.trace) > 100


def test_another_seed_is_another_run(stage):
    assert stage.play(BASE).digest != stage.play(BASE + 1).digest
