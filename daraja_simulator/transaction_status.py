"""Asking what became of a transaction: ``POST /mpesa/transactionstatus/v1/query``.

Source: Daraja portal, Transaction Status. The odd parts of its sample are kept: a key that comes
twice, one without a value, an amount in text. A prompt's MerchantRequestID finds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import fields, later
from .books import Entry
from .clock import stamp
from .config import Config
from .conversations import Ask, Conversation
from .faults import refuse_as_scripted
from .ids import is_msisdn
from .post import Body
from .result_bodies import parameter, party
from .results import Declined
from .tokens import STATUS_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid
from .world import World

_REASONS = {
    "stk": "Pay Bill Online",
    "c2b": "Pay Utility",
    "b2c": "Business Payment to Customer via API",
    "reversal": "Transaction Reversal via API",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was asked about: a movement of money, or a request that moved none, or none yet."""

    kind: str
    phone: str
    amount: int
    shortcode: str
    receipt: str
    status: str
    began: datetime
    ended: datetime | None
    comes_in: bool = False
    conversation_id: str = ""
    originator_id: str = ""


def query(world: World, request: Request) -> Reply:
    """Accept the question; the answer comes as a result. Raises DarajaError.

    That result's own code 0 means that the question was answered, whatever the answer.
    """
    world.tokens.check(request, STATUS_TOKEN_REFUSED)
    ask = _read(world.config, daraja_body(request))
    found = _find(world, ask)
    phone, amount = (found.phone, found.amount) if found else ("", 0)
    script = world.scripts.pick("transaction_status", phone=phone, amount=amount)
    if refusal := refuse_as_scripted(world, script, STATUS_TOKEN_REFUSED):
        return refusal
    return later.accept(world, ask, script, work=_look)


def _read(config: Config, body: Mapping[str, Any]) -> Ask:
    ask = fields.initiated(
        config,
        body,
        api="transaction_status",
        initiator="Initiator",
        commands=("TransactionStatusQuery",),
        party="PartyA",
    )
    if fields.text(body, "IdentifierType") not in ("1", "2", "4"):
        raise invalid("IdentifierType")
    receipt = body.get("TransactionID") or ""
    conversation = body.get("OriginalConversationID") or body.get("OriginatorConversationID") or ""
    if not isinstance(receipt, str) or not isinstance(conversation, str):
        raise invalid("TransactionID")
    if not receipt.strip() and not conversation.strip():
        raise invalid("TransactionID")
    return replace(ask, about=receipt.strip(), about_conversation=conversation.strip())


def _find(world: World, ask: Ask) -> Found | None:
    if ask.about:
        original = world.conversations.find(transaction_id=ask.about)
        entry = world.books.find(ask.about)
    else:
        original = world.conversations.find(originator_id=ask.about_conversation)
        entry = None
    if original and original.ask.api in ("b2c", "reversal"):
        return _found_request(original)
    return _found_payment(entry) if entry else None


def _found_request(original: Conversation) -> Found:
    return Found(
        kind=original.ask.api,
        phone=original.ask.phone,
        amount=original.ask.amount,
        shortcode=original.ask.shortcode,
        receipt=original.transaction_id,
        status=original.status,
        began=original.asked_at,
        ended=original.ended_at,
        conversation_id=original.conversation_id,
        originator_id=original.originator_id,
    )


def _found_payment(entry: Entry) -> Found:
    return Found(
        kind=entry.purpose.kind,
        phone=entry.phone,
        amount=entry.amount,
        shortcode=entry.account,
        receipt=entry.receipt,
        status="Completed",
        began=entry.time,
        ended=entry.time,
        comes_in=True,
    )


def _look(world: World, conversation: Conversation) -> later.Done:
    ask = conversation.ask
    found = _find(world, ask)
    if found is None:
        raise Declined("SFC_IC0003")
    # A customer may be asked about only by what is theirs, a number of the merchant about all.
    if ask.shortcode not in ((found.phone,) if is_msisdn(ask.shortcode) else world.config.numbers):
        raise Declined("SFC_IC0003")
    if conversation.script.status:
        found = replace(found, status=conversation.script.status)
    return later.Done(_parameters(world.config, found))


def _parameters(config: Config, found: Found) -> list[Body]:
    names = party(config, found.phone), party(config, found.shortcode)
    debit, credit = names if found.comes_in else names[::-1]
    account = "MMF Account For Customer" if found.comes_in else "Utility Account"
    return [
        parameter("DebitPartyName", debit),
        parameter("DebitPartyName", credit),
        parameter("CreditPartyName", credit),
        parameter("OriginatorConversationID", found.originator_id),
        parameter("InitiatedTime", int(stamp(found.began))),
        parameter("DebitAccountType", account),
        parameter("DebitPartyCharges", ""),
        {"Key": "TransactionReason"},
        parameter("ReasonType", _REASONS[found.kind]),
        parameter("TransactionStatus", found.status),
        parameter("FinalisedTime", int(stamp(found.ended)) if found.ended else ""),
        parameter("Amount", str(found.amount)),
        parameter("ConversationID", found.conversation_id),
        parameter("ReceiptNo", found.receipt),
    ]
