"""C2B Register URL: ``POST /mpesa/c2b/v2/registerurl``, and v1.

Source: Daraja portal, Customer to Business, Register URL.
"""

from collections.abc import Mapping
from typing import Any

from . import fields, ids
from .config import Config
from .faults import answer_as_scripted, refuse_as_scripted
from .registrations import Registration
from .tokens import C2B_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid, json_reply
from .world import World


def register(world: World, version: int, request: Request) -> Reply:
    """Register the merchant's validation and confirmation URLs. Raises DarajaError."""
    world.tokens.check(request, C2B_TOKEN_REFUSED)
    wanted = _read(world.config, version, daraja_body(request))
    script = world.scripts.pick("c2b_register")
    if refusal := refuse_as_scripted(world, script, C2B_TOKEN_REFUSED):
        return refusal
    world.registrations.add(wanted)
    world.events.add("urls_registered", **vars(wanted))
    return answer_as_scripted(script, accepted())


def accepted(words: str = "Success") -> Reply:
    """Return the C2B success response, with Safaricom's own spelling."""
    return json_reply(
        200,
        {
            "OriginatorCoversationID": ids.merchant_request_id(),
            "ResponseCode": "0",
            "ResponseDescription": words,
        },
    )


def _read(config: Config, version: int, body: Mapping[str, Any]) -> Registration:
    shortcode = fields.text(body, "ShortCode")
    if shortcode not in config.numbers:
        raise invalid("ShortCode")
    response_type = fields.text(body, "ResponseType")
    if response_type not in ("Completed", "Cancelled"):
        raise invalid("ResponseType")
    local = config.local_callbacks
    return Registration(
        shortcode=shortcode,
        response_type=response_type,
        confirmation_url=fields.callback_url(body, "ConfirmationURL", local=local),
        validation_url=fields.callback_url(body, "ValidationURL", local=local),
        version=version,
    )
