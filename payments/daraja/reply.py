"""Classifies an answer to a request: a success, a certain refusal, or neither.

Source: Daraja portal, the error tables of each API; recorded answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from omachemainproj.strict_json import NotStrictJson, read_json

from . import error_codes
from .errors import DarajaError, DarajaRefusal, DarajaRefused, DarajaUnknown
from .values import code_text, printable, request_id

#: "Accepted for processing" for a request, "understood" for a query.
ACCEPTED = "0"

#: The ids an answer gives to an accepted request: of an STK push, or of one with a later result.
NAMES = ("CheckoutRequestID", "ConversationID")


@dataclass(frozen=True, slots=True)
class ReplyError:
    """The error in an answer: its code and one printable line, "" for what it does not have."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request: its HTTP status, its fields and the error it carries.

    `fields` is None if the body is not a JSON object; then `start` shows how it begins.
    """

    status: int
    fields: Mapping[str, Any] | None
    start: str
    error: ReplyError | None

    @classmethod
    def of(cls, *, status: int, body: bytes, read: Callable[[bytes], Any] = read_json) -> Self:
        """Parse an answer of any length. Never raises, as long as `read` raises NotStrictJson."""
        try:
            fields = read(body)
        except NotStrictJson:
            fields = None
        if not isinstance(fields, dict):
            fields = None
        start = printable(body[:800].decode(errors="replace"))
        return cls(status, fields, start, _error_in(fields or {}))

    def text(self, name: str) -> str:
        """A field for display, as one printable line."""
        return printable((self.fields or {}).get(name))

    def code(self, name: str) -> str:
        return code_text((self.fields or {}).get(name))

    def id(self, name: str) -> str:
        return request_id((self.fields or {}).get(name))

    @property
    def is_page(self) -> bool:
        """Whether the answer is not Daraja's JSON: a login page, or an incomplete answer."""
        return self.fields is None and bool(self.start)

    @property
    def is_token_error(self) -> bool:
        """Whether to resend with a new token. Never true if the request may have been accepted."""
        error = self.error or ReplyError()
        return not self.may_be_taken and error_codes.is_token_error(
            status=self.status, code=error.code, message=error.message, is_page=self.is_page
        )

    @property
    def refusal(self) -> DarajaRefusal | None:
        """The kind of a certain refusal; None if it was accepted or is uncertain."""
        if self.may_be_taken:
            return None
        error = self.error or ReplyError()
        known = error_codes.refusal_of(status=self.status, code=error.code, message=error.message)
        if known is None and error_codes.was_turned_away(status=self.status, is_page=self.is_page):
            return DarajaRefusal.GATEWAY
        return known

    @property
    def sure_refusal(self) -> DarajaRefusal | None:
        """Like `refusal`, for outgoing money: without answers that only probably mean "not
        processed".

        Those are some codes, and the answers of anything in front of Daraja: M-Pesa can be queried
        about the request.
        """
        refusal = self.refusal
        if refusal == DarajaRefusal.TOKEN:
            return refusal
        return None if refusal == DarajaRefusal.GATEWAY or self._is_doubtful else refusal

    @property
    def _is_doubtful(self) -> bool:
        error = self.error or ReplyError()
        return error_codes.is_doubtful(code=error.code, message=error.message)

    @property
    def may_be_taken(self) -> bool:
        """Whether the answer names a request or says it was accepted, whatever else it says."""
        named = any((self.fields or {}).get(name) for name in NAMES)
        return named or self.code("ResponseCode") == ACCEPTED

    @property
    def says_duplicate(self) -> bool:
        """Whether an earlier request had the same id."""
        description = self.text("ResponseDescription")
        error = self.error or ReplyError(self.code("ResponseCode"), description)
        return error_codes.is_duplicate(code=error.code, message=error.message)

    @property
    def is_accepted(self) -> bool:
        return self.status == 200 and not self.error and self.code("ResponseCode") == ACCEPTED

    @property
    def turned_down_in_200(self) -> str:
        """The response code of a well-formed answer that is a refusal, else ""."""
        well_formed = self.status == 200 and not self.error and not self.may_be_taken
        return self.code("ResponseCode") if well_formed else ""

    def refused(self, kind: DarajaRefusal, *, code: str = "") -> DarajaRefused:
        """The error to raise for this answer, in the gateway's own words if it has any.

        Only known fields of a JSON object are quoted: others may contain a token or a number.
        """
        error = self.error or ReplyError(code, self.text("ResponseDescription"))
        quoted = self.start if self.fields is None and self.start else "without a reason"
        message = error.message or f"HTTP {self.status}: {quoted}"
        doubtful = self._is_doubtful and kind not in {DarajaRefusal.TOKEN, DarajaRefusal.GATEWAY}
        return DarajaRefused(message, code=error.code, kind=kind, doubtful=doubtful)

    def no(self, request: str) -> DarajaError:
        """The error to raise if this is not a success, for calls that do not move money."""
        if kind := self.sure_refusal:
            return self.refused(kind)
        if code := self.turned_down_in_200:
            return self.refused(DarajaRefusal.OTHER, code=code)
        return self.unclear(request)

    def unclear(self, request: str) -> DarajaUnknown:
        """The error to raise for an answer that is neither a success nor a certain refusal."""
        message = f"no clear answer to the {request} (HTTP {self.status})"
        return DarajaUnknown(message, answer=self.start)


def _error_in(fields: Mapping[str, Any]) -> ReplyError | None:
    """Two formats exist: Daraja's own, also seen under HTTP 200, and its API gateway's."""
    if code := fields.get("errorCode"):
        return ReplyError(code=code_text(code), message=printable(fields.get("errorMessage")))
    fault = fields.get("fault")
    if not isinstance(fault, dict):
        return None
    detail = fault.get("detail")
    code = detail.get("errorcode") if isinstance(detail, dict) else None
    return ReplyError(code=code_text(code), message=printable(fault.get("faultstring")))
