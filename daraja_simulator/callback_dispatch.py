"""Which callbacks are sent, when and how often: by default once, whatever the response.

Source: Daraja portal FAQ and recorded runs. No retry was ever seen, so there are none unless a
script asks for duplicates.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from .behaviour import Script
from .callback_client import Callback, CallbackClient
from .events import EventLog
from .scheduler import Scheduler


@dataclass(frozen=True, kw_only=True)
class CallbackVariants:
    """The callbacks that can be sent for one event.

    They are the genuine one, a failure that contradicts a genuine success, and a forged success.
    """

    genuine: Callback
    contradicting: Callback | None = None
    forged: Callback | None = None


class CallbackDispatcher:
    """Sends callbacks as scripted: late, repeated, forged, or out of order. Never raises."""

    def __init__(
        self, events: EventLog, scheduler: Scheduler, callback_client: CallbackClient
    ) -> None:
        self._events = events
        self._scheduler = scheduler
        self._client = callback_client

    def dispatch(self, script: Script, variants: CallbackVariants) -> None:
        """Send the callbacks of an event, or schedule those that the script delays."""
        if script.forge and variants.forged:
            url = _misdirect(variants.forged.url, script.forge)
            self._client.send(replace(variants.forged, what="forged", url=url))
        callbacks = _in_order(script, variants)
        if not callbacks:
            genuine = variants.genuine
            self._events.add("callback_withheld", channel=genuine.channel, **genuine.about)
        for batch in [[callback] for callback in callbacks] if script.together else [callbacks]:
            job = self._sender(batch)
            if script.together or script.callback_delay:
                self._scheduler.add(script.callback_delay, job)
            else:
                job()

    def _sender(self, callbacks: list[Callback]) -> Callable[[], None]:
        def send_in_turn() -> None:
            for callback in callbacks:
                self._client.send(callback)

        return send_in_turn


def _in_order(script: Script, variants: CallbackVariants) -> list[Callback]:
    genuine = variants.genuine
    if script.reorder and variants.contradicting:
        contradicting = replace(variants.contradicting, what="contradicting")
        first_fails = script.reorder == "failure_then_success"
        return [contradicting, genuine] if first_fails else [genuine, contradicting]
    return [genuine] * min(script.callbacks, 1) + [
        replace(genuine, what="duplicate") for _ in range(script.callbacks - 1)
    ]


def _misdirect(url: str, how: str) -> str:
    """Replace or remove the last part of a URL, where clients put a secret token."""
    if how == "right_token":
        return url
    parts = urlsplit(url)
    base, _, token = parts.path.rstrip("/").rpartition("/")
    slash = "/" if parts.path.endswith("/") else ""
    path = f"{base}/" if how == "no_token" else f"{base}/{_other_hex(len(token))}{slash}"
    return urlunsplit(parts._replace(path=path))


def _other_hex(length: int) -> str:
    return secrets.token_hex(max(length, 8))[: max(length, 1)]
