"""Staff hide reviews with a reason and show them again, and both are audited."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from orders.reviews import review_line
from products.models import Review
from tests.factories import UserFactory
from tests.guards import balanced_books  # noqa: F401

from .conftest import sums

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("balanced_books")]

LIST = "/admin/products/review/"


@pytest.fixture
def review(buyer, line):
    return review_line(track_id=line.pk, buyer=buyer, stars=1, text="Rubbish!")


def staff_client(*permissions):
    """A client signed in as staff with these permissions, and the user."""
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")
    return client, person


def act(client, name, *reviews, **given):
    chosen = {"action": name, "_selected_action": [review.pk for review in reviews]}
    return client.post(LIST, chosen | given, follow=True)


def test_a_review_is_hidden_for_a_reason(api, review, kettle):
    client, person = staff_client("view_review", "hide_review")

    act(client, "hide", review, reason=" Names a rider. ")

    review.refresh_from_db()
    entry = LogEntry.objects.get()
    assert (review.hidden, review.hidden_reason) == (True, "Names a rider.")
    assert (entry.user, entry.object_id) == (person, str(review.pk))
    assert entry.get_change_message() == "Hidden: Names a rider."
    assert api.get(f"/product/{kettle.pk}/reviews/").json() == []
    assert sums(kettle) == ((0, 0), (0, 0))


def test_a_product_s_page_hides_its_review_and_shows_it_again(review, kettle):
    client, _ = staff_client("view_product", "view_review", "hide_review")
    page = f"/admin/products/product/{kettle.pk}/change/"
    chosen = {"_selected_action": review.pk, "from_page": page}
    assert 'name="from_page"' in client.get(page).content.decode()

    hidden = client.post(LIST, {"action": "hide", "reason": "Rude.", **chosen})
    review.refresh_from_db()
    assert (hidden.headers["Location"], review.hidden) == (f"{page}#reviews", True)

    client.post(LIST, {"action": "show", **chosen})
    review.refresh_from_db()
    assert review.hidden is False


def test_who_may_not_hide_reviews_finds_no_button_on_a_product_s_page(review, kettle):
    client, _ = staff_client("view_product", "view_review")

    page = client.get(f"/admin/products/product/{kettle.pk}/change/").content.decode()

    assert "Rubbish!" in page
    assert 'value="hide"' not in page


def test_the_page_has_one_place_for_the_reason(review):
    client, _ = staff_client("view_review", "hide_review")

    assert client.get(LIST).content.decode().count('name="reason"') == 1


def test_a_hidden_review_is_shown_again(api, review, kettle):
    client, _ = staff_client("view_review", "hide_review")
    act(client, "hide", review, reason="Names a rider.")

    act(client, "show", review)

    review.refresh_from_db()
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert (review.hidden, review.hidden_reason) == (False, "")
    assert said == ["Hidden: Names a rider.", "Shown again."]
    assert [row["id"] for row in api.get(f"/product/{kettle.pk}/reviews/").json()] == [review.pk]
    assert sums(kettle) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "Enter a reason"), ("   ", "Enter a reason"), ("a" * 201, "No action selected")],
)
def test_without_a_reason_nothing_is_hidden_and_staff_are_told(review, reason, told):
    client, _ = staff_client("view_review", "hide_review")

    page = act(client, "hide", review, reason=reason).content.decode()

    assert told in page
    assert not Review.objects.get().hidden
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("action", "times"), [("hide", 1), ("show", 0)])
def test_doing_it_again_counts_and_records_nothing(review, kettle, action, times):
    client, _ = staff_client("view_review", "hide_review")

    for _ in range(2):
        act(client, action, review, reason="Rude.")

    assert LogEntry.objects.count() == times
    assert sums(kettle)[0] == (1 - times, 1 - times)


def test_who_may_only_look_hides_nothing(review):
    client, _ = staff_client("view_review")

    page = client.get(LIST)
    act(client, "hide", review, reason="Rude.")

    assert page.status_code == 200
    assert b"Hide, with the reason given" not in page.content
    assert not Review.objects.get().hidden


@pytest.mark.parametrize("path", ["", "{pk}/change/"])
def test_who_may_not_look_sees_none(review, path):
    client, _ = staff_client()

    assert client.get(LIST + path.format(pk=review.pk)).status_code == 403


def test_nothing_of_a_review_is_written_added_or_deleted_here(review):
    client, _ = staff_client(
        "view_review", "change_review", "add_review", "delete_review", "hide_review"
    )
    before = Review.objects.values().get()

    client.post(f"{LIST}{review.pk}/change/", {"stars": 5, "text": "Good!", "hidden": "on"})
    refused = [
        client.post(f"{LIST}add/", {"stars": 5}),
        client.post(f"{LIST}{review.pk}/delete/", {"post": "yes"}),
    ]

    assert [response.status_code for response in refused] == [403, 403]
    assert Review.objects.values().get() == before


@pytest.mark.parametrize(
    ("typed", "found"),
    [("wanjiku", 1), ("AMINA", 1), ("nobody", 0), ("%", 0), ("9" * 40, 0), ("", 1)],
)
def test_reviews_are_found_by_buyer_and_seller(review, typed, found):
    client, _ = staff_client("view_review")

    assert client.get(LIST, {"q": typed}).context["cl"].result_count == found


def test_reviews_are_found_by_product(review, kettle):
    client, _ = staff_client("view_review")

    assert client.get(LIST, {"q": str(kettle.pk)}).context["cl"].result_count == 1
    assert client.get(LIST, {"q": str(kettle.pk + 1)}).context["cl"].result_count == 0


def test_an_edit_of_a_hidden_review_stays_out_of_sight_until_it_is_shown(
    api, buyer_api, review, kettle
):
    client, _ = staff_client("view_review", "hide_review")
    act(client, "hide", review, reason="Rude.")

    said = buyer_api.patch(f"/track/{review.line_id}/review/", {"stars": 3}).json()

    assert (said["stars"], said["hidden"]) == (3, True)
    assert sums(kettle) == ((0, 0), (0, 0))
    act(client, "show", review)
    assert sums(kettle) == ((3, 1), (3, 1))
