"""One message to the shop, over HTTP: posted once, never followed, never repeated."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from .config import Config
from .events import EventLog

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One body for one address.

    ``channel`` says which kind of message it is, ``what`` whether it is genuine, ``about`` which
    payment it tells of: all for the log.
    """

    channel: str
    url: str
    body: Body
    about: Mapping[str, Any]
    what: str = "genuine"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the shop said: HTTP status and the beginning of its body; or why it said nothing."""

    status: int | None
    text: str = ""
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """Give the answer as the event log shows it."""
        if self.status is None:
            return {"status": None, "error": self.error}
        return {"status": self.status, "answer": self.text}


class Postman:
    """Posts messages, outside any lock, and writes down what came of each. Never raises."""

    def __init__(self, config: Config, events: EventLog) -> None:
        self._config = config
        self._events = events

    def send(self, parcel: Parcel, timeout: float | None = None) -> Answer:
        """Post one message and give the shop's answer."""
        began = time.perf_counter()
        answer = self._post(parcel, timeout or self._config.callback_timeout)
        self._events.add(
            "callback",
            channel=parcel.channel,
            what=parcel.what,
            **parcel.about,
            url=parcel.url,
            body=parcel.body,
            took=round(time.perf_counter() - began, 3),
            **answer.as_json(),
        )
        return answer

    def _post(self, parcel: Parcel, timeout: float) -> Answer:
        headers = {"Content-Type": "application/json;charset=UTF-8", **parcel.headers}
        try:
            with requests.Session() as session:
                # A proxy named in the environment must not come between two processes on one
                # laptop.
                session.trust_env = False
                with session.post(
                    parcel.url,
                    data=json.dumps(parcel.body),
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    text = next(response.iter_content(2_000), b"").decode(errors="replace")
                    return Answer(response.status_code, text)
        except (requests.RequestException, ValueError) as error:
            return Answer(None, error=f"{type(error).__name__}: {error}"[:500])
