"""The admin page of the delivery role, made for phones: parcels to fetch and to hand over.

It shows what the API shows, and its buttons are the staff actions of actions.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.authentication import current_user
from accounts.backoffice.actions import (
    CONCURRENT_CHANGE,
    StaffAction,
    page_before,
    perform,
)
from accounts.backoffice.posted_forms import returned_form, send_back
from accounts.counties import County
from accounts.models import User
from omachemainproj.api.errors import Refusal
from orders.claims import is_abandoned
from orders.models import Parcel, ParcelQuerySet, ParcelStatus

from .actions import ACTIONS, form_name, offered
from .queries import Reader, in_county, read_rows, visible_to, with_ends, without_own
from .representation import represent_collection, represent_destination

#: Number of parcels per page.
PAGE = 30
#: The tabs of the page, with the parcels each shows.
PARTS: dict[str, tuple[str, Callable[[ParcelQuerySet], ParcelQuerySet]]] = {
    "fetch": ("To fetch", lambda found: found.at_status(ParcelStatus.TO_FETCH)),
    "bring": ("To hand over", lambda found: found.under_way()),
    "done": ("Handed over", lambda found: found.at_status(ParcelStatus.DELIVERED)),
}


class FilterForm(forms.Form):
    """Filter of the parcels of a tab."""

    part = forms.ChoiceField(
        choices=[(key, title) for key, (title, _) in PARTS.items()],
        required=False,
        widget=forms.HiddenInput,
    )
    county = forms.ChoiceField(
        choices=[("", "Every county"), *County.choices], required=False, label="County"
    )
    mine = forms.ChoiceField(
        choices=[("", "All"), ("mine", "Mine"), ("free", "Free")],
        required=False,
        label="Whose",
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )


@require_safe
def parcels(request: HttpRequest) -> HttpResponse:
    """Show the parcels of a tab: the user's own and unclaimed ones."""
    reader = _reader(request)
    form = FilterForm(request.GET, auto_id="filter-%s")
    filters = form.cleaned_data if form.is_valid() else {}
    part = filters.get("part") or "fetch"
    title, narrowed = PARTS[part]
    seen = visible_to(
        reader,
        timezone.now(),
        claimed=filters.get("mine") == "mine",
        delivered=part == "done",
    )
    shown = without_own(seen, reader.user)
    shown = narrowed(_filter(shown, filters, reader.user)).order_by("-pk")
    page = list(with_ends(shown)[: PAGE + 1])
    rows = read_rows(page[:PAGE])
    abandoned = _abandoned(page)
    query = {name: filters[name] for name in ("county", "mine") if filters.get(name)}
    shared: dict[str, Any] = admin.site.each_context(request)
    context = {
        **shared,
        "title": "Parcels",
        "part": part,
        "part_title": title,
        "parts": [(key, name, _address(part=key, **query)) for key, (name, _) in PARTS.items()],
        "filter": form,
        "cards": [_card(request, row, reader, abandoned) for row in rows],
        "next": _address(part=part, before=page[PAGE - 1].pk, **query) if len(page) > PAGE else "",
        "query": {"part": part, **query},
    }
    return render(request, "admin/orders/parcels.html", context)


@require_POST
def act(request: HttpRequest, parcel_id: int, key: str) -> HttpResponse:
    """Perform an action on a parcel and redirect to the tab it came from."""
    reader = _reader(request)
    action = ACTIONS.get(key)
    if action is None:
        raise Http404
    seen = visible_to(Reader(reader.user, reader.delivers, True, reader.points), timezone.now())
    parcel = get_object_or_404(seen, pk=parcel_id)
    name, before = form_name(parcel, key), page_before(request) or _back(request)
    form = action.form(request.POST, auto_id=f"{name}-%s")
    if not form.is_valid():
        return send_back(request, before, name, form) or redirect(before)
    try:
        result = perform(action, parcel, form.cleaned_data, by=reader.user)
    except (Refusal, IntegrityError) as error:
        messages.error(request, f"{parcel.order}: {_reason(error)}")
    else:
        messages.success(request, f"{parcel.order}: {result or action.label}.")
    return redirect(before)


def _reader(request: HttpRequest) -> Reader:
    """Return the reader. Raises PermissionDenied unless they deliver, or decide about lines."""
    reader = Reader.of(current_user(request))
    if not (reader.delivers or reader.decides):
        raise PermissionDenied
    return reader


def _filter(parcels: ParcelQuerySet, filters: dict[str, Any], user: User) -> ParcelQuerySet:
    if filters.get("county"):
        parcels = parcels.filter(in_county(filters["county"]))
    if filters.get("mine"):
        parcels = parcels.claimed_by(user) if filters["mine"] == "mine" else parcels.free()
    if filters.get("before"):
        parcels = parcels.filter(pk__lt=filters["before"])
    return parcels


def _abandoned(page: list[Parcel]) -> set[int]:
    """Return the ids of those parcels whose agent is no longer one. One query."""
    theirs = Parcel.objects.filter(is_abandoned(), pk__in=[parcel.pk for parcel in page])
    return set(theirs.values_list("pk", flat=True))


def _card(request: HttpRequest, row: Any, reader: Reader, abandoned: set[int]) -> dict[str, Any]:
    parcel, status = row.parcel, row.status
    actions = offered(parcel, status, reader.user, at_point=reader.is_at_point(parcel))
    forms = [
        (key, action, _form(request, parcel, key, action), key in _ASKS)
        for key, action in actions.items()
    ]
    return {
        "parcel": parcel,
        "status": status,
        "since": row.since,
        "lines": row.lines,
        "collect": _named(represent_collection(row, reader)),
        "deliver": _named(represent_destination(parcel, reader)),
        "is_mine": parcel.agent_id == reader.user.pk,
        "is_abandoned": parcel.pk in abandoned,
        "forms": forms,
    }


def _form(request: HttpRequest, parcel: Parcel, key: str, action: StaffAction) -> forms.Form:
    """Return a button's form: as sent if it had errors, else empty."""
    name = form_name(parcel, key)
    return returned_form(request, name) or action.form(auto_id=f"{name}-%s")


def _named(end: dict[str, Any]) -> dict[str, Any]:
    """Add the county's display name to a collection place or destination."""
    return {**end, "county": County(end["county"]).label if end["county"] else ""}


#: Actions that ask for input first.
_ASKS = {"delivered", "release", "attempt"}


def _address(**query: Any) -> str:
    return f"{reverse('parcels-console')}?{urlencode(query)}"


def _back(request: HttpRequest) -> str:
    form = FilterForm({name: request.POST.get(name, "") for name in ("part", "county", "mine")})
    filters = form.cleaned_data if form.is_valid() else {}
    return _address(**{name: value for name, value in filters.items() if value})


def _reason(error: Refusal | IntegrityError) -> str:
    return str(error) if isinstance(error, Refusal) else f"{CONCURRENT_CHANGE}."
