"""Whether an address answers well: ``python deploy/probe.py http://127.0.0.1:8000/readyz/``.

For containers' health checks, whose image has no curl. Says what was answered; exit code 1 where it
was not 200.
"""

import sys
import urllib.error
import urllib.request


def main(address: str) -> int:
    """Ask once, for four seconds at most."""
    if not address.startswith("http://"):
        print("An address begins with http://.", file=sys.stderr)
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
