"""A phone that is linked to an account: what it opens, and what a stolen token cannot do."""

# ruff: noqa: F401, F811 - a fixture of others

import pytest
from django.core import mail
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIClient

from accounts import emails, phone_login, services
from accounts.addresses.services import add_address
from accounts.models import CodePurpose, PhoneLogin, User
from omachemainproj.api.errors import FieldRefusal
from tests.conftest import signed_in
from tests.factories import PASSWORD, AddressFactory, UserFactory

from .browser_client import later
from .conftest import bearer, log_in
from .phone_sign_in import PHONE, carrier, code_of, enter, link

pytestmark = pytest.mark.django_db


def test_a_phone_is_linked_to_an_account_with_a_password(carrier, amina, amina_api):
    answer = link(amina_api, carrier)

    assert answer.json() == {"phone": PHONE, "is_only_way_in": False}
    assert amina_api.get("/account/phone/").json() == answer.json()
    with later(minutes=2):
        assert enter(carrier).json()["user"]["pk"] == amina.pk
    assert log_in(APIClient(), "Amina").status_code == 200


def test_a_stolen_token_links_no_phone(carrier, amina_api):
    answer = amina_api.post("/account/phone/", {"phone": PHONE, "password": "wrong"})

    assert (answer.status_code, carrier.sent) == (400, [])


def test_a_code_of_one_person_links_nothing_to_another(carrier, amina_api, buyer_api):
    sent = amina_api.post("/account/phone/", {"phone": PHONE, "password": PASSWORD}).json()
    body = {"phone": PHONE, "token": sent["token"], "code": carrier.code}

    assert buyer_api.post("/account/phone/confirm/", body).status_code == 400


def test_a_phone_of_another_account_is_not_taken_from_it(carrier, amina_api):
    enter(carrier)

    with later(minutes=2):
        assert code_of(link(amina_api, carrier)) == (409, "phone_taken")


def test_other_database_errors_are_not_reported_as_a_taken_phone(amina, monkeypatch):
    def refuse(**_):
        raise IntegrityError("another constraint")

    monkeypatch.setattr(PhoneLogin.objects, "update_or_create", refuse)

    with pytest.raises(IntegrityError):
        phone_login.link(amina, PHONE, timezone.now())


def test_staff_link_no_phone(carrier):
    clerk = UserFactory(is_staff=True)
    answer = signed_in(clerk).post("/account/phone/", {"phone": PHONE, "password": PASSWORD})

    assert (code_of(answer), carrier.sent) == ((403, "use_password"), [])


def test_a_phone_is_taken_away_where_there_is_a_password(carrier, amina, amina_api):
    link(amina_api, carrier)

    assert amina_api.delete("/account/phone/").status_code == 204
    assert amina_api.delete("/account/phone/").status_code == 204
    with later(minutes=2):
        assert enter(carrier).json()["user"]["pk"] != amina.pk


def test_the_only_way_in_is_not_taken_away(carrier):
    api = bearer(enter(carrier).json()["access"])

    assert code_of(api.delete("/account/phone/")) == (409, "no_other_way_in")


def test_a_user_who_joined_by_phone_sets_a_password_with_a_code(carrier):
    joined = enter(carrier).json()
    api = bearer(joined["access"])
    with later(minutes=2):
        sent = api.post("/account/phone/code/").json()
        new = {"new_password1": "githeri 4 chapati", "new_password2": "githeri 4 chapati"}
        answer = api.post("/password/set/", {"token": sent["token"], "code": carrier.code, **new})

        assert answer.status_code == 200
        assert api.get("/me/").status_code == 401
        assert bearer(answer.json()["access"]).get("/me/").status_code == 200
    again = log_in(APIClient(), joined["user"]["username"], "githeri 4 chapati")
    assert again.status_code == 200


def test_a_stolen_token_sets_no_password(carrier):
    api = bearer(enter(carrier).json()["access"])
    new = {"new_password1": "githeri 4 chapati", "new_password2": "githeri 4 chapati"}

    answer = api.post("/password/set/", {"token": "x", "code": "123456", **new})

    assert answer.status_code == 400


def test_a_user_who_joined_by_phone_deletes_the_account_with_a_code(carrier):
    joined = enter(carrier).json()
    api = bearer(joined["access"])
    assert api.post("/account/delete/", {"password": ""}).status_code == 400
    with later(minutes=2):
        sent = api.post("/account/phone/code/").json()
        wrong = api.post("/account/delete/", {"token": sent["token"], "phone_code": "x"})
        gone = api.post("/account/delete/", {"token": sent["token"], "phone_code": carrier.code})

    assert (wrong.status_code, gone.status_code) == (400, 200)
    with later(minutes=4):
        assert enter(carrier).json()["user"]["pk"] != joined["user"]["pk"]


