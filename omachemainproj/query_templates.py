"""How omachemainproj.compiled_queries turns a function that builds a queryset into a SQL template.

The function runs twice, with two sets of sentinel values. The positions at which the parameters of
the two statements differ are those of its values.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from django.core.exceptions import EmptyResultSet
from django.db import connection

from .queryset_sql import CompiledSQL

#: Statements kept per function; shapes that clients choose, like page sizes, are bounded.
_CACHE_SIZE = 1024
#: Two sets of sentinel values. The numbers fit 32-bit columns, since Django drops conditions that
#: are always or never true because of a column's width.
_NUMBERS = (range(1_610_612_741, 2**31, 2003), range(1_610_613_001, 2**31, 2011))
_TEXTS = ("\x00 a text {}", "\x00 another text {}")
_DATETIMES = (
    datetime(3000, 1, 1, tzinfo=UTC),
    datetime(4001, 5, 17, 9, 41, 23, 456789, tzinfo=UTC),
)
_DATETIME_STEPS = (timedelta(days=100), timedelta(days=101))


class _Parameter(NamedTuple):
    """A parameter of a compiled function."""

    name: str
    #: The type of the value or of a sequence's items; None for a fixed parameter.
    kind: type | None
    many: bool = False
    may_be_none: bool = False
    sometimes: bool = False

    def shape(self, value: Any) -> Any:
        """The part of a value that shapes the statement. Raises TypeError for another type."""
        if self.kind is None:
            return value
        if value is None and self.may_be_none:
            return None
        if not self.many:
            self._check(value)
            return 1
        for one in value:
            self._check(one)
        return len(value)

    def _check(self, value: Any) -> None:
        if self.kind is not None and not isinstance(value, self.kind):
            found = type(value).__name__
            raise TypeError(f"{self.name} takes {self.kind.__name__}, not {found}")
        if isinstance(value, datetime) and value.tzinfo is None:
            raise TypeError(f"{self.name} takes a datetime with a time zone")


class _Slot(NamedTuple):
    """The position of a value among the SQL's parameters."""

    position: int
    name: str
    #: The index in a sequence; None for a single value.
    place: int | None
    #: The time the function adds to a datetime; None for a number or a text.
    later: timedelta | None

    def value(self, given: dict[str, Any]) -> Any:
        value = given[self.name] if self.place is None else given[self.name][self.place]
        if self.later is None:
            return value
        return connection.ops.adapt_datetimefield_value(value + self.later)


class _Template(NamedTuple):
    """SQL with slots for values among its parameters."""

    sql: str
    parameters: list[Any]
    slots: list[_Slot]
    read: Callable[[Iterable[Any]], list[Any]]
    locks: bool

    def fill(self, given: dict[str, Any]) -> list[Any]:
        filled = self.parameters.copy()
        for slot in self.slots:
            filled[slot.position] = slot.value(given)
        return filled


