"""The simulator as a process of its own, until Ctrl-C or SIGTERM."""

import os
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from .settings_input import read_settings
from .simulator import Simulator


def add_arguments(parser: ArgumentParser) -> None:
    """Give a command line the simulator's options."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument(
        "--default",
        default="person",
        help='what becomes of a prompt: "person" (default), "success" or a result code',
    )
    parser.add_argument(
        "--certificate", metavar="FILE", help="write the certificate for security credentials here"
    )
    parser.add_argument(
        "--key", metavar="FILE", help="keep the key behind the certificate here, over restarts"
    )
    parser.add_argument(
        "--books", metavar="FILE", help="keep the books here, over restarts and kill -9"
    )
    parser.add_argument(
        "--mails", metavar="FOLDER", help="show the e-mails that a shop writes there, at /mails/"
    )
    parser.add_argument(
        "--production", action="store_true", help="C2B addresses register once, nothing simulates"
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="any other setting of daraja_simulator/config.py; may be repeated",
    )


def run_with_options(options: Mapping[str, Any], output: Callable[[str], object]) -> None:
    """Serve as the options say, until asked to end. Raises OSError, PortInUse and ValueError."""
    settings = read_settings(options["set"])
    if options["key"]:
        settings["key_file"] = options["key"]
    if options["books"]:
        settings["books_file"] = options["books"]
    if options["mails"]:
        settings["mails"] = options["mails"]
    if options["production"]:
        settings["production"] = True
    run(
        host=options["host"],
        port=options["port"],
        default=options["default"],
        output=output,
        certificate=options["certificate"],
        settings=settings,
    )


def run(
    *,
    host: str,
    port: int,
    default: str,
    output: Callable[[str], object],
    certificate: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Serve until the process is asked to end. Call from the main thread.

    Raises OSError, PortInUse and ValueError.

    People try again at once after a cancel, so only a payment made blocks the same amount for two
    minutes here.
    """
    habits = {"default": default, "decide_after": 1.0, "similar_counts": "paid"}
    simulator = Simulator(host=host, port=port, **{**habits, **(settings or {})})
    if certificate:
        _write(Path(certificate), simulator.certificate)
    elif simulator.config.key_file:
        # A key file that is no good should stop the start, not the first payout.
        simulator.world.initiator.keys.load()
    shutdown = threading.Event()

    def request_shutdown(number: int, frame: FrameType | None) -> None:
        shutdown.set()

    previous = {
        number: signal.signal(number, request_shutdown)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with simulator:
            _print_addresses(simulator, output)
            shutdown.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    output("The simulator has stopped.")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: somebody may be reading it just now."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_text(text)
    half.replace(path)


def _print_addresses(simulator: Simulator, output: Callable[[str], object]) -> None:
    config = simulator.config
    output(f"A pretend Safaricom listens on {simulator.url}")
    output(f"  The phone:      {simulator.url}/  (PIN {config.pin})")
    if config.mails:
        output(f"  Its e-mails:    {simulator.url}/mails/")
    output(f"  Its books:      {simulator.url}/control/books")
    output(f"  For the shop:   DARAJA_BASE_URL={simulator.url}")
    output(f"                  pay bill {config.shortcode}, till {config.till}")
    output(f"  For payouts:    {config.b2c_shortcode}, initiator {config.initiator_name}")
    output(f"                  certificate {simulator.url}/control/certificate")
    output("Ctrl-C ends it.")
