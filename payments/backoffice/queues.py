"""The console's queues: what needs a person, and what is shown for information only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.backoffice.admin import COUNT_AT_MOST
from accounts.backoffice.formats import dial
from accounts.models import Proposal, ProposalState
from omachemainproj.money import format_kes
from orders.models import OrderTrack, Problem
from orders.parcels.waiting import going_to_closed_points, uncollected
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    ReceiptQuestion,
    Refund,
    SellerShare,
    Withdrawal,
)
from payments.reconciliation.statement_recovery import what_is_missing
from payments.reconciliation.withdrawals import candidates

from .permissions import ACTING, DECIDING_PROBLEMS, LOOKING, LOOKING_AT_PROBLEMS, OF_PROBLEMS

#: Rows shown of a queue; beyond them its list in the admin is the way.
SHOWN = 25
#: A receipt's number comes with the callback or with the statement; after this a person looks.
NAMED_WITHIN = timedelta(hours=1)
#: How often the time for an answer may pass before somebody has to decide, answered or not.
OPEN_TOO_LONG = 4
#: The clock sends what is due within seconds. What is still due after this is held back.
SENT_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind that wait for one kind of action.

    ``about`` says what they are and what to do. ``listed`` is the admin's list that holds all of
    them. ``columns`` are what is shown of a row by heading, the first is its name.
    """

    key: str
    title: str
    about: str
    rows: Callable[[datetime], QuerySet[Any]]
    columns: Mapping[str, Callable[[Any], Any]]
    listed: str
    #: Nobody has to act: the shop goes on by itself.
    for_information: bool = False
    #: The permission it takes to see it, and the one to act.
    looking: str = LOOKING
    acting: str = ACTING

    def count(self, now: datetime) -> int:
        """How many rows there are, or 1000 when there are more. One query."""
        return self.rows(now).order_by()[:COUNT_AT_MOST].count()


class QueueView:
    """A queue as it stands now. One query; another where there is more than is shown."""

    def __init__(self, queue: Queue, now: datetime, *, may_act: bool) -> None:
        self.queue, self.may_act = queue, may_act
        self._now = now
        fetched = list(queue.rows(now)[: SHOWN + 1])
        self.rows, self._is_all = fetched[:SHOWN], len(fetched) <= SHOWN

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 1000 when there are more."""
        return len(self.rows) if self._is_all else self.queue.count(self._now)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than were counted."""
        return self.count >= COUNT_AT_MOST

    @property
    def table(self) -> list[tuple[Any, list[tuple[str, Any]]]]:
        """Each row with what is shown of it: pairs of a heading and a value."""
        return [
            (row, [(name, read(row)) for name, read in self.queue.columns.items()])
            for row in self.rows
        ]


def queues_for(person: Any) -> list[Queue]:
    """The queues that a person of the staff may see."""
    return [queue for queue in QUEUES if person.has_perm(queue.looking)]


def load_queues(
    person: Any, now: datetime | None = None
) -> tuple[list[QueueView], list[QueueView]]:
    """The queues a person may see: those that need one, and those for information.

    One query a queue, or two.
    """
    now = now or timezone.now()
    views = [
        QueueView(queue, now, may_act=person.has_perm(queue.acting)) for queue in queues_for(person)
    ]
    return (
        [view for view in views if not view.queue.for_information],
        [view for view in views if view.queue.for_information],
    )


def count_open(person: Any, now: datetime | None = None) -> int:
    """How many rows need somebody that a person may see; no queue counts for more than 1000.

    One query a queue.
    """
    now = now or timezone.now()
    return sum(queue.count(now) for queue in queues_for(person) if not queue.for_information)


def count_unsolicited() -> int:
    """Messages at prompts' addresses that are about nothing of ours; 1000 when there are more."""
    return GatewayEvent.objects.unsolicited().order_by()[:COUNT_AT_MOST].count()


def _receipt_name(receipt: Receipt) -> str:
    return receipt.number or "number to come"


def _refund_name(refund: Refund) -> str:
    return f"{format_kes(refund.amount)} by {refund.get_way_display()}"


