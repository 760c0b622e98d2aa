"""The security log: sign-ins and failures, changes of credentials, and staff actions.

One line per event, by the logger ``omache.security``: the event, the user's id if known, the client
address and, as in every line, the time and request id. An unknown name that was typed is not
logged, since people type passwords into that field: ``who`` is a digest of it, keyed with
DJANGO_SECRET_KEY, and the same for every spelling of a name.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac

from omachemainproj.logs import client_address

from .validators import normalise_email

logger = logging.getLogger("omache.security")

#: Normal events; all others are warnings.
_USUAL = {"login_ok", "session_ended_all", "staff_did"}


def record(event: str, *, user: Any = None, name: str = "", **more: Any) -> None:
    """Log an event now. ``user`` is a user's id, ``name`` a typed name without a user.

    ``more`` must not contain secrets. Never raises.
    """
    fields = {
        "event": event,
        "user": "-" if user is None else user,
        "who": digest(name) if name else "-",
        **more,
        "address": client_address.get(),
    }
    details = " ".join(f"{key}={value}" for key, value in fields.items() if key != "event")
    level = logging.INFO if event in _USUAL else logging.WARNING
    logger.log(level, "%s %s", event, details, extra=fields)


def record_on_commit(event: str, *, user: Any = None, **more: Any) -> None:
    """Log an event on commit, so that nothing rolled back is logged."""
    transaction.on_commit(partial(record, event, user=user, **more), robust=True)


def digest(name: str) -> str:
    """A 12-character digest of a typed name, the same for all its spellings."""
    text = normalise_email(name).lower()
    return salted_hmac("accounts.security_log", text, algorithm="sha256").hexdigest()[:12]


def record_log_in(sender: Any, user: Any, **kwargs: Any) -> None:
    """Receiver of ``user_logged_in``, which the API and the admin send after a complete sign-in."""
    record("login_ok", user=user.pk)
