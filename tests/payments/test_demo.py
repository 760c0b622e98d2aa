"""The demo: its story and a day of trade, over HTTP against a shop and the pretend M-Pesa."""

import os
import subprocess
import sys
import threading
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from orders.models import Order, OrderTrack, Parcel
from payments import clock
from payments.demo.api_client import Phones
from payments.demo.scenarios import HANDLING, PAYING
from payments.demo.trading_day import TradingDay
from payments.models import Payout, Receipt, Refund
from products.demo.seed import BUYERS, Added
from products.models import Review
from tests.conftest import signed_in
from tests.shopping import PHONE, an_order

from .conftest import settled
from .test_commands import broke, said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator_habits():
    """People hold the phones."""
    return {"default": "person", "similar_counts": "paid"}


@pytest.fixture
def shop(simulator, initiator_certificate, settings):
    """A shop with M-Pesa settings, as ``make run`` starts it, and a stopped clock."""
    settings.DARAJA_QUERIES_A_MINUTE = 600
    settings.COMMISSION_PERCENT = 5
    call_command("register_c2b_urls", "--statement-number", "254700000000")
    return simulator


@pytest.fixture
def open_shop(shop):
    """The same, with a clock that runs."""
    stopped = threading.Event()

    def run():
        while not stopped.wait(0.2):
            clock.run_periodic()
        connection.close()

    running = threading.Thread(target=run)
    running.start()
    yield shop
    stopped.set()
    running.join()


