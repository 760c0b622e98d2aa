"""Agents' parcels: who sees which, and claiming them."""

from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Audit, User
from orders import claims
from orders.claims import claim_parcel, release_unfetched_parcels
from orders.models import OrderTrack, Parcel, ParcelEvent
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role

from .lines import with_role
from .parcels import (
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
    rows,
    said,
    statuses,
    steps_of,
)

pytestmark = pytest.mark.django_db


def test_a_row_says_what_is_in_it_and_both_its_ends(buyer, seller, kettle):
    a_place(seller)
    parcel = a_parcel(buyer, kettle)
    agent = an_agent()
    claim(agent, parcel)

    row = deliveries(agent).json()[0]

    (line,) = lines(parcel)
    parcel.refresh_from_db()
    assert {**row, "since": "", "claimed_at": ""} == {
        "id": parcel.pk,
        "order": parcel.order.reference,
        "status": "to_fetch",
        "mine": True,
        "claimed_at": "",
        "since": "",
        "arrived_at": None,
        "lines": [{"id": line.pk, "name": "Kettle", "number": 1, "track_status": "paid"}],
        "collect": {
            "name": "Amina Hassan (amina)",
            "phone": "254722000555",
            "county": "mombasa",
            "county_name": "Mombasa",
            "area": "Eastleigh",
            "directions": "Garissa Lodge, shop 14",
        },
        "deliver": {
            "way": "home",
            "recipient": "Wanjiku Kamau",
            "phone": "254733000777",
            "county": "kisumu",
            "county_name": "Kisumu",
            "area": "Milimani",
            "directions": "Blue gate",
            "pickup_point": None,
        },
        "actions": ["fetched", "release"],
        "code_tries": 5,
    }
    assert row["claimed_at"] == parcel.claimed_at.isoformat()


def test_a_seller_without_a_place_is_named_with_the_phone_they_gave(buyer, seller, kettle):
    seller.phone = "254711000111"
    seller.save(update_fields=["phone"])
    a_parcel(buyer, kettle)

    (row,) = deliveries(an_agent()).json()

    assert row["collect"] == {
        "name": "amina",
        "phone": "254711000111",
        "county": None,
        "county_name": None,
        "area": None,
        "directions": None,
    }


def test_a_parcel_is_as_far_as_the_line_of_it_that_is_behind(buyer, seller):
    agent = an_agent()
    parcel = a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "ab"])
    first, _ = lines(parcel)
    move_one = signed_in(agent).post
    seen = [rows(agent)[parcel.pk]["status"]]
    move_one(f"/track/{first.pk}/move/", {"to": "fetched"}, format="json")
    seen.append(rows(agent)[parcel.pk]["status"])
    bring(agent, parcel, "fetched")
    seen.append(rows(agent)[parcel.pk]["status"])
    bring(agent, parcel, "shipping")
    seen.append(rows(agent)[parcel.pk]["status"])
    bring(agent, parcel, "delivered", code=code_of(parcel))
    seen.append(rows(agent)[parcel.pk]["status"])

    assert seen == ["to_fetch", "to_fetch", "fetched", "shipping", "delivered"]


def test_each_status_finds_its_parcels_alone(buyer, seller):
    agent = an_agent()
    point = a_point(agent)
    way = ["fetched", "shipping", "arrived", "delivered"]
    statuses = ["to_fetch", *way]
    parcels = {status: a_parcel(buyer, point=point) for status in statuses}
    for name, parcel in parcels.items():
        for step in way[: statuses.index(name)]:
            assert bring(agent, parcel, step, code=code_of(parcel)).status_code == 200

    found = {status: rows(agent, status=status) for status in statuses}

    assert {status: [*found[status]] for status in statuses} == {
        status: [parcels[status].pk] for status in statuses
    }
    assert all(found[status][parcels[status].pk]["status"] == status for status in statuses)


