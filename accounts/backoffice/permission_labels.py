"""What each permission lets somebody do, in people's words, by the room where it is done.

The apps above this one are named, not imported, as in ``sidebar.py``. What stands in no room here is
a power over nothing that the admin shows, and is offered to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator

from .admin import KnownChoices
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
            "orders.move_track": "take parcels on, collect them and hand them over",
            "orders.view_pickuppoint": "see the pick-up points",
            "orders.add_pickuppoint": "open a pick-up point",
            "orders.change_pickuppoint": "change a pick-up point",
            "orders.view_deliveryrate": "see what bringing a parcel costs",
            "orders.add_deliveryrate": "add a delivery rate",
            "orders.change_deliveryrate": "change a delivery rate",
            "orders.delete_deliveryrate": "delete a delivery rate",
        },
    ),
    (
        "Goods",
        {
            "products.view_product": "see all products, listed or not",
            "products.change_product": "change, list and unlist products, their pictures too, "
            "and read in sheets of them",
            "products.view_stockmovement": "see what moved the stock",
            "products.view_review": "see reviews",
            "products.hide_review": "hide reviews, and show them again",
        },
    ),
    (
        "People",
        {
            "accounts.view_user": "see people",
            "accounts.help_user": "see where people live and are called, sign them out, let them "
            "try their password again, and take their avatars away",
            "accounts.add_user": "give somebody an account",
            "accounts.change_user": "change people’s names, and close accounts",
            "accounts.delete_user": "delete people",
            "accounts.view_audit": "see what staff did",
            "accounts.export_rows": "download the lists they see",
            "accounts.export_phones": "have phones in full in what they download",
        },
    ),
    (
        "Money",
        {
            "payments.decide_money": "decide about money that waits for a person",
            "payments.view_receipt": "see what was paid, and money without an order",
            "payments.view_receiptevidence": "see who told the shop of a payment",
            "payments.view_orderpayment": "see attempts to pay",
            "payments.view_refund": "see refunds",
            "payments.view_payout": "see payouts to sellers",
            "payments.view_sellershare": "see what is owed to sellers for each line",
            "payments.view_payoutstop": "see when all payouts were stopped",
            "payments.view_withdrawal": "see money that left unexplained",
            "payments.view_payoutday": "see what was paid out each day",
            "payments.view_refundday": "see what was refunded each day",
        },
    ),
    (
        "Messages",
        {
            "orders.view_message": "see what people were told by e-mail and SMS",
            "orders.resend_message": "have a message sent again",
        },
    ),
    (
        "System",
        {
            "payments.view_gatewayevent": "see what M-Pesa told the shop",
            "payments.view_statementpull": "see how M-Pesa’s statement was read",
            "payments.view_portalstatement": "see statements from M-Pesa’s portal",
            "payments.view_ledgerposting": "see the postings of the books",
            "payments.view_ledgerentry": "see the entries of the books",
        },
    ),
)
LABELS = {name: words for _, powers in PERMISSIONS for name, words in powers.items()}


def name_of(permission: Permission) -> str:
    """A permission’s name as code has it: ``orders.move_track``."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def label_for(permission: Permission) -> str:
    """What it lets somebody do; Django's words for what is in no room."""
    return LABELS.get(name_of(permission)) or str(permission.name)


def labels_by_section(held: Iterable[Permission]) -> list[tuple[str, list[str]]]:
    """What somebody who holds these may do: the words of each room's, in the table's order."""
    names = {name_of(each) for each in held}
    told = [
        (room, [words for name, words in powers.items() if name in names])
        for room, powers in PERMISSIONS
    ]
    others = sorted(label_for(each) for each in held if name_of(each) not in LABELS)
    return [(room, words) for room, words in [*told, ("Anything else", others)] if words]


class _BySection(ModelChoiceIterator):
    """The choices in groups, a room each."""

    def __iter__(self) -> Iterator[Any]:
        there = {name_of(each): each for each in self.queryset.select_related("content_type")}
        known = [(room, [there.pop(name, None) for name in powers]) for room, powers in PERMISSIONS]
        for room, found in [*known, ("Anything else", list(there.values()))]:
            choices = [self.choice(each) for each in found if each is not None]
            if choices:
                yield room, choices


class PermissionsField(KnownChoices):
    """Permissions to tick, in people's words: those of the table, and what is held already."""

    iterator = _BySection

    def label_from_instance(self, obj: Any) -> str:
        words = label_for(obj)
        return f"{words[:1].upper()}{words[1:]}"

    def offer(self, held: QuerySet[Permission]) -> None:
        """Offer what the table has, and these."""
        chosen = named(tuple(LABELS)) | Q(pk__in=held.values("pk"))
        self.queryset = Permission.objects.filter(chosen)


def offer_permissions(form: Any, name: str) -> None:
    """Have a form's field of permissions offer what its row holds beside the table's."""
    field = cast(PermissionsField | None, form.fields.get(name))
    if field is not None:
        row = form.instance
        field.offer(getattr(row, name).all() if row.pk else Permission.objects.none())
