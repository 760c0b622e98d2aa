"""Spelling correction of searches, using the words of product names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.db import connection

from omachemainproj.text import lower
from products.models import SearchWord

#: Length of the words that are corrected. A name of 100 characters has at most 25 of them.
SHORTEST, LONGEST = 3, 40
_WORD = re.compile(rf"(?<![^\W_])[^\W_]{{{SHORTEST},{LONGEST}}}(?![^\W_])")
#: How many words the database suggests for a misspelt one, and how many of them are used.
_SUGGESTED, _TAKEN = 20, 5

_POSTGRESQL = (
    "SELECT * FROM (SELECT %s::text AS asked, word FROM products_searchword"
    " WHERE word LIKE %s OR word %% %s OR word LIKE %s"
    " ORDER BY word LIKE %s DESC, similarity(word, %s) DESC, word LIMIT %s) AS suggestions_{number}"
)
_SQLITE = (
    "SELECT * FROM (SELECT %s AS asked, word FROM products_searchword_trigrams"
    " WHERE products_searchword_trigrams MATCH %s"
    " ORDER BY instr(word, %s) > 0 DESC, rank, word LIMIT %s) AS suggestions_{number}"
)


def words_of(name: str) -> list[str]:
    """The words of a product's name, as stored in the vocabulary: lower case, unique, sorted."""
    return sorted(set(_WORD.findall(lower(name))))


def add_to_vocabulary(name: str) -> None:
    """Add the words of a product's name to the vocabulary. One query. Safe to repeat."""
    # Sorted, so that two sellers adding the same words cannot deadlock.
    rows = [SearchWord(word=word) for word in words_of(name)]
    SearchWord.objects.bulk_create(rows, ignore_conflicts=True)


def correct_spelling(words: Sequence[str]) -> list[list[str]]:
    """For each word, the known words that contain it, or else the most similar ones. One query.

    A word that no name contains is also searched for as a prefix (``kett*``), in descriptions too.
    """
    longer = [word for word in words if SHORTEST <= len(word) <= LONGEST]
    suggested: dict[str, list[str]] = {word: [] for word in longer}
    for misspelt, word in _suggestions(longer):
        suggested[misspelt].append(word)
    return [_choose(word, suggested[word]) if word in suggested else [word] for word in words]


def corrected(words: Sequence[str], groups: Sequence[Sequence[str]], found: Any) -> list[str]:
    """The words that were searched for instead of these; empty if they are the same.

    Among equally similar words, one in the first product's name is preferred.
    """
    if not found:
        return []
    in_name = set(words_of(found[0].name))
    replacements = [
        _correct(word, group, in_name) for word, group in zip(words, groups, strict=True)
    ]
    return replacements if replacements != list(words) else []


def _correct(word: str, group: Sequence[str], in_name: set[str]) -> str:
    known = [other for other in group if not other.endswith("*")]
    if word in known or not known:
        return word
    return next((other for other in known if other in in_name), known[0])


def as_header(words: Sequence[str]) -> str:
    """Words as a value of the header ``Search-Corrected``: non-ASCII is percent-encoded."""
    return quote(" ".join(words), safe=" '")


def _suggestions(words: Sequence[str]) -> list[Any]:
    if not words:
        return []
    postgresql = connection.vendor == "postgresql"
    branch = _POSTGRESQL if postgresql else _SQLITE
    parameters: list[Any] = []
    for word in words:
        if postgresql:
            inside = f"%{word}%"
            # By prefix too: trigrams alone miss two swapped letters.
            parameters += [word, inside, word, f"{word[:3]}%", inside, word, _SUGGESTED]
        else:
            parameters += [word, _any_trigram(word), word, _SUGGESTED]
    branches = (branch.format(number=number) for number in range(len(words)))
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(branches), parameters)
        return cursor.fetchall()


def _any_trigram(word: str) -> str:
    return " OR ".join(f'"{word[at : at + 3]}"' for at in range(len(word) - 2))


def _choose(word: str, suggestions: Sequence[str]) -> list[str]:
    containing = sorted((known for known in suggestions if word in known), key=len)
    if word in containing:
        return containing[:_TAKEN]
    begun = f"{word}*"
    if containing:
        return [begun, *(known for known in containing if not known.startswith(word))][:_TAKEN]
    allowed = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    apart = {known: _distance(word, known, allowed) for known in suggestions}
    nearest = min(apart.values(), default=allowed + 1)
    if nearest > allowed:
        return [begun]
    return [begun, *sorted(known for known, far in apart.items() if far == nearest)][:_TAKEN]


def _distance(one: str, other: str, allowed: int) -> int:
    """The Damerau–Levenshtein distance of two words (optimal string alignment).

    It counts letters added, removed, changed, or swapped with their neighbour. A distance beyond
    ``allowed`` may be returned as ``allowed + 1``.
    """
    if abs(len(one) - len(other)) > allowed:
        return allowed + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, its in enumerate(other, 1):
            best = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != its))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and its == one[row - 2]
            here.append(min(best, before[column - 2] + 1) if swapped else best)
        before, above = above, here
    return above[-1]
