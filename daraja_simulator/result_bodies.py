"""The bodies of results of asynchronous requests.

Source: Daraja portal, the result samples of Business to Customer, Reversal, Transaction Status and
Account Balance, with the types and oddities of each.
"""

import random
from collections.abc import Mapping, Sequence

from . import ids
from .callback_client import Body
from .config import Config
from .conversations import Conversation
from .prompts import Ending
from .results import typed
from .subscribers import full_name

#: APIs that move money. The others have no receipt.
_MOVING = ("b2c", "reversal")


def parameter(key: str, value: object) -> Body:
    """Return one parameter of a result."""
    return {"Key": key, "Value": value}


def balance_text(account: str, amount: int) -> str:
    """Return an account's balance: currency, current, available, reserved, uncleared."""
    return f"{account}|KES|{amount}.00|{amount}.00|0.00|0.00"


def party(config: Config, number: str) -> str:
    """Return a phone or a shortcode with its name, as in results."""
    name = full_name(number) if ids.is_msisdn(number) else config.merchant_name
    return f"{number} - {name}"


def result(conversation: Conversation, ending: Ending, parameters: Sequence[Body]) -> Body:
    """Return the body of a result, with parameters if it is a success."""
    instruction, script = conversation.instruction, conversation.script
    in_text = instruction.api == "account_balance"
    content: Body = {
        "ResultType": "0" if in_text else 0,
        "ResultCode": ending.code if in_text else typed(ending.code),
        "ResultDesc": ending.desc,
        "OriginatorConversationID": (
            ids.merchant_request_id()
            if script.originator == "other"
            else conversation.originator_id
        ),
        "ConversationID": conversation.conversation_id,
        "TransactionID": (
            conversation.transaction_id
            if instruction.api in _MOVING
            else ids.no_receipt(conversation.asked_at)
        ),
    }
    if ending.code == "0":
        content["ResultParameters"] = {"ResultParameter": _in_order(parameters, script.shuffle)}
    content["ReferenceData"] = {
        "ReferenceItem": _reference(instruction.api, instruction.timeout_url)
    }
    return {"Result": content}


def _in_order(parameters: Sequence[Body], shuffle: bool) -> Sequence[Body]:
    return random.sample(parameters, len(parameters)) if shuffle else parameters


def _reference(api: str, timeout_url: str) -> Mapping[str, object]:
    if api == "transaction_status":
        return {"Key": "Occasion"}
    return {"Key": "QueueTimeoutURL", "Value": timeout_url}
