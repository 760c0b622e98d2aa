"""Parsing settings from the command line: ``NAME=VALUE``. Errors are ValueErrors."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from .config import Config

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def read_settings(given: Iterable[str]) -> dict[str, Any]:
    """Read settings of ``Config`` by name. Raises ValueError."""
    defaults = {field.name: field.default for field in fields(Config)}
    settings: dict[str, Any] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in defaults:
            raise ValueError(
                f"There is no setting {name!r}. Use NAME=VALUE; the README lists all settings."
            )
        settings[name] = _read(name, value.strip(), defaults[name])
    return settings


def _read(name: str, value: str, defaults: Any) -> Any:
    if isinstance(defaults, bool):
        if value.lower() not in _YES + _NO:
            raise ValueError(f"{name} must be on or off")
        return value.lower() in _YES
    if isinstance(defaults, tuple):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(defaults, int | float):
        try:
            return type(defaults)(value)
        except ValueError:
            raise ValueError(f"{name} must be a number") from None
    return value
