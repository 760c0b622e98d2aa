"""Writes the messages of a notification: recipients, language and channels.

Runs after commit, so that the transaction of the event only pays for one insert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.contacts import has_proven_email, may_be_written_to
from accounts.models import Address, Language, User
from accounts.preferences import preferences_of
from omachemainproj.compiled_queries import Update, compiled, compiled_update
from omachemainproj.inserts import insert
from omachemainproj.money import format_kes
from orders.models import CANCELLED_LINE_STATUSES, Order, OrderDelivery, OrderTrack, Party
from orders.models.notifications import (
    TO_STAFF,
    InboxNotice,
    Message,
    MessageChannel,
    Notice,
    NotificationKind,
)

from . import rendering
from .channels import is_sms_on
from .links import Link, Page, link_to
from .outdated import OF_LINES, current_lines, is_outdated
from .places import collect_sentence, place_of, where_sentence
from .problem_words import problem_words
from .rendering import Item
from .to_support import write_to_support

#: The group of message preferences each kind belongs to.
_PREFERENCES = {
    NotificationKind.PAID: "buying",
    NotificationKind.SHIPPED: "buying",
    NotificationKind.ARRIVED: "buying",
    NotificationKind.ATTEMPTED: "buying",
    NotificationKind.WAITING: "buying",
    NotificationKind.UNCOLLECTED: "buying",
    NotificationKind.DELIVERED: "buying",
    NotificationKind.GOES_BACK: "buying",
    NotificationKind.REFUNDED: "buying",
    NotificationKind.PROMPT_FAILED: "prompts",
    NotificationKind.SOLD: "selling",
    NotificationKind.PAID_OUT: "selling",
    NotificationKind.PAYOUT_FAILED: "selling",
}
#: Kinds for buyer or seller, depending on ``to`` of the notice.
OF_A_PROBLEM = {
    NotificationKind.PROBLEM,
    NotificationKind.PROBLEM_REPLY,
    NotificationKind.PROBLEM_ENDED,
}


@dataclass(frozen=True, slots=True)
class _Draft:
    """The content of the messages for one person; amounts in KES."""

    user: User
    phone: str
    amount: int
    reference: str
    link: Link
    items: list[Item] = field(default_factory=list)
    #: For a buyer: the destination of the order.
    delivery: OrderDelivery | None = None
    #: The buyer is a guest, without an account.
    is_guest: bool = False
    #: For a seller: whether an agent collects the goods, and where.
    is_collected: bool = False
    collected_at: Address | None = None


class _OrderContext:
    """The order that notifications are about, read once for all of them."""

    def __init__(self, order_id: int | None) -> None:
        self._order_id = order_id or 0

    @cached_property
    def order(self) -> Order:
        """The order with its buyer, the buyer's preferences and the destination."""
        return _order_to_notify_about(self._order_id)[0]

    @cached_property
    def lines(self) -> list[OrderTrack]:
        """Its lines that are not cancelled, by id, with sellers and their preferences."""
        return _lines_to_notify_about(self._order_id)


@compiled
def _order_to_notify_about(order: int) -> QuerySet[Order]:
    beside = "buyer__message_preferences", "delivery__pickup_point"
    return Order.objects.filter(pk=order).select_related(*beside)


@compiled
def _lines_to_notify_about(order: int) -> QuerySet[OrderTrack]:
    active = OrderTrack.objects.filter(order=order).exclude(
        track_status__in=CANCELLED_LINE_STATUSES
    )
    return active.select_related("seller__message_preferences").order_by("pk")


@transaction.atomic
def compose(notice_id: int) -> int:
    """Write the messages of a notification and return how many. Safe to repeat and concurrently.

    None are written against the recipient's preferences, to an unverified address or phone
    (accounts.contacts), or if the notification is outdated. Except for the latter, and those for
    staff, it is still stored for the app (InboxNotice). Notifications about lines of one order
    (OF_LINES) are combined.
    """
    notices = _lock(notice_id)
    return _write([notices]) if notices else 0


@transaction.atomic
def compose_for_order(order_id: int) -> int | None:
    """Like ``compose``, for all due notifications of an order; None if there are none."""
    due = _due_of_order(order_id)
    if not due:
        return None
    combined: dict[object, list[Notice]] = {}
    for notice in due:
        together = (notice.kind, notice.user_id) if notice.kind in OF_LINES else notice.pk
        combined.setdefault(together, []).append(notice)
    return _write(list(combined.values()))


