"""A shop in this process's memory, for programs that play trade in one thread."""

from __future__ import annotations

import os


def open_memory_shop(**settings: str) -> None:
    """Set up Django with a laptop's settings and these, on an empty in-memory SQLite.

    Call it before any module of the shop is imported. It has no broker and sends no SMS.
    """
    os.environ.pop("DJANGO_SECRET_KEY", None)
    os.environ.update(
        OMACHE_ENV_FILE=os.devnull,
        DJANGO_SETTINGS_MODULE="omachemainproj.settings",
        DATABASE_URL="sqlite:///:memory:",
        CELERY_BROKER_URL="",
        SMS="off",
        **settings,
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
