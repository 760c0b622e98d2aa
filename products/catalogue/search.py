"""Search by words: a product matches if it has every word.

A search term is never query syntax: it is first cut into words of letters and digits. Whole words
are searched for before prefixes, which cost PostgreSQL fifty times as much when they are common.
docs/search.md has the measurements.
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
#: Further words are ignored: each costs time, and no shopper needs them.
MAX_WORDS = 10
#: A search is common if at least ``_COMMON`` of the newest ``_SAMPLE`` products match.
_COMMON, _SAMPLE = 3, 500

_WORD = re.compile(r"[^\W_]+")
#: PostgreSQL's English stop words. Its index omits them, so none can be required.
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
#: The stop words that distinguish products next to other words: a jerry can, make up, a down
#: jacket. The others are mostly used as grammar.
_NAMING = frozenset({"can", "down", "off", "t", "up", "who"})


def words_in(term: str) -> list[str]:
    """The words of a search term without stop words, in lower case, once each.

    Empty for a term without any ("", "%", "the"), which matches everything.
    """
    return [word for word in _all_words_in(term) if word not in _NOISE][:MAX_WORDS]


def stop_words_in(term: str) -> list[str]:
    """The stop words of a term that are searched for in names.

    Only those that can name products, unless the term has no other words ("The Who").
    """
    typed = _all_words_in(term)
    stop_words = [word for word in typed if word in _NOISE]
    if len(stop_words) < len(typed):
        stop_words = [word for word in stop_words if word in _NAMING]
    return stop_words[:MAX_WORDS]


def _all_words_in(term: str) -> list[str]:
    # Normalised as names and descriptions are stored: "m²" stays as it is.
    return list(dict.fromkeys(_WORD.findall(lower(clean_shown(term)))))


def word_forms(term: str) -> list[list[str]]:
    """The words of ``words_in``, each with its alternative spellings: "m²" and "m2"."""
    return [list(dict.fromkeys([word, _plain(word)])) for word in words_in(term)]


def _plain(word: str) -> str:
    plain = lower(fold_identifier(word))
    return plain if _WORD.fullmatch(plain) else word


class _Matches(Func):
    """Whether a product matches a full-text query in the database's own syntax."""

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
    """The same test without the full-text index, for when there are few products to check."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        # The function behind ``@@``. Called by name, it uses no index.
        template = (
            'ts_match_vq("products_product"."search", to_tsquery(\'english\', %(expressions)s))'
        )
        return Func.as_sql(self, compiler, connection, template=template)


#: The expression and the condition of the index ``product_stop_words``: names with a stop word.
_NAME_WORDS = (
    'to_tsvector(\'simple\', regexp_replace("products_product"."name",'
    " '[!-/:-@\\[-`{-~]+', ' ', 'g'))"
)
_HAS_STOP_WORD = f'"products_product"."name" ~* \'\\m({"|".join(sorted(_NOISE))})s?\\M\''


class _Named(_Matches):
    """Whether a name has these stop words, which PostgreSQL's full-text index omits."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = f"{_HAS_STOP_WORD} AND {_NAME_WORDS} @@ to_tsquery('simple', %(expressions)s)"
        return Func.as_sql(self, compiler, connection, template=f"({template})")


class _NamedOneByOne(_Matches):
    """The same test without the index, for few products and for unfinished words."""

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = f"{_NAME_WORDS} @@ to_tsquery('simple', %(expressions)s)"
        return Func.as_sql(self, compiler, connection, template=template)


def named(products: ProductQuerySet, stop_words: Sequence[str]) -> ProductQuerySet:
    """Products with these words of ``stop_words_in``, or their plurals, in their name."""
    groups = [[word, f"{word}s"] for word in stop_words]
    return products.filter(_Named(Value(_in_names(groups))))


def named_of_few(products: ProductQuerySet, stop_words: Sequence[str]) -> ProductQuerySet:
    """As ``matching_of_few``, for names with words that begin with these stop words."""
    return products.filter(_NamedOneByOne(Value(_in_names([[f"{w}*"] for w in stop_words]))))


def _in_names(groups: Sequence[Sequence[str]]) -> str:
    # PostgreSQL's index of stop words has no weights: it covers names only.
    return query_for(groups, in_name=connection.vendor != "postgresql")


def is_common_in_names(stop_words: Sequence[str]) -> bool:
    """Whether scanning products newest first quickly fills a page of ``named``. At most one query.

    Cached like ``is_common``.
    """
    return _cached_plan(_named_plan, _in_names([[word, f"{word}s"] for word in stop_words])).is_scan


def _named_plan(query: str, _: tuple[str, ...]) -> SearchPlan:
    with connection.cursor() as cursor:
        cursor.execute(_NAMED_AMONG_THE_NEWEST, [_SAMPLE, query])
        (newest,) = cursor.fetchone()
    return SearchPlan(newest >= _COMMON)


_NAMED_AMONG_THE_NEWEST = (
    "SELECT count(*) FROM (SELECT name FROM products_product ORDER BY id DESC LIMIT %s)"  # noqa: S608
    f" AS products_product WHERE {_NAME_WORDS} @@ to_tsquery('simple', %s)"
)


def matching_of_few(products: ProductQuerySet, groups: Sequence[Sequence[str]]) -> ProductQuerySet:
    """Products with a word of every group, for a queryset that is a small part of all products.

    Words come from ``words_in``, so they are letters and digits; ``kett*`` matches any word that
    begins with it. The full-text index is not used: it would first collect the matches in the
    whole shop, which for a prefix in a million products can be a hundred thousand.
    """
    return products.filter(_MatchesOneByOne(Value(query_for(groups)))) if groups else products


