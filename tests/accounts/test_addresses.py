"""/account/addresses/ and /counties/: one's own places, one default, one collection place."""

import pytest
from django.db import IntegrityError, transaction

from accounts.addresses import services
from accounts.counties import County
from accounts.models import MAX_ADDRESSES, Address
from tests.conftest import signed_in
from tests.factories import AddressFactory, UserFactory
from tests.threads import at_once, many_at_once

pytestmark = pytest.mark.django_db

PATH = "/account/addresses/"
HOME = {
    "recipient": "Wanjiku Kamau",
    "phone": "0712 345 678",
    "county": "nairobi",
    "area": "Kilimani",
}


def marks(user):
    """The areas of the default and of the collection place."""
    theirs = Address.objects.of(user)
    return (
        list(theirs.filter(is_default=True).values_list("area", flat=True)),
        list(theirs.collection_places().values_list("area", flat=True)),
    )


def add(client, **changed):
    return client.post(PATH, HOME | changed)


def at(address):
    return f"{PATH}{address['id']}/"


def test_an_address_is_answered_as_it_is_kept(buyer, buyer_api):
    response = add(buyer_api, label="home", directions="Blue gate")

    address = Address.objects.get(user=buyer)
    assert response.status_code == 201
    assert response.json() == {
        "id": address.pk,
        "label": "home",
        "recipient": "Wanjiku Kamau",
        "phone": "254712345678",
        "county": "nairobi",
        "county_name": "Nairobi City",
        "area": "Kilimani",
        "directions": "Blue gate",
        "is_default": True,
        "is_collection_place": False,
    }
    assert buyer_api.get(f"{PATH}{address.pk}/").json() == response.json()
    assert buyer_api.get(PATH).json() == [response.json()]


def test_the_first_is_the_default_whatever_was_asked(buyer, buyer_api):
    assert add(buyer_api, is_default=False).json()["is_default"] is True


def test_the_next_are_not_unless_it_is_asked(buyer, buyer_api):
    add(buyer_api)

    assert add(buyer_api, area="Lavington").json()["is_default"] is False
    assert add(buyer_api, area="Karen", is_default=True).json()["is_default"] is True
    assert marks(buyer) == (["Karen"], [])


def test_the_default_stands_first_then_the_newest(buyer, buyer_api):
    for area in ("Kilimani", "Lavington", "Karen"):
        add(buyer_api, area=area)

    listed = [each["area"] for each in buyer_api.get(PATH).json()]

    assert listed == ["Kilimani", "Karen", "Lavington"]


def test_a_list_is_two_queries(buyer, buyer_api, django_assert_num_queries):
    for area in ("Kilimani", "Lavington", "Karen"):
        add(buyer_api, area=area)

    # caller; addresses
    with django_assert_num_queries(2):
        buyer_api.get(PATH)


def test_another_one_takes_both_marks(buyer, buyer_api):
    add(buyer_api, is_collection_place=True)
    second = add(buyer_api, area="Lavington").json()

    response = buyer_api.patch(at(second), {"is_default": True, "is_collection_place": True})

    assert response.status_code == 200
    assert marks(buyer) == (["Lavington"], ["Lavington"])


def test_the_default_is_not_made_none(buyer, buyer_api):
    first = add(buyer_api).json()

    response = buyer_api.patch(at(first), {"is_default": False, "area": "Karen"})

    assert response.status_code == 400
    assert response.json() == {"is_default": ["Make another address the default instead."]}
    assert marks(buyer) == (["Kilimani"], [])


def test_a_collection_place_can_be_one_no_more(buyer, buyer_api):
    first = add(buyer_api, is_collection_place=True).json()

    buyer_api.patch(at(first), {"is_collection_place": False})

    assert marks(buyer) == (["Kilimani"], [])


def test_a_change_leaves_the_rest_as_it_was(buyer, buyer_api):
    first = add(buyer_api, label="home", directions="Blue gate", is_collection_place=True).json()

    response = buyer_api.patch(at(first), {"county": "mombasa", "label": ""})

    changed = {"county": "mombasa", "county_name": "Mombasa", "label": ""}
    assert response.json() == first | changed


