"""Account deletion: personal data is erased, the books stay correct.

``payments.people.inventory`` says what is erased and what is kept, table by table. The user's row
and everything that gives access to the account are erased in one transaction. Texts and phones in
old orders, messages and reviews follow in batches, repeated nightly for a while in case of a crash.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Right

from accounts import emails, security_log, tokens
from accounts.lookalikes import skeleton
from accounts.models import Guest, NameClaim, User
from accounts.phone_login import PHONE_OWNERSHIP_PERIOD
from omachemainproj.api.errors import Refusal
from omachemainproj.phones import MASK
from omachemainproj.rounds import do_each
from orders.lifecycle import accepting_late_payment
from orders.models import Order, OrderDelivery, OrderTrack, Parcel, PaymentStatus, Problem
from orders.models.notifications import Message, MessageState, Notice
from payments.models import Receipt, Refund
from payments.payouts.balances import balance_of
from payments.payouts.renouncing import renounce, renounceable_amount
from products.listings.pictures import remove_all_pictures
from products.models import Product, ProductPicture
from products.reviews.services import erase_texts

from .inventory import PERSONAL_DATA, WHOLE, PersonalData

logger = logging.getLogger(__name__)

#: Rows changed per statement.
BATCH = 500
#: Items of each kind that a response lists.
_MAX_LISTED = 10
#: A guest without an order after this long never placed one: it was refused.
_NEVER_ORDERED = timedelta(days=1)
#: How long the nightly job repeats the erasure.
_REPEATED_FOR = timedelta(days=30)


class UnderWay(Refusal):
    """The user has orders, payments or goods in progress; the response lists them."""

    code = "under_way"
    message = (
        "Your account cannot be deleted yet because you have orders or payments in progress. Try "
        "again once they are completed."
    )


class StaffCannotLeave(Refusal):
    """Staff accounts are not deleted, since their decisions affect others."""

    code = "staff_account"
    message = "You work for the shop. Ask to have your roles removed first."


def find_deletion_blockers(user_id: int, now: datetime) -> list[dict[str, Any]]:
    """Everything that prevents the deletion of an account, at most ten of each kind.

    ``what`` is a code: ``unpaid_order``, ``late_money`` (an unpaid order that ended, but may still
    be paid for a day), ``goods_to_come``, ``refund``, ``doubted_payment``, ``goods_to_hand_over``,
    ``problem`` (undecided, as buyer or seller), ``parcel_to_bring`` (claimed; with its ``parcel``),
    ``money_owed`` (with ``amount`` in KES, including withheld earnings; below zero it is owed to
    the shop; with ``renounceable`` if it is too little to be sent). Orders are given by
    ``reference``, and the person's own by ``order_token`` too.
    """
    bought = Order.objects.filter(buyer=user_id)
    to_come = OrderTrack.objects.to_fulfil().filter(order=OuterRef("pk"))
    doubted = Receipt.objects.filter(order=OuterRef("pk")).in_doubt()
    back = Refund.objects.outstanding().filter(order=OuterRef("pk"))
    is_back = Q(payment_status=PaymentStatus.REFUND_DUE) | Exists(back)
    ended = Q(payment_status__in=[PaymentStatus.EXPIRED, PaymentStatus.CANCELLED])
    sold = OrderTrack.objects.filter(seller=user_id)
    waits = Q(order__payment_status=PaymentStatus.REQUESTED)
    found = [
        *_named(user_id, "unpaid_order", bought.unpaid()),
        *_named(user_id, "late_money", accepting_late_payment(bought.filter(ended), now)),
        *_named(user_id, "goods_to_come", bought.filter(Exists(to_come))),
        *_named(user_id, "refund", bought.filter(is_back)),
        *_named(user_id, "doubted_payment", bought.filter(Q(in_doubt=True) | Exists(doubted))),
        *_named(
            user_id,
            "goods_to_hand_over",
            Order.objects.filter(pk__in=(sold.to_fulfil() | sold.filter(waits)).values("order")),
        ),
    ]
    undecided = Problem.objects.undecided().filter(Q(track__buyer=user_id) | Q(seller=user_id))
    found += _named(
        user_id, "problem", Order.objects.filter(pk__in=undecided.values("track__order"))
    )
    parcels = Parcel.objects.claimed_by(user_id).to_deliver().order_by("-pk")
    for pk in parcels.values_list("pk", flat=True)[:_MAX_LISTED]:
        found.append({"what": "parcel_to_bring", "parcel": pk})
    balance = balance_of(user_id)
    if any(balance):
        too_little = {"renounceable": True} if renounceable_amount(user_id) else {}
        found.append({"what": "money_owed", "amount": balance.owed, **too_little})
    return found


def _named(user_id: int, what: str, orders: QuerySet[Order]) -> Iterable[dict[str, Any]]:
    named = orders.order_by("-pk").values_list("reference", "order_token", "buyer")[:_MAX_LISTED]
    return [
        {"what": what, "reference": reference}
        # A guest's token is all it takes to pay and to cancel their order.
        | ({"order_token": str(token)} if buyer == user_id else {})
        for reference, token, buyer in named
    ]


def erase_account(user: User, now: datetime, *, renounced: int = 0) -> None:
    """Delete an account. The caller has verified that its owner asked for it.

    ``renounced`` is what they are owed and give up, KES, if it is too little to be sent; another
    amount than that is not given up. Raises StaffCannotLeave or UnderWay. If two requests run
    concurrently, the second one's token is refused (401). The lock also serialises this with new
    orders: an order is placed first and prevents the deletion, or it is refused.
    """
    with transaction.atomic():
        # A full lock instead of NO KEY: new rows that reference the user have to wait too.
        person = User.objects.select_for_update().get(pk=user.pk)
        if person.erased_at is not None:
            tokens.refuse("user_inactive")
        if _is_staff(person):
            raise StaffCannotLeave
        if renounced and renounced == renounceable_amount(person.pk):
            renounce(person.pk, renounced)
        if found := find_deletion_blockers(person.pk, now):
            raise UnderWay(under_way=found)
        emails.notify_of_change(person, "account_deleted", to=person.email)
        tokens.revoke_all(person.pk)
        _reserve_names(person, now)
        # Before deleting the rows that hold the file names.
        _empty_listings(person.pk)
        _delete_rows(person, now)
    erase_old_texts(user.pk)


def erase_old_guests(now: datetime) -> int:
    """Erase guests (accounts.guests) whose phone may have a new owner, or who never ordered.

    Returns how many. Guests cannot sign in, so they cannot ask for it. Orders that an account has
    claimed belong to that account. Safe to repeat and to run concurrently.
    """
    done, last = 0, 0
    # Each statement reads a batch of guests: most stay, some because something is under way.
    while keys := list(_guests_after(last)[:BATCH]):
        old = _old_guests(now).filter(pk__gt=last, pk__lte=keys[-1])
        batch = list(old.values_list("pk", flat=True))
        done += do_each(partial(_erase_guest, now=now), batch, at_most=BATCH)
        last = keys[-1]
    return done


def _guests_after(user_id: int) -> QuerySet[Guest, int]:
    return Guest.objects.filter(pk__gt=user_id).order_by("pk").values_list("pk", flat=True)


def _erase_guest(user_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        # A checkout with this phone locks this row first, and then has an order.
        person = User.objects.select_for_update().get(pk=user_id)
        if not _old_guests(now).filter(pk=user_id).exists() or find_deletion_blockers(user_id, now):
            return False
        _delete_rows(person, now)
    erase_old_texts(user_id)
    return True


def _old_guests(now: datetime) -> QuerySet[Guest]:
    placed = Order.objects.filter(guest=OuterRef("pk"))
    recently = placed.filter(created_at__gt=now - PHONE_OWNERSHIP_PERIOD)
    is_over = Q(created_at__lt=now - PHONE_OWNERSHIP_PERIOD) | ~Exists(placed)
    guests = Guest.objects.filter(is_over, ~Exists(recently), created_at__lt=now - _NEVER_ORDERED)
    return guests.order_by("pk")


def _delete_rows(person: User, now: datetime) -> None:
    _delete_whole_rows(person.pk)
    _empty_person(person, now)


def _delete_whole_rows(user_id: int) -> int:
    """Delete a user's rows of the sections of which nothing is kept; return how many."""
    whole = [entry for entry in PERSONAL_DATA if entry.erased == WHOLE]
    return sum(_delete(entry, user_id) for entry in whole)