def test_a_user_without_a_phone_is_sent_no_code(carrier, amina_api):
    assert amina_api.post("/account/phone/code/").status_code == 404


def test_a_purpose_is_one_there_is():
    assert set(CodePurpose.values) == {"login", "link", "own"}


def test_an_sms_replaces_no_password_of_staff(carrier):
    joined = enter(carrier).json()
    person = User.objects.get(pk=joined["user"]["pk"])
    api = signed_in(person)
    with later(minutes=2):
        sent = api.post("/account/phone/code/").json()
        User.objects.filter(pk=person.pk).update(is_staff=True)
        new = {"new_password1": "githeri 4 chapati", "new_password2": "githeri 4 chapati"}
        chosen = api.post("/password/set/", {"token": sent["token"], "code": carrier.code, **new})
    with later(minutes=4):
        asked = api.post("/account/phone/code/")

    assert code_of(chosen) == (403, "use_password")
    assert (code_of(asked), len(carrier.sent)) == ((403, "use_password"), 2)
    person.refresh_from_db()
    assert not person.has_usable_password()


def test_the_first_to_read_an_inbox_has_the_account_alone(carrier, amina, amina_api):
    """Whoever typed an address that is not theirs left a phone, an address and a number to call."""
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=None)
    link(amina_api, carrier)
    amina_api.patch("/account/", {"phone": PHONE})
    AddressFactory(user=amina)
    uid, token = emails._link(amina).rsplit("/", 2)[1:]
    new = {"new_password1": "githeri 4 chapati", "new_password2": "githeri 4 chapati"}

    reset = APIClient().post("/password/reset/confirm/", {"uid": uid, "token": token, **new})

    assert reset.status_code == 200
    amina.refresh_from_db()
    assert (amina.phone, amina.addresses.count(), phone_login.phone_of(amina)) == ("", 0, "")
    with later(minutes=2):
        assert enter(carrier).json()["user"]["pk"] != amina.pk


@pytest.mark.parametrize(
    "write",
    [
        lambda amina: phone_login.link(amina, PHONE, timezone.now()),
        lambda amina: services.change_details(amina, {"email": "thief@example.com"}),
        lambda amina: add_address(
            amina, {"recipient": "A", "phone": PHONE, "county": "nairobi", "area": "Ngara"}
        ),
    ],
    ids=["a phone", "an e-mail", "an address"],
)
def test_a_request_from_before_a_reset_that_waited_for_it_leaves_nothing_in_the_account(
    amina, write
):
    """Whoever had the account could otherwise sign in again by what they leave."""
    before = User.objects.get(pk=amina.pk)
    services.reset_password(amina, new="githeri 4 chapati")

    with pytest.raises(AuthenticationFailed, match="password was changed"):
        write(before)

    amina.refresh_from_db()
    assert (amina.email, amina.addresses.count()) == (before.email, 0)
    assert phone_login.phone_of(amina) == ""


def test_a_link_sets_no_password_once_the_e_mail_was_changed_while_it_was_read(amina):
    read = User.objects.get(pk=amina.pk)
    services.change_details(amina, {"email": "thief@example.com"})

    with pytest.raises(FieldRefusal, match="no longer valid"):
        services.reset_password(read, new="githeri 4 chapati")

    assert User.objects.get(pk=amina.pk).check_password(PASSWORD)


def test_a_reset_of_a_confirmed_inbox_keeps_the_phone_and_the_addresses(carrier, amina, amina_api):
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=timezone.now())
    link(amina_api, carrier)
    AddressFactory(user=amina)
    amina.refresh_from_db()

    services.reset_password(amina, new="githeri 4 chapati")

    assert (amina.addresses.count(), phone_login.phone_of(amina)) == (1, PHONE)


def test_a_phone_that_is_linked_and_removed_is_told_to_the_inbox(carrier, amina, amina_api):
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=timezone.now())
    link(amina_api, carrier)
    amina_api.delete("/account/phone/")
    emails._sender.submit(lambda: None).result()

    assert [letter.subject for letter in mail.outbox] == [
        "A phone number was added to your O-Mache sign-in",
        "A phone number was removed from your O-Mache sign-in",
    ]
