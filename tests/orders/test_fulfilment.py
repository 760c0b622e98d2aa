"""The statuses of a line: who may move it where, over the whole table."""

import itertools
from contextlib import contextmanager

import pytest
from django.db import transaction

from orders.line_moves import TRANSITIONS
from orders.models import OrderTrack, TrackEvent, TrackStatus
from payments.models import SellerShare
from payments.proof.prove import prove
from payments.proof.rules import RULES
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory

from .deliveries import paid_delivery
from .lines import given_up_line, line_at, move, steps, with_role

pytestmark = pytest.mark.django_db

WHERE = [status.value for status in TrackStatus]
TO = ["fetched", "shipping", "delivered", "cancelled"]
PEOPLE = ["buyer", "seller", "agent", "staff", "superuser"]
STRANGERS = ["other buyer", "other seller", "finance", "catalogue"]

#: Who gets where from where, written down a second time and in another form than the shop's own.
MAY = {
    "buyer": {"paid": {"cancelled"}, "fetched": {"delivered"}, "shipping": {"delivered"}},
    # No delivery was agreed of any line here.
    "seller": {
        "paid": {"cancelled", "delivered"},
        "fetched": {"delivered"},
        "shipping": {"delivered"},
    },
    "agent": {
        "paid": {"fetched"},
        "fetched": {"shipping", "delivered"},
        "shipping": {"delivered"},
    },
    "staff": {
        "paid": {"fetched", "cancelled"},
        "fetched": {"shipping", "delivered", "cancelled"},
        "shipping": {"delivered", "cancelled"},
        "delivered": {"cancelled"},
    },
}
MAY["superuser"] = MAY["staff"]
GROUPS = {"agent": "delivery", "staff": "support", "finance": "finance", "catalogue": "catalogue"}


@pytest.fixture
def people(buyer, seller):
    """One person of each kind, by name."""
    other_seller = UserFactory()
    ProductFactory(seller=other_seller)
    people = {
        "buyer": buyer,
        "seller": seller,
        "other buyer": UserFactory(),
        "other seller": other_seller,
        "superuser": UserFactory(is_superuser=True),
    }
    for name, role in GROUPS.items():
        people[name] = with_role(role)
    return people