def _delete(entry: PersonalData, user_id: int) -> int:
    """Delete a user's rows of one section, in batches: a statement takes 65,535 parameters."""
    keys = list(entry.keys_of(user_id))
    for start in range(0, len(keys), BATCH):
        entry.table._default_manager.filter(pk__in=keys[start : start + BATCH]).delete()
    return len(keys)


def erase_old_texts(user_id: int) -> int:
    """Remove an erased user's texts, phones and places from old rows; return how many rows.

    Works in batches. Safe to repeat and to run concurrently.
    """
    bought = Order.objects.filter(buyer=user_id)
    masked = Concat(Value(MASK), Right("mpesa_number", 3))
    unmasked = bought.exclude(mpesa_number__startswith=MASK[0])
    messages = Message.objects.filter(user=user_id)
    places = OrderDelivery.objects.filter(order__buyer=user_id)
    done = _change(unmasked, mpesa_number=masked)
    done += _change(bought.exclude(network=""), network="")
    done += _change(
        messages.filter(state=MessageState.DUE),
        state=MessageState.FAILED,
        next_try_at=None,
        reason="The account was deleted.",
    )
    done += _change(
        messages.exclude(contact="", subject="", text=""), contact="", subject="", text=""
    )
    for about in (Notice.objects.filter(user=user_id), Notice.objects.filter(order__buyer=user_id)):
        done += _change(about.exclude(phone="", facts={}), phone="", facts={})
    done += _change(
        places.exclude(recipient="", phone="", area="", directions=""),
        recipient="",
        phone="",
        area="",
        directions="",
    )
    return done + erase_texts(user_id)


