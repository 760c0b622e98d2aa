"""Metrics across processes: nothing is lost, counted twice, or left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj.metric_files import AllocatedFile, files_to_read, is_whole, sweep
from payments.demo.processes import free_port

ROOT = Path(__file__).resolve().parents[2]

#: Counts and forks as often as requested, and runs until its input ends.
_PROCESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from omachemainproj.metrics import TASKS, TASKS_WAITING
TASKS.labels("begun").inc({before})
children = []
for _ in range({forks}):
    if not (child := os.fork()):
        TASKS.labels("begun").inc({count})
        TASKS_WAITING.labels("M-Pesa").set({waiting})
        os.write(1, b"counted" + bytes([10]))
        sys.stdin.read()
        os._exit(0)
    children.append(child)
TASKS_WAITING.labels("M-Pesa").set({waiting})
os.write(1, b"counted" + bytes([10]))
sys.stdin.read()
"""

_TOTALS = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from omachemainproj.metrics import counted
shared = counted()
print(shared.get_sample_value("omache_tasks_total", {"outcome": "begun"}))
print(shared.get_sample_value("omache_tasks_waiting", {"service": "M-Pesa"}))
"""


def start(folder, code):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"METRICS_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder, *, before=0, forks=0, count=0, waiting=0):
    code = _PROCESS.format(before=before, forks=forks, count=count, waiting=waiting)
    process = start(folder, code)
    for _ in range(forks + 1):
        assert process.stdout.readline() == "counted\n"
    yield process
    process.communicate(timeout=PATIENCE)


def totals(folder):
    """What /metrics/ would say: tasks that began, and tasks that wait."""
    said = start(folder, _TOTALS).communicate(timeout=PATIENCE)[0].split()
    return [None if each == "None" else float(each) for each in said]


def test_what_all_processes_counted_is_told_together(tmp_path):
    with running(tmp_path, before=1, forks=2, count=10, waiting=4):
        assert totals(tmp_path) == [21, 12]


def test_what_a_process_counted_is_told_when_it_is_gone_and_what_waited_there_is_not(tmp_path):
    with running(tmp_path, before=5, waiting=3):
        pass

    assert totals(tmp_path) == [5, None]


def test_a_process_goes_on_in_the_files_of_one_that_was_killed(tmp_path):
    for _ in range(3):
        with running(tmp_path, before=5, waiting=3) as process:
            process.send_signal(signal.SIGKILL)

    assert totals(tmp_path)[0] == 15
    assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_two_that_start_at_once_never_count_in_one_file(tmp_path):
    with (
        running(tmp_path, before=1),
        running(tmp_path, before=1),
        running(tmp_path, before=1),
    ):
        assert totals(tmp_path)[0] == 3
        assert len(list(tmp_path.glob("counter_*.db"))) >= 3


def test_a_file_that_broke_off_stops_neither_who_reads_nor_who_counts_next(tmp_path):
    with running(tmp_path, before=5):
        pass
    file = next(tmp_path.glob("counter_*.db"))
    file.write_bytes(b"\xff\xff\xff\x7f" + b"\xff" * 60)

    assert files_to_read(tmp_path).count(str(file)) == 0
    with running(tmp_path, before=2):
        assert totals(tmp_path)[0] == 2


def test_the_start_of_the_web_takes_away_what_nobody_counts_in_and_nothing_else(tmp_path):
    with running(tmp_path, before=5), running(tmp_path, before=7) as clock:
        kept = clock.pid
    assert kept
    with running(tmp_path, before=1):
        sweep(tmp_path)
        # It took the first place, and went on with what was counted there.
        assert totals(tmp_path)[0] in {6, 8}
    sweep(tmp_path)
    assert list(tmp_path.glob("*.db")) == []


@pytest.mark.long
def test_gunicorn_tells_the_counts_of_all_its_workers_also_of_those_it_replaced(tmp_path):
    import urllib.request

    port = free_port()
    environment = os.environ | {
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "OMACHE_ENV_FILE": os.devnull,
        "TMPDIR": str(tmp_path),
    }
    environment.pop("METRICS_DIR", None)
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "omachemainproj.wsgi", "--max-requests", "5"],
        cwd=ROOT,
        env=environment,
    )

    def ask(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def patiently(path):
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return ask(path)
            except OSError:
                assert time.monotonic() < give_up, "gunicorn does not answer"
                time.sleep(0.2)

    try:
        for _ in range(40):
            patiently("/livez/")
        [folder] = tmp_path.glob("omache-metrics-*")
        text = patiently("/metrics/")
        files = len(list(folder.glob("counter_*.db")))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)

    assert 'omache_requests_total{method="GET",route="/livez/",status="2xx"} 40.0' in text
    # Two workers at once, the one that loads the shop, and those that were about to end.
    assert files <= 6
    assert list(tmp_path.glob("omache-metrics-*")) == []


@pytest.fixture(params=["size=64k", "nr_inodes=1"])
def full_folder(tmp_path, request):
    """A folder in a file system without room for bytes, or without room for another file."""
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root can make a small file system")
    try:
        with suppress(OSError):
            (tmp_path / "filling").write_bytes(b"-" * 1_000_000)
        yield tmp_path
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(tmp_path)], check=True)


def test_a_process_without_room_for_its_counts_goes_on(full_folder):
    with running(full_folder, before=5, forks=1, count=10) as process:
        pass

    assert process.returncode == 0


@pytest.mark.parametrize("path", ["/proc/none/metrics", "/etc/passwd"])
def test_a_process_with_a_folder_that_cannot_be_used_goes_on(path):
    with running(path, before=5, forks=1, count=10) as process:
        pass

    sweep(Path(path))
    assert process.returncode == 0


def test_a_process_that_finds_no_room_for_more_names_goes_on(tmp_path, monkeypatch):
    file = AllocatedFile(str(tmp_path / "counter_0.db"))
    file.write_value("first", 1.0, 0.0)
    monkeypatch.setattr("omachemainproj.metric_files._allocate", lambda *_: False)
    names = [f"{number} " * 500 for number in range(200)]

    for value, name in enumerate(names):
        file.write_value(name, float(value), 0.0)

    assert [file.read_value(name)[0] for name in ("first", *names)] == [1.0, *range(200)]
    file.close()
    assert is_whole(tmp_path / "counter_0.db")


def test_a_file_of_counts_has_room_on_the_disk_for_all_of_it(tmp_path):
    file = AllocatedFile(str(tmp_path / "counter_0.db"))
    for number in range(200):
        file.write_value(f"{number} " * 500, 1.0, 0.0)
    file.close()

    said = (tmp_path / "counter_0.db").stat()

    assert said.st_blocks * 512 >= said.st_size > AllocatedFile.SIZE
