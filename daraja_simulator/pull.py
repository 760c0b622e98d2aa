"""Pull Transactions: ``/pulltransactions/v1/register`` and ``/pulltransactions/v1/query``.

Source: Daraja portal, Pull Transactions, which shows the query with GET and with POST; both work.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from . import fields, ids
from .callback_client import Body
from .config import Config
from .confirmations import GOODS
from .entries import CUSTOMER_REVERSAL, PAYOUT_REVERSAL, Entry
from .faults import answer_as_scripted, refuse_as_scripted
from .subscribers import full_name
from .tokens import C2B_TOKEN_REFUSED
from .wire import Reply, Request, daraja_body, invalid, json_reply
from .world import World

#: How far back a statement reaches. Source: Daraja portal, Pull Transactions.
WINDOW = timedelta(hours=48)


def register(world: World, request: Request) -> Reply:
    """Register a shortcode. A repeated registration is reported as such. Raises DarajaError."""
    world.tokens.check(request, C2B_TOKEN_REFUSED)
    body = daraja_body(request)
    shortcode = _shortcode(world.config, body)
    if fields.text(body, "RequestType") != "Pull":
        raise invalid("RequestType")
    fields.text(body, "NominatedNumber")
    fields.callback_url(body, "CallBackURL", local=world.config.local_callbacks)
    is_new = world.registrations.allow_pull(shortcode)
    words = "ShortCode Registered Successfully" if is_new else "ShortCode already Registered"
    return json_reply(
        200,
        {
            "ResponseRefID": ids.merchant_request_id(),
            "ResponseStatus": "1000" if is_new else "1001",
            "ShortCode": shortcode,
            "ResponseDescription": words,
        },
    )


def query(world: World, request: Request) -> Reply:
    """Return a page of the payments in a period of the last 48 hours, oldest first.

    The page starts at the row ``OffSetValue``. Raises DarajaError.
    """
    world.tokens.check(request, C2B_TOKEN_REFUSED)
    has_body = request.method == "POST" or request.body.strip()
    body = daraja_body(request) if has_body else request.query
    shortcode = _shortcode(world.config, body)
    if not world.registrations.may_pull(shortcode):
        raise invalid("ShortCode")
    start, end = _moment(body, "StartDate"), _moment(body, "EndDate")
    offset = _offset(body)
    script = world.scripts.pick("pull")
    if refusal := refuse_as_scripted(world, script, C2B_TOKEN_REFUSED):
        return refusal
    since = max(start, world.clock.now() - WINDOW)
    entries = [
        entry
        for entry in world.books.entries()
        if _is_shown(entry) and entry.account == shortcode and since <= entry.time <= end
    ]
    if script.query == "unknown":
        entries = []
    page = entries[offset : offset + world.config.pull_page]
    world.events.add("pulled", shortcode=shortcode, offset=offset, rows=len(page))
    return answer_as_scripted(script, _statement(world.config, page))


def _statement(config: Config, page: list[Entry]) -> Reply:
    return json_reply(
        200,
        {
            "ResponseRefID": ids.merchant_request_id(),
            "ResponseCode": "1000" if page else "1001",
            "ResponseMessage": "Success" if page else "No transactions found",
            "Response": [[_row(config, entry) for entry in page]],
        },
    )


def _is_shown(entry: Entry) -> bool:
    """Return whether a row is shown: payments, and (our guess) reversals requested by customers."""
    if entry.purpose.transaction_type == PAYOUT_REVERSAL:
        return False
    return entry.direction == "in" or entry.purpose.transaction_type == CUSTOMER_REVERSAL


def _row(config: Config, entry: Entry) -> Body:
    if entry.purpose.reverses:
        return {
            **_payment_row(config, entry),
            "transactiontype": "c2b-reversal",
            "billreference": entry.purpose.reverses,
        }
    return _payment_row(config, entry)


def _payment_row(config: Config, entry: Entry) -> Body:
    is_goods = entry.purpose.transaction_type == GOODS
    return {
        "transactionId": entry.receipt,
        "trxDate": f"{entry.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "msisdn": int(entry.phone[3:]),
        "sender": full_name(entry.phone),
        "transactiontype": "c2b-buy-goods-debit" if is_goods else "c2b-pay-bill-debit",
        "billreference": "" if is_goods else entry.purpose.reference,
        "amount": f"{entry.amount}.00",
        "organizationname": config.merchant_name,
    }


def _shortcode(config: Config, body: Mapping[str, Any]) -> str:
    shortcode = fields.text(body, "ShortCode")
    if shortcode not in config.numbers:
        raise invalid("ShortCode")
    return shortcode


def _moment(body: Mapping[str, Any], name: str) -> datetime:
    try:
        # The end of its second, so that both bounds are inclusive.
        read = datetime.strptime(f"{fields.text(body, name)} +0300", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        raise invalid(name) from None
    return read.replace(microsecond=999_999) if name == "EndDate" else read


def _offset(body: Mapping[str, Any]) -> int:
    written = fields.text(body, "OffSetValue") if "OffSetValue" in body else "0"
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise invalid("OffSetValue")
    return int(written)
