import pytest

from products.models import Product

from .conftest import hide, names, sell_out


def test_a_cart_answers_products_in_the_order_asked(api, listing):
    a, b, c = (listing(name).pk for name in "ABC")

    assert names(api.post("/cart/", [b, c, a], format="json")) == ["B", "C", "A"]


def test_an_object_with_ids_is_read_like_the_list(api, listing):
    a, b = (listing(name).pk for name in "AB")

    assert names(api.post("/cart/", {"ids": [b, a]}, format="json")) == ["B", "A"]


def test_a_repeated_id_is_returned_once_at_its_first_place(api, listing):
    a, b = (listing(name).pk for name in "AB")

    assert names(api.post("/cart/", [b, a, b], format="json")) == ["B", "A"]


def test_unlisted_products_are_left_out(api, listing):
    shown, hidden = listing("Shown"), listing("Hidden")
    hide(hidden)

    asked = [hidden.pk, 10**15, shown.pk, 0, -1, 2**63, 10**29]

    assert names(api.post("/cart/", asked, format="json")) == ["Shown"]


def test_sold_out_products_are_included_and_marked(api, kettle):
    sell_out(kettle)

    (row,) = api.post("/cart/", [kettle.pk], format="json").json()

    assert row["soldout"] is True


def test_a_cart_never_tells_where_a_seller_is_paid(seller_api, kettle):
    (row,) = seller_api.post("/cart/", [kettle.pk], format="json").json()

    assert "payment_mpesa_number" not in row


def test_ids_are_read_from_digits_too(api, listing):
    a, b = (listing(name).pk for name in "AB")

    assert names(api.post("/cart/", [str(b), f" {a} "], format="json")) == ["B", "A"]


@pytest.mark.django_db
@pytest.mark.parametrize("empty", [[], {"ids": []}])
def test_an_empty_cart_is_an_empty_list(api, empty):
    response = api.post("/cart/", empty, format="json")

    assert response.status_code == 200
    assert response.json() == []


@pytest.mark.django_db
@pytest.mark.parametrize("bad", [True, "one", "1.0", 1.0, None, [1], {}])
def test_an_id_is_a_whole_number_and_nothing_like_one(api, bad):
    response = api.post("/cart/", [1, bad], format="json")

    assert response.status_code == 400
    assert list(response.json()) == ["ids"]
    assert list(response.json()["ids"]) == ["1"]


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["7", 7, None, True, {}, {"ids": 7}, {"ids": {"a": 1}}])
def test_an_invalid_body_is_a_400(api, body):
    assert api.post("/cart/", body, format="json").status_code == 400


@pytest.mark.django_db
def test_200_ids_are_read_and_201_are_not(api):
    assert api.post("/cart/", list(range(200)), format="json").status_code == 200

    response = api.post("/cart/", [7] * 201, format="json")

    assert response.status_code == 400
    assert response.json() == {"ids": ["Ensure this field has no more than 200 elements."]}


def test_a_cart_is_one_query(api, listing, django_assert_num_queries):
    ids = [listing(name, seller=name).pk for name in ("aaa", "bbb", "ccc")]

    # the products with their sellers' names
    with django_assert_num_queries(1):
        api.post("/cart/", ids, format="json")


def test_a_cart_writes_nothing(api, kettle):
    before = Product.objects.values().get()

    api.post("/cart/", [kettle.pk], format="json")

    assert Product.objects.values().get() == before


@pytest.mark.django_db
def test_a_cart_is_posted_as_json(api):
    assert api.post("/cart/", "ids=1", content_type="text/plain").status_code == 415
    assert api.get("/cart/").status_code == 405


def test_too_many_ids_are_refused_whatever_each_is(api):
    answer = api.post("/cart/", [""] * 201, format="json")

    assert answer.status_code == 400
    assert answer.json() == {"ids": ["Ensure this field has no more than 200 elements."]}
