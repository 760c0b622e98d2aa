"""What a person who is typing may be looking for: words to go on with, and a few goods."""

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
#: Letters of the word being typed before anything is suggested for it.
SHORTEST = 2
#: Words of so many goods are looked at, and so many of the vocabulary.
_LOOKED_AT, _KNOWN = 25, 50
_COLUMNS = columns_for(FIELDS)
_KEYSET = ("-sold_rank", "-id")


class Suggestions(NamedTuple):
    """Searches that lead somewhere, likeliest first, and goods that sell best among those found."""

    words: list[str]
    products: list[Any]


def kept_suggestions(typed: str) -> tuple[Suggestions, int]:
    """What ``suggest`` says, and for how many seconds more: a process asks once a minute.

    Many people begin their words alike, and who asks may keep the answer that long anyway
    (``SUGGESTIONS_MAX_AGE``): nothing shown is ever older than a minute.
    """
    now = time.monotonic()
    until, said = _kept.get(typed, (0.0, None))
    if said is None or now >= until:
        said, until = suggest(typed), now + settings.SUGGESTIONS_MAX_AGE
        if len(_kept) >= _KEPT:
            _kept.clear()
        _kept[typed] = until, said
    return said, int(until - now)


#: By what was typed, until when its suggestions are good.
_kept: dict[str, tuple[float, Suggestions]] = {}
_KEPT = 500


def suggest(typed: str) -> Suggestions:
    """At most five of each, of what can be bought. Words are as somebody would search for them.

    The last word may be unfinished; all are looked for in names. Where nothing is found, misspelt
    words are put right. Two to six short queries.
    """
    forms = word_forms(typed)
    words = [word for word, *_ in forms]
    if not words:
        # What was typed so far is a stop word, and may be the beginning of another word.
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
        # No word that is known is like it: that is what was looked for already.
        return Suggestions([], [])
    found = _find(groups)
    meant = corrected(words, groups, found)
    return Suggestions([" ".join(meant)] if meant else [], found[:PRODUCTS])


def _named_on_sale(query: str) -> ProductQuerySet:
    return having(Product.objects.on_sale(), query)


def _find(groups: Sequence[Sequence[str]]) -> list[Any]:
    query = query_for(groups, in_name=True)
    page = Page(_KEYSET, None, _LOOKED_AT, _COLUMNS, is_common(groups, query=query))
    return read_page(_named_on_sale, query, page)


def _ends(begun: str, found: Sequence[Any], *, alone: bool) -> list[str]:
    """How the last word may go on: what most of the goods found have first."""
    names = Counter(word for row in found for word in words_of(row.name) if word.startswith(begun))
    ends = [word for word, _ in sorted(names.items(), key=lambda item: (-item[1], item[0]))]
    if alone and len(ends) < WORDS:
        ends += sorted(set(_known(begun)) - set(ends), key=lambda word: (len(word), word))
    return ends[:WORDS]


def _known(begun: str) -> list[str]:
    """Words of the vocabulary that begin so: letters and digits, and so no pattern. One query."""
    sql = "SELECT word FROM products_searchword WHERE word LIKE %s LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{begun}%", _KNOWN])
        return [word for (word,) in cursor.fetchall()]
