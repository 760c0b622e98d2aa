"""The previous version, from git: the commit of the last release."""

import functools
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: A line of RELEASED, which each release changes (docs/upgrade.md).
RAISED = r'^    "[a-z]+": "[0-9]{4}",$'


@functools.cache
def released_commit() -> str:
    """The commit of the last release; "" without its history."""
    try:
        if _git("rev-parse", "--is-shallow-repository").strip() != b"false":
            return ""
        found = _git("log", "-1", "--format=%H", f"-G{RAISED}", "--", "tools/lint_migrations.py")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.decode().strip()


def lay_out(commit: str, folder: Path) -> Path:
    """Write that commit's program into a folder."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit))) as packed:
        # Python has filters since 3.11.4; the archive is our own.
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        packed.extractall(folder, **safely)  # noqa: S202
    return folder


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
