"""Fixtures: a simulator on a free port, a server for callbacks, and a client of Daraja."""

import pytest

from daraja_simulator import Simulator

from .caller import Caller
from .shop import Shop


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.stop()


@pytest.fixture
def make_simulator():
    """Start simulators with any settings, and stop them after the test."""
    started = []

    def make(**settings):
        settings = {"decide_after": 0.02, **settings}
        started.append(Simulator(port=0, **settings).start())
        return started[-1]

    yield make
    for simulator in started:
        simulator.stop()


@pytest.fixture
def simulator(make_simulator):
    return make_simulator()


@pytest.fixture
def daraja(simulator, shop):
    return Caller(simulator, shop)


@pytest.fixture
def daraja_with(make_simulator, shop):
    """A client of a simulator with other settings."""
    return lambda **settings: Caller(make_simulator(**settings), shop)
