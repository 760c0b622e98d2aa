"""Queues about outgoing money: stops, withdrawals, refunds, payouts and earnings."""

from __future__ import annotations

from datetime import timedelta

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from payments.models import Payout, PayoutStop, Receipt, Refund, SellerShare, Withdrawal
from payments.reconciliation.portal_statement_import import reasons_not_to_resume
from payments.reconciliation.withdrawal_matching import candidates

from .queue import Column, Queue

#: The clock sends a due transfer within seconds. One still due after this has been postponed.
_SENT_WITHIN = timedelta(minutes=2)


def _refund_name(refund: Refund) -> str:
    return f"{format_kes(refund.amount)} by {refund.get_way_display()}"


_PAYOUT: dict[str, Column] = {
    "Payout": lambda payout: f"{format_kes(payout.amount)} to {dial(payout.phone)}",
    "Seller": "seller",
}
_REFUND: dict[str, Column] = {
    "Refund": _refund_name,
    "Order": lambda refund: refund.order or "no order",
    "Receipt": "receipt.number",
}


def _possible_matches(withdrawal: Withdrawal) -> str:
    """What it may be: open transfers to its phone, and sellers and buyers who use that phone."""
    due = [f"{row.kind} {row.pk} ({row.status})" for row in candidates(withdrawal)]
    paid = SellerShare.objects.filter(phone=withdrawal.phone).exclude(phone="")
    sellers = paid.order_by("seller").values_list("seller__username", flat=True).distinct()[:3]
    came = Receipt.objects.filter(phone=withdrawal.phone).exclude(phone="").order_by("-pk")[:3]
    known = [f"seller {name}" for name in sellers] + [f"buyer by {each.number}" for each in came]
    return "; ".join(due + known)


PAYOUT_STOPS = Queue(
    key="stops",
    title="Outgoing payments are stopped",
    about="Either M-Pesa rejected the shop's initiator, and further attempts would lock it: "
    "correct its password or certificate. Or the database was restored: first read M-Pesa's "
    "statements, to learn what was sent after the backup. Then resume outgoing payments.",
    rows=lambda now: PayoutStop.objects.still_open().order_by("pk"),
    columns={
        "Reason": str,
        "Since": "created_at",
        "Still to do": lambda stop: " ".join(reasons_not_to_resume(stop)),
    },
    listed="payments_payoutstop_changelist",
)

WITHDRAWALS = Queue(
    key="withdrawals",
    title="Unexplained withdrawals",
    about="M-Pesa's statement shows this money leaving, but no refund or payout here matches it: "
    "the database was restored from an earlier backup, or it was sent manually. Say what it was. "
    "After a restore nothing is sent until then, because the same payment might be sent twice. "
    "Money that has come back since is shown beside it and is settled with it.",
    rows=lambda now: Withdrawal.objects.still_open().select_related("return_receipt"),
    columns={
        "Withdrawal": lambda withdrawal: format_kes(withdrawal.amount),
        "Receipt": "number",
        "To": lambda withdrawal: dial(withdrawal.phone),
        "Details from M-Pesa": "reason",
        "Reversal of": "reverses",
        "Returned under receipt": lambda withdrawal: (
            withdrawal.return_receipt.number if withdrawal.return_receipt else ""
        ),
        "Possible matches": _possible_matches,
        "Sent": "left_at",
    },
    listed="payments_withdrawal_changelist?state__exact=open",
)

REFUSED_REFUNDS = Queue(
    key="refused",
    title="Rejected refunds",
    about="This money is owed, and the shop has no automatic way left to send it. Try again, send "
    "it to another number, or pay it on the M-Pesa portal.",
    rows=lambda now: Refund.objects.refused().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": "phone",
        "Reason": lambda refund: refund.note or refund.result_text,
        "Owed since": "created_at",
    },
    listed="payments_refund_changelist?status__exact=refused",
)

UNRESOLVED_REFUNDS = Queue(
    key="silent",
    title="Refunds without a result from M-Pesa",
    about="The money may or may not have been sent, and M-Pesa is no longer queried. Check its "
    "portal: enter the receipt number it shows, or record that the money was not sent.",
    rows=lambda now: Refund.objects.unresolved().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": "phone",
        "Note": lambda refund: refund.note or refund.result_text,
        "Sent": "sent_at",
    },
    listed="payments_refund_changelist?status__in=unknown,sent&next_check_at__isnull=1",
)

UNEXPECTED_REFUNDS = Queue(
    key="differ",
    title="Refunds with an unexpected outcome",
    about="The money was refunded twice, or a different amount was. Do what is needed outside the "
    "shop, then acknowledge it with a note.",
    rows=lambda now: (
        Refund.objects.unacknowledged().select_related("order", "receipt").order_by("pk")
    ),
    columns={**_REFUND, "Note": "note", "Done": "done_at"},
    listed="payments_refund_changelist?unacknowledged__exact=1",
)

