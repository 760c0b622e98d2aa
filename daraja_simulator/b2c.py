"""B2C payouts: ``POST /mpesa/b2c/v3/paymentrequest``, and v1, which takes no id from the client.

Source: Daraja portal, Business to Customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import asynchronous, fields
from .callback_client import Body
from .config import MAX_AMOUNT, MIN_PAYOUT, Config
from .conversations import Conversation, Instruction, duplicate
from .entries import Entry, Purpose
from .faults import refuse_as_scripted
from .handsets import received_text
from .result_bodies import parameter, party
from .results import Declined
from .tokens import B2C_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid
from .world import World

COMMANDS = ("BusinessPayment", "SalaryPayment", "PromotionPayment")


def pay(world: World, version: int, request: Request) -> Reply:
    """Accept a payout to a phone, or refuse it. Raises DarajaError.

    In v3 a reused OriginatorConversationID is refused. Only the original request's result tells its
    outcome.
    """
    world.tokens.check(request, B2C_TOKEN_REFUSED)
    body = daraja_body(request)
    originator_id = fields.text(body, "OriginatorConversationID") if version == 3 else ""
    instruction = _read(world.config, body)
    world.conversations.refuse_known(originator_id)
    if originator_id and world.books.find_request(originator_id):
        # A request from before a restart is only in the books.
        raise duplicate()
    script = world.scripts.pick("b2c", phone=instruction.phone, amount=instruction.amount)
    if refusal := refuse_as_scripted(world, script, B2C_TOKEN_REFUSED):
        return refusal
    return asynchronous.accept(
        world, instruction, script, execute=_pay, forge=_forge, originator_id=originator_id
    )


def _read(config: Config, body: Mapping[str, Any]) -> Instruction:
    instruction = fields.instruction(
        config, body, api="b2c", initiator="InitiatorName", commands=COMMANDS, party="PartyA"
    )
    # Amounts outside the limits get a result code later; invalid ones are refused here.
    amount = fields.amount(body, most=10**12)
    phone = fields.phone(body, "PartyB")
    occasion = body.get("Occassion") or body.get("Occasion") or ""
    if not isinstance(occasion, str) or len(occasion) > 100:
        raise invalid("Occassion")
    return replace(instruction, amount=amount, phone=phone)


def _pay(world: World, conversation: Conversation) -> asynchronous.Completed:
    instruction = conversation.instruction
    if instruction.shortcode != world.config.b2c_shortcode:
        raise Declined("2028")
    if instruction.amount < MIN_PAYOUT:
        raise Declined("2")
    if instruction.amount > MAX_AMOUNT:
        raise Declined("3")
    if not world.subscribers.is_registered(instruction.phone):
        raise Declined("2040")
    entry = world.books.pay(
        phone=instruction.phone,
        amount=instruction.amount,
        purpose=_purpose(conversation),
        receipt=conversation.transaction_id,
    )
    text = received_text(world.config.merchant_name, entry)
    world.handsets.send_sms(instruction.phone, text, paid=True)
    return asynchronous.Completed(_parameters(world, entry), entry)


def _forge(world: World, conversation: Conversation) -> Sequence[Body]:
    instruction = conversation.instruction
    forged = world.books.forge_entry(
        phone=instruction.phone, amount=instruction.amount, purpose=_purpose(conversation)
    )
    return _parameters(world, forged)


def _purpose(conversation: Conversation) -> Purpose:
    instruction = conversation.instruction
    return Purpose(
        kind="b2c",
        shortcode=instruction.shortcode,
        party_b=instruction.phone,
        transaction_type=instruction.command,
        reference="",
        description=instruction.remarks,
        conversation_id=conversation.conversation_id,
        originator_conversation_id=conversation.originator_id,
    )


def _parameters(world: World, entry: Entry) -> list[Body]:
    working = world.books.account(entry.account)["working"]
    return [
        parameter("TransactionAmount", entry.amount),
        parameter("TransactionReceipt", entry.receipt),
        parameter("ReceiverPartyPublicName", party(world.config, entry.phone)),
        parameter("TransactionCompletedDateTime", f"{entry.time:%d.%m.%Y %H:%M:%S}"),
        parameter("B2CUtilityAccountAvailableFunds", float(entry.account_after)),
        parameter("B2CWorkingAccountAvailableFunds", float(working)),
        parameter("B2CRecipientIsRegisteredCustomer", "Y"),
        parameter("B2CChargesPaidAccountAvailableFunds", 0.0),
    ]
