"""The control API, ``/control/…``, used by tests and the phone page. Not part of Daraja.

Responses are JSON; errors are ``{"error": "message"}``. ``README.md`` lists the endpoints.
"""

from collections.abc import Mapping
from typing import Any

from . import ids
from .behaviour import MAGIC, MAGIC_PAYOUTS
from .handsets import prompt_words
from .prompts import Prompt
from .world import World

Fields = Mapping[str, Any]


class ControlError(Exception):
    """A control request that is refused, with an HTTP status and a message."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Control:
    """The actions of the control API, for HTTP and Python. Raises ValueError or ControlError."""

    def __init__(self, world: World) -> None:
        self._world = world

    def about(self) -> dict[str, Any]:
        """Return the merchant, the PIN, the magic numbers and the time."""
        world, config = self._world, self._world.config
        return {
            "merchant_name": config.merchant_name,
            "shortcode": config.shortcode,
            "till": config.till,
            "b2c_shortcode": config.b2c_shortcode,
            "initiator_name": config.initiator_name,
            "pin": config.pin,
            "default": config.default,
            "magic": {k: s.outcome for k, s in MAGIC.items()} if config.magic else {},
            "magic_payouts": sorted(MAGIC_PAYOUTS) if config.magic else [],
            "prompt_timeout": config.prompt_timeout,
            "now": world.clock.now().isoformat(timespec="seconds"),
        }

    def phones(self) -> list[dict[str, Any]]:
        """List the known phones, the most recent first."""
        return [self._summary(phone) for phone in self._world.handsets.phones()]

    def phone(self, number: str) -> dict[str, Any]:
        """Return one phone with its balance, its open prompt if any, and its messages."""
        phone = ids.msisdn(number)
        return {
            **self._summary(phone),
            "prompt": self._prompt(self._world.prompts.open_on(phone)),
            "inbox": self._world.handsets.inbox(phone),
        }

    def add_phone(self, number: str) -> dict[str, Any]:
        """Add a phone to the list before its first prompt."""
        phone = ids.msisdn(number)
        self._world.handsets.remember(phone)
        return self.phone(phone)

    def enter_pin(
        self, number: str, pin: str, checkout_request_id: str | None = None
    ) -> dict[str, Any]:
        """Answer the open prompt with a PIN. The right one pays; a wrong one fails with 2001."""
        right = pin == self._world.config.pin
        ended = self._answer(number, "0" if right else "2001", checkout_request_id)
        self._world.subscribers.record_pin(ids.msisdn(number), right=right)
        return ended

    def cancel(self, number: str, checkout_request_id: str | None = None) -> dict[str, Any]:
        """Cancel the open prompt, which ends with 1032."""
        return self._answer(number, "1032", checkout_request_id)

    def set_wallet(self, number: str, amount: int) -> dict[str, Any]:
        """Set the balance of a phone's wallet, in KES."""
        if isinstance(amount, bool) or not isinstance(amount, int) or amount > 10_000_000:
            raise ValueError("amount must be whole KES, 0 to 10000000")
        phone = ids.msisdn(number)
        self._world.books.set_wallet(phone, amount)
        return self.add_phone(phone)

    def prompts(self) -> list[dict[str, Any]]:
        """List all prompts in memory, oldest first, with their state and outcome."""
        return [self._prompt_record(p) for p in self._world.prompts.list()]

    def _summary(self, phone: str) -> dict[str, Any]:
        world = self._world
        prompt = world.prompts.open_on(phone)
        inbox = world.handsets.inbox(phone)
        return {
            "phone": phone,
            "balance": world.books.wallet(phone),
            "rings": prompt is not None and prompt.rings,
            "newest_message": inbox[0]["n"] if inbox else 0,
            "magic": world.scripts.magic_outcome(phone),
            "pin_locked": world.subscribers.is_locked(phone),
            "registered": world.subscribers.is_registered(phone),
        }

    def _prompt(self, prompt: Prompt | None) -> dict[str, Any] | None:
        if prompt is None or not prompt.rings:
            return None
        world = self._world
        left = prompt.asked_second + world.config.prompt_timeout - world.clock.seconds()
        return {
            "checkout_request_id": prompt.checkout_request_id,
            **prompt_words(world.config, prompt.push),
            "amount": prompt.push.amount,
            "seconds_left": max(0, round(left)),
        }

    def _answer(self, number: str, code: str, checkout_id: str | None) -> dict[str, Any]:
        phone = ids.msisdn(number)
        prompt = self._world.prompts.open_on(phone)
        expected = prompt is not None and checkout_id in (None, prompt.checkout_request_id)
        if prompt is None or not prompt.rings or not expected:
            raise ControlError(409, "This prompt is no longer open on the phone.")
        if not self._world.end_prompt(prompt, code):
            raise ControlError(409, "This prompt has just ended.")
        return self._prompt_record(prompt)

    def _prompt_record(self, prompt: Prompt) -> dict[str, Any]:
        ending = prompt.ending
        return {
            "checkout_request_id": prompt.checkout_request_id,
            "merchant_request_id": prompt.merchant_request_id,
            "asked_at": prompt.asked_at.isoformat(timespec="seconds"),
            "state": prompt.state,
            **vars(prompt.push),
            "result_code": ending.code if ending else None,
            "result_desc": ending.desc if ending else None,
            "receipt": ending.entry.receipt if ending and ending.entry else None,
        }
