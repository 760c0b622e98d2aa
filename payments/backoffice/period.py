"""The period of the dashboard: one of a few choices, or a chosen first and last day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

from accounts.backoffice.formats import write_day

#: The default period.
DEFAULT = "7"
CHOICES = {
    "today": "Today",
    "7": "7 days",
    "30": "30 days",
    "month": "This month",
    "last_month": "Last month",
}
OWN = "own"
#: The longest period, since the sums are read row by row.
DAYS_AT_MOST = 92


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in Nairobi, from the first to the last; ``now`` is the time of the request."""

    now: datetime
    first: date
    last: date
    key: str = OWN

    @property
    def since(self) -> datetime:
        return _midnight(self.first)

    @property
    def until(self) -> datetime:
        """The first moment after the period."""
        return _midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """Every day, in order."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def today(self) -> date:
        return timezone.localtime(self.now).date()

    @property
    def words(self) -> str:
        """The period as text: ``24 Nov 2026``, or ``18 Nov 2026 to 24 Nov 2026``."""
        first, last = write_day(self.first), write_day(self.last)
        return first if self.first == self.last else f"{first} to {last}"

    @property
    def query(self) -> str:
        """The query string that selects this period."""
        own = {"since": self.first.isoformat(), "until": self.last.isoformat()}
        return urlencode({"period": self.key, **(own if self.key == OWN else {})})

    def span(self, column: str, day: date | None = None) -> dict[str, datetime]:
        """A filter on a datetime column for the whole period, or for one day of it."""
        first = day or self.first
        last = day or self.last
        after = _midnight(last + timedelta(days=1))
        return {f"{column}__gte": _midnight(first), f"{column}__lt": after}


#: The browser's own date field, which reads and writes ISO dates.
_DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PeriodForm(forms.Form):
    """A chosen first and last day: not in the future, and at most DAYS_AT_MOST days."""

    since = forms.DateField(label="From", widget=_DAY)
    until = forms.DateField(label="To", widget=_DAY)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("since"), given.get("until")
        if first and last:
            if last > self.today:
                self.add_error("until", "This day is in the future.")
            elif first > last:
                self.add_error("until", "The last day is before the first.")
            elif (last - first).days >= DAYS_AT_MOST:
                self.add_error("since", f"Choose at most {DAYS_AT_MOST} days.")
        return given


def offered(key: str, now: datetime) -> Period:
    """One of the periods in ``CHOICES``."""
    today = timezone.localtime(now).date()
    month = today.replace(day=1)
    month_end = month - timedelta(days=1)
    first, last = {
        "today": (today, today),
        "7": (today - timedelta(days=6), today),
        "30": (today - timedelta(days=29), today),
        "month": (month, today),
        "last_month": (month_end.replace(day=1), month_end),
    }[key]
    return Period(now, first, last, key)


def read_period(asked: Mapping[str, Any], now: datetime) -> tuple[Period, PeriodForm]:
    """Read the period from a query string. Also returns the form of chosen days, with its errors.

    The default period if none or an unknown one is given, or if the chosen days are invalid.
    """
    today = timezone.localtime(now).date()
    if asked.get("period") != OWN:
        key = asked.get("period")
        period = offered(key if key in CHOICES else DEFAULT, now)
        shown = {"since": period.first, "until": period.last}
        return period, PeriodForm(initial=shown, today=today, auto_id="period-%s")
    form = PeriodForm(asked, today=today, auto_id="period-%s")
    if not form.is_valid():
        return offered(DEFAULT, now), form
    return Period(now, form.cleaned_data["since"], form.cleaned_data["until"]), form


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
