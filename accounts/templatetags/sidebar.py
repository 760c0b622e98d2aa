"""Template tags for breadcrumbs and the phone menu (sidebar's sections), and the search's hint."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models.options import Options

from accounts.backoffice.search import search_hint_for
from accounts.backoffice.sidebar import find_list
from accounts.models import User

register = template.Library()

#: As many pages as a phone's menu shows without being opened.
SHORT_MENU = 6


@register.simple_tag
def sidebar_entry(opts: Options[Any]) -> dict[str, str]:
    """The ``section`` and ``name`` of a model's list, and the section's ``key``."""
    section, entry = find_list(opts)
    return {"section": section.name, "key": section.key, "name": entry.name}


@register.filter
def is_short(sections: list[dict[str, Any]]) -> bool:
    """Whether the sidebar's sections have so few pages that a phone's menu shows them at once."""
    return sum(len(section["models"]) for section in sections) <= SHORT_MENU


@register.simple_tag
def search_hint(person: Any) -> list[str]:
    """What a user can search by, in words; empty for anonymous users."""
    return search_hint_for(person) if isinstance(person, User) else []
