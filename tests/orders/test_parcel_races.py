"""Agents at the same moment, with real threads on PostgreSQL."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.claims import release_unfetched_parcels
from orders.models import Parcel, TrackEvent
from orders.models.notifications import Notice
from payments.models import SellerShare
from tests.factories import ProductFactory, UserFactory, give_role
from tests.threads import at_once

from .deliveries import pay
from .lines import move
from .parcels import (
    a_parcel,
    a_point,
    an_agent,
    bring,
    claim,
    code_of,
    lines,
    order_to,
    release,
    statuses,
    steps_of,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

TURNS = pytest.mark.parametrize("turn", range(3))


def codes(answers):
    return Counter(answer.json().get("code", answer.status_code) for answer in answers)


@TURNS
def test_of_five_agents_at_once_one_gets_the_parcel(buyer, kettle, turn):
    parcel = a_parcel(buyer, kettle)
    agents = [an_agent() for _ in range(5)]

    answers = at_once(*[lambda agent=agent: claim(agent, parcel) for agent in agents])

    assert codes(answers) == {200: 1, "parcel_claimed": 4}
    winner = agents[[answer.status_code for answer in answers].index(200)]
    assert (Parcel.objects.get().agent, steps_of(parcel)) == (winner, ["claimed"])


@TURNS
def test_one_agent_who_takes_five_at_once_holds_no_more_than_two(buyer, seller, settings, turn):
    settings.PARCELS_HELD_UNFETCHED = 2
    agent = an_agent()
    parcels = [a_parcel(buyer, ProductFactory(seller=seller)) for _ in range(5)]

    answers = at_once(*[lambda parcel=parcel: claim(agent, parcel) for parcel in parcels])

    assert codes(answers) == {200: 2, "too_many_claims": 3}
    assert Parcel.objects.claimed_by(agent).count() == 2


@TURNS
def test_of_two_who_fetch_what_is_free_one_has_it(buyer, kettle, turn):
    parcel = a_parcel(buyer, kettle)
    one, other = an_agent(), an_agent()
    (line,) = lines(parcel)

    answers = at_once(
        lambda: bring(one, parcel, "fetched"),
        lambda: claim(other, parcel),
        lambda: move(other, line, "fetched"),
    )

    has_it = Parcel.objects.get().agent
    assert steps_of(parcel) == ["claimed"]
    assert {answer.status_code for answer in answers} <= {200, 409}
    if statuses(parcel) == ["fetched"]:
        assert TrackEvent.objects.get(track_status="fetched").actor == has_it
        assert SellerShare.objects.count() == 1
    else:
        assert has_it == other


@TURNS
def test_a_parcel_is_not_given_up_while_it_is_fetched(buyer, kettle, turn):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    claim(agent, parcel)

    answers = at_once(lambda: bring(agent, parcel, "fetched"), lambda: release(agent, parcel))

    assert answers[0].status_code == 200
    assert answers[1].status_code in {200, 409}
    assert Parcel.objects.get().agent == agent
    assert statuses(parcel) == ["fetched"]


@TURNS
def test_the_clock_and_an_agent_who_fetches_at_the_last_moment(buyer, kettle, turn):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    claim(agent, parcel)
    later = timezone.now() + timedelta(hours=25)

    at_once(lambda: bring(agent, parcel, "fetched"), lambda: release_unfetched_parcels(later))

    assert (Parcel.objects.get().agent, statuses(parcel)) == (agent, ["fetched"])
    assert steps_of(parcel) in (["claimed"], ["claimed", "freed", "claimed"])


@TURNS
def test_a_parcel_that_is_cancelled_while_it_is_fetched_is_one_of_both(buyer, seller, turn):
    parcel = a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "abc"])
    agent, cancelled = an_agent(), lines(parcel)[1]

    answers = at_once(
        lambda: bring(agent, parcel, "fetched"), lambda: move(buyer, cancelled, "cancelled")
    )

    assert answers[0].status_code == 200
    expected = {
        200: ["fetched", "cancelled", "fetched"],
        409: ["fetched", "fetched", "fetched"],
    }
    assert statuses(parcel) == expected[answers[1].status_code]


@TURNS
def test_two_of_a_point_who_take_in_at_once_tell_the_buyer_once(buyer, kettle, turn):
    one, other = UserFactory(), UserFactory()
    parcel = a_parcel(buyer, kettle, point=a_point(one, other))
    bring(an_agent(), parcel, "fetched")

    answers = at_once(
        lambda: bring(one, parcel, "arrived"), lambda: bring(other, parcel, "arrived")
    )

    assert codes(answers) == {200: 2}
    assert steps_of(parcel) == ["claimed", "arrived"]
    assert Notice.objects.filter(kind="arrived").count() == 1


def test_guesses_at_once_by_every_door_are_five(buyer, seller):
    agent = an_agent()
    parcel = a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "abc"])
    bring(agent, parcel, "fetched")
    right = {line.collection_code for line in lines(parcel)}
    wrong = [f"{number:06}" for number in range(20) if f"{number:06}" not in right][:12]

    answers = at_once(
        *[lambda code=code: bring(agent, parcel, "delivered", code=code) for code in wrong[:6]],
        *[
            lambda code=code, line=line: move(agent, line, "delivered", code=code)
            for code, line in zip(wrong[6:], lines(parcel) * 2, strict=False)
        ],
    )

    said = Counter(answer.json()["code"][0] for answer in answers)
    assert sum(times for told, times in said.items() if "not the buyer's code" in told) == 5
    assert Parcel.objects.get().code_misses == 5


@TURNS
def test_moves_of_two_parcels_of_one_order_do_not_wait_for_each_other_for_ever(buyer, turn):

    order = pay(order_to(buyer, (ProductFactory(), 1), (ProductFactory(), 1)))
    one, other = an_agent(), an_agent()
    first, second = order.parcels.order_by("pk")

    answers = at_once(
        lambda: bring(one, first, "fetched"),
        lambda: bring(other, second, "fetched"),
        lambda: release(give_role(UserFactory(), "support"), first, note="Why not"),
    )

    assert answers[0].status_code == answers[1].status_code == 200
    assert code_of(first) != code_of(second)
