"""Charts, as the numbers that a template draws: each value, and how tall it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: How tall the tallest column is drawn, and how long the longest bar.
FULL = 100
#: How wide a column is drawn, the gap to the next one included.
STEP = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, large, with what it is and a word about it."""

    label: str
    value: str
    note: str = ""
    #: Where the rows behind it are listed.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Words that link to a page of the admin."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; a cell is words or a link, the first one names its row."""

    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Point:
    """One column or bar: how much, how people read it, and where it stands in the drawing."""

    label: str
    value: int
    shown: str
    at: int
    drawn: int
    note: str = ""
    #: Where the rows behind it are listed.
    url: str = ""

    @property
    def top(self) -> int:
        """Where a column begins, from above."""
        return FULL - self.drawn


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars to one scale; ``headings`` are of the table that holds the same numbers."""

    title: str
    points: list[Point]
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart over time. ``table`` holds the same numbers, in words; ``top`` is the highest."""

    title: str
    points: list[Point]
    table: Table
    top: str

    @property
    def width(self) -> int:
        """How wide the columns are together."""
        return len(self.points) * STEP

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The same numbers for a spreadsheet: under machine names, and as numbers."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a panel of the dashboard says."""

    figures: list[Figure] = field(default_factory=list)
    columns: Columns | None = None
    bars: Bars | None = None
    table: Table | None = None
    #: Shown where there is nothing to draw and nothing to list.
    empty: str = ""
    sheet: Sheet = Sheet((), ())


def draw(values: Iterable[tuple[str, int, str, str]]) -> list[Point]:
    """Points to one scale from labels, values, the values as people read them, and notes.

    Any value above zero is drawn at least one high, so that it is seen.
    """
    given = list(values)
    most = max((value for _, value, _, _ in given), default=0)
    return [
        Point(label, value, shown, at * STEP, _length(value, most), note)
        for at, (label, value, shown, note) in enumerate(given)
    ]


def _length(value: int, most: int) -> int:
    return max(round(value * FULL / most), 1) if value > 0 else 0


def counted(count: int, what: str) -> str:
    """A count with what is counted, in the singular or the plural."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def part(count: int, total: int) -> str:
    """What percentage of the total it is; empty where the total is zero."""
    return f"{count * 100 / total:.1f}%" if total else ""


def duration(seconds: int) -> str:
    """A stretch of time as people read it."""
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def percentile(by_second: Mapping[int, int], in_hundred: int) -> int:
    """The least number of seconds within which so many in a hundred were done (nearest rank)."""
    rank = -(-sum(by_second.values()) * in_hundred // 100)
    seen = 0
    for seconds in sorted(by_second):
        seen += by_second[seconds]
        if seen >= rank:
            return seconds
    raise ValueError("nothing was counted")