def _write(groups: Sequence[list[Notice]]) -> int:
    """Write the messages of locked notifications and return how many.

    Those in a group are combined. All belong to one order, or there is only one.
    """
    if not groups:
        return 0
    context = _OrderContext(groups[0][0].order_id)
    messages: list[Message] = []
    in_app: list[InboxNotice] = []
    for notices in groups:
        kind = NotificationKind(notices[0].kind)
        if kind in TO_STAFF:
            messages += write_to_support(notices[0])
        elif not _is_outdated(notices[0], context):
            drafts = list(_DRAFTS[kind](notices, context))
            messages += [message for draft in drafts for message in _render(notices[0], draft)]
            in_app += [_for_the_app(notices, draft) for draft in drafts]
    insert(messages)
    insert(in_app)
    _mark_composed([notice.pk for notices in groups for notice in notices], timezone.now())
    return len(messages)


@compiled_update
def _mark_composed(notices: Sequence[int], now: datetime) -> Update:
    return Notice.objects.filter(pk__in=notices), {"composed_at": now}


def _is_outdated(notice: Notice, context: _OrderContext) -> bool:
    """Like ``is_outdated``; for paid and sold, uses the lines that are read anyway."""
    if notice.kind in {NotificationKind.PAID, NotificationKind.SOLD}:
        return not context.lines
    return is_outdated(notice)


def _lock(notice_id: int) -> list[Notice]:
    """Lock a notification and those combined with it, by id; [] if already composed."""
    for notice in _due(notice_id):
        if notice.kind in OF_LINES and notice.order_id is not None:
            due = Notice.objects.to_compose().select_for_update(no_key=True).order_by("pk")
            return list(due.filter(order=notice.order_id, kind=notice.kind, user=notice.user_id))
    return _due_and_locked(notice_id)


@compiled
def _due(notice: int) -> QuerySet[Notice]:
    return Notice.objects.to_compose().filter(pk=notice)


@compiled
def _due_and_locked(notice: int) -> QuerySet[Notice]:
    return Notice.objects.to_compose().select_for_update(no_key=True).filter(pk=notice)


@compiled
def _due_of_order(order: int) -> QuerySet[Notice]:
    due = Notice.objects.to_compose().select_for_update(no_key=True)
    return due.filter(order=order).order_by("pk")


def _draft_for_buyer(notices: list[Notice], context: _OrderContext) -> Iterator[_Draft]:
    notice, order = notices[0], context.order
    lines: Iterable[OrderTrack] = []
    if notice.kind == NotificationKind.PAID:
        lines = context.lines
    elif notice.kind in OF_LINES:
        lines = current_lines(notice).filter(notices__in=notices).distinct()
    with_codes = notice.kind != NotificationKind.DELIVERED
    yield _Draft(
        user=order.buyer,
        phone=notice.phone or order.mpesa_number,
        amount=notice.facts.get("amount", order.amount),
        reference=order.reference,
        link=link_to(Page.ORDER, order),
        items=[
            Item(line.name, line.number, (line.shown_code or "") if with_codes else "")
            for line in lines
        ],
        delivery=getattr(order, "delivery", None),
        is_guest=order.is_of_guest,
    )


def _drafts_for_sellers(notices: list[Notice], context: _OrderContext) -> Iterator[_Draft]:
    """One draft per seller, with all their lines of the order."""
    order = context.order
    is_collected = hasattr(order, "delivery")
    sold = sorted(context.lines, key=lambda line: line.seller_id)
    places: dict[int, Address] = {}
    if is_collected:
        sellers = {line.seller_id for line in sold}
        of_sellers = Address.objects.collection_places().filter(user__in=sellers)
        places = {place.user_id: place for place in of_sellers}
    for seller_id, lines in groupby(sold, key=lambda line: line.seller_id):
        theirs = list(lines)
        yield _Draft(
            user=theirs[0].seller,
            phone=theirs[0].payment_mpesa_number,
            amount=sum(line.amount for line in theirs),
            reference=order.reference,
            link=link_to(Page.SALES, order),
            items=[Item(line.name, line.number) for line in theirs],
            is_collected=is_collected,
            collected_at=places.get(seller_id),
        )


def _draft_for_user(notices: list[Notice], _: _OrderContext) -> Iterator[_Draft]:
    notice = notices[0]
    yield _Draft(
        user=User.objects.select_related("message_preferences").get(notices=notice),
        phone=notice.phone,
        amount=notice.facts["amount"],
        reference="",
        link=link_to(Page.MONEY),
    )


def _draft_for_party(notices: list[Notice], _: _OrderContext) -> Iterator[_Draft]:
    """One draft, for the line's buyer or seller, depending on ``to`` of the notice."""
    notice = notices[0]
    line = OrderTrack.objects.select_related(
        "order", "buyer__message_preferences", "seller__message_preferences"
    ).get(notices=notice)
    is_buyer = notice.facts["to"] == Party.BUYER
    yield _Draft(
        user=line.buyer if is_buyer else line.seller,
        phone=line.order.mpesa_number if is_buyer else line.payment_mpesa_number,
        amount=notice.facts.get("amount", line.net_amount),
        reference=line.order.reference,
        link=link_to(Page.ORDER if is_buyer else Page.SALES, line.order),
        items=[Item(line.name, line.number)],
    )


