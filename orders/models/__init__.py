"""Orders and their lines, and the notifications about them."""

from .notifications import Message, MessageChannel, MessageState, Notice, NotificationKind
from .orders import (
    CODE_SHOWN,
    NEXT_PAYMENT_STATUSES,
    OFF,
    PHONE_SHOWN,
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    CancelledBy,
    Order,
    OrderTrack,
    OrderTrackQuerySet,
    PaymentStatus,
    TrackEvent,
    TrackStatus,
    new_collection_code,
    new_reference,
)

__all__ = [
    "CODE_SHOWN",
    "NEXT_PAYMENT_STATUSES",
    "OFF",
    "PHONE_SHOWN",
    "REFERENCE_ALPHABET",
    "REFERENCE_LENGTH",
    "CancelledBy",
    "Message",
    "MessageChannel",
    "MessageState",
    "Notice",
    "NotificationKind",
    "Order",
    "OrderTrack",
    "OrderTrackQuerySet",
    "PaymentStatus",
    "TrackEvent",
    "TrackStatus",
    "new_collection_code",
    "new_reference",
]
