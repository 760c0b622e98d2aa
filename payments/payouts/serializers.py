"""Serializers of a seller's money."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.fields import PasswordField
from accounts.models import User
from accounts.services import confirm_password
from omachemainproj.api.fields import MpesaNumberField
from payments.models import Payout, TransferStatus

from .balances import balance_of, held_back
from .statement import KINDS

#: The status of a payout, in terms sellers know.
STATUS_FOR_SELLER = {
    TransferStatus.DUE: "waiting",
    TransferStatus.UNKNOWN: "on_its_way",
    TransferStatus.SENT: "on_its_way",
    TransferStatus.DONE: "paid",
    TransferStatus.REFUSED: "refused",
    TransferStatus.DROPPED: "replaced",
}


class MovementOutput(serializers.Serializer):
    """A movement on the seller's account."""

    example: ClassVar[dict[str, Any]] = {
        "id": 4711,
        "at": "2026-11-25T10:02:40.771200+00:00",
        "kind": "sale",
        "amount": 3700,
        "balance": 5550,
        "order": "PR7KWQ4M",
        "product": "Ramtons cordless kettle 1.7 L",
        "number": None,
    }

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(list(KINDS.values()))
    amount = serializers.IntegerField(help_text="Whole KES; negative if it left the account.")
    balance = serializers.IntegerField(
        help_text="The balance after it, whole KES; negative if the seller owes money."
    )
    order = serializers.CharField(allow_null=True, help_text="The order's reference.")
    product = serializers.CharField(allow_null=True)
    number = serializers.CharField(allow_null=True, help_text="M-Pesa's receipt of a payout.")


class PayoutOutput(serializers.Serializer):
    """A payout to the seller."""

    example: ClassVar[dict[str, Any]] = {
        "id": 91,
        "status": "on_its_way",
        "amount": 3700,
        "kept_back": 0,
        "mpesa_number": "254722000001",
        "number": "",
        "lines": [512],
        "reason": "",
        "created_at": "2026-11-25T10:02:41.003310+00:00",
        "done_at": None,
    }

    id = serializers.IntegerField()
    status = serializers.ChoiceField(list(dict.fromkeys(STATUS_FOR_SELLER.values())))
    amount = serializers.IntegerField(help_text="Whole KES.")
    kept_back = serializers.IntegerField(help_text="Whole KES deducted for a debt of the seller's.")
    mpesa_number = serializers.CharField(help_text="Where it goes.")
    number = serializers.CharField(help_text="M-Pesa's receipt; empty until it is known.")
    lines = serializers.ListField(
        child=serializers.IntegerField(), help_text="The ids of the lines it pays for."
    )
    reason = serializers.CharField(help_text="Why M-Pesa refused it, or why it is waiting.")
    created_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


def represent_payout(payout: Payout) -> dict[str, Any]:
    """A payout as its seller sees it; its shares have been read already."""
    reason = payout.note
    if payout.status == TransferStatus.REFUSED:
        reason = payout.result_text
    elif payout.awaits_approval:
        reason = "This is a large amount, so a second person reviews it first."
    elif payout.status == TransferStatus.DONE or payout.unacknowledged:
        # The note of a payout that is done, or that staff have to look at, is for staff only.
        reason = ""
    return {
        "id": payout.pk,
        "status": STATUS_FOR_SELLER[TransferStatus(payout.status)],
        "amount": payout.amount_sent,
        "kept_back": max(payout.gross - payout.amount, 0),
        "mpesa_number": payout.phone,
        "number": payout.number,
        "lines": [share.track_id for share in payout.shares.all()],
        "reason": reason,
        "created_at": payout.created_at,
        "done_at": payout.done_at,
    }


class BalanceOutput(serializers.Serializer):
    """A seller's balance; whole KES."""

    owed = serializers.IntegerField(
        help_text="The total the shop owes; negative if the seller owes money."
    )
    on_its_way = serializers.IntegerField(
        help_text="The part of it in payouts that are due or under way."
    )
    waiting = serializers.IntegerField(
        help_text="The part of it that is too small to send alone, or waits for staff or a number."
    )
    held = serializers.IntegerField(help_text="The part of it held back by undecided problems.")


def represent_balance(seller: User) -> dict[str, int]:
    """A seller's balance as they see it; whole KES. Two queries."""
    balance, held = balance_of(seller.pk), held_back(seller.pk)
    return {
        "owed": balance.owed,
        "on_its_way": balance.in_transit,
        "waiting": max(balance.pending - held, 0),
        "held": held,
    }


class NewNumberInput(serializers.Serializer):
    """Another number for a payout that M-Pesa refused; ``context`` has the ``request``."""

    example: ClassVar[dict[str, Any]] = {
        "mpesa_number": "0733000111",
        "password": "githeri 4 chapati",
    }

    mpesa_number = MpesaNumberField(help_text="Where it is to go instead.")
    password = PasswordField(help_text="Yours: it is your money that moves.")

    def validate_password(self, password: str) -> str:
        request: Any = self.context["request"]
        if not confirm_password(request._request, request.user, password=password):
            raise serializers.ValidationError("This is not your password.")
        return password


class PeriodOutput(serializers.Serializer):
    """Sales of a period that were not cancelled since."""

    orders = serializers.IntegerField(help_text="Orders with goods of the caller.")
    goods = serializers.IntegerField(help_text="How many goods.")
    amount = serializers.IntegerField(help_text="Whole KES, before the shop's commission.")


class SalesOutput(serializers.Serializer):
    """By calendar days in Nairobi, including today."""

    today = PeriodOutput()
    days_7 = PeriodOutput()
    days_30 = PeriodOutput()


class ToHandOverOutput(serializers.Serializer):
    waiting = serializers.IntegerField(help_text="Paid lines that have not been fetched yet.")
    under_way = serializers.IntegerField(help_text="Lines that were fetched and not delivered yet.")


class NextPayoutOutput(serializers.Serializer):
    id = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Whole KES.")
    status = serializers.ChoiceField(["waiting", "on_its_way"])
    mpesa_number = serializers.CharField(help_text="Where it goes.")


class StockOutput(serializers.Serializer):
    listed = serializers.IntegerField(help_text="Products that are listed.")
    low = serializers.IntegerField(help_text="Those with 1 to 5 left to sell.")
    sold_out = serializers.IntegerField(help_text="Those with none left to sell.")
    unlisted = serializers.IntegerField(help_text="Products that were taken off sale.")


class RatingOutput(serializers.Serializer):
    stars = serializers.FloatField(allow_null=True, help_text="1 to 5; null without a review.")
    reviews = serializers.IntegerField()


class ToAnswerOutput(serializers.Serializer):
    problems = serializers.IntegerField(help_text="Undecided ones.")
    refused_payouts = serializers.IntegerField(help_text="They need another number.")
    reviews = serializers.IntegerField(help_text="Those without an answer.")


class SummaryOutput(serializers.Serializer):
    """A seller's figures at this moment."""

    sales = SalesOutput()
    to_hand_over = ToHandOverOutput()
    balance = BalanceOutput()
    next_payout = NextPayoutOutput(
        allow_null=True, help_text="The oldest payout that has not arrived; null if there is none."
    )
    stock = StockOutput()
    rating = RatingOutput()
    to_answer = ToAnswerOutput(help_text="What is waiting for the seller's answer.")
