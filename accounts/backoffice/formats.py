"""The admin's formats of money, phones, times and statuses, the same on all pages.

Also available in templates as filters and tags: ``{% load formats %}``.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from omachemainproj.money import format_kes
from omachemainproj.phones import write_phone

_NUMBER = re.compile(r"(?<![\w+])254[17][0-9]{8}(?!\w)")

#: Shown for an empty value.
EMPTY_VALUE = "–"


class Tone(StrEnum):
    """The kind of a status, for a badge's colour and sign."""

    GOOD = "good"
    BAD = "bad"
    #: In progress, or waiting for somebody.
    OPEN = "open"
    #: Finished, neither good nor bad.
    QUIET = "quiet"


#: Shown before a badge's text, so that nobody has to rely on its colour.
_SIGNS = {Tone.GOOD: "✓", Tone.BAD: "!", Tone.OPEN: "…", Tone.QUIET: ""}


def kes(amount: int | Decimal | None) -> str:
    """Whole shillings: ``KES 1,234``; negative: ``−KES 1,234``. A dash for None."""
    if amount is None:
        return EMPTY_VALUE
    whole = int(amount)
    return f"−{format_kes(-whole)}" if whole < 0 else format_kes(whole)


def dial(phone: str | None) -> str:
    """A Kenyan number as people dial it, ``0712 345 678``; anything else unchanged."""
    return write_phone(str(phone or ""))


def dial_in(text: Any) -> str:
    """A text with its phone numbers written as people dial them."""
    return _NUMBER.sub(lambda found: write_phone(found[0]), str(text))


def phone_link(phone: str | None) -> str | SafeString:
    """A number as a link to call it, written as people dial it; text if it is not a full number."""
    shown = dial(phone)
    if shown == (phone or ""):
        return shown or EMPTY_VALUE
    return format_html('<a class="shop-phone" href="tel:+{}">{}</a>', phone, shown)


def write_moment(at: datetime) -> str:
    """A time in Nairobi: ``29 Nov 2026, 09:20``."""
    return f"{timezone.localtime(at):%-d %b %Y, %H:%M}"


def write_day(day: date) -> str:
    """A date: ``29 Nov 2026``."""
    return f"{day:%-d %b %Y}"


def moment(at: datetime | None) -> str | SafeString:
    """A time in Nairobi as a ``<time>`` element. A dash for None."""
    if at is None:
        return EMPTY_VALUE
    there = timezone.localtime(at)
    written = write_moment(at)
    return format_html(
        '<time datetime="{}">{}</time>', there.isoformat(timespec="seconds"), written
    )


def badge(words: Any, tone: Tone | str) -> SafeString:
    """A status as a badge of words, a sign and a colour (omachemainproj/admin.css)."""
    tone = Tone(tone)
    text = str(words)
    shown = f"{text[:1].upper()}{text[1:]}"
    sign = _SIGNS[tone]
    if not sign:
        return format_html('<span class="shop-badge shop-{}">{}</span>', tone, shown)
    return format_html(
        '<span class="shop-badge shop-{}"><span aria-hidden="true">{}</span> {}</span>',
        tone,
        sign,
        shown,
    )


#: Tones of the values in ``STATUS_COLUMNS``; a value has the same tone in all of them.
_TONES = {
    Tone.GOOD: ("paid", "delivered", "confirmed", "done", "sent", "applied"),
    Tone.BAD: ("failed", "refused", "doubted", "never_came", "unreadable", "refund_due"),
    Tone.OPEN: (
        *("requested", "created", "fetched", "shipping", "due", "unknown", "submitted", "new"),
        *("checking", "told", "open", "returning", "unmatched"),
    ),
    Tone.QUIET: (
        "cancelled",
        "expired",
        "refunded",
        "dropped",
        "rejected",
        "closed",
        "aside",
        "payout",
        "refund",
    ),
}
TONE_OF = {value: tone for tone, values in _TONES.items() for value in values}
#: Exceptions, by column and value: the goods of a paid line are still to be fetched.
_TONE_EXCEPTIONS = {("track_status", "paid"): Tone.OPEN}
#: Columns with a row's status.
STATUS_COLUMNS = frozenset({"payment_status", "track_status", "status", "state", "verification"})


def status_badge(row: Any, column: str) -> SafeString:
    """A status column of a row as a badge with its choice's label."""
    value = getattr(row, column)
    return badge(
        getattr(row, f"get_{column}_display")(),
        _TONE_EXCEPTIONS.get((column, value), TONE_OF[value]),
    )
