"""How a call to Daraja fails: certainly not processed, or unknown. A caller decides by which."""

from enum import StrEnum


class DarajaRefusal(StrEnum):
    """Why a request was definitely not processed, as far as callers act differently."""

    #: The payer has a prompt or a session open. Wait a minute; never try again by itself.
    BUSY_PHONE = "busy_phone"
    #: Too many requests, or the gateway says that it is busy. Later is fine.
    BUSY_GATEWAY = "busy_gateway"
    #: Keys, short code, passkey or portal settings are wrong. An operator has to act.
    CONFIGURATION = "configuration"
    #: The gateway found a field wrong. The same request will be refused again.
    BAD_REQUEST = "bad_request"
    #: Nobody was reached, so nothing was sent.
    UNREACHABLE = "unreachable"
    #: C2B addresses are registered already; only the portal can change them.
    ALREADY_REGISTERED = "already_registered"
    #: The access token was turned down, also a new one, or is still being fetched. Later is fine.
    TOKEN = "token"  # noqa: S105 - a word, no secret
    #: Something in front of the gateway answered in its place: a firewall, a proxy, a page to log
    #: in. Later is fine.
    GATEWAY = "gateway"
    OTHER = "other"


#: Refusals that time mends: nothing is wrong with the request, and it may be sent again as it is.
RETRYABLE: frozenset[DarajaRefusal] = frozenset(
    {
        DarajaRefusal.BUSY_GATEWAY,
        DarajaRefusal.UNREACHABLE,
        DarajaRefusal.TOKEN,
        DarajaRefusal.GATEWAY,
    }
)


class DarajaError(Exception):
    """Something other than a plain yes."""


class DarajaRefused(DarajaError):
    """Definitely not processed: no phone rings and no money moves because of this request.

    `code` is the gateway's own code ("" where it gave none), `message` one printable line for
    logs and operators, `kind` what to do about it. Where it is `doubtful`, the gateway says no in
    words it was seen to use of what it had done: never send the same again by itself.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        kind: DarajaRefusal = DarajaRefusal.OTHER,
        doubtful: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind
        self.doubtful = doubtful

    @property
    def is_over_later(self) -> bool:
        """Whether the same request may be sent again by itself: time mends what was wrong."""
        return self.kind in RETRYABLE and not self.doubtful

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


class DarajaUnknown(DarajaError):
    """The request may or may not have been processed.

    Never repeat the request after this one: query its status. `answer` is the beginning
    of what the gateway did say, one printable line, or "" when it said nothing; it may hold the
    payer's number, so it is for a row and not for a log.
    """

    def __init__(self, message: str, *, answer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.answer = answer


class DarajaDuplicate(DarajaUnknown):
    """This very request was not processed, but an earlier one with the same id may have been.

    Look that one up. A new id would pay twice.
    """
