"""Statements compiled once and run many times.

To write the SQL of a query costs Django more than the database often needs to answer it, and every
query of a kind has the same SQL. ``@compiled`` over a function that builds a queryset keeps the
SQL, and a call only fills in the values::

    @compiled
    def _placed_since(buyer: int, since: datetime) -> QuerySet[Order]:
        return Order.objects.filter(buyer=buyer, created_at__gte=since)

    _placed_since(buyer=7, since=now)  # a list of orders, in one query

The function runs with stand-ins for its values, so it passes them on to the queryset and does not
look at them. What shapes the statement itself, like a number of rows, is annotated ``Fixed``.
"""

from __future__ import annotations

import inspect
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, update_wrapper
from operator import attrgetter, methodcaller
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

AnyModel = TypeVar("AnyModel", bound=Model)
Value = TypeVar("Value")
Row = TypeVar("Row")
P = ParamSpec("P")

#: A parameter that is part of the statement: there is one for each of its values (hashable).
Fixed = Annotated[Value, "fixed"]
#: A value of which not every statement of its function makes use.
Sometimes = Annotated[Value, "sometimes"]

#: What ``@compiled_update`` is put over returns: the rows, and what ``update()`` would be told.
Update = tuple[QuerySet[Any], dict[str, Any]]

#: Statements kept of one function; shapes that clients choose, like sizes of pages, are bounded.
_KEPT = 1024
#: Two sets of stand-ins for values; what differs between the statements that Django makes of them
#: is where values go. The numbers fit columns of 32 bits: Django leaves out a condition that the
#: width of a column makes always true or never.
_NUMBERS = (range(1_610_612_741, 2**31, 2003), range(1_610_613_001, 2**31, 2011))
_TEXTS = ("\x00 a text {}", "\x00 another text {}")
_MOMENTS = (datetime(3000, 1, 1, tzinfo=UTC), datetime(4001, 5, 17, 9, 41, 23, 456789, tzinfo=UTC))
_BETWEEN_MOMENTS = (timedelta(days=100), timedelta(days=101))


class Statement(NamedTuple, Generic[Row]):
    """SQL with all its parameters, and how the driver's rows become Python's."""

    sql: str
    parameters: list[Any]
    read: Callable[[Iterable[Any]], list[Row]]

    def rows(self) -> list[Row]:
        """The answer. One query."""
        return self.read(_send(self.sql, self.parameters, _fetch))


class Compiled(Generic[P, Row]):
    """A function that built a queryset, and now answers with its rows: see ``compiled``."""

    def __init__(self, build: Callable[P, QuerySet[Any, Row]]) -> None:
        update_wrapper(self, build)
        self._templates = _Templates(build, _compile_rows)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        template, filled = self._templates.fill(args, kwargs)
        if template is None:
            return []
        if template.locks and not connection.in_atomic_block:
            raise TransactionManagementError("a lock needs a transaction to live in")
        return template.read(_send(template.sql, filled, _fetch))

    def statement(self, *args: P.args, **kwargs: P.kwargs) -> Statement[Row]:
        """What a call with these arguments sends, to be made part of a larger statement."""
        template, filled = self._templates.fill(args, kwargs)
        if template is None:
            raise TypeError(f"{self._templates.name}() asks nothing of these")
        return Statement(template.sql, filled, template.read)


def compiled(build: Callable[P, QuerySet[Any, Row]]) -> Compiled[P, Row]:
    """Let a function that builds a queryset answer with the queryset's rows, in one query.

    The rows are a list of what the queryset would give: whole instances, with those of
    ``select_related`` beside them, or the tuples, named tuples or values of a ``values_list``.
    Parameters are annotated ``int``, ``str``, ``datetime`` (aware; the function may add time to
    it), a ``Sequence`` of these, or one of them ``| None``; ``Fixed`` around anything else. Django
    compiles once for each database vendor, each value of a ``Fixed`` parameter, each length of a
    sequence, and with or without a None.

    Raises TypeError when an argument is missing, unknown or of another type, and when a value did
    not arrive among the SQL's parameters as it is: Django left its condition out, or the function
    made something of it. Raises TransactionManagementError when rows are locked outside of a
    transaction.
    """
    return Compiled(build)


def compiled_update(build: Callable[P, Update]) -> Callable[P, int]:
    """As ``compiled``, for an ``UPDATE``: a call writes, and returns how many rows it wrote."""
    templates = _Templates(build, _compile_update)

    def write(*args: P.args, **kwargs: P.kwargs) -> int:
        template, filled = templates.fill(args, kwargs)
        if template is None:
            return 0
        return int(_send(template.sql, filled, _count))

    return update_wrapper(write, build)


