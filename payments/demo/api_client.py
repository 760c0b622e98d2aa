"""Users of the shop's API, and their phones (the simulator's control API)."""

from __future__ import annotations

import time
from typing import Any

import requests

#: Timeout of a request, in seconds.
HTTP_TIMEOUT = 30
#: Seconds to wait for something the shop does in the background.
TIMEOUT = 20

#: The simulator's status for a phone that shows no prompt.
NO_PROMPT = 409


class DemoError(Exception):
    """The shop or the simulator behaved unexpectedly. The text is a sentence."""


def call(
    method: str, url: str, body: Any = None, *, token: str = "", key: str = ""
) -> tuple[int, Any]:
    """Return the status and JSON of a response (None if it is not JSON). Raises DemoError."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if key:
        headers["Idempotency-Key"] = key
    try:
        answer = requests.request(method, url, json=body, headers=headers, timeout=HTTP_TIMEOUT)
    except requests.RequestException as error:
        raise DemoError(f"{url} does not answer: {error}") from error
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, None


def is_open(shop: str, mpesa: str) -> bool:
    """Whether the shop and the simulator answer at these URLs."""
    try:
        ready = call("GET", f"{shop}/readyz/")[0], call("GET", f"{mpesa}/control/about")[0]
    except DemoError:
        return False
    return ready == (200, 200)


class Person:
    """A user with an account, who signs in again when the token expires."""

    def __init__(self, shop: str, username: str, password: str) -> None:
        self.username = username
        self._shop, self._password = shop, password
        self._token = ""

    def register(self) -> None:
        """Create the account. Raises DemoError."""
        both = {"password1": self._password, "password2": self._password}
        newcomer = {"username": self.username, "email": f"{self.username}@omache.example", **both}
        self._token = _expect(
            *call("POST", f"{self._shop}/registration/", newcomer), 201, self._asked("joining")
        )["access"]

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Call the API; returns status and JSON. Raises DemoError if there is no response."""
        if not self._token:
            self._sign_in()
        status, answer = call(method, f"{self._shop}{path}", body, token=self._token, key=key)
        if status == 401:
            self._sign_in()
            status, answer = call(method, f"{self._shop}{path}", body, token=self._token, key=key)
        return status, answer

    def get(self, path: str) -> Any:
        """GET a path. Raises DemoError if the shop refuses."""
        return _expect(*self.ask("GET", path), 200, self._asked(path))

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        """POST to a path. Raises DemoError if the shop refuses."""
        status, answer = self.ask("POST", path, body, key)
        return _expect(status, answer, 200 if status == 200 else 201, self._asked(path))

    def cash_out(
        self,
        phone: str,
        *lines: tuple[int, int],
        key: str = "",
        delivery: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Place an order of (product, number) lines, which prompts the phone. Raises DemoError.

        Repeating it with the same ``key`` has no effect. ``delivery`` says where it goes.
        """
        order = [{"product": product, "number": number} for product, number in lines]
        body = {"order": order, "mpesa_number": phone, "delivery": delivery}
        placed: dict[str, Any] = self.post("/cashout/", body, key=key)
        return placed

    def await_prompt(self, order: dict[str, Any], *, has: str) -> dict[str, Any]:
        """Poll until the order's last prompt ``has`` this status, as a frontend does."""
        return self._poll(order, lambda now: now["prompt"]["status"] == has, f"a prompt {has}")

    def await_order(self, order: dict[str, Any], *, is_now: str) -> dict[str, Any]:
        """Poll until the order has this payment status. Raises DemoError after TIMEOUT."""
        return self._poll(order, lambda now: now["payment_status"] == is_now, is_now)

    def await_due(self, order: dict[str, Any], amount: int) -> dict[str, Any]:
        """Poll until ``amount`` KES of the order are unpaid. Raises DemoError."""
        return self._poll(order, lambda now: now["amount_due"] == amount, f"KES {amount} due")

    def _poll(self, order: dict[str, Any], is_so: Any, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT
        while True:
            now: dict[str, Any] = self.get(f"/cashout/{order['order_token']}/")
            if is_so(now):
                return now
            if time.monotonic() > deadline:
                raise DemoError(
                    f"Order {order['reference']} is {now['payment_status']}, its prompt "
                    f"{now['prompt']['status']}: {what} was expected within {TIMEOUT} seconds."
                )
            time.sleep(0.1)

    def _sign_in(self) -> None:
        named = {"username": self.username, "password": self._password}
        self._token = _expect(
            *call("POST", f"{self._shop}/login/", named), 200, self._asked("signing in")
        )["access"]

    def _asked(self, what: str) -> str:
        return f"{self.username}: {what}"


class Phones:
    """All phones of the simulator, and its faults on request."""

    def __init__(self, mpesa: str) -> None:
        self._mpesa = mpesa

    def enter_pin(self, phone: str, pin: str = "1234") -> None:
        """Answer the prompt on a phone. Raises DemoError if there is none."""
        self._answer(f"phones/{phone}/pin", {"pin": pin})

    def cancel(self, phone: str) -> None:
        """Dismiss the prompt on a phone."""
        self._answer(f"phones/{phone}/cancel", {})

    def ignore_next(self, phone: str) -> None:
        """Let the next prompt of a phone time out immediately."""
        self.script(phone=phone, outcome="timeout", decide_after=0.3)

    def pay(self, phone: str, account: str, amount: int) -> dict[str, Any]:
        """Pay to the pay bill manually; returns ``result_code``, ``receipt`` and ``balance``.

        M-Pesa asks the shop to validate it first.
        """
        typed = {"business": "174379", "account": account, "amount": amount, "pin": "1234"}
        paid: dict[str, Any] = self._post(f"phones/{phone}/pay", typed)
        return paid

    def script(self, *, times: int = 1, **how: Any) -> None:
        """Set the outcome of the next matching requests (daraja_simulator/README.md)."""
        self._post("scripts", {"times": times, **how})

    def forget_addresses(self) -> None:
        """Deregister the URLs for manual payments."""
        self._post("c2b/forget", {})

    def fill_float(self, account: str, amount: int) -> None:
        """Set the float of the account that pays out, in KES."""
        self._post(f"accounts/{account}", {"utility": amount})

    def books(self) -> dict[str, Any]:
        """The simulator's books of all movements."""
        books: dict[str, Any] = _expect(
            *call("GET", f"{self._mpesa}/control/books"), 200, "M-Pesa: books"
        )
        return books

    def _answer(self, path: str, body: Any) -> None:
        """Answer a prompt, which workers may send a moment after the order."""
        deadline = time.monotonic() + TIMEOUT
        status, answer = call("POST", f"{self._mpesa}/control/{path}", body)
        while status == NO_PROMPT and time.monotonic() < deadline:
            time.sleep(0.1)
            status, answer = call("POST", f"{self._mpesa}/control/{path}", body)
        _expect(status, answer, 200, f"M-Pesa: {path}")

    def _post(self, path: str, body: Any) -> Any:
        return _expect(*call("POST", f"{self._mpesa}/control/{path}", body), 200, f"M-Pesa: {path}")


def _expect(status: int, answer: Any, expected: int, asked: str) -> Any:
    if status != expected:
        raise DemoError(f"{asked} returned {status} instead of {expected}: {answer}")
    return answer
