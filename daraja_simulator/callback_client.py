"""Posting callbacks over HTTP: once each, without retries or redirects."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from .config import Config
from .events import EventLog

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A body and the URL it is for.

    For the event log: ``channel`` is the kind of callback, ``what`` whether it is genuine, and
    ``about`` identifies the payment.
    """

    channel: str
    url: str
    body: Body
    about: Mapping[str, Any]
    what: str = "genuine"
    #: Posted as a form instead of JSON.
    is_form: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The encoded body."""
        text = urlencode(self.body) if self.is_form else json.dumps(self.body)
        return text.encode()

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        form = "application/x-www-form-urlencoded"
        return form if self.is_form else "application/json;charset=UTF-8"


@dataclass(frozen=True)
class CallbackResponse:
    """The client's response: its status and the beginning of its body, or an error."""

    status: int | None
    text: str = ""
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the response as shown in the event log."""
        if self.status is None:
            return {"status": None, "error": self.error}
        return {"status": self.status, "answer": self.text}


class CallbackClient:
    """Posts callbacks, outside any lock, and logs each response. Never raises."""

    def __init__(self, config: Config, events: EventLog) -> None:
        self._config = config
        self._events = events

    def send(self, callback: Callback, timeout: float | None = None) -> CallbackResponse:
        """Post one callback and return the response."""
        began = time.perf_counter()
        answer = self._post(callback, timeout or self._config.callback_timeout)
        self._events.add(
            "callback",
            channel=callback.channel,
            what=callback.what,
            **callback.about,
            url=callback.url,
            body=callback.body,
            took=round(time.perf_counter() - began, 3),
            **answer.as_json(),
        )
        return answer

    def _post(self, callback: Callback, timeout: float) -> CallbackResponse:
        headers = {"Content-Type": callback.content_type, **callback.headers}
        try:
            with requests.Session() as session:
                # Ignore proxies configured in the environment: callbacks are mostly local.
                session.trust_env = False
                with session.post(
                    callback.url,
                    data=callback.content,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    text = next(response.iter_content(2_000), b"").decode(errors="replace")
                    return CallbackResponse(response.status_code, text)
        except (requests.RequestException, ValueError) as error:
            return CallbackResponse(None, error=f"{type(error).__name__}: {error}"[:500])
