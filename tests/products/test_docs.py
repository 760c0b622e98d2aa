"""The catalogue's OpenAPI description at /schema/ and /docs/."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator

from omachemainproj import documentation
from tests.description import description

OURS = {
    "/": {"get"},
    "/cart/": {"post"},
    "/create/": {"post"},
    "/product/search/": {"get"},
    "/product/{product_id}/": {"get", "patch", "delete"},
    "/product/{product_id}/restock/": {"post"},
    "/seller/products/": {"get"},
    "/seller/products/export/": {"get", "post"},
    "/seller/products/export/{token}/": {"get"},
    "/seller/reviews/": {"get"},
    "/categories/": {"get"},
    "/product/suggest/": {"get"},
    "/product/{product_id}/pictures/": {"get", "post", "put"},
    "/product/{product_id}/pictures/{picture_id}/": {"delete"},
    "/product/{product_id}/stock/": {"get"},
    "/seller/products/import/": {"post"},
    "/product/{product_id}/reviews/": {"get"},
    "/review/{review_id}/answer/": {"post", "patch"},
    "/seller/{username}/": {"get"},
    "/track/{track_id}/review/": {"get", "post", "patch"},
}


@pytest.fixture(scope="module")
def schema():
    """The schema as generated. `make lint` checks that it is valid OpenAPI."""
    return description()


def resolve(schema, node):
    while "$ref" in node:
        node = schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]]
    return node


def answer(schema, path, method="get", code="200"):
    return schema["paths"][path][method]["responses"][code]


@pytest.mark.parametrize("path", OURS)
def test_every_door_of_the_catalogue_is_described(schema, path):
    assert schema["paths"][path].keys() == OURS[path]


PAGED = {
    "page_size",
    "cursor",
    "min_price",
    "max_price",
    "in_stock",
    "seller",
    "ordering",
}


def test_search_is_described_as_an_array_with_a_link(schema):
    described = answer(schema, "/product/search/")

    body = described["content"]["application/json"]["schema"]
    assert body["type"] == "array"
    assert resolve(schema, body["items"])["properties"].keys() >= {"id", "thumbnail"}
    assert "Link" in described["headers"]
    assert names_of_parameters(schema, "/product/search/") >= PAGED


def test_one_address_is_described_for_a_product_and_the_goods_of_a_category(schema):
    one = answer(schema, "/product/{product_id}/")
    (product_id,) = (
        each
        for each in schema["paths"]["/product/{product_id}/"]["get"]["parameters"]
        if each["name"] == "product_id"
    )

    product, goods = one["content"]["application/json"]["schema"]["anyOf"]
    assert "pictures" in resolve(schema, product)["properties"]
    assert goods["type"] == "array"
    number, category = product_id["schema"]["anyOf"]
    assert number["type"] == "integer"
    assert {"kitchen", "phones", "phonestablet"} <= {*category["enum"]}
    assert names_of_parameters(schema, "/product/{product_id}/") >= PAGED | {"product_id"}
    assert "/product/{category}/" not in schema["paths"]


def names_of_parameters(schema, path):
    return {item["name"] for item in schema["paths"][path]["get"]["parameters"]}


def test_home_is_described_with_six_arrays(schema):
    home = resolve(schema, answer(schema, "/")["content"]["application/json"]["schema"])

    assert set(home["required"]) == home["properties"].keys()
    assert {shelf["type"] for shelf in home["properties"].values()} == {"array"}
    assert len(home["properties"]) == 6


def test_a_listing_is_described_as_json_and_as_a_form(schema):
    operation = schema["paths"]["/create/"]["post"]

    assert operation["requestBody"]["content"].keys() == {
        "application/json",
        "multipart/form-data",
    }
    assert operation["security"] == [{"bearer": []}]
    assert operation["responses"].keys() >= {"201", "400", "401"}


@pytest.mark.parametrize(
    ("path", "method"), [("/", "get"), ("/cart/", "post"), ("/product/search/", "get")]
)
def test_public_endpoints_need_no_token(schema, path, method):
    assert not schema["paths"][path][method].get("security")


@pytest.mark.django_db
def test_the_schema_is_served(client):
    response = client.get("/schema/")

    assert response.status_code == 200
    assert b"openapi" in response.content


@pytest.mark.django_db
def test_asking_for_the_schema_again_and_again_writes_it_once(client, monkeypatch):
    monkeypatch.setattr(documentation, "_written", {})
    written = []
    monkeypatch.setattr(
        SchemaGenerator, "get_schema", lambda self, **_: written.append(1) or {"openapi": "3.0.3"}
    )

    answers = [client.get(f"/schema/?lang=sw&version={number}") for number in range(3)]

    assert written == [1]
    assert len({(answer.content, answer["ETag"]) for answer in answers}) == 1


@pytest.mark.django_db
def test_the_schema_is_not_sent_again_to_who_has_it(client):
    first = client.get("/schema/?format=json")

    again = client.get("/schema/?format=json", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] != client.get("/schema/")["ETag"]


@pytest.mark.django_db
def test_the_page_to_try_the_api_loads_nothing_from_elsewhere(client):
    response = client.get("/docs/")

    html = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', html) == []
    assert "<script>" not in html
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script" not in policy


def test_options_of_the_documentation_page_are_refused_and_break_nothing(api):
    assert api.options("/docs/").status_code == 405
