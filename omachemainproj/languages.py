"""Translation of the API's messages, at the moment a response is sent.

Messages are written in English in the code and translated by their English text, as in gettext:
``Only {left} left.`` in the catalogue matches "Only 3 left.". The catalogue,
``locale/sw/LC_MESSAGES/omache.po``, also contains the messages of Django and Django REST framework
that users may see. docs/languages.md explains how to add one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.translation.trans_real import parse_accept_lang_header

ENGLISH, SWAHILI = "en", "sw"
LANGUAGES = (ENGLISH, SWAHILI)
_FOLDER = Path(__file__).resolve().parent.parent / "locale"
#: Longer texts are not ours: they repeat user input.
_LONGEST = 600
#: How deep values are translated: a sentence in a sentence, and a word in that.
_DEEPEST = 2
#: A placeholder, in Python's or printf style.
_PLACE = re.compile(r"\{(\w*)\}|%\((\w+)\)[sd]")
_QUOTED = re.compile(r'^(msgid|msgstr)?\s*(".*")$')


def language_for(request: Any) -> str:
    """The caller's language: from ``Accept-Language``, or else from their account.

    At most one query, and none if their token was read.
    """
    preferred = preferred_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    return preferred or str(getattr(_user_of(request), "spoken_language", ENGLISH))


def preferred_language(header: str) -> str | None:
    """The preferred supported language of an ``Accept-Language`` header, or None."""
    for named, liked in parse_accept_lang_header(header):
        if liked and named.partition("-")[0] in LANGUAGES:
            return named.partition("-")[0]
    return None


def _user_of(request: Any) -> Any:
    try:
        return request.user
    except Exception:
        # Authentication is lazy and may fail here; the view answers that.
        return None


def translate(sentence: str, language: str) -> str:
    """Translate a sentence; unchanged if there is no translation. In linear time."""
    return _translate(sentence, language, _DEEPEST)


def _translate(sentence: str, language: str, depth: int) -> str:
    if language == ENGLISH or len(sentence) > _LONGEST:
        return sentence
    known, patterns = _catalogue(language)
    if sentence in known:
        return known[sentence]
    for texts, parts in patterns:
        values = _values_between(texts, sentence)
        if values is not None:
            # A value may itself be translatable, such as a sentence or a status.
            if depth:
                values = [_translate(value, language, depth - 1) for value in values]
            return "".join(part if isinstance(part, str) else values[part] for part in parts)
    return sentence


def fill_template(template: str, language: str, **values: object) -> str:
    """Translate a template and fill in its values. The template must be in the catalogue."""
    return translate(template, language).format(**values)


def translate_all(texts: Any, language: str) -> Any:
    """Translate every text in a nested structure."""
    if isinstance(texts, dict):
        return {key: translate_all(each, language) for key, each in texts.items()}
    if isinstance(texts, list | tuple):
        return [translate_all(each, language) for each in texts]
    return translate(str(texts), language) if isinstance(texts, str | Promise) else texts


def translate_members(answer: Any, names: Collection[str], language: str) -> Any:
    """Translate the texts in members with these names."""
    if isinstance(answer, dict):
        return {
            name: translate_all(each, language)
            if name in names
            else translate_members(each, names, language)
            for name, each in answer.items()
        }
    if isinstance(answer, list | tuple):
        return [translate_members(each, names, language) for each in answer]
    return answer


@lru_cache
def _catalogue(
    language: str,
) -> tuple[dict[str, str], list[tuple[list[str], list[str | int]]]]:
    """The catalogue: translations by English text, and those with placeholders in parts."""
    known = read_catalogue(language)
    patterns = [
        (_PLACE.split(english)[:: _PLACE.groups + 1], _parts(english, translation))
        for english, translation in known.items()
        if _PLACE.search(english)
    ]
    # The most specific patterns come first: "{a} is not {b}." would match too much.
    patterns.sort(key=lambda pair: -len("".join(pair[0])))
    return known, patterns


def _values_between(texts: list[str], sentence: str) -> list[str] | None:
    """The values between these texts in a sentence, each as short as possible; None if it has none.

    Each text is looked for once, after the one before it: a regular expression would try all
    places of all texts, in polynomial time.
    """
    first, *between, last = texts
    if not sentence.startswith(first) or not sentence.endswith(last):
        return None
    values: list[str] = []
    at = len(first)
    for text in between:
        start = sentence.find(text, at + 1)
        if start < 0:
            return None
        values.append(sentence[at:start])
        at = start + len(text)
    value = sentence[at : len(sentence) - len(last)]
    return [*values, value] if value else None


def _parts(english: str, translation: str) -> list[str | int]:
    """The translation in parts: its texts, and the indexes of values in the English sentence.

    Unnamed placeholders are filled in order.
    """
    names = [one or other for one, other in _PLACE.findall(english)]
    parts: list[str | int] = []
    end = count = 0
    for place in _PLACE.finditer(translation):
        name = place[1] or place[2]
        parts += [translation[end : place.start()], names.index(name) if name else count]
        end, count = place.end(), count + 1
    return [*parts, translation[end:]]


def read_catalogue(language: str) -> dict[str, str]:
    """All translations of a language by their English text, from its .po file.

    Raises ValueError for a line that cannot be read.
    """
    lines = (_FOLDER / language / "LC_MESSAGES" / "omache.po").read_text("utf-8").splitlines()
    entries: list[dict[str, str]] = []
    part = ""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _QUOTED.match(line)
        if match is None:
            raise ValueError(f"line {number} of the {language} catalogue cannot be read: {line}")
        if match[1]:
            part = match[1]
        if match[1] == "msgid":
            entries.append({"msgid": "", "msgstr": ""})
        entries[-1][part] += ast.literal_eval(match[2])
    return {each["msgid"]: each["msgstr"] for each in entries if each["msgid"] and each["msgstr"]}
