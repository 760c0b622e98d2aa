"""A temporary shop for one day, with its own database, simulator, server and clock."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .api_client import DemoError
from .processes import ServerStopped, environment, free_port, manage, open_shop

#: The commission in percent, so that the ledger has some.
COMMISSION = "5"
#: Prefixes of settings that are not passed on to the temporary shop.
SETTINGS = (
    "DARAJA_", "EQUITY_", "CELERY_", "CACHE_", "EMAIL_", "ORDER_", "PAYOUT_", "DELIVERY_", "SMS",
    "AFRICASTALKING_", "DATABASE_", "MEDIA_ROOT", "COMMISSION_PERCENT",
)  # fmt: skip
#: Characters of the server log shown if the shop cannot be started.
LOG_TAIL = 2000


def play_in_temporary_shop(*options: str, say: Callable[[str], object]) -> int:
    """Start a shop, run ``demo_day`` there with these options, and stop it.

    Returns the exit code of the command. Raises DemoError if the shop cannot be started.
    """
    web, phone = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="demo-day-") as name:
        folder = Path(name)
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)},
            **environment(web=web, phone=phone, folder=folder),
            "OMACHE_ENV_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{folder / 'day.sqlite3'}",
            "MEDIA_ROOT": str(folder / "media"),
            "COMMISSION_PERCENT": COMMISSION,
        }
        say("Starting a temporary shop …")
        log = folder / "servers.log"
        try:
            manage(environ, "migrate", "--verbosity", "0")
            with (
                log.open("ab") as words,
                open_shop(environ, web=web, phone=phone, folder=folder, log=words),
            ):
                day = [sys.executable, sys.argv[0], "demo_day", *options]
                return subprocess.run(day, env=environ, check=False).returncode  # noqa: S603
        except ServerStopped as error:
            last = log.read_text()[-LOG_TAIL:] if log.exists() else ""
            raise DemoError(f"{error}\n{last}") from error
