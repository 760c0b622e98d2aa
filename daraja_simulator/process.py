"""Running the simulator as a process, until Ctrl-C or SIGTERM."""

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
    """Add the simulator's options to a command line."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (%(default)s)")
    parser.add_argument(
        "--default",
        default="person",
        help='outcome of a prompt without a script: "person" (answer it on the phone page; the'
        ' default), "success" or a result code such as 1032',
    )
    parser.add_argument(
        "--certificate",
        metavar="FILE",
        help="write the certificate for security credentials to this file",
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        help="keep the certificate's private key in this file, so that it survives restarts",
    )
    parser.add_argument(
        "--books", metavar="FILE", help="keep the books in this file, so that they survive restarts"
    )
    parser.add_argument(
        "--mails",
        metavar="FOLDER",
        help="show the e-mails that your program writes to this folder, at /mails/",
    )
    parser.add_argument(
        "--production",
        action="store_true",
        help="behave like production: C2B URLs can be registered only once, no C2B simulate",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change any other setting listed in the README; can be repeated",
    )


def run_with_options(options: Mapping[str, Any], output: Callable[[str], object]) -> None:
    """Serve with these options until interrupted. Raises OSError, PortInUse and ValueError."""
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
    """Serve until the process gets SIGINT or SIGTERM. Call it from the main thread.

    Only a paid prompt blocks the same amount for two minutes here, because people try again right
    after cancelling. Raises OSError, PortInUse and ValueError.
    """
    defaults = {"default": default, "decide_after": 1.0, "similar_counts": "paid"}
    simulator = Simulator(host=host, port=port, **{**defaults, **(settings or {})})
    if certificate:
        _write(Path(certificate), simulator.certificate)
    elif simulator.config.key_file:
        # Fail at the start for an invalid key file, not at the first payout.
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
    """Write a file atomically, because another process may be reading it."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_text(text)
    half.replace(path)


def _print_addresses(simulator: Simulator, output: Callable[[str], object]) -> None:
    config = simulator.config
    output(f"The Daraja simulator is listening on {simulator.url}")
    output(f"  Phone page:     {simulator.url}/  (PIN {config.pin})")
    if config.mails:
        output(f"  E-mails:        {simulator.url}/mails/")
    output(f"  Books:          {simulator.url}/control/books")
    output(f"  Base URL:       {simulator.url}")
    output(f"                  pay bill {config.shortcode}, till {config.till}")
    output(f"  Payouts:        {config.b2c_shortcode}, initiator {config.initiator_name}")
    output(f"                  certificate {simulator.url}/control/certificate")
    output("Press Ctrl-C to stop.")
