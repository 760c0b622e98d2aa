"""Forms on a row's page that post to another URL: with errors, the row's page is shown again."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import resolve

from .actions import ReasonForm, StaffAction

#: A request's attribute with the form that had errors, by its name.
_RETURNED_FORM = "returned_form"


@dataclass(slots=True)
class PageForm:
    """A staff action's form on a row's page; ``name`` is unique on the page and begins its ids.

    ``about`` names its row for screen readers, ``url`` is the address it posts to.
    """

    name: str
    action: StaffAction
    url: str
    about: str
    form: forms.Form

    @classmethod
    def of(cls, action: StaffAction, name: str, url: str, about: str) -> PageForm:
        """An empty form."""
        return cls(name, action, url, about, action.form(auto_id=f"{name}-%s"))


def returned_form(request: HttpRequest, name: str) -> ReasonForm | None:
    """The form of this name that was sent from this page and had errors, or None."""
    known = getattr(request, _RETURNED_FORM, {})
    return cast(ReasonForm | None, known.get(name))


def send_back(request: HttpRequest, page: str, name: str, form: forms.Form) -> HttpResponse | None:
    """Show an admin page again, with one of its forms as it was filled in and its errors.

    ``page`` is an address of ours, or one from ``page_before``. None if there is no page at it.
    """
    there = urlsplit(page)
    again: Any = copy(request)
    again.method, again.POST, again.GET = "GET", QueryDict(), QueryDict(there.query)
    again.path = again.path_info = there.path
    setattr(again, _RETURNED_FORM, {name: form})
    try:
        again.resolver_match = found = resolve(there.path)
        response: HttpResponse = found.func(again, *found.args, **found.kwargs)
    except Http404:
        return None
    if response.status_code == 200:
        response.status_code = 400
    return response
