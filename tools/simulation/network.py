"""The network between the shop and Safaricom, without sockets, and its faults."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from django.db import connection
from requests.adapters import HTTPAdapter

from daraja_simulator.callback_client import Callback, CallbackClient, CallbackResponse
from daraja_simulator.wire import Reply, Request

from .chance import NO_FAULTS, Chance, FaultRates

#: The addresses of Safaricom's messages, and of a stranger's.
SAFARICOM, STRANGER = "196.201.214.200", "41.90.64.7"

_PAGE = Reply(200, b"<html><body>Please wait</body></html>", "text/html")
_BUSY = Reply(
    429,
    b'{"fault":{"faultstring":"Spike arrest violation.",'
    b'"detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
)


@dataclass
class Message:
    """One message on its way to the shop."""

    path: str
    body: bytes
    headers: dict[str, str]
    address: str
    #: The prompt or receipt whose payment this genuinely reports.
    reports_payment: str = ""
    is_whole: bool = True
    #: Whether Safaricom waits for the answer: a validation.
    awaits_answer: bool = False


@dataclass
class Network:
    """Carries requests out and messages in, with faults at the seed's rates."""

    chance: Chance
    log: Callable[[str], None]
    #: Set by the run: time, the shop's web server, Safaricom, and the step of a request.
    advance: Callable[[float], None] = field(init=False)
    post_to_shop: Callable[[Message], Any] = field(init=False)
    safaricom: Any = None
    processes: Any = None
    rates: FaultRates = NO_FAULTS
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    #: Prompts and receipts whose message the shop received completely and answered with 200.
    reported: set[str] = field(default_factory=set)

    def session(self, transport: Any = None) -> requests.Session:
        """A session of the shop's kind that ends at this network."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Wire(self))
        return session

    def ask(self, prepared: requests.PreparedRequest) -> requests.Response:
        """Carry one request to Safaricom and its answer back. Raises the errors of `requests`."""
        path = urlsplit(prepared.url or "").path
        if connection.in_atomic_block:
            self.failures.append(f"{path} was asked while a transaction was open")
        self.processes.step(f"asking {path}")
        with self.processes.outside():
            reply, ending = self._carry(prepared)
        self.log(f"  → {path} {reply.status if reply else 'nothing'} {ending}")
        self.processes.step(f"the answer of {path}")
        if ending == "refused":
            raise requests.ConnectionError("nobody there")
        if reply is None or reply.ending == "nothing":
            raise requests.ReadTimeout("no answer")
        return _response(prepared, reply)

    def _carry(self, prepared: requests.PreparedRequest) -> tuple[Reply | None, str]:
        rates, happens = self.rates, self.chance.happens
        if happens(rates.refused):
            self.counts["refused"] += 1
            return None, "refused"
        body: Any = prepared.body or b""
        if hasattr(body, "read"):
            body = body.read()
        self.advance(self.chance.choice([0.01, 0.05, 0.3, 2]))
        if happens(rates.busy):
            self.counts["busy"] += 1
            return _BUSY, "turned away"
        if happens(rates.revoked):
            self.counts["revoked"] += 1
            self.safaricom.revoke_tokens()
        parts = urlsplit(prepared.url or "")
        reply = self.safaricom.answer(
            Request(
                method=prepared.method or "",
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in prepared.headers.items()},
                body=body,
            )
        )
        self.advance(reply.delay + self.chance.choice([0.01, 0.05, 0.3, 2, 9]))
        if happens(rates.lost):
            self.counts["lost"] += 1
            self.advance(30)
            return None, "lost"
        if happens(rates.half):
            self.counts["half"] += 1
            return Reply(reply.status, reply.body, ending="half"), "half"
        if happens(rates.page):
            self.counts["page"] += 1
            return _PAGE, "a page instead"
        return reply, ""

    def deliver(self, callback: Callback) -> CallbackResponse:
        """Carry one message to the shop; it may be lost, late or repeated. Never raises."""
        message = self._message(callback)
        rates, happens, counts = self.rates, self.chance.happens, self.counts
        if happens(rates.dropped):
            counts["dropped"] += 1
            self.log(f"  ← {callback.what} {callback.channel} dropped")
            return CallbackResponse(None, error="dropped")
        if message.awaits_answer:
            return self._answer_of(self.post(message))
        if happens(rates.garbled):
            counts["garbled"] += 1
            message.body, message.is_whole = self._garble(message.body), False
        if happens(rates.doubled):
            counts["doubled"] += 1
            self._later(message)
        if happens(rates.late):
            counts["late"] += 1
            self._later(message)
            return CallbackResponse(None, error="late")
        return self._answer_of(self.post(message))

    def post(self, message: Message) -> Any:
        """Post a message to the shop. Returns its answer, or None if the process died."""
        with self.processes.outside():
            reply = self.post_to_shop(message)
        status = reply.status if reply else "no answer"
        self.log(f"  ← {message.path[:40]} {len(message.body)} bytes: {status}")
        if status == 200 and message.is_whole and message.reports_payment:
            self.reported.add(message.reports_payment)
        return reply

    def _answer_of(self, reply: Any) -> CallbackResponse:
        if reply is None or self.chance.happens(self.rates.unanswered):
            return CallbackResponse(None, error="no answer")
        return CallbackResponse(reply.status, json.dumps(reply.body))

    def _later(self, message: Message) -> None:
        seconds = self.chance.choice([0.2, 3, 20, 100, 700, 2500])
        self.safaricom.world.scheduler.add(seconds, lambda: self.post(message))

    def _message(self, callback: Callback) -> Message:
        return Message(
            path=urlsplit(callback.url).path,
            body=callback.content,
            headers={"Content-Type": callback.content_type, **callback.headers},
            address=STRANGER if callback.what == "forged" else SAFARICOM,
            reports_payment=_reported_payment(callback),
            awaits_answer=callback.channel == "c2b_validation",
        )

    def _garble(self, body: bytes) -> bytes:
        chance = self.chance
        match chance.randrange(4):
            case 0:
                return body[: chance.randrange(len(body))]
            case 1:
                return b"\x00" + body
            case 2:
                place = chance.randrange(len(body))
                return body[:place] + b'"' + body[place:]
            case _:
                return b""


def _reported_payment(callback: Callback) -> str:
    if callback.what not in ("genuine", "duplicate"):
        return ""
    if callback.channel == "c2b_confirmation":
        return str(callback.body["TransID"])
    content = callback.body.get("Body", {}).get("stkCallback", {})
    return str(content["CheckoutRequestID"]) if "CallbackMetadata" in content else ""


class _Wire(HTTPAdapter):
    """Sends a session's requests to the network of the run."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        return self._network.ask(request)


class SeededCallbackClient(CallbackClient):
    """Safaricom's callback client, posting through the network of the run."""

    def __init__(self, config: Any, events: Any, network: Network) -> None:
        super().__init__(config, events)
        self._network = network

    def _post(self, callback: Callback, timeout: float) -> CallbackResponse:
        return self._network.deliver(callback)


def _response(prepared: requests.PreparedRequest, reply: Reply) -> requests.Response:
    """The answer as from a socket: read piece by piece, possibly truncated."""
    sent = reply.body[: len(reply.body) // 2] if reply.ending == "half" else reply.body
    raw = urllib3.HTTPResponse(
        body=io.BytesIO(sent),
        headers={"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))},
        status=reply.status,
        preload_content=False,
        enforce_content_length=True,
        request_method=prepared.method,
    )
    return HTTPAdapter().build_response(prepared, raw)
