"""The security log: who signed in or failed to, what gives access and was changed, what staff did.

One line an event, of the logger ``omache.security``: the event, the person's number where one is
known, the address it came from, and, as in every line, the time and the request's id. A name that
was typed and is nobody's is not written, for people type passwords into that field: ``who`` is a
digest of it, keyed with DJANGO_SECRET_KEY, the same for every spelling of one name.
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

#: What a person or the shop did in the usual way; all else is a warning.
_USUAL = {"login_ok", "session_ended_all", "staff_did"}


def record(event: str, *, user: Any = None, name: str = "", **more: Any) -> None:
    """Log an event now. ``user`` is a person's number, ``name`` what was typed instead.

    ``more`` is not to hold anything secret. Never raises.
    """
    fields = {
        "event": event,
        "user": "-" if user is None else user,
        "who": digest(name) if name else "-",
        **more,
        "address": client_address.get(),
    }
    told = " ".join(f"{key}={value}" for key, value in fields.items() if key != "event")
    level = logging.INFO if event in _USUAL else logging.WARNING
    logger.log(level, "%s %s", event, told, extra=fields)


def record_on_commit(event: str, *, user: Any = None, **more: Any) -> None:
    """Log an event once it is committed: what was taken back did not happen."""
    transaction.on_commit(partial(record, event, user=user, **more), robust=True)


def digest(name: str) -> str:
    """12 letters that stand for a name that was typed; the same for all its spellings."""
    text = normalise_email(name).lower()
    return salted_hmac("accounts.security_log", text, algorithm="sha256").hexdigest()[:12]


def record_log_in(sender: Any, user: Any, **kwargs: Any) -> None:
    """Receiver of ``user_logged_in``: the API and the admin send it, once all asked was given."""
    record("login_ok", user=user.pk)
