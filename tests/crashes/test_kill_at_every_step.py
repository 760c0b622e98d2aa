"""``kill -9`` at every step of everything that moves goods or money, then the clock.

Whatever step it dies at, a thing has happened whole or not at all, the books agree with M-Pesa's to
the shilling, and what was answered is so.
"""

import hashlib
import json
from contextlib import contextmanager

import pytest
from django.utils import timezone

from orders.models.notifications import Notice
from payments.models import GatewayEvent, Payout, Receipt
from payments.proof.prove import prove
from tests.shopping import stock_of

from . import scenes
from .process_steps import worth_dying_at
from .recovery import assert_all_is_well, settle
from .scenes import AMOUNT, NUMBER, PRICE, STOCK

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PAID = ("paid", (STOCK - NUMBER, 0))
CLOSED = ("expired", (STOCK, 0))

#: At a third of them in the gate.
every_step = pytest.mark.parametrize(
    "at_most",
    [10, pytest.param(None, marks=pytest.mark.slow)],
    ids=["some steps", "every step"],
)


def kill_everywhere(scene, shop, simulator, record_property, *, at_most=None):
    """Run a scene once whole, and once for every step, killed there; then settle them all.

    With ``at_most`` it is killed at so many steps alone, spread evenly, the last one among them.
    Returns what became of each: the edge it died at, the scene and what it had answered.
    """
    whole = scene(shop, simulator)
    ran = whole.run()
    assert (ran["error"], ran["killed"]) == (None, False)
    assert simulator.wait_until_quiet()
    edges = worth_dying_at(ran["edges"])
    if at_most is not None:
        edges = dict(list(edges.items())[:: -max(1, len(edges) // at_most)][:at_most])
    deaths = [("never", whole, ran["answer"])]
    with left_alone() as set_aside:
        for number, edge in edges.items():
            victim = scene(shop, simulator)
            died = victim.run(kill_at=number)
            assert died["killed"], f"{edge} was not reached: {died['error']}"
            assert died["edges"][-1] == edge
            deaths.append((edge, victim, died["answer"]))
            set_aside()
    broken = [str(found) for found in prove().broken]
    assert broken == [], {edge: _rows(victim) for edge, victim, _ in deaths}
    record_property("steps", list(edges.values()))
    return deaths


@contextmanager
def left_alone():
    """What one that died has left to be written is not for the next that is to die, but for the
    clock: whoever writes notifications of no order writes all that there are, and would take more
    steps than the one that lived.
    """
    left = []

    def set_aside():
        waiting = Notice.objects.to_compose().filter(order=None)
        left.extend(waiting.values_list("pk", flat=True))
        waiting.update(composed_at=timezone.now())

    yield set_aside
    Notice.objects.filter(pk__in=left).update(composed_at=None)


def _rows(scene):
    order = scene.order
    return f"product {scene.goods.pk}, order {order and order.pk}"


def how_it_stands(scene):
    order = scene.order
    return order and (order.payment_status, stock_of(scene.goods))


@every_step
def test_a_cash_out_survives_a_kill_at_every_step(at_most, shop, simulator, record_property):
    deaths = kill_everywhere(scenes.cash_out, shop, simulator, record_property, at_most=at_most)
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


@every_step
def test_a_callback_survives_a_kill_at_every_step(at_most, shop, simulator, record_property):
    deaths = kill_everywhere(scenes.callback, shop, simulator, record_property, at_most=at_most)
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
def test_expiry_survives_a_kill_at_every_step(shop, simulator, record_property):
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


def play_payout(about, shop, simulator, record_property, **how):
    """The seller has the money once, wherever it died."""
    deaths = kill_everywhere(about, shop, simulator, record_property, **how)
    assert_answered_is_kept(deaths)

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert scene.went_to_seller(simulator) == [AMOUNT], edge
        payouts = Payout.objects.filter(seller=scene.goods.seller)
        assert [payout.status for payout in payouts] == ["done"], edge
    assert_all_is_well(simulator)


def play_move(about, shop, simulator, record_property, **how):
    """Goods are moved whole, or not at all; and whoever asks again finds them moved, once."""
    deaths = kill_everywhere(about, shop, simulator, record_property, **how)
    for edge, scene, answer in deaths:
        before = scene.line.track_status
        if answer:
            assert (answer[0], before) == (200, MOVED[about]), edge
        again = scene.run()
        assert (again["answer"][0], scene.line.track_status) == (200, MOVED[about]), edge
        assert scene.line.events.filter(track_status=MOVED[about]).count() == 1, edge

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert scene.went_to_seller(simulator) == [AMOUNT], edge
        fee = "earned" if about is scenes.hand_over else "held"
        assert scene.line.parcel.fee_state == fee, edge
    assert_all_is_well(simulator)


def play_agreement(about, shop, simulator, record_property, **how):
    """The buyer has all of it back once, and the seller nothing."""
    deaths = kill_everywhere(about, shop, simulator, record_property, **how)
    for edge, scene, _ in deaths:
        # Agreed already: there is nothing left to agree to.
        assert scene.run()["answer"][0] in {200, 409}, edge

    settle(shop, simulator)

    for edge, scene, _ in deaths:
        assert how_it_stands(scene) == ("refunded", (STOCK - NUMBER, 0)), edge
        assert scene.went(simulator, "out") == [AMOUNT], edge
        assert scene.went_to_seller(simulator) == [], edge
    assert_all_is_well(simulator)


MOVED = {scenes.fetch: "fetched", scenes.hand_over: "delivered"}
AFTER_A_SALE = [
    (play_payout, scenes.send_payout),
    (play_payout, scenes.result_of_payout),
    (play_move, scenes.fetch),
    (play_move, scenes.hand_over),
    (play_agreement, scenes.agree_to_refund),
]
#: Steps of a scene at which every gate kills; the rest are slow.
SOME = 4
NAMES = [about.__name__ for _, about in AFTER_A_SALE]


@pytest.mark.parametrize(("play", "about"), AFTER_A_SALE, ids=NAMES)
def test_a_crash_at_some_steps_after_a_sale_is_recovered_from(
    play, about, shop, simulator, record_property
):
    play(about, shop, simulator, record_property, at_most=SOME)


@pytest.mark.slow
@pytest.mark.parametrize(("play", "about"), AFTER_A_SALE, ids=NAMES)
def test_a_crash_at_every_step_after_a_sale_is_recovered_from(
    play, about, shop, simulator, record_property
):
    play(about, shop, simulator, record_property)


def assert_answered_is_kept(deaths):
    """What M-Pesa was told is accepted is in the database, whole."""
    for edge, scene, answer in deaths:
        posted = scene.run.args[2:]
        if answer and posted:
            digest = hashlib.sha256(posted[0]).hexdigest()
            assert answer[0] == 200, edge
            assert GatewayEvent.objects.filter(sha256=digest).count() == 1, edge
