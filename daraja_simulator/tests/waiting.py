"""Waiting for a condition, with a timeout that is long enough for a busy machine."""

import time
from collections.abc import Callable

#: Seconds. Longer than anything here takes.
PATIENCE = 60


def wait_until(happened: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Poll until the condition is true; fail the test if it never is."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up, f"waited {seconds} s in vain"
        time.sleep(0.01)
