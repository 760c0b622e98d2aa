"""The days that the dashboard is about: a few that are offered, or one's own first and last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

from accounts.backoffice.formats import write_day

#: What is shown unless somebody chooses.
USUAL = "7"
CHOICES = {"today": "Today", "7": "7 days", "30": "30 days", "month": "This month"}
OWN = "own"
#: As many days can be asked for at once: what is summed is read row by row.
DAYS_AT_MOST = 92


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of Nairobi's, from the first to the last; ``now`` is when it is looked at."""

    now: datetime
    first: date
    last: date
    key: str = OWN

    @property
    def since(self) -> datetime:
        return _midnight(self.first)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """Each day, the first one first."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def today(self) -> date:
        return timezone.localtime(self.now).date()

    @property
    def words(self) -> str:
        """What it is called: ``24 Nov 2026``, or ``18 Nov 2026 to 24 Nov 2026``."""
        first, last = write_day(self.first), write_day(self.last)
        return first if self.first == self.last else f"{first} to {last}"

    @property
    def query(self) -> str:
        """What an address says to have this period again."""
        own = {"since": self.first.isoformat(), "until": self.last.isoformat()}
        return urlencode({"period": self.key, **(own if self.key == OWN else {})})

    def span(self, column: str, day: date | None = None) -> dict[str, datetime]:
        """The filter of a column of times for the whole period, or for one day of it."""
        first = day or self.first
        last = day or self.last
        after = _midnight(last + timedelta(days=1))
        return {f"{column}__gte": _midnight(first), f"{column}__lt": after}


#: A field of the browser's own, which reads and writes ISO.
_DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PeriodForm(forms.Form):
    """One's own first and last day; neither after today, and no more than 92 days."""

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
                self.add_error("until", "That day has not come yet.")
            elif first > last:
                self.add_error("until", "The last day is before the first.")
            elif (last - first).days >= DAYS_AT_MOST:
                self.add_error("since", f"{DAYS_AT_MOST} days at most.")
        return given


def offered(key: str, now: datetime) -> Period:
    """One of the periods in ``CHOICES``."""
    today = timezone.localtime(now).date()
    first = {
        "today": today,
        "7": today - timedelta(days=6),
        "30": today - timedelta(days=29),
        "month": today.replace(day=1),
    }[key]
    return Period(now, first, today, key)


def read_period(asked: Mapping[str, Any], now: datetime) -> tuple[Period, PeriodForm]:
    """The period an address asks for, and the form of one's own days, with what is wrong in it.

    The usual one where the address asks for none, or for one that there is not.
    """
    today = timezone.localtime(now).date()
    if asked.get("period") != OWN:
        key = asked.get("period")
        period = offered(key if key in CHOICES else USUAL, now)
        shown = {"since": period.first, "until": period.last}
        return period, PeriodForm(initial=shown, today=today, auto_id="period-%s")
    form = PeriodForm(asked, today=today, auto_id="period-%s")
    if not form.is_valid():
        return offered(USUAL, now), form
    return Period(now, form.cleaned_data["since"], form.cleaned_data["until"]), form


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
