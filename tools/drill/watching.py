"""Monitoring from outside the shop: a probe, Prometheus, and the reader of ALERT_EMAIL."""

from __future__ import annotations

import email
import email.policy
import http.client
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

_SAMPLE = re.compile(r"^(omache_\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)
#: These metrics and their value in a healthy shop; any other value is reported.
_HEALTHY = {
    "omache_database_up": 1.0,
    "omache_scrape_failed": 0.0,
    "omache_trouble": 0.0,
}
_COUNTED = ("omache_service_pauses_total", "omache_tasks_total")
_AGES = ("omache_heartbeat_age_seconds", "omache_broker_tasks", "omache_gateway_message_oldest")


class Watch:
    """Polls the probes twice a second, /metrics/ every three, reads mail; reports changes."""

    def __init__(self, environ: dict[str, str], say: Callable[[str], None]) -> None:
        self._web, self._say = environ["BIND"], say
        self._mail = Path("/" + environ["EMAIL_URL"].partition("///")[2].lstrip("/"))
        self._stopped = threading.Event()
        works = (
            lambda: self._probe("/readyz/"),
            lambda: self._probe("/readyz/clock/"),
            self._look_for_mail,
        )
        self._threads = [threading.Thread(target=self._go_on, args=(w, 0.5)) for w in works]
        self._threads.append(threading.Thread(target=self._go_on, args=(self._scrape, 3)))
        self._said: dict[str, str] = {}
        self._read: dict[str, float] = {}
        self._most: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._seen: set[Path] = set()
        #: The subject of each mail, in order.
        self.mails: list[str] = []

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def report_metrics(self) -> None:
        """Report counters and the maxima of ages and queues since the last report."""
        now = dict(self._read)
        increases = {
            name: now[name] - self._before.get(name, 0) for name in now if _is(name, _COUNTED)
        }
        lines = [f"{name} +{by:g}" for name, by in sorted(increases.items()) if by > 0]
        lines += [f"{name} up to {most:.0f}" for name, most in sorted(self._most.items())]
        self._say("    /metrics/: " + "; ".join(lines).replace("omache_", ""))
        self._before, self._most = now, {}

    def _go_on(self, work: Callable[[], None], seconds: float) -> None:
        while not self._stopped.wait(seconds):
            work()

    def _probe(self, path: str) -> None:
        status, said = self._get(path)
        try:
            words = str(json.loads(said)["status"])
        except (ValueError, KeyError):
            words = said[:80]
        # The number of seconds differs at each check.
        self._change(
            path, f"{status} {words}", kind=re.sub(r"\d+ seconds", "", f"{status} {words}")
        )

    def _scrape(self) -> None:
        status, text = self._get("/metrics/")
        if status != 200:
            self._change("/metrics/", f"{status} {text[:80]}")
            return
        self._change("/metrics/", "200")
        self._read = {name: float(value) for name, value in _SAMPLE.findall(text)}
        for name, value in self._read.items():
            family = name.partition("{")[0]
            # Without a database its metrics are missing.
            if family in _HEALTHY and (self._read["omache_database_up"] or family.endswith("_up")):
                self._change(name, f"{value:g}", unless=f"{_HEALTHY[family]:g}")
            if _is(name, _AGES) and value >= 5:
                self._most[name] = max(value, self._most.get(name, 0))

    def _look_for_mail(self) -> None:
        for file in sorted(self._mail.glob("*")):
            if file in self._seen:
                continue
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if not message["Subject"]:
                continue
            self._seen.add(file)
            self.mails.append(str(message["Subject"]))
            text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
            self._say(f"    mail: {message['Subject']}: {text.strip().splitlines()[0]}")

    def _change(self, what: str, now: str, *, kind: str = "", unless: str = "") -> None:
        """Report a changed value; a first value only if it differs from the expected one."""
        before, kind = self._said.get(what, unless), kind or now
        self._said[what] = kind
        if kind != before:
            self._say(f"    {what} {now}")

    def _get(self, path: str) -> tuple[int, str]:
        asking = http.client.HTTPConnection(self._web, timeout=10)
        try:
            asking.request("GET", path)
            got = asking.getresponse()
            return got.status, got.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, type(error).__name__
        finally:
            asking.close()


def _is(name: str, families: tuple[str, ...]) -> bool:
    return name.startswith(families)
