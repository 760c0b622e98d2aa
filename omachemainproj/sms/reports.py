"""Delivery reports from Africa's Talking: the outcome of an SMS it accepted.

Source: http://docs.africastalking.com/sms/deliveryreports (the form's fields, the statuses and
which of them are final). Final statuses documented later count as failures too.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from omachemainproj.phones import normalise_phone

#: By the provider's status in lower case: ours, and the reason if the status itself is one.
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
    """Not a delivery report. Its text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A provider's report about one SMS: the provider's id of it, and a ``ReportedStatus``.

    ``phone`` is 12 digits, "" if the report has no readable number; ``reason`` is the provider's
    own word for why it was not delivered.
    """

    provider_id: str
    status: str
    reason: str
    phone: str


def read_report(body: bytes) -> DeliveryReport:
    """Read a posted form. Raises UnreadableReport."""
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
    """The single value of a field as a printable line; empty if it is missing."""
    values = fields.get(name, [])
    if len(values) > 1:
        raise UnreadableReport(f"It says {name} more than once.")
    text = values[0] if values else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _phone(shown: str) -> str:
    try:
        # In a form an unescaped + becomes a space, which normalise_phone ignores.
        return normalise_phone(shown) if shown else ""
    except ValueError:
        return ""
