"""Plays seeds one after the other, each from the same initial state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Any

import time_machine

from daraja_simulator.keys import Keys

from .clock import BEGINNING
from .database import Memory, in_memory
from .run import Failed, Outcome, Run
from .seed_data import SeedData


@dataclass
class SeedRunner:
    """Plays seeds. The database is in memory, and reset for each."""

    memory: Memory
    data: SeedData
    #: A file with the certificate for encrypting the initiator's password.
    certificate: str

    def play(self, seed: int, **how: Any) -> Outcome:
        """Play one seed. Raises Failed."""
        self.memory.begin_again()
        # User objects cache permissions and relations, too.
        data = deepcopy(self.data)
        return Run(seed, data, certificate=self.certificate, **how).play()

    def shrink(self, failed: Failed) -> tuple[Failed, frozenset[int], frozenset[str]]:
        """Reduce a failing seed: leave out kinds of faults, then steps, that it does not need."""
        how: dict[str, Any] = {"without": frozenset(), "skip": frozenset()}
        for trouble in Run(failed.seed, self.data).rates.__dataclass_fields__:
            failed = self._try(failed, how, "without", {trouble}) or failed
        after = range(failed.step + 1, 10_000)
        how["skip"] = frozenset(n for n in after if n <= 1000)
        size = 16
        while size:
            for first in range(1, 200, size):
                chunk = set(range(first, first + size)) - how["skip"]
                if chunk:
                    failed = self._try(failed, how, "skip", chunk) or failed
            size //= 2
        return failed, how["skip"], how["without"]

    def _try(self, failed: Failed, how: dict[str, Any], name: str, more: set[Any]) -> Failed | None:
        tried = {**how, name: how[name] | more}
        try:
            self.play(failed.seed, **tried)
        except Failed as again:
            if _kind(again) == _kind(failed):
                how.update(tried)
                return again
        return None


def _kind(failed: Failed) -> str:
    """The failure without numbers, which differ from run to run."""
    return "".join(character for character in failed.what if not character.isdigit())[:60]


@contextmanager
def seed_runner() -> Iterator[SeedRunner]:
    """A runner on the current database, which it leaves unchanged."""
    with in_memory() as memory, NamedTemporaryFile("w", suffix=".pem") as certificate:
        with time_machine.travel(BEGINNING, tick=False):
            data = SeedData.make()
            certificate.write(Keys().certificate)
            certificate.flush()
        memory.keep()
        yield SeedRunner(memory, data, certificate.name)
