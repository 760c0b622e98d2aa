"""Failures of a call to Daraja: certainly not processed, or unknown. The difference matters."""

from enum import StrEnum


class DarajaRefusal(StrEnum):
    """Why a request was definitely not processed, as far as callers act differently."""

    #: The payer has a prompt or a session open. Wait a minute; never retry automatically.
    BUSY_PHONE = "busy_phone"
    #: Too many requests, or the gateway is busy. May be retried later.
    BUSY_GATEWAY = "busy_gateway"
    #: Keys, short code, passkey or portal settings are wrong. An operator has to act.
    CONFIGURATION = "configuration"
    #: The gateway rejected a field. The same request will be rejected again.
    BAD_REQUEST = "bad_request"
    #: The connection failed, so nothing was sent.
    UNREACHABLE = "unreachable"
    #: C2B URLs are registered already; only the portal can change them.
    ALREADY_REGISTERED = "already_registered"
    #: The access token was rejected, even a new one, or is still being fetched. May be retried
    #: later.
    TOKEN = "token"  # noqa: S105 - a word, no secret
    #: Something in front of the gateway answered in its place: a firewall, a proxy, a login page.
    #: May be retried later.
    GATEWAY = "gateway"
    OTHER = "other"


#: Temporary refusals: the request is fine, and may be sent again unchanged.
RETRYABLE: frozenset[DarajaRefusal] = frozenset(
    {
        DarajaRefusal.BUSY_GATEWAY,
        DarajaRefusal.UNREACHABLE,
        DarajaRefusal.TOKEN,
        DarajaRefusal.GATEWAY,
    }
)


class DarajaError(Exception):
    """Any outcome but a clear success."""


class DarajaRefused(DarajaError):
    """Definitely not processed: this request prompts no phone and moves no money.

    `code` is the gateway's own code ("" if it gave none), `message` one printable line for logs and
    operators, `kind` what to do about it. If it is `doubtful`, the gateway has been seen to return
    the same words for a request it had carried out: never resend it automatically.
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
        """Whether the same request may be resent automatically, because the reason is temporary."""
        return self.kind in RETRYABLE and not self.doubtful

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


class DarajaUnknown(DarajaError):
    """The request may or may not have been processed.

    Never repeat the request after this: query its status. `answer` is the beginning of the
    gateway's answer, one printable line, or "" if there was none; it may contain the payer's
    number, so store it on a row but do not log it.
    """

    def __init__(self, message: str, *, answer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.answer = answer


class DarajaDuplicate(DarajaUnknown):
    """This very request was not processed, but an earlier one with the same id may have been.

    Look that one up. A new id would pay twice.
    """
