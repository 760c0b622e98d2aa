"""``daraja-simulator``, or ``python -m daraja_simulator``: the simulator as a process."""

import os
import sys
from argparse import ArgumentParser

from . import __version__
from .process import add_arguments, run_with_options
from .server import PortInUse


def main() -> None:
    """Read the command line and serve until asked to end; exits with a sentence if it cannot."""
    parser = ArgumentParser(
        prog="daraja-simulator",
        description="A pretend Safaricom (Daraja), with a phone in the browser.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    add_arguments(parser)
    try:
        run_with_options(vars(parser.parse_args()), _print_line)
    except (OSError, PortInUse, ValueError) as error:
        sys.exit(str(error))


def _print_line(line: str) -> None:
    """Print a line; who reads no more (``| head -1``) does not end a service that others call."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python's documentation: else what is still buffered fails once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
