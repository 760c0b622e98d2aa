"""Suggestions while the user types a search: completed words and a few products."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from products.models import Product, ProductQuerySet

from .queries import Page, read_page
from .representation import columns_for
from .search import having, is_common, query_for, stop_words_in, word_forms
from .spelling import correct_spelling, corrected, words_of

#: The members of a suggested product.
FIELDS = ("id", "name", "thumbnail", "price")
WORDS = PRODUCTS = 5
#: The fewest letters of the last word for which anything is suggested.
SHORTEST = 2
#: How many products, and how many words of the vocabulary, completions are taken from.
_LOOKED_AT, _KNOWN = 25, 50
_COLUMNS = columns_for(FIELDS)
_KEYSET = ("-sold_rank", "-id")


class Suggestions(NamedTuple):
    """Searches that find something, likeliest first, and the best-selling matches."""

    words: list[str]
    products: list[Any]


def cached_suggestions(typed: str) -> tuple[Suggestions, int]:
    """``suggest`` with a cache, and the seconds for which the result may still be kept.

    Each process caches a term's suggestions for ``SUGGESTIONS_MAX_AGE`` seconds: many people type
    the same beginnings. Clients may keep a result for the rest of that time only.
    """
    now = time.monotonic()
    until, suggestions = _cached.get(typed, (0.0, None))
    if suggestions is None or now >= until:
        suggestions, until = suggest(typed), now + settings.SUGGESTIONS_MAX_AGE
        if len(_cached) >= _MAX_CACHED:
            _cached.clear()
        _cached[typed] = until, suggestions
    return suggestions, int(until - now)


#: The cached suggestions with their expiry (monotonic seconds), by the typed text.
_cached: dict[str, tuple[float, Suggestions]] = {}
_MAX_CACHED = 500


def suggest(typed: str) -> Suggestions:
    """Suggest up to five searches and five products for sale.

    Words are matched in names, and the last may be unfinished. If nothing is found, misspelt words
    are corrected. Two to six short queries.
    """
    forms = word_forms(typed)
    words = [word for word, *_ in forms]
    if not words:
        # A stop word may be the beginning of another word.
        begun = stop_words_in(typed)[-1:]
        return Suggestions(_ends(begun[0], [], alone=True) if begun else [], [])
    if len(words[-1]) < SHORTEST:
        return Suggestions([], [])
    found = _find([*forms[:-1], [f"{form}*" for form in forms[-1]]])
    ends = _ends(words[-1], found, alone=len(words) == 1)
    if found or ends:
        before = words[:-1]
        return Suggestions([" ".join([*before, end]) for end in ends], found[:PRODUCTS])
    groups = correct_spelling(words)
    if groups == [[f"{words[-1]}*"]]:
        # No known word is similar, and this prefix has been searched for already.
        return Suggestions([], [])
    found = _find(groups)
    corrections = corrected(words, groups, found)
    return Suggestions([" ".join(corrections)] if corrections else [], found[:PRODUCTS])


def _named_on_sale(query: str) -> ProductQuerySet:
    return having(Product.objects.on_sale(), query)


def _find(groups: Sequence[Sequence[str]]) -> list[Any]:
    query = query_for(groups, in_name=True)
    page = Page(_KEYSET, None, _LOOKED_AT, _COLUMNS, is_common(groups, query=query))
    return read_page(_named_on_sale, query, page)


def _ends(begun: str, found: Sequence[Any], *, alone: bool) -> list[str]:
    """Completions of the last word, the most frequent among the found products first."""
    names = Counter(word for row in found for word in words_of(row.name) if word.startswith(begun))
    ends = [word for word, _ in sorted(names.items(), key=lambda item: (-item[1], item[0]))]
    if alone and len(ends) < WORDS:
        ends += sorted(set(_known_words(begun)) - set(ends), key=lambda word: (len(word), word))
    return ends[:WORDS]


def _known_words(begun: str) -> list[str]:
    """Words of the vocabulary with this beginning, which is letters and digits only. One query."""
    sql = "SELECT word FROM products_searchword WHERE word LIKE %s LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{begun}%", _KNOWN])
        return [word for (word,) in cursor.fetchall()]
