"""Template filters for the admin's lists: labelled cells, so that phones can show rows as cards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from accounts.backoffice.formats import EMPTY_VALUE

register = template.Library()


@register.filter
def under(cells: Iterable[Any], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """Django's cells of a row, each with its column's heading as ``data-label``.

    Cells without a value are marked, so that phones can leave them out.
    """
    for cell, header in zip(cells, headers, strict=True):
        html = str(cell)
        label = "" if is_checkbox(header["class_attrib"]) else escape(capfirst(header["text"]))
        tag, rest = html[:3], html[3:]
        empty = " data-empty" if rest.endswith(f">{EMPTY_VALUE}</td>") else ""
        # A cell is Django's own HTML, “<td …” or “<th …”; only the label is added, escaped.
        yield mark_safe(f'{tag} data-label="{label}"{empty}{rest}')  # noqa: S308


@register.filter
def is_checkbox(class_attribute: str) -> bool:
    """Whether a heading is that of the column of checkboxes."""
    return "action-checkbox-column" in class_attribute
