"""The ledger's entries, which are never changed."""

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
    """Ledger accounts. What the shop has is on clearing accounts, one per provider.

    WRITE_OFFS is what it has lost, COMMISSION and DELIVERY_FEES what it has earned, RENOUNCED what
    it no longer owes; the others are what it owes, and to whom.
    """

    MPESA_CLEARING = "mpesa_clearing", "at M-Pesa"
    BUYERS_HELD = "buyers_held", "held for buyers until their goods are handed over"
    SELLERS_PAYABLE = "sellers_payable", "owed to sellers"
    COMMISSION = "commission", "commission"
    DELIVERY_FEES = "delivery_fees", "delivery fees"
    WRITE_OFFS = "write_offs", "written off"
    REFUNDS_PAYABLE = "refunds_payable", "owed back to buyers"
    SUSPENSE = "suspense", "not matched to an order yet"
    RENOUNCED = "renounced", "given up by sellers who closed their account"


#: The suffix of every clearing account's name.
CLEARING = "_clearing"


def clearing_account(provider: str) -> str:
    """The clearing account of a provider, by the provider's key."""
    return f"{provider}{CLEARING}"


def is_clearing(account: str) -> bool:
    """Whether an account is a clearing account."""
    return account.endswith(CLEARING)


def account_choices() -> list[tuple[str, str]]:
    """All accounts: name, and label."""
    at_mpesa, *owed = Account.choices
    banks = [(clearing_account(bank.key), f"at {bank.name}") for bank in registered_banks()]
    return [at_mpesa, *banks, *owed]


class Side(models.TextChoices):
    DEBIT = "debit"
    CREDIT = "credit"


class LedgerPosting(models.Model):
    """One event that moved money, as a balanced set of entries. Never changed or deleted.

    Written by ``payments.ledger.post()`` only. The unique event prevents a second posting; triggers
    refuse every change, and on PostgreSQL a posting that does not balance.
    """

    event = models.CharField(max_length=64, unique=True, help_text="Like “receipt:12”.")
    #: The receipt it is about, if any.
    receipt = models.ForeignKey(
        Receipt, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    #: The refund it is about, if any.
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="postings")
    #: The payout, or the share of a line, it is about, if any.
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="postings")
    share = models.ForeignKey(
        SellerShare, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    #: The parcel whose fee it is about, if any.
    parcel = models.ForeignKey(
        "orders.Parcel", null=True, on_delete=models.PROTECT, related_name="postings"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "posting"

    def __str__(self) -> str:
        return self.event


class LedgerEntry(models.Model):
    """One side of a posting: KES on one account. Never changed or deleted."""

    posting = models.ForeignKey(LedgerPosting, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=16, choices=account_choices)
    side = models.CharField(max_length=6, choices=Side)
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    #: The order the money is for; None if it is not for one order.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )
    #: The seller it is owed to; None on every other account.
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
        db_index=False,  # ledger_of_seller starts with it
    )

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(name="ledger_entry_is_one_or_more", condition=Q(amount__gte=1)),
            models.CheckConstraint(
                name="ledger_entry_is_debit_or_credit",
                condition=Q(side__in=[Side.DEBIT, Side.CREDIT]),
            ),
            # Clearing, suspense and renounced entries belong to no order; those held, earned or
            # lost for goods belong to one; a payout may be for several. Holds for any provider, so
            # another bank needs no migration.
            models.CheckConstraint(
                name="ledger_account_says_whether_of_an_order",
                condition=Q(
                    Q(account__endswith=CLEARING)
                    | Q(account__in=[Account.SUSPENSE, Account.RENOUNCED]),
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
