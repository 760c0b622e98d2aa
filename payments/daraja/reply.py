"""An answer to a request of ours, and whether it is a yes, a certain no, or neither.

Source: Daraja portal, the error tables of each API; recorded answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from omachemainproj.strict_json import NotStrictJson, read_json

from . import error_codes
from .errors import DarajaError, DarajaRefusal, DarajaRefused, DarajaUnknown
from .values import code_text, printable, request_id

#: "Accepted for processing" of a request, "the question was understood" of a query.
ACCEPTED = "0"

#: The id an answer gives the request it accepted: of an STK push, or of what has a result later.
NAMES = ("CheckoutRequestID", "ConversationID")


@dataclass(frozen=True, slots=True)
class Trouble:
    """The error in an answer: its code and one printable line, "" where it has none."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request of ours: its HTTP status, its fields and the error it carries.

    `fields` is None when the body is not a JSON object; then `start` shows how it begins.
    """

    status: int
    fields: Mapping[str, Any] | None
    start: str
    trouble: Trouble | None

    @classmethod
    def of(cls, *, status: int, body: bytes, read: Callable[[bytes], Any] = read_json) -> Self:
        """Read an answer of any length. Never raises, as long as `read` raises NotStrictJson."""
        try:
            fields = read(body)
        except NotStrictJson:
            fields = None
        if not isinstance(fields, dict):
            fields = None
        start = printable(body[:800].decode(errors="replace"))
        return cls(status, fields, start, _trouble_in(fields or {}))

    def text(self, name: str) -> str:
        """A field for people to read, as one printable line."""
        return printable((self.fields or {}).get(name))

    def code(self, name: str) -> str:
        return code_text((self.fields or {}).get(name))

    def id(self, name: str) -> str:
        return request_id((self.fields or {}).get(name))

    @property
    def is_page(self) -> bool:
        """Whether something else than Daraja's JSON came: a page to log in, half an answer."""
        return self.fields is None and bool(self.start)

    @property
    def is_token_error(self) -> bool:
        """Whether to resend with a new token. Never true when one may be taken."""
        trouble = self.trouble or Trouble()
        return not self.may_be_taken and error_codes.is_token_error(
            status=self.status, code=trouble.code, message=trouble.message, is_page=self.is_page
        )

    @property
    def refusal(self) -> DarajaRefusal | None:
        """Why this is certainly a no, or None when it is a yes or not certain."""
        if self.may_be_taken:
            return None
        trouble = self.trouble or Trouble()
        known = error_codes.refusal_of(
            status=self.status, code=trouble.code, message=trouble.message
        )
        if known is None and error_codes.was_turned_away(status=self.status, is_page=self.is_page):
            return DarajaRefusal.GATEWAY
        return known

    @property
    def sure_refusal(self) -> DarajaRefusal | None:
        """As `refusal`, where money goes out: without what only probably means "not processed".

        That is some codes, and the word of whatever answered in Daraja's place: M-Pesa can be asked
        what it knows of the request.
        """
        refusal = self.refusal
        if refusal == DarajaRefusal.TOKEN:
            return refusal
        return None if refusal == DarajaRefusal.GATEWAY or self._is_doubtful else refusal

    @property
    def _is_doubtful(self) -> bool:
        trouble = self.trouble or Trouble()
        return error_codes.is_doubtful(code=trouble.code, message=trouble.message)

    @property
    def may_be_taken(self) -> bool:
        """Whether the answer names a request or says it was accepted, whatever else it says."""
        named = any((self.fields or {}).get(name) for name in NAMES)
        return named or self.code("ResponseCode") == ACCEPTED

    @property
    def says_duplicate(self) -> bool:
        """Whether a request with the same id of ours came before."""
        said = self.text("ResponseDescription")
        trouble = self.trouble or Trouble(self.code("ResponseCode"), said)
        return error_codes.is_duplicate(code=trouble.code, message=trouble.message)

    @property
    def is_accepted(self) -> bool:
        return self.status == 200 and not self.trouble and self.code("ResponseCode") == ACCEPTED

    @property
    def turned_down_in_200(self) -> str:
        """The response code of an answer that is well formed and says no, else ""."""
        well_formed = self.status == 200 and not self.trouble and not self.may_be_taken
        return self.code("ResponseCode") if well_formed else ""

    def refused(self, kind: DarajaRefusal, *, code: str = "") -> DarajaRefused:
        """This answer as the error to raise, in the gateway's own words where it has any.

        Of a JSON object only the known fields are quoted: others may hold a token or a number.
        """
        trouble = self.trouble or Trouble(code, self.text("ResponseDescription"))
        quoted = self.start if self.fields is None and self.start else "without a reason"
        message = trouble.message or f"HTTP {self.status}: {quoted}"
        doubtful = self._is_doubtful and kind not in {DarajaRefusal.TOKEN, DarajaRefusal.GATEWAY}
        return DarajaRefused(message, code=trouble.code, kind=kind, doubtful=doubtful)

    def no(self, request: str) -> DarajaError:
        """This answer, which is no yes, as the error to raise where no money moves by itself."""
        if kind := self.sure_refusal:
            return self.refused(kind)
        if code := self.turned_down_in_200:
            return self.refused(DarajaRefusal.OTHER, code=code)
        return self.unclear(request)

    def unclear(self, request: str) -> DarajaUnknown:
        """This answer as the error to raise when it is neither a yes nor a certain no."""
        message = f"no clear answer to the {request} (HTTP {self.status})"
        return DarajaUnknown(message, answer=self.start)


def _trouble_in(fields: Mapping[str, Any]) -> Trouble | None:
    """Two shapes exist: Daraja's own, also seen under HTTP 200, and its API gateway's."""
    if code := fields.get("errorCode"):
        return Trouble(code=code_text(code), message=printable(fields.get("errorMessage")))
    fault = fields.get("fault")
    if not isinstance(fault, dict):
        return None
    detail = fault.get("detail")
    code = detail.get("errorcode") if isinstance(detail, dict) else None
    return Trouble(code=code_text(code), message=printable(fault.get("faultstring")))
