"""Payouts to phones: ``POST /mpesa/b2c/v3/paymentrequest``, and v1, which knows no id of ours.

Source: Daraja portal, Business to Customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import fields, later
from .books import Entry, Purpose
from .config import MAX_AMOUNT, MIN_PAYOUT, Config
from .conversations import Ask, Conversation
from .faults import refuse_as_scripted
from .handsets import received_text
from .post import Body
from .result_bodies import parameter, party
from .results import Declined
from .tokens import B2C_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid
from .world import World

COMMANDS = ("BusinessPayment", "SalaryPayment", "PromotionPayment")


def pay(world: World, version: int, request: Request) -> Reply:
    """Accept an order to pay a phone, or refuse it. Raises DarajaError.

    In v3 an OriginatorConversationID used before is refused; what became of the first is told by
    its result alone.
    """
    world.tokens.check(request, B2C_TOKEN_REFUSED)
    body = daraja_body(request)
    originator_id = fields.text(body, "OriginatorConversationID") if version == 3 else ""
    ask = _read(world.config, body)
    world.conversations.refuse_known(originator_id)
    script = world.scripts.pick("b2c", phone=ask.phone, amount=ask.amount)
    if refusal := refuse_as_scripted(world, script, B2C_TOKEN_REFUSED):
        return refusal
    return later.accept(world, ask, script, work=_pay, forge=_imagine, originator_id=originator_id)


def _read(config: Config, body: Mapping[str, Any]) -> Ask:
    ask = fields.initiated(
        config, body, api="b2c", initiator="InitiatorName", commands=COMMANDS, party="PartyA"
    )
    # What is too little or too much is told by the result; what is no amount at all, at once.
    amount = fields.amount(body, most=10**12)
    phone = fields.phone(body, "PartyB")
    occasion = body.get("Occassion") or body.get("Occasion") or ""
    if not isinstance(occasion, str) or len(occasion) > 100:
        raise invalid("Occassion")
    return replace(ask, amount=amount, phone=phone)


def _pay(world: World, conversation: Conversation) -> later.Done:
    ask = conversation.ask
    if ask.shortcode != world.config.b2c_shortcode:
        raise Declined("2028")
    if ask.amount < MIN_PAYOUT:
        raise Declined("2")
    if ask.amount > MAX_AMOUNT:
        raise Declined("3")
    if not world.subscribers.is_registered(ask.phone):
        raise Declined("2040")
    entry = world.books.pay(
        phone=ask.phone,
        amount=ask.amount,
        purpose=_purpose(conversation),
        receipt=conversation.transaction_id,
    )
    text = received_text(world.config.merchant_name, entry)
    world.handsets.text(ask.phone, text, paid=True)
    return later.Done(_parameters(world, entry), entry)


def _imagine(world: World, conversation: Conversation) -> Sequence[Body]:
    ask = conversation.ask
    forged = world.books.imagine(phone=ask.phone, amount=ask.amount, purpose=_purpose(conversation))
    return _parameters(world, forged)


def _purpose(conversation: Conversation) -> Purpose:
    ask = conversation.ask
    return Purpose(
        kind="b2c",
        shortcode=ask.shortcode,
        party_b=ask.phone,
        transaction_type=ask.command,
        reference="",
        description=ask.remarks,
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
