"""Queues about money that goes out: stops, withdrawals, refunds, payouts and earnings."""

from __future__ import annotations

from datetime import timedelta

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from payments.models import (
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    SellerShare,
    Withdrawal,
)
from payments.reconciliation.statement_recovery import what_is_missing
from payments.reconciliation.withdrawals import candidates

from .queue import Queue

#: The clock sends what is due within seconds. What is still due after this is held back.
SENT_WITHIN = timedelta(minutes=2)


def _refund_name(refund: Refund) -> str:
    return f"{format_kes(refund.amount)} by {refund.get_way_display()}"


_PAYOUT = {
    "Payout": lambda payout: f"{format_kes(payout.amount)} to {dial(payout.phone)}",
    "Seller": lambda payout: payout.seller,
}
_REFUND = {
    "Refund": _refund_name,
    "Of order": lambda refund: refund.order or "no order",
    "Of receipt": lambda refund: refund.receipt.number,
}


def _may_be(withdrawal: Withdrawal) -> str:
    """What it could be: who has been paid on that number, and what is due to it."""
    due = [f"{row.kind} {row.pk} ({row.status})" for row in candidates(withdrawal)]
    paid = SellerShare.objects.filter(phone=withdrawal.phone).exclude(phone="")
    sellers = paid.order_by("seller").values_list("seller__username", flat=True).distinct()[:3]
    came = Receipt.objects.filter(phone=withdrawal.phone).exclude(phone="").order_by("-pk")[:3]
    known = [f"seller {name}" for name in sellers] + [f"buyer by {each.number}" for each in came]
    return "; ".join(due + known)


PAYOUT_STOPS = Queue(
    key="stops",
    title="Money is stopped from leaving",
    about="M-Pesa does not accept the shop's initiator, and every further try would lock it: "
    "put the password or the certificate right. Or the database was restored: what was sent "
    "since the backup is read from M-Pesa's statements first. Then let money leave again.",
    rows=lambda now: PayoutStop.objects.still_open().order_by("pk"),
    columns={
        "Why": str,
        "Since": lambda stop: stop.created_at,
        "Still to do": lambda stop: " ".join(what_is_missing(stop)),
    },
    listed="payments_payoutstop_changelist",
)

WITHDRAWALS = Queue(
    key="withdrawals",
    title="Money that left, and nothing here says why",
    about="M-Pesa's statement shows it, and no refund and no payout of ours is it: the "
    "database was restored from before it, or what it was for was given another way. Say what "
    "it was: after a restore nothing leaves until then, for the same might be sent again. What "
    "came back since is shown beside it, and is decided with it.",
    rows=lambda now: Withdrawal.objects.still_open().select_related("came_back"),
    columns={
        "Withdrawal": lambda withdrawal: format_kes(withdrawal.amount),
        "Receipt": lambda withdrawal: withdrawal.number,
        "To": lambda withdrawal: dial(withdrawal.phone),
        "M-Pesa's word": lambda withdrawal: withdrawal.reason,
        "Takes back": lambda withdrawal: withdrawal.reverses,
        "Came back under": lambda withdrawal: (
            withdrawal.came_back.number if withdrawal.came_back else ""
        ),
        "It may be": _may_be,
        "Left": lambda withdrawal: withdrawal.left_at,
    },
    listed="payments_withdrawal_changelist?state__exact=open",
)

REFUSED_REFUNDS = Queue(
    key="refused",
    title="Refunds that were refused",
    about="This money is owed and no way is left that the shop may try by itself. Try again, "
    "send it to another number, or give it back on the portal.",
    rows=lambda now: Refund.objects.refused().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": lambda refund: refund.phone,
        "Why": lambda refund: refund.note or refund.result_text,
        "Owed since": lambda refund: refund.created_at,
    },
    listed="payments_refund_changelist?status__exact=refused",
)

UNRESOLVED_REFUNDS = Queue(
    key="silent",
    title="Refunds M-Pesa never spoke of",
    about="The money may have gone or not, and M-Pesa is not asked any more. Its portal "
    "tells: name the receipt it went under, or say that it never went.",
    rows=lambda now: Refund.objects.unresolved().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": lambda refund: refund.phone,
        "Note": lambda refund: refund.note or refund.result_text,
        "Sent": lambda refund: refund.sent_at,
    },
    listed="payments_refund_changelist?status__in=unknown,sent&next_check_at__isnull=1",
)

UNEXPECTED_REFUNDS = Queue(
    key="differ",
    title="Refunds that ended otherwise",
    about="The money went back twice, or another amount did. Do what there is to do outside "
    "of the shop, then acknowledge it with a note.",
    rows=lambda now: (
        Refund.objects.unacknowledged().select_related("order", "receipt").order_by("pk")
    ),
    columns={
        **_REFUND,
        "Note": lambda refund: refund.note,
        "Done": lambda refund: refund.done_at,
    },
    listed="payments_refund_changelist?unacknowledged__exact=1",
)

