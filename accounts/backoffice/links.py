"""Links to rows' pages, depending on what the viewer may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User

_elsewhere: dict[type[Model], Callable[[User, Any], str]] = {}


def shown_elsewhere(model: type[Model]) -> Callable[[Any], Any]:
    """Declare the page of a model's rows for users who may not see its page in the admin.

    The function gets the viewer and the row, and returns a URL, or "".
    """

    def declare(where: Callable[[User, Any], str]) -> Callable[[User, Any], str]:
        _elsewhere[model] = where
        return where

    return declare


def page_of(row: Model, viewer: User) -> str:
    """The URL of a row's page for this viewer; "" if they may not see one."""
    meta = row._meta
    if viewer.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
        try:
            return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
        except NoReverseMatch:
            return ""
    where = _elsewhere.get(type(row))
    return where(viewer, row) if where else ""


def link_to(row: Model | None, viewer: User, words: Any = None) -> str | SafeString:
    """A row as a link to its page, or as text if the viewer may not see it; "" for None."""
    if row is None:
        return ""
    shown, url = row if words is None else words, page_of(row, viewer)
    return format_html('<a href="{}">{}</a>', url, shown) if url else str(shown)
