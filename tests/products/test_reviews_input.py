"""Validation of reviews and answers."""

import pytest

from products.models import Review

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("stars", [0, 6, -1, 10**30, 4.0, "4.0", True, None, [4], {"stars": 4}])
def test_stars_are_whole_numbers_from_one_to_five(buyer_api, line, stars):
    response = buyer_api.post(f"/track/{line.pk}/review/", {"stars": stars})

    assert response.status_code == 400
    assert Review.objects.count() == 0


def test_a_review_needs_stars(buyer_api, line):
    response = buyer_api.post(f"/track/{line.pk}/review/", {"text": "Good."})

    assert response.json() == {"stars": ["This field is required."]}


@pytest.mark.parametrize(
    "text", ["a" * 2001, "\x00", "bell\x07", "\x1b[31m", "a\x85b", None, [], {}, True]
)
def test_words_are_plain_text_of_at_most_2000_characters(buyer_api, line, text):
    response = buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4, "text": text})

    assert response.status_code == 400
    assert Review.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a" * 2000, "a" * 2000),
        ("  Good.\r\n\tCheap. ", "Good.\n\tCheap."),
        ("<b>Good</b> & 'cheap'", "<b>Good</b> & 'cheap'"),
        ("Nzuri sana 👍🏾", "Nzuri sana 👍🏾"),
        ("cafe\u0301", "caf\u00e9"),
        ("   ", ""),
    ],
)
def test_words_are_kept_as_they_were_meant(buyer_api, line, typed, kept):
    response = buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4, "text": typed})

    assert response.json()["text"] == kept
    assert Review.objects.get().text == kept


@pytest.mark.parametrize("body", [[], "x", 4, None, [{"stars": 4}], {"stars": {"a": [1]}}])
@pytest.mark.parametrize("method", ["post", "patch"])
def test_no_body_is_a_500(buyer_api, line, body, method):
    response = getattr(buyer_api, method)(f"/track/{line.pk}/review/", body, format="json")

    assert response.status_code in {400, 404}


def test_a_huge_body_is_refused(buyer_api, line):
    response = buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4, "text": "a" * 70_000})

    assert response.status_code == 413


@pytest.mark.parametrize("field", ["hidden", "answer", "buyer", "product", "created_at"])
def test_other_fields_of_a_review_cannot_be_written(buyer_api, line, field):
    buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4})
    before = Review.objects.values().get()

    buyer_api.patch(f"/track/{line.pk}/review/", {field: 1})

    assert Review.objects.values().get() == before


@pytest.mark.parametrize("text", ["", "   ", None, "a" * 2001, "\x07", ["x"]])
def test_an_answer_is_plain_text_with_something_to_read(buyer_api, seller_api, line, text):
    number = buyer_api.post(f"/track/{line.pk}/review/", {"stars": 4}).json()["id"]

    response = seller_api.post(f"/review/{number}/answer/", {"text": text})

    assert (response.status_code, list(response.json())) == (400, ["text"])
    assert Review.objects.get().answer == ""