REFUNDS_TO_APPROVE = Queue(
    key="refunds-approve",
    title="Refunds to approve",
    about="Too large to leave before a second person has looked, or to a number that somebody "
    "here typed. Look at the payment and at the number.",
    rows=lambda now: Refund.objects.to_approve().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": lambda refund: refund.phone,
        "Why": lambda refund: refund.get_cause_display(),
        "Owed since": lambda refund: refund.created_at,
    },
    listed="payments_refund_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

PAYOUTS_TO_APPROVE = Queue(
    key="approve",
    title="Payouts to approve",
    about="Too large to leave before a second person has looked, to a number that somebody "
    "here typed, or for goods the shop had to bear. Look at what was sold, and at the number.",
    rows=lambda now: (
        Payout.objects.to_approve()
        .filter(held_at__isnull=True)
        .select_related("seller")
        .order_by("pk")
    ),
    columns={**_PAYOUT, "Owed since": lambda payout: payout.created_at},
    listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

PAYOUTS_ON_HOLD = Queue(
    key="payouts-kept",
    title="Payouts that are kept back",
    about="Somebody keeps this back, and says why. Once that is cleared up, let it leave, or "
    "do not send it.",
    rows=lambda now: (
        Payout.objects.to_approve()
        .filter(held_at__isnull=False)
        .select_related("seller")
        .order_by("pk")
    ),
    columns={
        **_PAYOUT,
        "Why": lambda payout: payout.held_why,
        "Since": lambda payout: payout.held_at,
    },
    listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

WITHHELD_EARNINGS = Queue(
    key="kept-back",
    title="Earnings kept back",
    about="Somebody would not send the payout of these lines. Once it is clear, let them go "
    "into the seller's next payout, or have the goods cancelled.",
    rows=lambda now: (
        SellerShare.objects.withheld().select_related("seller", "track__order").order_by("pk")
    ),
    columns={
        "Earned": lambda share: format_kes(share.due),
        "Seller": lambda share: share.seller,
        "Goods": lambda share: share.track,
        "Of order": lambda share: share.track.order,
        "Why": lambda share: share.withheld_why,
    },
    listed="payments_sellershare_changelist?reversed_at__isempty=1",
)

REFUSED_PAYOUTS = Queue(
    key="payouts-refused",
    title="Payouts that were refused",
    about="M-Pesa does not take the number, or refused too often. The seller can give another "
    "number; so can you, once you have called them.",
    rows=lambda now: Payout.objects.needs_action().select_related("seller").order_by("pk"),
    columns={
        **_PAYOUT,
        "Why": lambda payout: payout.note or payout.result_text,
        "Owed since": lambda payout: payout.created_at,
    },
    listed="payments_payout_changelist?status__exact=refused",
)

UNRESOLVED_PAYOUTS = Queue(
    key="payouts-silent",
    title="Payouts M-Pesa never spoke of",
    about="The money may have gone or not, and M-Pesa is not asked any more. Its portal "
    "tells: name the receipt it went under, or say that it never went.",
    rows=lambda now: Payout.objects.unresolved().select_related("seller").order_by("pk"),
    columns={
        **_PAYOUT,
        "Note": lambda payout: payout.note or payout.result_text,
        "Sent": lambda payout: payout.sent_at,
    },
    listed="payments_payout_changelist?status__in=unknown,sent&next_check_at__isnull=1",
)

UNEXPECTED_PAYOUTS = Queue(
    key="payouts-differ",
    title="Payouts that ended otherwise",
    about="The money may have gone twice, or another amount did. What went twice is kept back "
    "from the seller's next payouts. Acknowledge what you have seen.",
    rows=lambda now: Payout.objects.unacknowledged().select_related("seller").order_by("pk"),
    columns={
        **_PAYOUT,
        "Note": lambda payout: payout.note,
        "Done": lambda payout: payout.done_at,
    },
    listed="payments_payout_changelist?unacknowledged__exact=1",
)

POSTPONED_REFUNDS = Queue(
    key="held",
    title="Refunds that wait",
    about="For money on the account they are paid from, for a limit, for a receipt's number, "
    "for M-Pesa to confirm the payment, or for a stop to end. Then they go by themselves.",
    rows=lambda now: (
        Refund.objects.on_hold(now - SENT_WITHIN)
        .select_related("order", "receipt", "replaces")
        .order_by("next_check_at")
    ),
    columns={
        **_REFUND,
        "Why": lambda refund: (
            refund.result_text
            or (refund.replaces.result_text if refund.replaces else "")
            or ("" if refund.receipt.is_confirmed else "Its payment is not confirmed.")
        ),
        "Next try": lambda refund: refund.next_check_at,
    },
    listed="payments_refund_changelist?status__exact=due",
    for_information=True,
)

POSTPONED_PAYOUTS = Queue(
    key="payouts-held",
    title="Payouts that wait",
    about="For money on the account they are paid from, for the day's limit, for M-Pesa to "
    "confirm what was paid, or for a stop to end. Then they go by themselves.",
    rows=lambda now: (
        Payout.objects.on_hold(now - SENT_WITHIN).select_related("seller").order_by("next_check_at")
    ),
    columns={
        **_PAYOUT,
        "Why": lambda payout: payout.result_text,
        "Next try": lambda payout: payout.next_check_at,
    },
    listed="payments_payout_changelist?status__exact=due",
    for_information=True,
)
