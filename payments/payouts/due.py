"""Finds sellers with earnings that are in no payout."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from omachemainproj.compiled_queries import compiled
from omachemainproj.mpesa_limits import MIN_B2C
from payments.models import Payout, SellerShare, TransferStatus, share_due

from .balances import annotate_balances

#: Age up to which a payout that was not sent is considered for money that is left over.
LOOKBACK = timedelta(days=14)


def sellers_to_pay(*, before: datetime) -> list[int]:
    """Sellers with shares from before then that could be paid out and are in no payout."""
    now = timezone.now()
    found = (
        _with_enough(before=before, now=now),
        _with_shares_of_dropped(now=now),
        _with_unallocated(before=before),
    )
    return sorted({seller for sellers in found for seller in sellers})


@compiled
def _with_enough(before: datetime, now: datetime) -> QuerySet[Any, int]:
    """Sellers with at least M-Pesa's minimum for one number in new shares."""
    new = SellerShare.objects.to_pay().filter(~Exists(_refused()), created_at__lt=before)
    enough = new.payable(now).values("seller", "phone").annotate(total=Sum(share_due()))
    return enough.filter(total__gte=MIN_B2C).order_by().values_list("seller", flat=True)


@compiled
def _with_shares_of_dropped(now: datetime) -> QuerySet[Any, int]:
    left = SellerShare.objects.dropped_with(Payout.objects.dropped()).payable(now)
    return left.filter(~Exists(_refused())).values_list("seller", flat=True)


def _refused() -> QuerySet[Payout]:
    """Payouts to a share's seller and number that M-Pesa has refused."""
    return Payout.objects.refused().filter(seller=OuterRef("seller"), phone=OuterRef("phone"))


@compiled
def _with_unallocated(before: datetime) -> QuerySet[Any, int]:
    """Sellers from whom too much was deducted, because a payout was not made after all."""
    never_left = Payout.objects.with_status(TransferStatus.REFUSED, TransferStatus.DROPPED).filter(
        seller=OuterRef("pk"), created_at__gt=before - LOOKBACK
    )
    sellers = annotate_balances(User.objects.filter(Exists(never_left)))
    unallocated = sellers.filter(owed__gte=F("in_transit") + F("pending") + MIN_B2C)
    return unallocated.values_list("pk", flat=True)
