"""E-mails that notify support of a new problem. They quote nothing that the buyer wrote.

They are part of the job: of a recipient's message preferences only the language counts, and they
are not in the app, which is about what people buy and sell themselves.
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
from orders.models.lines import OrderTrack
from orders.models.notifications import Message, MessageChannel, Notice

from .problem_words import problem_words
from .rendering import Item, greet, list_items


@dataclass(frozen=True, slots=True)
class _SupportMail:
    subject: str
    text: str
    #: Names the console page by its path: no setting holds the address staff open.
    where: str
    signature: str


_LETTERS = {
    "en": _SupportMail(
        "A problem with order {reference}: {about}",
        "The buyer of order {reference} reported a problem ({about}):\n\n{items}\n\n"
        "The seller was notified and should answer; their money for it is on hold. If the two do "
        "not agree, the shop decides.",
        "You find it on the console under “Problems with goods”:\n{path}",
        "O-Mache\n\nYou get this e-mail because you have the support role.",
    ),
    "sw": _SupportMail(
        "Tatizo kwenye oda {reference}: {about}",
        "Mnunuzi wa oda {reference} ana tatizo, {about}:\n\n{items}\n\n"
        "Muuzaji amejulishwa, naye anatakiwa kujibu; malipo yake yanasubiri. Wasipokubaliana, duka "
        "litaamua.",
        "Liko kwenye console ya duka, kati ya “Problems with goods”:\n{path}",
        "O-Mache\n\nUnapata barua hii kwa sababu unafanya kazi ya “support” dukani.",
    ),
}


def write_to_support(notice: Notice) -> list[Message]:
    """Return e-mails, not saved yet, to everyone in support who may decide about a problem.

    These are active staff in the ``support`` role with a confirmed e-mail address and without a
    conflict of interest in the line.
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
    """Return the subject and text of the e-mail; ``about`` is the kind of problem."""
    letter = _LETTERS[language]
    words = problem_words(language, about, to=None, amount="")
    # The console is in an app above this one, so its page is reversed by name, not imported.
    path = reverse("console-timeline", args=["problem", problem_id])
    parts = (
        greet(language, name),
        letter.text.format(reference=reference, about=words, items=list_items([item], language)),
        letter.where.format(path=path),
        letter.signature,
    )
    return letter.subject.format(reference=reference, about=words), "\n\n".join(parts) + "\n"
