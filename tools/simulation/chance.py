"""A seed's random numbers, and its rates of each kind of fault."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from unittest.mock import patch


class Chance(random.Random):
    """Random numbers determined by a seed."""

    def happens(self, probability: float) -> bool:
        """Whether an event of this probability happens now."""
        return probability > 0 and self.random() < probability


@contextmanager
def instead_of_the_operating_system(chance: random.Random) -> Iterator[None]:
    """Draw ids, tokens and references from ``chance`` too, wherever they are created."""
    state = random.getstate()
    random.seed(chance.getrandbits(64))
    try:
        with (
            patch("os.urandom", chance.randbytes),
            patch("random._urandom", chance.randbytes),
        ):
            yield
    finally:
        random.setstate(state)


@dataclass(frozen=True, kw_only=True)
class FaultRates:
    """The probability of each fault. 0 is never."""

    # A request to M-Pesa …
    refused: float = 0  # does not connect
    lost: float = 0  # is carried out, but its answer is lost
    half: float = 0  # is carried out, but its answer is truncated
    page: float = 0  # is carried out, but answered with a proxy's HTML
    busy: float = 0  # is rejected with 429 before anything is done
    revoked: float = 0  # has a token that has just expired
    # A message of M-Pesa's …
    dropped: float = 0
    late: float = 0
    doubled: float = 0
    garbled: float = 0
    unanswered: float = 0  # is stored, but its answer is lost
    # In the shop, before a statement or around a request to M-Pesa …
    crash: float = 0  # the process dies
    meeting: float = 0  # another process is faster
    database: float = 0  # the database refuses the statement


NO_FAULTS = FaultRates()


def draw_fault_rates(chance: Chance, without: frozenset[str] = frozenset()) -> FaultRates:
    """Draw a seed's rates: each kind of fault is absent, rare or frequent.

    Leaving out some kinds lets others get further: a shop whose every push fails never receives a
    callback.
    """
    if chance.happens(0.05):
        return NO_FAULTS
    drawn = {}
    for trouble in fields(FaultRates):
        strength = chance.choice([0, 0, 0.03, 0.1, 0.3])
        drawn[trouble.name] = 0 if trouble.name in without else strength
    return replace(NO_FAULTS, **drawn)
