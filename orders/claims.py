"""Taking parcels on and giving them up: which agent brings which parcel, each step on record.

A claim is one conditional update, so that of two agents at once one gets the parcel. Whoever gives
one up, or has it taken from them, does it under the order's lock, as parcels are fetched.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import status

from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import locked_row

from .models import Order, OrderTrack, Parcel, ParcelEvent, ParcelQuerySet, ParcelStep

logger = logging.getLogger(__name__)

#: Claims that one call of free_parcels ends.
FREED_PER_ROUND = 200
#: Whoever holds it brings parcels.
BRINGS = "orders.move_track"


class ClaimedByAnother(Refusal):
    """Another agent was faster: they bring the parcel."""

    code = "parcel_claimed"
    message = "Another agent brings this parcel."


class TooManyClaims(Refusal):
    """The agent has taken on as many as one may before fetching any."""

    code = "too_many_claims"
    message = "You have taken on as many parcels as you may. Fetch or release some of them first."


class NothingToBring(Refusal):
    """All of the parcel was handed over or cancelled."""

    code = "parcel_closed"
    message = "There is nothing left to bring of this parcel."


class HasFetched(Refusal):
    """Their agent has it in their hands: only staff say who brings it on."""

    code = "parcel_fetched"
    message = "You have fetched it already. Bring it, or ask the shop to give it to somebody else."


class BringsNothing(Refusal):
    """Who wants to take it on is no delivery agent."""

    code = "not_an_agent"
    message = "Only delivery agents take parcels on."
    status_code = status.HTTP_403_FORBIDDEN


@transaction.atomic
def claim_parcel(parcel_id: int, *, agent: User) -> Parcel:
    """Take a parcel on. Safe to repeat: who has it keeps it. Returns it.

    Of two agents at once one gets it. The agent's row is locked, so that none takes on more than
    PARCELS_HELD_UNFETCHED at once.

    Raises Parcel.DoesNotExist, BringsNothing, NothingToBring, TooManyClaims and ClaimedByAnother.
    """
    if not agent.has_perm(BRINGS):
        raise BringsNothing
    locked_row(User, agent.pk)
    parcel = Parcel.objects.get(pk=parcel_id)
    if parcel.agent_id == agent.pk:
        return parcel
    parcels = Parcel.objects.filter(pk=parcel_id)
    if not parcels.to_bring().exists():
        raise NothingToBring
    held = Parcel.objects.claimed_by(agent).unfetched().count()
    if held >= settings.PARCELS_HELD_UNFETCHED and parcels.unfetched().exists():
        raise TooManyClaims
    if not _take(parcel_id, agent):
        raise ClaimedByAnother
    parcel.refresh_from_db()
    return parcel


def _take(parcel_id: int, agent: User) -> bool:
    """Give a parcel that nobody has to this agent; return whether it was free."""
    free = Parcel.objects.free().filter(pk=parcel_id)
    if not free.update(agent=agent, claimed_at=timezone.now()):
        return False
    ParcelEvent.objects.create(
        parcel_id=parcel_id, step=ParcelStep.CLAIMED, agent=agent, actor=agent
    )
    return True


def require_claim(line: OrderTrack, agent: User, *, takes: bool) -> None:
    """Raise ClaimedByAnother where another agent brings the parcel a line is in.

    Where nobody does and the agent ``takes`` goods of it, it is theirs from now on. Call inside a
    transaction that holds the order's lock.
    """
    if line.parcel_id is None:
        return
    parcel = Parcel.objects.get(pk=line.parcel_id)
    if parcel.agent_id == agent.pk:
        return
    if parcel.agent_id is not None:
        raise ClaimedByAnother
    if takes and not _take(parcel.pk, agent):
        raise ClaimedByAnother


@transaction.atomic
def release_parcel(parcel_id: int, *, by: User, note: str = "") -> Parcel:
    """Give a parcel up, so that others may take it on. Safe to repeat. Returns it.

    Its agent may until it is fetched, and need not say why; who may decide about lines at any time,
    with a reason in ``note`` where it is not theirs or was fetched.

    Raises Parcel.DoesNotExist, BringsNothing, ClaimedByAnother, HasFetched, and FieldRefusal
    without a reason.
    """
    decides = by.has_perm("orders.decide_lines")
    if not (decides or by.has_perm(BRINGS)):
        raise BringsNothing
    parcel = lock_parcel(parcel_id)
    if parcel.agent_id is None:
        return parcel
    is_own = parcel.agent_id == by.pk
    if not (is_own or decides):
        raise ClaimedByAnother
    is_fetched = not Parcel.objects.filter(pk=parcel_id).unfetched().exists()
    if is_fetched and not decides:
        raise HasFetched
    if (is_fetched or not is_own) and not note:
        refuse_field("note", "Say why somebody else is to bring it.")
    _free(parcel, ParcelStep.RELEASED, by=by, note=note)
    return parcel


def free_parcels(now: datetime) -> int:
    """End the claims on parcels that were not fetched in PARCEL_CLAIM_HOURS, or whose agent may
    bring none any more. Returns how many.

    At most 200 a call, one transaction each. Safe to repeat, anywhere, at once. What was fetched
    stays with its agent, however long: staff ask them for it.
    """
    done = 0
    for parcel_id in _due(since=_claimed_by(now)):
        try:
            done += _free_if_due(parcel_id, now)
        except DatabaseError:
            logger.exception("parcel %s could not be freed; the next round tries again", parcel_id)
    return done


def is_abandoned() -> Q:
    """The condition of parcels whose agent may bring none any more."""
    return Q(agent__isnull=False) & ~Q(agent__in=_agents().values("pk"))


def _agents() -> QuerySet[User]:
    """Who may bring parcels, as ``with_perm`` has it, which asks for the rights of each person."""
    app, _, codename = BRINGS.partition(".")
    right = Permission.objects.filter(content_type__app_label=app, codename=codename)
    in_groups = User.groups.through.objects.filter(group__permissions__in=right)
    themselves = User.user_permissions.through.objects.filter(permission__in=right)
    return User.objects.filter(
        Q(is_superuser=True)
        | Q(pk__in=in_groups.values("user"))
        | Q(pk__in=themselves.values("user")),
        is_active=True,
    )


def _claimed_by(now: datetime) -> datetime:
    return now - timedelta(hours=settings.PARCEL_CLAIM_HOURS)


@compiled
def _due(since: datetime) -> QuerySet[Any, int]:
    return _to_free(since).order_by("pk").values_list("pk", flat=True)[:FREED_PER_ROUND]


def _to_free(since: datetime) -> ParcelQuerySet:
    """Unfetched ones that were claimed by then, or whose agent may bring none any more."""
    unfetched = Parcel.objects.filter(agent__isnull=False).unfetched()
    return unfetched.filter(Q(claimed_at__lte=since) | is_abandoned())


@transaction.atomic
def _free_if_due(parcel_id: int, now: datetime) -> bool:
    parcel = lock_parcel(parcel_id)
    if not _to_free(_claimed_by(now)).filter(pk=parcel_id).exists():
        return False
    _free(parcel, ParcelStep.FREED, by=None, note="")
    return True


def lock_parcel(parcel_id: int) -> Parcel:
    """A parcel whose order is locked, as it is then. Call inside a transaction."""
    order_id = Parcel.objects.values_list("order_id", flat=True).get(pk=parcel_id)
    order = locked_row(Order, order_id)
    parcel = Parcel.objects.get(pk=parcel_id)
    parcel.order = order
    return parcel


def _free(parcel: Parcel, step: ParcelStep, *, by: User | None, note: str) -> None:
    agent_id = parcel.agent_id
    theirs = Parcel.objects.filter(pk=parcel.pk, agent=agent_id)
    if not theirs.update(agent=None, claimed_at=None):
        raise ClaimedByAnother
    ParcelEvent.objects.create(
        parcel=parcel, step=step, agent_id=agent_id, actor=by, note=note[:200]
    )
    parcel.agent, parcel.claimed_at = None, None
