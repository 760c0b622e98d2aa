"""An account is deleted: whoever it was cannot be told any more, and the books stay true.

What goes and what stays, table by table, says ``payments.people.inventory``. The person's own row
and all that opens the account go in one transaction; words and phones in old orders, messages and
reviews follow in batches, and again every night for a while, so that a crash leaves none behind.
"""

from __future__ import annotations

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
from accounts.phone_login import THEIRS_FOR
from omachemainproj.api.errors import Refusal
from omachemainproj.phones import MASK
from orders.lifecycle import taking_late_money
from orders.models import Order, OrderDelivery, OrderTrack, Parcel, PaymentStatus, Problem
from orders.models.notifications import Message, MessageState, Notice
from payments.models import Receipt, Refund
from payments.payouts.balances import balance_of
from products.listings.pictures import remove_all_pictures
from products.models import Product, ProductPicture
from products.reviews.services import forget_words

from .inventory import HOLDINGS, WHOLE

#: Rows a statement changes at most.
BATCH = 500
#: How many of each kind an answer names.
NAMED = 10
#: A guest without an order for so long was refused theirs.
_NEVER_ORDERED = timedelta(days=1)
#: For so long the nightly round looks after what was left behind.
LOOKED_AFTER = timedelta(days=30)


class UnderWay(Refusal):
    """Money or goods of this person are under way; the answer says which."""

    code = "under_way"
    message = (
        "Your account cannot be deleted yet: money or goods of yours are under way. Once they are "
        "where they belong, ask again."
    )


class StaffStay(Refusal):
    """Who works for the shop is not erased: others are bound by what they decided."""

    code = "staff_account"
    message = "You work for the shop. Ask for your roles to be taken away first."


