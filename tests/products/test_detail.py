import pytest

from .conftest import NUMBER, hide, sell_out

FIELDS = {
    "id",
    "name",
    "image",
    "thumbnail",
    "description",
    "category",
    "price",
    "item_number",
    "available",
    "soldout",
    "back_within",
    "user_name",
    "created_at",
    "stars",
    "reviews",
}
#: The fields of a single product that lists do not have.
DETAILS = FIELDS | {"pictures"}


def test_anyone_may_see_a_product(api, listing):
    product = listing("Kettle", description="Boils.", price=1500, item_number=5)

    body = api.get(f"/product/{product.pk}/").json()

    assert body.pop("created_at").startswith(f"{product.created_at:%Y-%m-%dT%H:%M:%S}")
    assert body == {
        "id": product.pk,
        "name": "Kettle",
        "image": None,
        "thumbnail": None,
        "description": "Boils.",
        "category": "kitchen",
        "price": 1500,
        "item_number": 5,
        "available": 5,
        "soldout": False,
        "back_within": None,
        "user_name": "amina",
        "stars": None,
        "reviews": 0,
        "pictures": [],
    }


def test_a_sold_out_product_is_shown_marked(api, kettle):
    sell_out(kettle)

    body = api.get(f"/product/{kettle.pk}/").json()

    assert body["soldout"] is True
    assert body["item_number"] == 5


def test_reserved_units_cannot_be_bought_but_may_come_back(api, kettle):
    type(kettle).objects.filter(pk=kettle.pk).update(held=3)
    some = api.get(f"/product/{kettle.pk}/").json()
    sell_out(kettle)
    none = api.get(f"/product/{kettle.pk}/").json()

    assert (some["available"], some["soldout"], some["back_within"]) == (2, False, None)
    assert (none["available"], none["soldout"], none["back_within"]) == (0, True, 15 * 60)


def test_a_product_sold_to_the_last_unit_has_no_back_within(api, listing):
    product = listing()
    type(product).objects.filter(pk=product.pk).update(item_number=0)

    body = api.get(f"/product/{product.pk}/").json()

    assert (body["available"], body["soldout"], body["back_within"]) == (0, True, None)


def test_the_seller_of_a_product_sees_where_they_are_paid(seller_api, seller, listing):
    product = listing(seller=seller)

    body = seller_api.get(f"/product/{product.pk}/").json()

    assert body["payment_mpesa_number"] == NUMBER
    assert body["listed"] is True
    assert body.keys() == DETAILS | {"payment_mpesa_number", "listed"}


@pytest.mark.parametrize("who", ["api", "buyer_api"])
def test_other_users_do_not_see_where_the_seller_is_paid(request, kettle, who):
    client = request.getfixturevalue(who)

    assert client.get(f"/product/{kettle.pk}/").json().keys() == DETAILS


def test_the_seller_of_a_product_sees_it_unlisted(seller_api, kettle):
    hide(kettle)

    body = seller_api.get(f"/product/{kettle.pk}/").json()

    assert (body["id"], body["listed"]) == (kettle.pk, False)


@pytest.mark.parametrize("who", ["api", "buyer_api"])
def test_an_unlisted_product_is_a_404_for_anyone_else(request, kettle, who):
    hide(kettle)

    response = request.getfixturevalue(who).get(f"/product/{kettle.pk}/")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such product.", "code": "product_not_found"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["0", "1", "9" * 18, "9" * 19, "9" * 40, "9" * 3000, "9223372036854775808"]
)
def test_an_unknown_number_is_a_404(client, typed):
    response = client.get(f"/product/{typed}/")

    assert response.status_code == 404
    assert response.json()["code"] in {"product_not_found", "category_not_found"}


def test_a_bad_token_is_a_strangers_here(api, kettle):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    response = api.get(f"/product/{kettle.pk}/")

    assert (response.status_code, response.json()["id"]) == (200, kettle.pk)


def test_a_product_is_one_query_for_a_stranger(api, kettle, django_assert_num_queries):
    # the product with its seller's name
    with django_assert_num_queries(1):
        api.get(f"/product/{kettle.pk}/")


def test_a_product_is_two_queries_with_a_token(seller_api, kettle, django_assert_num_queries):
    # the token's user, the product
    with django_assert_num_queries(2):
        seller_api.get(f"/product/{kettle.pk}/")


def test_a_path_without_its_last_slash_is_read_alike(api, kettle):
    assert api.get(f"/product/{kettle.pk}").status_code == 200
