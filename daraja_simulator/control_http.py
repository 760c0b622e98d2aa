"""The control API over HTTP: routing, and protection from other web sites."""

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .control import Control, ControlError
from .control_money import MoneyControl
from .wire import Reply, Request, json_reply, parse_json, sent_as_json
from .world import World

Fields = dict[str, Any]
Action = Callable[[Request, Fields, str], Any]

PREFIX = "/control/"


class ControlPlane:
    """Handles requests below ``/control/``. Refuses cross-site requests by browsers."""

    def __init__(self, world: World, control: Control, money: MoneyControl) -> None:
        self._world = world
        self._control = control
        self._money = money
        self._actions: list[tuple[str, re.Pattern[str], Action]] = [
            (method, re.compile(pattern), action)
            for method, pattern, action in (
                *self._get_routes(),
                *self._post_routes(),
                *self._money_routes(),
            )
        ]

    def answer(self, request: Request) -> Reply:
        """Handle one request. Never raises."""
        try:
            refuse_cross_site(request)
            action, argument = self._find(request)
            fields = _fields(request) if request.method == "POST" else {}
            answer = action(request, fields, argument)
            if isinstance(answer, Reply):
                return answer
            return json_reply(200, {"done": True} if answer is None else answer)
        except ControlError as error:
            return json_reply(error.status, {"error": str(error)})
        except ValueError as error:
            return json_reply(400, {"error": str(error)})

    def _get_routes(self) -> list[tuple[str, str, Action]]:
        world, control = self._world, self._control
        return [
            ("GET", "about", lambda r, f, a: control.about()),
            ("GET", "phones", lambda r, f, a: {"phones": control.phones()}),
            ("GET", r"phones/([^/]+)", lambda r, f, a: control.phone(a)),
            ("GET", "prompts", lambda r, f, a: {"prompts": control.prompts()}),
            ("GET", "books", lambda r, f, a: world.books.as_json()),
            ("GET", "scripts", lambda r, f, a: {"scripts": world.scripts.as_json()}),
            ("GET", "events", lambda r, f, a: {"events": self._events(r)}),
            ("GET", "quiet", lambda r, f, a: {"quiet": self._quiet(r)}),
        ]

    def _post_routes(self) -> list[tuple[str, str, Action]]:
        world, control = self._world, self._control
        return [
            ("POST", "scripts", self._script),
            ("POST", "scripts/forget", lambda r, f, a: world.scripts.clear()),
            ("POST", "reset", lambda r, f, a: world.reset()),
            ("POST", "clock", lambda r, f, a: world.advance(_number(f, "advance"))),
            ("POST", "tokens/revoke", lambda r, f, a: world.tokens.revoke_all()),
            ("POST", "phones", lambda r, f, a: control.add_phone(_text(f, "phone"))),
            (
                "POST",
                r"phones/([^/]+)/wallet",
                lambda r, f, a: control.set_wallet(a, f.get("amount", -1)),
            ),
            (
                "POST",
                r"phones/([^/]+)/pin",
                lambda r, f, a: control.enter_pin(a, _text(f, "pin"), _prompt_id(f)),
            ),
            (
                "POST",
                r"phones/([^/]+)/cancel",
                lambda r, f, a: control.cancel(a, _prompt_id(f)),
            ),
        ]

    def _money_routes(self) -> list[tuple[str, str, Action]]:
        world, money = self._world, self._money
        return [
            ("GET", r"phones/([^/]+)/statement", lambda r, f, a: {"rows": money.statement(a)}),
            ("POST", r"phones/([^/]+)/pay", self._pay),
            (
                "POST",
                r"phones/([^/]+)/registered",
                lambda r, f, a: money.register(a, f.get("registered")),
            ),
            ("POST", r"phones/([^/]+)/unlock", lambda r, f, a: money.unlock_pin(a)),
            ("POST", r"payments/([^/]+)/reverse", lambda r, f, a: money.reverse_for_customer(a)),
            ("POST", r"payouts/([^/]+)/take-back", lambda r, f, a: money.take_payout_back(a)),
            ("GET", r"accounts/([^/]+)/statement", self._portal_statement),
            ("POST", r"accounts/([^/]+)", lambda r, f, a: money.set_account(a, f)),
            ("POST", "initiator/unlock", lambda r, f, a: world.initiator.unlock()),
            ("GET", "certificate", lambda r, f, a: self._certificate()),
            ("GET", "credential", lambda r, f, a: money.credential()),
            ("GET", "conversations", lambda r, f, a: {"conversations": money.conversations()}),
            ("GET", "c2b", lambda r, f, a: {"registered": world.registrations.as_json()}),
            ("POST", "c2b/forget", lambda r, f, a: world.registrations.forget()),
        ]

    def _certificate(self) -> Reply:
        pem = self._world.initiator.keys.certificate
        return Reply(200, pem.encode(), "application/x-pem-file")

    def _portal_statement(self, request: Request, fields: Fields, shortcode: str) -> Reply:
        bounds = {
            name: datetime.fromisoformat(request.query[word])
            for name, word in (("start", "from"), ("end", "to"))
            if word in request.query
        }
        text = self._money.portal_statement(shortcode, **bounds)
        return Reply(200, text.encode(), "text/csv; charset=utf-8")

    def _pay(self, request: Request, fields: Fields, number: str) -> Any:
        words = {name: _text(fields, name) for name in ("account", "business") if fields.get(name)}
        return self._money.pay_by_hand(
            number, fields.get("amount", 0), pin=_text(fields, "pin"), **words
        )

    def _find(self, request: Request) -> tuple[Action, str]:
        path = request.path.removeprefix(PREFIX).rstrip("/")
        found = False
        for method, pattern, action in self._actions:
            if match := pattern.fullmatch(path):
                found = True
                if method == request.method:
                    return action, match.group(1) if pattern.groups else ""
        if found:
            raise ControlError(405, f"{request.method} is not allowed here.")
        raise ControlError(404, "Unknown endpoint. README.md lists all of them.")

    def _script(self, request: Request, fields: Fields, argument: str) -> Any:
        self._world.scripts.add(fields)
        return {"scripts": self._world.scripts.as_json()}

    def _events(self, request: Request) -> Any:
        after = request.query.get("after", "0")
        if not re.fullmatch(r"[0-9]{1,12}", after):
            raise ValueError("after must be the number of an event")
        return self._world.events.list(after=int(after), kind=request.query.get("kind"))

    def _quiet(self, request: Request) -> bool:
        seconds = request.query.get("timeout", "5")
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", seconds):
            raise ValueError("timeout must be 0 to 99 seconds")
        return self._world.scheduler.wait_until_quiet(float(seconds))


