"""Writing the messages of a notification: for whom, in which language, over which channels.

Done after commit, so that the transaction a notification is about pays for one insert only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.contacts import has_proven_email, may_be_written_to
from accounts.models import Address, Language, User
from accounts.preferences import preferences_of
from omachemainproj.money import format_kes
from orders.models import OFF, Order, OrderDelivery, OrderTrack, Party
from orders.models.notifications import (
    TO_STAFF,
    InboxNotice,
    Message,
    MessageChannel,
    Notice,
    NotificationKind,
)

from . import templates
from .channels import is_sms_on
from .links import Link, Page, link_to
from .outdated import OF_LINES, current_lines, is_outdated
from .places import collect_sentence, place_of, where_sentence
from .problem_words import problem_words
from .templates import Item
from .to_support import write_to_support

#: Which of a person's preferences a kind falls under.
_PREFERENCES = {
    NotificationKind.PAID: "buying",
    NotificationKind.SHIPPED: "buying",
    NotificationKind.ARRIVED: "buying",
    NotificationKind.DELIVERED: "buying",
    NotificationKind.GOES_BACK: "buying",
    NotificationKind.REFUNDED: "buying",
    NotificationKind.PROMPT_FAILED: "prompts",
    NotificationKind.SOLD: "selling",
    NotificationKind.PAID_OUT: "selling",
}
#: Kinds that go to buyer or seller, as the notice says in ``to``.
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
    #: Where the goods of a buyer's go.
    delivery: OrderDelivery | None = None
    #: Of a seller's, that an agent comes for them, and where to.
    is_collected: bool = False
    collected_at: Address | None = None


@transaction.atomic
def compose(notice_id: int) -> int:
    """Write the messages of a notification, and return how many. Safe to repeat, at once.

    There are none for people who chose not to get them, none to an inbox or a phone that has not
    proven itself (accounts.contacts), and none of what is not so any more. What there are none of
    for such a reason waits in the app all the same (InboxNotice), but for what goes to staff.
    Notifications of one order that some line is shipped or delivered are combined.
    """
    notices = _lock(notice_id)
    if not notices:
        return 0
    kind = NotificationKind(notices[0].kind)
    if kind in TO_STAFF:
        drafts, messages = [], write_to_support(notices[0])
    else:
        drafts = [] if is_outdated(notices[0]) else list(_DRAFTS[kind](notices))
        messages = [message for draft in drafts for message in _render(notices[0], draft)]
    Message.objects.bulk_create(messages)
    InboxNotice.objects.bulk_create([_for_the_app(notices, draft) for draft in drafts])
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(
        composed_at=timezone.now()
    )
    return len(messages)


def _lock(notice_id: int) -> list[Notice]:
    """The notification and those combined with it, locked by id; none if it is written already."""
    notice = Notice.objects.to_compose().filter(pk=notice_id).first()
    if notice is None:
        return []
    due = Notice.objects.to_compose().select_for_update(no_key=True).order_by("pk")
    if notice.kind in OF_LINES and notice.order_id is not None:
        return list(due.filter(order=notice.order_id, kind=notice.kind, user=notice.user_id))
    return list(due.filter(pk=notice_id))


def _draft_for_buyer(notices: list[Notice]) -> Iterator[_Draft]:
    notice = notices[0]
    order = Order.objects.select_related(
        "buyer__message_preferences", "delivery__pickup_point"
    ).get(notices=notice)
    lines: Iterable[OrderTrack] = []
    if notice.kind == NotificationKind.PAID:
        lines = current_lines(notice)
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
    )


def _drafts_for_sellers(notices: list[Notice]) -> Iterator[_Draft]:
    """One draft a seller, with all their lines of the order."""
    order = Order.objects.select_related("delivery").get(notices=notices[0])
    is_collected = hasattr(order, "delivery")
    tracks = order.tracks.select_related("seller__message_preferences")
    sold = tracks.exclude(track_status__in=OFF).order_by("seller_id", "pk")
    of_sellers = Address.objects.collection_places().filter(user__in=sold.values("seller"))
    places = {place.user_id: place for place in of_sellers} if is_collected else {}
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


def _draft_for_user(notices: list[Notice]) -> Iterator[_Draft]:
    notice = notices[0]
    yield _Draft(
        user=User.objects.select_related("message_preferences").get(notices=notice),
        phone=notice.phone,
        amount=notice.facts["amount"],
        reference="",
        link=link_to(Page.MONEY),
    )


def _draft_for_party(notices: list[Notice]) -> Iterator[_Draft]:
    """One draft, for the buyer or the seller of the line, as the notice says."""
    notice = notices[0]
    line = OrderTrack.objects.select_related(
        "order", "buyer__message_preferences", "seller__message_preferences"
    ).get(notices=notice)
    is_buyer = notice.facts["to"] == Party.BUYER
    yield _Draft(
        user=line.buyer if is_buyer else line.seller,
        phone=line.order.mpesa_number if is_buyer else line.payment_mpesa_number,
        amount=notice.facts.get("amount", line.rest),
        reference=line.order.reference,
        link=link_to(Page.ORDER if is_buyer else Page.SALES, line.order),
        items=[Item(line.name, line.number)],
    )


_DRAFTS: dict[NotificationKind, Callable[[list[Notice]], Iterator[_Draft]]] = {
    NotificationKind.PAID: _draft_for_buyer,
    NotificationKind.PROMPT_FAILED: _draft_for_buyer,
    NotificationKind.SHIPPED: _draft_for_buyer,
    NotificationKind.ARRIVED: _draft_for_buyer,
    NotificationKind.DELIVERED: _draft_for_buyer,
    NotificationKind.GOES_BACK: _draft_for_buyer,
    NotificationKind.REFUNDED: _draft_for_buyer,
    NotificationKind.SOLD: _drafts_for_sellers,
    NotificationKind.PAID_OUT: _draft_for_user,
    NotificationKind.PROBLEM: _draft_for_party,
    NotificationKind.PROBLEM_REPLY: _draft_for_party,
    NotificationKind.PROBLEM_ENDED: _draft_for_party,
}


def _render(notice: Notice, draft: _Draft) -> Iterator[Message]:
    """The draft as a message for each channel that its reader wants and can be reached over."""
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
    if getattr(preferences, f"{group}_email") and has_proven_email(draft.user.pk):
        said = values | _places(notice, draft, language, in_full=True)
        subject, text = templates.render_email(
            notice.kind, language, said, draft.items, link=draft.link
        )
        yield message(
            channel=MessageChannel.EMAIL, contact=draft.user.email, subject=subject, text=text
        )
    wants_sms = is_sms_on() and getattr(preferences, f"{group}_sms")
    if wants_sms and may_be_written_to(draft.user.pk, draft.phone, timezone.now()):
        said = values | _places(notice, draft, language, in_full=False)
        text = templates.render_sms(notice.kind, language, said, draft.items)
        yield message(channel=MessageChannel.SMS, contact=draft.phone, text=text)


def _places(notice: Notice, draft: _Draft, language: str, *, in_full: bool) -> dict[str, str]:
    """Where goods go, or are collected; nothing of it where there is no delivery."""
    kind, to = notice.kind, draft.delivery
    collect = collect_sentence(language, draft.collected_at) if draft.is_collected else ""
    return {
        "place": place_of(kind, language, to, in_full=in_full),
        "where": where_sentence(kind, language, to, in_full=in_full),
        "collect": collect,
    }


def _for_the_app(notices: list[Notice], draft: _Draft) -> InboxNotice:
    """The draft as it waits in the app, in both languages and without codes; of where goods go it
    says what an SMS says."""
    notice = notices[0]
    said = {}
    for language in Language.values:
        values = _template_values(notice, draft, language)
        values |= _places(notice, draft, language, in_full=False)
        title, text = templates.render_in_app(notice.kind, language, values, draft.items)
        said[language] = {"title": title, "text": text}
    return InboxNotice(
        notice=notice,
        user=draft.user,
        kind=notice.kind,
        order_id=notice.order_id,
        track_id=notice.track_id if len(notices) == 1 else None,
        said=said,
    )


def _preference(notice: Notice) -> str:
    """Which of its reader's preferences a notification falls under."""
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
        "by_hand": templates.manual_payment_sentence(language, facts.get("by_hand")),
        "receipt": templates.receipt_sentence(language, facts.get("receipt")),
        "about": problem_words(
            language, facts.get("about"), to=facts.get("to"), amount=format_kes(draft.amount)
        ),
    }
