"""Run things concurrently: two, or two hundred."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from daraja_simulator.tests.waiting import PATIENCE


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together. Returns their results, or what they raised."""
    barrier = Barrier(len(calls), timeout=PATIENCE)
    return many_at_once(calls, at_a_time=len(calls), before=barrier.wait)


def many_at_once(
    calls: Sequence[Callable[[], Any]],
    *,
    at_a_time: int = 40,
    before: Callable[[], Any] = lambda: None,
) -> list[Any]:
    """Run the calls, N at a time, each on its own connection."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            before()
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(at_a_time) as pool:
        return list(pool.map(run, calls))