def compiled_update_of(build: Callable[P, Update]) -> Callable[P, list[int]]:
    """As ``compiled_update``, but a call returns the primary keys of the rows it wrote."""
    templates = _Templates(build, _compile_update_of)

    def write(*args: P.args, **kwargs: P.kwargs) -> list[int]:
        template, filled = templates.fill(args, kwargs)
        if template is None:
            return []
        return template.read(_send(template.sql, filled, _fetch))

    return update_wrapper(write, build)


def statement_of(rows: QuerySet[Any, Any]) -> Statement[Any]:
    """What a queryset of tuples or values sends, to be made part of a larger statement.

    Compiled at each call. Raises EmptyResultSet where Django knows that nothing can match.
    """
    written = _compile_rows(rows)
    return Statement(written.sql, written.parameters, written.read)


_fetch, _count = methodcaller("fetchall"), attrgetter("rowcount")


def _send(sql: str, parameters: list[Any], read: Callable[[Any], Any]) -> Any:
    """Send a statement, and return what is read of its cursor."""
    at_once = getattr(connection, "at_once", None)
    if at_once is not None:
        return read(at_once(sql, parameters))
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return read(cursor)


class _Parameter(NamedTuple):
    """What a function takes under a name."""

    name: str
    #: The type of the value or of each in a sequence; None for a fixed one.
    kind: type | None
    many: bool = False
    may_be_none: bool = False
    sometimes: bool = False

    def shape(self, value: Any) -> Any:
        """What of a value is part of the statement. Raises TypeError for one of another type."""
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
    """Where among the parameters of the SQL a value goes."""

    position: int
    name: str
    #: Which of a sequence; None for a single value.
    place: int | None
    #: What the function added to a moment; None for a number or a text.
    later: timedelta | None

    def value(self, given: dict[str, Any]) -> Any:
        value = given[self.name] if self.place is None else given[self.name][self.place]
        if self.later is None:
            return value
        return connection.ops.adapt_datetimefield_value(value + self.later)


class _Template(NamedTuple):
    """SQL with places for values among its parameters."""

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


class _Written(NamedTuple):
    """What Django made of a queryset that was built with stand-ins."""

    sql: str
    parameters: list[Any]
    read: Callable[[Iterable[Any]], list[Any]]
    locks: bool = False


class _Templates:
    """The statements of one function, each compiled when it is first asked for."""

    def __init__(self, build: Callable[..., Any], write: Callable[[Any], _Written]) -> None:
        self.name = build.__qualname__
        self._build, self._write = build, write
        self._signature = inspect.signature(build, eval_str=True)
        self._names = tuple(self._signature.parameters)
        self._parameters = [
            _parameter(self.name, parameter) for parameter in self._signature.parameters.values()
        ]
        # Two threads at once compile twice, and the same.
        self._compiled = lru_cache(maxsize=_KEPT)(self._compile)

    def fill(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[_Template | None, Any]:
        """The statement for these arguments, or None where nothing can match, and its values."""
        given = dict(zip(self._names, args, strict=False)) | kwargs
        if len(args) + len(kwargs) != len(given) or given.keys() != set(self._names):
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
        shapes = [parameter.shape(given[parameter.name]) for parameter in self._parameters]
        template = self._compiled(connection.vendor, *shapes)
        return template, template.fill(given) if template else []

    def _compile(self, vendor: str, *shapes: Any) -> _Template | None:
        marks, others = _Marks(0), _Marks(1)
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

    def _write_with(self, marks: _Marks, shapes: Sequence[Any]) -> _Written | None:
        shaped = list(zip(self._parameters, shapes, strict=True))
        built = self._build(**{one.name: marks.make(one, shape) for one, shape in shaped})
        try:
            return self._write(built)
        except EmptyResultSet:
            if any(parameter.many and shape == 0 for parameter, shape in shaped):
                return None
            raise TypeError(f"{self.name}(): Django says that nothing can match") from None

    def _slot(self, position: int, pair: tuple[Any, Any], marks: _Marks, others: _Marks) -> _Slot:
        """The place of a value. Raises TypeError where there is what was made of a value."""
        moments = [_as_moment(found) for found in pair]
        for (parameter, place), *mark in zip(marks.made, marks.marks, others.marks, strict=True):
            if parameter.kind is not datetime:
                if tuple(mark) == pair:
                    return _Slot(position, parameter.name, place, None)
            elif moments[0] and moments[1] and moments[0] - mark[0] == moments[1] - mark[1]:
                return _Slot(position, parameter.name, place, moments[0] - mark[0])
        raise TypeError(f"{self.name}(): something was made of a value, {pair[0]!r}")


#: A place for a parameter in SQL; a doubled percent sign is none.
_PLACE = re.compile("%%|%s")


def _with_constants(written: _Written, slots: list[_Slot]) -> tuple[_Written, list[_Slot]]:
    """The same with what no call changes written out.

    PostgreSQL keeps a plan that goes for all values of the parameters. A status among them could be
    any, so that the plan could use no index of the rows that have it, and the statement was planned
    each time.
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
    """A constant as SQL says it; None for what is no plain word or number."""
    if isinstance(constant, bool):
        return str(constant).lower()
    if isinstance(constant, int):
        return str(constant)
    if isinstance(constant, str) and _WORD.fullmatch(constant):
        return f"'{constant}'"
    return None


#: Nothing in it has to be quoted.
_WORD = re.compile(r"[\w.: -]*", re.ASCII)


class _Marks:
    """Stand-ins for the values of one statement."""

    def __init__(self, which: int) -> None:
        self._which = which
        self.marks: list[Any] = []
        #: Of each, whose it is: a parameter and the place in its sequence.
        self.made: list[tuple[_Parameter, int | None]] = []

    def make(self, parameter: _Parameter, shape: Any) -> Any:
        """What the function is given for a parameter of this shape."""
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
            mark = _MOMENTS[self._which] + number * _BETWEEN_MOMENTS[self._which]
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


def _as_moment(found: Any) -> datetime | None:
    """A parameter as a moment: SQLite keeps moments as text, in its connection's time zone."""
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            return None
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=connection.timezone)