class QueryTemplates:
    """The statements of one function, each compiled on first use."""

    def __init__(self, build: Callable[..., Any], write: Callable[[Any], CompiledSQL]) -> None:
        self.name = build.__qualname__
        self._build, self._write = build, write
        self._signature = inspect.signature(build, eval_str=True)
        self._names = tuple(self._signature.parameters)
        self._parameters = [
            _parameter(self.name, parameter) for parameter in self._signature.parameters.values()
        ]
        # Two threads may compile the same statement twice, which is harmless.
        self._compiled = lru_cache(maxsize=_CACHE_SIZE)(self._compile)

    def fill(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[_Template | None, Any]:
        """The statement for these arguments, or None if nothing can match, and its parameters."""
        given = dict(zip(self._names, args, strict=False)) | kwargs
        if len(args) + len(kwargs) != len(given) or given.keys() != set(self._names):
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
        shapes = [parameter.shape(given[parameter.name]) for parameter in self._parameters]
        template = self._compiled(connection.vendor, *shapes)
        return template, template.fill(given) if template else []

    def _compile(self, vendor: str, *shapes: Any) -> _Template | None:
        marks, others = _Sentinels(0), _Sentinels(1)
        written = self._write_with(marks, shapes)
        again = self._write_with(others, shapes)
        if written is None or again is None:
            return None
        if written.sql != again.sql:
            raise TypeError(f"{self.name}(): a value became part of the SQL, it has to be Fixed")
        slots = []
        for position, pair in enumerate(zip(written.parameters, again.parameters, strict=True)):
            if pair[0] != pair[1]:
                slots.append(self._slot(position, pair, marks, others))
        filled = {(slot.name, slot.place) for slot in slots}
        for parameter, place in marks.made:
            if not parameter.sometimes and (parameter.name, place) not in filled:
                raise TypeError(
                    f"{self.name}(): {parameter.name} did not arrive in the SQL; where Django left "
                    "its condition out, compare an expression"
                )
        if vendor == "postgresql":
            written, slots = _with_constants(written, slots)
        return _Template(written.sql, written.parameters, slots, written.read, written.locks)

    def _write_with(self, marks: _Sentinels, shapes: Sequence[Any]) -> CompiledSQL | None:
        shaped = list(zip(self._parameters, shapes, strict=True))
        built = self._build(**{one.name: marks.make(one, shape) for one, shape in shaped})
        try:
            return self._write(built)
        except EmptyResultSet:
            if any(parameter.many and shape == 0 for parameter, shape in shaped):
                return None
            raise TypeError(f"{self.name}(): Django says that nothing can match") from None

    def _slot(
        self, position: int, pair: tuple[Any, Any], marks: _Sentinels, others: _Sentinels
    ) -> _Slot:
        """The slot of a value. Raises TypeError if the function changed the value."""
        moments = [_as_datetime(found) for found in pair]
        for (parameter, place), *mark in zip(marks.made, marks.marks, others.marks, strict=True):
            if parameter.kind is not datetime:
                if tuple(mark) == pair:
                    return _Slot(position, parameter.name, place, None)
            elif moments[0] and moments[1] and moments[0] - mark[0] == moments[1] - mark[1]:
                return _Slot(position, parameter.name, place, moments[0] - mark[0])
        raise TypeError(f"{self.name}(): something was made of a value, {pair[0]!r}")


#: A parameter's placeholder in SQL, or an escaped percent sign.
_PLACE = re.compile("%%|%s")


def _with_constants(written: CompiledSQL, slots: list[_Slot]) -> tuple[CompiledSQL, list[_Slot]]:
    """Inline the parameters that are the same in every call.

    ``WHERE status = %s AND buyer_id = %s`` with ("paid", buyer) becomes
    ``WHERE status = 'paid' AND buyer_id = %s``. PostgreSQL's generic plan of a prepared statement
    has to work for all parameter values: with the status as a parameter it could not use a partial
    index on it, and the statement was planned each time.
    """
    values = {slot.position: slot for slot in slots}
    places = iter(range(len(written.parameters)))
    left: list[Any] = []
    moved: list[_Slot] = []

    def place(found: re.Match[str]) -> str:
        if found.group() == "%%":
            return "%%"
        position = next(places)
        constant = written.parameters[position]
        literal = None if position in values else _literal(constant)
        if literal is not None:
            return literal
        if position in values:
            moved.append(values[position]._replace(position=len(left)))
        left.append(constant)
        return "%s"

    sql = _PLACE.sub(place, written.sql)
    return written._replace(sql=sql, parameters=left), moved


def _literal(constant: Any) -> str | None:
    """A constant as an SQL literal; None unless it is a boolean, an integer or a plain word."""
    if isinstance(constant, bool):
        return str(constant).lower()
    if isinstance(constant, int):
        return str(constant)
    if isinstance(constant, str) and _WORD.fullmatch(constant):
        return f"'{constant}'"
    return None


#: Needs no escaping inside quotes.
_WORD = re.compile(r"[\w.: -]*", re.ASCII)


class _Sentinels:
    """Sentinel values for one statement."""

    def __init__(self, which: int) -> None:
        self._which = which
        self.marks: list[Any] = []
        #: The parameter, and index in its sequence, of each sentinel.
        self.made: list[tuple[_Parameter, int | None]] = []

    def make(self, parameter: _Parameter, shape: Any) -> Any:
        """The argument the function is called with for a parameter of this shape."""
        if parameter.kind is None or shape is None:
            return shape
        if parameter.many:
            return [self._mark(parameter, place) for place in range(shape)]
        return self._mark(parameter, None)

    def _mark(self, parameter: _Parameter, place: int | None) -> Any:
        number = len(self.marks)
        mark: Any
        if parameter.kind is int:
            mark = _NUMBERS[self._which][number]
        elif parameter.kind is str:
            mark = _TEXTS[self._which].format(number)
        else:
            mark = _DATETIMES[self._which] + number * _DATETIME_STEPS[self._which]
        self.marks.append(mark)
        self.made.append((parameter, place))
        return mark


def _parameter(function: str, parameter: inspect.Parameter) -> _Parameter:
    kind, words = _stripped(parameter.annotation)
    if "fixed" in words:
        return _Parameter(parameter.name, None)
    may_be_none = many = False
    if get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind):
        kind = next(one for one in get_args(kind) if one is not NoneType)
        may_be_none = True
    if get_origin(kind) in (Sequence, list):
        (kind,) = get_args(kind)
        many = True
    if kind not in (int, str, datetime):
        raise TypeError(
            f"{function}(): {parameter.name} is neither int, str, datetime, a Sequence of one, "
            "nor Fixed"
        )
    return _Parameter(parameter.name, kind, many, may_be_none, "sometimes" in words)


def _stripped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        return annotation.__origin__, annotation.__metadata__
    return annotation, ()


def _as_datetime(found: Any) -> datetime | None:
    """A parameter as a datetime: SQLite stores them as text, in the connection's time zone."""
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            return None
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=connection.timezone)
