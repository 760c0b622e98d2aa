"""A plain label for each permission, grouped by the sidebar's sections.

The apps above this one are named, not imported, as in ``sidebar.py``. A permission without a label
here controls nothing that the admin shows, and cannot be assigned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator

from .form_fields import KnownChoices
from .roles import named

PERMISSIONS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "Orders",
        {
            "orders.view_order": "see orders, who placed them, and what was paid",
            "orders.view_ordertrack": "see the lines of orders",
            "orders.view_trackevent": "see each step that a line took",
            "orders.decide_lines": "cancel orders and lines, move any line, "
            "and decide about problems with goods",
            "orders.view_problem": "see problems with goods",
        },
    ),
    (
        "Deliveries",
        {
            "orders.move_track": "carry parcels, collect them and hand them over",
            "orders.view_pickuppoint": "see the pick-up points",
            "orders.add_pickuppoint": "open a pick-up point",
            "orders.change_pickuppoint": "change a pick-up point",
            "orders.view_deliveryrate": "see delivery rates",
            "orders.add_deliveryrate": "add a delivery rate",
            "orders.change_deliveryrate": "change a delivery rate",
            "orders.delete_deliveryrate": "delete a delivery rate",
        },
    ),
    (
        "Goods",
        {
            "products.view_product": "see all products, listed or not",
            "products.change_product": "change, list and unlist products, and their pictures, "
            "and import spreadsheets of them",
            "products.view_stockmovement": "see stock movements",
            "products.view_review": "see reviews",
            "products.hide_review": "hide reviews and show them again",
        },
    ),
    (
        "People",
        {
            "accounts.view_user": "see people",
            "accounts.help_user": "see addresses and phone numbers, sign people out, unlock their "
            "password attempts, and remove their avatars",
            "accounts.add_user": "create accounts",
            "accounts.change_user": "change people’s names, and close accounts",
            "accounts.delete_user": "delete people",
            "accounts.view_audit": "see the audit log",
            "accounts.export_rows": "download the lists they see",
            "accounts.export_phones": "download phone numbers in full",
        },
    ),
    (
        "Money",
        {
            "payments.decide_money": "decide about money that waits for a decision",
            "payments.view_receipt": "see payments received, and money without an order",
            "payments.view_receiptevidence": "see which source reported a payment",
            "payments.view_orderpayment": "see payment attempts",
            "payments.view_refund": "see refunds",
            "payments.view_payout": "see payouts to sellers",
            "payments.view_sellershare": "see sellers’ earnings for each line",
            "payments.view_payoutstop": "see payout stops",
            "payments.view_withdrawal": "see unexplained withdrawals",
            "payments.view_payoutday": "see daily payout totals",
            "payments.view_refundday": "see daily refund totals",
        },
    ),
    (
        "Messages",
        {
            "orders.view_message": "see the e-mails and SMS sent to people",
            "orders.resend_message": "send a message again",
        },
    ),
    (
        "System",
        {
            "payments.view_gatewayevent": "see messages from M-Pesa and the banks",
            "payments.view_statementpull": "see when M-Pesa’s statement was read",
            "payments.view_portalstatement": "see statements from M-Pesa’s portal",
            "payments.view_ledgerposting": "see ledger postings",
            "payments.view_ledgerentry": "see ledger entries",
        },
    ),
)
LABELS = {name: words for _, labels in PERMISSIONS for name, words in labels.items()}


def name_of(permission: Permission) -> str:
    """A permission’s name as in code: ``orders.move_track``."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def label_for(permission: Permission) -> str:
    """The permission's label, or Django's own name for one that has none."""
    return LABELS.get(name_of(permission)) or str(permission.name)


def labels_by_section(held: Iterable[Permission]) -> list[tuple[str, list[str]]]:
    """The labels of these permissions by section, in the table's order."""
    names = {name_of(each) for each in held}
    labelled = [
        (section, [words for name, words in labels.items() if name in names])
        for section, labels in PERMISSIONS
    ]
    others = sorted(label_for(each) for each in held if name_of(each) not in LABELS)
    return [(section, words) for section, words in [*labelled, ("Anything else", others)] if words]


class _BySection(ModelChoiceIterator):
    """The choices grouped by section."""

    def __iter__(self) -> Iterator[Any]:
        there = {name_of(each): each for each in self.queryset.select_related("content_type")}
        known = [
            (section, [there.pop(name, None) for name in labels]) for section, labels in PERMISSIONS
        ]
        for section, found in [*known, ("Anything else", list(there.values()))]:
            choices = [self.choice(each) for each in found if each is not None]
            if choices:
                yield section, choices


class PermissionsField(KnownChoices):
    """Permissions to choose from, by label: those in the table, and those already held."""

    iterator = _BySection

    def label_from_instance(self, obj: Any) -> str:
        words = label_for(obj)
        return f"{words[:1].upper()}{words[1:]}"

    def offer(self, held: QuerySet[Permission]) -> None:
        """Offer the permissions in the table, and these."""
        chosen = named(tuple(LABELS)) | Q(pk__in=held.values("pk"))
        self.queryset = Permission.objects.filter(chosen)


def offer_permissions(form: Any, name: str) -> None:
    """Let a form's permission field offer those its row holds in addition to the table's."""
    field = cast(PermissionsField | None, form.fields.get(name))
    if field is not None:
        row = form.instance
        field.offer(getattr(row, name).all() if row.pk else Permission.objects.none())
