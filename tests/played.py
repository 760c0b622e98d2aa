"""What the two runs of the gate played, held to what there is: ``python -m tests.played``.

Fails with the names of all tests that passed in neither run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / ".pytest_cache" / "played"
#: By the marker a run is asked for by, what plays it.
RUNS = {"quick": "make test", "full": "make test-postgres"}

_passed: list[str] = []


def note_what_there_is(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Write down every test that is not slow, nor of a program that this machine has not; of the
    workers of a run the first does."""
    worker = getattr(config, "workerinput", {"workerid": "gw0"})["workerid"]
    if worker == "gw0" and (run := _run(config)) and not config.option.lf:
        there = [
            item.nodeid
            for item in items
            if not item.get_closest_marker("slow") and not _lacks_a_program(item)
        ]
        _write(f"{run}.there", there)


def _lacks_a_program(item: pytest.Item) -> bool:
    """Whether a test is skipped for a program of Debian's that ``.ci/run`` does not install."""
    return any(
        mark.args[0] and mark.kwargs["reason"].endswith("is not installed")
        for mark in item.iter_markers("skipif")
    )


def note(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _passed.append(report.nodeid)


def write(config: pytest.Config) -> None:
    """Write down what passed: where workers report to, not in each. What failed and is played once
    more (``--last-failed``) adds to what its run had passed."""
    if (run := _run(config)) and not hasattr(config, "workerinput"):
        _write(run, {*_passed, *(_read(run) if config.option.lf else ())})


def _run(config: pytest.Config) -> str | None:
    """The run this is, when it is one of the two, and whole."""
    asked: Any = config.option
    return asked.markexpr if asked.markexpr in RUNS and not asked.file_or_dir else None


def _write(name: str, tests: Iterable[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text("\n".join(sorted(tests)))


def _read(name: str) -> set[str]:
    return {*(FOLDER / name).read_text().splitlines()}


def main() -> int:
    """Say what was played where, and return 1 when anything was not."""
    there = set().union(*(_read(f"{run}.there") for run in RUNS))
    passed = {run: _read(run) for run in RUNS}
    for run, command in RUNS.items():
        sys.stdout.write(f"{len(passed[run]):,} of {len(there):,} tests passed in `{command}`\n")
    missing = sorted(there.difference(*passed.values()))
    for test in missing:
        sys.stderr.write(f"Played by neither: {test}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
