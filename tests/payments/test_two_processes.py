"""Two processes that share only the database, and M-Pesa's one token."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack

import pytest
from django.conf import settings as shop_settings
from django.db import connection

from payments.checkout.stk_push import send_stk_push
from payments.models import OrderPayment
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PROMPTS = 50


@pytest.fixture
def simulator_habits():
    """Prompts wait: what counts here is whether they were taken."""
    return {"default": "person", "magic": False, "newest_token_only": True}


@pytest.fixture
def orders(seller, monkeypatch):
    """Fifty buyers who have cashed out and have not been prompted."""
    monkeypatch.setattr("payments.checkout.stk_push.enqueue_after_commit", lambda *_: None)
    kettle = ProductFactory(seller=seller, item_number=PROMPTS, price=100)
    return [
        an_order(UserFactory(), (kettle, 1), phone=f"2547120000{number:02}").pk
        for number in range(PROMPTS)
    ]


def send_from_two_processes(orders):
    """Send all prompts at the same moment, half of them from each process."""
    told = ("DARAJA_BASE_URL", "DARAJA_CALLBACK_BASE_URL")
    job = {
        "database": connection.settings_dict["NAME"],
        "settings": {name: getattr(shop_settings, name) for name in told},
    }
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.payments.push_process"],
                    env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        for part, process in enumerate(processes):
            process.stdin.write(json.dumps(job | {"orders": orders[part::2]}) + "\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in processes]


def stands():
    return Counter(OrderPayment.objects.values_list("status", "result_code"))


def tokens_issued(simulator):
    return len(simulator.world.events.list(kind="token_issued"))


def test_fifty_prompts_from_two_processes_are_taken_with_one_token(orders, simulator):
    simulator.script(operation="oauth", answer_delay=0.3, times=None)

    raised = send_from_two_processes(orders)

    assert raised == [[], []]
    assert stands() == {("submitted", ""): PROMPTS}
    assert tokens_issued(simulator) == 1


def test_fifty_prompts_with_a_token_that_was_ended_are_all_taken_with_the_next(orders, simulator):
    """Somebody else fetched one with our key: ours is kept, and no longer good."""
    send_stk_push(orders[0])
    simulator.revoke_tokens()

    raised = send_from_two_processes(orders[1:])

    assert raised == [[], []]
    assert stands() == {("submitted", ""): PROMPTS}
    assert tokens_issued(simulator) == 2
