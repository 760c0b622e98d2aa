"""Reads settings from the environment, ``.env`` and secret files: raw, trimmed, checked.

Values are literal: ``$x`` is not expanded, surrounding white space and line breaks are removed, and
an ambiguous value is a problem instead of falling back to the default. Problems are collected, so
that all of them are reported together.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from .env_file import read_env_file
from .ip_addresses import read_network
from .service_urls import Explained, read_base_url

Value = TypeVar("Value")

_ON, _OFF = {"on", "true", "yes", "1"}, {"off", "false", "no", "0"}
#: Control, format and surrogate characters and line separators: never intended in a value.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: How alike two names are of which one is a misspelling of the other.
_ALMOST = 0.85
_SEPARATORS = re.compile(r"[\s,]+")


class Environment:
    """Settings by the names of their variables.

    Each reader returns the value, or the default if the variable is not set. For an invalid value
    it returns the default and adds a sentence to ``problems``, one per variable: call
    ``refuse_problems`` before using the values.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        problems: Iterable[str] = (),
        of_file: Iterable[str] = (),
    ) -> None:
        self.problems = list(problems)
        self._variables = variables
        #: The names in the ``.env`` file.
        self._of_file = tuple(of_file)
        self._known: set[str] = set()
        self._in_trouble: set[str] = set()

    @classmethod
    def of_process(cls, folder: Path) -> Environment:
        """The process's own variables, and those added by the ``.env`` file in the folder.

        ``OMACHE_ENV_FILE`` names another file. The file's variables are also added to
        ``os.environ``, for child processes.
        """
        named = os.environ.get("OMACHE_ENV_FILE")
        if named is not None and not named.strip():
            return cls(os.environ, ["OMACHE_ENV_FILE is set but empty: name a file, or remove it."])
        added, problems = read_env_file(
            folder / (".env" if named is None else named.strip()), must_exist=named is not None
        )
        # The process's variables take precedence over the file's, as NAME or as NAME_FILE.
        own = {name.removesuffix("_FILE") for name in os.environ}
        for name, value in added.items():
            if name.removesuffix("_FILE") not in own:
                os.environ[name] = value
        return cls(os.environ, problems, of_file=added)

    def refuse(self, name: str, sentence: str) -> None:
        """Record a problem with a variable; only the first one for each variable is kept."""
        if name not in self._in_trouble:
            self._in_trouble.add(name)
            self.problems.append(sentence)

    def has_problem(self, *names: str) -> bool:
        """Whether one of these variables has a problem."""
        return not self._in_trouble.isdisjoint(names)

    def given(self) -> list[str]:
        """The names of the variables that were read and are set, to any value."""
        return sorted(
            name for name in self._known if not {name, f"{name}_FILE"}.isdisjoint(self._variables)
        )

    def refuse_unknown(self, *prefixes: str) -> None:
        """Refuse variables with our prefixes that nothing has read: they may be misspelt.

        So may any other name in the ``.env`` file that is almost one of ours: a limit of payouts
        under another name would silently be none.
        """
        known = self._known | {f"{name}_FILE" for name in self._known}
        for name in self._of_file:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_ALMOST)
            if name not in known and near:
                self.refuse(name, f"{name} is not a known setting; did you mean {near[0]}?")
        for name in self._variables:
            if name.startswith(prefixes) and name not in known:
                near = difflib.get_close_matches(name, sorted(known), n=1)
                hint = f"; did you mean {near[0]}?" if near else "."
                self.refuse(name, f"{name} is not a known setting{hint}")

    def refuse_problems(self) -> None:
        """Raise ImproperlyConfigured with all problems, one per line."""
        if len(self.problems) == 1:
            raise ImproperlyConfigured(self.problems[0])
        if self.problems:
            raise ImproperlyConfigured("".join(f"\n- {problem}" for problem in self.problems))

    def text(self, name: str, *, default: str = "") -> str:
        """A line of text."""
        return self._read(name, str, default, "") or default

    def secret(self, name: str) -> str:
        """A text that must not be empty if it is set; empty if it is not set."""
        return self._read(name, _filled, "", "")

    def visible(self, name: str, *, default: str = "") -> str:
        """Text that travels in headers and URLs: ASCII, without spaces."""
        return (
            self._read(name, _visible, default, "must be ASCII characters without spaces")
            or default
        )

    def digits(self, name: str, *, default: str = "") -> str:
        """A number assigned by M-Pesa: 5 to 7 digits."""
        return (
            self._read(name, _matching(r"(?:[0-9]{5,7})?"), default, "must be 5 to 7 digits")
            or default
        )

    def switch(self, name: str, *, default: bool) -> bool:
        """``on`` or ``off``; a misspelt word must not silently mean off."""
        return self._read(name, _switch, default, "must be on or off, not {value}")

    def choice(self, name: str, *, among: Sequence[str], default: str) -> str:
        """One of these words, in any case; returned as spelled in ``among``."""

        def read(text: str) -> str:
            return {word.lower(): word for word in among}[_filled(text).lower()]

        return self._read(name, read, default, f"must be one of {', '.join(among)}, not {{value}}")

    def number(self, name: str, *, default: int, least: int = 0, most: int) -> int:
        """A whole number within these bounds."""
        read = self._read(
            name,
            _whole_number(least),
            default,
            f"must be a whole number from {least}, not {{value}}",
        )
        if read > most:
            self.refuse(name, f"{name} must be at most {most}, not {read}.")
            return default
        return read

    def percent(self, name: str) -> Decimal:
        """A percentage from 0 to 99.99 with at most two decimals, such as ``5`` or ``2.5``."""
        read = _matching(r"[0-9]{1,2}(\.[0-9]{1,2})?")
        wrong = "must be a percentage from 0 to 99.99, not {value}"
        return Decimal(self._read(name, read, "0", wrong))

    def url(
        self,
        name: str,
        read: Callable[[str], Value],
        *,
        default: Value,
        wrong: str,
        may_be_empty: bool = True,
    ) -> Value:
        """The text as ``read`` parses it (service_urls.py); ``wrong`` describes valid values."""

        def read_filled(text: str) -> Value:
            return default if may_be_empty and not text else read(_filled(text))

        return self._read(name, read_filled, default, wrong)

    def base_url(self, name: str, *, default: str = "") -> str:
        """The address of a service or a site, without a slash at its end."""
        wrong = "must be an address like https://api.example.co.ke, with nothing behind its path"
        return self.url(name, read_base_url, default=default, wrong=wrong)

    def entries(
        self, name: str, read: Callable[[str], str], *, default: Sequence[str] = (), wrong: str
    ) -> list[str]:
        """A list separated by commas, white space or line breaks; ``read`` parses each entry."""
        text = self._raw(name, may_break=True)
        if not text:
            return list(default)
        entries = [entry for entry in _SEPARATORS.split(text) if entry]
        if not entries:
            self._refuse_nothing(name)
        parsed: dict[str, None] = {}
        for entry in entries:
            try:
                parsed[read(entry)] = None
            except ValueError:
                self.refuse(name, f"{name} must list {wrong}: {entry} is not one.")
        return list(parsed)

    def networks(self, name: str) -> list[str]:
        """IP addresses and networks, in canonical form."""

        def read(text: str) -> str:
            network = read_network(text)
            return str(network.network_address if network.num_addresses == 1 else network)

        return self.entries(
            name,
            read,
            wrong="IP addresses, and networks like 196.201.212.0/23",
        )

    def _read(self, name: str, read: Callable[[str], Value], default: Value, wrong: str) -> Value:
        text = self._raw(name)
        if text is None:
            return default
        try:
            return read(text)
        except _Nothing:
            self._refuse_nothing(name)
        except Explained as error:
            self.refuse(name, f"{name} {error}.")
        except (ValueError, KeyError):
            self.refuse(name, f"{name} {wrong.format(value=text)}.")
        return default

    def _raw(self, name: str, *, may_break: bool = False) -> str | None:
        """The text as set, without surrounding white space; None if it is not set."""
        self._known.add(name)
        value = self._variables.get(name)
        if f"{name}_FILE" in self._variables:
            if value is not None:
                self.refuse(name, f"{name} and {name}_FILE are both set: keep one of them.")
                return None
            value = self._read_file(name)
        if value is None:
            return None
        text = value.strip()
        if value and not text:
            self._refuse_nothing(name)
            return None
        if any(
            unicodedata.category(sign) in _UNSEEN and not (may_break and sign.isspace())
            for sign in text
        ):
            self.refuse(name, f"{name} contains a line break or another invisible character.")
            return None
        if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            self.refuse(
                name, f"{name} is in quotes, which would become part of its value: remove them."
            )
            return None
        return text

    def _read_file(self, name: str) -> str | None:
        path = self._variables[f"{name}_FILE"].strip()
        try:
            # Windows editors may put a byte order mark before the text.
            text = Path(path).read_text(encoding="utf-8-sig") if path else ""
        except (OSError, ValueError):
            self.refuse(name, f"{name}_FILE must be a readable text file; {path} is not.")
            return None
        # An empty file is a secret that somebody forgot to fill in.
        return text or " "

    def _refuse_nothing(self, name: str) -> None:
        self.refuse(name, f"{name} is set but empty: give it a value, or remove it.")


class _Nothing(ValueError):
    """A variable is set, but empty."""


def _filled(text: str) -> str:
    if not text:
        raise _Nothing
    return text


def _visible(text: str) -> str:
    if re.fullmatch(r"[!-~]*", text) is None:
        raise ValueError("not visible ASCII")
    return text


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError("does not match")
        return text

    return read


def _switch(text: str) -> bool:
    word = _filled(text).lower()
    if word not in _ON | _OFF:
        raise ValueError("neither on nor off")
    return word in _ON


def _whole_number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,18}", _filled(text)) is None or int(text) < least:
            raise ValueError("not such a number")
        return int(text)

    return read
