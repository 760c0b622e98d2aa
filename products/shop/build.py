"""The storefront's build, made by ``make shop``: the page to fill and the files it needs."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

#: The placeholders in ``index.html``.
_MARKS = re.compile(
    r"<!--head-->.*?<!--/head-->|<!--root-->|<!--boot-->|(?<=<html lang=\")en(?=\")", re.DOTALL
)
_IN_ORDER = ("language", "head", "root", "boot")


class PageValues(NamedTuple):
    """The values for the placeholders: a language code, then three pieces of HTML."""

    language: str
    head: str
    root: str
    boot: str


class Build:
    """One build of the storefront, read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._page = (folder / "index.html").read_text(encoding="utf-8")
        self._between = _MARKS.split(self._page)
        if len(self._between) != len(_IN_ORDER) + 1:
            raise ValueError(f"{folder / 'index.html'} lacks a mark to fill.")

    def fill(self, filling: PageValues) -> bytes:
        """The page with its placeholders filled."""
        before, *rest = self._between
        parts = [before]
        for text, after in zip(filling, rest, strict=True):
            parts += (text, after)
        return "".join(parts).encode()

    def worker(self) -> bytes | None:
        """The service worker of this build; None if it has none."""
        try:
            return (self.folder / "sw.js").read_bytes()
        except FileNotFoundError:
            return None

    def modules(self, *sources: str) -> list[str]:
        """The files below ``/static/shop/`` for these sources and their imports.

        Files that every page loads anyway are left out, and so are unknown sources.
        """
        files: dict[str, None] = {}
        for source in sources:
            self._collect(source, files)
        return list(files)

    def _collect(self, source: str, files: dict[str, None]) -> None:
        chunk = self._manifest.get(source)
        if chunk is None or chunk["file"] in files or chunk["file"] in self._page:
            return
        files[chunk["file"]] = None
        for imported in chunk.get("imports", ()):
            self._collect(imported, files)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(
            (self.folder / ".vite" / "manifest.json").read_text(encoding="utf-8")
        )
        return manifest


#: The last build read, with the modification time of its page.
_known: tuple[int, Build] | None = None


def read_build() -> Build | None:
    """The current build, or None if the storefront has not been built.

    Checks the file's modification time on every call, so that a new build needs no restart.
    """
    global _known  # noqa: PLW0603
    folder = settings.STOREFRONT_BUILD
    try:
        written = (folder / "index.html").stat().st_mtime_ns
        if _known is None or _known[0] != written or _known[1].folder != folder:
            _known = (written, Build(folder))
    except FileNotFoundError:
        return None
    return _known[1]
