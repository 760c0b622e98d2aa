"""Telling support of a problem: by e-mail, and of nothing that its buyer wrote.

Who works for the shop gets this as a part of that work: no preference of theirs keeps it away but
for the language, and it is not in the app, where they read about what they buy and sell.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.backoffice.conflicts import find_parties, is_party
from accounts.contacts import verified_email
from accounts.models import User
from accounts.preferences import preferences_of
from orders.models.notifications import Message, MessageChannel, Notice
from orders.models.orders import OrderTrack

from .problem_words import problem_words
from .templates import Item, greet, list_items


@dataclass(frozen=True, slots=True)
class _Letter:
    subject: str
    text: str
    #: Where it is. The shop knows no address of its own that people who work for it open.
    where: str
    signature: str


_LETTERS = {
    "en": _Letter(
        "A problem with order {reference}: {about}",
        "The buyer of order {reference} reports a problem, {about}:\n\n{items}\n\n"
        "Its seller was told, and is to answer; their money for it waits. Where the two do not "
        "settle it, the shop decides.",
        "It is on the shop's console, among the problems with goods:\n{path}",
        "O-Mache\n\nYou get this because you have the role support.",
    ),
    "sw": _Letter(
        "Tatizo kwenye oda {reference}: {about}",
        "Mnunuzi wa oda {reference} ana tatizo, {about}:\n\n{items}\n\n"
        "Muuzaji amejulishwa, naye anatakiwa kujibu; malipo yake yanasubiri. Wasipokubaliana, duka "
        "litaamua.",
        "Liko kwenye console ya duka, kati ya “Problems with goods”:\n{path}",
        "O-Mache\n\nUnapata barua hii kwa sababu unafanya kazi ya “support” dukani.",
    ),
}


def write_to_support(notice: Notice) -> list[Message]:
    """The e-mails, not stored, that tell support of a problem: one for each who may decide it.

    To the active staff in the role ``support`` whose e-mail is confirmed, but for who has a part in
    the line, by their account or a number of theirs.
    """
    line = OrderTrack.objects.select_related("order").get(notices=notice)
    parties = find_parties(line)
    return [
        _write(notice, line, to=person) for person in _support() if not is_party(person, parties)
    ]


def _support() -> QuerySet[User]:
    people = User.objects.filter(verified_email(), is_active=True, is_staff=True)
    return (
        people.filter(groups__name="support").select_related("message_preferences").order_by("pk")
    )


def _write(notice: Notice, line: OrderTrack, *, to: User) -> Message:
    language = preferences_of(to).language
    subject, text = render(
        language,
        name=to.first_name or to.username,
        reference=line.order.reference,
        about=notice.facts["about"],
        item=Item(line.name, line.number),
        problem_id=notice.facts["problem"],
    )
    return Message(
        notice=notice,
        user=to,
        kind=notice.kind,
        language=language,
        channel=MessageChannel.EMAIL,
        contact=to.email,
        subject=subject,
        text=text,
        next_try_at=timezone.now(),
    )


def render(
    language: str, *, name: str, reference: str, about: str, item: Item, problem_id: int
) -> tuple[str, str]:
    """The subject and the text that tell of a problem; ``about`` is its kind."""
    letter = _LETTERS[language]
    words = problem_words(language, about, to=None, amount="")
    # The console stands above this app: its page is named here, and not imported.
    path = reverse("console-timeline", args=["problem", problem_id])
    parts = (
        greet(language, name),
        letter.text.format(reference=reference, about=words, items=list_items([item], language)),
        letter.where.format(path=path),
        letter.signature,
    )
    return letter.subject.format(reference=reference, about=words), "\n\n".join(parts) + "\n"
