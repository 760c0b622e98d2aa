"""Account Balance: ``POST /mpesa/accountbalance/v1/query``.

Source: Daraja portal, Account Balance, whose sample has result codes as text.
"""

from . import asynchronous, fields
from .clock import stamp
from .conversations import Conversation
from .faults import refuse_as_scripted
from .result_bodies import balance_text, parameter
from .results import Declined
from .tokens import BALANCE_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid
from .world import World


def query(world: World, request: Request) -> Reply:
    """Accept the query. The balance follows in a result callback. Raises DarajaError."""
    world.tokens.check(request, BALANCE_TOKEN_REFUSED)
    body = daraja_body(request)
    instruction = fields.instruction(
        world.config,
        body,
        api="account_balance",
        initiator="Initiator",
        commands=("AccountBalance",),
        party="PartyA",
    )
    if fields.text(body, "IdentifierType") not in ("2", "4"):
        raise invalid("IdentifierType")
    script = world.scripts.pick("account_balance")
    if refusal := refuse_as_scripted(world, script, BALANCE_TOKEN_REFUSED):
        return refusal
    return asynchronous.accept(world, instruction, script, execute=_execute)


def _execute(world: World, conversation: Conversation) -> asynchronous.Completed:
    shortcode = conversation.instruction.shortcode
    if shortcode not in world.config.numbers:
        raise Declined("SFC_IC0003")
    account = world.books.account(shortcode)
    balances = "&".join(
        [
            balance_text("Working Account", account["working"]),
            balance_text("Utility Account", account["utility"]),
            balance_text("Charges Paid Account", 0),
        ]
    )
    now = stamp(world.clock.now())
    return asynchronous.Completed(
        [parameter("AccountBalance", balances), parameter("BOCompletedTime", now)]
    )
