"""The state of one simulator, shared by all its APIs."""

from collections.abc import Callable
from functools import partial

from . import stk_callbacks
from .books import Books
from .callback_client import CallbackClient
from .callback_dispatch import CallbackDispatcher
from .clock import Clock
from .config import Config
from .confirmations import Confirmations
from .conversations import Conversations
from .events import EventLog
from .handsets import Handsets, ending_text
from .initiator import Initiator
from .prompts import Ending, Prompt, Prompts
from .rate_limit import RateLimit
from .registrations import Registrations
from .scheduler import Scheduler
from .scripts import ScriptBook
from .subscribers import Subscribers
from .tokens import Tokens


class World:
    """The state and services that the APIs share. One per simulator.

    APIs keep no state of their own. The clock, the scheduler and the callback client can be
    replaced, for tests without threads and sockets.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], Clock] = Clock,
        scheduler: Callable[[Clock], Scheduler] = Scheduler,
        callback_client: Callable[[Config, EventLog], CallbackClient] = CallbackClient,
    ) -> None:
        self.config = config
        self.clock = clock()
        self.events = EventLog(self.clock)
        self.scheduler = scheduler(self.clock)
        self.tokens = Tokens(config, self.clock)
        self.scripts = ScriptBook(config.magic)
        self.books = Books(config, self.clock)
        self.prompts = Prompts(self.clock, self.books)
        self.handsets = Handsets(self.clock)
        self.subscribers = Subscribers(config.pin_tries)
        self.registrations = Registrations(once=config.production)
        self.query_limit = RateLimit(config.queries_per_minute, self.clock)
        self.initiator = Initiator(config)
        self.conversations = Conversations()
        self.callback_client = callback_client(config, self.events)
        self.callback_dispatcher = CallbackDispatcher(
            self.events, self.scheduler, self.callback_client
        )
        self.confirmations = Confirmations(
            self.registrations, self.scripts, self.books, self.callback_dispatcher
        )

    def end_prompt(self, prompt: Prompt, code: str, *, deliver_at_once: bool = False) -> bool:
        """End a prompt: move the money, send the payer's SMS and the callback. Safe to repeat.

        Returns False if it had ended already. The scheduler sends the callback, or with
        ``deliver_at_once`` it is sent before this returns.
        """
        if code in ("0", "2001") and self.subscribers.is_locked(prompt.push.phone):
            code = "8006"
        if not self.prompts.end(prompt, code) or prompt.ending is None:
            return False
        push, ending = prompt.push, prompt.ending
        balance = self.books.wallet(push.phone)
        message = ending_text(self.config, push, ending, balance)
        self.handsets.send_sms(push.phone, message, paid=ending.entry is not None)
        self.events.add(
            "prompt_ended",
            checkout_request_id=prompt.checkout_request_id,
            phone=push.phone,
            amount=push.amount,
            result_code=ending.code,
            receipt=ending.entry.receipt if ending.entry else None,
        )
        if deliver_at_once:
            self._send_callbacks(prompt, ending)
        else:
            self.scheduler.add(0, partial(self._send_callbacks, prompt, ending))
        return True

    def _send_callbacks(self, prompt: Prompt, ending: Ending) -> None:
        variants = stk_callbacks.variants(prompt, ending, self.books)
        confirmation = None
        if ending.entry and self.config.stk_confirmations:
            confirmation = self.confirmations.prepare(ending.entry)
        if confirmation and confirmation.is_first:
            confirmation.send()
        self.callback_dispatcher.dispatch(prompt.script, variants)
        if confirmation and not confirmation.is_first:
            confirmation.send()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run the actions that become due. Raises ValueError.

        Actions already due run first, so that what they schedule uses the earlier time.
        """
        self.scheduler.wait_until_nothing_is_due(self.config.callback_timeout + 1)
        self.clock.advance(seconds)
        self.scheduler.wake()

    def reset(self) -> None:
        """Start again without scripts, prompts, phones, events, books and registered URLs.

        Tokens stay valid, and the clock is not changed.
        """
        self.scheduler.clear()
        self.prompts.clear()
        self.scheduler.wait_until_quiet(self.config.callback_timeout + 1)
        self.scripts.clear()
        self.books.clear()
        self.subscribers.clear()
        self.registrations.clear()
        self.query_limit.clear()
        self.conversations.clear()
        self.initiator.unlock()
        self.handsets.clear()
        self.events.clear()
