"""Waiting for what should happen: as long as a loaded machine takes, and no longer than it does."""

import time
from collections.abc import Callable

#: Seconds. Nothing takes so long where it happens at all.
PATIENCE = 60


def wait_until(happened: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Ask again and again until it has happened; a test where it does not fails."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up, f"waited {seconds} s in vain"
        time.sleep(0.01)
