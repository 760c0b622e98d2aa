"""A seed's random numbers, and how often each kind of fault happens under it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from unittest.mock import patch


class Chance(random.Random):
    """Random numbers that a seed decides."""

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.random() < probability


@contextmanager
def instead_of_the_operating_system(chance: random.Random) -> Iterator[None]:
    """Let ids, tokens and references come from ``chance`` too, wherever they are made."""
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
    """How often each thing goes wrong. 0 is never."""

    # A request to M-Pesa …
    refused: float = 0  # finds nobody
    lost: float = 0  # is carried out, and its answer lost
    half: float = 0  # is carried out, and its answer cut in half
    page: float = 0  # is carried out, and answered with a proxy's HTML
    busy: float = 0  # is turned away with 429 before anything is done
    revoked: float = 0  # comes with a token that has just become worthless
    # A message of M-Pesa's …
    dropped: float = 0
    late: float = 0
    doubled: float = 0
    garbled: float = 0
    unanswered: float = 0  # is kept, and its answer lost
    # In the shop, before a statement or around a request to M-Pesa …
    crash: float = 0  # the process dies
    meeting: float = 0  # another process is faster
    database: float = 0  # the database refuses


NO_FAULTS = FaultRates()


def draw_fault_rates(chance: Chance, without: frozenset[str] = frozenset()) -> FaultRates:
    """Draw a seed's rates: each kind of fault is absent, rare or frequent.

    With some kinds absent others get further: a shop whose every push fails never sees a callback.
    """
    if chance.happens(0.05):
        return NO_FAULTS
    drawn = {}
    for trouble in fields(FaultRates):
        strength = chance.choice([0, 0, 0.03, 0.1, 0.3])
        drawn[trouble.name] = 0 if trouble.name in without else strength
    return replace(NO_FAULTS, **drawn)