def test_an_address_that_was_read_can_be_sent_back(buyer_api):
    first = add(buyer_api, is_collection_place=True).json()

    assert buyer_api.patch(at(first), first).json() == first


def test_the_newest_address_replaces_a_deleted_default(buyer, buyer_api):
    first = add(buyer_api).json()
    add(buyer_api, area="Lavington")
    add(buyer_api, area="Karen")

    assert buyer_api.delete(at(first)).status_code == 204
    assert marks(buyer) == (["Karen"], [])


def test_another_one_deleted_leaves_the_default(buyer, buyer_api):
    add(buyer_api)
    second = add(buyer_api, area="Lavington").json()

    buyer_api.delete(at(second))

    assert marks(buyer) == (["Kilimani"], [])


def test_deleting_the_collection_place_leaves_none_marked(buyer, buyer_api):
    add(buyer_api)
    shop = add(buyer_api, area="Gikomba", is_collection_place=True).json()

    buyer_api.delete(at(shop))

    assert marks(buyer) == (["Kilimani"], [])


def test_the_last_one_can_go_and_the_next_is_the_default(buyer, buyer_api):
    buyer_api.delete(at(add(buyer_api).json()))

    assert buyer_api.get(PATH).json() == []
    assert add(buyer_api, area="Karen").json()["is_default"] is True


def test_the_same_sent_twice_is_there_once(buyer, buyer_api):
    first = add(buyer_api, is_collection_place=True)

    again = add(buyer_api, phone="+254712345678", recipient="  Wanjiku   Kamau ")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Address.objects.of(buyer).count() == 1


def test_more_than_ten_are_refused(buyer, buyer_api):
    for number in range(MAX_ADDRESSES):
        add(buyer_api, area=f"House {number}")

    response = add(buyer_api, area="One more")

    assert response.status_code == 409
    assert response.json() == {
        "detail": "You have 10 addresses already. Delete or change one of them.",
        "code": "too_many_addresses",
    }
    assert add(buyer_api, area="House 3").status_code == 200
    assert Address.objects.of(buyer).count() == 10


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_users_address_is_a_404(buyer, buyer_api, method):
    other = AddressFactory(is_default=True)
    before = Address.objects.values().get(pk=other.pk)

    response = getattr(buyer_api, method)(f"{PATH}{other.pk}/", {"area": "Mine"})

    assert response.status_code == 404
    assert Address.objects.values().get(pk=other.pk) == before
    assert buyer_api.get(PATH).json() == []


@pytest.mark.parametrize("number", ["0", "999999999999999999", "9" * 19, "-1", "1e3", "x"])
def test_a_number_that_is_none_is_a_404(buyer_api, number):
    assert buyer_api.get(f"{PATH}{number}/").status_code == 404


def test_ones_own_row_is_not_given_to_another(buyer, buyer_api, seller):
    add(buyer_api, user=seller.pk, user_id=seller.pk, id=7)

    assert list(Address.objects.values_list("user", flat=True)) == [buyer.pk]


BAD = [
    ("recipient", ""), ("recipient", None), ("recipient", "\u200b"), ("recipient", "x" * 101),
    ("recipient", "Wan\x07jiku"), ("recipient", "\u202eukijnaW"), ("recipient", ["x"]),
    ("phone", ""), ("phone", "0201234567"), ("phone", True), ("phone", None),
    ("county", ""), ("county", "Nairobi City"), ("county", "nairobi "), ("county", 47),
    ("county", None), ("county", ["nairobi"]), ("county", True),
    ("area", ""), ("area", "x" * 101), ("label", "x" * 31), ("directions", "x" * 301),
    ("directions", None), ("is_default", "yes"), ("is_default", 1), ("is_default", None),
    ("is_collection_place", "true"), ("is_collection_place", {}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "typed"), BAD)
