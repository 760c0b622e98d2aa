"""Every route of the URL configuration, and every action of the admin's lists."""

import re

from django.contrib.admin.sites import site
from django.urls import URLPattern, get_resolver

_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def routes():
    """The address of each route as the table writes it, like ``track/{track_id}/move/``."""
    return list(dict.fromkeys(_walk(get_resolver().url_patterns, "")))


def actions():
    """Each action of each list in the admin: its route, a space, the action."""
    for model, admin in site._registry.items():
        for name in [getattr(act, "__name__", act) for act in admin.actions or ()]:
            yield f"admin/{model._meta.app_label}/{model._meta.model_name}/ {name}"


def _walk(patterns, before):
    for entry in patterns:
        here = before + _readable(str(entry.pattern))
        if isinstance(entry, URLPattern):
            yield here
        else:
            yield from _walk(entry.url_patterns, here)


def _readable(pattern):
    plain = _NAMED.sub(r"{\1}", pattern)
    plain = _PLACE.sub(r"{\1}", plain)
    return plain.removeprefix("^").removesuffix("$").removesuffix(r"\Z").replace("\\", "")
