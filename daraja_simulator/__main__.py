"""``python -m daraja_simulator``: the pretend Safaricom without Django."""

import sys
from argparse import ArgumentParser

from .process import add_arguments, run_as_told
from .server import PortInUse


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m daraja_simulator", description=__doc__)
    add_arguments(parser)
    try:
        run_as_told(vars(parser.parse_args()), _say)
    except (OSError, PortInUse, ValueError) as error:
        sys.exit(str(error))
