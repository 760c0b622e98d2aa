"""Lock-out after too many wrong passwords: settings of django-axes call these."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from .validators import normalise_email


def lockout_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name that failures are counted under: ``Amina`` and ``amina`` are one.

    So are all forms in which a name is understood: each would have its own five tries otherwise.
    """
    return normalise_email(str((credentials or {}).get("username") or "")).lower()


def answer_lockout(
    request: HttpRequest,
    original_response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> JsonResponse:
    """Answer 429 with ``Retry-After`` after too many failures."""
    seconds = math.ceil(settings.AXES_COOLOFF_TIME.total_seconds())
    return JsonResponse(
        {
            "detail": f"Too many failed attempts. Try again in {seconds // 60} minutes.",
            "code": "locked_out",
        },
        status=429,
        headers={"Retry-After": str(seconds)},
    )


def forget_attempts(now: datetime) -> int:
    """Delete what is known of old failures to sign in: name, address, device. Safe to repeat."""
    before = now - timedelta(days=settings.KEEP_ATTEMPTS_DAYS)
    return int(AccessAttempt.objects.filter(attempt_time__lt=before).delete()[0])
