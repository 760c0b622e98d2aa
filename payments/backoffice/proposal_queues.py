"""Queues of proposals that wait for a second person."""

from __future__ import annotations

from accounts.models import Proposal, ProposalState
from omachemainproj.money import format_kes

from .permissions import DECIDING_PROBLEMS, LOOKING_AT_PROBLEMS, OF_PROBLEMS
from .queue import Queue

_PROPOSAL = {
    "Proposal": lambda proposal: proposal,
    "Costs": lambda proposal: format_kes(proposal.cost),
    "Proposed by": lambda proposal: proposal.proposed_by,
    "Why": lambda proposal: proposal.why,
    "Since": lambda proposal: proposal.proposed_at,
}

PROPOSALS = Queue(
    key="proposals",
    title="Proposals that wait for a second person",
    about="More than one person decides alone. Look at the row as if it were yours to decide; "
    "whoever proposed it, or has a part in it, cannot agree.",
    rows=lambda now: (
        Proposal.objects.filter(state=ProposalState.OPEN, action__startswith="console.")
        .exclude(action__startswith=OF_PROBLEMS)
        .select_related("proposed_by")
        .order_by("pk")
    ),
    columns=_PROPOSAL,
    listed="accounts_proposal_changelist?state__exact=open",
)

PROBLEM_PROPOSALS = Queue(
    key="problem-proposals",
    title="Proposals about problems",
    about="More than one person decides alone. Read the problem as if it were yours to decide; "
    "whoever proposed it, or has a part in it, cannot agree.",
    rows=lambda now: (
        Proposal.objects.filter(state=ProposalState.OPEN, action__startswith=OF_PROBLEMS)
        .select_related("proposed_by")
        .order_by("pk")
    ),
    columns=_PROPOSAL,
    listed="accounts_proposal_changelist?state__exact=open",
    looking=LOOKING_AT_PROBLEMS,
    acting=DECIDING_PROBLEMS,
)
