"""The ``Simulator`` class: start it, set your program's base URL to its ``url``, and script it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from . import mails, page
from .config import Config
from .control import Control
from .control_http import PREFIX, ControlPlane
from .control_money import MoneyControl
from .events import Event
from .routes import routes
from .script_input import read_outcome
from .server import Server
from .wire import DarajaError, Reply, Request, error_reply
from .world import World

logger = logging.getLogger(__name__)


class Simulator:
    """A simulator of Daraja with its own HTTP server.

    Port 0 chooses any free port. With None there is no server, and requests are passed to
    ``answer``. Settings are those of ``Config``: ``Simulator(port=0, default="person",
    wallet=500)``. It listens as soon as it is created, and handles requests from ``start`` to
    ``stop``. Also a context manager. Raises PortInUse and ValueError.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        config: Config | None = None,
        world: Callable[[Config], World] = World,
        **settings: Any,
    ) -> None:
        self.config = replace(config or Config(), **settings)
        read_outcome(self.config.default)
        self.world = world(self.config)
        self.control = Control(self.world)
        self.money = MoneyControl(self.world)
        self._plane = ControlPlane(self.world, self.control, self.money)
        self._routes = {(route.path, route.method): route for route in routes(self.world)}
        self._server = None if port is None else Server(host, port, self.answer)
        self._stopped = False

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash. Raises ValueError if there is no server."""
        if self._server is None:
            raise ValueError("this simulator has no server")
        return self._server.url

    def start(self) -> Self:
        """Start handling requests. Call once."""
        self.world.scheduler.start()
        if self._server:
            self._server.start()
        return self

    def stop(self) -> None:
        """Stop handling requests and close all connections. Safe to repeat."""
        if self._stopped:
            return
        self._stopped = True
        self.world.scheduler.stop()
        if self._server:
            self._server.stop()
        self.world.books.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def script(
        self,
        *,
        phone: str | None = None,
        amount: int | None = None,
        operation: str = "stk_push",
        times: int | None = None,
        **behaviour: Any,
    ) -> None:
        """Add a script for a phone, for an amount, or (with neither) for the next request.

        ``behaviour`` are fields of ``Script``. Unless ``times`` is given, a script for the next
        request applies once, and others until reset. Raises ValueError.
        """
        target = {"phone": phone, "amount": amount, "operation": operation, "times": times}
        self.world.scripts.add({**target, **behaviour})

    def wait_until_quiet(self, timeout: float = 60.0) -> bool:
        """Wait until all prompts have ended and all callbacks are sent.

        Prompts waiting for a person are ignored. Returns False after ``timeout`` seconds.
        """
        return self.world.scheduler.wait_until_quiet(timeout)

    @property
    def events(self) -> list[Event]:
        """The newest 2000 events, oldest first."""
        return self.world.events.list()

    @property
    def callbacks(self) -> list[Event]:
        """The callbacks sent, oldest first: ``what``, ``url``, ``body``, ``status``, ``answer``."""
        return self.world.events.list(kind="callback")

    def books(self) -> dict[str, Any]:
        """Return the books, as ``GET /control/books`` does."""
        return self.world.books.as_json()

    def prompts(self) -> list[dict[str, Any]]:
        """List all prompts, oldest first, with their state and outcome."""
        return self.control.prompts()

    def phone(self, number: str) -> dict[str, Any]:
        """Return one phone with its balance, open prompt and messages."""
        return self.control.phone(number)

    def enter_pin(self, number: str, pin: str | None = None) -> dict[str, Any]:
        """Answer a phone's open prompt with a PIN, by default the right one."""
        return self.control.enter_pin(number, self.config.pin if pin is None else pin)

    def cancel(self, number: str) -> dict[str, Any]:
        """Cancel a phone's open prompt."""
        return self.control.cancel(number)

    def pay_by_hand(
        self,
        number: str,
        amount: int,
        account: str = "",
        business: str = "",
        pin: str | None = None,
    ) -> dict[str, Any]:
        """Make a C2B payment from a phone, by default to the pay bill and with the right PIN.

        Waits for the merchant's validation. Returns the result code, the receipt and the balance.
        """
        pin = self.config.pin if pin is None else pin
        return self.money.pay_by_hand(number, amount, account, business, pin)

    def reverse_for_customer(self, receipt: str, amount: int | None = None) -> dict[str, Any]:
        """Reverse a payment, or ``amount`` KES of it, at the customer's request, without notifying
        the merchant.

        Returns the reversal's ``receipt`` and the phone's ``balance``.
        """
        return self.money.reverse_for_customer(receipt, amount)

    def pay_on_portal(self, number: str, amount: int) -> dict[str, Any]:
        """Pay a phone from the payouts' shortcode as a person does on the portal, by no request.

        Returns the ``receipt`` and the phone's ``balance``.
        """
        return self.money.pay_on_portal(number, amount)

    def take_payout_back(self, receipt: str) -> dict[str, Any]:
        """Take a payout back from its receiver, without notifying the merchant.

        Returns the reversal's ``receipt`` and the phone's ``balance``.
        """
        return self.money.take_payout_back(receipt)

    def set_wallet(self, number: str, amount: int) -> None:
        """Set the balance of a phone's wallet, in KES."""
        self.control.set_wallet(number, amount)

    def statement(self, number: str) -> list[dict[str, Any]]:
        """List the movements of a phone's wallet, newest first."""
        return self.money.statement(number)

    def portal_statement(
        self, shortcode: str, start: datetime | None = None, end: datetime | None = None
    ) -> str:
        """Return a shortcode's statement as downloaded from Safaricom's portal (CSV)."""
        return self.money.portal_statement(shortcode, start, end)

    def unlock_pin(self, number: str) -> None:
        """Unlock a phone's PIN."""
        self.money.unlock_pin(number)

    def set_account(self, shortcode: str, **accounts: int) -> dict[str, int]:
        """Set the balances of a shortcode's accounts, in KES: ``utility``, ``working``."""
        return self.money.set_account(shortcode, accounts)

    def set_registered(self, number: str, registered: bool) -> None:
        """Set whether a phone has M-PESA."""
        self.money.register(number, registered)

    @property
    def certificate(self) -> str:
        """The certificate, in PEM, with which clients encrypt the initiator's password."""
        return self.world.initiator.keys.certificate

    def security_credential(self, password: str | None = None) -> str:
        """Encrypt a password, by default the initiator's, as clients do."""
        return str(self.money.credential(password)["security_credential"])

    def unlock_initiator(self) -> None:
        """Unlock the initiator after too many wrong passwords."""
        self.world.initiator.unlock()

    def conversations(self) -> list[dict[str, Any]]:
        """List every payout, reversal and query, oldest first, with its outcome."""
        return self.money.conversations()

    def forget_urls(self) -> None:
        """Delete the registered C2B URLs, as an operator can in the portal."""
        self.world.registrations.forget()

    def advance(self, seconds: float) -> None:
        """Move the clock forward: prompts time out, tokens expire, delayed callbacks are sent."""
        self.world.advance(seconds)

    def revoke_tokens(self) -> None:
        """Revoke all access tokens."""
        self.world.tokens.revoke_all()

    def reset(self) -> None:
        """Start again with empty books and no scripts. Access tokens stay valid."""
        self.world.reset()

    def answer(self, request: Request) -> Reply:
        """Handle one request. Never raises."""
        try:
            if request.path == "/":
                return page.show(request)
            if request.path.rstrip("/") == mails.PATH.rstrip("/"):
                return mails.show(self.config.mails, request)
            if request.path.startswith(PREFIX):
                return self._plane.answer(request)
            return self._daraja(request)
        except DarajaError as error:
            return error.reply()
        except Exception:
            logger.exception("Failed to handle %s %s", request.method, request.path)
            return error_reply(500, "500.003.1001", "Internal Server Error")

    def _daraja(self, request: Request) -> Reply:
        path = request.path.rstrip("/")
        route = self._routes.get((path, request.method))
        if route is None and any(path == known for known, _ in self._routes):
            raise DarajaError(405, "405.001", "Method Not Allowed")
        if route is None:
            raise DarajaError(404, "404.001.01", "Resource not found")
        try:
            return route.handler(request)
        except DarajaError as error:
            self.world.events.add(
                "refused", path=route.path, code=error.code, message=error.message
            )
            raise
