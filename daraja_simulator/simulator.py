"""A pretend Safaricom in one object: start it, point the shop at its ``url``, and decide what
happens.
"""

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
    """Speaks Daraja's HTTP on a port of its own. Port 0 takes any free one; with None it listens
    nowhere, and whoever holds it hands requests to ``answer``.

    Settings are those of ``Config``: ``Simulator(port=0, default="person", wallet=500)``. Listens
    from the moment it is made, answers from ``start`` to ``stop``; also a context manager. Raises
    PortInUse and ValueError.
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
        """The base address, for ``DARAJA_BASE_URL`` and for a browser: no slash at the end.

        Raises ValueError for one that listens nowhere.
        """
        if self._server is None:
            raise ValueError("it listens on no port")
        return self._server.url

    def start(self) -> Self:
        """Begin to answer. Call once."""
        self.world.scheduler.start()
        if self._server:
            self._server.start()
        return self

    def stop(self) -> None:
        """Stop answering and hang up on everybody. Safe to repeat."""
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
        """Decide how requests go: those of a phone, of an amount, or (neither given) the next one.

        ``behaviour`` is the fields of ``Script``. A script for the next request works once, others
        until reset, unless ``times`` says otherwise. Raises ValueError with a sentence.
        """
        target = {"phone": phone, "amount": amount, "operation": operation, "times": times}
        self.world.scripts.add({**target, **behaviour})

    def wait_until_quiet(self, timeout: float = 60.0) -> bool:
        """Wait until every prompt not left to a person has ended and every callback was sent; False
        if too long.
        """
        return self.world.scheduler.wait_until_quiet(timeout)

    @property
    def events(self) -> list[Event]:
        """What happened, oldest first; the newest 2000."""
        return self.world.events.list()

    @property
    def callbacks(self) -> list[Event]:
        """The callbacks sent, oldest first: ``what``, ``url``, ``body``, the shop's ``status`` and
        ``answer``.
        """
        return self.world.events.list(kind="callback")

    def books(self) -> dict[str, Any]:
        """Give the books, as ``GET /control/books`` does: every shilling that moved."""
        return self.world.books.as_json()

    def prompts(self) -> list[dict[str, Any]]:
        """List every prompt, oldest first, with its state and how it ended."""
        return self.control.prompts()

    def phone(self, number: str) -> dict[str, Any]:
        """Show one phone: balance, the prompt on its screen, its messages."""
        return self.control.phone(number)

    def enter_pin(self, number: str, pin: str | None = None) -> dict[str, Any]:
        """Answer the prompt ringing on a phone with a PIN, the right one by default."""
        return self.control.enter_pin(number, self.config.pin if pin is None else pin)

    def cancel(self, number: str) -> dict[str, Any]:
        """Dismiss the prompt ringing on a phone."""
        return self.control.cancel(number)

    def pay_by_hand(
        self,
        number: str,
        amount: int,
        account: str = "",
        business: str = "",
        pin: str | None = None,
    ) -> dict[str, Any]:
        """Pay the pay bill (or another ``business``) from a phone, unasked, with the right PIN by
        default. Waits for the shop's validation, and gives the result code and the receipt.
        """
        pin = self.config.pin if pin is None else pin
        return self.money.pay_by_hand(number, amount, account, business, pin)

    def reverse_for_customer(self, receipt: str) -> dict[str, Any]:
        """Give a payment back at its customer's word: the merchant is not told. Gives the
        reversal's ``receipt`` and the phone's ``balance``.
        """
        return self.money.reverse_for_customer(receipt)

    def take_payout_back(self, receipt: str) -> dict[str, Any]:
        """Take a payout back from the phone it went to: the merchant is not told. Gives the
        reversal's ``receipt`` and the phone's ``balance``.
        """
        return self.money.take_payout_back(receipt)

    def set_wallet(self, number: str, amount: int) -> None:
        """Put this much into a phone's wallet, KES."""
        self.control.set_wallet(number, amount)

    def statement(self, number: str) -> list[dict[str, Any]]:
        """List what moved on a phone's wallet, newest first."""
        return self.money.statement(number)

    def portal_statement(
        self, shortcode: str, start: datetime | None = None, end: datetime | None = None
    ) -> str:
        """Write a number's statement as Safaricom's portal has it downloaded: CSV, what went out
        included.
        """
        return self.money.portal_statement(shortcode, start, end)

    def unlock_pin(self, number: str) -> None:
        """Unlock a phone's PIN."""
        self.money.unlock_pin(number)

    def set_account(self, shortcode: str, **accounts: int) -> dict[str, int]:
        """Put KES into the accounts of a number of the merchant: ``utility``, ``working``."""
        return self.money.set_account(shortcode, accounts)

    def set_registered(self, number: str, registered: bool) -> None:
        """Give a phone M-PESA, or take it away."""
        self.money.register(number, registered)

    @property
    def certificate(self) -> str:
        """The certificate, in PEM, under which a client encrypts the initiator's password."""
        return self.world.initiator.keys.certificate

    def security_credential(self, password: str | None = None) -> str:
        """Encrypt a password, the initiator's own by default, as a client would."""
        return str(self.money.credential(password)["security_credential"])

    def unlock_initiator(self) -> None:
        """Let the initiator in again after too many bad passwords."""
        self.world.initiator.unlock()

    def conversations(self) -> list[dict[str, Any]]:
        """List every payout, reversal and query, oldest first, with how it ended."""
        return self.money.conversations()

    def forget_urls(self) -> None:
        """Delete the addresses registered for payments by hand, as an operator can."""
        self.world.registrations.forget()

    def advance(self, seconds: float) -> None:
        """Move the simulator's clock forward: prompts time out, tokens expire, late callbacks
        leave.
        """
        self.world.advance(seconds)

    def revoke_tokens(self) -> None:
        """Make every access token issued so far worthless."""
        self.world.tokens.revoke_all()

    def reset(self) -> None:
        """Begin again with empty books and no scripts. Access tokens stay good."""
        self.world.reset()

    def answer(self, request: Request) -> Reply:
        """Answer one request, wherever it came from. Never raises."""
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
            logger.exception("the simulator failed to answer %s %s", request.method, request.path)
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
