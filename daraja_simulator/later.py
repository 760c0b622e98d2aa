"""What all asynchronous APIs share: accept now, carry out a moment later, post the result.

Source: Daraja portal, the pages of the APIs that take an initiator; what comes to a queue timeout
address is the request itself, as an integrator was told by Safaricom.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from . import ids
from .behaviour import Script
from .books import Entry
from .conversations import Ask, Conversation
from .delivery import Sending
from .faults import answer_as_scripted
from .post import Body, Parcel
from .prompts import Ending
from .result_bodies import result
from .results import Declined, describe
from .wire import Reply, json_reply
from .world import World


@dataclass(frozen=True)
class Done:
    """A request carried out: the parameters to tell, and the movement of money if there was one."""

    parameters: Sequence[Body]
    entry: Entry | None = None


#: Carries a request out. Raises Declined.
Work = Callable[[World, Conversation], Done]

#: Makes up the parameters of a success that never was.
Forge = Callable[[World, Conversation], Sequence[Body]]


def accept(
    world: World,
    ask: Ask,
    script: Script,
    *,
    work: Work,
    forge: Forge | None = None,
    originator_id: str = "",
) -> Reply:
    """Accept a request and plan its end. Raises DarajaError for an id used before."""
    now = world.clock.now()
    conversation = Conversation(
        ask=ask,
        conversation_id=ids.conversation_id(now),
        originator_id=originator_id or ids.merchant_request_id(),
        transaction_id=world.books.new_receipt(),
        script=script,
        asked_at=now,
    )
    world.conversations.add(conversation)
    world.events.add("request_accepted", **conversation.as_json())
    finish = partial(_finish, world, conversation, work, forge)
    if script.callback_before_answer:
        finish()
    else:
        wait = world.config.decide_after if script.decide_after is None else script.decide_after
        world.agenda.add(wait, finish)
    return answer_as_scripted(script, _accepted(conversation))


def _finish(world: World, conversation: Conversation, work: Work, forge: Forge | None) -> None:
    ask, script = conversation.ask, conversation.script
    parameters: Sequence[Body] = ()
    if script.queue_timeout == "not_done":
        conversation.expired = True
    else:
        conversation.ending, parameters = _carry_out(world, conversation, work)
    conversation.ended_at = world.clock.now()
    world.events.add("request_ended", **conversation.as_json())
    about = {
        "conversation_id": conversation.conversation_id,
        "originator_conversation_id": conversation.originator_id,
    }
    if script.queue_timeout:
        echo = Parcel(
            channel="queue_timeout", url=ask.timeout_url, body=dict(ask.body), about=about
        )
        world.postman.send(echo)
    if conversation.ending and script.queue_timeout != "without_result":

        def parcel(ending: Ending, told: Sequence[Body]) -> Parcel:
            body = result(conversation, ending, told)
            return Parcel(channel="result", url=ask.result_url, body=body, about=about)

        is_done = conversation.ending.code == "0"
        forged = forge(world, conversation) if forge and script.forge else None
        sending = Sending(
            truth=parcel(conversation.ending, parameters),
            contradiction=parcel(Ending("17", describe("17")), ()) if is_done else None,
            forgery=parcel(Ending("0", describe("0")), forged) if forged else None,
        )
        world.courier.deliver(script, sending)


def _carry_out(
    world: World, conversation: Conversation, work: Work
) -> tuple[Ending, Sequence[Body]]:
    ask, script = conversation.ask, conversation.script
    try:
        if script.outcome not in (None, "0"):
            raise Declined(str(script.outcome))
        world.initiator.check(ask.initiator, ask.credential, ask.api)
        done = work(world, conversation)
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
