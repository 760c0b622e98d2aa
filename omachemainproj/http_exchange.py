"""One HTTP exchange with another server, which knows exactly whether the request was sent.

Only a request that was not sent may safely be repeated, and the exceptions of `requests` do not
tell: a hanging TLS handshake and a missing answer are both a ReadTimeout.
Knows nothing of Django, so that the gateway clients stay free of it.
"""

import http.client
import io
import os
import threading
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

#: The exceptions of a failed exchange; ValueError for an answer that is invalid or too long.
FAILURES = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError)

#: A hundred times the length of any expected answer.
LONGEST_ANSWER_BYTES = 64 * 1024

#: A router may have dropped a connection that was idle for longer, and it would be unclear whether
#: a request sent over it arrived.
IDLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Body(io.BytesIO):
    """A request body that knows whether it was read, which happens after connecting."""

    was_sent = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.was_sent = True
        return super().read(size)


class HttpExchange:
    """Carries requests to one base URL. Safe to share between threads.

    `timeout` is (to connect, to answer) in seconds. With `session`, that session serves every
    thread, as a test may want; it must not retry by itself.
    """

    def __init__(
        self, base_url: str, *, timeout: tuple[float, float], session: requests.Session | None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._given = session
        self._own = threading.local()

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        at_most: int = LONGEST_ANSWER_BYTES,
        timeout: tuple[float, float] | None = None,
        keep: Container[int] = (),
        **how: Any,
    ) -> Answer:
        """Send one request and return the answer, whatever its status; redirects are answers.

        `timeout` shortens the exchange's own. With a status in `keep`, a body that cannot be read
        (too long, broken or endless) becomes empty. Raises one of FAILURES; a `Body` knows whether
        it was sent.
        """
        timeout = timeout or self._timeout
        deadline = time.monotonic() + sum(timeout)
        with self._send(method, self._base_url + path, timeout, **how) as response:
            try:
                body = _body_of(response, at_most=at_most, deadline=deadline)
            except FAILURES:
                if response.status_code not in keep:
                    raise
                body = b""
            return Answer(response.status_code, body)

    def _send(
        self, method: str, url: str, timeout: tuple[float, float], **how: Any
    ) -> requests.Response:
        session = self._session()
        as_is: dict[str, Any] = {"timeout": timeout, "allow_redirects": False, "stream": True}
        if session is self._given or not isinstance(how.get("data"), Body):
            return session.request(method, url, **as_is, **how)
        prepared = self._prepare(session, method, url, **how)
        as_is |= {"verify": session.verify, "proxies": session.proxies}
        return session.send(prepared, **as_is)

    def _prepare(
        self,
        session: requests.Session,
        method: str,
        url: str,
        *,
        data: Body,
        headers: Mapping[str, str],
        auth: AuthBase | None = None,
    ) -> requests.PreparedRequest:
        """Prepare a request like the session would, which takes a third of the whole exchange, but
        reuse the prepared URL and headers of earlier requests."""
        known: dict[Any, requests.PreparedRequest] = self._own.known
        key = (method, url, *headers.items())
        if key not in known:
            known[key] = session.prepare_request(requests.Request(method, url, dict(headers)))
            # Cookies are set below.
            known[key].headers.pop("Cookie", None)
        like = known[key]
        request = requests.PreparedRequest()
        request.method, request.url, request.hooks = like.method, like.url, like.hooks
        body: Any = data
        request.headers, request.body = like.headers.copy(), body
        request.prepare_content_length(body)
        request.prepare_auth(auth, url)
        request.prepare_cookies(session.cookies)
        return request

    def _session(self) -> requests.Session:
        """The given session, or this thread's own: a Session is not safe for two threads.

        Also a new one after a fork, or parent and child would read each other's answers.
        """
        if self._given is not None:
            return self._given
        own, now, process = self._own, time.monotonic(), os.getpid()
        if getattr(own, "process", None) != process:
            own.session, own.process, own.used = self._new_session(), process, now
            own.known = {}
        if now - own.used > IDLE_SECONDS:
            own.session.close()
        own.used = now
        session: requests.Session = own.session
        return session

    def _new_session(self) -> requests.Session:
        """A session that reads proxy and CA settings from the environment once, not per call."""
        session = requests.Session()
        session.trust_env = False
        session.proxies = get_environ_proxies(self._base_url)
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        return session


def _body_of(response: requests.Response, *, at_most: int, deadline: float) -> bytes:
    """The whole body. Raises one of FAILURES."""
    read = bytearray()
    # `requests` only limits the pause between bytes, so a trickle could block a worker.
    while some := response.raw.read1(4096, decode_content=True):
        read += some
        if len(read) > at_most:
            raise ValueError("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer trickles")
    return bytes(read)
