"""Buyers who keep trading while processes die: they retry until answered."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

#: Seconds between two tries, and between two checks whether an order is paid.
AGAIN, LOOKS = 0.5, 120


@dataclass(frozen=True)
class Answer:
    """The outcome of one request."""

    at: float
    seconds: float
    #: Method and route, status and code.
    what: str
    is_well: bool


class LoadClients:
    """Buyers who order, wait until it is paid, and have it fetched; and one who browses."""

    def __init__(self, web: str, *, goods: dict[str, Any], agent: str, buyers: int) -> None:
        self._web, self._goods, self._agent = web, goods, agent
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._buy_on) for _ in range(buyers)]
        self._threads.append(threading.Thread(target=self._look_around))
        self._answers: list[Answer] = []
        self._paid: list[tuple[float, float]] = []
        #: The order's token by the number of the request that returned it.
        self.orders: dict[int, str] = {}
        #: References of orders not paid within a minute: M-Pesa's statement decides.
        self.unpaid: list[str] = []
        #: Answers nobody should ever get.
        self.strange: list[str] = []

    def __enter__(self) -> LoadClients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def answers_since(self, moment: float) -> list[Answer]:
        """The requests that began or ended after this moment, in the order they ended."""
        return [answer for answer in list(self._answers) if answer.at + answer.seconds >= moment]

    def wait_for_paid_orders(self, count: int, *, began_after: float, patience: float) -> float:
        """Wait until N orders begun after that moment are paid; returns when, or 0."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            paid = sorted(at for began, at in list(self._paid) if began >= began_after)
            if len(paid) >= count:
                return paid[0]
            time.sleep(0.1)
        return 0.0

    def _buy_on(self) -> None:
        while not self._stopped.is_set():
            try:
                self._buy(next(self._numbers))
            except Exception as error:
                self.strange.append(repr(error))

    def _buy(self, number: int) -> None:
        buyer = number % len(self._goods["tokens"])
        product, _ = self._goods["ample"][number % len(self._goods["ample"])]
        asked = {
            "order": [{"product": product, "number": 1 + number % 2}],
            "mpesa_number": f"2547{number:07d}5",
        }
        signed = {
            "Authorization": f"Bearer {self._goods['tokens'][buyer]}",
            # As the proxy would answer.
            "X-Forwarded-For": f"41.90.{buyer // 250}.{buyer % 250 + 1}",
        }
        began = time.monotonic()
        key = {"Idempotency-Key": f"kills-{number}"}
        order = self._insist("POST", "/cashout/", asked, {201}, **signed, **key)
        self.orders[number] = order["order_token"]
        for _ in range(LOOKS):
            if order["payment_status"] == "paid":
                break
            time.sleep(AGAIN)
            order = self._insist("GET", f"/cashout/{order['order_token']}/", None, {200}, **signed)
        else:
            self.unpaid.append(order["reference"])
            return
        self._paid.append((began, time.monotonic()))
        agent = {"Authorization": f"Bearer {self._agent}", "X-Forwarded-For": "41.90.99.1"}
        # A request whose answer was lost may have moved it.
        line = f"/track/{order['order'][0]['id']}/move/"
        self._insist("POST", line, {"to": "fetched"}, {200, 409}, **agent)

    def _look_around(self) -> None:
        for path in itertools.cycle(["/", "/product/kitchen/", "/product/search/?search=ample"]):
            if self._stopped.wait(0.3):
                return
            self._ask("GET", path, None, **{"X-Forwarded-For": "41.90.98.1"})

    def _insist(self, method: str, path: str, body: Any, good: set[int], **headers: str) -> Any:
        """Repeat the request until it gets one of these statuses; record any other refusal."""
        while True:
            status, said = self._ask(method, path, body, **headers)
            in_use = isinstance(said, dict) and said.get("code") == "idempotency_key_in_use"
            if status in good and not in_use:
                return said
            if status not in {0, 503} and not in_use:
                raise AssertionError(f"{method} {path} was answered {status}: {said}")
            time.sleep(AGAIN)

    def _ask(self, method: str, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Send once, on a new connection as the proxy does; status 0 if it broke."""
        sent = None if body is None else json.dumps(body)
        began, broke = time.monotonic(), ""
        asking = http.client.HTTPConnection(self._web, timeout=100)
        status, said = 0, None
        try:
            asking.request(method, path, sent, {"Content-Type": "application/json", **headers})
            got = asking.getresponse()
            status, said = got.status, json.loads(got.read())
        except (OSError, http.client.HTTPException) as error:
            broke = type(error).__name__
        except ValueError:
            self.strange.append(f"{method} {path} was answered {status} without JSON")
        finally:
            asking.close()
        self._note(method, path, status, said, broke, began)
        return status, said

    def _note(
        self, method: str, path: str, status: int, said: Any, broke: str, began: float
    ) -> None:
        words = said if isinstance(said, dict) else {}
        if status >= 500 and (status != 503 or not (words.get("detail") and words.get("code"))):
            self.strange.append(f"{method} {path} was answered {status}: {said}")
        kind = "/".join(
            "…" if len(part) > 16 or part.isdigit() else part for part in path.split("/")
        )
        how = f"{status} {words.get('code', '')}".strip() if status else f"broken off: {broke}"
        if status == 503:
            how += f" ({words.get('detail')})"
        what = f"{method} {kind}: {how}"
        seconds = time.monotonic() - began
        self._answers.append(Answer(began, seconds, what, is_well=0 < status < 500))
