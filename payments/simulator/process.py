"""The simulator as a process of its own, until Ctrl-C or SIGTERM."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

from payments.simulator.simulator import Simulator


def run(*, host: str, port: int, default: str, say: Callable[[str], object]) -> None:
    """Serve until the process is asked to end. Call from the main thread.

    Raises PortInUse and ValueError.

    People try again at once after a cancel, so only a payment made blocks the same amount for two
    minutes here.
    """
    simulator = Simulator(
        host=host, port=port, default=default, decide_after=1.0, similar_counts="paid"
    )
    asked_to_end = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        asked_to_end.set()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with simulator:
            _greet(simulator, say)
            asked_to_end.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    say("The simulator has stopped.")


def _greet(simulator: Simulator, say: Callable[[str], object]) -> None:
    config = simulator.config
    say(f"A pretend Safaricom listens on {simulator.url}")
    say(f"  The phone:      {simulator.url}/  (PIN {config.pin})")
    say(f"  Its books:      {simulator.url}/control/books")
    say(f"  For the shop:   DARAJA_BASE_URL={simulator.url}")
    say(f"                  pay bill {config.shortcode}, till {config.till}")
    say("Ctrl-C ends it.")