_DRAFTS: dict[NotificationKind, Callable[[list[Notice], _OrderContext], Iterator[_Draft]]] = {
    NotificationKind.PAID: _draft_for_buyer,
    NotificationKind.PROMPT_FAILED: _draft_for_buyer,
    NotificationKind.SHIPPED: _draft_for_buyer,
    NotificationKind.ARRIVED: _draft_for_buyer,
    NotificationKind.ATTEMPTED: _draft_for_buyer,
    NotificationKind.WAITING: _draft_for_buyer,
    NotificationKind.UNCOLLECTED: _draft_for_buyer,
    NotificationKind.DELIVERED: _draft_for_buyer,
    NotificationKind.GOES_BACK: _draft_for_buyer,
    NotificationKind.REFUNDED: _draft_for_buyer,
    NotificationKind.SOLD: _drafts_for_sellers,
    NotificationKind.PAID_OUT: _draft_for_user,
    NotificationKind.PAYOUT_FAILED: _draft_for_user,
    NotificationKind.PROBLEM: _draft_for_party,
    NotificationKind.PROBLEM_REPLY: _draft_for_party,
    NotificationKind.PROBLEM_ENDED: _draft_for_party,
}


def _render(notice: Notice, draft: _Draft) -> Iterator[Message]:
    """Yield a message for each channel the recipient has chosen and can be reached on."""
    preferences = preferences_of(draft.user)
    language, group = preferences.language, _preference(notice)
    values = _template_values(notice, draft, language)
    message = partial(
        Message,
        notice=notice,
        user=draft.user,
        kind=notice.kind,
        language=language,
        next_try_at=timezone.now(),
    )
    if getattr(preferences, f"{group}_email") and has_proven_email(draft.user):
        filled = values | _places(notice, draft, language, in_full=True)
        subject, text = rendering.render_email(
            notice.kind, language, filled, draft.items, link=draft.link
        )
        yield message(
            channel=MessageChannel.EMAIL, contact=draft.user.email, subject=subject, text=text
        )
    wants_sms = is_sms_on() and getattr(preferences, f"{group}_sms")
    # Anyone can cause prompts to a guest's phone, and would cause these SMS, too.
    wants_sms = wants_sms and not (draft.is_guest and group == "prompts")
    if wants_sms and may_be_written_to(draft.user.pk, draft.phone, timezone.now()):
        filled = values | _places(notice, draft, language, in_full=False)
        text = rendering.render_sms(notice.kind, language, filled, draft.items)
        yield message(channel=MessageChannel.SMS, contact=draft.phone, text=text)


def _places(notice: Notice, draft: _Draft, language: str, *, in_full: bool) -> dict[str, str]:
    """The template values about places; empty without a delivery."""
    kind, to = notice.kind, draft.delivery
    collect = collect_sentence(language, draft.collected_at) if draft.is_collected else ""
    return {
        "place": place_of(kind, language, to, in_full=in_full),
        "where": where_sentence(kind, language, to, in_full=in_full),
        "collect": collect,
    }


def _for_the_app(notices: list[Notice], draft: _Draft) -> InboxNotice:
    """The draft for the app, in both languages and without codes; places as in an SMS."""
    notice = notices[0]
    texts = {}
    for language in Language.values:
        values = _template_values(notice, draft, language)
        values |= _places(notice, draft, language, in_full=False)
        title, text = rendering.render_in_app(notice.kind, language, values, draft.items)
        texts[language] = {"title": title, "text": text}
    return InboxNotice(
        notice=notice,
        user=draft.user,
        kind=notice.kind,
        order_id=notice.order_id,
        track_id=notice.track_id if len(notices) == 1 else None,
        said=texts,
    )


def _preference(notice: Notice) -> str:
    """The group of message preferences a notification belongs to."""
    kind = NotificationKind(notice.kind)
    if kind in OF_A_PROBLEM:
        return "buying" if notice.facts["to"] == Party.BUYER else "selling"
    return _PREFERENCES[kind]


def _template_values(notice: Notice, draft: _Draft, language: str) -> dict[str, str]:
    facts: dict[str, Any] = notice.facts
    why = facts.get("why", {}).get(language, "")
    return {
        "name": draft.user.first_name or draft.user.username,
        "amount": format_kes(draft.amount),
        "reference": draft.reference,
        "why": why,
        "because": f" {why}" if why else "",
        "until": facts.get("until", ""),
        "by_hand": rendering.manual_payment_sentence(language, facts.get("by_hand")),
        "sign_in": (
            rendering.sign_in_sentence(language, settings.FRONTEND_URL) if draft.is_guest else ""
        ),
        "receipt": rendering.receipt_sentence(language, facts.get("receipt")),
        "about": problem_words(
            language, facts.get("about"), to=facts.get("to"), amount=format_kes(draft.amount)
        ),
    }
