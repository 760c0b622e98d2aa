"""The visibility of a sale's details: actor × field × moment (docs/privacy.md)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.conftest import signed_in
from tests.factories import UserFactory, give_role

from .deliveries import pay
from .lines import line_at, move
from .parcels import (
    RECIPIENT,
    a_parcel,
    a_place,
    a_point,
    an_agent,
    bring,
    claim,
    code_of,
    deliveries,
    lines,
    release,
)

pytestmark = pytest.mark.django_db

BUYERS, PLACE, POINTS = "254712345678", "254722000555", "254733000003"
#: What each of these is, in what is answered to somebody.
FACTS = {
    "buyer's phone": BUYERS,
    "recipient": "Wanjiku Kamau",
    "recipient's phone": RECIPIENT,
    "destination": "Milimani",
    "way there": "Blue gate",
    "seller's phone": PLACE,
    "seller's place": "Garissa Lodge",
    "point's phone": POINTS,
    "hours": "8:00–19:00",
}
BOTH_ENDS = {
    "recipient",
    "recipient's phone",
    "destination",
    "way there",
    "seller's phone",
    "seller's place",
}
TO_POINT = {"recipient", "seller's phone", "seller's place", "point's phone", "hours"}
AT_POINT = {"recipient", "recipient's phone", "point's phone", "hours"}
NOTHING: set[str] = set()

#: One after the other; a sale is cancelled as soon as it is paid, or never.
MOMENTS = (
    "unpaid", "paid", "claimed", "released", "fetched", "shipping", "arrived", "delivered",
    "six days after", "a week after",
)  # fmt: skip

AFTER = {"six days after": timedelta(days=6), "a week after": timedelta(days=7, hours=1)}


class Sale:
    """An order for a door or to a point, and everybody there is."""

    def __init__(self, buyer, seller, kettle, *, to_point):
        a_place(seller)
        self.agent, keeper = an_agent(), UserFactory()
        self.point = a_point(keeper)
        self.parcel = a_parcel(buyer, kettle, point=self.point if to_point else None, is_paid=False)
        other_keeper = UserFactory()
        a_point(other_keeper)
        self.people = {
            "buyer": buyer,
            "seller": seller,
            "agent": self.agent,
            "other agent": an_agent(),
            "point": keeper,
            "other point": other_keeper,
            "support": give_role(UserFactory(), "support"),
            "finance": give_role(UserFactory(), "finance"),
            "catalogue": give_role(UserFactory(), "catalogue"),
            "stranger": UserFactory(),
        }

    def moments(self):
        """Bring it from moment to moment; yield each, at its time."""
        now = timezone.now()
        for moment in MOMENTS:
            if (moment, self.parcel.order.delivery.way) == ("arrived", "home"):
                continue
            self._go_on_to(moment)
            with time_machine.travel(now + AFTER.get(moment, timedelta(0))):
                yield moment

    def go_to(self, moment):
        """Bring a new one there."""
        for each in MOMENTS[: MOMENTS.index(moment) + 1]:
            self._go_on_to(each)

    def _go_on_to(self, moment):
        """From the moment before."""
        if moment == "paid":
            pay(self.parcel.order)
        elif moment == "claimed":
            claim(self.agent, self.parcel)
        elif moment == "released":
            release(self.agent, self.parcel)
        elif moment in {"fetched", "shipping", "arrived", "delivered"}:
            if moment == "fetched":
                claim(self.agent, self.parcel)
            who = self.people["point"] if moment == "arrived" else self.agent
            answer = bring(who, self.parcel, moment, code=code_of(self.parcel))
            assert answer.status_code == 200

    def cancel(self):
        """As soon as it is paid."""
        pay(self.parcel.order)
        move(self.people["buyer"], lines(self.parcel)[0], "cancelled")

    def seen_by(self, who):
        """Which facts of it stand in the answer of /deliveries/."""
        answer = deliveries(self.people[who])
        told = answer.content.decode() if answer.status_code == 200 else ""
        return {fact for fact, value in FACTS.items() if value in told}


def agents_sight(moment, way):
    """Which facts each who sees any sees, at a moment of one that is not cancelled."""
    ends = TO_POINT if way == "point" else BOTH_ENDS
    return {
        "agent": ends if moment not in {"unpaid", "a week after"} else NOTHING,
        "other agent": ends if moment in {"paid", "released"} else NOTHING,
        "point": AT_POINT
        if way == "point"
        and moment in {"fetched", "shipping", "arrived", "delivered", "six days after"}
        else NOTHING,
        "support": ends | (AT_POINT if way == "point" else NOTHING)
        if moment not in {"unpaid", "a week after"}
        else NOTHING,
    }


@pytest.mark.parametrize("way", ["door", "point"])
def test_everybody_sees_of_a_parcel_what_they_need_and_no_longer(buyer, seller, kettle, way):
    sale = Sale(buyer, seller, kettle, to_point=way == "point")

    for moment in sale.moments():
        seen = {who: sale.seen_by(who) for who in sale.people}

        assert seen == dict.fromkeys(sale.people, NOTHING) | agents_sight(moment, way), moment


@pytest.mark.parametrize("way", ["door", "point"])
def test_nobody_sees_anything_of_a_parcel_that_was_cancelled(buyer, seller, kettle, way):
    sale = Sale(buyer, seller, kettle, to_point=way == "point")
    sale.cancel()

    assert {who: sale.seen_by(who) for who in sale.people} == dict.fromkeys(sale.people, NOTHING)


@pytest.mark.parametrize("way", ["door", "point"])
def test_a_seller_sees_the_buyers_name_phone_and_county_and_nothing_else(
    buyer, seller, kettle, way
):
    sale = Sale(_named_wanjiku(buyer), seller, kettle, to_point=way == "point")

    for moment in sale.moments():
        shown, facts = _as_its_seller_sees(sale)

        is_shown = moment not in {"unpaid", "a week after"}
        to = {"way": "home", "pickup_point": None}
        if way == "point":
            to = {"way": "pickup", "pickup_point": sale.point.name}
        county = "nairobi" if way == "point" else "kisumu"
        expected = (BUYERS, county, to) if is_shown else (None, None, None)
        assert (moment, *shown) == (moment, "Wanjiku", *expected)
        assert (moment, facts) == (moment, {"buyer's phone"} if is_shown else set())


@pytest.mark.parametrize("way", ["door", "point"])
def test_of_a_cancelled_sale_a_seller_sees_the_buyers_name_alone(buyer, seller, kettle, way):
    sale = Sale(_named_wanjiku(buyer), seller, kettle, to_point=way == "point")
    sale.cancel()

    assert _as_its_seller_sees(sale) == (("Wanjiku", None, None, None), set())


def _named_wanjiku(buyer):
    buyer.first_name = "Wanjiku"
    buyer.save(update_fields=["first_name"])
    return buyer


def _as_its_seller_sees(sale):
    """Buyer, phone, county and delivery of the sale, and the facts in it and in its story."""
    (line,) = lines(sale.parcel)
    api = signed_in(sale.people["seller"])
    answer = api.get("/seller/orders/", {"status": line.track_status})
    told = answer.content.decode() + api.get(f"/track/order/{line.pk}/").content.decode()
    (row,) = answer.json()
    return (
        (row["buyer"], row["phone"], row["county"], row["delivery"]),
        {fact for fact, value in FACTS.items() if value in told},
    )


def test_a_sale_without_a_delivery_has_neither_county_nor_way(buyer, seller, kettle):
    line_at("paid", buyer=buyer, product=kettle)

    (row,) = signed_in(seller).get("/seller/orders/").json()

    assert (row["phone"], row["county"], row["delivery"]) == (BUYERS, None, None)


@pytest.mark.parametrize("who", ["agent", "point"])
def test_the_story_of_a_line_tells_who_brings_it_no_phone_and_no_place(buyer, seller, kettle, who):
    sale = Sale(buyer, seller, kettle, to_point=True)
    sale.go_to("arrived")

    answer = signed_in(sale.people[who]).get(f"/track/order/{lines(sale.parcel)[0].pk}/")

    told = answer.content.decode()
    assert answer.status_code == 200
    assert {fact for fact, value in FACTS.items() if value in told} == set()
    assert code_of(sale.parcel) not in told


def test_no_list_of_parcels_tells_a_code_or_a_price(buyer, seller, kettle):
    sale = Sale(buyer, seller, kettle, to_point=True)
    sale.go_to("arrived")

    for who in ("agent", "point", "support"):
        told = deliveries(sale.people[who]).content.decode()
        assert sale.parcel.order.reference in told
        assert code_of(sale.parcel) not in told
        assert "1500" not in told


@pytest.mark.parametrize("at", ["fetched", "shipping", "delivered"])
def test_a_move_that_changes_nothing_shows_no_agent_where_another_brings_it(buyer, kettle, at):
    agent, other = an_agent(), an_agent()
    parcel = a_parcel(buyer, kettle)
    for to in ("fetched", "shipping", "delivered"):
        assert bring(agent, parcel, to, code=code_of(parcel)).status_code == 200
        if to == at:
            break

    answer = bring(other, parcel, at)

    assert (answer.status_code, answer.json()["code"]) == (409, "parcel_claimed")
    assert "Wanjiku" not in answer.content.decode()


def test_an_unclaimed_parcel_that_was_delivered_is_not_shown(buyer, kettle):
    parcel = a_parcel(buyer, kettle)
    support = give_role(UserFactory(), "support")
    bring(support, parcel, "fetched")
    bring(support, parcel, "delivered", note="They rang.")

    answer = bring(an_agent(), parcel, "delivered")

    assert (answer.status_code, answer.json()["code"]) == (404, "parcel_not_found")


def test_an_agent_who_moves_an_unclaimed_parcel_sees_it_to_the_end(buyer, kettle):
    parcel, agent = a_parcel(buyer, kettle), an_agent()
    bring(give_role(UserFactory(), "support"), parcel, "fetched")

    answer = bring(agent, parcel, "delivered", code=code_of(parcel))

    assert (answer.status_code, answer.json()["status"]) == (200, "delivered")
