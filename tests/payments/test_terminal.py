"""The output of a development server: all of it in a file, problems on the terminal too."""

import subprocess
import sys

from payments.demo.terminal import collecting, errors_in

AT = "2026-11-29T01:18:03.123+00:00"
LINES = [
    "Starting development server at http://127.0.0.1:8000/",
    f"{AT} INFO omachemainproj.startup_checks [-] clock starts: release v7, laptop",
    f"{AT} WARNING payments.transfers [r1] refund 4: M-Pesa refused it",
    f"{AT} INFO payments.clock [-] a round: process_due_payouts 1",
    f"{AT} ERROR django.request [r2] Internal Server Error: /orders/",
    "Traceback (most recent call last):",
    '  File "views.py", line 1, in get',
    "ValueError: out of order",
    f"{AT} INFO payments.clock [-] a round: query_silent_payments 1",
    "Traceback (most recent call last):",
    "SystemExit: 1",
]


def test_warnings_errors_and_tracebacks_are_shown_and_nothing_else():
    assert list(errors_in(LINES)) == [LINES[2], *LINES[4:8], *LINES[9:]]


def test_all_that_servers_print_is_kept_and_errors_are_shown(tmp_path):
    told = []
    say = "import sys; print(*sys.argv[1:], sep='\\n')"
    with collecting(tmp_path / "servers.log", told.append) as log:
        for _ in range(2):
            subprocess.run(
                [sys.executable, "-c", say, *LINES[:3]], stdout=log, stderr=log, check=True
            )

    assert (tmp_path / "servers.log").read_text().split("\n") == [*LINES[:3], *LINES[:3], ""]
    assert told == [LINES[2]] * 2


def test_a_command_that_prints_into_a_pipe_is_read_line_by_line():
    shown = "sys.argv[1:] = ['version']; manage.main(); print(sys.stdout.line_buffering)"
    asked = [sys.executable, "-c", f"import manage, sys; {shown}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)

    assert done.stdout.split()[-1] == "True"
