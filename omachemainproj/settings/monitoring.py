"""Metrics, alerts and the name of the release."""

from pathlib import Path

from .base import BASE_DIR, env


def read_release(folder: Path) -> str:
    """The name of the deployed release: the first line of the file ``RELEASE`` in this folder.

    The deployment writes it there and not into the settings, which stay the same after a rollback
    to another version. Empty if there is no such file.
    """
    try:
        return (folder / "RELEASE").read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, ValueError):
        return ""


#: The token that grants access to `/metrics/`; empty: only this machine's own addresses have it.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
#: The folder of metrics shared by the web, clock and worker processes of a machine. If empty,
#: gunicorn creates one for its own processes.
METRICS_DIR = env.text("METRICS_DIR")
#: The deployed release: a tag or a commit.
RELEASE = env.text("RELEASE") or read_release(BASE_DIR) or "unnamed"
#: The address mailed once about each incident, and once when it ends. Empty: none.
ALERT_EMAIL = env.text("ALERT_EMAIL")
#: Seconds a process caches whether the clock and the workers are running.
HEARTBEATS_MAX_AGE: float | None = 5.0
