"""What is kept of buyers after their orders are over, and for how long (docs/privacy.md).

The duties are safe to run anywhere, twice, at once: each statement changes rows that are still as
they were found, a batch at a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Right

from omachemainproj.phones import MASK

from .models import Order, OrderDelivery, OrderTrack, PaymentStatus, ProblemPicture
from .models.notifications import InboxNotice, Message, MessageChannel, MessageState, SmsReport

#: Rows a statement changes at most, so that none holds the table for long.
BATCH = 500
_FINISHED_STATUSES = (
    PaymentStatus.PAID,
    PaymentStatus.CANCELLED,
    PaymentStatus.EXPIRED,
    PaymentStatus.REFUNDED,
)


def mask_old_phones(now: datetime) -> int:
    """Keep three digits of the phones of orders that are long over. Returns how many orders.

    Who took the goods in, and where, is forgotten with it; the county and the point stay.

    Not while money is to come or to go back, or goods are to be handed over. A later refund goes
    to the phone that paid, which payments keep.
    """
    before = now - timedelta(days=settings.KEEP_PHONES_DAYS)
    unfinished = OrderTrack.objects.to_fulfil().filter(order=OuterRef("pk"))
    recent = OrderTrack.objects.filter(order=OuterRef("pk"), updated_at__gte=before)
    old = Order.objects.filter(
        created_at__lt=before, payment_status__in=_FINISHED_STATUSES
    ).exclude(mpesa_number__startswith=MASK[0])
    over = old.filter(~Exists(unfinished), ~Exists(recent))
    # First what is found by the orders' phones, which are masked last.
    _change_in_batches(
        OrderDelivery.objects.filter(order__in=over).exclude(phone__startswith=MASK[0]),
        recipient="",
        phone=Concat(Value(MASK), Right("phone", 3)),
        area="",
        directions="",
    )
    return _change_in_batches(over, mpesa_number=Concat(Value(MASK), Right("mpesa_number", 3)))


def forget_messages(now: datetime) -> int:
    """Forget what old messages said and where they went. Returns how many.

    That one was sent, when and about what stays. Those a person may still send again stay whole.
    What waited in the app so long is deleted, and what was reported of SMS, and not counted.
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
    """Delete the pictures of problems that ended as long ago. Returns how many.

    What was said stays: by it money was decided about.
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
        # Asked again, since another process may have changed them: nothing is masked twice.
        done += rows.filter(pk__in=batch).update(**changes)
        last = batch[-1]
    return done
