"""Putting what is to be told into words: for whom, in which language, over which channels.

After commit and off the hot path, so that what happened costs one insert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import MessagePreferences, User
from accounts.preferences import preferences_of
from omachemainproj.money import format_kes
from orders.models import Order, OrderTrack, TrackStatus
from orders.models.notifications import Channel, Kind, Message, Notice

from . import templates as letters
from .channels import is_sms_on
from .templates import Item

#: Which of a person's choices a kind falls under.
_GROUPS = {
    Kind.PAID: "buying",
    Kind.SHIPPED: "buying",
    Kind.DELIVERED: "buying",
    Kind.REFUNDED: "buying",
    Kind.PROMPT_FAILED: "prompts",
    Kind.SOLD: "selling",
    Kind.PAID_OUT: "selling",
}
#: Kinds of which all that waits for one order is one message.
_GATHERED = {Kind.SHIPPED, Kind.DELIVERED}


@dataclass(frozen=True, slots=True)
class _Draft:
    """What one person is to read; amounts in KES."""

    user: User
    phone: str
    amount: int
    reference: str
    items: list[Item] = field(default_factory=list)


@transaction.atomic
def compose(notice_id: int) -> int:
    """Write the messages for a thing to tell, and return how many. Safe to repeat, at once.

    None for who does not want to be told, or cannot be reached. Lines of one order that wait to be
    told alike go into one message.
    """
    notices = _locked(notice_id)
    if not notices:
        return 0
    kind = Kind(notices[0].kind)
    messages = [
        message for letter in _READERS[kind](notices) for message in _write(notices[0], letter)
    ]
    Message.objects.bulk_create(messages)
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(
        composed_at=timezone.now()
    )
    return len(messages)


def _locked(notice_id: int) -> list[Notice]:
    """The thing to tell and what goes with it, locked in one order; none where it was composed."""
    notice = Notice.objects.to_compose().filter(pk=notice_id).first()
    if notice is None:
        return []
    waiting = Notice.objects.to_compose().select_for_update(no_key=True).order_by("pk")
    if notice.kind in _GATHERED and notice.order_id is not None:
        return list(waiting.filter(order=notice.order_id, kind=notice.kind, user=notice.user_id))
    return list(waiting.filter(pk=notice_id))


def _for_buyer(notices: list[Notice]) -> Iterator[_Draft]:
    notice = notices[0]
    order = Order.objects.select_related("buyer__message_preferences").get(notices=notice)
    if notice.kind == Kind.PROMPT_FAILED and not order.is_unpaid:
        # Paid or given up meanwhile: there is nothing left to try again.
        return
    lines: Iterable[OrderTrack] = []
    if notice.kind == Kind.PAID:
        lines = order.tracks.order_by("pk")
    elif notice.kind in _GATHERED:
        lines = OrderTrack.objects.filter(notices__in=notices).distinct().order_by("pk")
    with_codes = notice.kind != Kind.DELIVERED
    yield _Draft(
        user=order.buyer,
        phone=notice.phone or order.mpesa_number,
        amount=notice.facts.get("amount", order.amount),
        reference=order.reference,
        items=[
            Item(line.name, line.number, (line.shown_code or "") if with_codes else "")
            for line in lines
        ],
    )


def _for_sellers(notices: list[Notice]) -> Iterator[_Draft]:
    """One letter a seller, with all that the order has of theirs."""
    order = Order.objects.get(notices=notices[0])
    tracks = order.tracks.select_related("seller__message_preferences")
    sold = tracks.exclude(track_status=TrackStatus.CANCELLED).order_by("seller_id", "pk")
    for _, lines in groupby(sold, key=lambda line: line.seller_id):
        theirs = list(lines)
        yield _Draft(
            user=theirs[0].seller,
            phone=theirs[0].payment_mpesa_number,
            amount=sum(line.amount for line in theirs),
            reference=order.reference,
            items=[Item(line.name, line.number) for line in theirs],
        )


def _for_who_is_named(notices: list[Notice]) -> Iterator[_Draft]:
    notice = notices[0]
    yield _Draft(
        user=User.objects.select_related("message_preferences").get(notices=notice),
        phone=notice.phone,
        amount=notice.facts["amount"],
        reference="",
    )


_READERS: dict[Kind, Callable[[list[Notice]], Iterator[_Draft]]] = {
    Kind.PAID: _for_buyer,
    Kind.PROMPT_FAILED: _for_buyer,
    Kind.SHIPPED: _for_buyer,
    Kind.DELIVERED: _for_buyer,
    Kind.REFUNDED: _for_buyer,
    Kind.SOLD: _for_sellers,
    Kind.PAID_OUT: _for_who_is_named,
}


def _write(notice: Notice, letter: _Draft) -> Iterator[Message]:
    preferences = preferences_of(letter.user)
    language = preferences.language
    values = _values(notice, letter, language)
    for channel, contact in _ways(preferences, Kind(notice.kind), letter):
        subject = ""
        if channel == Channel.SMS:
            text = letters.render_sms(notice.kind, language, values, letter.items)
        else:
            subject, text = letters.render_email(notice.kind, language, values, letter.items)
        yield Message(
            notice=notice,
            user=letter.user,
            kind=notice.kind,
            channel=channel,
            language=language,
            contact=contact,
            subject=subject,
            text=text,
            next_try_at=timezone.now(),
        )


def _ways(
    preferences: MessagePreferences, kind: Kind, letter: _Draft
) -> Iterator[tuple[Channel, str]]:
    group = _GROUPS[kind]
    if letter.user.email and getattr(preferences, f"{group}_email"):
        yield Channel.EMAIL, letter.user.email
    if letter.phone and is_sms_on() and getattr(preferences, f"{group}_sms"):
        yield Channel.SMS, letter.phone


def _values(notice: Notice, letter: _Draft, language: str) -> dict[str, str]:
    facts: dict[str, Any] = notice.facts
    way = facts.get("by_hand")
    return {
        "name": letter.user.first_name or letter.user.username,
        "amount": format_kes(letter.amount),
        "reference": letter.reference,
        "why": facts.get("why", {}).get(language, ""),
        "by_hand": letters.by_hand(language, way) if way else "",
        "receipt": letters.receipt(language, facts.get("receipt", "")),
    }
