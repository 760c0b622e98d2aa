"""M-Pesa Express Query: ``POST /mpesa/stkpushquery/v1/query``.

Source: Daraja portal, M-Pesa Express Query, and recorded runs.
"""

from . import fields
from .behaviour import NAMED_REFUSALS
from .faults import answer_as_scripted, refusal_reply, refuse_as_scripted
from .prompts import Prompt
from .results import DESCRIPTIONS, describe
from .tokens import STK_TOKEN_REFUSED
from .wire import DarajaError, Reply, Request, daraja_body, invalid, json_reply
from .world import World

_REQUIRED = ("BusinessShortCode", "Password", "Timestamp", "CheckoutRequestID")


def query(world: World, request: Request) -> Reply:
    """Return the result code of a push, as text. Raises DarajaError.

    The response has neither receipt, amount nor phone. For an open prompt it is 4999 or
    500.001.1001, depending on the setting ``pending_query``.
    """
    if not world.query_limit.allow():
        return refusal_reply(NAMED_REFUSALS["too_many_requests"])
    world.tokens.check(request, STK_TOKEN_REFUSED)
    body = daraja_body(request)
    for name in _REQUIRED:
        fields.text(body, name)
    fields.check_merchant(world.config, body)
    checkout_id = fields.text(body, "CheckoutRequestID")
    prompt = world.prompts.find(checkout_id)
    phone, amount = (prompt.push.phone, prompt.push.amount) if prompt else ("", 0)
    script = world.scripts.pick("stk_query", phone=phone, amount=amount)
    world.events.add("query", checkout_request_id=checkout_id, known=prompt is not None)
    if refusal := refuse_as_scripted(world, script, STK_TOKEN_REFUSED):
        return refusal
    if prompt is None:
        raise _does_not_exist()
    mode = script.query if script.query != "truth" else prompt.script.query
    return answer_as_scripted(script, _answer(world, prompt, mode))


def _answer(world: World, prompt: Prompt, mode: str) -> Reply:
    if mode == "unknown":
        raise _does_not_exist()
    if mode == "invalid":
        raise invalid("CheckoutRequestID")
    if mode == "flaky":
        _fail_every_other_poll(world.prompts.count_poll(prompt))
    if prompt.ending is None or mode in ("4999", "processing"):
        return _pending(
            prompt, mode if mode in ("4999", "processing") else world.config.pending_query
        )
    code = prompt.ending.code
    if mode == "contradictory":
        code = "1037" if code == "0" else "0"
    return _result(prompt, code)


def _pending(prompt: Prompt, shape: str) -> Reply:
    if shape == "processing":
        raise DarajaError(500, "500.001.1001", "The transaction is being processed")
    return _result(prompt, "4999")


def _result(prompt: Prompt, code: str) -> Reply:
    description = (
        prompt.ending.desc if prompt.ending and prompt.ending.code == code else describe(code)
    )
    is_usual = description == DESCRIPTIONS.get(code)
    return json_reply(
        200,
        {
            "ResponseCode": "0",
            # Safaricom's own spelling, as in every recorded response.
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.checkout_request_id,
            "ResultCode": code,
            "ResultDesc": describe(code, in_query=True) if is_usual else description,
        },
    )


def _fail_every_other_poll(poll: int) -> None:
    """Fail the 1st, 3rd, 5th … poll.

    The real service failed at random, in 4 of 19 polls. This is deterministic, for tests.
    """
    if poll % 4 == 1:
        raise DarajaError(200, "500.001.1001", "")
    if poll % 4 == 3:
        raise DarajaError(500, "500.001.1001", "")


def _does_not_exist() -> DarajaError:
    return DarajaError(500, "500.001.1001", "The transaction does not Exist")
