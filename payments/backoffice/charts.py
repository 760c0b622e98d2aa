"""Charts as numbers for a template: each value and the height of its column or bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The height of the tallest column, and the length of the longest bar.
FULL = 100
#: The width of a column, with the gap to the next.
STEP = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One large number with its label and a note."""

    label: str
    value: str
    note: str = ""
    #: The list of the rows it is computed from.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page of the admin."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. A cell is text or a Link; the first cell names the row."""

    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Point:
    """One column or bar: its value, the value as text, and its position and size."""

    label: str
    value: int
    shown: str
    at: int
    drawn: int
    note: str = ""
    #: The list of the rows it is computed from.
    url: str = ""

    @property
    def top(self) -> int:
        """The distance of a column from the top of the chart."""
        return FULL - self.drawn


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars on one scale; ``headings`` belong to the table of the same numbers."""

    title: str
    points: list[Point]
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart over time. ``table`` holds the same numbers; ``top`` is the highest as text."""

    title: str
    points: list[Point]
    table: Table
    top: str

    @property
    def width(self) -> int:
        """The width of all columns together."""
        return len(self.points) * STEP

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The same numbers for a spreadsheet, with machine-readable column names."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a dashboard panel."""

    figures: list[Figure] = field(default_factory=list)
    columns: Columns | None = None
    bars: Bars | None = None
    table: Table | None = None
    #: Shown if there is nothing to draw or list.
    empty: str = ""
    sheet: Sheet = Sheet((), ())


def draw(values: Iterable[tuple[str, int, str, str]]) -> list[Point]:
    """Make points on one scale from labels, values, the values as text, and notes.

    Any value above zero has a height of at least one, so that it is visible.
    """
    given = list(values)
    most = max((value for _, value, _, _ in given), default=0)
    return [
        Point(label, value, shown, at * STEP, _length(value, most), note)
        for at, (label, value, shown, note) in enumerate(given)
    ]


def _length(value: int, most: int) -> int:
    return max(round(value * FULL / most), 1) if value > 0 else 0


def pluralised(count: int, noun: str) -> str:
    """A count with its noun in the singular or plural: ``1 order``, ``2 orders``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percentage(count: int, total: int) -> str:
    """A count as a percentage of the total; empty if the total is zero."""
    return f"{count * 100 / total:.1f}%" if total else ""


def duration(seconds: int) -> str:
    """A duration as text: ``90 s`` or ``2 min 5 s``."""
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def percentile(by_second: Mapping[int, int], in_hundred: int) -> int:
    """The seconds within which ``in_hundred`` percent finished (nearest rank).

    ``by_second`` counts by duration. Raises ValueError if it is empty.
    """
    rank = -(-sum(by_second.values()) * in_hundred // 100)
    seen = 0
    for seconds in sorted(by_second):
        seen += by_second[seconds]
        if seen >= rank:
            return seconds
    raise ValueError("by_second is empty")
