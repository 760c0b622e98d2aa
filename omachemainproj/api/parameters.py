"""Query parameters: unknown ones are refused, and so are repeated ones with a single value.

Ignoring a misspelt filter would return wrong results that look right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from .fields import shortened

#: Parameters of every list.
PAGING = ("page_size", "cursor")
#: Tracking parameters that other sites append to links; they are ignored.
_TRACKING = frozenset({"fbclid", "gclid"})
_TRACKING_PREFIX = "utm_"


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Raise ValidationError for each unknown parameter, under its name.

    The message lists the known ones; for ``page`` and the like it explains paging.
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
    """The values of a parameter, comma-separated or repeated; None if it is missing.

    Raises ValidationError, listing the valid values, for an invalid one.
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
    """The error message for an invalid value."""
    return f"“{shortened(typed)}” is none of: {', '.join(known)}."
