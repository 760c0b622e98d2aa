"""A client of the shop: WSGI requests as gunicorn makes them, each in a separate process."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import Guest, User
from payments.models import GatewayEvent

from .network import Message
from .processes import Processes


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class ShopClient:
    """Sends requests. Returns None if the process dies before it has answered."""

    processes: Processes
    failures: list[str]

    def __post_init__(self) -> None:
        self._application = WSGIHandler()
        self._tokens: dict[int, tuple[str, datetime]] = {}

    def request(
        self, user: User | None, method: str, path: str, sent: Any = None, **headers: str
    ) -> Reply | None:
        """Send an API request as this user; as nobody if there is none, or it is a guest's."""
        body = b"" if sent is None else json.dumps(sent).encode()
        if user is not None and not Guest.objects.filter(user=user).exists():
            headers["Authorization"] = f"Bearer {self._token(user)}"
        return self._request(method, path, body, headers, "105.161.0.1")

    def post(self, message: Message) -> Reply | None:
        """Post a message as Safaricom does, and check that one answered with 200 is stored."""
        headers = {"Content-Type": "application/json;charset=UTF-8", **message.headers}
        reply = self._request("POST", message.path, message.body, headers, message.address)
        is_taken = reply is not None and reply.status == 200 and not message.awaits_answer
        # Of an SMS report the content is stored, not its bytes.
        is_taken = is_taken and not message.path.startswith("/safwebhook/sms/")
        digest = hashlib.sha256(message.body).hexdigest()
        if is_taken and not GatewayEvent.objects.filter(sha256=digest).exists():
            self.failures.append("a message was answered 200 and is not kept")
        return reply

    def _request(
        self, method: str, path: str, body: bytes, headers: dict[str, str], address: str
    ) -> Reply | None:
        environ = _environ(method, path, body, headers, address)
        answered: list[Reply] = []
        name = f"{method} {path.strip('/').partition('/')[0]}"
        refused = self.processes.counts["database"]
        self.processes.run(name, self._serve, environ, answered)
        if not answered:
            return None
        reply = answered[0]
        is_excused = reply.status == 503 and self.processes.counts["database"] > refused
        if reply.status >= 500 and not is_excused:
            self.failures.append(f"{method} {path} was answered {reply.status}")
        return reply

    def _serve(self, environ: dict[str, Any], answered: list[Reply]) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            started.append((status, headers))

        response = self._application(environ, start_response)
        content = b"".join(response)
        self.processes.step("the answer leaves")
        status, headers = started[0]
        answered.append(Reply(int(status[:3]), _read(content), dict(headers)))
        # A server closes a response once its last byte is sent.
        response.close()

    def forget_tokens(self) -> None:
        """Let everybody sign in again."""
        self._tokens.clear()

    def _token(self, user: User) -> str:
        token, until = self._tokens.get(user.pk, ("", timezone.now()))
        if until <= timezone.now():
            token = str(AccessToken.for_user(user))
            self._tokens[user.pk] = token, timezone.now() + timedelta(minutes=4)
        return token


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _environ(
    method: str, path: str, body: bytes, headers: dict[str, str], address: str
) -> dict[str, Any]:
    named = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in headers.items()
        if name != "Content-Type"
    }
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": headers.get("Content-Type", "application/json") if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "REMOTE_ADDR": address,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "HTTP_HOST": "testserver",
        **named,
    }
