"""Report slow statements of a full shop's own work: ``python -m tools.bench.slow_duties``.

That is every duty of the clock's rounds, the daily ones, the watch for incidents, and with
``--rules`` every rule of ``prove``, in one process, on a database of ``tools.bench.large_dataset``,
which it changes as time would. M-Pesa is not reachable. One line for each: its milliseconds, its
statements, the slowest of them, and what it returned; below, statements above ``--over`` with their
plans. Duties run twice, and the second time counts: the first does what has been left to do.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .shop import environment
from .statements import NONE, Statement, listening, plan_of


class Work(NamedTuple):
    name: str
    run: Callable[[], Any]
    times: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.slow_duties", description=__doc__)
    parser.add_argument("--database", required=True, help="PostgreSQL URL of a full shop")
    parser.add_argument(
        "--over", type=float, default=200, help="report statements above this, in ms (200)"
    )
    parser.add_argument("--rules", action="store_true", help="the rules of prove, too")
    parser.add_argument("--only", default="", help="only work whose name contains this")
    options = parser.parse_args()
    os.environ.update(environment(options.database))
    import django

    django.setup()
    logging.disable(logging.WARNING)
    slow: dict[str, tuple[str, Statement]] = {}
    began = time.perf_counter()
    for work in _works(rules=options.rules):
        if options.only in work.name:
            for each in _measure(work):
                if each.ms > options.over:
                    slow.setdefault(each.sql, (work.name, each))
    print(f"{time.perf_counter() - began:8,.0f} s in all")
    for name, statement in slow.values():
        print(f"\n{name}: {statement.ms:,.0f} ms\n{plan_of(statement)}")
    if slow:
        sys.exit(f"{len(slow)} statements took more than {options.over:g} ms.")


def _measure(work: Work) -> list[Statement]:
    statements: list[Statement] = []
    for _ in range(work.times):
        statements.clear()
        with listening(statements):
            began = time.perf_counter()
            result = work.run()
            duration = (time.perf_counter() - began) * 1000
    slowest = max(statements, default=NONE).ms
    print(
        f"{duration:8,.0f} ms  {len(statements):5}  {slowest:8,.1f} ms  {work.name}: {result}",
        flush=True,
    )
    return statements


def _works(*, rules: bool) -> Iterator[Work]:
    from functools import partial

    from django.utils import timezone

    from payments import clock
    from payments.proof.prove import prove
    from payments.proof.rules import RULES
    from payments.watch.alerts import check_for_incidents

    for duty in (*clock.periodic_duties(), *clock.daily_duties()):
        yield Work(duty.__name__, partial(duty, timezone.now()), times=2)
    yield Work(check_for_incidents.__name__, check_for_incidents, times=2)
    for rule in RULES if rules else ():
        yield Work(rule.description, partial(_violations, prove, rule), times=1)


def _violations(prove: Callable[..., Any], rule: Any) -> str:
    return "; ".join(map(str, prove(rules=[rule]).broken)) or "holds"


if __name__ == "__main__":
    main()
