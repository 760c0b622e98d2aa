"""Claiming and releasing parcels: which agent delivers which parcel. Each step is recorded.

A claim is one conditional UPDATE, so that one of two concurrent agents gets the parcel. Claims end
under the order's lock, like all moves of a parcel.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import status

from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.compiled_queries import Fixed, compiled
from omachemainproj.locking import lock_row
from omachemainproj.rounds import FirstRows, do_each

from .models import Order, OrderTrack, Parcel, ParcelEvent, ParcelQuerySet, ParcelStep

#: Claims ended at most per call of release_unfetched_parcels; seconds after which it starts none.
RELEASED_PER_ROUND, RELEASING_SECONDS = 200, 10.0
#: The permission to deliver parcels.
DELIVER_PERMISSION = "orders.move_track"


class ClaimedByAnother(Refusal):
    """Another agent has claimed the parcel."""

    code = "parcel_claimed"
    message = "Another agent is delivering this parcel."


class TooManyClaims(Refusal):
    """The agent has claimed the maximum number of parcels not fetched yet."""

    code = "too_many_claims"
    message = "You have reached your limit of parcels. Collect or release some of them first."


class NothingToDeliver(Refusal):
    """All of the parcel was handed over or cancelled."""

    code = "parcel_closed"
    message = "There is nothing left to deliver in this parcel."


class HasFetched(Refusal):
    """The agent has fetched the parcel already; only staff may reassign it."""

    code = "parcel_fetched"
    message = "You have already collected this parcel. Deliver it, or ask the shop to reassign it."


class NotADeliveryAgent(Refusal):
    """The user is not a delivery agent."""

    code = "not_an_agent"
    message = "Only delivery agents can take parcels."
    status_code = status.HTTP_403_FORBIDDEN


@transaction.atomic
def claim_parcel(parcel_id: int, *, agent: User) -> Parcel:
    """Claim a parcel for an agent and return it. Safe to repeat.

    One of two concurrent agents gets it. The agent's row is locked, so that concurrent claims
    cannot exceed PARCELS_HELD_UNFETCHED.

    Raises Parcel.DoesNotExist, NotADeliveryAgent, NothingToDeliver, TooManyClaims and
    ClaimedByAnother.
    """
    if not agent.has_perm(DELIVER_PERMISSION):
        raise NotADeliveryAgent
    lock_row(User, agent.pk)
    parcel = Parcel.objects.get(pk=parcel_id)
    if parcel.agent_id == agent.pk:
        return parcel
    parcels = Parcel.objects.filter(pk=parcel_id)
    if not parcels.to_deliver().exists():
        raise NothingToDeliver
    held = Parcel.objects.claimed_by(agent).unfetched().count()
    if held >= settings.PARCELS_HELD_UNFETCHED and parcels.unfetched().exists():
        raise TooManyClaims
    if not _take(parcel_id, agent):
        raise ClaimedByAnother
    parcel.refresh_from_db()
    return parcel


def _take(parcel_id: int, agent: User) -> bool:
    """Assign an unclaimed parcel to this agent; return whether it was unclaimed."""
    free = Parcel.objects.free().filter(pk=parcel_id)
    if not free.update(agent=agent, claimed_at=timezone.now()):
        return False
    ParcelEvent.objects.create(
        parcel_id=parcel_id, step=ParcelStep.CLAIMED, agent=agent, actor=agent
    )
    return True


def require_claim(line: OrderTrack, agent: User, *, takes: bool) -> None:
    """Raise ClaimedByAnother if another agent has claimed the parcel of a line.

    An unclaimed parcel is claimed for the agent if they fetch goods from it (``takes``). Call
    inside a transaction that holds the order's lock.
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
def release_parcel(parcel_id: int, *, actor: User, note: str = "") -> Parcel:
    """Release a parcel so that other agents may claim it, and return it. Safe to repeat.

    Its agent may do so until it is fetched, without a reason. Users who may decide about lines can
    always do so, with a reason in ``note`` if it is not theirs or was fetched.

    Raises Parcel.DoesNotExist, NotADeliveryAgent, ClaimedByAnother, HasFetched, and FieldRefusal
    without a reason.
    """
    decides = actor.has_perm("orders.decide_lines")
    if not (decides or actor.has_perm(DELIVER_PERMISSION)):
        raise NotADeliveryAgent
    parcel = lock_parcel(parcel_id)
    if parcel.agent_id is None:
        return parcel
    is_own = parcel.agent_id == actor.pk
    if not (is_own or decides):
        raise ClaimedByAnother
    is_fetched = not Parcel.objects.filter(pk=parcel_id).unfetched().exists()
    if is_fetched and not decides:
        raise HasFetched
    if (is_fetched or not is_own) and not note:
        refuse_field("note", "Give the reason for reassigning the parcel.")
    _free(parcel, ParcelStep.RELEASED, actor=actor, note=note)
    return parcel


def release_unfetched_parcels(now: datetime) -> int:
    """Release parcels not fetched within PARCEL_CLAIM_HOURS, or whose agent is no longer one.

    Returns how many. At most 200 per call, one transaction each. Safe to repeat and to run
    concurrently. Fetched parcels stay with their agent, however long: staff deal with them.
    """
    due = FirstRows(partial(_first_to_release, _claimed_by(now)))
    return do_each(
        partial(_free_if_due, now=now), due, at_most=RELEASED_PER_ROUND, seconds=RELEASING_SECONDS
    )


@compiled
def _first_to_release(since: datetime, number: Fixed[int]) -> QuerySet[Any, int]:
    return _claims_to_release(since).order_by("pk").values_list("pk", flat=True)[:number]


def is_abandoned() -> Q:
    """Return the condition for parcels whose agent is no longer a delivery agent."""
    return Q(agent__isnull=False) & ~Q(agent__in=_agents().values("pk"))


def _agents() -> QuerySet[User]:
    """Delivery agents: like ``with_perm``, which checks the permissions of each user separately."""
    app, _, codename = DELIVER_PERMISSION.partition(".")
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


def _claims_to_release(since: datetime) -> ParcelQuerySet:
    """Unfetched parcels claimed before ``since``, or whose agent is no longer one."""
    unfetched = Parcel.objects.filter(agent__isnull=False).unfetched()
    return unfetched.filter(Q(claimed_at__lte=since) | is_abandoned())


@transaction.atomic
def _free_if_due(parcel_id: int, now: datetime) -> bool:
    parcel = lock_parcel(parcel_id)
    if not _claims_to_release(_claimed_by(now)).filter(pk=parcel_id).exists():
        return False
    _free(parcel, ParcelStep.FREED, actor=None, note="")
    return True


def lock_parcel(parcel_id: int) -> Parcel:
    """Lock a parcel's order, then read and return the parcel. Call inside a transaction."""
    order_id = Parcel.objects.values_list("order_id", flat=True).get(pk=parcel_id)
    order = lock_row(Order, order_id)
    parcel = Parcel.objects.get(pk=parcel_id)
    parcel.order = order
    return parcel


def _free(parcel: Parcel, step: ParcelStep, *, actor: User | None, note: str) -> None:
    agent_id = parcel.agent_id
    theirs = Parcel.objects.filter(pk=parcel.pk, agent=agent_id)
    if not theirs.update(agent=None, claimed_at=None):
        raise ClaimedByAnother
    ParcelEvent.objects.create(
        parcel=parcel, step=step, agent_id=agent_id, actor=actor, note=note[:200]
    )
    parcel.agent, parcel.claimed_at = None, None
