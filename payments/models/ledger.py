"""Whose money is where, as entries that are never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from omachemainproj.money import format_kes
from payments.banks import registered_banks

from .payouts import Payout, SellerShare
from .receipts import Receipt
from .refunds import Refund


class Account(models.TextChoices):
    """Whose money it is. What the shop has lies on clearing accounts, one per provider.

    WRITE_OFFS is what it has lost; the others are what it owes, and to whom, down to its own
    share.
    """

    MPESA_CLEARING = "mpesa_clearing", "at M-Pesa"
    BUYERS_HELD = "buyers_held", "held for buyers until their goods are handed over"
    SELLERS_PAYABLE = "sellers_payable", "owed to sellers"
    COMMISSION = "commission", "the shop's own share"
    DELIVERY_FEES = "delivery_fees", "the shop's, for bringing parcels"
    WRITE_OFFS = "write_offs", "written off: the shop bears it"
    REFUNDS_PAYABLE = "refunds_payable", "owed back to buyers"
    SUSPENSE = "suspense", "nobody's yet: a person must find out"


#: How the name of every clearing account ends.
CLEARING = "_clearing"


def clearing_account(provider: str) -> str:
    """The account of what a provider has of the shop's money, by the provider's key."""
    return f"{provider}{CLEARING}"


def is_clearing(account: str) -> bool:
    """Whether an account is of what a provider has."""
    return account.endswith(CLEARING)


def account_choices() -> list[tuple[str, str]]:
    """Every account: its name, and whose money it is."""
    at_mpesa, *owed = Account.choices
    banks = [(clearing_account(bank.key), f"at {bank.name}") for bank in registered_banks()]
    return [at_mpesa, *banks, *owed]


class Side(models.TextChoices):
    DEBIT = "debit"
    CREDIT = "credit"


class LedgerPosting(models.Model):
    """One event that moved money, as a balanced set of entries. Never changed or deleted.

    Written by ``payments.ledger.post()`` alone. The unique event is what keeps it from being
    posted twice; triggers refuse every change, and on PostgreSQL a posting that does not balance.
    """

    event = models.CharField(max_length=64, unique=True, help_text="Like “receipt:12”.")
    #: The receipt whose money this is, where it is one receipt's.
    receipt = models.ForeignKey(
        Receipt, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    #: The refund whose money this is, where it is one refund's.
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="postings")
    #: The payout whose money this is, and the line's share, where it is one's.
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="postings")
    share = models.ForeignKey(
        SellerShare, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    #: The parcel whose fee this is, where it is one's.
    parcel = models.ForeignKey(
        "orders.Parcel", null=True, on_delete=models.PROTECT, related_name="postings"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "posting"

    def __str__(self) -> str:
        return self.event


class LedgerEntry(models.Model):
    """One side of a posting: so many shillings on one account. Never changed or deleted."""

    posting = models.ForeignKey(LedgerPosting, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=16, choices=account_choices)
    side = models.CharField(max_length=6, choices=Side)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    #: The order the money is for; None where it is not one order's.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )
    #: The seller it is owed to; None on every other account.
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
        db_index=False,  # ledger_of_seller begins with it
    )

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(name="ledger_entry_is_one_or_more", condition=Q(amount__gte=1)),
            models.CheckConstraint(
                name="ledger_entry_is_debit_or_credit",
                condition=Q(side__in=[Side.DEBIT, Side.CREDIT]),
            ),
            # What a provider has or lies in suspense is of no order; what is held, kept or written
            # off for goods is of one; a payout may be for the goods of several. Any provider:
            # another bank needs no migration.
            models.CheckConstraint(
                name="ledger_account_says_whether_of_an_order",
                condition=Q(
                    Q(account__endswith=CLEARING) | Q(account=Account.SUSPENSE),
                    order__isnull=True,
                )
                | Q(
                    account__in=[
                        Account.BUYERS_HELD,
                        Account.COMMISSION,
                        Account.DELIVERY_FEES,
                        Account.WRITE_OFFS,
                    ],
                    order__isnull=False,
                )
                | Q(account__in=[Account.SELLERS_PAYABLE, Account.REFUNDS_PAYABLE]),
            ),
            models.CheckConstraint(
                name="ledger_says_which_seller_is_owed",
                condition=Q(account=Account.SELLERS_PAYABLE, seller__isnull=False)
                | (~Q(account=Account.SELLERS_PAYABLE) & Q(seller__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["seller", "id"],
                name="ledger_of_seller",
                condition=Q(seller__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.get_account_display()}: {format_kes(self.amount)}"