@contextmanager
def undone():
    """What is done meanwhile is rolled back: each of many starts from the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("here", WHERE)
def test_the_table_of_moves(people, kettle, buyer, here):
    line = line_at(here, buyer=buyer, product=kettle)
    before = steps(line)
    for who, to in itertools.product(PEOPLE, TO):
        with undone():
            answer = move(people[who], line, to, code=line.collection_code, note="It was so.")

            is_at, been = OrderTrack.objects.get(pk=line.pk).track_status, steps(line)
            seen = who, to, answer.status_code, is_at, been
            if to in MAY[who].get(here, set()):
                between = ["fetched"] if (here, to) == ("paid", "delivered") else []
                assert seen == (who, to, 200, to, [*before, *between, to])
                assert answer.json()["track_status"] == to
                assert line.events.last().actor == people[who]
            elif to == here:
                assert seen == (who, to, 200, here, before)
            else:
                assert seen == (who, to, 409, here, before)
                assert answer.json()["code"] == "move_not_allowed"


@pytest.mark.parametrize("here", WHERE)
def test_for_strangers_there_is_no_such_line(people, kettle, buyer, here):
    line = line_at(here, buyer=buyer, product=kettle)
    before = steps(line)
    nothing = (404, {"detail": "There is no such item.", "code": "line_not_found"})
    for who in STRANGERS:
        answers = [move(people[who], line, to, code=line.collection_code) for to in [*TO, "lost"]]
        told = signed_in(people[who]).get(f"/track/order/{line.pk}/")

        assert [(a.status_code, a.json()) for a in [*answers, told]] == [nothing] * 6, who
    line.refresh_from_db()
    assert (line.track_status, steps(line)) == (here, before)


def test_anonymous_callers_must_sign_in(api, kettle, buyer):
    line = line_at("paid", buyer=buyer, product=kettle)

    answers = [
        api.post(f"/track/{line.pk}/move/", {"to": "cancelled"}),
        api.get(f"/track/order/{line.pk}/"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert steps(line) == ["paid"]


@pytest.mark.parametrize("here", WHERE)
def test_nobody_is_asked_for_what_the_shop_does_itself(people, kettle, buyer, here):
    line = line_at(here, buyer=buyer, product=kettle)

    for to in ("created", "paid", "refunded"):
        answer = move(people["superuser"], line, to, note="Because I can.")

        assert (answer.status_code, list(answer.json())) == (400, ["to"]), to
    line.refresh_from_db()
    assert line.track_status == here


def test_every_way_in_the_table_is_somebodys_here_or_the_shops():
    theirs = {(here, to) for may in MAY.values() for here, tos in may.items() for to in tos}
    in_the_table = {(here, to) for here, ways in TRANSITIONS.items() for to in ways}

    assert in_the_table - theirs == {("cancelled", "refunded")}


@pytest.mark.parametrize("to", TO[:3])
def test_a_line_of_an_order_that_was_given_up_goes_nowhere(people, kettle, buyer, to):
    line = given_up_line(buyer=buyer, product=kettle)

    answer = move(people["superuser"], line, to, note="Hm.")

    assert (answer.status_code, answer.json()["code"]) == (409, "move_not_allowed")


def test_a_seller_hands_over_by_the_code_what_nobody_was_to_bring(seller, kettle, buyer):
    line = line_at("paid", buyer=buyer, product=kettle)
    assert signed_in(seller).get("/seller/orders/").json()[0]["moves"] == ["cancelled", "delivered"]

    answer = move(seller, line, "delivered", code=line.collection_code)

    assert (answer.status_code, steps(line)) == (200, ["paid", "fetched", "delivered"])
    assert {step.actor for step in line.events.exclude(track_status="paid")} == {seller}
    assert SellerShare.objects.get(track=line).amount == line.share


def test_the_night_finds_nothing_wrong_with_what_a_seller_handed_over(seller, kettle, buyer):
    line = line_at("paid", buyer=buyer, product=kettle)
    move(seller, line, "delivered", code=line.collection_code)

    own_lines = [rule for rule in RULES if rule.description.startswith("No staff member or agent")]
    assert len(own_lines) == 1
    assert prove(rules=own_lines).broken == []


@pytest.mark.parametrize("said", [{}, {"code": "000000"}])
def test_a_seller_hands_nothing_over_by_their_word(seller, kettle, buyer, said):
    line = line_at("paid", buyer=buyer, product=kettle)
    OrderTrack.objects.filter(pk=line.pk).update(collection_code="482913")

    answer = move(seller, line, "delivered", **said)
    OrderTrack.objects.filter(pk=line.pk).update(collection_code=line.collection_code)

    assert (answer.status_code, list(answer.json())) == (400, ["code"])
    assert steps(line) == ["paid"]


def test_sellers_cannot_hand_over_goods_that_agents_deliver(seller, kettle, buyer):
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    assert signed_in(seller).get("/seller/orders/").json()[0]["moves"] == ["cancelled"]

    answer = move(seller, line, "delivered", code=line.collection_code)

    assert (answer.status_code, answer.json()["code"]) == (409, "move_not_allowed")
    line.refresh_from_db()
    assert (line.track_status, line.code_misses) == ("paid", 0)


def test_a_refusal_says_where_it_can_go(people, kettle, buyer):
    line = line_at("fetched", buyer=buyer, product=kettle)

    told = [
        move(people["agent"], line, "cancelled").json()["detail"],
        move(people["staff"], line_at("delivered", buyer=buyer, product=kettle), "fetched")
        .json()["detail"],
        move(people["seller"], line_at("delivered", buyer=buyer, product=kettle), "shipping")
        .json()["detail"],
    ]  # fmt: skip

    assert told == [
        "This item is fetched. You do not have permission to mark it as cancelled.",
        "This item is delivered. You can mark it as cancelled.",
        "This item is delivered. There is nothing more you can do with it.",
    ]


@pytest.mark.parametrize("who", ["agent", "staff", "superuser"])
def test_agents_cannot_collect_their_own_goods(people, buyer, who):
    own = ProductFactory(seller=people[who])
    line = line_at("paid", buyer=buyer, product=own)

    answer = move(people[who], line, "fetched")

    assert (answer.status_code, answer.json()["code"]) == (403, "own_interest")
    assert steps(line) == ["paid"]


@pytest.mark.parametrize("who", ["agent", "staff"])
def test_agents_hand_over_goods_they_sold_only_by_the_buyers_code(people, buyer, who):
    own = ProductFactory(seller=people[who])
    line = line_at("shipping", buyer=buyer, product=own)

    without = move(people[who], line, "delivered", note="I am staff, believe me.")
    with_it = move(people[who], line, "delivered", code=line.collection_code)

    assert (without.status_code, list(without.json())) == (400, ["code"])
    assert with_it.status_code == 200


def test_an_agent_who_bought_it_confirms_by_word(people, kettle):
    line = line_at("shipping", buyer=people["agent"], product=kettle)

    assert move(people["agent"], line, "delivered").status_code == 200


@pytest.mark.parametrize("here", ["fetched", "shipping"])
@pytest.mark.parametrize("who", ["seller", "agent"])
def test_handing_over_needs_the_code(people, kettle, buyer, who, here):
    line = line_at(here, buyer=buyer, product=kettle)

    answer = move(people[who], line, "delivered", note="I gave it to them.")

    assert (answer.status_code, answer.json()) == (
        400, {"code": ["Enter the code the buyer received when they paid."]}
    )  # fmt: skip
    assert steps(line)[-1] == here


def test_staff_say_why_or_type_the_code(people, kettle, buyer):
    line = line_at("shipping", buyer=buyer, product=kettle)

    without = move(people["staff"], line, "delivered")
    with_why = move(people["staff"], line, "delivered", note="The buyer wrote to us.")

    assert (without.status_code, without.json()) == (
        400, {"note": ["Give the reason for marking it delivered, or enter the buyer's code."]}
    )  # fmt: skip
    assert (with_why.status_code, line.events.last().note) == (200, "The buyer wrote to us.")


def test_the_history_says_that_the_code_was_typed(people, kettle, buyer):
    line = line_at("shipping", buyer=buyer, product=kettle)

    move(people["agent"], line, "delivered", code=line.collection_code)

    assert line.events.last().note == "Collection code."


@pytest.mark.parametrize("who", ["seller", "staff"])
def test_cancelling_another_buyers_line_needs_a_reason(people, kettle, buyer, who):
    line = line_at("paid", buyer=buyer, product=kettle)

    without = move(people[who], line, "cancelled")
    with_blanks = move(people[who], line, "cancelled", note="   ")

    said = (400, {"note": ["Give the reason for cancelling."]})
    assert [(a.status_code, a.json()) for a in (without, with_blanks)] == [said, said]
    assert steps(line) == ["paid"]


def test_a_buyer_cancels_without_a_word(kettle, buyer):
    line = line_at("paid", buyer=buyer, product=kettle)

    assert move(buyer, line, "cancelled").json()["track_status"] == "cancelled"


@pytest.mark.parametrize("to", TO)
def test_repeating_a_move_changes_nothing(people, kettle, buyer, to):
    line = line_at(to, buyer=buyer, product=kettle)
    before = OrderTrack.objects.values().get(pk=line.pk), TrackEvent.objects.count()

    answer = move(people["staff"], line, to, note="Once more.")

    assert answer.status_code == 200
    assert (OrderTrack.objects.values().get(pk=line.pk), TrackEvent.objects.count()) == before
