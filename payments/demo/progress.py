"""A progress bar on a terminal; plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Any

WIDTH = 30


class Progress:
    """Shows progress on a terminal or in a log. Use it from one thread.

    ``out`` is the stdout of a command.
    """

    def __init__(self, out: Any, whole: int, what: str) -> None:
        self._out, self._whole, self._what = out, whole, what
        self._is_watched = bool(out.isatty())
        self._began = time.monotonic()
        self._tenths = 0

    def say(self, done: int, words: str = "") -> None:
        """Show how much of the whole is done."""
        seconds = f"{time.monotonic() - self._began:.0f} s"
        line = f"{done}/{self._whole} {self._what}  {seconds}  {words}"
        if self._is_watched:
            filled = WIDTH * done // self._whole
            bar = "█" * filled + "░" * (WIDTH - filled)
            self._out.write(f"\r{bar} {line:<60.60}", ending="")
            self._out.flush()
        elif done * 10 // self._whole > self._tenths:
            self._tenths = done * 10 // self._whole
            self._out.write(line.rstrip())

    def end(self) -> None:
        """End the line, so that further output is below it."""
        if self._is_watched:
            self._out.write("")
