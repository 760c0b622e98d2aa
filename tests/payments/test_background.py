"""Background tasks: in this process, or by a worker; never relied on."""

import pytest
from django.db import transaction

from omachemainproj import background, task_registry
from omachemainproj.breaker import Breaker
from omachemainproj.celery import app, run_in_worker
from payments import tasks
from payments.checkout.stk_push import send_stk_push

NAME = "payments.checkout.stk_push.send_stk_push"


@pytest.fixture
def broker(settings, monkeypatch):
    """A broker that writes down what it is given."""
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    given = []
    monkeypatch.setattr(run_in_worker, "delay", lambda *args: given.append(args))
    return given


def test_with_a_broker_a_worker_is_asked_by_name(broker, order, daraja):
    background.enqueue(send_stk_push, order.pk)

    assert broker == [(NAME, order.pk)]
    assert daraja.pushes == []


def test_a_worker_does_the_very_same(order, daraja):
    run_in_worker(NAME, order.pk)

    assert len(daraja.pushes) == 1
    assert order.payments.get().status == "submitted"


def test_without_a_broker_it_is_done_here(order, daraja):
    background.enqueue(send_stk_push, order.pk)

    assert len(daraja.pushes) == 1


def test_without_its_broker_a_shop_prompts_phones_itself(settings, order, daraja, monkeypatch):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"

    def down(*args):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(run_in_worker, "delay", down)
    monkeypatch.setattr(background, "task_broker", Breaker("The broker"))

    background.enqueue(send_stk_push, order.pk)

    assert (len(daraja.pushes), order.payments.get().status) == (1, "submitted")


def test_a_worker_knows_every_task_and_nothing_else():
    assert set(task_registry._tasks) == {
        "orders.notifications.sending.send_message",
        "orders.notifications.sending.deliver_notifications",
        "orders.notifications.reports.follow_report",
        "payments.webhooks.inbox.process_event",
        "payments.reconciliation.status_query.query_status",
        "payments.payouts.allocation.create_payouts",
        "payments.checkout.stk_push.send_stk_push",
        "payments.disbursement.process_payout",
        "payments.disbursement.process_refund",
        "payments.watch.alerts.watch",
    }
    with pytest.raises(KeyError):
        task_registry.run_task("os.system", 1)


def test_the_beat_calls_tasks_that_exist(settings):
    app.loader.import_default_modules()

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks


def test_the_beats_round_is_the_clocks(order, kettle, monkeypatch):
    rounds = []
    monkeypatch.setattr("payments.clock.run_periodic", lambda **_: rounds.append("tick"))
    monkeypatch.setattr("payments.clock.run_daily", lambda: rounds.append("housekeep"))

    tasks.tick()
    tasks.housekeep()

    assert rounds == ["tick", "housekeep"]


@pytest.mark.django_db(transaction=True)
def test_no_task_runs_after_a_rollback(order, monkeypatch):
    done = []
    monkeypatch.setattr(background, "run_task", lambda name, row_id: done.append(row_id))

    with transaction.atomic():
        background.enqueue_after_commit(send_stk_push, order.pk)
        transaction.set_rollback(True)
    with transaction.atomic():
        background.enqueue_after_commit(send_stk_push, 7)
        inside = list(done)

    assert (inside, done) == ([], [7])
