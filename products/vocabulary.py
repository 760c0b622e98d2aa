"""The words of product names, so that a misspelt one can be put right."""

from __future__ import annotations

import re

from .models import SearchWord

#: A name of 100 characters has at most 25 of these; shorter ones are not worth putting right.
_WORD = re.compile(r"[^\W_]{3,40}")


def words_of(name: str) -> list[str]:
    """The words of a product's name as the vocabulary keeps them: lower case, once, sorted."""
    return sorted(set(_WORD.findall(name.lower())))


def remember_words(name: str) -> None:
    """Add the words of a product's name to the vocabulary. One query. Safe to repeat."""
    # Sorted, so that two sellers adding the same new words wait in one order.
    rows = [SearchWord(word=word) for word in words_of(name)]
    SearchWord.objects.bulk_create(rows, ignore_conflicts=True)
