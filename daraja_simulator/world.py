"""The parts one simulator is made of, and what they do together when a prompt ends."""

from collections.abc import Callable
from functools import partial

from . import callbacks
from .agenda import Agenda
from .books import Books
from .clock import Clock
from .config import Config
from .confirmations import Confirmations
from .conversations import Conversations
from .delivery import Courier
from .events import EventLog
from .handsets import Handsets, ending_text
from .initiator import Initiator
from .post import Postman
from .prompts import Ending, Prompt, Prompts
from .rate_limit import RateLimit
from .registrations import Registrations
from .scripts import ScriptBook
from .subscribers import Subscribers
from .tokens import Tokens


class World:
    """Everything an API of the simulator may use.

    One per simulator; an API adds routes, not state, beside it. Its time, what happens later and
    how messages leave can be somebody else's: a test that wants no thread and no socket brings
    its own.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], Clock] = Clock,
        agenda: Callable[[Clock], Agenda] = Agenda,
        postman: Callable[[Config, EventLog], Postman] = Postman,
    ) -> None:
        self.config = config
        self.clock = clock()
        self.events = EventLog(self.clock)
        self.agenda = agenda(self.clock)
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
        self.postman = postman(config, self.events)
        self.courier = Courier(self.events, self.agenda, self.postman)
        self.confirmations = Confirmations(
            self.registrations, self.scripts, self.books, self.courier
        )

    def end_prompt(self, prompt: Prompt, code: str, *, deliver_at_once: bool = False) -> bool:
        """End a prompt: the money moves, the payer gets an SMS, the shop its callback.

        False when it had ended.

        Safe to repeat. The callback is sent by the agenda, or with ``deliver_at_once`` before this
        returns.
        """
        if code in ("0", "2001") and self.subscribers.is_locked(prompt.push.phone):
            code = "8006"
        if not self.prompts.end(prompt, code) or prompt.ending is None:
            return False
        push, ending = prompt.push, prompt.ending
        balance = self.books.wallet(push.phone)
        message = ending_text(self.config, push, ending, balance)
        self.handsets.text(push.phone, message, paid=ending.entry is not None)
        self.events.add(
            "prompt_ended",
            checkout_request_id=prompt.checkout_request_id,
            phone=push.phone,
            amount=push.amount,
            result_code=ending.code,
            receipt=ending.entry.receipt if ending.entry else None,
        )
        if deliver_at_once:
            self._tell(prompt, ending)
        else:
            self.agenda.add(0, partial(self._tell, prompt, ending))
        return True

    def _tell(self, prompt: Prompt, ending: Ending) -> None:
        sending = callbacks.sending(prompt, ending, self.books)
        told = None
        if ending.entry and self.config.stk_confirmations:
            told = self.confirmations.prepare(ending.entry)
        if told and told.is_first:
            told.send()
        self.courier.deliver(prompt.script, sending)
        if told and not told.is_first:
            told.send()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and let what has come due happen. Raises ValueError."""
        self.clock.advance(seconds)
        self.agenda.wake()

    def reset(self) -> None:
        """Begin again: no scripts, prompts, phones, events, books or registered addresses.

        Tokens stay good and the clock where it is.
        """
        self.agenda.clear()
        self.prompts.clear()
        self.agenda.wait_until_quiet(self.config.callback_timeout + 1)
        self.scripts.clear()
        self.books.clear()
        self.subscribers.clear()
        self.registrations.clear()
        self.query_limit.clear()
        self.conversations.clear()
        self.initiator.unlock()
        self.handsets.clear()
        self.events.clear()
