"""Names, e-mails and passwords as people paste them and as their keyboards write them."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password, make_password
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import emails, services
from accounts.backends import UsernameOrEmailBackend
from accounts.models import User
from accounts.validators import normalise_email
from tests.factories import PASSWORD, UserFactory

from .conftest import log_in

pytestmark = pytest.mark.django_db

#: "mũhũ wa ﬁsi" as a Mac, a phone and a PDF write it.
COMPOSED, DECOMPOSED = "m\u0169h\u0169 wa fisi", "mu\u0303hu\u0303 wa fisi"
JOINED, PASTED = "mũhũ\u00a0wa ﬁsi", "\u2068mũhũ wa fi\u00adsi\u2069\u200b"


def register(api, **given):
    pair = {"password1": "sukuma wiki 7", "password2": "sukuma wiki 7"}
    return api.post("/registration/", {"username": "juma", **pair, **given})


@pytest.mark.parametrize(
    "name",
    [
        "\u2068Amina\u2069",
        "ami\u200bna",
        "Ａｍｉｎａ",
        "amina\u00ad\ufeff",
        "\u200eamina@example.com\u200f",
        "amina＠example.com",
        "Ａmina@Example。com",
        "ami\u2060na@exam\u00adple.com",
        "mailto:amina@example.com",
    ],
)
def test_a_pasted_name_signs_in(api, amina, name):
    assert log_in(api, name).json()["user"]["pk"] == amina.pk


@pytest.mark.parametrize("username", ["ju\u200bma", "\u2068juma\u2069", "ｊｕｍａ", "juma\ufeff"])
def test_a_username_is_kept_in_one_form_and_taken_in_all(api, username):
    assert register(api, username=username).json()["user"]["username"] == "juma"

    again = register(api, username="Ju\u00adma")
    assert again.json() == {"username": ["This username is taken."]}


def test_an_email_is_kept_in_one_form_and_taken_in_all(api):
    first = register(api, email="\u2068Juma＠Ｅxample。com\u2069")
    assert first.json()["user"]["email"] == "Juma@example.com"
    User.objects.update(email_confirmed_at=timezone.now())

    again = register(api, username="other", email="ju\u200bma@example.com")
    assert again.json() == {"email": ["Somebody is registered with this e-mail address."]}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("info@xn--bcher-kva.example", "info@bücher.example"),
        ("info@BÜCHER.example", "info@bücher.example"),
        ("info@bu\u0308cher.example", "info@bücher.example"),
        ("info@XN--BCHER-KVA.EXAMPLE", "info@bücher.example"),
        # Stands for nothing, or for what is not its own form: as it was sent.
        ("info@xn--.example", "info@xn--.example"),
        ("info@xn--a-.example", "info@xn--a-.example"),
        ("info@xn--99999999999.example", "info@xn--99999999999.example"),
        ("Info@Example.com", "Info@example.com"),
        ("no e-mail", "no e-mail"),
        ("", ""),
    ],
)
def test_a_domain_in_its_own_letters_has_one_form(typed, kept):
    assert normalise_email(typed) == kept
    assert normalise_email(kept) == kept


@pytest.mark.parametrize("typed", ["info@xn--bcher-kva.example", "info@BÜCHER.example"])
def test_a_person_at_such_a_domain_is_found_in_every_form(typed):
    person = UserFactory(email="info@bücher.example")

    assert User.objects.known_as(typed).get() == person


@pytest.mark.parametrize("one", [COMPOSED, DECOMPOSED, JOINED, PASTED])
@pytest.mark.parametrize("other", [COMPOSED, DECOMPOSED, JOINED, PASTED])
def test_a_password_set_on_one_keyboard_is_typed_on_another(api, one, other):
    assert register(api, password1=one, password2=one).status_code == 201

    assert log_in(api, "juma", other).status_code == 200
    assert log_in(api, "juma", COMPOSED.upper()).status_code == 400


def test_the_two_passwords_may_come_from_two_keyboards(api):
    assert register(api, password1=COMPOSED, password2=DECOMPOSED).status_code == 201


@pytest.mark.parametrize("old", [DECOMPOSED, JOINED, PASTED])
def test_a_password_hashed_before_passwords_had_one_form_still_works(api, amina, old):
    User.objects.filter(pk=amina.pk).update(password=make_password(old))

    assert log_in(api, "amina", old).status_code == 200
    assert log_in(api, "amina", "another").status_code == 400


def test_a_password_is_judged_by_what_it_comes_to(api):
    for hollow in ("\u200b" * 12, "abc" + "\u2060" * 9, "ｐａｓｓｗｏｒｄ１"):
        answer = register(api, password1=hollow, password2=hollow)
        assert answer.status_code == 400
        assert "password1" in answer.json()


def test_every_door_hashes_the_one_form(api, amina_api, amina):
    change = {"old_password": PASSWORD, "new_password1": DECOMPOSED, "new_password2": DECOMPOSED}
    assert amina_api.post("/password/change/", change).status_code == 200
    amina.refresh_from_db()
    assert check_password(COMPOSED, amina.password)

    sent = {"username": "root", "email": "Root＠Example.com", "password": DECOMPOSED}
    for create in (User.objects.create_user, User.objects.create_superuser):
        person = create(**sent)
        assert check_password(COMPOSED, person.password)
        assert person.email == "Root@example.com"
        person.delete()

    amina.set_password(PASTED)
    assert check_password(COMPOSED, amina.password)


def test_the_old_password_is_asked_for_in_any_form(amina_api, amina):
    amina.set_password(COMPOSED)
    amina.save()
    change = {
        "old_password": DECOMPOSED,
        "new_password1": "sukuma wiki 7",
        "new_password2": "sukuma wiki 7",
    }
    client = log_in(amina_api, "amina", DECOMPOSED).json()["access"]
    amina_api.credentials(HTTP_AUTHORIZATION=f"Bearer {client}")

    assert amina_api.post("/password/change/", change).status_code == 200


def test_the_first_superuser_is_made_in_one_form(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", DECOMPOSED)

    call_command(
        "createsuperuser", "--noinput", username="root", email="root@Example.com", verbosity=0
    )

    root = User.objects.get(username="root")
    assert check_password(COMPOSED, root.password)
    assert root.email == "root@example.com"


@pytest.mark.parametrize(("password", "hashes"), [("plain", 1), (DECOMPOSED, 2)])
def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(amina, monkeypatch, password, hashes):
    counted = []
    monkeypatch.setattr(User, "set_password", lambda self, typed: counted.append(typed))

    assert UsernameOrEmailBackend().authenticate(None, "nobody", password) is None

    assert len(counted) == hashes


def test_five_wrong_passwords_are_five_however_the_name_is_written(api, amina, settings):
    settings.LOCKOUT = True
    names = ["amina", "ami\u200bna", "ａmina", "\u2068amina\u2069", "Amina\u00ad"]

    answers = [log_in(api, name, "wrong").status_code for name in names]

    assert answers[-1] == 429
    assert log_in(api, "amina", PASSWORD).status_code == 429


def test_spellings_of_one_name_share_the_five_tries_of_the_admin_log_in(client, amina, settings):
    settings.LOCKOUT = True
    names = ["amina", "ami\u200bna", "am\u200bina", "\u2068amina\u2069", "Amina\u00ad"]

    for name in names:
        answer = client.post("/admin/login/", {"username": name, "password": "wrong"})

    assert answer.status_code == 429


def test_services_hash_the_one_form_themselves(amina):
    services.change_password(amina, new=DECOMPOSED)
    assert check_password(COMPOSED, amina.password)

    services.reset_password(amina, new=JOINED)
    assert check_password(COMPOSED, amina.password)


def test_a_link_to_reset_is_asked_for_and_followed_as_pasted(api, amina, monkeypatch):
    monkeypatch.setattr(emails._sender, "submit", lambda send, message: send(message))
    assert (
        api.post("/password/reset/", {"email": "\u2068amina＠example.com\u2069"}).status_code == 200
    )
    *_, uid, token = mail.outbox[0].body.split("/confirm/")[1].split("\n")[0].split("/")

    answer = api.post(
        "/password/reset/confirm/",
        {
            "uid": f"\u200b{uid}",
            "token": f"{token[:9]}\u200b{token[9:]}",
            "new_password1": DECOMPOSED,
            "new_password2": COMPOSED,
        },
    )

    assert answer.status_code == 200
    assert log_in(api, "amina", COMPOSED).status_code == 200


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ngu\u0303gi\u0303", "Ngũgĩ"),
        ("\u202eAmina\u2069", "Amina"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("👩\u200d💻 Amina", "👩\u200d💻 Amina"),
    ],
)
def test_a_persons_own_name_is_shown_as_it_is_meant(amina_api, typed, kept):
    for path in ("/account/", "/user/"):
        answer = amina_api.patch(path, {"first_name": typed})
        assert answer.json()["first_name"] == kept
    assert amina_api.patch("/account/", {"gender": typed}).json()["gender"] == kept


def test_emails_of_before_get_their_form_but_for_one_that_is_taken():
    migration = importlib.import_module("accounts.migrations.0005_one_form_of_emails")
    first, taken, other = UserFactory(), UserFactory(), UserFactory()
    User.objects.filter(pk=first.pk).update(email="a@xn--bcher-kva.example")
    User.objects.filter(pk=taken.pk).update(email="b@xn--bcher-kva.example")
    User.objects.filter(pk=other.pk).update(email="B@bücher.example")

    for _ in range(2):
        migration.give_one_form(apps, SimpleNamespace(connection=connection))

    emails_now = [User.objects.get(pk=person.pk).email for person in (first, taken, other)]
    assert emails_now == ["a@bücher.example", "b@xn--bcher-kva.example", "B@bücher.example"]
