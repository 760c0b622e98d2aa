"""Scripted bad luck that any API can have: refusals, and answers that get lost on their way."""

from dataclasses import replace

from .behaviour import Refusal, Script
from .tokens import STK_TOKEN_REFUSED, Tokens
from .wire import Reply, error_reply
from .world import World


def refuse_as_scripted(
    world: World, script: Script, token_refused: tuple[int, str] = STK_TOKEN_REFUSED
) -> Reply | None:
    """Give the refusal a script asks for, before anything is done; None when it asks for none.

    Raises DarajaError when the script has all tokens revoked: this one is then refused.
    """
    if script.invalidate_token:
        world.tokens.revoke_all()
        raise Tokens.refusal(token_refused)
    refusal = script.refuse
    if refusal is None:
        return None
    return replace(refusal_reply(refusal), delay=script.answer_delay)


def refusal_reply(refusal: Refusal) -> Reply:
    """Write a refusal, in Daraja's envelope or with a body of its own."""
    if refusal.body is None:
        return error_reply(refusal.status, refusal.code, refusal.message)
    return Reply(refusal.status, refusal.body.encode(), refusal.content_type)


def answer_as_scripted(script: Script, reply: Reply) -> Reply:
    """Spoil the answer to something that was done, as a script asks: late, lost, cut in half, or
    another one.
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
