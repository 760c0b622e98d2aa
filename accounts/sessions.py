"""Sessions: where a user is signed in, since when, and until when at the latest.

A log-in opens one, and all its tokens or its cookie refer to it. When it ends, all of them are
refused at the next request. It ends by signing out, by idleness, or at its maximum age, however
often its tokens are renewed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from omachemainproj.batches import delete_in_batches

from .models import Session, SessionKind, User

#: The key in Django's session (of the admin) that holds the id of its row.
ROW_KEY = "session_row"
#: The use of a session is recorded at most this often.
TOUCH_INTERVAL = timedelta(minutes=1)

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS", "Opera"),
    ("Opera Mini", "Opera Mini"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("okhttp", "an Android app"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z0-9._-]{1,40}")


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request: its network address and a short device description."""

    address: str | None = None
    device: str = ""

    @classmethod
    def of(cls, request: HttpRequest | Request) -> Origin:
        """The origin of a request; EdgeMiddleware has set the client's own address."""
        return cls(
            address=request.META.get("REMOTE_ADDR") or None,
            device=describe_device(request.META.get("HTTP_USER_AGENT", "")),
        )


def describe_device(user_agent: str) -> str:
    """Browser and system, like ``Chrome on Android``, as far as known.

    The header itself, which can identify a device, is not stored.
    """
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    product = _PRODUCT.match(user_agent)
    return browser or system or (product.group() if product else "")


def max_age(user: User) -> timedelta:
    """The maximum age of this user's sessions, however often they are renewed."""
    if user.is_staff:
        return timedelta(hours=settings.STAFF_SESSION_MAX_HOURS)
    return timedelta(days=settings.SESSION_MAX_DAYS)


def idle_timeout(user: User) -> timedelta:
    """The idle time after which this user's sessions end."""
    if user.is_staff:
        return timedelta(minutes=settings.STAFF_SESSION_IDLE_MINUTES)
    return timedelta(days=settings.SESSION_IDLE_DAYS)


def open_session(
    user: User,
    *,
    kind: SessionKind = SessionKind.API,
    origin: Origin | None = None,
    started_at: datetime | None = None,
) -> Session:
    """Open a session; ``started_at`` is given for log-ins older than sessions."""
    now = timezone.now()
    began = started_at or now
    origin = origin or Origin()
    return Session.objects.create(
        user=user,
        kind=kind,
        started_at=began,
        last_used_at=now,
        expires_at=expiry(user, started_at=began, used_at=now),
        address=origin.address,
        device=origin.device,
    )


def renew(session: Session, user: User, origin: Origin | None) -> None:
    """Record the use of a session, and its origin."""
    now = timezone.now()
    session.last_used_at = now
    session.expires_at = expiry(user, started_at=session.started_at, used_at=now)
    changes: dict[str, Any] = {"last_used_at": now, "expires_at": session.expires_at}
    if origin is not None:
        changes |= {"address": origin.address, "device": origin.device}
    Session.objects.live(now).filter(pk=session.pk).update(**changes)


def end(sessions: Any) -> int:
    """End these sessions; returns how many were still open. Safe to repeat."""
    return int(sessions.filter(ended_at__isnull=True).update(ended_at=timezone.now()))


def expiry(user: User, *, started_at: datetime, used_at: datetime) -> datetime:
    """When a session of this user ends if it is not used again after ``used_at``."""
    return min(used_at + idle_timeout(user), started_at + max_age(user))


def open_with_cookie(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Receiver of ``user_logged_in``: open a session for a log-in by cookie (the admin).

    The API sends the signal too, without a cookie.
    """
    store = getattr(request, "session", None)
    if store is not None and SESSION_KEY in store and ROW_KEY not in store:
        origin = Origin.of(request) if request is not None else None
        store[ROW_KEY] = open_session(user, kind=SessionKind.ADMIN, origin=origin).pk


def reopen_with_cookie(request: HttpRequest, user: User) -> None:
    """Keep the session of this request after all the user's sessions were ended."""
    request.session.pop(ROW_KEY, None)
    open_with_cookie(User, request, user)


def end_with_cookie(
    sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any
) -> None:
    """Receiver of ``user_logged_out``: end the cookie's session."""
    row = getattr(request, "session", {}).get(ROW_KEY)
    if row is not None:
        end(Session.objects.filter(pk=row))


def delete_old_sessions(now: datetime) -> int:
    """Delete sessions, with their addresses and devices, KEEP_SESSIONS_DAYS after they expire.

    Their tokens have expired by then. Safe to repeat and to run concurrently.
    """
    before = now - timedelta(days=settings.KEEP_SESSIONS_DAYS)
    return delete_in_batches(Session.objects.over_before(before))
