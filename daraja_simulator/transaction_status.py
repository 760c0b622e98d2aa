"""Transaction Status: ``POST /mpesa/transactionstatus/v1/query``.

Source: Daraja portal, Transaction Status. The oddities of its sample are kept: a duplicate key, a
key without a value, an amount as text. A prompt's MerchantRequestID finds nothing. The status
``Reversed`` for a reversed payment is our guess; the portal does not list it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import asynchronous, fields
from .callback_client import Body
from .clock import stamp
from .config import Config
from .conversations import Conversation, Instruction
from .entries import Entry
from .faults import refuse_as_scripted
from .ids import is_msisdn
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
class FoundTransaction:
    """The transaction found: a movement of money, or a request that has moved none (yet)."""

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
    """Accept the query. The status follows in a result callback. Raises DarajaError.

    Result code 0 means that the transaction was found, whatever its status.
    """
    world.tokens.check(request, STATUS_TOKEN_REFUSED)
    instruction = _read(world.config, daraja_body(request))
    found = _find(world, instruction)
    phone, amount = (found.phone, found.amount) if found else ("", 0)
    script = world.scripts.pick("transaction_status", phone=phone, amount=amount)
    if refusal := refuse_as_scripted(world, script, STATUS_TOKEN_REFUSED):
        return refusal
    return asynchronous.accept(world, instruction, script, execute=_execute)


def _read(config: Config, body: Mapping[str, Any]) -> Instruction:
    instruction = fields.instruction(
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
    return replace(
        instruction,
        original_transaction_id=receipt.strip(),
        original_conversation_id=conversation.strip(),
    )


def _find(world: World, instruction: Instruction) -> FoundTransaction | None:
    if instruction.original_transaction_id:
        original = world.conversations.find(transaction_id=instruction.original_transaction_id)
        entry = world.books.find(instruction.original_transaction_id)
    else:
        original = world.conversations.find(originator_id=instruction.original_conversation_id)
        # A request from before a restart is only in the books.
        entry = world.books.find_request(instruction.original_conversation_id)
    if original and original.instruction.api in ("b2c", "reversal"):
        found = _found_request(original)
    elif entry is None:
        return None
    else:
        found = _found_payment(entry)
    return replace(found, status="Reversed") if world.books.is_reversed(found.receipt) else found


def _found_request(original: Conversation) -> FoundTransaction:
    return FoundTransaction(
        kind=original.instruction.api,
        phone=original.instruction.phone,
        amount=original.instruction.amount,
        shortcode=original.instruction.shortcode,
        receipt=original.transaction_id,
        status=original.status,
        began=original.asked_at,
        ended=original.ended_at,
        conversation_id=original.conversation_id,
        originator_id=original.originator_id,
    )


def _found_payment(entry: Entry) -> FoundTransaction:
    return FoundTransaction(
        kind=entry.purpose.kind,
        phone=entry.phone,
        amount=entry.amount,
        shortcode=entry.account,
        receipt=entry.receipt,
        status="Completed",
        began=entry.time,
        ended=entry.time,
        comes_in=entry.direction == "in",
        conversation_id=entry.purpose.conversation_id,
        originator_id=entry.purpose.originator_conversation_id,
    )


def _execute(world: World, conversation: Conversation) -> asynchronous.Completed:
    instruction = conversation.instruction
    found = _find(world, instruction)
    if found is None:
        raise Declined("SFC_IC0003")
    # A phone can query its own transactions only, a shortcode of the merchant all of them.
    if instruction.shortcode not in (
        (found.phone,) if is_msisdn(instruction.shortcode) else world.config.numbers
    ):
        raise Declined("SFC_IC0003")
    if conversation.script.status:
        found = replace(found, status=conversation.script.status)
    return asynchronous.Completed(_parameters(world.config, found))


def _parameters(config: Config, found: FoundTransaction) -> list[Body]:
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
