"""Template tags for breadcrumbs (sections of the sidebar) and for the search's hint."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models.options import Options

from accounts.backoffice.search import words_for
from accounts.backoffice.sidebar import find_list
from accounts.models import User

register = template.Library()


@register.simple_tag
def sidebar_entry(opts: Options[Any]) -> dict[str, str]:
    """The ``section`` and ``name`` of a model's list, and the section's ``key``."""
    section, entry = find_list(opts)
    return {"section": section.name, "key": section.key, "name": entry.name}


@register.simple_tag
def what_finds(person: Any) -> list[str]:
    """What a user can search by, in words; empty for anonymous users."""
    return words_for(person) if isinstance(person, User) else []
