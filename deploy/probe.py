"""Check that a URL answers 200: ``python deploy/probe.py http://127.0.0.1:8000/readyz/``.

For containers' health checks, whose image has no curl. Prints the answer; exits with 1 if it was
not 200.
"""

import sys
import urllib.error
import urllib.request


def main(address: str) -> int:
    """Send one request, with a timeout of four seconds."""
    if not address.startswith("http://"):
        print("The address must begin with http://.", file=sys.stderr)
        return 2
    try:
        with urllib.request.urlopen(address, timeout=4) as answer:  # noqa: S310
            print(answer.read(200).decode())
    except urllib.error.HTTPError as error:
        print(error.read(200).decode())
        return 1
    except OSError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
