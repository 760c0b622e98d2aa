"""Callbacks on their way to the shop: sent once each, never again, whatever the shop answers.

Source: Daraja portal FAQ and recorded runs; no repeat was ever seen, so none is made unless a
script asks for it.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

import requests

from payments.simulator.agenda import Agenda
from payments.simulator.books import Books
from payments.simulator.callbacks import Body, callback
from payments.simulator.clock import Clock
from payments.simulator.config import Config
from payments.simulator.events import EventLog
from payments.simulator.prompts import Ending, Prompt
from payments.simulator.results import describe


@dataclass(frozen=True)
class Parcel:
    """One body for one address. ``what`` says for the log whether it is genuine."""

    what: str
    url: str
    body: Body


class Courier:
    """Carries callbacks to the shop, outside any lock, and writes down what came of each.

    Never raises.
    """

    def __init__(
        self, config: Config, clock: Clock, events: EventLog, agenda: Agenda, books: Books
    ) -> None:
        self._config = config
        self._clock = clock
        self._events = events
        self._agenda = agenda
        self._books = books

    def deliver(self, prompt: Prompt) -> None:
        """Send what the prompt's script wants sent, now; what it wants late is planned."""
        script = prompt.script
        if script.forge:
            self._send(prompt, self._forged(prompt, script.forge))
        parcels = self._genuine(prompt)
        if not parcels:
            self._events.add("callback_withheld", checkout_request_id=prompt.checkout_request_id)
        for round_ in [[p] for p in parcels] if script.together else [parcels]:
            job = self._sender(prompt, round_)
            if script.together or script.callback_delay:
                self._agenda.add(script.callback_delay, job)
            else:
                job()

    def _sender(self, prompt: Prompt, parcels: list[Parcel]) -> Callable[[], None]:
        def send_in_turn() -> None:
            for parcel in parcels:
                self._send(prompt, parcel)

        return send_in_turn

    def _genuine(self, prompt: Prompt) -> list[Parcel]:
        ending, script, url = prompt.ending, prompt.script, prompt.push.callback_url
        if ending is None:
            return []
        truth = Parcel("genuine", url, callback(prompt, ending))
        if script.reorder and ending.entry:
            failure = Ending("1037", describe("1037"))
            contradiction = Parcel("contradicting", url, callback(prompt, failure))
            first_fails = script.reorder == "failure_then_success"
            return [contradiction, truth] if first_fails else [truth, contradiction]
        return [truth] * min(script.callbacks, 1) + [
            replace(truth, what="duplicate") for _ in range(script.callbacks - 1)
        ]

    def _forged(self, prompt: Prompt, how: str) -> Parcel:
        """Make a success that never was, with a receipt no money moved under."""
        entry = self._books.imagine(
            phone=prompt.push.phone, amount=prompt.push.amount, purpose=prompt.purpose
        )
        body = callback(prompt, Ending("0", describe("0"), entry))
        return Parcel("forged", _misdirect(prompt.push.callback_url, how), body)

    def _send(self, prompt: Prompt, parcel: Parcel) -> None:
        began = time.perf_counter()
        outcome = self._post(prompt, parcel)
        self._events.add(
            "callback",
            what=parcel.what,
            checkout_request_id=prompt.checkout_request_id,
            url=parcel.url,
            body=parcel.body,
            took=round(time.perf_counter() - began, 3),
            **outcome,
        )

    def _post(self, prompt: Prompt, parcel: Parcel) -> dict[str, object]:
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "Businessshortcode": prompt.push.shortcode,
        }
        try:
            with requests.Session() as session:
                # A proxy named in the environment must not come between two processes on one
                # laptop.
                session.trust_env = False
                with session.post(
                    parcel.url,
                    data=json.dumps(parcel.body),
                    headers=headers,
                    timeout=self._config.callback_timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    answer = next(response.iter_content(500), b"").decode(errors="replace")
                    return {"status": response.status_code, "answer": answer}
        except (requests.RequestException, ValueError) as error:
            return {"status": None, "error": f"{type(error).__name__}: {error}"[:500]}


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
