"""Threads that run background tasks in a web process without a broker."""

import queue
import threading

import pytest
from django.db import connection, connections

from daraja_simulator.tests.waiting import PATIENCE, wait_until
from omachemainproj import background, task_registry, task_threads
from omachemainproj.logs import request_id
from omachemainproj.task_threads import TaskThreads


class Gateway:
    """A service that answers nobody until it is told to."""

    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()
        self.done = []

    def task(self, row_id):
        self.asked.release()
        assert self.answers.wait(PATIENCE)
        self.done.append(row_id)


@pytest.fixture
def gateway(monkeypatch, threads):
    # After the threads, and so answering before they are waited for.
    gateway = Gateway()
    register(monkeypatch, "t.ring", gateway.task, "M-Pesa")
    yield gateway
    gateway.answers.set()


@pytest.fixture
def threads():
    threads = TaskThreads(2)
    yield threads
    threads.stop(PATIENCE)


def register(monkeypatch, name, function, service):
    monkeypatch.setitem(task_registry._tasks, name, function)
    monkeypatch.setitem(task_registry._services, name, service)


def test_a_request_does_not_wait_for_the_gateway(gateway, threads, monkeypatch):
    monkeypatch.setattr(background, "_threads", threads)
    monkeypatch.setattr(background, "name_of", lambda task: "t.ring")

    background.enqueue(None, 1)
    assert gateway.asked.acquire(timeout=PATIENCE)
    before = list(gateway.done)
    gateway.answers.set()
    threads.stop(PATIENCE)

    assert (before, gateway.done) == ([], [1])


def test_a_gateway_that_hangs_holds_up_no_task_of_the_database(gateway, threads, monkeypatch):
    processed = threading.Event()
    register(monkeypatch, "t.process", lambda row_id: processed.set(), "the database")

    for row_id in range(1, 6):
        threads.put("t.ring", row_id)
    threads.put("t.process", 9)

    assert processed.wait(PATIENCE)
    assert gateway.done == []


def test_two_threads_ask_the_gateway_and_no_more(gateway, threads):
    for row_id in (1, 2, 3):
        threads.put("t.ring", row_id)

    assert [gateway.asked.acquire(timeout=PATIENCE) for _ in range(2)] == [True, True]
    assert not gateway.asked.acquire(timeout=0.05)


def test_a_task_that_breaks_is_logged_and_the_next_one_runs(threads, monkeypatch, caplog):
    ran = threading.Event()

    def fail(row_id):
        raise ValueError("out of order")

    register(monkeypatch, "t.fail", fail, "M-Pesa")
    register(monkeypatch, "t.next", lambda row_id: ran.set(), "M-Pesa")
    for _ in range(2):
        threads.put("t.fail", 7)
    threads.put("t.next", 1)

    assert ran.wait(PATIENCE)
    assert "t.fail(7) was put off; the clock will find it" in caplog.messages


def test_a_task_logs_under_the_request_that_asked_for_it(threads, monkeypatch):
    seen = queue.Queue()
    register(monkeypatch, "t.log", lambda row_id: seen.put(request_id.get()), "M-Pesa")
    for asked_by in ("r-1", "r-2"):
        token = request_id.set(asked_by)
        threads.put("t.log", 1)
        request_id.reset(token)

    assert sorted(seen.get(timeout=PATIENCE) for _ in range(2)) == ["r-1", "r-2"]


def test_excess_tasks_are_left_to_the_clock(gateway, monkeypatch, caplog):
    monkeypatch.setattr(task_threads, "MOST_WAITING", 2)
    threads = TaskThreads(1)
    threads.put("t.ring", 1)
    assert gateway.asked.acquire(timeout=PATIENCE)
    for row_id in (2, 3, 4):
        threads.put("t.ring", row_id)
    gateway.answers.set()
    for _ in range(2):
        assert gateway.asked.acquire(timeout=PATIENCE)
    threads.stop(PATIENCE)

    assert gateway.done == [1, 2, 3]
    assert caplog.messages == ["t.ring(4) is left to the clock: 2 tasks wait for M-Pesa"]


def test_a_process_that_ends_begins_nothing_more(gateway):
    threads = TaskThreads(1)
    threads.put("t.ring", 1)
    assert gateway.asked.acquire(timeout=PATIENCE)
    threads.put("t.ring", 2)

    stopping = threading.Thread(target=threads.stop, args=(PATIENCE,))
    stopping.start()
    wait_until(lambda: not threads._queues)
    gateway.answers.set()
    stopping.join()

    assert gateway.done == [1]


@pytest.mark.django_db(transaction=True)
def test_a_thread_keeps_no_connection_while_there_is_nothing_to_do(threads, monkeypatch):
    used = []

    def ask(row_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        used.append((connections["default"], connection.connection is not None))

    register(monkeypatch, "t.ask", ask, "M-Pesa")
    threads.put("t.ask", 1)
    threads.put("t.ask", 1)
    wait_until(lambda: len(used) == 2)
    threads.stop(PATIENCE)

    assert [(was_open, each.connection) for each, was_open in used] == [(True, None)] * 2


def test_a_web_process_has_threads_where_the_setting_says_so(settings, monkeypatch):
    monkeypatch.setattr(background, "_threads", None)
    background.run_tasks_in_threads()
    without = background._threads
    settings.TASK_THREADS = 1
    background.run_tasks_in_threads()

    assert (without, type(background._threads)) == (None, TaskThreads)