def _compile_rows(queryset: QuerySet[Any, Any]) -> _Written:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    make = _maker(queryset, compiler)
    converters = compiler.get_converters([column for column, *_ in compiler.select])

    def read(found: Iterable[Any]) -> list[Any]:
        if converters:
            # Not the compiler's own connection: that one belongs to the thread that compiled.
            converter = type(compiler)(compiler.query, connection, None)
            found = converter.apply_converters(found, converters)
        return [make(row) for row in found]

    return _Written(sql, list(parameters), read, queryset.query.select_for_update)


def _maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Any], Any]:
    """What makes what the queryset gives of a row of the columns that were compiled for it."""
    kind = queryset._iterable_class
    if kind is ModelIterable:
        return _instance_maker(queryset, compiler)
    if kind is NamedValuesListIterable:
        return namedtuple("Row", queryset._fields)._make  # type: ignore[attr-defined]
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    raise TypeError(f"{kind.__name__} cannot be compiled")


def _instance_maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Any], Any]:
    """What makes an instance, as ``ModelIterable`` does: of the columns of its fields, with those
    of ``select_related`` beside it; annotations become its attributes."""
    if queryset._prefetch_related_lookups or queryset.query.deferred_loading[0]:  # type: ignore[attr-defined]
        raise TypeError("only whole instances can be compiled, in one query")
    of_model = compiler.klass_info["select_fields"]
    first, last = of_model[0], of_model[-1] + 1
    model = compiler.klass_info["model"]
    names = [column.target.attname for column, *_ in compiler.select[first:last]]
    # The stubs are of Django 6, where it takes one thing more.
    select, alias = compiler.select, connection.alias
    joined = get_related_populators(compiler.klass_info, select, alias)  # type: ignore[call-arg]
    annotated = list(compiler.annotation_col_map.items())

    def make(row: Any) -> Any:
        instance = model.from_db(connection.alias, names, row[first:last])
        for related in joined:
            related.populate(row, instance)
        for name, position in annotated:
            setattr(instance, name, row[position])
        return instance

    return make


def _compile_update(update: Update) -> _Written:
    queryset, values = update
    query: Any = queryset.query.chain(UpdateQuery)
    query.add_update_values(values)
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return _Written(sql, list(parameters), list)


def _compile_update_of(update: Update) -> _Written:
    written, key = _compile_update(update), update[0].model._meta.pk
    column = connection.ops.quote_name(key.column)  # type: ignore[union-attr]
    return written._replace(
        sql=f"{written.sql} RETURNING {column}", read=lambda rows: [pk for (pk,) in rows]
    )


def locked_row(model: type[AnyModel], pk: int) -> AnyModel:
    """The row with this primary key, locked until the transaction ends. One query.

    The lock lets others refer to the row meanwhile (``FOR NO KEY UPDATE``). Raises the model's
    ``DoesNotExist``, and TransactionManagementError outside of a transaction.
    """
    rows = _row_to_lock(model, pk)
    if not rows:
        raise model.DoesNotExist(f"no {model.__name__} {pk}")  # type: ignore[attr-defined]
    row: AnyModel = rows[0]
    return row


@compiled
def _row_to_lock(model: Fixed[type[Model]], pk: int) -> QuerySet[Any, Any]:
    return model._default_manager.select_for_update(no_key=True).filter(pk=pk)