def refuse_cross_site(request: Request) -> None:
    """Refuse requests that another web site could make a browser send. Raises ControlError.

    Another site must not reach this server under a public name of its own (DNS rebinding), post to
    it from its origin, or post a form: JSON needs a CORS preflight, which is never allowed here.
    """
    host = request.headers.get("host", "")
    if not _is_private_name(host):
        raise ControlError(403, "Open the simulator as localhost or by its IP address.")
    if request.method == "GET":
        return
    origin = request.headers.get("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        raise ControlError(403, "Only the simulator's own page may do this.")
    if not sent_as_json(request):
        raise ControlError(415, "Send JSON, with Content-Type: application/json.")


def _is_private_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        # A name without a dot is local, such as a service in a compose file. It cannot be
        # registered in the public DNS.
        return bool(name) and ("." not in name or name.endswith(".localhost"))
    return True


def _fields(request: Request) -> Fields:
    if not request.body.strip():
        return {}
    try:
        content = parse_json(request.body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("the body is not a JSON object")
    return content


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError(f"{name} is required and must be text")


def _prompt_id(fields: Fields) -> str | None:
    return (
        None if fields.get("checkout_request_id") is None else _text(fields, "checkout_request_id")
    )


def _number(fields: Fields, name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is required and must be a number of seconds")
    return value
