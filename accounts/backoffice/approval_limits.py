"""Limits on what one staff member may approve alone, and proposals for what exceeds them.

There are two limits per person and day: for money the shop may lose (``STAFF_ALONE_DAILY_LIMIT``,
and ``STAFF_ALONE_LIMIT`` per action), and for money that is paid to the person it is owed to
(``STAFF_MOVES_DAILY_LIMIT``). An action beyond a limit becomes a proposal, and is carried out once
a second person with the same permission approves it (accounts.backoffice.proposals).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import F, Model
from django.utils import timezone

from accounts.models import Proposal, ProposalState, StaffDay, User
from omachemainproj.api.errors import Refusal
from omachemainproj.dates import NAIROBI
from omachemainproj.money import format_kes

from . import audit


class Cost(NamedTuple):
    """KES that leave on one person's decision: at risk of loss, and owed anyway."""

    at_risk: int = 0
    moved: int = 0


class SecondPersonNeeded(Refusal):
    """The action exceeds what one person may approve; a proposal was recorded instead."""

    code = "second_person_needed"
    message = (
        "One person may not decide this alone. It has been recorded as a proposal; nothing has "
        "been done yet."
    )


def reserve_staff_limit(person: User, cost: Cost) -> bool:
    """Count a cost towards what a person approved alone today; False if it exceeds the limit.

    One conditional update in the database. Call it last in the transaction of the action, so that
    no other row is waited for while the day's row is locked.
    """
    if not any(cost):
        return True
    if cost.at_risk > settings.STAFF_ALONE_LIMIT:
        return False
    day = timezone.now().astimezone(NAIROBI).date()
    StaffDay.objects.bulk_create([StaffDay(person=person, day=day)], ignore_conflicts=True)
    left = StaffDay.objects.filter(
        person=person,
        day=day,
        at_risk__lte=settings.STAFF_ALONE_DAILY_LIMIT - cost.at_risk,
        moved__lte=settings.STAFF_MOVES_DAILY_LIMIT - cost.moved,
    )
    return bool(left.update(at_risk=F("at_risk") + cost.at_risk, moved=F("moved") + cost.moved))


def propose(
    action: str, what: str, row: Model, given: Mapping[str, Any], *, by: User, cost: Cost
) -> SecondPersonNeeded:
    """Record a proposal to do an action, and log it; ``action`` is the action's key.

    Returns the refusal to raise, outside of any transaction. If the same is proposed already, that
    proposal is kept.
    """
    kind = ContentType.objects.get_for_model(row, for_concrete_model=False)
    object_id = "" if row.pk is None else str(row.pk)
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                action=action,
                label=what[:200],
                content_type=kind,
                object_id=object_id,
                object_name=str(row)[:200],
                given=dict(given),
                why=given.get("why", "")[:200],
                cost=sum(cost),
                proposed_by=by,
            )
            audit.log_with_history(
                by, f"Proposed: {what}", row, action=audit.PROPOSED, why=proposal.why
            )
    except IntegrityError:
        open_ones = Proposal.objects.filter(state=ProposalState.OPEN, content_type=kind)
        waiting = open_ones.filter(action=action, object_id=object_id).first()
        if waiting is None:
            raise
        return SecondPersonNeeded(f"This is already waiting for approval as proposal {waiting.pk}.")
    return SecondPersonNeeded(
        f"{format_kes(proposal.cost)} exceeds what one person may approve (per action or per "
        f"day). It is now proposal {proposal.pk} and will be carried out once a second person "
        "approves it."
    )
