"""Deletes personal data of buyers after their orders are over (docs/privacy.md).

The duties are safe to repeat and to run concurrently: each statement changes a batch of rows, and
only those that still match.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Right

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
    old = Order.objects.filter(
        created_at__lt=before, payment_status__in=_FINISHED_STATUSES
    ).exclude(mpesa_number__startswith=MASK[0])
    over = old.filter(~Exists(unfinished), ~Exists(recent))
    # Deliveries first: they are found by their orders' phones, which are masked last.
    _change_in_batches(
        OrderDelivery.objects.filter(order__in=over).exclude(phone__startswith=MASK[0]),
        recipient="",
        phone=Concat(Value(MASK), Right("phone", 3)),
        area="",
        directions="",
    )
    return _change_in_batches(over, mpesa_number=Concat(Value(MASK), Right("mpesa_number", 3)))


def forget_messages(now: datetime) -> int:
    """Delete texts and contacts of old messages. Returns how many.

    Their kind and times stay. Messages that staff may still send again are kept. Old in-app
    notifications and SMS reports are deleted, and not counted.
    """
    before = now - timedelta(days=settings.KEEP_MESSAGES_DAYS)
    _delete_in_batches(SmsReport.objects.filter(reported_at__lt=before))
    _delete_in_batches(InboxNotice.objects.filter(created_at__lt=before))
    old = Message.objects.filter(created_at__lt=before, state=MessageState.SENT).exclude(text="")
    by_sms = old.filter(channel=MessageChannel.SMS)
    done = _change_in_batches(
        by_sms, text="", subject="", contact=Concat(Value(MASK), Right("contact", 3))
    )
    return done + _change_in_batches(
        old.filter(channel=MessageChannel.EMAIL), text="", subject="", contact=""
    )


def _delete_in_batches(rows: QuerySet) -> None:
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model.objects.filter(pk__in=batch).delete()


def forget_problem_pictures(now: datetime) -> int:
    """Delete the pictures of problems closed KEEP_MESSAGES_DAYS ago. Returns how many.

    The messages stay, because decisions about money were based on them.
    """
    before = now - timedelta(days=settings.KEEP_MESSAGES_DAYS)
    old = ProblemPicture.objects.filter(message__problem__closed_at__lt=before)
    done = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        done += ProblemPicture.objects.filter(pk__in=batch).delete()[0]
    return done


def _change_in_batches(rows: QuerySet, **changes: object) -> int:
    done, last = 0, 0
    while batch := list(
        rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        # Filter again: another process may have changed them, and nothing is masked twice.
        done += rows.filter(pk__in=batch).update(**changes)
        last = batch[-1]
    return done
