"""The wires between the shop and Safaricom, without a socket, and what goes wrong on them."""

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

from .chance import CALM, Chance, Weather

#: Safaricom's messages come from here, a stranger's from elsewhere.
SAFARICOM, STRANGER = "196.201.214.200", "41.90.64.7"

_PAGE = Reply(200, b"<html><body>Please wait</body></html>", "text/html")
_BUSY = Reply(
    429,
    b'{"fault":{"faultstring":"Spike arrest violation.",'
    b'"detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
)


@dataclass
class Letter:
    """One message on its way to the shop."""

    path: str
    body: bytes
    headers: dict[str, str]
    address: str
    #: The prompt or the receipt whose money this is genuine word of.
    tells_of: str = ""
    is_whole: bool = True
    #: Safaricom waits for the answer before it does anything.
    is_a_question: bool = False


@dataclass
class Network:
    """Carries requests out and messages in, as the weather lets it."""

    chance: Chance
    tell: Callable[[str], None]
    #: Set by the run: time, the shop's front door, Safaricom, the step a request is.
    advance: Callable[[float], None] = None
    post_to_shop: Callable[[Letter], Any] = None
    safaricom: Any = None
    processes: Any = None
    weather: Weather = CALM
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    #: Prompts of whose money the shop was told whole, and answered 200.
    told: set[str] = field(default_factory=set)

    # --- Out: the shop asks Safaricom ------------------------------------------------------------

    def session(self, transport: Any = None) -> requests.Session:
        """A session of the shop's own kind, that ends here."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Wire(self))
        return session

    def ask(self, prepared: requests.PreparedRequest) -> requests.Response:
        """Carry one request to Safaricom and its answer back. Raises what `requests` raises."""
        path = urlsplit(prepared.url).path
        if connection.in_atomic_block:
            self.broken.append(f"{path} was asked while a transaction was open")
        self.processes.step(f"asking {path}")
        with self.processes.outside():
            reply, ending = self._carry(prepared)
        self.tell(f"  → {path} {reply.status if reply else 'nothing'} {ending}")
        self.processes.step(f"the answer of {path}")
        if ending == "refused":
            raise requests.ConnectionError("nobody there")
        if reply is None or reply.ending == "nothing":
            raise requests.ReadTimeout("no answer")
        return _response(prepared, reply)

    def _carry(self, prepared: requests.PreparedRequest) -> tuple[Reply | None, str]:
        weather, happens = self.weather, self.chance.happens
        if happens(weather.refused):
            self.counts["refused"] += 1
            return None, "refused"
        body = prepared.body.read() if hasattr(prepared.body, "read") else prepared.body or b""
        self.advance(self.chance.choice([0.01, 0.05, 0.3, 2]))
        if happens(weather.busy):
            self.counts["busy"] += 1
            return _BUSY, "turned away"
        if happens(weather.revoked):
            self.counts["revoked"] += 1
            self.safaricom.revoke_tokens()
        parts = urlsplit(prepared.url)
        reply = self.safaricom.answer(
            Request(
                method=prepared.method,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in prepared.headers.items()},
                body=body,
            )
        )
        self.advance(reply.delay + self.chance.choice([0.01, 0.05, 0.3, 2, 9]))
        if happens(weather.lost):
            self.counts["lost"] += 1
            self.advance(30)
            return None, "lost"
        if happens(weather.half):
            self.counts["half"] += 1
            return Reply(reply.status, reply.body, ending="half"), "half"
        if happens(weather.page):
            self.counts["page"] += 1
            return _PAGE, "a page instead"
        return reply, ""

    # --- In: Safaricom tells the shop ------------------------------------------------------------

    def deliver(self, callback: Callback) -> CallbackResponse:
        """Carry one message to the shop, or not, or later, or twice. Never raises."""
        letter = self._letter(callback)
        weather, happens, counts = self.weather, self.chance.happens, self.counts
        if happens(weather.dropped):
            counts["dropped"] += 1
            self.tell(f"  ← {callback.what} {callback.channel} dropped")
            return CallbackResponse(None, error="dropped")
        if letter.is_a_question:
            return self._answer_of(self.hand_over(letter))
        if happens(weather.garbled):
            counts["garbled"] += 1
            letter.body, letter.is_whole = self._garble(letter.body), False
        if happens(weather.doubled):
            counts["doubled"] += 1
            self._later(letter)
        if happens(weather.late):
            counts["late"] += 1
            self._later(letter)
            return CallbackResponse(None, error="late")
        return self._answer_of(self.hand_over(letter))

    def hand_over(self, letter: Letter) -> Any:
        """Post a message at the shop's door. Returns the shop's answer, None where it died."""
        with self.processes.outside():
            reply = self.post_to_shop(letter)
        status = reply.status if reply else "no answer"
        self.tell(f"  ← {letter.path[:40]} {len(letter.body)} bytes: {status}")
        if status == 200 and letter.is_whole and letter.tells_of:
            self.told.add(letter.tells_of)
        return reply

    def _answer_of(self, reply: Any) -> CallbackResponse:
        if reply is None or self.chance.happens(self.weather.unanswered):
            return CallbackResponse(None, error="no answer")
        return CallbackResponse(reply.status, json.dumps(reply.body))

    def _later(self, letter: Letter) -> None:
        seconds = self.chance.choice([0.2, 3, 20, 100, 700, 2500])
        self.safaricom.world.scheduler.add(seconds, lambda: self.hand_over(letter))

    def _letter(self, callback: Callback) -> Letter:
        return Letter(
            path=urlsplit(callback.url).path,
            body=json.dumps(callback.body).encode(),
            headers=dict(callback.headers),
            address=STRANGER if callback.what == "forged" else SAFARICOM,
            tells_of=_tells_of(callback) if callback.what in ("genuine", "duplicate") else "",
            is_a_question=callback.channel == "c2b_validation",
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


def _tells_of(callback: Callback) -> str:
    if callback.channel == "c2b_confirmation":
        return str(callback.body["TransID"])
    told = callback.body.get("Body", {}).get("stkCallback", {})
    return str(told["CheckoutRequestID"]) if "CallbackMetadata" in told else ""


class _Wire(HTTPAdapter):
    """Ends a session's requests at the network of the run."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        return self._network.ask(request)


class SeededCallbackClient(CallbackClient):
    """Safaricom's callback client, which posts through the network of the run."""

    def __init__(self, config: Any, events: Any, network: Network) -> None:
        super().__init__(config, events)
        self._network = network

    def _post(self, callback: Callback, timeout: float) -> CallbackResponse:
        return self._network.deliver(callback)


def _response(prepared: requests.PreparedRequest, reply: Reply) -> requests.Response:
    """The answer as it comes off a socket: read piece by piece, and perhaps cut short."""
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
