"""Search by words: every word must be there, as a whole or as the beginning of one.

What people type is never query syntax: it is cut into words of letters and digits first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, Func, Value
from django.db.models.sql.compiler import SQLCompiler

from .querysets import ProductQuerySet

MAX_TERM = 100
#: More words than this are not looked at: no shopper needs them, and each is work.
MAX_WORDS = 10
#: Shorter words match whole ones only: "a" would begin a fifth of the dictionary.
MIN_PREFIX = 3

_WORD = re.compile(r"[^\W_]+")
#: PostgreSQL's English stop words: its index leaves them out, so nothing may insist on them.
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


def words_in(term: str) -> list[str]:
    """The words of a search term that are worth looking for, lower case, once each.

    None of them ("", "%", "the") means that nothing in particular was asked for.
    """
    typed = _WORD.findall(unicodedata.normalize("NFKC", term).lower())
    return [word for word in dict.fromkeys(typed) if word not in _NOISE][:MAX_WORDS]


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


def matching(
    products: ProductQuerySet, groups: Sequence[Sequence[str]], *, vendor: str
) -> ProductQuerySet:
    """Products that have, for every group, one of its words in their name or description.

    ``groups`` come from ``words_in`` or the vocabulary, so they hold letters and digits only.
    """
    if not groups:
        return products
    if vendor == "postgresql":
        either, every, quoted, starred = " | ", " & ", "'{}'", "'{}':*"
    else:
        either, every, quoted, starred = " OR ", " AND ", '"{}"', '"{}"*'
    asked = every.join(
        "("
        + either.join(
            (starred if len(word) >= MIN_PREFIX else quoted).format(word) for word in group
        )
        + ")"
        for group in groups
    )
    return products.filter(_Matches(Value(asked)))
