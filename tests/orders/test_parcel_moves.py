"""Moving whole parcels: all lines or none, codes, pick-up points, and single lines."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Proposal
from orders.fulfilment import auto_confirm_deliveries
from orders.models import Order, Parcel, ParcelEvent, TrackEvent
from payments.models import SellerShare
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role

from .lines import line_at, move, steps
from .parcels import (
    a_parcel,
    a_point,
    an_agent,
    bring,
    claim,
    code_of,
    deliveries,
    lines,
    rows,
    said,
    statuses,
    steps_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(buyer, seller):
    """A parcel of two lines."""
    return a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "ab"])


def test_a_whole_parcel_is_fetched_shipped_and_handed_over(agent, pair):
    went = [bring(agent, pair, "fetched"), bring(agent, pair, "shipping")]
    went.append(bring(agent, pair, "delivered", code=code_of(pair)))

    assert [answer.status_code for answer in went] == [200, 200, 200]
    assert [answer.json()["status"] for answer in went] == ["fetched", "shipping", "delivered"]
    assert statuses(pair) == ["delivered", "delivered"]
    assert SellerShare.objects.count() == 2
    assert steps_of(pair) == ["claimed"]


def test_a_move_that_was_made_changes_nothing(agent, pair):
    bring(agent, pair, "fetched")
    before = TrackEvent.objects.count()

    assert bring(agent, pair, "fetched").status_code == 200
    assert TrackEvent.objects.count() == before


def test_a_parcel_does_not_go_back(agent, pair):
    bring(agent, pair, "fetched")
    bring(agent, pair, "shipping")

    answer = bring(agent, pair, "fetched")

    assert said(answer) == (409, "move_not_allowed")
    assert (
        answer.json()["detail"] == "The parcel is shipping and cannot go back to an earlier status."
    )


def test_lines_that_were_cancelled_are_left_alone(agent, seller, pair):
    first, _ = lines(pair)
    move(seller, first, "cancelled", note="It fell.")

    answer = bring(agent, pair, "fetched")

    assert statuses(pair) == ["cancelled", "fetched"]
    assert [line["name"] for line in answer.json()["lines"]] == [lines(pair)[1].name]


def test_lines_that_are_further_on_are_left_alone(agent, pair):
    move(agent, lines(pair)[0], "fetched")
    move(agent, lines(pair)[0], "shipping")

    bring(agent, pair, "fetched")

    assert statuses(pair) == ["shipping", "fetched"]


def test_all_lines_move_or_none(agent, pair):
    """The second is not fetched yet: the first is not handed over either."""
    move(agent, lines(pair)[0], "fetched")

    answer = bring(agent, pair, "delivered", code=code_of(pair))

    assert said(answer) == (409, "move_not_allowed")
    assert statuses(pair) == ["fetched", "paid"]
    pair.refresh_from_db()
    assert pair.code_misses == 0


def test_all_lines_are_shipped_or_none(agent, pair):
    move(agent, lines(pair)[0], "fetched")

    assert said(bring(agent, pair, "shipping")) == (409, "move_not_allowed")
    assert statuses(pair) == ["fetched", "paid"]


def test_goods_in_doubt_stay_where_they_are(agent, pair):
    Order.objects.filter(pk=pair.order_id).update(in_doubt=True)

    assert said(bring(agent, pair, "fetched")) == (409, "payment_in_doubt")
    assert (statuses(pair), steps_of(pair)) == (["paid", "paid"], [])
    Order.objects.filter(pk=pair.order_id).update(in_doubt=False)


@pytest.mark.parametrize("body", [{}, {"to": "paid"}, {"to": "cancelled"}, {"to": "to_fetch"}])
def test_a_parcel_arrives_at_no_other_point(agent, pair, body):
    answer = signed_in(agent).post(f"/deliveries/{pair.pk}/move/", body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, ["to"])


def test_a_parcel_above_the_approval_limit_waits_for_support(buyer, seller, agent, settings):
    settings.STAFF_MOVES_DAILY_LIMIT = 2_999
    parcel = a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "ab"])
    claim(agent, parcel)

    assert said(bring(agent, parcel, "fetched")) == (409, "second_person_needed")

    assert statuses(parcel) == ["paid", "paid"]
    assert Proposal.objects.get().cost == 3_000


@pytest.mark.parametrize("which", [0, 1])
def test_the_code_of_any_line_hands_the_parcel_over(agent, pair, which):
    bring(agent, pair, "fetched")

    assert bring(agent, pair, "delivered", code=code_of(pair, which)).status_code == 200
    assert statuses(pair) == ["delivered", "delivered"]


def test_an_agent_needs_a_code(agent, pair):
    bring(agent, pair, "fetched")

    answer = bring(agent, pair, "delivered", note="She was not there.")

    assert answer.json() == {"code": ["Enter the code the buyer received when they paid."]}
    assert statuses(pair) == ["fetched", "fetched"]


def test_the_code_of_a_line_that_is_not_handed_over_now_is_none(agent, buyer, pair):
    """Its buyer has confirmed it, and no more keeps its code to themselves."""
    bring(agent, pair, "fetched")
    move(buyer, lines(pair)[0], "delivered")

    answer = bring(agent, pair, "delivered", code=code_of(pair, 0))

    assert answer.json() == {
        "code": ["This is not the buyer's code. Check it and try again. 4 tries are left."]
    }
    assert statuses(pair) == ["delivered", "fetched"]


def wrong(parcel):
    codes = {line.collection_code for line in lines(parcel)}
    return next(code for code in ("000000", "111111", "222222") if code not in codes)


def test_five_wrong_codes_use_up_the_whole_parcel_by_whichever_door(agent, pair):
    bring(agent, pair, "fetched")
    first, second = lines(pair)
    for _ in range(2):
        bring(agent, pair, "delivered", code=wrong(pair))
        move(agent, first, "delivered", code=wrong(pair))
    move(agent, second, "delivered", code=wrong(pair))

    used_up = (
        "Too many wrong codes were entered. The buyer or the shop must confirm delivery instead."
    )
    assert bring(agent, pair, "delivered", code=code_of(pair)).json() == {"code": [used_up]}
    for line in (first, second):
        answer = move(agent, line, "delivered", code=line.collection_code)
        assert answer.json() == {"code": [used_up]}
    assert statuses(pair) == ["fetched", "fetched"]
    pair.refresh_from_db()
    assert pair.code_misses == 5


def test_another_agent_uses_up_no_tries_and_learns_no_code(agent, pair):
    bring(agent, pair, "fetched")
    other, first = an_agent(), lines(pair)[0]

    said = [bring(other, pair, "delivered", code=code) for code in (wrong(pair), code_of(pair))]
    said += [move(other, first, "delivered", code=code) for code in (wrong(pair), code_of(pair))]

    assert [(each.status_code, each.json()["code"]) for each in said] == [
        (409, "parcel_claimed")
    ] * 4
    pair.refresh_from_db()
    assert pair.code_misses == 0


def test_a_point_uses_up_no_tries_before_it_may_hand_over(agent, keeper, to_point):
    bring(agent, to_point, "fetched")
    line = lines(to_point)[0]

    said = [bring(keeper, to_point, "delivered", code=wrong(to_point))]
    said += [move(keeper, line, "delivered", code=line.collection_code)]

    assert [each.json()["code"] for each in said] == ["move_not_allowed"] * 2
    to_point.refresh_from_db()
    assert to_point.code_misses == 0


def test_a_right_code_costs_no_try(agent, pair):
    bring(agent, pair, "fetched")
    bring(agent, pair, "delivered", code=wrong(pair))
    bring(agent, pair, "delivered", code=code_of(pair))

    pair.refresh_from_db()
    assert pair.code_misses == 1


def test_support_hands_over_with_a_reason(agent, pair):
    bring(agent, pair, "fetched")

    answer = bring(give_role(UserFactory(), "support"), pair, "delivered", note="She called.")

    assert answer.status_code == 200
    assert statuses(pair) == ["delivered", "delivered"]


@pytest.fixture
def keeper(db):
    """The user who hands over at Kilimani Pick-up, without a role."""
    return UserFactory()


@pytest.fixture
def point(keeper):
    return a_point(keeper, name="Kilimani Pick-up")


@pytest.fixture
def to_point(buyer, kettle, point):
    return a_parcel(buyer, kettle, point=point)


def test_a_point_takes_in_and_hands_over(agent, keeper, to_point):
    bring(agent, to_point, "fetched")
    took = bring(keeper, to_point, "arrived")
    handed = bring(keeper, to_point, "delivered", code=code_of(to_point))

    assert (took.status_code, took.json()["status"]) == (200, "arrived")
    assert (handed.status_code, handed.json()["status"]) == (200, "delivered")
    to_point.refresh_from_db()
    assert took.json()["arrived_at"] == to_point.arrived_at.isoformat()
    event = ParcelEvent.objects.get(step="arrived")
    assert (event.actor, event.agent) == (keeper, None)
    assert steps(lines(to_point)[0]) == ["paid", "fetched", "shipping", "delivered"]


def test_taking_in_twice_is_written_down_once(agent, keeper, to_point):
    bring(agent, to_point, "fetched")
    first, again = bring(keeper, to_point, "arrived"), bring(keeper, to_point, "arrived")

    assert (again.status_code, again.json()["arrived_at"]) == (200, first.json()["arrived_at"])
    assert steps_of(to_point) == ["claimed", "arrived"]


def test_the_buyers_story_tells_that_it_waits(agent, keeper, buyer, to_point):
    bring(agent, to_point, "fetched")
    bring(agent, to_point, "shipping")
    bring(keeper, to_point, "arrived")
    bring(keeper, to_point, "delivered", code=code_of(to_point))

    story = signed_in(buyer).get(f"/track/order/{lines(to_point)[0].pk}/").json()["history"]

    assert [(step["track_status"], step["note"]) for step in story] == [
        ("created", ""),
        ("paid", ""),
        ("fetched", ""),
        ("shipping", ""),
        ("shipping", "The parcel is waiting at the pick-up point."),
        ("delivered", "Collection code."),
    ]
    assert [step["at"] for step in story] == sorted(step["at"] for step in story)


@pytest.mark.parametrize("to", ["fetched", "shipping", "arrived", "delivered"])
def test_a_point_does_nothing_with_what_was_not_fetched(keeper, to_point, to):
    answer = bring(keeper, to_point, to, code=code_of(to_point))

    assert said(answer) == (404, "parcel_not_found")
    assert said(move(keeper, lines(to_point)[0], "fetched")) == (404, "line_not_found")
    assert statuses(to_point) == ["paid"]


def test_a_point_hands_over_by_the_code_alone(agent, keeper, to_point):
    bring(agent, to_point, "fetched")
    bring(keeper, to_point, "arrived")

    answer = bring(keeper, to_point, "delivered", note="I know her.")

    assert answer.json() == {"code": ["Enter the code the buyer received when they paid."]}


def test_keepers_of_a_point_cannot_cancel_claim_or_release(agent, keeper, to_point):
    bring(agent, to_point, "fetched")
    (line,) = lines(to_point)

    assert said(move(keeper, line, "cancelled", note="Broken")) == (409, "move_not_allowed")
    assert said(claim(keeper, to_point)) == (403, "not_an_agent")
    answer = signed_in(keeper).post(f"/deliveries/{to_point.pk}/release/", {"note": "Why"})
    assert said(answer) == (403, "not_an_agent")


def test_a_point_has_nothing_to_do_with_another_points_parcels(agent, to_point):
    stranger = UserFactory()
    a_point(stranger)
    bring(agent, to_point, "fetched")

    assert deliveries(stranger).json() == []
    assert said(bring(stranger, to_point, "arrived")) == (404, "parcel_not_found")
    assert said(move(stranger, lines(to_point)[0], "shipping")) == (404, "line_not_found")


def test_a_former_keeper_has_no_access_to_the_points_parcels(agent, keeper, point, to_point):
    bring(agent, to_point, "fetched")
    point.agents.clear()

    assert said(deliveries(keeper)) == (403, "not_an_agent")
    assert said(bring(keeper, to_point, "arrived")) == (404, "parcel_not_found")


def test_a_point_closed_for_new_parcels_hands_over_what_it_has(agent, keeper, point, to_point):
    bring(agent, to_point, "fetched")
    bring(keeper, to_point, "arrived")
    point.is_open = False
    point.save(update_fields=["is_open"])

    assert bring(keeper, to_point, "delivered", code=code_of(to_point)).status_code == 200


def test_the_carrier_cannot_report_the_arrival(agent, to_point):
    bring(agent, to_point, "fetched")

    assert said(bring(agent, to_point, "arrived")) == (409, "move_not_allowed")
    to_point.refresh_from_db()
    assert to_point.arrived_at is None


def test_a_home_delivery_arrives_at_no_point(agent, buyer, kettle):
    parcel = a_parcel(buyer, kettle)
    bring(agent, parcel, "fetched")

    answer = bring(give_role(UserFactory(), "support"), parcel, "arrived")

    assert answer.json()["detail"] == "This parcel goes to an address, not to a pick-up point."


def test_an_agent_of_the_point_takes_in_what_another_agent_carries(agent, point, to_point):
    both = an_agent()
    point.agents.add(both)
    bring(agent, to_point, "fetched")

    assert said(bring(both, to_point, "shipping")) == (200, None)
    assert bring(both, to_point, "arrived").status_code == 200
    assert bring(both, to_point, "delivered", code=code_of(to_point)).status_code == 200
    to_point.refresh_from_db()
    assert to_point.agent_id == agent.pk


def test_a_point_does_not_hand_over_to_itself(agent, kettle, keeper, point):
    parcel = a_parcel(keeper, kettle, point=point)
    bring(agent, parcel, "fetched")

    assert deliveries(keeper).json() == []
    assert said(bring(keeper, parcel, "arrived")) == (403, "own_interest")


def test_a_parcel_at_a_point_is_not_delivered_by_time(agent, keeper, buyer, kettle, to_point):
    home = a_parcel(buyer, kettle)
    for parcel in (home, to_point):
        bring(agent, parcel, "fetched")
        bring(agent, parcel, "shipping")
    bring(keeper, to_point, "arrived")

    auto_confirm_deliveries(timezone.now() + timedelta(days=8))

    assert (statuses(home), statuses(to_point)) == (["delivered"], ["shipping"])


def test_an_order_without_a_delivery_is_moved_by_any_agent(buyer, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)

    assert move(an_agent(), line, "fetched").status_code == 200
    assert move(an_agent(), line, "shipping").status_code == 200
    assert not Parcel.objects.exists()


def test_staff_move_lines_of_a_parcel_that_an_agent_brings(agent, pair):
    claim(agent, pair)

    assert move(give_role(UserFactory(), "support"), lines(pair)[0], "fetched").status_code == 200
    pair.refresh_from_db()
    assert pair.agent_id == agent.pk


def test_the_seller_hands_over_with_the_code_whoever_brings_it(agent, seller, pair):
    bring(agent, pair, "fetched")
    (line, _) = lines(pair)

    assert move(seller, line, "delivered", code=line.collection_code).status_code == 200


def test_a_move_of_a_parcel_costs_so_many_queries(agent, pair, django_assert_max_num_queries):
    api = signed_in(agent)
    api.get("/deliveries/")

    with django_assert_max_num_queries(95):
        answer = api.post(f"/deliveries/{pair.pk}/move/", {"to": "fetched"}, format="json")

    assert answer.status_code == 200
    assert list(rows(agent)) == [pair.pk]
