"""Plays seeds: ``make soak``, or ``python -m tests.simulation --seed 12345`` for one of them."""

import argparse
import os
import random
import sys
import time
from collections import Counter


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one, and tell what happened")
    parser.add_argument("--shorten", action="store_true", help="leave out what it fails without")
    parser.add_argument("--seeds", type=int, help="play so many fresh ones")
    parser.add_argument("--seconds", type=float, default=600, help="or for so long (600)")
    options = parser.parse_args()
    _open_shop()
    from .theatre import theatre

    with theatre() as place:
        if options.seed is not None:
            return _tell(place, options.seed, options.shorten)
        return _soak(place, options.seeds, options.seconds)


def _open_shop() -> None:
    """A shop of its own, in memory, as the tests know it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DATABASE_URL"] = "sqlite:///:memory:"
    import django
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment(debug=False)
    call_command("migrate", verbosity=0)


def _tell(place, seed: int, shorten: bool) -> int:
    from .run import Failed

    skipped = away = frozenset()
    try:
        told = place.play(seed)
    except Failed as failed:
        if shorten:
            failed, skipped, away = place.shortest(failed)
        print("\n".join(failed.trace))
        print(f"\n{failed}")
        if shorten:
            kept = sorted(set(range(1, failed.step + 1)) - skipped)
            print(f"needs steps {kept}; does not need {', '.join(sorted(away)) or 'any less'}")
        return 1
    print("\n".join(told.trace))
    print(f"\nseed {seed} held: {_numbers(told.counts)}\ntrace {told.digest}")
    return 0


def _soak(place, seeds: int | None, seconds: float) -> int:
    from .run import Failed

    counts: Counter[str] = Counter()
    began, played = time.monotonic(), 0
    fresh = random.SystemRandom()
    while played < seeds if seeds else time.monotonic() - began < seconds:
        try:
            counts += place.play(fresh.randrange(10**9)).counts
        except Failed as failed:
            print("\n".join(failed.trace[-40:]))
            print(f"\n{failed}\n{played} seeds had held before it")
            return 1
        played += 1
    took = time.monotonic() - began
    print(f"{played} seeds held in {took:.0f} s ({played / took:.1f} a second)")
    print(_numbers(counts))
    return 0


def _numbers(counts: Counter[str]) -> str:
    return "\n".join(f"{number:10,}  {what}" for what, number in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
