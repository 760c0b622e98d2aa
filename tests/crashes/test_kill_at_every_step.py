"""``kill -9`` at every step of everything that moves goods or money, then the clock.

Whatever step it dies at, a thing has happened whole or not at all, the books agree with M-Pesa's to
the shilling, and what was answered is so.
"""

import hashlib
import json

import pytest

from payments.models import GatewayEvent, Receipt
from payments.proof.prove import prove
from tests.shopping import shelf

from . import scenes
from .recovery import assert_all_is_well, settle
from .scenes import AMOUNT, NUMBER, PRICE, STOCK
from .steps import worth_dying_at

pytestmark = pytest.mark.django_db(transaction=True)

PAID = ("paid", (STOCK - NUMBER, 0))
CLOSED = ("expired", (STOCK, 0))


def kill_everywhere(scene, shop, simulator, record_property):
    """Run a scene once whole, and once for every step, killed there; then settle them all.

    Returns what became of each: the edge it died at, the scene and what it had answered.
    """
    whole = scene(shop, simulator)
    ran = whole.run()
    assert (ran["error"], ran["killed"]) == (None, False)
    assert simulator.wait_until_quiet(10)
    edges = worth_dying_at(ran["edges"])
    deaths = [("never", whole, ran["answer"])]
    for number, edge in edges.items():
        victim = scene(shop, simulator)
        died = victim.run(kill_at=number)
        assert died["killed"], f"{edge} was not reached: {died['error']}"
        assert died["edges"][-1] == edge
        deaths.append((edge, victim, died["answer"]))
    broken = [str(found) for found in prove().broken]
    assert broken == [], {edge: _rows(victim) for edge, victim, _ in deaths}
    record_property("steps", list(edges.values()))
    return deaths


def _rows(scene):
    order = scene.order
    return f"product {scene.goods.pk}, order {order and order.pk}"


def how_it_stands(scene):
    order = scene.order
    return order and (order.payment_status, shelf(scene.goods))


def test_cash_out(shop, simulator, record_property):
    deaths = kill_everywhere(scenes.cash_out, shop, simulator, record_property)
    for edge, scene, answer in deaths:
        if answer:
            assert (answer[0], scene.order is not None) == (201, True), edge
        again = scene.run()
        assert again["answer"][0] == 201, f"{edge}: the same request, sent again, is refused"
        token = json.loads(again["answer"][1])["order_token"]
        assert [str(order.order_token) for order in scene.buyer.orders.all()] == [token], edge

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        came = scene.went(simulator, "in")
        assert (how_it_stands(scene), came) in [(PAID, [AMOUNT]), (CLOSED, [])], edge
    assert_all_is_well(simulator)


def test_a_callback(shop, simulator, record_property):
    deaths = kill_everywhere(scenes.callback, shop, simulator, record_property)
    assert_answered_is_kept(deaths)

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert (how_it_stands(scene), scene.went(simulator, "in")) == (PAID, [AMOUNT]), edge
        assert Receipt.objects.filter(order=scene.order).count() == 1, edge
    assert_all_is_well(simulator)


@pytest.mark.slow
def test_a_callback_for_goods_that_are_gone(shop, simulator, record_property):
    deaths = kill_everywhere(scenes.late_callback, shop, simulator, record_property)
    assert_answered_is_kept(deaths)

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert how_it_stands(scene) == ("refunded", (0, 0)), edge
        assert scene.went(simulator, "out") == [AMOUNT], edge
    assert_all_is_well(simulator)


@pytest.mark.slow
def test_expiry(shop, simulator, record_property):
    deaths = kill_everywhere(scenes.expiry, shop, simulator, record_property)
    for edge, scene, _ in deaths:
        assert how_it_stands(scene) in [("requested", (STOCK, NUMBER)), CLOSED], edge

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert (how_it_stands(scene), scene.went(simulator, "in")) == (CLOSED, []), edge
    assert_all_is_well(simulator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "about",
    [scenes.owe, scenes.send_reversal, scenes.result_of_reversal],
    ids=["owe", "send", "result"],
)
def test_a_refund_by_reversal(about, shop, simulator, record_property):
    deaths = kill_everywhere(about, shop, simulator, record_property)
    assert_answered_is_kept(deaths)

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert how_it_stands(scene) == ("refunded", (STOCK, 0)), edge
        assert scene.went(simulator, "out") == [PRICE], edge
    assert_all_is_well(simulator)


@pytest.mark.slow
@pytest.mark.parametrize("about", [scenes.send_b2c, scenes.result_of_b2c], ids=["send", "result"])
def test_a_refund_by_payment_to_the_phone(about, shop, simulator, record_property):
    deaths = kill_everywhere(about, shop, simulator, record_property)
    assert_answered_is_kept(deaths)

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert (how_it_stands(scene), scene.went(simulator, "out")) == (PAID, [50]), edge
    assert_all_is_well(simulator)


def assert_answered_is_kept(deaths):
    """What M-Pesa was told is accepted is in the database, whole."""
    for edge, scene, answer in deaths:
        posted = scene.run.args[2:]
        if answer and posted:
            digest = hashlib.sha256(posted[0]).hexdigest()
            assert answer[0] == 200, edge
            assert GatewayEvent.objects.filter(sha256=digest).count() == 1, edge
