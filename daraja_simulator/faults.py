"""Scripted faults of any API: refusals, and late, lost or damaged responses."""

from dataclasses import replace

from .behaviour import Refusal, Script
from .tokens import STK_TOKEN_REFUSED, Tokens
from .wire import Reply, error_reply
from .world import World


def refuse_as_scripted(
    world: World, script: Script, token_refused: tuple[int, str] = STK_TOKEN_REFUSED
) -> Reply | None:
    """Return the refusal that a script asks for, or None. Call it before doing anything.

    Raises DarajaError if the script revokes all tokens, because the request's own is then refused.
    """
    if script.invalidate_token:
        world.tokens.revoke_all()
        raise Tokens.refusal(token_refused)
    refusal = script.refuse
    if refusal is None:
        return None
    return replace(refusal_reply(refusal), delay=script.answer_delay)


def refusal_reply(refusal: Refusal) -> Reply:
    """Return the response of a refusal, in Daraja's error envelope or with its own body."""
    if refusal.body is None:
        return error_reply(refusal.status, refusal.code, refusal.message)
    return Reply(refusal.status, refusal.body.encode(), refusal.content_type)


def answer_as_scripted(script: Script, reply: Reply) -> Reply:
    """Apply a script's fault to the response of an executed request.

    The response can be late, lost, cut in half, or replaced by another one.
    """
    reply = replace(reply, delay=script.answer_delay)
    match script.answer:
        case "nothing":
            return replace(reply, ending="nothing")
        case "half":
            return replace(reply, ending="half")
        case "html":
            page = b"<html><body>Please wait</body></html>"
            return replace(reply, body=page, content_type="text/html")
        case "error":
            busy = "System is busy. Please try again in few minutes."
            return replace(error_reply(500, "500.003.02", busy), delay=script.answer_delay)
        case _:
            return reply
