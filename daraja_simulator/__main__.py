"""The command ``daraja-simulator``, or ``python -m daraja_simulator``."""

import os
import sys
from argparse import ArgumentParser

from . import __version__
from .process import add_arguments, run_with_options
from .server import PortInUse


def main() -> None:
    """Parse the command line and serve until interrupted. Exits with a message on failure."""
    parser = ArgumentParser(
        prog="daraja-simulator",
        description="Simulate Safaricom's M-Pesa API (Daraja), with a phone in the browser.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    add_arguments(parser)
    try:
        run_with_options(vars(parser.parse_args()), _print_line)
    except (OSError, PortInUse, ValueError) as error:
        sys.exit(str(error))


def _print_line(line: str) -> None:
    """Print a line. A closed pipe (``| head -1``) does not stop the server."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # As Python's documentation advises: otherwise flushing at exit fails again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
