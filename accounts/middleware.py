"""Ends cookie sessions of the admin that were idle or have lasted too long."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import sessions
from .models import Session, User


class CookieSessionMiddleware:
    """Signs out users whose session has ended. One query, or none without a cookie.

    Placed after Django's SessionMiddleware and AuthenticationMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = None
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            row = request.session.get(sessions.ROW_KEY, 0)
            owner = request.session[SESSION_KEY]
            session = Session.objects.live(timezone.now()).filter(pk=row, user=owner).first()
            if session is None:
                logout(request)
        response = self.get_response(request)
        if session is not None and response.status_code < 400:
            _extend_staff_session(request, session)
        return response


def _extend_staff_session(request: HttpRequest, session: Session) -> None:
    """Extend the session of staff after a successful request."""
    user = request.user
    is_due = session.last_used_at <= timezone.now() - sessions.TOUCH_INTERVAL
    if is_due and isinstance(user, User) and user.is_staff and user.pk == session.user_id:
        sessions.renew(session, user, sessions.Origin.of(request))
