"""``GET /oauth/v1/generate``. Source: Daraja portal, Authorization."""

import base64
import binascii
import hmac

from .config import Config
from .faults import answer_as_scripted, refuse_as_scripted
from .wire import DarajaError, Reply, Request, json_reply
from .world import World


def generate(world: World, request: Request) -> Reply:
    """Issue an access token for the consumer key and secret. Raises DarajaError.

    Returns ``{"access_token": "…", "expires_in": "3599"}``; the seconds are a string.
    """
    config = world.config
    if not _has_valid_credentials(config, request.headers.get("authorization", "")):
        raise DarajaError(400, "400.008.01", "Invalid Authentication passed")
    if request.query.get("grant_type") != "client_credentials":
        raise DarajaError(400, "400.008.02", "Invalid grant type passed")
    script = world.scripts.pick("oauth")
    if refusal := refuse_as_scripted(world, script):
        return refusal
    token = {"access_token": world.tokens.issue(), "expires_in": str(config.token_seconds)}
    world.events.add("token_issued")
    return answer_as_scripted(script, json_reply(200, token))


def _has_valid_credentials(config: Config, header: str) -> bool:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{config.consumer_key}:{config.consumer_secret}".encode()
    return hmac.compare_digest(given, expected)
