"""Reversal of a payment: ``POST /mpesa/reversal/v1/request``.

Source: Daraja portal, Reversal. Partial reversals are not documented; any amount other than the
payment's ends with 25 here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import asynchronous, fields
from .callback_client import Body
from .clock import stamp
from .config import Config
from .conversations import Conversation, Instruction
from .entries import Entry, Purpose
from .faults import refuse_as_scripted
from .handsets import returned_text
from .result_bodies import balance_text, parameter, party
from .results import Declined
from .tokens import REVERSAL_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid
from .world import World


def reverse(world: World, request: Request) -> Reply:
    """Accept a reversal, or refuse it. Raises DarajaError.

    A second reversal of the same payment ends with R000001.
    """
    world.tokens.check(request, REVERSAL_TOKEN_REFUSED)
    instruction = _read(world.config, daraja_body(request))
    paid = world.books.find(instruction.original_transaction_id)
    phone = paid.phone if paid else ""
    script = world.scripts.pick("reversal", phone=phone, amount=instruction.amount)
    if refusal := refuse_as_scripted(world, script, REVERSAL_TOKEN_REFUSED):
        return refusal
    return asynchronous.accept(
        world, replace(instruction, phone=phone), script, execute=_return, forge=_forge
    )


def _read(config: Config, body: Mapping[str, Any]) -> Instruction:
    instruction = fields.instruction(
        config,
        body,
        api="reversal",
        initiator="Initiator",
        commands=("TransactionReversal",),
        party="ReceiverParty",
    )
    if fields.text(body, "RecieverIdentifierType") != "11":
        raise invalid("RecieverIdentifierType")
    receipt = fields.text(body, "TransactionID")
    return replace(
        instruction, original_transaction_id=receipt, amount=fields.amount(body, most=10**12)
    )


def _return(world: World, conversation: Conversation) -> asynchronous.Completed:
    instruction = conversation.instruction
    original = world.books.find(instruction.original_transaction_id)
    if original is None or not original.is_payment:
        raise Declined("R000002")
    if instruction.shortcode != original.account:
        raise Declined("2028")
    if instruction.amount != original.amount:
        raise Declined("25")
    entry = world.books.reverse_entry(
        original,
        purpose=_purpose(conversation, original),
        receipt=conversation.transaction_id,
    )
    text = returned_text(world.config.merchant_name, entry)
    world.handsets.send_sms(entry.phone, text, paid=True)
    return asynchronous.Completed(_parameters(world, entry), entry)


def _forge(world: World, conversation: Conversation) -> Sequence[Body]:
    original = world.books.find(conversation.instruction.original_transaction_id)
    if original is None:
        return ()
    forged = world.books.forge_entry(
        phone=original.phone,
        amount=original.amount,
        purpose=_purpose(conversation, original),
    )
    return _parameters(world, forged)


def _purpose(conversation: Conversation, original: Entry) -> Purpose:
    return Purpose(
        kind="reversal",
        shortcode=original.account,
        party_b=original.phone,
        transaction_type=conversation.instruction.command,
        reference=original.purpose.reference,
        description=conversation.instruction.remarks,
        conversation_id=conversation.conversation_id,
        originator_conversation_id=conversation.originator_id,
        reverses=original.receipt,
    )


def _parameters(world: World, entry: Entry) -> list[Body]:
    shortcode = entry.purpose.shortcode
    return [
        parameter("DebitAccountBalance", balance_text("Utility Account", entry.account_after)),
        parameter("Amount", entry.amount),
        parameter("TransCompletedTime", int(stamp(entry.time))),
        parameter("OriginalTransactionID", entry.purpose.reverses),
        parameter("Charge", 0),
        parameter("CreditPartyPublicName", party(world.config, entry.phone)),
        parameter("DebitPartyPublicName", party(world.config, shortcode)),
    ]
