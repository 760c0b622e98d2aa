"""Deletes personal data of buyers after their orders are over (docs/privacy.md).

The duties are safe to repeat and to run concurrently: each statement changes a batch of rows, and
only those that still match.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Right

from omachemainproj.batches import delete_in_batches
from omachemainproj.phones import MASK

from .models import Order, OrderDelivery, OrderTrack, PaymentStatus, ProblemPicture
from .models.notifications import InboxNotice, Message, MessageChannel, MessageState, SmsReport

#: Maximum number of rows per statement, to keep locks short.
BATCH = 500
_FINISHED_STATUSES = (
    PaymentStatus.PAID,
    PaymentStatus.CANCELLED,
    PaymentStatus.EXPIRED,
    PaymentStatus.REFUNDED,
)


def mask_old_phones(now: datetime) -> int:
    """Mask all but three digits of the phones of old orders. Returns how many orders.

    The recipient and the address are deleted, too; the county and the pick-up point stay.

    Not while a payment, a refund or a delivery is outstanding. A later refund goes to the phone
    that paid, which payments keep.
    """
    before = now - timedelta(days=settings.KEEP_PHONES_DAYS)
    unfinished = OrderTrack.objects.to_fulfil().filter(order=OuterRef("pk"))
    recent = OrderTrack.objects.filter(order=OuterRef("pk"), updated_at__gte=before)
    # Digits sort between "0" and "a": so the index by phone leads to orders that are not masked
    # yet, however many there have been. Some collations pass over the mask as if it were not there.
    phones = Order.objects.filter(mpesa_number__gte="0", mpesa_number__lt="a")
    unmasked = phones.exclude(mpesa_number__startswith=MASK[0])
    over = unmasked.filter(
        ~Exists(unfinished),
        ~Exists(recent),
        created_at__lt=before,
        payment_status__in=_FINISHED_STATUSES,
    ).order_by("mpesa_number")
    done = 0
    while batch := list(over.values_list("pk", flat=True)[:BATCH]):
        # Deliveries first: they are found by their orders' phones.
        deliveries = OrderDelivery.objects.filter(order__in=batch)
        deliveries.exclude(phone__startswith=MASK[0]).update(
            recipient="",
            phone=Concat(Value(MASK), Right("phone", 3)),
            area="",
            directions="",
        )
        # Filter again: another process may have masked them.
        done += over.filter(pk__in=batch).update(
            mpesa_number=Concat(Value(MASK), Right("mpesa_number", 3))
        )
    return done


def delete_old_messages(now: datetime) -> int:
    """Delete texts and contacts of old messages. Returns how many.

    Their kind and times stay. Messages that staff may still send again are kept. Old in-app
    notifications and SMS reports are deleted, and not counted.
    """
    before = now - timedelta(days=settings.KEEP_MESSAGES_DAYS)
    _delete_in_batches(SmsReport, "reported_at", before=before)
    _delete_in_batches(InboxNotice, "created_at", before=before)
    old = Message.objects.filter(created_at__lt=before, state=MessageState.SENT).exclude(text="")
    by_sms = old.filter(channel=MessageChannel.SMS)
    done = _clear_in_batches(by_sms, contact=Concat(Value(MASK), Right("contact", 3)))
    return done + _clear_in_batches(old.filter(channel=MessageChannel.EMAIL), contact="")


def _clear_in_batches(messages: QuerySet[Message], **contact: object) -> int:
    done = 0
    # By time, as the index of those that still have a text is.
    oldest = messages.order_by("created_at").values_list("pk", flat=True)
    while batch := list(oldest[:BATCH]):
        # Filter again: another process may have changed them, and nothing is masked twice.
        done += messages.filter(pk__in=batch).update(text="", subject="", **contact)
    return done


def _delete_in_batches(model: type[Model], time: str, *, before: datetime) -> None:
    old = model._default_manager.filter(**{f"{time}__lt": before})
    delete_in_batches(old.order_by(time))


def delete_old_problem_pictures(now: datetime) -> int:
    """Delete the pictures of problems closed KEEP_MESSAGES_DAYS ago. Returns how many.

    The messages stay, because decisions about money were based on them.
    """
    before = now - timedelta(days=settings.KEEP_MESSAGES_DAYS)
    old = ProblemPicture.objects.filter(message__problem__closed_at__lt=before)
    return delete_in_batches(old)