def test_bad_input_is_refused_on_its_field(buyer_api, field, typed):
    address = add(buyer_api).json()

    added, changed = add(buyer_api, **{field: typed}), buyer_api.patch(at(address), {field: typed})

    assert (added.status_code, list(added.json())) == (400, [field])
    assert (changed.status_code, list(changed.json())) == (400, [field])
    assert buyer_api.get(PATH).json() == [address]


@pytest.mark.parametrize("field", ["recipient", "phone", "county", "area"])
def test_missing_required_fields_are_refused(buyer_api, field):
    body = {name: value for name, value in HOME.items() if name != field}

    assert buyer_api.post(PATH, body).json() == {field: ["This field is required."]}


@pytest.mark.parametrize("body", [[], [HOME], "x", 7, None])
def test_a_body_of_another_kind_is_refused(buyer_api, body):
    assert buyer_api.post(PATH, body, format="json").status_code == 400


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Blue gate\n\n opposite\tthe  church", "Blue gate opposite the church"),
        ("<b>Gate</b> & Co", "<b>Gate</b> & Co"),
        ("ﬁfth ﬂoor", "fifth floor"),
        ("Gate\u200b 4", "Gate 4"),
        ("Nyumba ya 💡", "Nyumba ya 💡"),
    ],
)
def test_texts_are_one_line_as_they_are_shown(buyer_api, typed, kept):
    assert add(buyer_api, directions=typed).json()["directions"] == kept


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_the_list_takes_no_other_method(buyer_api, method):
    assert getattr(buyer_api, method)(PATH, HOME).status_code == 405


def test_addresses_need_a_signed_in_user(api):
    assert (api.get(PATH).status_code, api.post(PATH, HOME).status_code) == (401, 401)


def test_addresses_go_with_their_person(buyer):
    AddressFactory(user=buyer)

    buyer.delete()

    assert not Address.objects.exists()


@pytest.mark.parametrize("mark", services.MARKS)
def test_the_database_holds_one_of_each(buyer, mark):
    AddressFactory(user=buyer, **{mark: True})

    with pytest.raises(IntegrityError), transaction.atomic():
        AddressFactory(user=buyer, **{mark: True})


FIELDS = HOME | {"phone": "254712345678"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_additions_leave_ten_addresses_and_one_default():
    person = UserFactory()

    told = many_at_once(
        [
            lambda n=n: services.add_address(person, FIELDS | {"area": f"House {n}"})
            for n in range(20)
        ],
        at_a_time=10,
    )

    refused = [each for each in told if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [services.TooManyAddresses] * 10
    assert Address.objects.of(person).count() == 10
    assert len(marks(person)[0]) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_added_at_once_is_there_once():
    person = UserFactory()

    told = at_once(*[lambda: services.add_address(person, FIELDS)] * 4)

    assert sorted(each.is_new for each in told) == [False, False, False, True]
    assert Address.objects.of(person).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_marks_moved_and_deleted_at_once_leave_one_default(turn):
    person = UserFactory()
    first, *others = [
        services.add_address(person, FIELDS | {"area": f"House {n}"}).address for n in range(4)
    ]
    both = dict.fromkeys(services.MARKS, True)

    told = at_once(
        *[lambda a=a: services.change_address(person, a.pk, both) for a in others],
        lambda: services.delete_address(person, first.pk),
    )

    assert [each for each in told if isinstance(each, Exception)] == []
    assert [len(each) for each in marks(person)] == [1, 1]


def test_the_counties_are_public(api):
    response = api.get("/counties/")

    listed = response.json()
    assert response.status_code == 200
    assert len(listed) == 47
    assert listed[0] == {"key": "mombasa", "name": "Mombasa"}
    assert {each["key"] for each in listed} == set(County.values)
    assert response["Cache-Control"] == "public, max-age=86400"


def test_the_counties_cost_no_query_and_ignore_a_stale_token(api, django_assert_num_queries):
    api.credentials(HTTP_AUTHORIZATION="Bearer stale")

    with django_assert_num_queries(0):
        assert api.get("/counties/").status_code == 200


def test_another_user_does_not_see_the_address(buyer_api, seller):
    add(buyer_api)

    assert signed_in(seller).get(PATH).json() == []