REFUNDS_TO_APPROVE = Queue(
    key="refunds-approve",
    title="Refunds to approve",
    about="Each is large, or goes to a number that staff entered, so a second person must approve "
    "it. Check the payment and the number.",
    rows=lambda now: Refund.objects.to_approve().select_related("order", "receipt").order_by("pk"),
    columns={
        **_REFUND,
        "To": "phone",
        "Reason": lambda refund: refund.get_cause_display(),
        "Owed since": "created_at",
    },
    listed="payments_refund_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

PAYOUTS_TO_APPROVE = Queue(
    key="approve",
    title="Payouts to approve",
    about="Each is large, goes to a number that staff entered, or is for goods the shop paid for, "
    "so a second person must approve it. Check what was sold and the number.",
    rows=lambda now: (
        Payout.objects.to_approve()
        .filter(on_hold_since__isnull=True)
        .select_related("seller")
        .order_by("pk")
    ),
    columns={**_PAYOUT, "Owed since": "created_at"},
    listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

PAYOUTS_ON_HOLD = Queue(
    key="payouts-kept",
    title="Payouts on hold",
    about="Staff put these on hold for the reason shown. Once that is resolved, approve the payout "
    "or reject it.",
    rows=lambda now: (
        Payout.objects.to_approve()
        .filter(on_hold_since__isnull=False)
        .select_related("seller")
        .order_by("pk")
    ),
    columns={**_PAYOUT, "Reason": "on_hold_reason", "Since": "on_hold_since"},
    listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
)

WITHHELD_EARNINGS = Queue(
    key="kept-back",
    title="Withheld earnings",
    about="Staff rejected the payout of these order items. Once the reason is resolved, release "
    "them into the seller's next payout, or have the goods cancelled.",
    rows=lambda now: (
        SellerShare.objects.withheld().select_related("seller", "track__order").order_by("pk")
    ),
    columns={
        "Earned": lambda share: format_kes(share.due),
        "Seller": "seller",
        "Goods": "track",
        "Order": "track.order",
        "Reason": "withheld_why",
    },
    listed="payments_sellershare_changelist?reversed_at__isempty=1",
)

REFUSED_PAYOUTS = Queue(
    key="payouts-refused",
    title="Rejected payouts",
    about="M-Pesa cannot pay this number, or rejected the payout too often. The seller can enter "
    "another number. So can you, after calling the seller.",
    rows=lambda now: Payout.objects.needs_action().select_related("seller").order_by("pk"),
    columns={
        **_PAYOUT,
        "Reason": lambda payout: payout.note or payout.result_text,
        "Owed since": "created_at",
    },
    listed="payments_payout_changelist?status__exact=refused",
)

UNRESOLVED_PAYOUTS = Queue(
    key="payouts-silent",
    title="Payouts without a result from M-Pesa",
    about="The money may or may not have been sent, and M-Pesa is no longer queried. Check its "
    "portal: enter the receipt number it shows, or record that the money was not sent.",
    rows=lambda now: Payout.objects.unresolved().select_related("seller").order_by("pk"),
    columns={
        **_PAYOUT,
        "Note": lambda payout: payout.note or payout.result_text,
        "Sent": "sent_at",
    },
    listed="payments_payout_changelist?status__in=unknown,sent&next_check_at__isnull=1",
)

UNEXPECTED_PAYOUTS = Queue(
    key="payouts-differ",
    title="Payouts with an unexpected outcome",
    about="The money may have been sent twice, or a different amount was. What was sent twice is "
    "deducted from the seller's next payouts, once an unexplained withdrawal under the second "
    "number, if there is one, is said to have paid them. Acknowledge each entry after reviewing "
    "it.",
    rows=lambda now: Payout.objects.unacknowledged().select_related("seller").order_by("pk"),
    columns={**_PAYOUT, "Note": "note", "Done": "done_at"},
    listed="payments_payout_changelist?unacknowledged__exact=1",
)

POSTPONED_REFUNDS = Queue(
    key="held",
    title="Postponed refunds",
    about="These wait for money in the account that pays them, a limit, a receipt number, M-Pesa's "
    "confirmation of the payment, or the end of a stop. Then they are sent automatically.",
    rows=lambda now: (
        Refund.objects.postponed(now - _SENT_WITHIN)
        .select_related("order", "receipt", "replaces")
        .order_by("next_check_at")
    ),
    columns={
        **_REFUND,
        "Reason": lambda refund: (
            refund.result_text
            or (refund.replaces.result_text if refund.replaces else "")
            or ("" if refund.receipt.is_confirmed else "The payment is not confirmed yet.")
        ),
        "Next try": "next_check_at",
    },
    listed="payments_refund_changelist?status__exact=due",
    for_information=True,
)

POSTPONED_PAYOUTS = Queue(
    key="payouts-held",
    title="Postponed payouts",
    about="These wait for money in the account that pays them, the daily limit, M-Pesa's "
    "confirmation of the payment, or the end of a stop. Then they are sent automatically.",
    rows=lambda now: (
        Payout.objects.postponed(now - _SENT_WITHIN)
        .select_related("seller")
        .order_by("next_check_at")
    ),
    columns={**_PAYOUT, "Reason": "result_text", "Next try": "next_check_at"},
    listed="payments_payout_changelist?status__exact=due",
    for_information=True,
)
