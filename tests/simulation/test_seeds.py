"""Seeds that together reach much of the shop, and new ones: each passes, and is reproducible."""

import itertools
import os
import subprocess
import sys
import time

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from omachemainproj import heartbeats, sms
from omachemainproj.api import access_tokens
from orders.models import Order
from payments import gateway
from tools.simulation.runner import seed_runner
from tools.simulation.seeds import BASE, FRESH, KEPT

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="plays in SQLite's memory, whatever the shop runs on"
)

#: Seeds per test: enough tests for several workers, few enough to share a database.
AT_ONCE = 10
#: Settings that differ when a seed is replayed.
ELSEWHERE = {"PYTHONHASHSEED": "7"}


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """The simulated Safaricom answers queries itself."""


@pytest.fixture
def runner(transactional_db):
    with seed_runner() as runner:
        yield runner


@pytest.mark.cases(len(KEPT))
@pytest.mark.parametrize("seed", KEPT)
def test_the_kept_seeds_pass(runner, seed):
    runner.play(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, FRESH, AT_ONCE))
def test_new_seeds_pass(runner, first):
    for seed in range(BASE + first, BASE + min(first + AT_ONCE, FRESH)):
        runner.play(seed)


def test_a_seed_is_the_same_run_every_time(runner):
    once, again = runner.play(BASE, steps=30), runner.play(BASE, steps=30)

    assert [pair for pair in zip(once.trace, again.trace, strict=False) if len(set(pair)) > 1] == []
    assert once.digest == again.digest
    assert len(once.trace) > 100


def test_a_run_leaves_no_state_for_the_next(runner):
    """No content type, no session that leads to its Safaricom, no memory of silent processes."""
    sms._africastalking("http://sms.test", "shop", "key", "")
    ContentType.objects.get_for_model(Order)
    heartbeats._known.silent = frozenset({heartbeats.CLOCK})

    runner.play(BASE, steps=1)

    kept = (gateway._client, gateway._text, sms._africastalking, access_tokens._verified)
    assert [each.cache_info().currsize for each in kept] == [0, 0, 0, 0]
    assert (ContentType.objects._cache, heartbeats._known.silent) == ({}, frozenset())


def test_waits_in_a_run_use_virtual_time(runner, monkeypatch):
    quick = runner.play(BASE, steps=30)
    hurrying = itertools.count(0, 1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(hurrying))

    assert runner.play(BASE, steps=30).digest == quick.digest


@pytest.mark.slow
def test_a_seed_is_the_same_run_as_the_command_plays_it(runner):
    """In another process, with the shop's settings, and another set order."""
    command = [sys.executable, "-m", "tools.simulation", "--seed", str(BASE)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **ELSEWHERE}
    )

    assert told.stdout.splitlines()[-1] == f"trace {runner.play(BASE).digest}"


@pytest.mark.slow
def test_another_seed_is_another_run(runner):
    assert runner.play(BASE).digest != runner.play(BASE + 1).digest
