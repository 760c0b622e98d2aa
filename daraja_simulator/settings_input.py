"""Parsing settings from the command line: ``NAME=VALUE``. Errors are ValueErrors."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from .config import Config

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def read_settings(given: Iterable[str]) -> dict[str, Any]:
    """Read settings of ``Config`` by name. Raises ValueError."""
    usual = {field.name: field.default for field in fields(Config)}
    settings: dict[str, Any] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in usual:
            raise ValueError(
                f"There is no setting {name!r}. Use NAME=VALUE; the README lists all settings."
            )
        settings[name] = _read(name, value.strip(), usual[name])
    return settings


def _read(name: str, value: str, usual: Any) -> Any:
    if isinstance(usual, bool):
        if value.lower() not in _YES + _NO:
            raise ValueError(f"{name} must be on or off")
        return value.lower() in _YES
    if isinstance(usual, tuple):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(usual, int | float):
        try:
            return type(usual)(value)
        except ValueError:
            raise ValueError(f"{name} must be a number") from None
    return value
