"""/user/: one's own names, and nothing more."""

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import details
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def test_a_user_reads_themselves_in_dj_rest_auths_shape(amina, amina_api):
    response = amina_api.get("/user/")

    assert response.status_code == 200
    assert response.json() == {
        "pk": amina.pk,
        "username": "Amina",
        "email": "Amina@example.com",
        "first_name": "",
        "last_name": "",
        "email_confirmed": False,
        "phone": "",
    }
    assert response["Cache-Control"] == "no-store"


def test_a_user_reads_whether_their_email_is_confirmed(amina, amina_api):
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=timezone.now())
    assert amina_api.get("/user/").json()["email_confirmed"] is True

    changed = amina_api.patch("/user/", {"email": "neema@example.com", "password": PASSWORD})
    assert changed.json()["email_confirmed"] is False


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_strangers_read_and_change_nothing(api, db, method):
    assert getattr(api, method)("/user/").status_code == 401


def test_a_change_is_kept_and_answered(amina, amina_api):
    response = amina_api.patch("/user/", {"first_name": "Amina", "last_name": "Wanjikũ"})

    amina.refresh_from_db()
    assert response.status_code == 200
    assert response.json()["last_name"] == "Wanjikũ"
    assert (amina.first_name, amina.last_name) == ("Amina", "Wanjikũ")


def test_put_takes_the_username_and_keeps_what_is_left_out(amina, amina_api):
    amina_api.patch("/user/", {"first_name": "Amina"})

    response = amina_api.put("/user/", {"username": "amina2"})

    assert response.json()["username"] == "amina2"
    assert response.json()["first_name"] == "Amina"


def test_put_needs_the_username(amina_api):
    response = amina_api.put("/user/", {"first_name": "Amina"})

    assert response.json() == {"username": ["This field is required."]}


def test_details_that_were_read_can_be_put_back(amina, amina_api):
    body = amina_api.get("/user/").json()

    response = amina_api.put("/user/", body)

    assert response.status_code == 200
    assert response.json() == body


def test_the_case_of_ones_own_name_can_be_changed(amina, amina_api):
    response = amina_api.patch("/user/", {"username": "AMINA"})

    assert response.json()["username"] == "AMINA"


def test_another_users_username_is_taken_in_any_case(amina_api, buyer):
    response = amina_api.patch("/user/", {"username": "WANJIKU"})

    assert response.status_code == 400
    assert response.json() == {"username": ["This username is taken."]}


@pytest.mark.parametrize("username", ["a@b.co", "", "a b", None, "x" * 151])
def test_a_bad_username_is_refused(amina, amina_api, username):
    response = amina_api.patch("/user/", {"username": username})

    assert list(response.json()) == ["username"]
    assert User.objects.get().username == "Amina"


def test_a_new_email_needs_the_password(amina, amina_api):
    response = amina_api.patch("/user/", {"email": "new@example.com"})

    assert response.status_code == 400
    assert response.json() == {"password": ["Give your password to change your e-mail."]}
    assert User.objects.get().email == "Amina@example.com"


def test_a_wrong_password_changes_no_email(amina_api):
    response = amina_api.patch("/user/", {"email": "new@example.com", "password": "a guess"})

    assert response.status_code == 400


def test_with_the_password_the_email_is_changed(amina, amina_api):
    response = amina_api.patch("/user/", {"email": "new@Example.com", "password": PASSWORD})

    assert response.status_code == 200
    assert response.json()["email"] == "new@example.com"


def test_another_users_email_is_taken_in_any_case(amina_api):
    UserFactory(email="taken@example.com", email_confirmed_at=timezone.now())

    response = amina_api.patch("/user/", {"email": "TAKEN@example.com", "password": PASSWORD})

    assert response.json() == {"email": ["Somebody is registered with this e-mail address."]}


def test_privileges_and_the_password_are_left_alone(amina, amina_api):
    before = User.objects.values().get()

    response = amina_api.patch(
        "/user/",
        {
            "is_staff": True,
            "is_superuser": True,
            "is_active": False,
            "pk": 99,
            "id": 99,
            "password": "quite another secret",
            "date_joined": "2000-01-01",
            "user_permissions": [1],
        },
    )

    assert response.status_code == 200
    assert User.objects.values().get() == before


def test_no_other_users_row_changes(amina_api, buyer):
    before = User.objects.values().get(pk=buyer.pk)

    amina_api.patch("/user/", {"pk": buyer.pk, "first_name": "Mine"})

    assert User.objects.values().get(pk=buyer.pk) == before


@pytest.mark.parametrize("path", ["/user/", "/account/"])
def test_a_change_undoes_nothing_an_admin_did_meanwhile(amina, monkeypatch, path):
    client = signed_in(amina)
    update = details.update_columns

    def meanwhile(user, changes):
        # An admin closes the account between the moment it was read and the moment it is written.
        User.objects.filter(pk=user.pk).update(is_active=False, password="set by an admin")
        update(user, changes)

    monkeypatch.setattr(details, "update_columns", meanwhile)

    response = client.patch(path, {"first_name": "Amina"})

    amina.refresh_from_db()
    assert response.status_code == 200
    assert (amina.is_active, amina.password) == (False, "set by an admin")
    assert amina.first_name == "Amina"


@pytest.mark.parametrize("path", ["/user/", "/account/"])
def test_a_user_deleted_meanwhile_is_a_401(amina, monkeypatch, path):
    client = signed_in(amina)
    update = details.update_columns

    def meanwhile(user, changes):
        User.objects.filter(pk=user.pk).delete()
        update(user, changes)

    monkeypatch.setattr(details, "update_columns", meanwhile)

    response = client.patch(path, {"first_name": "Amina"})

    assert response.status_code == 401
    assert response.json()["code"] == "user_not_found"


@pytest.mark.parametrize("method", ["post", "delete"])
def test_other_methods_are_refused(amina_api, method):
    assert getattr(amina_api, method)("/user/").status_code == 405
