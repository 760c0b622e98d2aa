"""Start-up checks: settings that are missing, dangerous or inconsistent.

Unreadable values have already been reported (omachemainproj/environment.py).
"""

from __future__ import annotations

from collections.abc import Callable

from .always import find_invalid_values
from .development import find_production_without_a_key
from .problems import Problems, Settings
from .production import find_problems_in_production


def find_problems(settings: Settings, has_problem: Callable[..., bool]) -> Problems:
    """Yield the problems of the settings as a whole.

    ``has_problem(*names)`` tells whether one of these variables already has a problem.
    """
    shop = {**settings, "DJANGO_ALLOWED_HOSTS": settings["ALLOWED_HOSTS"]}
    yield from find_invalid_values(shop)
    if shop["PRODUCTION"]:
        yield from find_problems_in_production(shop, has_problem)
    elif not has_problem("DJANGO_SECRET_KEY"):
        yield from find_production_without_a_key(shop)