def having(products: ProductQuerySet, query: str) -> ProductQuerySet:
    """Products that match a query of ``query_for``."""
    return products.filter(_Matches(Value(query)))


def query_for(groups: Sequence[Sequence[str]], *, in_name: bool = False) -> str:
    """The full-text query for products with at least one word of every group.

    It is in the syntax of the current database. Words come from ``words_in`` or the vocabulary, so
    they are letters and digits; ``kett*`` matches any word that begins with it. ``in_name``
    requires the words in the name.
    """
    if connection.vendor == "postgresql":
        either, every, whole, beginning = " | ", " & ", "'{}'", "'{}':*"
        if in_name:
            # The weight of names in the index.
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
    """The query for products with every word, but not all of them in the name."""
    whole, named = query_for(groups), query_for(groups, in_name=True)
    if connection.vendor == "postgresql":
        return f"({whole}) & !({named})"
    return f"({whole}) NOT ({named})"


def is_common(
    groups: Sequence[Sequence[str]], *, query: str = "", categories: Sequence[str] = ()
) -> bool:
    """Whether scanning products newest first quickly fills a page of matches. At most one query.

    PostgreSQL's planner only guesses this, and for a word without statistics, such as a misspelt
    one, it scans a million products for nothing. ``query`` overrides ``query_for(groups)``; if
    there are ``categories``, only their products count.

    Cached for ``COMMON_WORDS_MAX_AGE`` seconds: it decides how products are found, not which.
    """
    return not groups or plan_for(query or query_for(groups), categories).is_scan


class SearchPlan(NamedTuple):
    """How to find a page of matches.

    ``is_scan``: by scanning the products in order. Otherwise by collecting the matches and sorting
    them: first only those ``AmongLatest`` by each of the ``reaches``, then all. In a million
    products, a word in one of a hundred has ten thousand matches, which take 30 ms to collect;
    among the latest ten thousand products they take 1 ms. There are no reaches if collecting all
    matches is as fast, because there are few of them or few products.
    """

    is_scan: bool
    reaches: tuple[int, ...] = ()


def plan_for(query: str, categories: Sequence[str] = ()) -> SearchPlan:
    """How to find the matches of a query in these categories. At most one query; see is_common."""
    return _cached_plan(_find_plan, query, categories)


def _cached_plan(
    find: Callable[[str, tuple[str, ...]], SearchPlan], query: str, categories: Sequence[str] = ()
) -> SearchPlan:
    if connection.vendor != "postgresql":
        return SearchPlan(is_scan=True)
    key, now = (find, query, tuple(categories)), time.monotonic()
    expires, plan = _cached_plans.get(key, (0.0, None))
    if plan is None or now >= expires:
        plan = find(query, tuple(categories))
        if len(_cached_plans) >= _MAX_CACHED:
            _cached_plans.clear()
        _cached_plans[key] = now + settings.COMMON_WORDS_MAX_AGE, plan
    return plan


#: The cached plans with their expiry (monotonic seconds), by finder, query and categories.
_cached_plans: dict[tuple[Any, str, tuple[str, ...]], tuple[float, SearchPlan]] = {}
_MAX_CACHED = 500

#: The expression of the index ``product_search_dated``: the words of a product, and the ranges of
#: 8,192 and 65,536 ids it is in. One index thus finds the matches among the latest products.
REACHES = 13, 16
_DATED = (
    "(products_product.search || array_to_tsvector(ARRAY["
    + ", ".join(f"'~{reach}.' || (products_product.id >> {reach})" for reach in REACHES)
    + "]))"
)
_NEWEST = "(SELECT max(id) FROM products_product)"
#: With at least ``_MANY`` matches the first reach usually fills a page. At most ``ENOUGH`` are
#: counted.
_MANY, ENOUGH = 40, 100


def _latest(reach: int, start: str) -> str:
    """The query for the range of ids that contains ``start``, and the range before it."""
    at = f"({start} >> {reach})"
    # Quoted, because "~" is not allowed in a bare query word.
    return f"('''~{reach}.' || {at} || ''' | ''~{reach}.' || {at} - 1 || '''')::tsquery"


def _find_plan(query: str, categories: tuple[str, ...]) -> SearchPlan:
    """In a large shop, count in the index of the latest products; otherwise in the newest 500."""
    global _largest
    of_them = " AND category = ANY(%s)" if categories else ""
    among = [list(categories)] if categories else []
    with connection.cursor() as cursor:
        if _largest >> REACHES[-1]:
            cursor.execute(_RECENT.format(of_them), [query, *among, ENOUGH])
            (recent,) = cursor.fetchone()
            if recent >= ENOUGH:
                return SearchPlan(is_scan=True)
            few = () if recent < _COMMON else REACHES[1:]
            return SearchPlan(False, REACHES if recent >= _MANY else few)
        cursor.execute(_AMONG_THE_NEWEST.format(of_them), [query, *among, _SAMPLE])
        newest, _largest = cursor.fetchone()
        return SearchPlan(newest >= _COMMON)


#: The largest product id seen so far.
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
    """``_Matches`` through the index ``product_search_dated`` (PostgreSQL)."""

    template = f"{_DATED} @@ to_tsquery('english', %(expressions)s)"
    output_field = BooleanField()


class AmongLatest(Func):
    """Whether a product is among the latest within a reach (PostgreSQL).

    The latest are counted back from the id ``before``, or from the newest product. They are between
    one and two times 2^reach ids.
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
    """Products that match a query, for use with ``AmongLatest``."""
    return products.filter(_DatedMatches(Value(query)))


class Unindexed(Func):
    """A sort expression that no index can serve, so that rows are found first, then sorted."""

    template = "(%(expressions)s + 0)"
    output_field = BigIntegerField()
