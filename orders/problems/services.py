"""Reporting a problem with a line, and the messages in its thread. Decisions are in decisions.py.

Locks: the order, its line, the buyer, the problem. Adding a message locks the problem alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.tokens import refuse
from omachemainproj.api.errors import Refusal
from omachemainproj.images import Picture
from omachemainproj.locking import lock_row
from orders.fulfilment import lock_line
from orders.idempotency import REPEAT_WINDOW
from orders.models import OrderTrack, Party, Problem, ProblemMessage, ProblemPicture, TrackStatus
from orders.models.line_status import SOLD_LINE_STATUSES
from orders.models.notifications import Notice, NotificationKind
from orders.notifications.notify import notify

#: Maximum number of problems a buyer may report per day.
PROBLEMS_A_DAY = 20
#: Maximum number of messages buyer and seller may each write about one problem.
MESSAGES_EACH = 50
#: Minimum time between two notifications of new messages to a party.
NOTICE_INTERVAL = timedelta(hours=1)
#: Minimum time between two notifications of new problems with one line to support.
SUPPORT_NOTICE_INTERVAL = timedelta(days=1)


class NoSuchProblem(Refusal):
    """The line has no problem, or it is not the caller's."""

    code = "problem_not_found"
    message = "No problem has been reported for this item."
    status_code = 404


class ProblemOpen(Refusal):
    """Another problem with the line is undecided."""

    code = "problem_open"
    message = "You have already reported a problem with this item. Add to that report instead."


class ProblemClosed(Refusal):
    """The problem is closed."""

    code = "problem_closed"
    message = "This problem has been closed."


class ProblemTooLate(Refusal):
    """PROBLEM_DAYS have passed since the delivery."""

    code = "problem_too_late"

    def __init__(self) -> None:
        days = settings.PROBLEM_DAYS
        super().__init__(f"You can report a problem up to {days} days after delivery.")


class NotSold(Refusal):
    """The line is not paid, or was cancelled."""

    code = "problem_not_possible"
    message = "You can only report a problem with an item that is paid and not cancelled."


class TooManyProblems(Refusal):
    """The buyer has reported PROBLEMS_A_DAY problems today."""

    code = "too_many_problems"
    message = "You have reported many problems today. Call the shop, or continue tomorrow."


class TooManyMessages(Refusal):
    """Buyer or seller has written MESSAGES_EACH messages about the problem."""

    code = "too_many_messages"
    message = (
        "You have reached the message limit for this problem. The shop will read it and decide."
    )


class ProblemKeyReused(Refusal):
    """An Idempotency-Key was reused for different content."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for something else. Use a new key for a new message."
    status_code = 422


class OpenedProblem(NamedTuple):
    """A problem; ``is_new`` is false if the same report had opened it before."""

    problem: Problem
    is_new: bool


class WrittenMessage(NamedTuple):
    """A message; ``is_new`` is false if the same request had written it before."""

    message: ProblemMessage
    is_new: bool


@transaction.atomic
def open_problem(
    track_id: int,
    *,
    buyer: User,
    kind: str,
    text: str,
    pictures: Sequence[Picture] = (),
    key: str | None = None,
) -> OpenedProblem:
    """Report a problem with a line, from payment until PROBLEM_DAYS after delivery.

    From then on the seller's earnings for the line are held, if not paid out yet
    (payments.signals). The seller and support are notified. Safe to repeat with the same
    Idempotency-Key, and with the same text within REPEAT_WINDOW without one.

    Raises OrderTrack.DoesNotExist if the line is not the buyer's, ProblemOpen, ProblemTooLate,
    NotSold, TooManyProblems and ProblemKeyReused; refuses (401) a buyer whose account was closed
    while they waited.
    """
    line = lock_line(OrderTrack.objects.bought_by(buyer).get(pk=track_id))
    first = _find_earlier_message(line.pk, buyer, key)
    if first is not None and _is_first(first):
        if (first.problem.kind, first.text) == (kind, text) and _has(first, pictures):
            return OpenedProblem(first.problem, is_new=False)
        if key is not None:
            raise ProblemKeyReused
    if line.disputed:
        raise ProblemOpen
    now = timezone.now()
    _require_in_time(line, now)
    _lock_buyer(buyer)
    today = Problem.objects.filter(track__buyer=buyer, opened_at__gt=now - timedelta(days=1))
    if today.count() >= PROBLEMS_A_DAY:
        raise TooManyProblems
    problem = Problem.objects.create(
        track=line, seller_id=line.seller_id, kind=kind, waiting_since=now, seller_told_at=now
    )
    write(problem, author=buyer, party=Party.BUYER, text=text, pictures=pictures, key=key)
    line.disputed = True
    line.save(update_fields=["disputed"])
    notify(
        NotificationKind.PROBLEM,
        key=f"problem:{problem.pk}",
        order_id=line.order_id,
        track_id=line.pk,
        to=Party.SELLER,
        about=kind,
    )
    _notify_support(problem, line, now)
    return OpenedProblem(problem, is_new=True)


@transaction.atomic
def add_message(
    problem_id: int,
    *,
    author: User,
    party: str,
    text: str,
    pictures: Sequence[Picture] = (),
    key: str | None = None,
) -> WrittenMessage:
    """Add a message to an undecided problem, and notify the other parties.

    The caller has checked that ``author`` may speak for ``party``. Each party is notified at most
    once in NOTICE_INTERVAL. Safe to repeat, like ``open_problem``. Raises ProblemClosed,
    TooManyMessages and ProblemKeyReused.
    """
    problem = lock_row(Problem, problem_id)
    before = _find_earlier_message(problem.track_id, author, key)
    if before is not None and before.problem_id == problem_id:
        if before.text == text and before.decided == "" and _has(before, pictures):
            return WrittenMessage(before, is_new=False)
        if key is not None:
            raise ProblemKeyReused
    if not problem.is_undecided:
        raise ProblemClosed
    theirs = ProblemMessage.objects.filter(problem=problem, author=author)
    if party != Party.SHOP and theirs.count() >= MESSAGES_EACH:
        raise TooManyMessages
    message = write(problem, author=author, party=party, text=text, pictures=pictures, key=key)
    answered(problem, party)
    for to in (Party.BUYER, Party.SELLER):
        if to != party:
            _notify_of_message(message, problem, to)
    problem.save(update_fields=["waiting_since", "buyer_told_at", "seller_told_at"])
    return WrittenMessage(message, is_new=True)


def write(
    problem: Problem,
    *,
    author: User,
    party: str,
    text: str,
    decided: str = "",
    pictures: Sequence[Picture] = (),
    key: str | None = None,
) -> ProblemMessage:
    """Add a message to a problem's thread. Call inside the transaction it reports on."""
    message = ProblemMessage.objects.create(
        problem=problem,
        author=author,
        party=party,
        decided=decided,
        text=text,
        idempotency_key=key,
    )
    if pictures:
        ProblemPicture.objects.bulk_create(
            ProblemPicture(message=message, image=picture.full.read()) for picture in pictures
        )
    return message


