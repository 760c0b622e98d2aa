"""Keyset pagination: lists stay JSON arrays; other pages are in a ``Link`` header (RFC 8288).

A page starts after the last row of the one before, so rows neither repeat nor go missing during
writes, the thousandth page costs as much as the first, and rows are never counted.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, NoReturn
from urllib.parse import urlencode

from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from .fields import MAX_ID

PAGE_SIZE = 25
MAX_PAGE_SIZE = 100

#: Reads at most N rows after a position.
Fetch = Callable[[list[int] | None, int], list[Any]]
#: The same; if the last argument is true, the rows before a position, nearest first.
FetchBothWays = Callable[[list[int] | None, int, bool], list[Any]]


class _Place(NamedTuple):
    """A page's start: after these keyset values or, going backwards, before them."""

    values: list[int]
    backwards: bool


class KeysetPagination(BasePagination):
    """Pages a queryset by integer columns, the last of them unique.

    The view sets the order in ``keyset``: ``("-id",)``, or ``("price", "id")`` with all columns in
    the same direction. Rows are dicts, named tuples or instances with those columns. One query. A
    page has at most 100 rows, whatever ``page_size`` is.
    """

    page_size: ClassVar[int] = PAGE_SIZE
    #: The URLs of other pages by relation; ``next`` comes first.
    _links: dict[str, str]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        keyset: Sequence[str] = getattr(view, "keyset", ("-id",))

        def fetch(after: list[int] | None, limit: int, backwards: bool) -> list[Any]:
            rows = queryset if queryset.query.order_by else queryset.order_by(*keyset)
            order = reverse(keyset) if backwards else keyset
            rows = rows.reverse() if backwards else rows
            return list((rows.filter(beyond(order, after)) if after else rows)[:limit])

        return self.paginate_both_ways(request, keyset, fetch)

    def paginate(self, request: Request, keyset: Sequence[str], fetch: Fetch) -> list[Any]:
        """The requested page; ``fetch(after, limit)`` reads the rows after a cursor."""
        size, place = self._read_size(request), self._read_place(request, len(keyset))
        if place and place.backwards:
            _refuse_cursor()
        rows = fetch(place.values if place else None, size + 1)
        self._links = {}
        if len(rows) > size:
            self._links["next"] = _link(request, keyset, rows[size - 1])
        return rows[:size]

    def paginate_both_ways(
        self, request: Request, keyset: Sequence[str], fetch: FetchBothWays
    ) -> list[Any]:
        """The requested page, with a link to the previous one too."""
        size, place = self._read_size(request), self._read_place(request, len(keyset))
        backwards = place is not None and place.backwards
        rows = fetch(place.values if place else None, size + 1, backwards)
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows = rows[::-1]
        self._links = {}
        # When going backwards, the page one came from always exists.
        if rows and (more or backwards):
            self._links["next"] = _link(request, keyset, rows[-1])
        if rows and (more if backwards else place is not None):
            self._links["prev"] = _link(request, keyset, rows[0], backwards=True)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The rows, with ``Link: <…>; rel="next"`` if there are more."""
        links = ", ".join(f'<{address}>; rel="{name}"' for name, address in self._links.items())
        return Response(data, headers={"Link": links} if links else {})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": f"Rows a page; above {MAX_PAGE_SIZE} they are {MAX_PAGE_SIZE}.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "default": PAGE_SIZE,
                },
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page starts; take it from the `Link` header.",
                "schema": {"type": "string"},
            },
        ]

    def _read_size(self, request: Request) -> int:
        typed = _read_once(request, "page_size")
        if typed is None:
            return self.page_size
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) > 0):
            raise ValidationError({"page_size": ["Give a whole number, 1 or more."]})
        return min(int(typed), MAX_PAGE_SIZE)

    def _read_place(self, request: Request, length: int) -> _Place | None:
        typed = _read_once(request, "cursor")
        return None if typed is None else _read_cursor(typed, length)


def _read_once(request: Request, name: str) -> str | None:
    typed = request.query_params.getlist(name)
    if len(typed) > 1:
        raise ValidationError({name: ["Give this once."]})
    return typed[0] if typed else None


def reverse(keyset: Sequence[str]) -> tuple[str, ...]:
    """The reversed keyset."""
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in keyset)


def beyond(keyset: Sequence[str], after: list[int]) -> Any:
    """The condition for rows after these keyset values, in a form an index can use."""
    down = keyset[0].startswith("-")
    names = [name.lstrip("-") for name in keyset]
    if len(names) == 1:
        return Q(**{f"{names[0]}__{'lt' if down else 'gt'}": after[0]})
    # (price, id) > (…): "price >= … AND (price > … OR id > …)" is equivalent, but reads all rows of
    # that price again on every page.
    compare = TupleLessThan if down else TupleGreaterThan
    return compare(tuple(F(name) for name in names), after)


def _link(request: Request, keyset: Sequence[str], row: Any, *, backwards: bool = False) -> str:
    read: Callable[[str], Any] = (
        row.__getitem__ if isinstance(row, Mapping) else lambda name: getattr(row, name)
    )
    values = [read(name.lstrip("-")) for name in keyset]
    place = json.dumps({"before": values} if backwards else values, separators=(",", ":"))
    query = request.query_params.copy()
    query["cursor"] = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    query_string = urlencode([(key, item) for key, items in query.lists() for item in items])
    return request.build_absolute_uri(f"{request.path}?{query_string}")


def _refuse_cursor() -> NoReturn:
    raise ValidationError({"cursor": ["Take the cursor from the Link header as it is."]})


def _read_cursor(typed: str, length: int) -> _Place:
    try:
        padded = typed.encode("ascii") + b"=" * (-len(typed) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    backwards = isinstance(place, dict) and place.keys() == {"before"}
    values = place["before"] if backwards else place
    if (
        not isinstance(values, list)
        or len(values) != length
        or not all(type(number) is int and abs(number) <= MAX_ID for number in values)
    ):
        _refuse_cursor()
    return _Place(values, backwards)
