"""The recovery drill finds every movement of the lost hours."""

import os
import shutil
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(shutil.which("pg_dump") is None, reason="needs PostgreSQL's programs"),
]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_drill_recovers_everything(seed):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    command = [sys.executable, "-m", "tools.drill", "--orders", "20", "--seed", str(seed)]

    ran = subprocess.run(
        [*command, "--server", os.environ["DATABASE_URL"]],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "The simulator's books agree" in ran.stdout
    assert "Unexplained withdrawals" in ran.stdout
