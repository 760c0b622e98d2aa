"""Reads of attempts and kept messages, named as phrases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from .models import GatewayEvent, OrderPayment  # noqa: F401


class OrderPaymentQuerySet(models.QuerySet["OrderPayment"]):
    def to_ring(self) -> OrderPaymentQuerySet:
        """Attempts nobody has sent to M-Pesa yet."""
        return self.filter(status="requested", live=True)

    def due_for_check(self, now: datetime) -> OrderPaymentQuerySet:
        """Attempts it is time to ask M-Pesa about, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at")

    def unheard(self) -> OrderPaymentQuerySet:
        """Confirmed, and yet the order does not know of it: its receiver never ran."""
        waiting = ("requested", "cancelled", "expired")
        return self.filter(status="confirmed", order__payment_status__in=waiting)

    def update(self, **kwargs: Any) -> int:
        """Refuse to write ``confirmed``: ``update()`` would not wake the orders."""
        status = kwargs.get("status", "")
        if not isinstance(status, str) or status == "confirmed":
            raise TypeError("Confirm payments one by one, with payments.settlement.settle().")
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Refuse to create what is confirmed already, for the same reason."""
        payments = list(objs)
        if any(payment.is_confirmed for payment in payments):
            raise TypeError("Save confirmed payments one by one: bulk_create() wakes nobody.")
        return super().bulk_create(payments, *args, **kwargs)


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def to_apply(self) -> GatewayEventQuerySet:
        """Kept messages nobody has acted on, oldest first."""
        return self.filter(state="new").order_by("pk")