_PAYOUT = {
    "Payout": lambda payout: f"{format_kes(payout.amount)} to {dial(payout.phone)}",
    "Seller": lambda payout: payout.seller,
}
_RECEIPT = {"Receipt": _receipt_name, "Amount": lambda receipt: format_kes(receipt.amount)}
_REFUND = {
    "Refund": _refund_name,
    "Of order": lambda refund: refund.order or "no order",
    "Of receipt": lambda refund: refund.receipt.number,
}
_PROPOSAL = {
    "Proposal": lambda proposal: proposal,
    "Costs": lambda proposal: format_kes(proposal.cost),
    "Proposed by": lambda proposal: proposal.proposed_by,
    "Why": lambda proposal: proposal.why,
    "Since": lambda proposal: proposal.proposed_at,
}
_PROBLEM = {
    "Problem": lambda problem: problem.get_kind_display(),
    "Of order": lambda problem: problem.track.order,
    "Goods": lambda problem: problem.track,
    "Costs": lambda problem: format_kes(problem.track.rest),
    "Stands": lambda problem: problem.get_state_display(),
    "Reported": lambda problem: problem.opened_at,
    "Unanswered since": lambda problem: problem.waiting_since,
}


_BROUGHT: dict[str, Callable[[Any], Any]] = {
    "Goods": str,
    "Of order": lambda line: line.order,
    "Point": lambda line: line.order.delivery.pickup_point,
    "Its phone": lambda line: dial(line.order.delivery.pickup_point.phone),
    "Call the buyer": lambda line: dial(line.order.delivery.phone),
    "Stands": lambda line: line.get_track_status_display(),
}


def _brought(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack]:
    return lines.select_related("order__delivery__pickup_point", "parcel")


def undecided_problems() -> QuerySet[Problem]:
    """Problems that have not ended, with their lines and orders."""
    return Problem.objects.undecided().select_related("track__order")


def late_problems(now: datetime) -> QuerySet[Problem]:
    """Those of them whose buyer has waited for days for a word, or that are open for too long."""
    unanswered = now - timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    too_long = now - OPEN_TOO_LONG * timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    return undecided_problems().filter(
        Q(waiting_since__lte=unanswered) | Q(opened_at__lte=too_long)
    )


def _may_be(withdrawal: Withdrawal) -> str:
    """What it could be: who has been paid on that number, and what is due to it."""
    due = [f"{row.kind} {row.pk} ({row.status})" for row in candidates(withdrawal)]
    paid = SellerShare.objects.filter(phone=withdrawal.phone).exclude(phone="")
    sellers = paid.order_by("seller").values_list("seller__username", flat=True).distinct()[:3]
    came = Receipt.objects.filter(phone=withdrawal.phone).exclude(phone="").order_by("-pk")[:3]
    known = [f"seller {name}" for name in sellers] + [f"buyer by {each.number}" for each in came]
    return "; ".join(due + known)


