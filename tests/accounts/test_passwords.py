"""Changing and resetting passwords: every token of before is out, and nobody learns who is here."""

import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from accounts import emails as mails
from accounts.models import User
from accounts.preferences import change_preferences
from daraja_simulator.tests.waiting import PATIENCE
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory, proven
from tests.threads import at_once

from .conftest import bearer, log_in, refresh

pytestmark = pytest.mark.django_db

NEW = "quite another secret"


def change(client, old=PASSWORD, new=NEW, again=None):
    return client.post(
        "/password/change/",
        {"old_password": old, "new_password1": new, "new_password2": again or new},
    )


def test_a_password_is_changed(api, amina, amina_api):
    response = change(amina_api)

    assert response.status_code == 200
    assert response.json()["detail"] == "New password has been saved."
    assert log_in(api, "Amina", NEW).status_code == 200
    assert log_in(api, "Amina", PASSWORD).status_code == 400


def test_every_token_of_before_is_out_at_once(pair):
    change(bearer(pair["access"]))

    assert bearer(pair["access"]).get("/user/").status_code == 401
    assert refresh(pair["refresh"]).status_code == 401


def test_changing_the_password_returns_new_tokens(pair):
    fresh = change(bearer(pair["access"])).json()

    assert bearer(fresh["access"]).get("/user/").status_code == 200
    assert refresh(fresh["refresh"]).status_code == 200


def test_the_password_before_is_needed(amina, amina_api):
    response = change(amina_api, old="a guess")

    assert response.status_code == 400
    assert response.json() == {"old_password": ["This is not your password."]}
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {"new": "a long enough one", "again": "another long one"},
            {"new_password2": ["The two passwords are not the same."]},
        ),
        (
            {"new": "sh0rt-1"},
            {
                "new_password1": [
                    "This password is too short. It must contain at least 8 characters."
                ]
            },
        ),
        ({"new": "password"}, {"new_password1": ["This password is too common."]}),
    ],
)
def test_a_bad_new_password_is_refused(amina, amina_api, fields, errors):
    response = change(amina_api, **fields)

    assert response.status_code == 400
    assert response.json() == errors
    assert User.objects.get().check_password(PASSWORD)


def test_changing_a_password_needs_a_signed_in_user(api, db):
    assert change(api).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_changes_succeeds(amina):
    first, second = signed_in(amina), signed_in(amina)

    answers = at_once(
        lambda: change(first, new="the first secret"),
        lambda: change(second, new="the second secret"),
    )

    # The loser meets either the changed password or its own dead token.
    won = [answer.status_code for answer in answers].index(200)
    assert answers[1 - won].status_code in {400, 401}
    secret = ("the first secret", "the second secret")[won]
    assert User.objects.get().check_password(secret)


def ask(api, email):
    return api.post("/password/reset/", {"email": email})


def inbox(count=1):
    """The mails sent, once there are so many: they leave from another thread."""
    deadline = time.monotonic() + PATIENCE
    while len(mail.outbox) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return mail.outbox


def link(count=1):
    return re.search(r"https?://\S+", inbox(count)[-1].body)[0]


def confirm(api, address, new=NEW, **fields):
    uid, token = address.split("/")[-2:]
    body = {"uid": uid, "token": token, "new_password1": new, "new_password2": new, **fields}
    return api.post("/password/reset/confirm/", body)


def nobody_was_written_to():
    # Mails leave one after the other, so one asked for before this has arrived.
    mails._sender.submit(lambda: None).result()
    return mail.outbox == []


@pytest.mark.parametrize("typed", ["Amina@Example.com", "aMINA@eXAMPLE.COM"])
def test_a_link_is_mailed_to_the_address_we_know(api, amina, settings, typed):
    settings.FRONTEND_URL = "https://omache.example"

    response = ask(api, typed)

    (message,) = inbox()
    assert response.status_code == 200
    assert message.to == ["Amina@example.com"]
    assert message.subject == "Choose a new O-Mache password"
    assert message.body.startswith("Hello,\n")
    assert link().startswith("https://omache.example/password/reset/confirm/")


def test_the_answer_is_the_same_for_a_stranger(api, amina):
    known = ask(api, "amina@example.com")
    unknown = ask(api, "nobody@example.com")

    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert len(inbox()) == 1


@pytest.mark.parametrize("email", ["nobody@example.com", "closed@example.com"])
def test_strangers_and_closed_accounts_get_no_mail(api, db, email):
    UserFactory(email="closed@example.com", is_active=False)

    ask(api, email)

    assert nobody_was_written_to()


def test_a_stranger_costs_as_many_queries(api, amina, django_assert_num_queries):
    # the person; savepoint; two windows: made, locked, counted in; release
    for typed in ["nobody@example.com", "amina@example.com"] * 2:
        with django_assert_num_queries(6):
            ask(api, typed)
    inbox()


