"""The admin's error pages for staff: no permission, and not found.

All other users, and everything outside the admin, get those of omachemainproj.api.handlers.
"""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from omachemainproj.api import handlers

from .roles import ROLES
from .sidebar import PAGES

_ADMIN = "/admin/"
#: The permission's verb for each page of a list; all others need “view”.
_VERBS = {"add": "add", "delete": "delete"}


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The admin's 403 page: says which roles may see the page asked for."""
    if not _is_in_the_admin(request):
        return handlers.permission_denied(request, exception)
    roles = roles_for(request)
    return _page(request, "This page is not for you", 403, roles=roles)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The admin's 404 page."""
    if not _is_in_the_admin(request):
        return handlers.not_found(request, exception)
    return _page(request, "There is no such page", 404, is_missing=True)


def roles_for(request: HttpRequest) -> list[str]:
    """The roles that may see the requested page; empty if only superusers may, or nobody."""
    match = request.resolver_match
    name = (match.url_name if match else None) or ""
    needed = permissions_for(name, request.method or "GET")
    return [role for role, names in ROLES.items() if set(needed) & set(names)]


def permissions_for(url_name: str, method: str) -> tuple[str, ...]:
    """The permissions for an admin page by its URL's name; any one of them is enough."""
    for page_name, page in PAGES.items():
        if url_name == page_name or url_name.startswith(f"{page_name.split('-')[0]}-"):
            return page.permissions
    for model in admin.site._registry:
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        if url_name.startswith(prefix):
            writes = "change" if method == "POST" else "view"
            verb = _VERBS.get(url_name.removeprefix(prefix), writes)
            return (f"{model._meta.app_label}.{verb}_{model._meta.model_name}",)
    return ()


def _is_in_the_admin(request: HttpRequest) -> bool:
    person = getattr(request, "user", None)
    is_staff = isinstance(person, User) and person.is_active and person.is_staff
    return is_staff and request.path.startswith(_ADMIN)


def _page(
    request: HttpRequest, title: str, status: int, *, is_missing: bool = False, roles: object = ()
) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title}
    context |= {"is_missing": is_missing, "roles": roles}
    return render(request, "admin/denied.html", context, status=status)
