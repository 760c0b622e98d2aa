"""Error codes of requests that Daraja rejects immediately, and what each of them means.

They arrive as numbers or as text, so they are compared as text, and never by their descriptions,
with one exception: 500.001.1001 covers five unrelated situations that only its message tells apart.

Source: Daraja portal, the error tables of Authorization and of each API; recorded answers.
"""

from .errors import DarajaRefusal

#: A token that is no longer valid, per API: STK and reversal, C2B and status, B2C and balance.
TOKEN_ERRORS = frozenset({"404.001.03", "400.003.01", "401.002.01"})

#: Error codes that are only returned before anything is processed.
REFUSALS = {
    "400.008.01": DarajaRefusal.CONFIGURATION,
    "400.008.02": DarajaRefusal.CONFIGURATION,
    "400.002.02": DarajaRefusal.BAD_REQUEST,
    "400.002.05": DarajaRefusal.BAD_REQUEST,
    "400.003.02": DarajaRefusal.BAD_REQUEST,
    "404.001.04": DarajaRefusal.BAD_REQUEST,
    "405.001": DarajaRefusal.BAD_REQUEST,
    "404.001.01": DarajaRefusal.CONFIGURATION,
    "404.002.01": DarajaRefusal.CONFIGURATION,
    "404.003.01": DarajaRefusal.CONFIGURATION,
    "500.003.02": DarajaRefusal.BUSY_GATEWAY,
    "500.003.03": DarajaRefusal.BUSY_GATEWAY,
    **dict.fromkeys(TOKEN_ERRORS, DarajaRefusal.TOKEN),
}

#: The rate limits of the API gateway in front of Daraja.
RATE_LIMIT_FAULT = "policies.ratelimit."

#: Message for an app without access to this API: a new token does not help.
NOT_OUR_API = "apiproduct"

#: HTTP statuses with which something in front of Daraja (a firewall, a proxy, a login page) rejects
#: a request without passing it on, whatever the body. Not 408 and 409, which may come after it was
#: passed on; 400 only with a page, for Daraja has been seen to return a bare one.
TURNED_AWAY = frozenset({401, 403, 404, 405, 406, 407, 410, 411, 412, 413, 414, 415, 417, 418, 421})
TURNED_AWAY |= frozenset({423, 426, 428, 431, 451, *range(300, 400)})

AMBIGUOUS_CODE = "500.001.1001"
REFUSALS_BY_WORDS = {
    "unable to lock subscriber": DarajaRefusal.BUSY_PHONE,
    "merchant does not exist": DarajaRefusal.CONFIGURATION,
    "wrong credentials": DarajaRefusal.CONFIGURATION,
}


def is_token_error(*, status: int, code: str, message: str, is_page: bool) -> bool:
    """Whether the access token was rejected, which happens before anything is processed."""
    if code in TOKEN_ERRORS:
        return True
    return status == 401 and not is_page and NOT_OUR_API not in message.lower()


def was_turned_away(*, status: int, is_page: bool) -> bool:
    """Whether something in front of Daraja answered, without passing the request on."""
    return status in TURNED_AWAY or (status == 400 and is_page)


def refusal_of(*, status: int, code: str, message: str) -> DarajaRefusal | None:
    """The kind of "definitely not processed" that an error answer is, or None if it is not certain.

    `status` is the HTTP status, which counts least: a 200 may carry an error code.
    """
    if code in REFUSALS:
        return REFUSALS[code]
    if code == AMBIGUOUS_CODE:
        lowered = message.lower()
        return next((kind for words, kind in REFUSALS_BY_WORDS.items() if words in lowered), None)
    if code.startswith(RATE_LIMIT_FAULT) or status == 429:
        return DarajaRefusal.BUSY_GATEWAY
    if NOT_OUR_API in message.lower():
        return DarajaRefusal.CONFIGURATION
    if code.startswith("4") and 400 <= status < 500:
        return DarajaRefusal.BAD_REQUEST
    return None


#: "System is busy" and "Spike Arrest Violation". Only the second comes from the gateway in front.
BUSY = "500.003.02"
GATEWAY_WORDS = "spike arrest"


def is_doubtful(*, code: str, message: str) -> bool:
    """Whether an error only probably means "not processed": not enough for outgoing money.

    No error code at all (an HTTP status that is sufficient) is not doubtful.
    """
    if code == BUSY:
        return GATEWAY_WORDS not in message.lower()
    is_known = code in REFUSALS or code == AMBIGUOUS_CODE or code.startswith(RATE_LIMIT_FAULT)
    return bool(code) and not is_known


#: A result code, also seen as a response code: this id was used before.
DUPLICATE = "15"


def is_duplicate(*, code: str, message: str) -> bool:
    """Whether a request was not processed because an earlier one had the same id."""
    return code == DUPLICATE or "duplicate" in message.lower()