def test_the_lists_go_by_either_county_point_and_whose_they_are(buyer, seller, kettle):
    agent, point = an_agent(), a_point(name="Kilimani Pick-up")
    a_place(seller)
    home, to_point = a_parcel(buyer, kettle), a_parcel(buyer, point=point)
    claim(agent, home)

    assert list(rows(agent, county="mombasa")) == [home.pk]
    assert list(rows(agent, county="kisumu")) == [home.pk]
    assert list(rows(agent, county="nairobi")) == [to_point.pk]
    assert list(rows(agent, county="lamu")) == []
    assert list(rows(agent, pickup_point=point.pk)) == [to_point.pk]
    assert list(rows(agent, mine="true")) == [home.pk]
    assert list(rows(agent, mine="false")) == [to_point.pk]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("status=", "status"),
        ("status=paid", "status"),
        ("status=to_fetch&status=fetched", "status"),
        ("county=Nairobi", "county"),
        ("county=", "county"),
        ("pickup_point=", "pickup_point"),
        ("pickup_point=-1", "pickup_point"),
        ("pickup_point=1.0", "pickup_point"),
        ("pickup_point=%D9%A1", "pickup_point"),
        ("pickup_point=9999999999999999999", "pickup_point"),
        ("open=yes", "open"),
        ("mine=1", "mine"),
        ("mine=True", "mine"),
        ("mine=", "mine"),
        ("cursor=x", "cursor"),
        ("page_size=0", "page_size"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_on_its_name(query, field):
    answer = signed_in(an_agent()).get(f"/deliveries/?{query}")

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_pages_go_on_where_the_last_one_ended(buyer, seller):
    agent = an_agent()
    made = [a_parcel(buyer, ProductFactory(seller=seller)).pk for _ in range(3)]

    first = deliveries(agent, page_size=2)
    second = signed_in(agent).get(first["Link"].split(">")[0].lstrip("<"))

    assert [row["id"] for row in first.json()] == [made[2], made[1]]
    assert [row["id"] for row in second.json()] == [made[0]]
    assert 'rel="next"' not in second["Link"]


def test_the_list_can_be_of_what_is_still_to_be_brought_or_of_what_was_handed_over(buyer, seller):
    agent = an_agent()
    free, done = [a_parcel(buyer, ProductFactory(seller=seller)) for _ in "ab"]
    bring(agent, done, "fetched")
    bring(agent, done, "delivered", code=code_of(done))

    assert list(rows(agent, open="true")) == [free.pk]
    assert list(rows(agent, open="false")) == [done.pk]


@pytest.fixture
def all_kinds(buyer, seller):
    """Two agents, and a parcel of each kind: whose it is, where it goes, what of it is delivered.

    One agent is of the pick-up point too, where another person is.
    """
    agent, both, keeper = an_agent(), an_agent(), UserFactory()
    point = a_point(both, keeper)
    whole, partly, nothing = ("delivered",) * 2, ("shipping", "delivered"), ("paid",) * 2
    for to, who, ends in product((None, point), (agent, both, None), (whole, partly, nothing)):
        goods = ProductFactory.create_batch(2, seller=seller)
        parcel = a_parcel(buyer, *goods, point=to)
        if who is not None:
            claim(who, parcel)
        for line, status in zip(lines(parcel), ends, strict=True):
            QuerySet(OrderTrack).filter(pk=line.pk).update(track_status=status)
    yield [agent, both, keeper, give_role(UserFactory(), "support")]
    # As the books say.
    QuerySet(OrderTrack).update(track_status="paid")


#: Filters, and whether what they leave is delivered.
_FILTERS = [({}, None), ({"open": "true"}, False), ({"open": "false"}, True),
            ({"status": "delivered"}, True)]  # fmt: skip


def test_a_filter_leaves_of_what_somebody_sees_all_that_it_says(all_kinds):
    """Not all of it is looked through for each."""
    seen, wrong = [], []
    for number, reader in enumerate(all_kinds):
        whole = rows(reader)
        seen.append(len(whole))
        for (query, is_delivered), mine in product(_FILTERS, (None, True, False)):
            found = rows(reader, **query, **({} if mine is None else {"mine": str(mine).lower()}))
            left = {
                pk: row
                for pk, row in whole.items()
                if mine in {None, row["mine"]}
                and is_delivered in {None, row["status"] == "delivered"}
            }
            if found != left:
                wrong.append((number, query, mine))

    assert wrong == []
    # Free ones that are delivered are shown to nobody but support and the point.
    assert seen == [10, 13, 6, 18]


def test_a_code_that_is_used_up_is_offered_to_staff_alone(buyer, kettle):
    agent, keeper, support = an_agent(), UserFactory(), with_role("support")
    parcel = a_parcel(buyer, kettle, point=a_point(keeper))
    claim(agent, parcel)
    for to in ("fetched", "shipping"):
        bring(agent, parcel, to)
    bring(keeper, parcel, "arrived")

    def seen_by_each():
        return [
            (row["code_tries"], "delivered" in row["actions"])
            for row in (rows(who)[parcel.pk] for who in (agent, keeper, support))
        ]

    Parcel.objects.update(code_misses=4)
    assert seen_by_each() == [(1, True)] * 3
    Parcel.objects.update(code_misses=5)
    assert seen_by_each() == [(0, False), (0, False), (0, True)]
    line = parcel.lines.get()
    moves = [
        signed_in(who).get(f"/track/order/{line.pk}/").json()["moves"]
        for who in (agent, keeper, support)
    ]
    assert moves == [[], [], ["delivered", "cancelled"]]


def test_each_reader_is_told_what_they_may_do_with_a_parcel(buyer, kettle):
    agent, keeper = an_agent(), UserFactory()
    parcel = a_parcel(buyer, kettle, point=a_point(keeper))
    may = [rows(agent)[parcel.pk]["actions"]]
    claim(agent, parcel)
    may.append(rows(agent)[parcel.pk]["actions"])
    for to in ("fetched", "shipping"):
        bring(agent, parcel, to)
        may.append(rows(agent)[parcel.pk]["actions"])
    may.append(rows(keeper)[parcel.pk]["actions"])
    bring(keeper, parcel, "arrived")
    may.append(rows(keeper)[parcel.pk]["actions"])

    assert may == [
        ["claim", "fetched"],
        ["fetched", "release"],
        ["shipping", "delivered"],
        ["delivered"],
        ["arrived", "delivered"],
        ["delivered"],
    ]


@pytest.mark.parametrize("number", [1, 9])
def test_the_list_costs_the_same_for_one_parcel_or_many(
    buyer, seller, number, django_assert_num_queries
):
    agent, point = an_agent(), a_point()
    for _ in range(number):
        a_place(parcel_seller := UserFactory())
        a_parcel(buyer, *[ProductFactory(seller=parcel_seller) for _ in "ab"], point=point)
    api = signed_in(agent)
    api.get("/deliveries/")

    # caller; their own permissions and their groups'; their points; their numbers; parcels with
    # orders, deliveries, points, sellers; lines; where sellers are
    with django_assert_num_queries(8):
        found = api.get("/deliveries/").json()

    assert len(found) == number


def test_the_list_is_refused_to_users_who_do_not_deliver(buyer, seller, kettle):
    a_parcel(buyer, kettle)

    for person in (buyer, seller, UserFactory(), give_role(UserFactory(), "finance")):
        assert said(deliveries(person)) == (403, "not_an_agent")


def test_unpaid_parcels_are_not_listed(buyer, kettle):
    parcel = a_parcel(buyer, kettle, is_paid=False)

    assert rows(an_agent()) == {}
    assert said(claim(an_agent(), parcel)) == (404, "parcel_not_found")


def test_fully_cancelled_parcels_are_not_listed_or_claimed(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    signed_in(buyer).post(f"/track/{lines(parcel)[0].pk}/move/", {"to": "cancelled"})

    assert rows(agent) == {}
    assert said(claim(agent, parcel)) == (404, "parcel_not_found")


def test_a_claimed_parcel_is_closed_to_other_agents(buyer, kettle):
    agent, other, parcel = an_agent(), an_agent(), a_parcel(buyer, kettle)

    answer = claim(agent, parcel)

    assert (answer.status_code, answer.json()["mine"]) == (200, True)
    assert (list(rows(agent)), rows(other)) == ([parcel.pk], {})
    assert said(claim(other, parcel)) == (409, "parcel_claimed")
    assert said(release(other, parcel)) == (409, "parcel_claimed")
    assert said(bring(other, parcel, "fetched")) == (409, "parcel_claimed")
    single = signed_in(other).post(f"/track/{lines(parcel)[0].pk}/move/", {"to": "fetched"})
    assert said(single) == (409, "parcel_claimed")
    assert statuses(parcel) == ["paid"]


def test_taking_it_on_again_changes_nothing(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)

    first, again = claim(agent, parcel).json(), claim(agent, parcel).json()

    assert first == again
    assert steps_of(parcel) == ["claimed"]


def test_claims_and_releases_are_audited(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    claim(agent, parcel)
    release(agent, parcel)
    release(agent, parcel)

    told = list(ParcelEvent.objects.order_by("pk").values_list("step", "agent", "actor"))
    assert told == [("claimed", agent.pk, agent.pk), ("released", agent.pk, agent.pk)]
    assert [kept.did for kept in Audit.objects.order_by("pk")][:2] == [
        "Claim",
        "Release",
    ]
    assert rows(an_agent())[parcel.pk]["claimed_at"] is None


def test_an_agent_holds_no_more_than_so_many_unfetched(buyer, seller, settings):
    settings.PARCELS_HELD_UNFETCHED = 2
    agent = an_agent()
    first, second, third = [a_parcel(buyer, ProductFactory(seller=seller)) for _ in range(3)]
    claim(agent, first)
    claim(agent, second)

    assert said(claim(agent, third)) == (409, "too_many_claims")

    bring(agent, first, "fetched")

    assert claim(agent, third).status_code == 200


def test_once_fetched_only_staff_give_it_to_others_and_say_why(buyer, kettle):
    agent, parcel, support = (
        an_agent(),
        a_parcel(buyer, kettle),
        give_role(UserFactory(), "support"),
    )
    claim(agent, parcel)
    bring(agent, parcel, "fetched")

    assert said(release(agent, parcel)) == (409, "parcel_fetched")
    assert release(support, parcel).json() == {
        "note": ["Give the reason for reassigning the parcel."]
    }

    answer = release(support, parcel, note="His bike broke down.")

    assert (answer.status_code, answer.json()["status"]) == (200, "fetched")
    event = ParcelEvent.objects.get(step="released")
    assert (event.agent, event.actor, event.note) == (agent, support, "His bike broke down.")
    assert rows(agent)[parcel.pk]["mine"] is False
    other = an_agent()
    assert claim(other, parcel).status_code == 200
    assert rows(agent) == {}


def test_support_takes_nothing_on(buyer, kettle):
    parcel = a_parcel(buyer, kettle)

    assert said(claim(give_role(UserFactory(), "support"), parcel)) == (403, "not_an_agent")


def test_a_parcel_fetched_by_the_line_is_claimed(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)

    signed_in(agent).post(f"/track/{lines(parcel)[0].pk}/move/", {"to": "fetched"})

    assert rows(agent)[parcel.pk]["mine"] is True
    assert steps_of(parcel) == ["claimed"]


def test_a_parcel_fetched_by_staff_is_unclaimed(buyer, kettle):
    parcel = a_parcel(buyer, kettle)

    bring(give_role(UserFactory(), "support"), parcel, "fetched")

    assert rows(an_agent())[parcel.pk]["status"] == "fetched"


def test_an_agent_does_not_see_or_take_what_they_bought(kettle):
    agent = an_agent()
    parcel = a_parcel(agent, kettle)

    assert rows(agent) == {}
    assert said(claim(agent, parcel)) == (403, "own_interest")


def test_an_agent_is_not_shown_parcels_they_sold(buyer):
    agent = an_agent()
    parcel = a_parcel(buyer, ProductFactory(seller=agent))

    assert rows(agent) == {}
    assert said(claim(agent, parcel)) == (403, "own_interest")
    assert said(bring(agent, parcel, "fetched")) == (403, "own_interest")
    assert statuses(parcel) == ["paid"]


def test_an_agent_is_not_shown_parcels_paid_to_their_number(buyer, kettle):
    agent = an_agent()
    ProductFactory(seller=agent, payment_mpesa_number=kettle.payment_mpesa_number)
    parcel = a_parcel(buyer, kettle)

    assert rows(agent) == {}
    assert said(claim(agent, parcel)) == (403, "own_interest")
    assert Audit.objects.filter(did__startswith="Refused, own interest").count() == 1


def test_an_agent_is_not_shown_parcels_received_at_their_number(buyer, kettle):
    agent = an_agent()
    ProductFactory(seller=agent, payment_mpesa_number="254733000777")
    parcel = a_parcel(buyer, kettle)

    assert rows(agent) == {}
    assert said(claim(agent, parcel)) == (403, "own_interest")


def test_a_claim_lapses_if_the_parcel_is_not_fetched_in_a_day(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    claim(agent, parcel)
    day = timezone.now() + timedelta(hours=24)

    assert release_unfetched_parcels(day - timedelta(minutes=5)) == 0
    assert release_unfetched_parcels(day + timedelta(minutes=5)) == 1
    assert release_unfetched_parcels(day + timedelta(minutes=5)) == 0

    assert steps_of(parcel) == ["claimed", "freed"]
    assert claim(an_agent(), parcel).status_code == 200


def test_a_fetched_parcel_stays_with_its_agent(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    bring(agent, parcel, "fetched")

    assert release_unfetched_parcels(timezone.now() + timedelta(days=30)) == 0
    assert rows(agent)[parcel.pk]["mine"] is True


@pytest.mark.parametrize("end", ["the role", "the account"])
def test_the_parcels_of_an_agent_who_ends_are_free(buyer, kettle, end):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    claim(agent, parcel)
    if end == "the role":
        agent.groups.clear()
    else:
        agent.is_active = False
        agent.save(update_fields=["is_active"])

    assert release_unfetched_parcels(timezone.now()) == 1
    assert claim(an_agent(), parcel).status_code == 200


def test_a_former_agent_cannot_see_or_move_their_parcels(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    bring(agent, parcel, "fetched")
    agent.groups.clear()

    assert said(deliveries(agent)) == (403, "not_an_agent")
    assert said(bring(agent, parcel, "shipping")) == (404, "parcel_not_found")
    assert list(rows(give_role(UserFactory(), "support"))) == [parcel.pk]


def test_a_week_after_it_was_handed_over_nobody_sees_it(buyer, kettle):
    agent, parcel = an_agent(), a_parcel(buyer, kettle)
    bring(agent, parcel, "fetched")
    bring(agent, parcel, "delivered", code=code_of(parcel))

    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert list(rows(agent)) == [parcel.pk]
    with time_machine.travel(timezone.now() + timedelta(days=7, hours=1)):
        assert rows(agent) == {}
        assert rows(give_role(UserFactory(), "support")) == {}
        assert said(bring(agent, parcel, "delivered")) == (404, "parcel_not_found")


def test_a_parcel_that_was_handed_over_cannot_be_claimed(buyer, kettle):
    parcel = a_parcel(buyer, kettle)
    signed_in(give_role(UserFactory(), "support")).post(
        f"/deliveries/{parcel.pk}/move/", {"to": "fetched"}, format="json"
    )
    signed_in(buyer).post(f"/track/{lines(parcel)[0].pk}/move/", {"to": "delivered"})

    assert rows(an_agent()) == {}
    assert said(claim(an_agent(), parcel)) == (409, "parcel_closed")


def test_a_claim_is_refused_by_the_service_to_who_is_no_agent(buyer, kettle):
    parcel = a_parcel(buyer, kettle)

    with pytest.raises(Exception, match="Only delivery agents"):
        claim_parcel(parcel.pk, agent=UserFactory())

    assert Parcel.objects.free().count() == 1


def test_agents_are_found_however_the_permission_is_granted():
    right = Permission.objects.get(content_type__app_label="orders", codename="move_track")
    an_agent()
    UserFactory().user_permissions.add(right)
    UserFactory(is_superuser=True)
    an_agent(is_active=False)
    give_role(UserFactory(), "finance")

    assert set(claims._agents()) == set(User.objects.with_perm(claims.DELIVER_PERMISSION))
    assert claims._agents().count() == 3
