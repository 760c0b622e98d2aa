"""The common part of the asynchronous APIs: accept a request, execute it later, post the result.

Source: Daraja portal, the pages of the APIs that take an initiator. The body sent to a queue
timeout URL is the request itself, according to Safaricom's answer to an integrator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from . import ids
from .behaviour import Script
from .callback_client import Body, Callback
from .callback_dispatch import CallbackVariants
from .conversations import Conversation, Instruction
from .entries import Entry
from .faults import answer_as_scripted
from .prompts import Ending
from .result_bodies import result
from .results import Declined, describe
from .wire import Reply, json_reply
from .world import World


@dataclass(frozen=True)
class Completed:
    """An executed request: the parameters of its result, and the movement of money if any."""

    parameters: Sequence[Body]
    entry: Entry | None = None


#: Executes a request. Raises Declined.
Execute = Callable[[World, Conversation], Completed]

#: Makes up the parameters of a success that did not happen.
Forge = Callable[[World, Conversation], Sequence[Body]]


def accept(
    world: World,
    instruction: Instruction,
    script: Script,
    *,
    execute: Execute,
    forge: Forge | None = None,
    originator_id: str = "",
) -> Reply:
    """Accept a request and schedule its execution. Raises DarajaError for a reused id."""
    now = world.clock.now()
    conversation = Conversation(
        instruction=instruction,
        conversation_id=ids.conversation_id(now),
        originator_id=originator_id or ids.merchant_request_id(),
        transaction_id=world.books.new_receipt(),
        script=script,
        asked_at=now,
    )
    world.conversations.add(conversation)
    world.events.add("request_accepted", **conversation.as_json())
    finish = partial(_finish, world, conversation, execute, forge)
    if script.callback_before_answer:
        finish()
    else:
        wait = world.config.decide_after if script.decide_after is None else script.decide_after
        world.scheduler.add(wait, finish)
    return answer_as_scripted(script, _accepted(conversation))


def _finish(
    world: World, conversation: Conversation, execute: Execute, forge: Forge | None
) -> None:
    instruction, script = conversation.instruction, conversation.script
    parameters: Sequence[Body] = ()
    if script.queue_timeout == "not_done":
        conversation.expired = True
    else:
        conversation.ending, parameters = _carry_out(world, conversation, execute)
    conversation.ended_at = world.clock.now()
    world.events.add("request_ended", **conversation.as_json())
    about = {
        "conversation_id": conversation.conversation_id,
        "originator_conversation_id": conversation.originator_id,
    }
    if script.queue_timeout:
        echo = Callback(
            channel="queue_timeout",
            url=instruction.timeout_url,
            body=dict(instruction.body),
            about=about,
        )
        world.callback_client.send(echo)
    if conversation.ending and script.queue_timeout != "without_result":

        def callback(ending: Ending, content: Sequence[Body]) -> Callback:
            body = result(conversation, ending, content)
            return Callback(channel="result", url=instruction.result_url, body=body, about=about)

        is_done = conversation.ending.code == "0"
        forged = forge(world, conversation) if forge and script.forge else None
        variants = CallbackVariants(
            genuine=callback(conversation.ending, parameters),
            contradicting=callback(Ending("17", describe("17")), ()) if is_done else None,
            forged=callback(Ending("0", describe("0")), forged) if forged else None,
        )
        world.callback_dispatcher.dispatch(script, variants)


def _carry_out(
    world: World, conversation: Conversation, execute: Execute
) -> tuple[Ending, Sequence[Body]]:
    instruction, script = conversation.instruction, conversation.script
    try:
        if script.outcome not in (None, "0"):
            raise Declined(str(script.outcome))
        world.initiator.check(instruction.initiator, instruction.credential, instruction.api)
        done = execute(world, conversation)
    except Declined as no:
        return Ending(no.code, script.desc or describe(no.code)), ()
    return Ending("0", script.desc or describe("0"), done.entry), done.parameters


def _accepted(conversation: Conversation) -> Reply:
    return json_reply(
        200,
        {
            "ConversationID": conversation.conversation_id,
            "OriginatorConversationID": conversation.originator_id,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        },
    )
