"""Reads a ``.env`` file: literal values, one a line; an ambiguous line is a problem."""

from __future__ import annotations

import re
from pathlib import Path

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_LITERAL = re.compile(r"'([^']*)'\s*(?:#.*)?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
#: Characters whose backslash is removed between double quotes, as in a shell.
_ESCAPED = re.compile(r'\\([\\"$`])')


def read_env_file(path: Path, *, must_exist: bool) -> tuple[dict[str, str], list[str]]:
    """The variables of a ``.env`` file, and a sentence for each unreadable line. Never raises.

    Lines are ``NAME=value``, empty, or begin with ``#``. Quotes around a value are removed; nothing
    is expanded.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, [f"OMACHE_ENV_FILE is {path}, which does not exist."] if must_exist else []
    except (OSError, ValueError):
        text = "\0"
    if "\0" in text:
        return {}, [f"{path} cannot be read: it must be a UTF-8 text file."]
    values: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        value = _value_of(match[2]) if match else None
        if match is None or value is None:
            problems.append(
                f"Line {number} of {path} cannot be read: write NAME=value, a value with a # or "
                "a quote in quotes."
            )
        elif match[1] in values:
            problems.append(f"{match[1]} is set twice in {path}.")
        else:
            values[match[1]] = value
    return values, problems


def _value_of(text: str) -> str | None:
    """The value written after ``=``, or None if it is ambiguous."""
    if match := _LITERAL.fullmatch(text):
        return match[1]
    if match := _QUOTED.fullmatch(text):
        return _ESCAPED.sub(r"\1", match[1])
    # Some parsers include a comment in an unquoted value before it, others do not.
    return None if text[:1] in {"'", '"'} or re.search(r"\s#", text) else text
