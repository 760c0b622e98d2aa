"""Messages on their way to the shop: sent once each, never again, whatever the shop answers.

Source: Daraja portal FAQ and recorded runs; no repeat was ever seen, so none is made unless a
script asks for it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from .agenda import Agenda
from .behaviour import Script
from .events import EventLog
from .post import Parcel, Postman


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What there is to tell: the truth, what would contradict it if it is a success, and a success
    that never was.
    """

    truth: Parcel
    contradiction: Parcel | None = None
    forgery: Parcel | None = None


class Courier:
    """Sends messages as scripts want them: late, many times, forged, in the wrong order.

    Never raises.
    """

    def __init__(self, events: EventLog, agenda: Agenda, postman: Postman) -> None:
        self._events = events
        self._agenda = agenda
        self._postman = postman

    def deliver(self, script: Script, sending: Sending) -> None:
        """Send what the script wants sent, now; what it wants late is planned."""
        if script.forge and sending.forgery:
            url = _misdirect(sending.forgery.url, script.forge)
            self._postman.send(replace(sending.forgery, what="forged", url=url))
        parcels = _parcels(script, sending)
        if not parcels:
            truth = sending.truth
            self._events.add("callback_withheld", channel=truth.channel, **truth.about)
        for round_ in [[p] for p in parcels] if script.together else [parcels]:
            job = self._sender(round_)
            if script.together or script.callback_delay:
                self._agenda.add(script.callback_delay, job)
            else:
                job()

    def _sender(self, parcels: list[Parcel]) -> Callable[[], None]:
        def send_in_turn() -> None:
            for parcel in parcels:
                self._postman.send(parcel)

        return send_in_turn


def _parcels(script: Script, sending: Sending) -> list[Parcel]:
    truth = sending.truth
    if script.reorder and sending.contradiction:
        contradiction = replace(sending.contradiction, what="contradicting")
        first_fails = script.reorder == "failure_then_success"
        return [contradiction, truth] if first_fails else [truth, contradiction]
    return [truth] * min(script.callbacks, 1) + [
        replace(truth, what="duplicate") for _ in range(script.callbacks - 1)
    ]


def _misdirect(url: str, how: str) -> str:
    """Change the last part of an address, where the shop's token stands, or take it away."""
    if how == "right_token":
        return url
    parts = urlsplit(url)
    base, _, token = parts.path.rstrip("/").rpartition("/")
    slash = "/" if parts.path.endswith("/") else ""
    path = f"{base}/" if how == "no_token" else f"{base}/{_other_hex(len(token))}{slash}"
    return urlunsplit(parts._replace(path=path))


def _other_hex(length: int) -> str:
    return secrets.token_hex(max(length, 8))[: max(length, 1)]
