"""The buyers: they cash out, retry paying, cancel, pay by hand, and repeat lost requests."""

import heapq
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .faults import Faults, OrderPlan

#: Retries of an unanswered request; its key makes it the same order.
MOST_REPEATS = 60


class HttpConnection:
    """A thread's keep-alive connection to a server that may be killed at any moment."""

    def __init__(self, address: str, met: Counter) -> None:
        self._address, self._met = address, met
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send once; returns the status and JSON of the answer, 0 if the connection broke."""
        sent = None if body is None else json.dumps(body)
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=100)
        try:
            self._connection.request(
                method, path, sent, {"Content-Type": "application/json", **headers}
            )
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            self._met["connection broke"] += 1
            self._connection.close()
            self._connection = None
            return 0, None
        if response.status >= 500:
            self._met[f"HTTP {response.status}"] += 1
        try:
            return response.status, json.loads(answer)
        except ValueError:
            return response.status, None


class Buyers:
    """Places N orders from several threads, and follows their plans afterwards."""

    def __init__(
        self, *, web: str, mpesa: str, goods: dict, phones: list[str], draw: Faults, orders: int
    ) -> None:
        self._web, self._mpesa, self._goods, self._phones = web, mpesa, goods, phones
        self._draw, self._orders = draw, orders
        self._lock = threading.Lock()
        self._tries = itertools.count()
        self._later: list[tuple[float, int, Callable[[HttpConnection, HttpConnection], None]]] = []
        self._threads: list[threading.Thread] = []
        self.placed = 0
        self.faults: Counter = Counter()
        self.actions: Counter = Counter()
        self.refused: Counter = Counter()
        self.met: Counter = Counter()
        self.unexpected: list[str] = []

    def start(self, threads: int) -> None:
        """Start this number of threads."""
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def are_done(self) -> bool:
        """Whether everything is ordered, and all later steps are done."""
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        web, mpesa = HttpConnection(self._web, self.met), HttpConnection(self._mpesa, Counter())
        while (action := self._next()) is not None:
            try:
                action(web, mpesa)
            except Exception as error:
                self.unexpected.append(repr(error))

    def _next(self) -> Callable[[HttpConnection, HttpConnection], None] | None:
        """The next due step, otherwise the next order; None once all is done."""
        while True:
            with self._lock:
                now = time.monotonic()
                if self._later and self._later[0][0] <= now:
                    return heapq.heappop(self._later)[2]
                if self.placed < self._orders:
                    number = next(self._tries)
                    return lambda web, mpesa: self._cash_out(web, mpesa, number)
                if not self._later:
                    return None
            time.sleep(0.2)

    def _cash_out(self, web: HttpConnection, mpesa: HttpConnection, number: int) -> None:
        with self._lock:
            random = self._draw.random
            buyer = number % len(self._phones)
            products = self._goods["scarce" if random.random() < 0.04 else "ample"]
            chosen = random.sample(products, k=min(len(products), random.choice([1, 1, 1, 2])))
            lines = [(product, random.randint(1, 3)) for product, _ in chosen]
            plan = self._draw.order()
        phone, token = self._phones[buyer], self._goods["tokens"][buyer]
        if plan.script:
            mpesa.ask("POST", "/control/scripts", {"phone": phone, "times": 1, **plan.script})
        asked = {
            "order": [{"product": product, "number": pieces} for product, pieces in lines],
            "mpesa_number": phone,
        }
        signed = {"Authorization": f"Bearer {token}"}
        key = {"Idempotency-Key": f"soak-{number}"}
        status, order = self._retry(web, "/cashout/", asked, **signed, **key)
        if status == 201:
            with self._lock:
                self.placed += 1
                self.faults[plan.fault or "none"] += 1
                self._schedule(plan, order, phone, signed)
        else:
            code = order.get("code", "shortage or cap") if isinstance(order, dict) else "?"
            self.refused[f"{status} {code}"] += 1
            if status not in {400, 409}:
                self.unexpected.append(f"cash-out answered {status}: {order}")

    def _retry(self, web: HttpConnection, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Repeat the request until it is answered: servers are killed and restarted."""
        for _ in range(MOST_REPEATS):
            status, answer = web.ask("POST", path, body, **headers)
            in_use = isinstance(answer, dict) and answer.get("code") == "idempotency_key_in_use"
            if status not in {0, 503} and not in_use:
                return status, answer
            time.sleep(0.5)
        return status, answer

    def _schedule(self, plan: OrderPlan, order: dict, phone: str, signed: dict[str, str]) -> None:
        """Schedule the buyer's later steps. Call with the lock held."""
        action = plan.buyer
        if not action:
            return
        self.actions[action] += 1
        address, reference = f"/cashout/{order['order_token']}", order["reference"]
        after = self._draw.random.uniform(3, 30)
        if action == "cancels":
            self._add(
                after / 10, lambda web, _: self._retry(web, f"{address}/cancel/", None, **signed)
            )
        elif action == "rings again":
            self._add(after, lambda web, _: self._retry(web, f"{address}/pay/", None, **signed))
        else:
            for seconds, amount, account in _payments(action, order["amount"], reference, after):
                payment = {
                    "business": "174379",
                    "account": account,
                    "amount": amount,
                    "pin": "1234",
                }
                self._add(seconds, lambda *_, payment=payment: self._pay(phone, payment))

    def _add(self, seconds: float, action: Callable[[HttpConnection, HttpConnection], Any]) -> None:
        due = time.monotonic() + seconds
        heapq.heappush(self._later, (due, next(self._tries), action))

    def _pay(self, phone: str, payment: dict) -> None:
        # A new connection: an idle one may be closed, and this request is not repeated.
        status, answer = HttpConnection(self._mpesa, Counter()).ask(
            "POST", f"/control/phones/{phone}/pay", payment
        )
        if status != 200:
            self.unexpected.append(f"paying by hand answered {status}: {answer}")


def _payments(
    action: str, amount: int, reference: str, after: float
) -> list[tuple[float, int, str]]:
    """Payments by hand: (seconds from now, KES, account number typed)."""
    if action.endswith("misspelt"):
        return [(after, amount, f"{reference[:-1]}0")]
    if action.endswith("the rest"):
        part = max(1, amount // 3)
        return [(after, part, reference), (after + 10, amount - part, reference)]
    if action.endswith("over"):
        return [(after, amount + 25, reference)]
    if action.endswith("twice"):
        return [(after, amount, reference), (after + 3, amount, reference)]
    if action.endswith("expiry"):
        return [(after + 65, amount, reference)]
    return [(after, amount, reference)]
