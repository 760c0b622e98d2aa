"""M-Pesa Express (STK push): ``POST /mpesa/stkpush/v1/processrequest``.

Source: Daraja portal, M-Pesa Express.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from . import fields
from .behaviour import PERSON, Script
from .config import MAX_AMOUNT, Config
from .faults import answer_as_scripted, refuse_as_scripted
from .handsets import prompt_words
from .prompts import Prompt, Push
from .script_input import read_outcome
from .tokens import STK_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid, json_reply
from .world import World

#: The longest text of a prompt. Source: Daraja portal, result code 1025.
MAX_PROMPT = 182

PAY_BILL, BUY_GOODS = "CustomerPayBillOnline", "CustomerBuyGoodsOnline"

_REQUIRED = (
    "BusinessShortCode",
    "Password",
    "Timestamp",
    "TransactionType",
    "Amount",
    "PartyA",
    "PartyB",
    "PhoneNumber",
    "CallBackURL",
    "AccountReference",
)


def push(world: World, request: Request) -> Reply:
    """Accept an STK push, or refuse it. Raises DarajaError.

    The outcome follows in a callback. Every accepted request opens a new prompt, because STK pushes
    have no idempotency key.
    """
    world.tokens.check(request, STK_TOKEN_REFUSED)
    wanted = read_push(world.config, daraja_body(request))
    world.handsets.remember(wanted.phone)
    world.prompts.refuse_if_open(wanted.phone)
    script = world.scripts.pick("stk_push", phone=wanted.phone, amount=wanted.amount)
    if refusal := refuse_as_scripted(world, script, STK_TOKEN_REFUSED):
        return refusal
    prompt = _open(world, wanted, script)
    return answer_as_scripted(script, _accepted(prompt))


def read_push(config: Config, body: Mapping[str, Any]) -> Push:
    """Validate a push in the same order as Daraja. Raises DarajaError for the first error."""
    for name in _REQUIRED:
        fields.text(body, name)
    # The real gateway calls this field Remarks in its error.
    description = fields.text(body, "TransactionDesc", called="Remarks")
    transaction_type = fields.text(body, "TransactionType")
    if transaction_type not in (PAY_BILL, BUY_GOODS):
        raise invalid("TransactionType")
    fields.check_merchant(config, body)
    amount = fields.amount(body, MAX_AMOUNT)
    fields.phone(body, "PartyA")
    phone = fields.phone(body, "PhoneNumber")
    reference = fields.text(body, "AccountReference")
    if len(reference) > 12:
        raise invalid("AccountReference")
    if len(description) > 13:
        raise invalid("Remarks")
    return Push(
        shortcode=fields.text(body, "BusinessShortCode"),
        transaction_type=transaction_type,
        amount=amount,
        phone=phone,
        party_b=fields.text(body, "PartyB"),
        callback_url=fields.callback_url(body, "CallBackURL", local=config.local_callbacks),
        reference=reference,
        description=description,
    )


def choose_outcome(world: World, wanted: Push, script: Script) -> str:
    """Choose the outcome of a push: a result code, or ``"person"``.

    A wrong PartyB always fails, and so does a prompt that is too long. After that, the first of
    these decides: the script, a magic number, the rule against the same amount within two minutes,
    the default.
    """
    config = world.config
    if wanted.party_b != _party_b(config, wanted.transaction_type):
        return "2028"
    if len(prompt_words(config, wanted)["text"]) > MAX_PROMPT:
        return "1025"
    if decided := script.outcome or world.scripts.magic_outcome(wanted.phone):
        return decided
    if world.prompts.is_similar(config.similar_counts, wanted, config.similar_within):
        return "17"
    return read_outcome(config.default)


def _open(world: World, wanted: Push, script: Script) -> Prompt:
    outcome = choose_outcome(world, wanted, script)
    if outcome == PERSON and script.callback_before_answer:
        # Nobody can enter a PIN before the response is sent, so this fault pays immediately.
        outcome = "0"
    prompt = world.prompts.open(wanted, script, rings=outcome == PERSON)
    if outcome != "17":
        world.prompts.record("asked", wanted)
    world.events.add(
        "push_accepted",
        checkout_request_id=prompt.checkout_request_id,
        merchant_request_id=prompt.merchant_request_id,
        outcome=outcome,
        **vars(wanted),
    )
    if outcome == PERSON:
        give_up = partial(world.end_prompt, prompt, "1037")
        world.scheduler.add(world.config.prompt_timeout, give_up, waits_for_person=True)
    elif script.callback_before_answer:
        world.end_prompt(prompt, outcome, deliver_at_once=True)
    else:
        wait = world.config.decide_after if script.decide_after is None else script.decide_after
        world.scheduler.add(wait, partial(world.end_prompt, prompt, outcome))
    return prompt


def _party_b(config: Config, transaction_type: str) -> str:
    return config.till if transaction_type == BUY_GOODS else config.shortcode


def _accepted(prompt: Prompt) -> Reply:
    return json_reply(
        200,
        {
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.checkout_request_id,
            "ResponseCode": "0",
            "ResponseDescription": "Success. Request accepted for processing",
            "CustomerMessage": "Success. Request accepted for processing",
        },
    )