def answered(problem: Problem, party: str) -> None:
    """Set ``waiting_since`` after a message of ``party``: since when the buyer waits for an answer.

    Does not save the problem.
    """
    if party != Party.BUYER:
        problem.waiting_since = None
    elif problem.waiting_since is None:
        problem.waiting_since = timezone.now()


def _notify_support(problem: Problem, line: OrderTrack, now: datetime) -> None:
    """Notify support of a problem, unless a notice about this line was sent within a day.

    The order's lock is held, so no concurrent notice is missed.
    """
    kind = NotificationKind.PROBLEM_SHOP
    lately = Notice.objects.filter(
        track=line, kind=kind, created_at__gt=now - SUPPORT_NOTICE_INTERVAL
    )
    if lately.exists():
        return
    notify(
        kind,
        key=f"{kind}:{problem.pk}",
        order_id=line.order_id,
        track_id=line.pk,
        about=problem.kind,
        problem=problem.pk,
    )


def _notify_of_message(message: ProblemMessage, problem: Problem, to: Party) -> None:
    """Notify a party of a new message, unless they were notified within NOTICE_INTERVAL."""
    now, column = timezone.now(), f"{to}_told_at"
    last: datetime | None = getattr(problem, column)
    if last is not None and last > now - NOTICE_INTERVAL:
        return
    setattr(problem, column, now)
    line = OrderTrack.objects.only("order_id").get(pk=problem.track_id)
    notify(
        NotificationKind.PROBLEM_REPLY,
        key=f"problem_reply:{message.pk}:{to}",
        order_id=line.order_id,
        track_id=line.pk,
        to=to,
    )


def is_in_time(track_status: str, updated_at: datetime, now: datetime) -> bool:
    """Whether a problem can be reported with a line of this status, unchanged since ``updated_at``.

    That is from payment until PROBLEM_DAYS after delivery.
    """
    if track_status != TrackStatus.DELIVERED:
        return track_status in SOLD_LINE_STATUSES
    # After delivery a line changes only by a return, so this is the time of delivery.
    return updated_at + timedelta(days=settings.PROBLEM_DAYS) > now


def _lock_buyer(buyer: User) -> None:
    """Lock the buyer; refuse (401) if their account was closed while waiting for the lock.

    An undecided problem prevents an account's deletion, and under this lock the problems of today
    can be counted. Locking it after the order is safe (docs/architecture.md, Locks): nothing is
    held yet that other transactions wait for.
    """
    if not lock_row(User, buyer.pk).is_active:
        refuse("user_inactive")


def _require_in_time(line: OrderTrack, now: datetime) -> None:
    """Raise ProblemTooLate or NotSold if no problem can be reported with the line."""
    if line.track_status not in SOLD_LINE_STATUSES:
        raise NotSold
    if not is_in_time(line.track_status, line.updated_at, now):
        raise ProblemTooLate


def _find_earlier_message(track_id: int, author: User, key: str | None) -> ProblemMessage | None:
    """Return the author's message about a line under a key or, without one, the latest recent one.

    Recent means within REPEAT_WINDOW.
    """
    messages = ProblemMessage.objects.filter(problem__track=track_id, author=author)
    messages = messages.select_related("problem").order_by("-pk")
    if key is not None:
        return messages.filter(idempotency_key=key).first()
    last = messages.first()
    return last if last and last.created_at > timezone.now() - REPEAT_WINDOW else None


def _is_first(message: ProblemMessage) -> bool:
    """Whether a message is the first of its problem."""
    earlier = ProblemMessage.objects.filter(problem=message.problem_id, pk__lt=message.pk)
    return not earlier.exists()


def _has(message: ProblemMessage, pictures: Sequence[Picture]) -> bool:
    """Whether a message has the same number of pictures; re-encoded ones cannot be compared."""
    return message.pictures.count() == len(pictures)
