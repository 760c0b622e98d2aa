"""Joining: who may take which name, and what the answer holds."""

import pytest
from django.utils import timezone

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SECRET = "a long enough secret"


def register(api, **fields):
    body = {"username": "amina", "password1": SECRET, "password2": SECRET, **fields}
    return api.post("/registration/", body)


def test_registering_answers_tokens_and_the_user(api):
    response = register(api, email="amina@example.com")

    user = User.objects.get()
    assert response.status_code == 201
    assert set(response.json()) == {"access", "refresh", "user"}
    assert response.json()["user"] == {
        "pk": user.pk,
        "username": "amina",
        "email": "amina@example.com",
        "first_name": "",
        "last_name": "",
    }


@pytest.mark.parametrize(
    ("asked", "language"), [({"HTTP_ACCEPT_LANGUAGE": "sw-KE,en;q=0.5"}, "sw"), ({}, "en")]
)
def test_messages_are_in_the_language_in_which_a_user_registered(api, asked, language):
    api.credentials(**asked)
    access = register(api).json()["access"]

    mine = api.get("/account/messages/", HTTP_AUTHORIZATION=f"Bearer {access}")
    assert mine.json()["language"] == language


def test_the_answered_access_token_opens_the_api(api):
    access = register(api).json()["access"]

    response = api.get("/user/", HTTP_AUTHORIZATION=f"Bearer {access}")

    assert response.json()["username"] == "amina"


def test_the_answered_refresh_token_can_be_exchanged(api):
    token = register(api).json()["refresh"]

    response = api.post("/token/refresh/", {"refresh": token})

    assert response.status_code == 200


def test_registering_sets_no_cookie(api):
    response = register(api, email="amina@example.com")

    assert response.status_code == 201
    assert not response.cookies


@pytest.mark.parametrize("nothing", ["", None])
def test_an_email_may_be_left_empty(api, nothing):
    response = register(api, email=nothing)

    assert response.status_code == 201
    assert User.objects.get().email == ""


def test_any_number_of_people_may_have_no_email(api):
    register(api, username="amina")

    response = register(api, username="wanjiku")

    assert response.status_code == 201


def test_a_username_is_taken_in_any_case(api):
    register(api, username="Amina")

    response = register(api, username="aMINA")

    assert response.status_code == 400
    assert response.json() == {"username": ["This username is taken."]}
    assert User.objects.count() == 1


def test_a_confirmed_email_is_taken_in_any_case(api):
    confirmed("amina", "Amina@Example.com")

    response = register(api, username="other", email="aMINA@eXAMPLE.COM")

    assert response.status_code == 400
    assert response.json() == {"email": ["Somebody is registered with this e-mail address."]}


def test_a_name_and_an_email_that_are_both_taken_are_both_named(api):
    confirmed("amina", "amina@example.com")

    response = register(api, username="amina", email="amina@example.com")

    assert set(response.json()) == {"username", "email"}


def confirmed(name, email):
    return UserFactory(username=name, email=email, email_confirmed_at=timezone.now())


def test_an_email_is_kept_as_typed_but_for_its_domain(api):
    register(api, email="Amina.W@Example.COM")

    assert User.objects.get().email == "Amina.W@example.com"


def test_full_width_letters_are_the_same_name_as_plain_ones(api):
    register(api, username="amina")

    response = register(api, username="\uff41\uff4d\uff49\uff4e\uff41")

    assert response.json() == {"username": ["This username is taken."]}


@pytest.mark.parametrize(
    "username",
    ["amina@example.com", "am ina", "аmina", "amina\u2044", "amina/", "amina\n2", "a" * 151],
)
def test_a_username_that_could_pose_as_another_is_refused(api, username):
    response = register(api, username=username)

    assert response.status_code == 400
    assert list(response.json()) == ["username"]
    assert not User.objects.exists()


def test_a_username_that_grows_too_long_when_made_plain_is_refused(api):
    response = register(api, username="㎏" * 100)

    assert list(response.json()) == ["username"]


@pytest.mark.parametrize("username", ["a", "Jo.hn_d-oe+1", "b" * 150])
def test_letters_digits_and_five_marks_make_a_username(api, username):
    response = register(api, username=username)

    assert response.status_code == 201
    assert User.objects.get().username == username


@pytest.mark.parametrize(
    "email", ["amina", "amina@", "a b@example.com", f"{'a' * 250}@example.com", 5, ["a@b.co"]]
)
def test_a_bad_email_is_refused(api, email):
    response = register(api, email=email)

    assert response.status_code == 400
    assert list(response.json()) == ["email"]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("sh0rt-1", "This password is too short. It must contain at least 8 characters."),
        ("password", "This password is too common."),
        ("8501726394", "This password is entirely numeric."),
        ("x" * 129, "Ensure this field has no more than 128 characters."),
    ],
)
def test_a_weak_password_is_refused(api, password, reason):
    response = register(api, password1=password, password2=password)

    assert response.status_code == 400
    assert reason in response.json()["password1"]
    assert not User.objects.exists()


def test_a_password_like_the_username_is_refused(api):
    response = register(api, username="wanjiku-n", password1="wanjiku-n1", password2="wanjiku-n1")

    assert response.json() == {"password1": ["The password is too similar to the username."]}


def test_a_long_password_is_refused_before_it_is_hashed(api, monkeypatch):
    hashed = []
    monkeypatch.setattr(User, "set_password", lambda self, raw: hashed.append(raw))

    register(api, password1="x" * 129, password2="x" * 129)

    assert hashed == []


@pytest.mark.parametrize("length", [8, 128])
def test_the_shortest_and_the_longest_password_are_taken(api, length):
    password = ("kx7-vq2mzp4w9hdt" * 8)[:length]

    response = register(api, password1=password, password2=password)

    assert response.status_code == 201


def test_two_different_passwords_are_refused(api):
    response = register(api, password2="a different secret")

    assert response.status_code == 400
    assert response.json() == {"password2": ["The two passwords are not the same."]}


def test_a_password_is_kept_as_typed_with_its_spaces(api):
    register(api, password1="  spaces around  ", password2="  spaces around  ")

    user = User.objects.get()
    assert user.check_password("  spaces around  ")
    assert not user.check_password("spaces around")


def test_privileges_in_the_body_are_ignored(api):
    response = register(
        api, is_staff=True, is_superuser=True, is_active=False, pk=99, id=99, groups=[1]
    )

    user = User.objects.get()
    assert response.status_code == 201
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert user.pk != 99
    assert user.groups.count() == 0


def test_missing_fields_are_named(api):
    response = api.post("/registration/", {})

    assert response.status_code == 400
    assert response.json() == {
        name: ["This field is required."] for name in ("username", "password1", "password2")
    }


def test_the_answer_may_not_be_kept_by_a_cache(api):
    response = register(api)

    assert response["Cache-Control"] == "no-store"