QUEUES = (
    Queue(
        key="stops",
        title="Money is stopped from leaving",
        about="M-Pesa does not accept the shop's initiator, and every further try would lock it: "
        "put the password or the certificate right. Or the database was restored: what was sent "
        "since the backup is read from M-Pesa's statements first. Then let money leave again.",
        rows=lambda now: PayoutStop.objects.still_open().order_by("pk"),
        columns={
            "Why": str,
            "Since": lambda stop: stop.created_at,
            "Still to do": lambda stop: " ".join(what_is_missing(stop)),
        },
        listed="payments_payoutstop_changelist",
    ),
    Queue(
        key="withdrawals",
        title="Money that left, and nothing here says why",
        about="M-Pesa's statement shows it, and no refund and no payout of ours is it: the "
        "database was restored from before it, or what it was for was given another way. Say what "
        "it was: after a restore nothing leaves until then, for the same might be sent again. What "
        "came back since is shown beside it, and is decided with it.",
        rows=lambda now: Withdrawal.objects.still_open().select_related("came_back"),
        columns={
            "Withdrawal": lambda withdrawal: format_kes(withdrawal.amount),
            "Receipt": lambda withdrawal: withdrawal.number,
            "To": lambda withdrawal: dial(withdrawal.phone),
            "M-Pesa's word": lambda withdrawal: withdrawal.reason,
            "Takes back": lambda withdrawal: withdrawal.reverses,
            "Came back under": lambda withdrawal: (
                withdrawal.came_back.number if withdrawal.came_back else ""
            ),
            "It may be": _may_be,
            "Left": lambda withdrawal: withdrawal.left_at,
        },
        listed="payments_withdrawal_changelist?state__exact=open",
    ),
    Queue(
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
    ),
    Queue(
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
    ),
    Queue(
        key="problems-late",
        title="Problems that wait for the shop",
        about="A buyer has waited for days, and neither the seller nor the shop has answered; or "
        "it has been open for too long. The seller's money waits with it. Read it, and decide.",
        rows=lambda now: late_problems(now).order_by("opened_at", "pk"),
        columns=_PROBLEM,
        listed="orders_problem_changelist?state__in=open,returning",
        looking=LOOKING_AT_PROBLEMS,
        acting=DECIDING_PROBLEMS,
    ),
    Queue(
        key="uncollected",
        title="Goods nobody collects",
        about="They wait at their pick-up point for longer than they should (PICKUP_DAYS), and "
        "their buyers were told twice. Call them. Then wait, have the goods brought back and "
        "cancelled, or say why they count as delivered.",
        rows=lambda now: _brought(uncollected(now)).order_by("parcel__arrived_at", "pk"),
        columns={**_BROUGHT, "There since": lambda line: line.parcel.arrived_at},
        listed="orders_ordertrack_changelist?track_status__exact=shipping",
        looking=DECIDING_PROBLEMS,
        acting=DECIDING_PROBLEMS,
    ),
    Queue(
        key="unmatched",
        title="Money without an order",
        about="It came, and nothing says what for. Give it to the order that was meant, or send "
        "it back.",
        rows=lambda now: Receipt.objects.to_match().order_by("pk"),
        columns={
            **_RECEIPT,
            "Through": lambda receipt: receipt.get_provider_display(),
            "Paid": lambda receipt: receipt.paid_at or receipt.created_at,
            "By": lambda receipt: " ".join(filter(None, [receipt.payer, dial(receipt.phone)])),
            "Typed": lambda receipt: receipt.reference,
            "Why": lambda receipt: receipt.note,
        },
        listed="payments_receipt_changelist?order__isempty=1",
    ),
    Queue(
        key="doubt",
        title="Payments in doubt",
        about="M-Pesa does not know this payment, or knows another amount or receiver. Nothing of "
        "it leaves, and what was bought with it stays where it is. Look on the portal: let M-Pesa "
        "be asked again, or write it off.",
        rows=lambda now: Receipt.objects.in_doubt().select_related("order").order_by("pk"),
        columns={
            **_RECEIPT,
            "Order": lambda receipt: receipt.order or "no order",
            "First heard of by": lambda receipt: receipt.get_source_display(),
            "Why": lambda receipt: receipt.doubt,
            "Since": lambda receipt: receipt.doubted_at,
        },
        listed="payments_receipt_changelist?verification__exact=doubted",
    ),
    Queue(
        key="unconfirmed",
        title="Payments M-Pesa does not confirm",
        about="It was asked for a day and did not say whether it took this payment; money waits "
        "for it. Let it be asked again. Its statement confirms it too.",
        rows=lambda now: (
            Receipt.objects.filter(question__in=ReceiptQuestion.objects.unanswered())
            .select_related("order")
            .order_by("pk")
        ),
        columns={
            **_RECEIPT,
            "Order": lambda receipt: receipt.order or "no order",
            "First heard of by": lambda receipt: receipt.get_source_display(),
        },
        listed="payments_receipt_changelist?verification__exact=told",
    ),
    Queue(
        key="banks",
        title="Bank payments to look up",
        about="A bank's notice is one message, and no bank is asked. Look on the bank's own "
        "statement. Until somebody has, nothing of it goes back and its sellers are not paid.",
        rows=lambda now: Receipt.objects.to_look_up().select_related("order").order_by("pk"),
        columns={
            **_RECEIPT,
            "Through": lambda receipt: receipt.get_provider_display(),
            "Order": lambda receipt: receipt.order or "no order",
            "Paid": lambda receipt: receipt.paid_at or receipt.created_at,
        },
        listed="payments_receipt_changelist?verification__exact=told",
    ),
    Queue(
        key="attempts",
        title="Prompts M-Pesa never spoke of",
        about="The phone may have paid or not. Ask M-Pesa again, or look on its portal and say "
        "which. A success that comes late still counts.",
        rows=lambda now: OrderPayment.objects.unresolved().select_related("order").order_by("pk"),
        columns={
            "Order": lambda payment: payment.order,
            "Asked for": lambda payment: format_kes(payment.amount),
            "Phone": lambda payment: payment.phone,
            "Rang": lambda payment: payment.rung_at or payment.created_at,
            "M-Pesa's id": lambda payment: payment.checkout_request_id or "none was given",
        },
        listed="payments_orderpayment_changelist?status__in=unknown,submitted&next_check_at__isnull=1",
    ),
    Queue(
        key="refused",
        title="Refunds that were refused",
        about="This money is owed and no way is left that the shop may try by itself. Try again, "
        "send it to another number, or give it back on the portal.",
        rows=lambda now: Refund.objects.refused().select_related("order", "receipt").order_by("pk"),
        columns={
            **_REFUND,
            "To": lambda refund: refund.phone,
            "Why": lambda refund: refund.note or refund.result_text,
            "Owed since": lambda refund: refund.created_at,
        },
        listed="payments_refund_changelist?status__exact=refused",
    ),
    Queue(
        key="silent",
        title="Refunds M-Pesa never spoke of",
        about="The money may have gone or not, and M-Pesa is not asked any more. Its portal "
        "tells: name the receipt it went under, or say that it never went.",
        rows=lambda now: (
            Refund.objects.unresolved().select_related("order", "receipt").order_by("pk")
        ),
        columns={
            **_REFUND,
            "To": lambda refund: refund.phone,
            "Note": lambda refund: refund.note or refund.result_text,
            "Sent": lambda refund: refund.sent_at,
        },
        listed="payments_refund_changelist?status__in=unknown,sent&next_check_at__isnull=1",
    ),
    Queue(
        key="differ",
        title="Refunds that ended otherwise",
        about="The money went back twice, or another amount did. Do what there is to do outside "
        "of the shop, then acknowledge it with a note.",
        rows=lambda now: (
            Refund.objects.unacknowledged().select_related("order", "receipt").order_by("pk")
        ),
        columns={
            **_REFUND,
            "Note": lambda refund: refund.note,
            "Done": lambda refund: refund.done_at,
        },
        listed="payments_refund_changelist?unacknowledged__exact=1",
    ),
    Queue(
        key="refunds-approve",
        title="Refunds to approve",
        about="Too large to leave before a second person has looked, or to a number that somebody "
        "here typed. Look at the payment and at the number.",
        rows=lambda now: (
            Refund.objects.to_approve().select_related("order", "receipt").order_by("pk")
        ),
        columns={
            **_REFUND,
            "To": lambda refund: refund.phone,
            "Why": lambda refund: refund.get_cause_display(),
            "Owed since": lambda refund: refund.created_at,
        },
        listed="payments_refund_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
    ),
    Queue(
        key="approve",
        title="Payouts to approve",
        about="Too large to leave before a second person has looked, to a number that somebody "
        "here typed, or for goods the shop had to bear. Look at what was sold, and at the number.",
        rows=lambda now: (
            Payout.objects.to_approve()
            .filter(held_at__isnull=True)
            .select_related("seller")
            .order_by("pk")
        ),
        columns={**_PAYOUT, "Owed since": lambda payout: payout.created_at},
        listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
    ),
    Queue(
        key="payouts-kept",
        title="Payouts that are kept back",
        about="Somebody keeps this back, and says why. Once that is cleared up, let it leave, or "
        "do not send it.",
        rows=lambda now: (
            Payout.objects.to_approve()
            .filter(held_at__isnull=False)
            .select_related("seller")
            .order_by("pk")
        ),
        columns={
            **_PAYOUT,
            "Why": lambda payout: payout.held_why,
            "Since": lambda payout: payout.held_at,
        },
        listed="payments_payout_changelist?status__exact=due&needs_approval__exact=1&approved_by__isnull=1",
    ),
    Queue(
        key="kept-back",
        title="Earnings kept back",
        about="Somebody would not send the payout of these lines. Once it is clear, let them go "
        "into the seller's next payout, or have the goods cancelled.",
        rows=lambda now: (
            SellerShare.objects.withheld().select_related("seller", "track__order").order_by("pk")
        ),
        columns={
            "Earned": lambda share: format_kes(share.due),
            "Seller": lambda share: share.seller,
            "Goods": lambda share: share.track,
            "Of order": lambda share: share.track.order,
            "Why": lambda share: share.withheld_why,
        },
        listed="payments_sellershare_changelist?reversed_at__isempty=1",
    ),
    Queue(
        key="payouts-refused",
        title="Payouts that were refused",
        about="M-Pesa does not take the number, or refused too often. The seller can give another "
        "number; so can you, once you have called them.",
        rows=lambda now: Payout.objects.needs_action().select_related("seller").order_by("pk"),
        columns={
            **_PAYOUT,
            "Why": lambda payout: payout.note or payout.result_text,
            "Owed since": lambda payout: payout.created_at,
        },
        listed="payments_payout_changelist?status__exact=refused",
    ),
    Queue(
        key="payouts-silent",
        title="Payouts M-Pesa never spoke of",
        about="The money may have gone or not, and M-Pesa is not asked any more. Its portal "
        "tells: name the receipt it went under, or say that it never went.",
        rows=lambda now: Payout.objects.unresolved().select_related("seller").order_by("pk"),
        columns={
            **_PAYOUT,
            "Note": lambda payout: payout.note or payout.result_text,
            "Sent": lambda payout: payout.sent_at,
        },
        listed="payments_payout_changelist?status__in=unknown,sent&next_check_at__isnull=1",
    ),
    Queue(
        key="payouts-differ",
        title="Payouts that ended otherwise",
        about="The money may have gone twice, or another amount did. What went twice is kept back "
        "from the seller's next payouts. Acknowledge what you have seen.",
        rows=lambda now: Payout.objects.unacknowledged().select_related("seller").order_by("pk"),
        columns={
            **_PAYOUT,
            "Note": lambda payout: payout.note,
            "Done": lambda payout: payout.done_at,
        },
        listed="payments_payout_changelist?unacknowledged__exact=1",
    ),
    Queue(
        key="unnamed",
        title="Receipts whose number has not come",
        about="M-Pesa said that the prompt was paid and did not name the receipt. Until it has a "
        "number, nothing of its order goes back. The portal shows it.",
        rows=lambda now: (
            Receipt.objects.without_number()
            .filter(created_at__lt=now - NAMED_WITHIN)
            .select_related("order")
            .order_by("created_at")
        ),
        columns={
            **_RECEIPT,
            "Order": lambda receipt: receipt.order,
            "Known since": lambda receipt: receipt.created_at,
        },
        listed="payments_receipt_changelist?number__isempty=1",
    ),
    Queue(
        key="corrected",
        title="Receipts whose amount was corrected",
        about="The shop had counted another amount than M-Pesa tells of now, or an order was given "
        "what no buyer paid. What is missing the shop bears. Acknowledge what you have seen.",
        rows=lambda now: Receipt.objects.unacknowledged().select_related("order").order_by("pk"),
        columns={
            **_RECEIPT,
            "Borne by the shop": lambda receipt: format_kes(receipt.written_off),
            "Order": lambda receipt: receipt.order or "no order",
            "Note": lambda receipt: receipt.note,
        },
        listed="payments_receipt_changelist?unacknowledged__exact=1",
    ),
    Queue(
        key="messages",
        title="Messages that broke",
        about="M-Pesa or the bank told of something, and the shop could not act on it. Act on it "
        "again once the cause is mended, or set it aside.",
        rows=lambda now: (
            GatewayEvent.objects.broken(c2b_token=settings.DARAJA_C2B_TOKEN)
            .defer("body", "headers")
            .order_by("pk")
        ),
        columns={
            "Message": lambda event: f"Message {event.pk}",
            "To": lambda event: event.get_source_display(),
            "Came": lambda event: event.received_at,
            "What became of it": lambda event: f"{event.get_state_display()}: {event.note}",
        },
        listed="payments_gatewayevent_changelist?state__exact=failed",
    ),
    Queue(
        key="short",
        title="Short payments that wait for the rest",
        about="Not all of the price has come. The buyer has been told how much is missing. When "
        "the time is over the money goes back by itself.",
        rows=lambda now: Receipt.objects.awaiting_the_rest().select_related("order").order_by("pk"),
        columns={
            **_RECEIPT,
            "Order": lambda receipt: receipt.order,
            "Of": lambda receipt: format_kes(receipt.order.amount),
            "Time is over": lambda receipt: receipt.order.expires_at,
        },
        listed="payments_receipt_changelist?waiting__exact=1",
        for_information=True,
    ),
    Queue(
        key="held",
        title="Refunds that wait",
        about="For money on the account they are paid from, for a limit, for a receipt's number, "
        "for M-Pesa to confirm the payment, or for a stop to end. Then they go by themselves.",
        rows=lambda now: (
            Refund.objects.on_hold(now - SENT_WITHIN)
            .select_related("order", "receipt", "replaces")
            .order_by("next_check_at")
        ),
        columns={
            **_REFUND,
            "Why": lambda refund: (
                refund.result_text
                or (refund.replaces.result_text if refund.replaces else "")
                or ("" if refund.receipt.is_confirmed else "Its payment is not confirmed.")
            ),
            "Next try": lambda refund: refund.next_check_at,
        },
        listed="payments_refund_changelist?status__exact=due",
        for_information=True,
    ),
    Queue(
        key="payouts-held",
        title="Payouts that wait",
        about="For money on the account they are paid from, for the day's limit, for M-Pesa to "
        "confirm what was paid, or for a stop to end. Then they go by themselves.",
        rows=lambda now: (
            Payout.objects.on_hold(now - SENT_WITHIN)
            .select_related("seller")
            .order_by("next_check_at")
        ),
        columns={
            **_PAYOUT,
            "Why": lambda payout: payout.result_text,
            "Next try": lambda payout: payout.next_check_at,
        },
        listed="payments_payout_changelist?status__exact=due",
        for_information=True,
    ),
    Queue(
        key="problems",
        title="Problems with goods",
        about="Sellers are to answer these first. Nobody keeps you from deciding now.",
        rows=lambda now: (
            undecided_problems()
            .exclude(pk__in=late_problems(now).values("pk"))
            .order_by("opened_at", "pk")
        ),
        columns=_PROBLEM,
        listed="orders_problem_changelist?state__in=open,returning",
        for_information=True,
        looking=LOOKING_AT_PROBLEMS,
        acting=DECIDING_PROBLEMS,
    ),
    Queue(
        key="closed-points",
        title="Goods for a point that is closed",
        about="Their pick-up point has closed since they were ordered. It keeps what is under way; "
        "where it does not, call the buyer, and agree where they go instead.",
        rows=lambda now: _brought(going_to_closed_points()).order_by("order", "pk"),
        columns={**_BROUGHT, "There since": lambda line: line.parcel.arrived_at},
        listed="orders_ordertrack_changelist?track_status__exact=paid",
        for_information=True,
        looking=DECIDING_PROBLEMS,
        acting=DECIDING_PROBLEMS,
    ),
)
