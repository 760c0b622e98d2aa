"""The admin's rooms, for breadcrumbs, and what its search looks for."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models.options import Options

from accounts.backoffice.rooms import find_shelf
from accounts.backoffice.search import words_for
from accounts.models import User

register = template.Library()


@register.simple_tag
def shelf_of(opts: Options[Any]) -> dict[str, str]:
    """The ``room`` and the ``name`` of a model's list, and the room's ``key``."""
    room, shelf = find_shelf(opts)
    return {"room": room.name, "key": room.key, "name": shelf.name}


@register.simple_tag
def what_finds(person: Any) -> list[str]:
    """What somebody may type into the search, in words; none for who is no staff."""
    return words_for(person) if isinstance(person, User) else []
