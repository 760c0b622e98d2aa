"""Compare what the gate's two runs ran with all tests: ``python -m tests.not_run``.

Fails with the names of all tests that passed in neither run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / ".pytest_cache" / "played"
#: The make target of each run, by its marker.
RUNS = {"quick": "make test", "full": "make test-postgres"}

_passed: list[str] = []


def note_what_there_is(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Record every test that is not slow and needs no missing program; only a run's first worker
    does.
    """
    worker = getattr(config, "workerinput", {"workerid": "gw0"})["workerid"]
    if worker == "gw0" and (run := _run(config)) and not config.option.lf:
        there = [
            item.nodeid
            for item in items
            if not item.get_closest_marker("slow") and not _lacks_a_program(item)
        ]
        _write(f"{run}.there", there)


def _lacks_a_program(item: pytest.Item) -> bool:
    """Whether a test is skipped because of a Debian program that ``.ci/run`` does not install."""
    return any(
        mark.args[0] and mark.kwargs["reason"].endswith("is not installed")
        for mark in item.iter_markers("skipif")
    )


def note(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _passed.append(report.nodeid)


def write(config: pytest.Config) -> None:
    """Record what passed, in the process the workers report to. A rerun of failures
    (``--last-failed``) adds to its run's record.
    """
    if (run := _run(config)) and not hasattr(config, "workerinput"):
        _write(run, {*_passed, *(_read(run) if config.option.lf else ())})


def _run(config: pytest.Config) -> str | None:
    """This run, if it is one of the two and complete."""
    asked: Any = config.option
    return asked.markexpr if asked.markexpr in RUNS and not asked.file_or_dir else None


def _write(name: str, tests: Iterable[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text("\n".join(sorted(tests)))


def _read(name: str) -> set[str]:
    return {*(FOLDER / name).read_text().splitlines()}


def main() -> int:
    """Print what ran where; returns 1 if a test did not run."""
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
