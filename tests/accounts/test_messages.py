"""/account/messages/: what somebody is told, how, and in which language."""

import pytest

from accounts.models import MessagePreferences
from accounts.preferences import change_preferences

pytestmark = pytest.mark.django_db

ALL = {
    "language": "en",
    "buying_email": True,
    "buying_sms": True,
    "prompts_email": True,
    "prompts_sms": True,
    "selling_email": True,
    "selling_sms": True,
}


def test_the_default_is_all_messages_in_english(amina_api):
    response = amina_api.get("/account/messages/")

    assert (response.status_code, response.json()) == (200, ALL)
    assert response["Cache-Control"] == "no-store"
    assert not MessagePreferences.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_omitted_preferences_stay_unchanged(amina_api, method):
    amina_api.patch("/account/messages/", {"selling_sms": False})

    response = getattr(amina_api, method)("/account/messages/", {"language": "sw"})

    assert response.json() == ALL | {"language": "sw", "selling_sms": False}
    assert amina_api.get("/account/messages/").json() == response.json()


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "fr"), ("language", None), ("language", ["en"]), ("language", 1)]
    + [("buying_sms", value) for value in (None, 1, "yes", "true", [], {}, 10**20)],
)
def test_a_bad_choice_is_refused_on_its_field(amina_api, field, value):
    response = amina_api.patch("/account/messages/", {field: value})

    assert (response.status_code, list(response.json())) == (400, [field])
    assert amina_api.get("/account/messages/").json() == ALL


@pytest.mark.parametrize("body", [[], [{}], "x", 1])
def test_a_body_that_is_no_object_is_refused(amina_api, body):
    assert amina_api.patch("/account/messages/", body).status_code == 400


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_strangers_read_and_change_nothing(api, db, method):
    assert getattr(api, method)("/account/messages/").status_code == 401


def test_users_cannot_change_anothers_preferences(amina_api, buyer_api):
    amina_api.patch("/account/messages/", {"language": "sw", "user": 1})

    assert buyer_api.get("/account/messages/").json() == ALL


def test_a_change_writes_the_named_choice_and_no_other(amina):
    change_preferences(amina, {"language": "sw"})
    change_preferences(amina, {"buying_sms": False})

    kept = MessagePreferences.objects.get()
    assert (kept.language, kept.buying_sms, kept.buying_email) == ("sw", False, True)