def what_is_under_way(user_id: int, now: datetime) -> list[dict[str, Any]]:
    """What keeps an account from being deleted, ten of each kind at most.

    ``what`` is a code: ``unpaid_order``, ``late_money`` (an order that ended without money, for
    which it may come for a day), ``goods_to_come``, ``refund``, ``doubted_payment``,
    ``goods_to_hand_over``, ``problem`` (with what they bought or sold, and undecided),
    ``parcel_to_bring`` (they took it on; with its ``parcel``), ``money_owed`` (with ``amount``,
    KES; below zero it is owed to the shop, and what is kept back is owed as well). Orders are
    named by ``reference`` and ``order_token``.
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
        *_named("unpaid_order", bought.unpaid()),
        *_named("late_money", taking_late_money(bought.filter(ended), now)),
        *_named("goods_to_come", bought.filter(Exists(to_come))),
        *_named("refund", bought.filter(is_back)),
        *_named("doubted_payment", bought.filter(Q(in_doubt=True) | Exists(doubted))),
        *_named(
            "goods_to_hand_over",
            Order.objects.filter(pk__in=(sold.to_fulfil() | sold.filter(waits)).values("order")),
        ),
    ]
    undecided = Problem.objects.undecided().filter(Q(track__buyer=user_id) | Q(seller=user_id))
    found += _named("problem", Order.objects.filter(pk__in=undecided.values("track__order")))
    parcels = Parcel.objects.claimed_by(user_id).to_bring().order_by("-pk")
    for pk in parcels.values_list("pk", flat=True)[:NAMED]:
        found.append({"what": "parcel_to_bring", "parcel": pk})
    balance = balance_of(user_id)
    if any(balance):
        found.append({"what": "money_owed", "amount": balance.owed})
    return found


def _named(what: str, orders: QuerySet[Order]) -> Iterable[dict[str, Any]]:
    named = orders.order_by("-pk").values_list("reference", "order_token")[:NAMED]
    return [
        {"what": what, "reference": reference, "order_token": str(token)}
        for reference, token in named
    ]


def erase_account(user: User, now: datetime) -> None:
    """Delete a person's account; the caller has made sure that it is they who ask.

    Raises StaffStay and UnderWay; of two at once, the second is refused its token (401). Their
    orders wait for this, and it for them: an order is placed before it, and refused here, or not.
    """
    with transaction.atomic():
        # In full, not as elsewhere: what names the person as its owner waits as well.
        person = User.objects.select_for_update().get(pk=user.pk)
        if person.erased_at is not None:
            tokens.refuse("user_inactive")
        if _works_here(person):
            raise StaffStay
        if found := what_is_under_way(person.pk, now):
            raise UnderWay(under_way=found)
        emails.tell_of_change(person, "account_deleted", to=person.email)
        tokens.revoke_all(person.pk)
        _rest_names(person, now)
        # Before the rows that know the names of the files.
        _empty_listings(person.pk)
        _delete_rows(person, now)
    erase_words(user.pk)


def erase_old_guests(now: datetime) -> int:
    """Erase guests (accounts.guests) who ordered nothing for so long that their phone may be
    another's by now, and those who never got to order. Returns how many.

    Nobody could ask for it: nobody signs in as a guest. What they ordered that somebody proved to
    be theirs is that account's. Safe to run anywhere, twice, at once.
    """
    done = 0
    for pk in list(_old_guests(now).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # Who cashes out with the phone at this moment has this person locked, and an order.
            person = User.objects.select_for_update().get(pk=pk)
            if not _old_guests(now).filter(pk=pk).exists() or what_is_under_way(pk, now):
                continue
            _delete_rows(person, now)
        erase_words(pk)
        done += 1
    return done


def _old_guests(now: datetime) -> QuerySet[Guest]:
    placed = Order.objects.filter(guest=OuterRef("pk"))
    recently = placed.filter(created_at__gt=now - THEIRS_FOR)
    is_over = Q(created_at__lt=now - THEIRS_FOR) | ~Exists(placed)
    guests = Guest.objects.filter(is_over, ~Exists(recently), created_at__lt=now - _NEVER_ORDERED)
    return guests.order_by("pk")


def _delete_rows(person: User, now: datetime) -> None:
    for holding in HOLDINGS:
        if holding.goes == WHOLE:
            holding.rows_of(person.pk).delete()
    _empty_person(person, now)


def erase_words(user_id: int) -> int:
    """Take words, phones and places of an erased person out of old rows; return how many rows.

    Safe to repeat, anywhere, at once; a batch at a time.
    """
    bought = Order.objects.filter(buyer=user_id)
    masked = Concat(Value(MASK), Right("mpesa_number", 3))
    unmasked = bought.exclude(mpesa_number__startswith=MASK[0])
    told = Message.objects.filter(user=user_id)
    places = OrderDelivery.objects.filter(order__buyer=user_id)
    done = _change(unmasked, mpesa_number=masked)
    done += _change(bought.exclude(network=""), network="")
    done += _change(
        told.filter(state=MessageState.DUE),
        state=MessageState.FAILED,
        next_try_at=None,
        reason="The account was deleted.",
    )
    done += _change(told.exclude(contact="", subject="", text=""), contact="", subject="", text="")
    for about in (Notice.objects.filter(user=user_id), Notice.objects.filter(order__buyer=user_id)):
        done += _change(about.exclude(phone="", facts={}), phone="", facts={})
    done += _change(
        places.exclude(recipient="", phone="", area="", directions=""),
        recipient="",
        phone="",
        area="",
        directions="",
    )
    return done + forget_words(user_id)


def erase_what_is_left(now: datetime) -> int:
    """Erase what a crash left of people who were erased lately, and what came in that moment.

    Returns how many rows. Safe to run anywhere, twice, at once.
    """
    lately = User.objects.filter(erased_at__gt=now - LOOKED_AFTER).order_by("pk")
    done = 0
    for pk in lately.values_list("pk", flat=True):
        with transaction.atomic():
            done += _empty_listings(pk)
        done += erase_words(pk)
    return done


def _works_here(person: User) -> bool:
    return (
        person.is_staff
        or person.is_superuser
        or person.groups.exists()
        or person.user_permissions.exists()
        or person.pickup_points.exists()
    )


def _rest_names(person: User, now: datetime) -> None:
    """Nobody poses by a name of theirs for a year; whose it was is not kept."""
    until = now + timedelta(days=settings.NAME_RESTS_DAYS)
    claims = NameClaim.objects.filter(user=person)
    claims.filter(rests_until=None).update(rests_until=until)
    claims.update(user=None)


def _empty_listings(user_id: int) -> int:
    """Take what they sell off sale, and its pictures and words away; return how many listings.

    In a transaction. Files are deleted once it is committed.
    """
    pictures = Exists(ProductPicture.objects.filter(product=OuterRef("pk")))
    bare = Q(listed=False, description="", image="", thumbnail="") & ~pictures
    # By id, as orders lock goods.
    goods = Product.objects.filter(~bare, seller=user_id).order_by("pk")
    found = list(goods.select_for_update(no_key=True).values_list("pk", "image", "thumbnail"))
    remove_all_pictures([pk for pk, *_ in found])
    storage = Product._meta.get_field("image").storage
    for start in range(0, len(found), BATCH):
        some = Product.objects.filter(pk__in=[pk for pk, *_ in found[start : start + BATCH]])
        some.update(listed=False, description="", image="", thumbnail="")
    for name in {name for _, *names in found for name in names if name}:
        transaction.on_commit(partial(storage.delete, name), robust=True)
    return len(found)


def _empty_person(person: User, now: datetime) -> None:
    """Leave a number. No name of a person's has that sign, so nobody has or gets this one."""
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
        # Else the next payment would fill it in (accounts.contacts.record_paid_from).
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
    """Change rows that still need it, a batch at a time; each is asked about again.

    Their keys are read at once, and in no order (``Holding.keys_of`` says why).
    """
    keys = list(rows.order_by().values_list("pk", flat=True))
    return sum(
        rows.filter(pk__in=keys[start : start + BATCH]).update(**changes)
        for start in range(0, len(keys), BATCH)
    )
