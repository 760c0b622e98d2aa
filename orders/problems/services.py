"""Opening a problem with a line, and what is said about it. Deciding it is in decisions.py.

Locks: the order, its line, the buyer, the problem. What is only said locks the problem alone.
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
from omachemainproj.locking import locked_row
from orders.fulfilment import lock_line
from orders.idempotency import REPEAT_WINDOW
from orders.models import (
    OrderTrack,
    Party,
    Problem,
    ProblemMessage,
    ProblemPicture,
    TrackStatus,
)
from orders.models.notifications import Notice, NotificationKind
from orders.models.orders import SOLD_LINE_STATUSES
from orders.notifications.notify import notify

#: Problems that one buyer may open in a day.
PROBLEMS_A_DAY = 20
#: Messages that buyer or seller may write about one problem.
MESSAGES_EACH = 50
#: A party is told of new messages no more often than this.
TOLD_EVERY = timedelta(hours=1)
#: Support is told of new problems with one line no more often than this.
SUPPORT_TOLD_EVERY = timedelta(days=1)


class NoSuchProblem(Refusal):
    """The caller's line has no problem, or there is no such line of theirs."""

    code = "problem_not_found"
    message = "No problem was reported with this."
    status_code = 404


class ProblemOpen(Refusal):
    """Another problem with the line is undecided."""

    code = "problem_open"
    message = "You have reported a problem with this already. Write what there is to add to it."


class ProblemClosed(Refusal):
    """The problem has ended."""

    code = "problem_closed"
    message = "This problem has been closed."


class ProblemTooLate(Refusal):
    """The days in which a problem can be reported are over."""

    code = "problem_too_late"

    def __init__(self) -> None:
        days = settings.PROBLEM_DAYS
        super().__init__(f"A problem can be reported for {days} days after the delivery.")


class NotSold(Refusal):
    """Nothing was sold by the line: it is not paid, or it was cancelled."""

    code = "problem_not_possible"
    message = "A problem can be reported with what is paid and was not cancelled."


class TooManyProblems(Refusal):
    """The buyer has opened as many problems today as anybody may."""

    code = "too_many_problems"
    message = "You have reported many problems today. Call the shop, or go on tomorrow."


class TooManyMessages(Refusal):
    """Buyer or seller have written as much about one problem as anybody may."""

    code = "too_many_messages"
    message = "You have written a lot about this. The shop reads it, and decides."


