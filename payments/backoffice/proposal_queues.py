"""Queues of proposals that need a second person's approval."""

from __future__ import annotations

from accounts.models import Proposal, ProposalState
from omachemainproj.money import format_kes

from .permissions import DECIDE_PROBLEMS, PROBLEM_ACTIONS, VIEW_PROBLEMS
from .queue import Column, Queue

_PROPOSAL: dict[str, Column] = {
    "Proposal": lambda proposal: proposal,
    "Amount": lambda proposal: format_kes(proposal.cost),
    "Proposed by": "proposed_by",
    "Reason": "why",
    "Since": "proposed_at",
}

PROPOSALS = Queue(
    key="proposals",
    title="Proposals about money",
    about="These need a second person's approval. Review each as if you were making the decision "
    "yourself. You cannot approve a proposal that you made or are involved in.",
    rows=lambda now: (
        Proposal.objects.filter(state=ProposalState.OPEN, action__startswith="console.")
        .exclude(action__startswith=PROBLEM_ACTIONS)
        .select_related("proposed_by")
        .order_by("pk")
    ),
    columns=_PROPOSAL,
    listed="accounts_proposal_changelist?state__exact=open",
)

PROBLEM_PROPOSALS = Queue(
    key="problem-proposals",
    title="Proposals about problems",
    about="These need a second person's approval. Read each problem as if you were making the "
    "decision yourself. You cannot approve a proposal that you made or are involved in.",
    rows=lambda now: (
        Proposal.objects.filter(state=ProposalState.OPEN, action__startswith=PROBLEM_ACTIONS)
        .select_related("proposed_by")
        .order_by("pk")
    ),
    columns=_PROPOSAL,
    listed="accounts_proposal_changelist?state__exact=open",
    view_permission=VIEW_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)
