"""GET /pickup-points/: where parcels may be sent to, for everybody."""

import pytest

from accounts.counties import County

from .deliveries import a_point

pytestmark = pytest.mark.django_db


def names(answer):
    assert answer.status_code == 200, answer.json()
    return [point["name"] for point in answer.json()]


def test_a_point_says_where_it_is_and_when_it_is_open(api):
    point = a_point(directions="Beside the chemist.")

    assert api.get("/pickup-points/").json() == [
        {
            "id": point.pk,
            "name": "Kilimani Pick-up",
            "county": "nairobi",
            "county_name": "Nairobi City",
            "area": "Argwings Kodhek Road",
            "directions": "Beside the chemist.",
            "opening_hours": "Mon–Sat 8:00–19:00",
            "phone": "254711000111",
        }
    ]


def test_closed_points_are_not_listed(api):
    a_point("Open")
    a_point("Closed", is_open=False)

    assert names(api.get("/pickup-points/")) == ["Open"]


def test_points_of_one_county(api):
    a_point("Kilimani")
    a_point("Nyali", "mombasa")

    assert names(api.get("/pickup-points/?county=mombasa")) == ["Nyali"]
    assert names(api.get("/pickup-points/?county=lamu")) == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("county=Nairobi", "county"),
        ("county=", "county"),
        ("county=nairobi&county=lamu", "county"),
        ("page_size=0", "page_size"),
        ("cursor=x", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(api, query, error):
    answer = api.get(f"/pickup-points/?{query}")

    assert (answer.status_code, list(answer.json())) == (400, [error])


def test_pages_follow_each_other(api, django_assert_num_queries):
    for number, county in enumerate(County.values[:30]):
        a_point(f"Point {number}", county)
    first = api.get("/pickup-points/")
    with django_assert_num_queries(1):
        second = api.get(first["Link"].split(">")[0].removeprefix("<http://testserver"))

    assert names(first) + names(second) == [f"Point {number}" for number in range(30)]
    assert "Link" not in second


def test_pickup_points_may_be_cached(api):
    answer = api.get("/pickup-points/")

    assert answer["Cache-Control"] == "public, max-age=300"