def erase_remaining_data(now: datetime) -> int:
    """Repeat the erasure of recently erased users, for data left by a crash or a concurrent write.

    Returns how many rows. Safe to repeat and to run concurrently.
    """
    recent = User.objects.filter(erased_at__gt=now - _REPEATED_FOR).order_by("pk")
    done = 0
    for pk in recent.values_list("pk", flat=True):
        try:
            with transaction.atomic():
                done += _empty_listings(pk)
                done += _delete_whole_rows(pk)
            done += erase_old_texts(pk)
        except Exception:
            logger.exception("what is left of user %s could not be erased; tomorrow again", pk)
    return done


def _is_staff(person: User) -> bool:
    return (
        person.is_staff
        or person.is_superuser
        or person.groups.exists()
        or person.user_permissions.exists()
        or person.pickup_points.exists()
    )


def _reserve_names(person: User, now: datetime) -> None:
    """Reserve the names for NAME_RESTS_DAYS against impersonation, without keeping the owner."""
    until = now + timedelta(days=settings.NAME_RESTS_DAYS)
    claims = NameClaim.objects.filter(user=person)
    claims.filter(rests_until=None).update(rests_until=until)
    claims.update(user=None)


def _empty_listings(user_id: int) -> int:
    """Unlist a user's products and remove their descriptions and pictures; return how many.

    Call inside a transaction. The files are deleted after it commits.
    """
    pictures = Exists(ProductPicture.objects.filter(product=OuterRef("pk")))
    bare = Q(listed=False, description="", image="", thumbnail="") & ~pictures
    # By id, the order in which orders lock products.
    goods = Product.objects.filter(~bare, seller=user_id).order_by("pk")
    rows = list(goods.select_for_update(no_key=True).values_list("pk", "image", "thumbnail"))
    remove_all_pictures([pk for pk, *_ in rows])
    storage = Product._meta.get_field("image").storage
    for start in range(0, len(rows), BATCH):
        some = Product.objects.filter(pk__in=[pk for pk, *_ in rows[start : start + BATCH]])
        some.update(listed=False, description="", image="", thumbnail="")
    for name in {name for _, *names in rows for name in names if name}:
        transaction.on_commit(partial(storage.delete, name), robust=True)
    return len(rows)


def _empty_person(person: User, now: datetime) -> None:
    """Replace the user name with ``#<id>``, which no account can choose, and clear the rest."""
    picture, number = person.avatar.name, f"#{person.pk}"
    closed = User(password="")
    closed.set_unusable_password()
    User.objects.filter(pk=person.pk).update(
        username=number,
        skeleton=skeleton(number),
        email="",
        email_confirmed_at=None,
        first_name="",
        last_name="",
        gender="",
        phone="",
        # Otherwise the next payment would set it (accounts.contacts.record_paid_from).
        phone_chosen=True,
        avatar="",
        password=closed.password,
        last_login=None,
        second_factor_at=None,
        is_active=False,
        erased_at=now,
    )
    if picture:
        storage = User._meta.get_field("avatar").storage
        transaction.on_commit(partial(storage.delete, picture), robust=True)
    security_log.record_on_commit("account_erased", user=person.pk)


def _change(rows: QuerySet[Any], **changes: Any) -> int:
    """Update rows that still match the filter, in batches.

    All keys are read first, unordered (``PersonalData.keys_of`` says why).
    """
    keys = list(rows.order_by().values_list("pk", flat=True))
    return sum(
        rows.filter(pk__in=keys[start : start + BATCH]).update(**changes)
        for start in range(0, len(keys), BATCH)
    )
