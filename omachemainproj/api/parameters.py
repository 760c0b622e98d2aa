"""The parameters of an address: each is one that exists, and is given once where it has one value.

A misspelt filter that is ignored shows wrong results that look right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

#: What every list takes.
PAGING = ("page_size", "cursor")
#: What others hang on the addresses they show or mail: passes, and means nothing here.
_TRACKING = frozenset({"fbclid", "gclid"})
_TRACKING_PREFIX = "utm_"


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Raise ValidationError, on its name, for each parameter that is none of these.

    It names those there are; for ``page`` and its like it says how pages are walked.
    """
    there_are = f"There are: {', '.join(sorted(known))}." if known else "There are none."
    errors = {
        name: [f"{_hint(name, known)}{there_are}"]
        for name in request.query_params
        if name not in known and name not in _TRACKING and not name.startswith(_TRACKING_PREFIX)
    }
    if errors:
        raise ValidationError(errors)


def _hint(name: str, known: Collection[str]) -> str:
    if name in {"page", "offset", "limit"} and "cursor" in known:
        return (
            "Pages have no numbers: the Link header of each has the address of the next."
            " Its size is page_size. "
        )
    return "There is no such parameter here. "


def read_words(request: Request, name: str, among: Iterable[str]) -> list[str] | None:
    """The words of a parameter, given as a list with commas or several times; None without it.

    Raises ValidationError, naming those there are, for a word that is none of these.
    """
    if name not in request.query_params:
        return None
    typed = [
        word.strip() for value in request.query_params.getlist(name) for word in value.split(",")
    ]
    known = list(among)
    unknown = [word for word in typed if word not in known]
    if unknown:
        raise ValidationError({name: [not_among(unknown[0], known)]})
    return list(dict.fromkeys(typed))


def not_among(typed: str, known: Iterable[str]) -> str:
    """The sentence for a word that is none of those there are."""
    shown = typed[:40] + ("…" if len(typed) > 40 else "")
    return f"“{shown}” is none of: {', '.join(known)}."
