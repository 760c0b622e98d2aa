"""Play seeds: ``make simulate``, or ``python -m tools.simulation --seed 12345`` for one of them."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tools.memory_shop import open_memory_shop

if TYPE_CHECKING:
    from .run import Failed
    from .runner import SeedRunner

#: Number of seeds between two progress lines.
NOTICE_INTERVAL = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this seed, and print what happened")
    parser.add_argument(
        "--shorten", action="store_true", help="leave out steps the failure does not need"
    )
    parser.add_argument("--seeds", type=int, help="play this number of new seeds")
    parser.add_argument("--seconds", type=float, default=600, help="or for this time (600)")
    options = parser.parse_args()
    open_simulated_shop()
    from .runner import seed_runner

    with seed_runner() as runner:
        if options.seed is not None:
            return _replay(runner, options.seed, options.shorten)
        return _play_new(runner, options.seeds, options.seconds)


def open_simulated_shop() -> None:
    """An in-memory shop that keeps its e-mails in memory, too."""
    open_memory_shop()
    from django.test.utils import setup_test_environment

    setup_test_environment(debug=False)


def _replay(runner: SeedRunner, seed: int, shorten: bool) -> int:
    from .run import Failed

    skipped: frozenset[int] = frozenset()
    away: frozenset[str] = frozenset()
    try:
        outcome = runner.play(seed)
    except Failed as failed:
        if shorten:
            failed, skipped, away = runner.shrink(failed)
        print("\n".join(failed.trace))
        print(f"\n{failed}")
        if shorten:
            kept = sorted(set(range(1, failed.step + 1)) - skipped)
            print(f"needs steps {kept}; does not need {', '.join(sorted(away)) or 'any less'}")
        return 1
    print("\n".join(outcome.trace))
    print(f"\nseed {seed} held: {_numbers(outcome.counts)}\ntrace {outcome.digest}")
    return 0


def _play_new(runner: SeedRunner, seeds: int | None, seconds: float) -> int:
    """Play new seeds, and continue after a failure, so that one night finds several."""
    from .run import Failed

    counts: Counter[str] = Counter()
    failures: list[Failed] = []
    began, played = time.monotonic(), 0
    fresh = random.SystemRandom()
    while played < seeds if seeds else time.monotonic() - began < seconds:
        played += 1
        try:
            counts += runner.play(fresh.randrange(10**9)).counts
        except Failed as failed:
            print("\n".join(failed.trace[-40:]))
            print(f"\n{failed}\n", flush=True)
            failures.append(failed)
        if played % NOTICE_INTERVAL == 0:
            print(_so_far(played, failures, time.monotonic() - began), flush=True)
    print(_so_far(played, failures, time.monotonic() - began))
    print(_numbers(counts))
    return 1 if failures else 0


def _so_far(played: int, failures: list[Failed], took: float) -> str:
    failed = "".join(f", {failure.seed} failed" for failure in failures)
    return f"{played - len(failures)} seeds held in {took:.0f} s{failed}"


def _numbers(counts: Counter[str]) -> str:
    return "\n".join(f"{number:10,}  {what}" for what, number in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
