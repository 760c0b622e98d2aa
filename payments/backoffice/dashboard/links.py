"""Labels of days, and links to the admin lists behind the panels' numbers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from payments.backoffice.period import Period


def changelist_url(
    name: str, filters: dict[str, Any], span: dict[str, datetime] | None = None
) -> str:
    """The admin list of the rows that match these filters, within a period if one is given."""
    times = {column: timezone.localtime(at).isoformat() for column, at in (span or {}).items()}
    return f"{reverse(name)}?{urlencode({**filters, **times})}"


def day_label(day: date, period: Period) -> str:
    return f"{day:%-d %b}{so_far(day, period)}"


def so_far(day: date, period: Period) -> str:
    return ", so far" if day == period.today else ""