@pytest.mark.long
def test_a_day_of_trade_ends_with_books_that_agree(open_shop):
    told = said("demo_day", "--orders", "9", "--seed", "3").splitlines()

    assert "2 sellers and 5 buyers have joined." in told
    assert told[-2].startswith("Nothing is broken: ")
    assert told[-1].startswith("The simulator's books agree: ")
    actions = {action.__name__.replace("_", " ") for action in PAYING}
    assert actions <= {line.split("  ")[-1] for line in told}
    table = {line[13:]: int(line[:11].replace(",", "")) for line in told if line[:2] == "  "}
    assert table["in from buyers"] == open_shop.books()["received"] > 0
    assert table["out to sellers"] + table["back to buyers"] == open_shop.books()["paid_out"]
    assert table["commission"] > 0
    gone = ("out to sellers", "back to buyers", "commission")
    there = ("held for goods still to be fetched", "owed to sellers")
    assert (
        table["in from buyers"]
        == sum(table[row] for row in (*gone, *there))
        - table["owed by sellers, for goods that came back"]
    )
    assert Counter(Order.objects.values_list("payment_status", flat=True)) == {
        "paid": 3, "refunded": 4, "expired": 1, "cancelled": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_a_day_at_a_shop_of_its_own_leaves_this_one_alone():
    told = {**os.environ, "DJANGO_SETTINGS_MODULE": "omachemainproj.settings"}
    command = [sys.executable, "manage.py", "demo_day", "--own", "--orders", "1"]

    day = subprocess.run(command, env=told, capture_output=True, text=True, check=False)

    # What is logged is what staff did, as everywhere.
    logged = [line for line in day.stderr.splitlines() if " INFO omache.security " not in line]
    assert (day.returncode, logged) == (0, [])
    assert "Nothing is broken: " in day.stdout
    assert day.stdout.splitlines()[-1].startswith("The simulator's books agree: ")
    assert not Order.objects.exists()


@pytest.mark.long
def test_a_day_whose_books_disagree_fails(open_shop, monkeypatch):
    _pay_unheard_in_the_evening(open_shop, monkeypatch)

    told = broke("demo_day", "--orders", "1")

    assert "M-Pesa received KES 40 as " in told
    assert "Nothing is broken" not in told


@pytest.mark.long
def test_only_what_the_day_changed_is_compared_where_the_simulator_forgot_the_rest(
    open_shop, buyer, kettle, monkeypatch
):
    open_shop.script(outcome="success")
    order = an_order(buyer, (kettle, 1))
    settled(open_shop, events=1)
    order.refresh_from_db()
    assert order.payment_status == "paid"
    open_shop.reset()
    call_command("register_c2b_urls", "--statement-number", "254700000000")

    told = said("demo_day", "--orders", "1").splitlines()
    assert told[0].startswith("The books already differed by 1 receipts")
    assert told[-1] == "Nothing is broken, and the books agree about the changes of this day."

    _pay_unheard_in_the_evening(open_shop, monkeypatch)
    told = broke("demo_day", "--orders", "1")
    assert "The day moved KES -40 that only one side knows of." in told


def test_a_day_that_does_not_settle_ends_with_a_clear_word(shop, monkeypatch):
    monkeypatch.setattr("payments.management.commands.demo_day.PATIENCE", 1)

    with pytest.raises(CommandError, match=r"these still wait: 1 payouts\. Is the shop's clock"):
        said("demo_day", "--orders", "1")


def test_a_day_at_a_shop_with_other_books_is_refused(open_shop, monkeypatch):
    monkeypatch.setattr("payments.management.commands.demo_day.ids_of", lambda names: [])

    with pytest.raises(CommandError, match=r"uses another database. Set DATABASE_URL"):
        said("demo_day", "--orders", "1")


def test_a_day_is_refused_in_production(settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="cannot run in production"):
        call_command("demo_day")


@pytest.mark.parametrize("wrong", ["--orders=0", "--orders=1001", "--speed=-1"])
def test_a_day_has_its_limits(wrong):
    with pytest.raises(CommandError, match="--orders must be 1 to 1000, --speed 0 or more"):
        call_command("demo_day", wrong)


def test_a_phone_that_rings_a_little_later_is_answered(shop, buyer, kettle):
    ringing = threading.Timer(0.5, lambda: (an_order(buyer, (kettle, 1)), connection.close()))
    ringing.start()

    Phones(shop.url).enter_pin(PHONE)

    ringing.join()
    settled(shop)
    assert Order.objects.get().payment_status == "paid"


def test_the_same_seed_draws_the_same_day():
    def drawn(seed):
        return TradingDay("http://shop", "http://phone", orders=40, seed=seed, mark="k3")._plans

    assert drawn(5) == drawn(5) != drawn(6)
    assert {plan.paying for plan in drawn(5)} == set(PAYING)
    assert {handling for plan in drawn(5) for handling in plan.handling} == set(HANDLING)


@pytest.mark.any_database
def test_the_story_leaves_orders_in_every_state_and_the_books_agree(open_shop, monkeypatch):
    monkeypatch.setattr("products.demo.seed.draw", lambda *about: None)
    monkeypatch.setattr("products.demo.seed.normalise_own", lambda drawn, **how: None)

    told = said("demo")

    orders = Order.objects.filter(buyer__username__in=BUYERS)
    assert Counter(orders.values_list("payment_status", flat=True)) == {
        "paid": 16, "requested": 2, "cancelled": 1, "expired": 1, "refund_due": 1, "refunded": 2,
    }  # fmt: skip
    lines = set(OrderTrack.objects.filter(order__in=orders).values_list("track_status", flat=True))
    assert lines >= {"created", "paid", "fetched", "shipping", "delivered", "cancelled", "refunded"}
    assert Review.objects.exclude(answer="").count() == 2
    assert Receipt.objects.unmatched().get().amount == 750
    assert Receipt.objects.awaiting_the_rest().get().amount == 2000
    assert Payout.objects.to_approve().count() == 1
    assert set(Payout.objects.values_list("status", flat=True)) >= {"done", "sent", "due"}
    assert Refund.objects.filter(status="done", cause="returned", order__payment_status="paid")
    fees = Parcel.objects.filter(order__in=orders).values_list("fee_state", "fee")
    assert sorted(fees) == [
        ("earned", 100), ("earned", 100),
        ("held", 100), ("held", 100), ("held", 100), ("held", 250), ("held", 300),
        ("returned", 200),
    ]  # fmt: skip
    assert parcels_of("delivery") == {
        ("to_fetch", False): 1, ("to_fetch", True): 1, ("fetched", True): 1, ("shipping", True): 1,
        ("arrived", True): 1, ("delivered", True): 2,
    }  # fmt: skip
    assert parcels_of("faith") == {("arrived", False): 1, ("delivered", False): 2}
    assert "Wanjiku has a prompt for KES 2800" in told
    assert said("prove", "--against-simulator").startswith("Nothing is broken")

    assert (said("demo"), orders.count()) == ("", 23)
    # The payout that M-Pesa thinks about for an hour is not waited for.
    open_shop.reset()


def parcels_of(username):
    """How many parcels somebody finds, by how far they are and whether they took them on."""
    rows = signed_in(User.objects.get(username=username)).get("/deliveries/").json()
    return Counter((row["status"], row["mine"]) for row in rows)


def test_without_an_open_shop_there_is_no_story(monkeypatch):
    monkeypatch.setattr("payments.management.commands.demo.add_demo_shop", lambda: Added(0, 0))

    assert "Use make run to play the story" in said("demo")
    assert not Order.objects.exists()


def _pay_unheard_in_the_evening(simulator, monkeypatch):
    """Let KES 40 arrive after the last order, which M-Pesa does not report."""
    play = TradingDay.play

    def play_and_pay(day, *told, **how):
        play(day, *told, **how)
        simulator.forget_urls()
        simulator.pay_by_hand("254733000111", 40, "SOFA22")

    monkeypatch.setattr(TradingDay, "play", play_and_pay)
