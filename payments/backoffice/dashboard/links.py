"""How the panels write days, and link to the lists behind their numbers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from payments.backoffice.period import Period


def changelist_url(
    name: str, asked: dict[str, Any], span: dict[str, datetime] | None = None
) -> str:
    """The admin's list that holds the rows behind a number."""
    times = {column: timezone.localtime(at).isoformat() for column, at in (span or {}).items()}
    return f"{reverse(name)}?{urlencode({**asked, **times})}"


def day_label(day: date, period: Period) -> str:
    return f"{day:%-d %b}{so_far(day == period.today)}"


def so_far(is_today: bool) -> str:
    return ", so far" if is_today else ""
