"""What was agreed, and what people are told of it."""

from .notifications import Channel, Kind, Message, MessageState, Notice
from .orders import (
    CODE_SHOWN,
    NEXT_PAYMENT_STATUSES,
    PHONE_SHOWN,
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    Order,
    OrderTrack,
    PaymentStatus,
    TrackEvent,
    TrackStatus,
    new_collection_code,
    new_reference,
)

__all__ = [
    "CODE_SHOWN",
    "NEXT_PAYMENT_STATUSES",
    "PHONE_SHOWN",
    "REFERENCE_ALPHABET",
    "REFERENCE_LENGTH",
    "Channel",
    "Kind",
    "Message",
    "MessageState",
    "Notice",
    "Order",
    "OrderTrack",
    "PaymentStatus",
    "TrackEvent",
    "TrackStatus",
    "new_collection_code",
    "new_reference",
]