class ProblemKeyReused(Refusal):
    """An Idempotency-Key was sent again with something else."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for something else. Use a new key for a new message."
    status_code = 422


class Opened(NamedTuple):
    """A problem, and whether it was opened now; else the same was reported a moment ago."""

    problem: Problem
    is_new: bool


class Written(NamedTuple):
    """A message, and whether it was written now; else the same was sent a moment ago."""

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
) -> Opened:
    """Report a problem with a line, from when it is paid until PROBLEM_DAYS after its delivery.

    What its seller is owed for the line is held back from then on, as far as it has not left
    (payments.signals). The seller and support are told. Safe to repeat with the same
    Idempotency-Key, and without one within REPEAT_WINDOW: the same words are the same problem.

    Raises OrderTrack.DoesNotExist where the line is not the buyer's, ProblemOpen, ProblemTooLate,
    NotSold, TooManyProblems and ProblemKeyReused; refuses (401) a buyer whose account was closed
    while they waited.
    """
    line = lock_line(OrderTrack.objects.bought_by(buyer).get(pk=track_id))
    first = _said_before(line.pk, buyer, key)
    if first is not None and _is_first(first):
        if (first.problem.kind, first.text) == (kind, text) and _has(first, pictures):
            return Opened(first.problem, is_new=False)
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
    write(problem, by=buyer, party=Party.BUYER, text=text, pictures=pictures, key=key)
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
    _tell_support(problem, line, now)
    return Opened(problem, is_new=True)


@transaction.atomic
def add_message(
    problem_id: int,
    *,
    by: User,
    party: str,
    text: str,
    pictures: Sequence[Picture] = (),
    key: str | None = None,
) -> Written:
    """Say something about an undecided problem; the caller has seen on whose behalf ``by`` speaks.

    The others are told, each at most once in TOLD_EVERY. Safe to repeat as ``open_problem`` is.
    Raises ProblemClosed, TooManyMessages and ProblemKeyReused.
    """
    problem = locked_row(Problem, problem_id)
    before = _said_before(problem.track_id, by, key)
    if before is not None and before.problem_id == problem_id:
        if before.text == text and before.decided == "" and _has(before, pictures):
            return Written(before, is_new=False)
        if key is not None:
            raise ProblemKeyReused
    if not problem.is_undecided:
        raise ProblemClosed
    theirs = ProblemMessage.objects.filter(problem=problem, author=by)
    if party != Party.SHOP and theirs.count() >= MESSAGES_EACH:
        raise TooManyMessages
    message = write(problem, by=by, party=party, text=text, pictures=pictures, key=key)
    answered(problem, party)
    for to in (Party.BUYER, Party.SELLER):
        if to != party:
            _tell_of(message, problem, to)
    problem.save(update_fields=["waiting_since", "buyer_told_at", "seller_told_at"])
    return Written(message, is_new=True)


def write(
    problem: Problem,
    *,
    by: User,
    party: str,
    text: str,
    decided: str = "",
    pictures: Sequence[Picture] = (),
    key: str | None = None,
) -> ProblemMessage:
    """Add a message to a problem's thread. Call inside the transaction of what it says."""
    message = ProblemMessage.objects.create(
        problem=problem,
        author=by,
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
    """Note on a problem, not saved, whether its buyer waits for a word once a party has spoken."""
    if party != Party.BUYER:
        problem.waiting_since = None
    elif problem.waiting_since is None:
        problem.waiting_since = timezone.now()


def _tell_support(problem: Problem, line: OrderTrack, now: datetime) -> None:
    """Tell support of a problem, unless they were told of another with this line within a day.

    The order's lock is held: nobody else tells them meanwhile.
    """
    kind = NotificationKind.PROBLEM_SHOP
    lately = Notice.objects.filter(track=line, kind=kind, created_at__gt=now - SUPPORT_TOLD_EVERY)
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


def _tell_of(message: ProblemMessage, problem: Problem, to: Party) -> None:
    """Tell a party that another wrote, unless they were told a moment ago."""
    now, column = timezone.now(), f"{to}_told_at"
    last: datetime | None = getattr(problem, column)
    if last is not None and last > now - TOLD_EVERY:
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
    """Whether a problem can be reported with a line that stands so since then: from when it is
    paid until PROBLEM_DAYS after its delivery."""
    if track_status != TrackStatus.DELIVERED:
        return track_status in SOLD_LINE_STATUSES
    # A line does not change after its delivery but by its return.
    return updated_at + timedelta(days=settings.PROBLEM_DAYS) > now


def _lock_buyer(buyer: User) -> None:
    """Wait for a deletion of the buyer's account, which an undecided problem would have kept.

    Their problems of today can be counted from here on. After the order, as a first payment's
    phone is remembered (docs/architecture.md, Locks): nothing is held yet that others wait for.
    """
    if not locked_row(User, buyer.pk).is_active:
        refuse("user_inactive")


def _require_in_time(line: OrderTrack, now: datetime) -> None:
    """Raise ProblemTooLate or NotSold where no problem can be reported with a line any more."""
    if line.track_status not in SOLD_LINE_STATUSES:
        raise NotSold
    if not is_in_time(line.track_status, line.updated_at, now):
        raise ProblemTooLate


def _said_before(track_id: int, by: User, key: str | None) -> ProblemMessage | None:
    """What somebody said last about a line under a key or, without one, a moment ago."""
    said = ProblemMessage.objects.filter(problem__track=track_id, author=by)
    said = said.select_related("problem").order_by("-pk")
    if key is not None:
        return said.filter(idempotency_key=key).first()
    last = said.first()
    return last if last and last.created_at > timezone.now() - REPEAT_WINDOW else None


def _is_first(message: ProblemMessage) -> bool:
    """Whether a message is the one by which its problem was opened."""
    earlier = ProblemMessage.objects.filter(problem=message.problem_id, pk__lt=message.pk)
    return not earlier.exists()


def _has(message: ProblemMessage, pictures: Sequence[Picture]) -> bool:
    """Whether a message has so many pictures: one that is sent again is encoded anew."""
    return message.pictures.count() == len(pictures)