def mails_of(api, hours, typed, every):
    """How many mails some hours of asking make, so many minutes apart."""
    mail.outbox.clear()
    with time_machine.travel(timezone.now(), tick=False) as now:
        for n in range(hours * 60 // every):
            assert ask(api, typed[n % len(typed)]).status_code == 200
            now.shift(every * 60)
    mails._sender.submit(lambda: None).result()
    return len(mail.outbox)


def test_an_inbox_that_never_proved_itself_gets_three_mails_a_day_whatever_is_typed(api, db):
    # Two accounts, one inbox: with a tag, and with Google's dots.
    UserFactory(email="vic.tim@gmail.com")
    UserFactory(email="victim+shop@googlemail.com")
    typed = ["vic.tim@gmail.com", "VICTIM+shop@googlemail.com"]

    assert mails_of(api, 1, typed, every=3) == 3
    assert mails_of(api, 23, typed, every=60) == 0


def test_a_confirmed_inbox_is_limited_but_always_has_a_valid_link(api, amina):
    proven(amina)

    assert mails_of(api, 2, ["amina@example.com"], every=6) == 6


def test_the_pause_between_mails_is_every_processs(api, amina):
    ask(api, "amina@example.com")
    cache.clear()
    ask(api, "amina@example.com")

    mails._sender.submit(lambda: None).result()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(("confirmed", "greeting"), [(False, "Hello,"), (True, "Hello Amina,")])
def test_a_name_a_user_typed_goes_only_to_an_inbox_that_was_confirmed(
    api, amina, confirmed, greeting
):
    if confirmed:
        proven(amina)

    ask(api, "amina@example.com")

    assert inbox()[0].body.splitlines()[0] == greeting


def test_the_mail_is_in_the_readers_language(api, amina):
    change_preferences(amina, {"language": "sw"})

    ask(api, "amina@example.com")

    assert inbox()[0].subject == "Chagua nenosiri jipya la O-Mache"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twelve_who_ask_for_a_link_at_once_make_one_mail(amina):
    at_once(*[lambda: ask(APIClient(), "amina@example.com")] * 12)

    mails._sender.submit(lambda: None).result()
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_down_is_nobodys_500(api, amina, settings, caplog):
    settings.EMAIL_BACKEND = "nowhere.EmailBackend"

    response = ask(api, "amina@example.com")

    mails._sender.submit(lambda: None).result()
    assert response.status_code == 200


@pytest.mark.parametrize("email", ["", "amina", None, 5, ["a@b.co"], "a@b.co\nBcc: c@d.co"])
def test_an_invalid_email_is_refused(api, db, email):
    response = ask(api, email)

    assert response.status_code == 400
    assert list(response.json()) == ["email"]


def test_the_link_sets_a_new_password(api, amina):
    ask(api, "amina@example.com")

    response = confirm(api, link())

    assert response.status_code == 200
    assert response.json() == {"detail": "Password has been reset with the new password."}
    assert log_in(api, "Amina", NEW).status_code == 200


def test_a_reset_ends_every_token_of_before(api, pair):
    ask(api, "amina@example.com")

    confirm(api, link())

    assert bearer(pair["access"]).get("/user/").status_code == 401
    assert refresh(pair["refresh"]).status_code == 401


OVER = {"token": ["This link is no longer valid. Request a new one."]}


def test_the_link_works_once(api, amina):
    ask(api, "amina@example.com")
    confirm(api, link())

    response = confirm(api, link(), new="a third long secret")

    assert response.status_code == 400
    assert response.json() == OVER


@pytest.mark.django_db(transaction=True)
def test_the_link_followed_twice_at_once_works_once(api, amina):
    ask(api, "amina@example.com")
    address = link()

    answers = at_once(
        lambda: confirm(api, address, new="the first secret"),
        lambda: confirm(api, address, new="the second secret"),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 400]


def test_the_link_ends_after_an_hour(api, amina):
    ask(api, "amina@example.com")
    address = link()

    with time_machine.travel(timezone.localtime() + timedelta(hours=1, seconds=5)):
        assert confirm(api, address).json() == OVER


def test_signing_in_meanwhile_ends_the_link(api, amina):
    ask(api, "amina@example.com")
    address = link()
    log_in(api, "Amina")

    assert confirm(api, address).json() == OVER


def test_a_closed_account_cannot_be_opened_by_its_link(api, amina):
    ask(api, "amina@example.com")
    address = link()
    User.objects.update(is_active=False)

    assert confirm(api, address).json() == OVER


def test_a_link_with_another_users_uid_is_invalid(api, amina, buyer):
    ask(api, "amina@example.com")

    response = confirm(api, link(), uid=urlsafe_base64_encode(str(buyer.pk).encode()))

    assert response.json() == OVER


@pytest.mark.parametrize("uid", ["x", "!!", "MQ" * 30, "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
def test_a_link_that_makes_no_sense_is_answered_alike(api, amina, uid):
    ask(api, "amina@example.com")

    response = confirm(api, link(), uid=uid)

    assert response.status_code == 400
    assert response.json() == OVER


def test_a_reset_asks_for_a_good_password(api, amina):
    ask(api, "amina@example.com")

    response = confirm(api, link(), new="amina@example")

    assert list(response.json()) == ["new_password1"]
    assert User.objects.get().check_password(PASSWORD)
