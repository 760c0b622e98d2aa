"""Search by words: every word must be there.

What people type is never query syntax: it is cut into words of letters and digits first. Whole
words are searched for before prefixes, which cost PostgreSQL fifty times as much where they are
common; see docs/search.md for what was measured.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, BooleanField, Func, Value
from django.db.models.sql.compiler import SQLCompiler

from omachemainproj.text import clean_shown, fold_identifier, lower
from products.models import ProductQuerySet

MAX_TERM = 100
#: Further words are ignored: no shopper needs them, and each costs time.
MAX_WORDS = 10
#: A search is common when this many of so many of the newest products match.
_COMMON, _SAMPLE = 3, 500

_WORD = re.compile(r"[^\W_]+")
#: PostgreSQL's English stop words: its index leaves them out, so none can be required.
_NOISE = frozenset(
    """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she
    her hers herself it its itself they them their theirs themselves what which who whom this that
    these those am is are was were be been being have has had having do does did doing a an the
    and but if or because as until while of at by for with about against between into through
    during before after above below to from up down in out on off over under again further then
    once here there when where why how all any both each few more most other some such no nor not
    only own same so than too very s t can will just don should now
    """.split()  # noqa: SIM905
)
#: Those that tell goods apart beside other words: a jerry can, make up, a down jacket. The others
#: join words more often than they name anything.
_NAMING = frozenset({"can", "down", "off", "t", "up", "who"})


def words_in(term: str) -> list[str]:
    """The words of a search term that are worth looking for, lower case, once each.

    None of them ("", "%", "the") means that nothing in particular was asked for.
    """
    return [word for word in _typed(term) if word not in _NOISE][:MAX_WORDS]


def stop_words_in(term: str) -> list[str]:
    """The stop words of a term that are looked for in names: those that name goods, and all of
    them where nothing else was typed ("The Who")."""
    typed = _typed(term)
    stop_words = [word for word in typed if word in _NOISE]
    if len(stop_words) < len(typed):
        stop_words = [word for word in stop_words if word in _NAMING]
    return stop_words[:MAX_WORDS]


def _typed(term: str) -> list[str]:
    # As names and descriptions are stored: "m²" stays what it is.
    return list(dict.fromkeys(_WORD.findall(lower(clean_shown(term)))))


def word_forms(term: str) -> list[list[str]]:
    """The words of ``words_in``, each with what else it may be written as: "m²" and "m2"."""
    return [list(dict.fromkeys([word, _plain(word)])) for word in words_in(term)]


def _plain(word: str) -> str:
    plain = lower(fold_identifier(word))
    return plain if _WORD.fullmatch(plain) else word


class _Matches(Func):
    """Whether a product matches a query in its database's own language."""

    output_field = BooleanField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = '"products_product"."search" @@ to_tsquery(\'english\', %(expressions)s)'
        return super().as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, Any]:
        template = (
            '"products_product"."id" IN (SELECT rowid FROM products_search'
            " WHERE products_search MATCH %(expressions)s)"
        )
        return super().as_sql(compiler, connection, template=template)


class _MatchesOneByOne(_Matches):
    """As it is, where the goods that are looked through are few: no index of all words is read."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        # What ``@@`` calls, which no index serves under its own name.
        template = (
            'ts_match_vq("products_product"."search", to_tsquery(\'english\', %(expressions)s))'
        )
        return Func.as_sql(self, compiler, connection, template=template)


#: What ``product_stop_words`` indexes, and of which names: those with a stop word.
_NAME_WORDS = (
    'to_tsvector(\'simple\', regexp_replace("products_product"."name",'
    " '[!-/:-@\\[-`{-~]+', ' ', 'g'))"
)
_HAS_STOP_WORD = f'"products_product"."name" ~* \'\\m({"|".join(sorted(_NOISE))})s?\\M\''


class _Named(_Matches):
    """Whether a name has words that the index of all words leaves out on PostgreSQL."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = f"{_HAS_STOP_WORD} AND {_NAME_WORDS} @@ to_tsquery('simple', %(expressions)s)"
        return Func.as_sql(self, compiler, connection, template=f"({template})")


