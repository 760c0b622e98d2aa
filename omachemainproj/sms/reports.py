"""Delivery reports of Africa's Talking: what became of an SMS it had taken.

Source: http://docs.africastalking.com/sms/deliveryreports (the form's fields, the statuses and
which of them are final). Statuses of newer pages that end a message are read as failures too.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from omachemainproj.phones import normalise_phone

#: By the provider's word for it, in small letters: ours, and why where the word itself says it.
_STATUSES = {
    "sent": ("sent", ""),
    "submitted": ("submitted", ""),
    "buffered": ("buffered", ""),
    "success": ("success", ""),
    "rejected": ("rejected", ""),
    "failed": ("failed", ""),
    "absentsubscriber": ("failed", "AbsentSubscriber"),
    "expired": ("failed", "Expired"),
}
#: More fields than a report has.
_MOST_FIELDS = 20


class UnreadableReport(ValueError):
    """It is no delivery report. Its text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a provider says of one SMS: the id it gave it, and a ``ReportedStatus``.

    ``phone`` is 12 digits, "" where the report names none that can be read; ``reason`` is the
    provider's own word for why it was not delivered.
    """

    provider_id: str
    status: str
    reason: str
    phone: str


def read_report(body: bytes) -> DeliveryReport:
    """Read a form as it was posted. Raises UnreadableReport."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS, keep_blank_values=True)
    except ValueError as error:
        raise UnreadableReport("It is no form.") from error
    provider_id, word = _one(fields, "id"), _one(fields, "status")
    if not provider_id or len(provider_id) > 64:
        raise UnreadableReport("It names no message.")
    known = _STATUSES.get(word.lower())
    if known is None:
        raise UnreadableReport(f"{word[:30]!r} is no status that is known.")
    status, reason = known
    return DeliveryReport(
        provider_id=provider_id,
        status=status,
        reason=reason or _one(fields, "failureReason")[:60],
        phone=_phone(_one(fields, "phoneNumber")),
    )


def _one(fields: dict[str, list[str]], name: str) -> str:
    """The one value of a field as a printable line; empty where it is not there."""
    values = fields.get(name, [])
    if len(values) > 1:
        raise UnreadableReport(f"It says {name} more than once.")
    text = values[0] if values else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _phone(shown: str) -> str:
    try:
        # A form turns the + of a number that was not escaped into a space.
        return normalise_phone(shown) if shown else ""
    except ValueError:
        return ""
