"""Proposals: an action that a second person approves, and is then done, or rejects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.models import Proposal, ProposalState, User
from omachemainproj.api.errors import Refusal
from omachemainproj.locking import lock_row

from . import audit
from .actions import ACTIONS, ApprovalPolicy, StaffAction, describe, staff_action
from .conflicts import NOBODY, Parties, find_parties, is_party, parties_of, people
from .same_person import SAME_PERSON, counts_as_same_person


class ProposalRefused(Refusal):
    """The proposal cannot be decided this way, or not by this user."""

    code = "proposal_refused"


def may_second(person: User, action: StaffAction | None) -> bool:
    """Whether a user has permission for this action, and so may approve it."""
    if action is None or action.approval is None:
        return False
    return any(person.has_perm(name) for name in action.approval.second)


def keys_for(person: User) -> list[str]:
    """The keys of the actions a user may approve."""
    return [key for key, action in ACTIONS.items() if may_second(person, action)]


def open_about(rows: Collection[Model]) -> QuerySet[Proposal]:
    """What somebody proposed to do with these rows of one model and nobody has decided, oldest
    first, with the proposers."""
    first = next(iter(rows), None)
    if first is None:
        return Proposal.objects.none()
    return (
        Proposal.objects.filter(
            state=ProposalState.OPEN,
            content_type=ContentType.objects.get_for_model(first),
            object_id__in=[str(row.pk) for row in rows],
        )
        .select_related("proposed_by")
        .order_by("pk")
    )


def waiting_for(person: User) -> QuerySet[Proposal]:
    """The proposals that wait for a user, oldest first; their own wait for somebody else."""
    mine = Proposal.objects.filter(state=ProposalState.OPEN, action__in=keys_for(person))
    return mine.exclude(proposed_by=person).order_by("pk")


@staff_action(
    "Approve: do what was proposed",
    permissions=["second"],
    about="The action is carried out immediately and recorded under both names: yours and the "
    "proposer's.",
)
def agree(waiting: Proposal, given: Mapping[str, Any], by: User) -> str:
    """Carry out a proposal as its second person. Safe to run concurrently: it is done once.

    Call inside a transaction. Raises Refusal, in which case the proposal stays open.
    """
    proposal = _locked(waiting.pk)
    action, approval = _action_of(proposal, by)
    proposer = proposal.proposed_by
    if not proposer.is_active or not may_second(proposer, action):
        raise ProposalRefused(
            "The person who proposed this no longer has permission to do it. Reject the proposal."
        )
    if counts_as_same_person(by, [proposer.pk]):
        raise ProposalRefused(SAME_PERSON)
    row = _row_of(proposal, approval)
    # ConflictOfInterest of the approver was raised before this was called (backoffice.actions).
    if is_party(proposer, find_parties(row) | action.form.parties(proposal.given)):
        raise ProposalRefused(
            "The person who proposed this now has a conflict of interest. Reject the proposal."
        )
    locked = approval.lock(row) if approval.lock else row
    if sum(approval.price(locked, proposal.given)) > proposal.cost:
        raise ProposalRefused("It now costs more than was proposed. Reject the proposal.")
    before = audit.values_of(row)
    result = action.do(row, proposal.given, by)
    changes = audit.difference(before, audit.values_of(row))
    what = describe(action.label, proposal.given)
    audit.log_with_history(
        by,
        f"{what}, as {proposer} proposed",
        row,
        action=action.key,
        why=proposal.why,
        changes=changes,
    )
    proposal.object_id = str(row.pk)
    _decide(proposal, ProposalState.DONE, by)
    return result or f"{action.label}: done."


@staff_action("Reject: do not do it", permissions=["second"])
def reject(waiting: Proposal, given: Mapping[str, Any], by: User) -> str:
    """Reject a proposal; nothing else changes. Call inside a transaction. Raises Refusal."""
    proposal = _locked(waiting.pk)
    _action_of(proposal, by)
    _decide(proposal, ProposalState.REJECTED, by)
    return "Rejected. Nothing else was changed."


def _locked(proposal_id: int) -> Proposal:
    proposal = lock_row(Proposal, proposal_id)
    if not proposal.is_open:
        raise ProposalRefused("This proposal has already been decided.")
    return proposal


def _action_of(proposal: Proposal, by: User) -> tuple[StaffAction, ApprovalPolicy]:
    action = ACTIONS.get(proposal.action)
    if action is None or action.approval is None or not may_second(by, action):
        raise ProposalRefused(
            "Only someone with permission to do this action can approve or reject it."
        )
    return action, action.approval


def _row_of(proposal: Proposal, approval: ApprovalPolicy | None) -> Model:
    """The proposal's row, or the unsaved one it would create. Raises ProposalRefused."""
    row = row_proposed_about(proposal)
    if row is not None:
        return row
    if not proposal.object_id and approval is not None and approval.new is not None:
        return approval.new(proposal.given)
    raise ProposalRefused("The record no longer exists. Reject the proposal.")


def row_proposed_about(proposal: Proposal) -> Model | None:
    """The row a proposal is about; None if it is to be created, or is gone."""
    model = proposal.content_type.model_class()
    if model is None or not proposal.object_id:
        return None
    return model._base_manager.filter(pk=proposal.object_id).first()


def _decide(proposal: Proposal, state: str, by: User) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, by, timezone.now()
    proposal.save(update_fields=["state", "decided_by", "decided_at", "object_id"])


@parties_of(Proposal)
def _of_proposal(proposal: Proposal) -> Parties:
    """The proposer, and everyone involved in the row and in the form data."""
    action = ACTIONS.get(proposal.action)
    parties = Parties(people(proposal.proposed_by_id))
    try:
        row = _row_of(proposal, action.approval if action else None)
    except ProposalRefused:
        return parties
    typed = action.form.parties(proposal.given) if action else NOBODY
    return parties | find_parties(row) | typed
