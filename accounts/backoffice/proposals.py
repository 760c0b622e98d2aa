"""Proposals: what a second person agrees to is done, in one transaction; what not, is rejected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.utils import timezone

from accounts.models import Audit, Proposal, ProposalState, User
from omachemainproj.api.errors import Refusal
from omachemainproj.locking import locked_row

from . import audit
from .actions import ACTIONS, ApprovalPolicy, StaffAction, describe, staff_action
from .conflicts import NOBODY, Parties, find_parties, is_party, parties_of, people

#: For so long, who gave somebody an account, a password or powers is no second person with them.
ONE_HAND_FOR = timedelta(days=7)


class ProposalRefused(Refusal):
    """The proposal cannot be decided so, or not by this person."""

    code = "proposal_refused"


def may_second(person: User, action: StaffAction | None) -> bool:
    """Whether a person may do what this action does, and so agree to it."""
    if action is None or action.approval is None:
        return False
    return any(person.has_perm(name) for name in action.approval.second)


def keys_for(person: User) -> list[str]:
    """The keys of the actions to which a person may agree."""
    return [key for key, action in ACTIONS.items() if may_second(person, action)]


@staff_action(
    "Agree: do what was proposed",
    permissions=["second"],
    about="It is done at once, in your name beside that of who proposed it.",
)
def agree(waiting: Proposal, given: Mapping[str, Any], by: User) -> str:
    """Do what was proposed, as a second person who agrees; of two at once, one does.

    Call inside a transaction. Raises Refusal; then it waits on.
    """
    proposal = _locked(waiting.pk)
    action, approval = _action_of(proposal, by)
    proposer = proposal.proposed_by
    if not proposer.is_active or not may_second(proposer, action):
        raise ProposalRefused("Who proposed it may not do it any more: reject it.")
    if _is_one_hand(proposer, by):
        raise ProposalRefused(
            "One of you gave the other their account, password or powers this week: that is one "
            "pair of eyes. A third person decides."
        )
    row = _row_of(proposal, approval)
    # What by has a part in was refused before this was called (accounts.backoffice.actions).
    if is_party(proposer, find_parties(row) | action.form.parties(proposal.given)):
        raise ProposalRefused("Who proposed it has a part in it by now: reject it.")
    locked = approval.lock(row) if approval.lock else row
    if sum(approval.price(locked, proposal.given)) > proposal.cost:
        raise ProposalRefused("It costs more by now than was proposed: reject it.")
    before = audit.values_of(row)
    said = action.do(row, proposal.given, by)
    changes = audit.difference(before, audit.values_of(row))
    what = describe(action.label, proposal.given)
    audit.log_with_history(
        by, f"{what}, as {proposer} proposed", row, why=proposal.why, changes=changes
    )
    proposal.object_id = str(row.pk)
    _decide(proposal, ProposalState.DONE, by)
    return said or f"{action.label}: done."


@staff_action("Reject: it is not done", permissions=["second"])
def reject(waiting: Proposal, given: Mapping[str, Any], by: User) -> str:
    """Reject what was proposed; nothing else changes. Call inside a transaction. Raises Refusal."""
    proposal = _locked(waiting.pk)
    _action_of(proposal, by)
    _decide(proposal, ProposalState.REJECTED, by)
    return "Rejected: nothing was done."


def _locked(proposal_id: int) -> Proposal:
    proposal = locked_row(Proposal, proposal_id)
    if not proposal.is_open:
        raise ProposalRefused("Somebody has decided about it already.")
    return proposal


def _action_of(proposal: Proposal, by: User) -> tuple[StaffAction, ApprovalPolicy]:
    action = ACTIONS.get(proposal.action)
    if action is None or action.approval is None or not may_second(by, action):
        raise ProposalRefused("Only somebody who may do the same decides about it.")
    return action, action.approval


def _row_of(proposal: Proposal, approval: ApprovalPolicy | None) -> Model:
    """The row, or the one to be made, which is not saved yet. Raises ProposalRefused."""
    row = row_proposed_about(proposal)
    if row is not None:
        return row
    if not proposal.object_id and approval is not None and approval.new is not None:
        return approval.new(proposal.given)
    raise ProposalRefused("The row is not there any more: reject it.")


def row_proposed_about(proposal: Proposal) -> Model | None:
    """The row a proposal is about; None where it is to be made, or is gone."""
    model = proposal.content_type.model_class()
    if model is None or not proposal.object_id:
        return None
    return model._base_manager.filter(pk=proposal.object_id).first()


def _decide(proposal: Proposal, state: str, by: User) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, by, timezone.now()
    proposal.save(update_fields=["state", "decided_by", "decided_at", "object_id"])


def _is_one_hand(one: User, other: User) -> bool:
    """Whether one of two was given their account, powers or password by the other this week."""
    pairs = Q(actor=one, object_id=str(other.pk)) | Q(actor=other, object_id=str(one.pk))
    return Audit.objects.filter(
        pairs,
        content_type=ContentType.objects.get_for_model(User),
        did__in=("Added", "Changed"),
        at__gte=timezone.now() - ONE_HAND_FOR,
    ).exists()


@parties_of(Proposal)
def _of_proposal(proposal: Proposal) -> Parties:
    """Who wrote it down, and who has a part in the row it is about."""
    action = ACTIONS.get(proposal.action)
    found = Parties(people(proposal.proposed_by_id))
    try:
        row = _row_of(proposal, action.approval if action else None)
    except ProposalRefused:
        return found
    typed = action.form.parties(proposal.given) if action else NOBODY
    return found | find_parties(row) | typed
