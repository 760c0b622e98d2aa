"""C2B payments to a pay bill or a till, made on a phone or by ``POST /mpesa/c2b/v2/simulate``
(and v1).

Source: Daraja portal, Customer to Business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import fields
from .behaviour import Script
from .c2b_urls import accepted
from .callback_client import Callback, CallbackResponse
from .config import MAX_AMOUNT, Config
from .confirmations import GOODS, message
from .entries import Entry, Purpose
from .faults import answer_as_scripted, refuse_as_scripted
from .handsets import c2b_failed_text, c2b_paid_text
from .registrations import Registration
from .results import Declined
from .tokens import C2B_TOKEN_REFUSED
from .wire import DarajaError, Reply, Request, daraja_body, invalid, parse_json
from .world import World

PAY_BILL = "CustomerPayBillOnline"

#: The meaning of the codes with which a merchant rejects a payment. Source: Daraja portal.
REJECT_REASONS = {
    "C2B00011": "the phone number is not accepted",
    "C2B00012": "the account number is not correct",
    "C2B00013": "the amount is not correct",
    "C2B00014": "the payer's details are not accepted",
    "C2B00015": "the business number is not correct",
    "C2B00016": "the business does not accept the payment",
}


@dataclass(frozen=True, kw_only=True)
class C2BPayment:
    """A payment made without a prompt. ``amount`` is whole KES, ``phone`` 12 digits.

    ``account`` is the account number that was typed; empty for a till.
    """

    shortcode: str
    account: str
    amount: int
    phone: str


@dataclass(frozen=True)
class C2BResult:
    """The outcome of a payment: a result code (``"0"`` is paid), and the movement of money."""

    code: str
    entry: Entry | None = None


def simulate(world: World, request: Request) -> Reply:
    """Accept a simulated payment, which is made a moment later. Raises DarajaError."""
    if world.config.production:
        raise DarajaError(404, "404.001.01", "Resource not found")
    world.tokens.check(request, C2B_TOKEN_REFUSED)
    payment = _read(world.config, daraja_body(request))
    script = world.scripts.pick("c2b", phone=payment.phone, amount=payment.amount)
    if refusal := refuse_as_scripted(world, script, C2B_TOKEN_REFUSED):
        return refusal
    if script.callback_before_answer:
        pay(world, payment, script)
    else:
        wait = world.config.decide_after if script.decide_after is None else script.decide_after
        world.scheduler.add(wait, partial(pay, world, payment, script))
    return answer_as_scripted(script, accepted("Accept the service request successfully."))


def pay(world: World, payment: C2BPayment, script: Script | None = None) -> C2BResult:
    """Make a payment: validate it, move the money, send the payer's SMS and the confirmation.

    Waits for the merchant's validation response, if a URL is registered. The confirmation is sent
    later.
    """
    script = script or world.scripts.pick("c2b", phone=payment.phone, amount=payment.amount)
    world.handsets.remember(payment.phone)
    code, entry, third_party_id = _settle(world, payment, script)
    balance = world.books.wallet(payment.phone)
    to = world.config.merchant_name
    if entry is None:
        words = REJECT_REASONS.get(code)
        text = c2b_failed_text(to, payment.account, payment.amount, code, words, balance)
    else:
        text = c2b_paid_text(to, entry)
    world.handsets.send_sms(payment.phone, text, paid=entry is not None)
    world.events.add(
        "paid_by_hand",
        **vars(payment),
        result_code=code,
        receipt=entry.receipt if entry else None,
    )
    confirmation = entry and world.confirmations.prepare(entry, script, third_party_id)
    if confirmation:
        world.scheduler.add(0, confirmation.send)
    return C2BResult(code, entry)


def _settle(world: World, payment: C2BPayment, script: Script) -> tuple[str, Entry | None, str]:
    if script.outcome not in (None, "0"):
        return str(script.outcome), None, ""
    if world.subscribers.is_locked(payment.phone):
        return "8006", None, ""
    purpose = Purpose(
        kind="c2b",
        shortcode=payment.shortcode,
        party_b=payment.shortcode,
        transaction_type=GOODS if payment.shortcode == world.config.till else PAY_BILL,
        reference=script.account if script.account is not None else payment.account,
        description="",
    )
    receipt = world.books.new_receipt()
    verdict, third_party_id = _validate(world, payment, purpose, receipt)
    if verdict != "0":
        return verdict, None, ""
    try:
        entry = world.books.receive(
            phone=payment.phone, amount=payment.amount, purpose=purpose, receipt=receipt
        )
    except Declined as no:
        return no.code, None, ""
    return "0", entry, third_party_id


def _validate(world: World, payment: C2BPayment, purpose: Purpose, receipt: str) -> tuple[str, str]:
    """Ask the merchant to validate a payment; return its result code (``"0"`` accepts) and id."""
    registration = world.registrations.of(payment.shortcode)
    if registration is None or not world.config.external_validation:
        return "0", ""
    wallet = world.books.wallet(payment.phone)
    proposed = Entry(
        receipt=receipt,
        direction="in",
        phone=payment.phone,
        amount=payment.amount,
        wallet_after=wallet,
        account_after=0,
        time=world.clock.now(),
        purpose=purpose,
    )
    request = Callback(
        channel="c2b_validation",
        url=registration.validation_url,
        body=message(proposed, registration.version),
        about={"receipt": receipt},
    )
    answer = world.callback_client.send(request, world.config.validation_timeout)
    return _verdict(registration, answer)


def _verdict(registration: Registration, answer: CallbackResponse) -> tuple[str, str]:
    try:
        content = parse_json(answer.text.encode()) if answer.status == 200 else None
    except ValueError:
        content = None
    content = content if isinstance(content, dict) else {}
    code = content.get("ResultCode")
    if not isinstance(code, str | int) or isinstance(code, bool):
        # No response, or an unreadable one: the registered ResponseType decides.
        return ("0" if registration.response_type == "Completed" else "C2B00016"), ""
    return str(code), str(content.get("ThirdPartyTransID") or "")


def _read(config: Config, body: Mapping[str, Any]) -> C2BPayment:
    shortcode = fields.text(body, "ShortCode")
    if shortcode not in config.numbers:
        raise invalid("ShortCode")
    command = fields.text(body, "CommandID")
    if command != (GOODS if shortcode == config.till else PAY_BILL):
        raise invalid("CommandID")
    amount = fields.amount(body, MAX_AMOUNT)
    phone = fields.phone(body, "Msisdn")
    account = "" if command == GOODS else fields.text(body, "BillRefNumber")
    if len(account) > 20:
        raise invalid("BillRefNumber")
    return C2BPayment(shortcode=shortcode, account=account, amount=amount, phone=phone)