class _NamedOneByOne(_Matches):
    """As it is, for goods that are few, and for words that may be unfinished."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = f"{_NAME_WORDS} @@ to_tsquery('simple', %(expressions)s)"
        return Func.as_sql(self, compiler, connection, template=template)


def named(products: ProductQuerySet, stop_words: Sequence[str]) -> ProductQuerySet:
    """Products that have these words of ``stop_words_in`` in their name, or their plural."""
    groups = [[word, f"{word}s"] for word in stop_words]
    return products.filter(_Named(Value(_in_names(groups))))


def named_of_few(products: ProductQuerySet, stop_words: Sequence[str]) -> ProductQuerySet:
    """As ``matching_of_few``, by what begins with each of these words of ``stop_words_in``."""
    return products.filter(_NamedOneByOne(Value(_in_names([[f"{w}*"] for w in stop_words]))))


def _in_names(groups: Sequence[Sequence[str]]) -> str:
    # The index has no weights: it is of names alone.
    return query_for(groups, in_name=connection.vendor != "postgresql")


def is_common_in_names(stop_words: Sequence[str]) -> bool:
    """Whether walking the products newest first soon fills a page of ``named``. One query at most.

    Believed for a minute, as ``is_common`` is.
    """
    return _way_by(_named_way, _in_names([[word, f"{word}s"] for word in stop_words])).is_walk


def _named_way(query: str, _: tuple[str, ...]) -> Way:
    with connection.cursor() as cursor:
        cursor.execute(_NAMED_AMONG_THE_NEWEST, [_SAMPLE, query])
        (newest,) = cursor.fetchone()
    return Way(newest >= _COMMON)


_NAMED_AMONG_THE_NEWEST = (
    "SELECT count(*) FROM (SELECT name FROM products_product ORDER BY id DESC LIMIT %s)"  # noqa: S608
    f" AS products_product WHERE {_NAME_WORDS} @@ to_tsquery('simple', %s)"
)


def matching_of_few(products: ProductQuerySet, groups: Sequence[Sequence[str]]) -> ProductQuerySet:
    """Of products that are few among all, as a seller's are: those with a word of every group.

    Words come from ``words_in``, so they are letters and digits; ``kett*`` is any that begins so.
    The index of words would collect whatever matches in the whole shop first: of a beginning of a
    word, and of a million products, a hundred thousand.
    """
    return products.filter(_MatchesOneByOne(Value(query_for(groups)))) if groups else products


def having(products: ProductQuerySet, query: str) -> ProductQuerySet:
    """Products that match a query of ``query_for``."""
    return products.filter(_Matches(Value(query)))


def query_for(groups: Sequence[Sequence[str]], *, in_name: bool = False) -> str:
    """The full-text query for products that have, for every group, one of its words.

    It is in the language of this database. Words come from ``words_in`` or the vocabulary, so they
    are letters and digits; ``kett*`` is any word that begins so.

    ``in_name`` asks for the words in the name, whatever the description says.
    """
    if connection.vendor == "postgresql":
        either, every, whole, beginning = " | ", " & ", "'{}'", "'{}':*"
        if in_name:
            # The weight that names have in the index.
            whole, beginning = "'{}':A", "'{}':*A"
    else:
        either, every, whole, beginning = " OR ", " AND ", '"{}"', '"{}"*'
    query = every.join(
        "("
        + either.join(
            (beginning if word.endswith("*") else whole).format(word.rstrip("*")) for word in group
        )
        + ")"
        for group in groups
    )
    return f"{{name}} : ({query})" if in_name and connection.vendor != "postgresql" else query


def elsewhere(groups: Sequence[Sequence[str]]) -> str:
    """The query for products that have every word, but not all of them in the name."""
    whole, named = query_for(groups), query_for(groups, in_name=True)
    if connection.vendor == "postgresql":
        return f"({whole}) & !({named})"
    return f"({whole}) NOT ({named})"


def is_common(
    groups: Sequence[Sequence[str]], *, query: str = "", categories: Sequence[str] = ()
) -> bool:
    """Whether walking the products newest first soon fills a page with matches. One query at most.

    PostgreSQL's planner guesses that, and for a word it has no statistics of, like every misspelt
    one, it walks a million products in vain. ``query`` is what is asked where it is not
    ``query_for(groups)``, and only what is of the ``categories`` counts, where there are any.

    What was found is believed for a minute (``COMMON_WORDS_MAX_AGE``): it decides by which way
    goods are found, and not which.
    """
    return not groups or way_to(query or query_for(groups), categories).is_walk


class Way(NamedTuple):
    """By which way a page of matches is found.

    ``is_walk``: by walking the products in order. Otherwise matches are collected and sorted, and
    the newest of them first ``Within`` each of the ``reaches``, before all are: of a million
    products ten thousand have a word that one in a hundred has, and to collect those takes 30 ms;
    among the latest ten thousand products it takes one. There are no reaches where so few match,
    or so few products there are, that all are collected as soon.
    """

    is_walk: bool
    reaches: tuple[int, ...] = ()


def way_to(query: str, categories: Sequence[str] = ()) -> Way:
    """How to find what matches a query, of these categories. One query at most, see is_common."""
    return _way_by(_find_way, query, categories)


def _way_by(
    find: Callable[[str, tuple[str, ...]], Way], query: str, categories: Sequence[str] = ()
) -> Way:
    if connection.vendor != "postgresql":
        return Way(is_walk=True)
    asked, now = (find, query, tuple(categories)), time.monotonic()
    until, way = _known_ways.get(asked, (0.0, None))
    if way is None or now >= until:
        way = find(query, tuple(categories))
        if len(_known_ways) >= _KEPT:
            _known_ways.clear()
        _known_ways[asked] = now + settings.COMMON_WORDS_MAX_AGE, way
    return way


#: By who found it, query and categories, until when a way is believed to be the right one.
_known_ways: dict[tuple[Any, str, tuple[str, ...]], tuple[float, Way]] = {}
_KEPT = 500

#: What ``product_search_dated`` indexes: the words of a product, and the stretches of ids that it
#: belongs to, of 8,192 and of 65,536: what matches among the latest alone is found in one index.
REACHES = 13, 16
_DATED = (
    "(products_product.search || array_to_tsvector(ARRAY["
    + ", ".join(f"'~{reach}.' || (products_product.id >> {reach})" for reach in REACHES)
    + "]))"
)
_NEWEST = "(SELECT max(id) FROM products_product)"
#: Of the first reach so many more than a page match that it fills one, as a rule; and no more are
#: counted than these.
_MANY, ENOUGH = 40, 100


def _latest(reach: int, start: str) -> str:
    """The query for the stretch of ids that ``start`` is in, and the one before."""
    at = f"({start} >> {reach})"
    # Quoted, since a "~" is no letter of a query.
    return f"('''~{reach}.' || {at} || ''' | ''~{reach}.' || {at} - 1 || '''')::tsquery"


def _find_way(query: str, categories: tuple[str, ...]) -> Way:
    """The index of the latest products tells it of a large shop, the newest 500 of another."""
    global _largest
    of_them = " AND category = ANY(%s)" if categories else ""
    among = [list(categories)] if categories else []
    with connection.cursor() as cursor:
        if _largest >> REACHES[-1]:
            cursor.execute(_RECENT.format(of_them), [query, *among, ENOUGH])
            (recent,) = cursor.fetchone()
            if recent >= ENOUGH:
                return Way(is_walk=True)
            few = () if recent < _COMMON else REACHES[1:]
            return Way(False, REACHES if recent >= _MANY else few)
        cursor.execute(_AMONG_THE_NEWEST.format(of_them), [query, *among, _SAMPLE])
        newest, _largest = cursor.fetchone()
        return Way(newest >= _COMMON)


#: The largest id of a product that was seen.
_largest = 0
_AMONG_THE_NEWEST = (
    "SELECT count(*) FILTER (WHERE search @@ to_tsquery('english', %s){}), coalesce(max(id), 0)"
    " FROM (SELECT id, search, category FROM products_product ORDER BY id DESC LIMIT %s) AS newest"
)
_RECENT = (
    f"SELECT count(*) FROM (SELECT 1 FROM products_product"  # noqa: S608
    f" WHERE {_DATED} @@ to_tsquery('english', %s)"
    f" AND {_DATED} @@ {_latest(REACHES[0], _NEWEST)}{{}} LIMIT %s) AS recent"
)


class _DatedMatches(Func):
    """``_Matches``, by the index that knows how old products are (PostgreSQL)."""

    template = f"{_DATED} @@ to_tsquery('english', %(expressions)s)"
    output_field = BooleanField()


class Within(Func):
    """Whether a product is among the latest of a reach: of so many to twice as many (PostgreSQL).

    They are the latest ``before`` this id, or of all.
    """

    output_field = BooleanField()

    def __init__(self, reach: int, before: int | None) -> None:
        self._values = [] if before is None else [before, before]
        places = [Value(each) for each in self._values]
        start = "%s::bigint" if places else _NEWEST
        self._sql = f"{_DATED} @@ {_latest(reach, start)}"
        super().__init__(*places)

    def as_sql(self, *args: Any, **extra: Any) -> tuple[str, Any]:
        return self._sql, self._values


def having_dated(products: ProductQuerySet, query: str) -> ProductQuerySet:
    """Products that match a query, to be looked for ``Within`` a reach."""
    return products.filter(_DatedMatches(Value(query)))


class Unindexed(Func):
    """A column to sort by that no index can serve, so that rows are found first, then sorted."""

    template = "(%(expressions)s + 0)"
    output_field = BigIntegerField()
