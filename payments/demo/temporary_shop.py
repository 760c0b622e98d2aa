"""A shop for one day: its database, its pretend M-Pesa, its server and its clock end with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .api_client import DemoError
from .processes import ServerStopped, environment, free_port, manage, open_shop

#: What the shop keeps of each sale here, percent: so that there is some to account for.
COMMISSION = "5"
#: Settings of this machine's own shop that are not for this one.
SETTINGS = (
    "DARAJA_", "EQUITY_", "CELERY_", "CACHE_", "EMAIL_", "ORDER_", "PAYOUT_", "DELIVERY_", "SMS",
    "AFRICASTALKING_", "DATABASE_", "MEDIA_ROOT", "COMMISSION_PERCENT",
)  # fmt: skip
#: The end of a server's own words that is shown when the day cannot be played.
LAST_WORDS = 2000


def play_in_temporary_shop(*options: str, say: Callable[[str], object]) -> int:
    """Open a shop, play ``demo_day`` there with these options, and close it.

    Returns the command's exit code. Raises DemoError where the shop cannot be opened.
    """
    web, phone = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="demo-day-") as folder:
        kept = Path(folder)
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)},
            **environment(web=web, phone=phone, kept=kept),
            "OMACHE_ENV_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{kept / 'day.sqlite3'}",
            "MEDIA_ROOT": str(kept / "media"),
            "COMMISSION_PERCENT": COMMISSION,
        }
        say("Opening a shop of its own …")
        log = kept / "servers.log"
        try:
            manage(environ, "migrate", "--verbosity", "0")
            with (
                log.open("ab") as words,
                open_shop(environ, web=web, phone=phone, kept=kept, log=words),
            ):
                day = [sys.executable, sys.argv[0], "demo_day", *options]
                return subprocess.run(day, env=environ, check=False).returncode  # noqa: S603
        except ServerStopped as error:
            last = log.read_text()[-LAST_WORDS:] if log.exists() else ""
            raise DemoError(f"{error}\n{last}") from error
