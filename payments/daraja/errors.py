"""How a call to Daraja fails: certainly not processed, or unknown. A caller decides by which."""

from enum import StrEnum


class Refusal(StrEnum):
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
    OTHER = "other"


class DarajaError(Exception):
    """Something other than a plain yes."""


class DarajaRefused(DarajaError):
    """Definitely not processed: no phone rings and no money moves because of this request.

    `code` is the gateway's own code ("" where it gave none), `message` one printable line for
    logs and operators, `kind` what to do about it.
    """

    def __init__(self, message: str, *, code: str = "", kind: Refusal = Refusal.OTHER) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind

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
