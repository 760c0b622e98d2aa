"""Messages posted to the webhook, stored as received."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone

from omachemainproj.compiled_queries import Update, compiled_update
from omachemainproj.ip_addresses import is_listed
from payments.banks import registered_banks

from .order_payments import OrderPayment
from .payouts import Payout
from .receipts import Provider, Receipt
from .refunds import Refund


class Source(models.TextChoices):
    """The webhook endpoint a message came to; for a bank's endpoint, the bank's key."""

    #: Kept as "prompt" from the time when only prompts had addresses.
    CALLBACK = "prompt", "address of a prompt, refund or payout"
    C2B = "c2b", "address for pay bill payments"
    STATEMENT = "statement", "row of M-Pesa's statement"


def source_choices() -> list[tuple[str, str]]:
    """All endpoints: key, and label for staff."""
    banks = [(bank.key, f"{bank.name}'s address") for bank in registered_banks()]
    *addresses, no_address = Source.choices
    return [*addresses, *banks, no_address]


class EventState(models.TextChoices):
    NEW = "new", "not processed yet"  # stored
    APPLIED = "applied", "processed"  # or found to change nothing
    CHECKING = (
        "checking",
        "being verified with M-Pesa",
    )  # not trusted alone: the status query decides
    UNMATCHED = "unmatched", "matches nothing"  # readable
    UNREADABLE = "unreadable", "unreadable"  # in an unknown format; kept for staff
    FAILED = "failed", "processing failed"  # repeatedly: staff must look
    ASIDE = "aside", "set aside"  # reviewed by staff, no action needed


#: Readable or not, they match nothing the shop knows.
NOT_UNDERSTOOD = (EventState.UNMATCHED, EventState.UNREADABLE)


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def to_process(self) -> GatewayEventQuerySet:
        """Messages that are not processed yet, oldest first."""
        return self.filter(state=EventState.NEW).order_by("pk")

    def untrusted_of(self, payment: int) -> GatewayEventQuerySet:
        """Messages about this attempt that are not trusted: M-Pesa is still queried about them.

        By the beginning of the state: with ``=`` PostgreSQL's planner would choose the partial
        index of waiting messages, and search those of all attempts.
        """
        return self.filter(payment=payment, state__startswith=EventState.CHECKING)

    def broken(self, *, c2b_token: str) -> GatewayEventQuerySet:
        """Messages staff must look at: those that failed, and unclear ones about money.

        Anything posted to the pay bill's secret endpoint (``c2b_token``) or by a bank is about
        incoming money. What strangers post elsewhere is not: see ``unsolicited()``.
        """
        from_pay_bill = Q(source=Source.C2B, token=c2b_token) & ~Q(token="")
        return self.filter(
            Q(state=EventState.FAILED)
            | Q(from_pay_bill, state__in=NOT_UNDERSTOOD)
            | Q(~Q(source__in=Source.values), state__in=NOT_UNDERSTOOD)
        )

    def now_applicable(self) -> GatewayEventQuerySet:
        """Reversals that were reported before their payments, which are recorded by now."""
        recorded = Receipt.objects.numbered(Provider.MPESA, OuterRef("awaited"))
        waiting = self.filter(state__in=(EventState.FAILED, EventState.ASIDE)).exclude(awaited="")
        return waiting.filter(Exists(recorded))

    def first_received(self, event: GatewayEvent) -> datetime:
        """When the first of these messages with the same bytes was received.

        M-Pesa delivers some messages twice, and staff may process one again: what it says was known
        from then on. Messages of one row, as no index has the bytes.
        """
        same = self.filter(sha256=event.sha256, pk__lt=event.pk)
        first: datetime | None = same.aggregate(first=Min("received_at"))["first"]
        return first or event.received_at

    def unsolicited(self) -> GatewayEventQuerySet:
        """Messages to callback addresses that match nothing of ours: anyone can post them."""
        return self.filter(source=Source.CALLBACK, state__in=NOT_UNDERSTOOD)


class GatewayEvent(models.Model):
    """A message posted to the webhook, stored as raw bytes before it is parsed.

    UNTRUSTED. ``state`` and ``note`` record the outcome; nothing else ever changes.
    """

    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=9, choices=source_choices, default=Source.CALLBACK)
    #: The secret part of the URL it came to; empty for the bare URL.
    token = models.CharField(max_length=64, blank=True)
    remote_address = models.GenericIPAddressField(null=True)
    headers = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)
    payment = models.ForeignKey(
        OrderPayment, null=True, on_delete=models.PROTECT, related_name="events"
    )
    receipt = models.ForeignKey(Receipt, null=True, on_delete=models.PROTECT, related_name="events")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="events")
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="events")
    state = models.CharField(max_length=10, choices=EventState, default=EventState.NEW)
    note = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    #: The receipt number of a payment that is not recorded, and that this reverses: it is processed
    #: again once the payment is. Empty for every other message.
    awaited = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)

    objects = GatewayEventQuerySet.as_manager()

    class Meta:
        verbose_name = "gateway message"
        verbose_name_plural = "gateway messages"
        indexes = [
            models.Index(
                fields=["id"],
                name="event_to_apply",
                condition=Q(state__in=[EventState.NEW, EventState.CHECKING]),
            ),
            models.Index(
                fields=["id"],
                name="event_for_a_person",
                condition=Q(state=EventState.FAILED)
                | Q(~Q(source__in=[Source.CALLBACK, Source.STATEMENT]), state__in=NOT_UNDERSTOOD),
            ),
            # Staff search for these among all others.
            models.Index(
                fields=["state", "-id"],
                name="event_not_acted_on",
                condition=Q(state__in=[*NOT_UNDERSTOOD, EventState.ASIDE]),
            ),
            models.Index(
                fields=["id"],
                name="event_awaiting_receipt",
                condition=Q(state__in=[EventState.FAILED, EventState.ASIDE]) & ~Q(awaited=""),
            ),
            models.Index(
                fields=["source", "-id"],
                name="event_of_other_sources",
                condition=~Q(source=Source.CALLBACK),
            ),
            models.Index(
                fields=["id"],
                name="event_of_strangers",
                condition=Q(state__in=NOT_UNDERSTOOD, source=Source.CALLBACK),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {len(self.body)} bytes"

    @property
    def is_from_unknown_ip(self) -> bool:
        """Whether Safaricom's IP addresses are configured and it was posted from none of them.

        Compared as addresses and networks, not as text.
        """
        known = settings.DARAJA_CALLBACK_IPS
        return bool(known) and not is_listed(self.remote_address, known)

    def set_state(self, state: str, note: str) -> None:
        """Record the outcome of processing the message, and the rows it was about."""
        now = timezone.now()
        self.state, self.note, self.applied_at = state, note[:200], now
        about = self.payment_id, self.receipt_id, self.refund_id, self.payout_id
        _set_state(self.pk, state, self.note, now, *about)


@compiled_update
def _set_state(  # noqa: PLR0913, PLR0917 - a column each
    event: int,
    state: str,
    note: str,
    now: datetime,
    payment: int | None,
    receipt: int | None,
    refund: int | None,
    payout: int | None,
) -> Update:
    return GatewayEvent.objects.filter(pk=event), {
        "state": state,
        "note": note,
        "applied_at": now,
        "payment": payment,
        "receipt": receipt,
        "refund": refund,
        "payout": payout,
    }
