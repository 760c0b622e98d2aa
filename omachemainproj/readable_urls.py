"""Which characters a URL may contain, of a request or of a page named in one."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes, urlsplit

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: How Django shows a non-UTF-8 byte in a path; none of our URLs contains it.
_BROKEN = re.compile(r"%[89A-F][0-9A-F]", re.IGNORECASE)


def is_readable_path(path: str) -> bool:
    """UTF-8 without control characters. Django has decoded it, all but what was not UTF-8."""
    return not _CONTROL.search(path) and not _BROKEN.search(path)


def is_readable_query(sent: bytes | str) -> bool:
    """UTF-8 without control characters, raw or percent-encoded."""
    try:
        return not _CONTROL.search(unquote_to_bytes(sent).decode("utf-8"))
    except UnicodeError:
        return False


def is_readable_url(url: str) -> bool:
    """Whether a request for this URL would be read."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return is_readable_query(url)
