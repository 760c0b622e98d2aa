"""A separate process of the shop that sends prompts: ``python -m tests.payments.push_process``.

Reads one line of JSON, reports that it is ready, and sends all prompts together on a signal.
"""

import json
import sys


def main() -> None:
    """Do the job from stdin; print what was raised: nothing."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    from payments.checkout.stk_push import send_stk_push
    from tests.threads import many_at_once

    job = json.loads(sys.stdin.readline())
    for name, value in job["settings"].items():
        setattr(settings, name, value)
    connection.settings_dict["NAME"] = job["database"]
    say("ready")
    sys.stdin.readline()
    sends = [lambda order=order: send_stk_push(order) for order in job["orders"]]
    say(json.dumps([str(error) for error in many_at_once(sends, at_a_time=len(sends)) if error]))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
