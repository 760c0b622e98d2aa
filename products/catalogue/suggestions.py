"""What a person who is typing may be looking for: words to go on with, and a few goods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from products.models import Product, ProductQuerySet, SearchWord

from .queries import Page, read_page
from .representation import columns_for
from .search import having, is_common, query_for, word_forms
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


def suggest(typed: str) -> Suggestions:
    """At most five of each, of what can be bought. Words are as somebody would search for them.

    The last word may be unfinished; all are looked for in names. Where nothing is found, misspelt
    words are put right. Two to six short queries.
    """
    forms = word_forms(typed)
    words = [word for word, *_ in forms]
    if not words or len(words[-1]) < SHORTEST:
        return Suggestions([], [])
    found = _find([*forms[:-1], [f"{form}*" for form in forms[-1]]])
    ends = _ends(words[-1], found, alone=len(words) == 1)
    if found or ends:
        before = words[:-1]
        return Suggestions([" ".join([*before, end]) for end in ends], found[:PRODUCTS])
    groups = correct_spelling(words)
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
        known = SearchWord.objects.filter(word__startswith=begun).values_list("word", flat=True)
        ends += sorted(set(known[:_KNOWN]) - set(ends), key=lambda word: (len(word), word))
    return ends[:WORDS]
