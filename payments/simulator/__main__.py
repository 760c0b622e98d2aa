"""``python -m payments.simulator``: the pretend Safaricom without Django."""

import sys
from argparse import ArgumentParser

from payments.simulator.process import add_arguments, run_as_told
from payments.simulator.server import PortInUse


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m payments.simulator", description=__doc__)
    add_arguments(parser)
    try:
        run_as_told(vars(parser.parse_args()), _say)
    except (OSError, PortInUse, ValueError) as error:
        sys.exit(str(error))
