"""Reads of attempts and kept messages, named as phrases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401
        GatewayEvent,
        MoneyOut,
        OrderPayment,
        Payout,
        PayoutStop,
        Receipt,
        Refund,
        SellerShare,
    )

AnyMoneyOut = TypeVar("AnyMoneyOut", bound="MoneyOut")
#: A payout too large to leave before a second person has looked at it.
AWAITS_APPROVAL = Q(status="due", needs_approval=True, approved_by__isnull=True)


class Seconds(models.Func):
    """Whole seconds from the second moment to the first, to the nearest."""

    arity = 2
    output_field = models.IntegerField()
    template = "CAST(ROUND(EXTRACT(EPOCH FROM (%(expressions)s))) AS integer)"
    arg_joiner = " - "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="CAST(ROUND((julianday(%(expressions)s)) * 86400) AS integer)",
            arg_joiner=") - julianday(",
            **context,
        )


class OrderPaymentQuerySet(models.QuerySet["OrderPayment"]):
    def to_ring(self) -> OrderPaymentQuerySet:
        """Attempts nobody has sent to M-Pesa yet."""
        return self.filter(status="requested", live=True)

    def due_for_check(self, now: datetime) -> OrderPaymentQuerySet:
        """Attempts it is time to ask M-Pesa about, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at")

    def unsynced(self) -> OrderPaymentQuerySet:
        """Confirmed with all that was asked, and yet the order does not know of it."""
        waiting = ("requested", "cancelled", "expired")
        return self.filter(
            status="confirmed",
            order__payment_status__in=waiting,
            receipt__amount__gte=F("order__amount"),
        )

    def unresolved(self) -> OrderPaymentQuerySet:
        """Attempts that never ended and about which M-Pesa is not asked any more: a person is."""
        return self.without_end().filter(next_check_at__isnull=True)

    def without_end(self) -> OrderPaymentQuerySet:
        """Attempts M-Pesa may know of, and whose end is not known."""
        return self.filter(status__in=("unknown", "submitted"))

    def ended_since(self, since: datetime) -> OrderPaymentQuerySet:
        """Attempts made since then whose end is known."""
        return self.filter(status__in=("confirmed", "failed"), created_at__gte=since)

    def update(self, **kwargs: Any) -> int:
        """Refuse to write ``confirmed``: ``update()`` would not wake the orders."""
        status = kwargs.get("status", "")
        if not isinstance(status, str) or status == "confirmed":
            raise TypeError(
                "Confirm payments one by one, with payments.reconciliation.outcomes.record_outcome()."
            )
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Refuse to create what is confirmed already, for the same reason."""
        payments = list(objs)
        if any(payment.is_confirmed for payment in payments):
            raise TypeError("Save confirmed payments one by one: bulk_create() wakes nobody.")
        return super().bulk_create(payments, *args, **kwargs)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def unmatched(self) -> ReceiptQuerySet:
        """Money of no order, of which some is not on its way back: a person must decide."""
        owed = Q(refunds__replaced_by__isnull=True) & ~Q(refunds__status="dropped")
        going = Coalesce(Sum("refunds__amount", filter=owed), 0)
        return self.filter(order__isnull=True).alias(going=going).filter(amount__gt=F("going"))

    def left_waiting(self) -> ReceiptQuerySet:
        """Money that waited for the rest of its order's price, and the order waits no longer."""
        return self.filter(waiting=True).exclude(order__payment_status="requested")

    def without_number(self) -> ReceiptQuerySet:
        """M-Pesa's money whose receipt number has not come yet."""
        return self.filter(number="")

    def unseen(self) -> ReceiptQuerySet:
        """Money whose amount had to be corrected, and nobody has acknowledged that yet."""
        return self.filter(unseen=True)

    def awaiting_the_rest(self) -> ReceiptQuerySet:
        """Money that waits for the rest of its order's price, while the order still waits too."""
        return self.filter(waiting=True, order__payment_status="requested")


