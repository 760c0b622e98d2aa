"""The admin's rooms, for breadcrumbs."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models.options import Options

from accounts.backoffice.rooms import find_shelf

register = template.Library()


@register.simple_tag
def shelf_of(opts: Options[Any]) -> dict[str, str]:
    """The ``room`` and the ``name`` of a model's list, and the room's ``key``."""
    room, shelf = find_shelf(opts)
    return {"room": room.name, "key": room.key, "name": shelf.name}