class MoneyOutQuerySet(models.QuerySet[AnyMoneyOut]):
    """What refunds and payouts have in common."""

    def due(self, now: datetime) -> Self:
        """What it is time to send, or to ask about; longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def unresolved(self) -> Self:
        """Whose end is not known and about which M-Pesa is not asked any more."""
        return self.filter(status__in=("unknown", "sent"), next_check_at__isnull=True)

    def unseen(self) -> Self:
        """What ended otherwise than it should have, and nobody has acknowledged that."""
        return self.filter(unseen=True, status__in=("due", "done", "dropped"))

    def on_hold(self, before: datetime) -> Self:
        """What is owed since before then and not sent yet: for float, a limit, or a stop."""
        return self.filter(status="due", next_check_at__isnull=False, created_at__lt=before)


class RefundQuerySet(MoneyOutQuerySet["Refund"]):
    def owed(self) -> RefundQuerySet:
        """What is owed or was given back: the last row of each chain, unless it was dropped."""
        return self.filter(replaced_by__isnull=True).exclude(status="dropped")

    def refused(self) -> RefundQuerySet:
        """Refunds that M-Pesa refused and nothing follows: a person must decide."""
        return self.filter(status="refused", replaced_by__isnull=True)


class PayoutQuerySet(MoneyOutQuerySet["Payout"]):
    def of_seller(self, seller: User) -> PayoutQuerySet:
        """A seller's own payouts. Seller views start here and nowhere else."""
        return self.filter(seller=seller)

    def still_open(self) -> PayoutQuerySet:
        """Payouts that leave, or may have left, and whose end is not known."""
        return self.filter(status__in=("due", "unknown", "sent"))

    def refused(self) -> PayoutQuerySet:
        """Payouts that M-Pesa refused, and that nothing has taken over."""
        return self.filter(status="refused")

    def dropped(self) -> PayoutQuerySet:
        """Payouts that never left, and whose shares others carry or will."""
        return self.exclude(status="done").filter(status="dropped")

    def needs_action(self) -> PayoutQuerySet:
        """Refused payouts that no later time can mend: a number must change, or a person decide."""
        return self.refused().filter(next_check_at__isnull=True)

    def to_approve(self) -> PayoutQuerySet:
        """Payouts too large to leave before a second person has looked at them."""
        return self.filter(AWAITS_APPROVAL)


class SellerShareQuerySet(models.QuerySet["SellerShare"]):
    def owed(self) -> SellerShareQuerySet:
        """What sellers have earned, sent to them or not."""
        return self.filter(reversed_at__isnull=True)

    def to_pay(self) -> SellerShareQuerySet:
        """What is owed and nothing carries yet."""
        return self.owed().filter(payout__isnull=True, amount__gt=0)

    def uncarried(self, payouts: PayoutQuerySet) -> SellerShareQuerySet:
        """What is owed and was carried by one of these, which never left."""
        return self.owed().filter(payout__in=payouts.values("pk"), amount__gt=0)


class PayoutStopQuerySet(models.QuerySet["PayoutStop"]):
    def still_open(self) -> PayoutStopQuerySet:
        """What keeps money from leaving now: one, or none."""
        return self.filter(is_open=True)


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def to_apply(self) -> GatewayEventQuerySet:
        """Kept messages nobody has acted on, oldest first."""
        return self.filter(state="new").order_by("pk")

    def broken(self, *, c2b_token: str) -> GatewayEventQuerySet:
        """Messages a person must look at: those that broke, and those from where money is told.

        Whatever comes to the pay bill's secret address (``c2b_token``), or from the bank, tells of
        money. What strangers post elsewhere does not: see ``strangers()``.
        """
        from_pay_bill = Q(source="c2b", token=c2b_token) & ~Q(token="")
        return self.filter(
            Q(state="failed")
            | Q(from_pay_bill, state__in=("unmatched", "unreadable"))
            | Q(source="equity", state__in=("unmatched", "unreadable"))
        )

    def unsolicited(self) -> GatewayEventQuerySet:
        """Messages to prompts' addresses that are about nothing of ours: anybody can post them."""
        return self.filter(source="prompt", state__in=("unmatched", "unreadable"))
