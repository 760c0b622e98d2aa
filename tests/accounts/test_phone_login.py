"""Signing in by phone: codes that are sent, typed once and guessed by nobody."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIClient

from accounts import emails, lockout, phone_codes, phone_login, services
from accounts.addresses.services import add_address
from accounts.models import CodePurpose, PhoneCode, PhoneLogin, User
from accounts.phone_codes import delete_old_codes
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.sms.errors import MaybeSent, NotSent
from tests.conftest import signed_in
from tests.factories import PASSWORD, AddressFactory, UserFactory, give_role
from tests.threads import at_once

from .conftest import bearer, log_in

HOUR = timedelta(hours=1)

PHONE = "254712345678"
pytestmark = pytest.mark.django_db


class Carrier:
    """Takes every SMS; ``trouble`` says otherwise."""

    def __init__(self):
        self.sent, self.trouble = [], None

    def send(self, *, phone, text):
        self.sent.append((phone, text))
        if self.trouble:
            raise self.trouble
        return "1"

    @property
    def code(self):
        """The code of the newest SMS."""
        return re.search(r"\b\d{6}\b", self.sent[-1][1]).group()


class AtOnce:
    """A thread that has done its work before anybody looks."""

    def submit(self, job, *args):
        job(*args)


@pytest.fixture(autouse=True)
def carrier(monkeypatch, settings):
    carrier = Carrier()
    monkeypatch.setattr(phone_codes, "sms_provider", lambda: carrier)
    monkeypatch.setattr(phone_codes, "_sender", AtOnce())
    monkeypatch.setattr(phone_codes.transaction, "on_commit", lambda job, robust=False: job())
    settings.PHONE_LOGIN = True
    return carrier


def later(**span):
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def ask(phone=PHONE, **headers):
    return APIClient().post("/login/phone/", {"phone": phone}, headers=headers)


def type_in(token, code, phone=PHONE, headers=None, **more):
    body = {"phone": phone, "token": token, "code": code, **more}
    return APIClient().post("/login/phone/confirm/", body, headers=headers or {})


def enter(carrier, phone=PHONE, **more):
    """Sign in with this phone, from asking to typing."""
    return type_in(ask(phone).json()["token"], carrier.code, phone, **more)


def code_of(response):
    return response.status_code, response.json().get("code")


def test_a_newcomer_joins_with_a_phone_alone(carrier):
    answer = enter(carrier)

    joined = answer.json()
    assert (answer.status_code, joined["is_new"]) == (201, True)
    assert joined["user"]["username"].startswith("mteja-")
    user = User.objects.get(pk=joined["user"]["pk"])
    assert (user.phone, user.has_usable_password()) == (PHONE, False)
    assert bearer(joined["access"]).get("/me/").json()["phone"] == PHONE


def test_signing_in_again_opens_the_same_account(carrier):
    first = enter(carrier).json()
    with later(minutes=2):
        again = enter(carrier)

    assert (again.status_code, again.json()["is_new"]) == (200, False)
    assert again.json()["user"]["pk"] == first["user"]["pk"]


def test_a_name_that_is_taken_leaves_nobody_behind(carrier, monkeypatch):
    claims = iter([False, True])
    monkeypatch.setattr(phone_login.names, "claim", lambda user, name: next(claims))

    assert enter(carrier).status_code == 201
    assert User.objects.count() == 1


def test_the_phone_may_be_written_in_any_way(carrier):
    sent = ask("0712 345 678").json()

    assert type_in(sent["token"], carrier.code, "+254712345678").status_code == 201
    assert carrier.sent[0][0] == PHONE


def test_a_browser_may_have_it_in_a_cookie(carrier):
    answer = enter(carrier, headers={"Token-Transport": "cookie"})

    assert answer.json()["refresh"] == ""
    assert answer.cookies["refresh"].value


def test_the_sms_says_the_code_and_where_it_belongs(carrier, settings):
    settings.FRONTEND_URL = "https://omache.example/shop"
    ask()

    assert carrier.sent == [
        (
            PHONE,
            f"{carrier.code} is your O-Mache code. Give it to nobody, not even to us.\n\n"
            f"@omache.example #{carrier.code}",
        )
    ]


def test_the_sms_is_in_swahili_for_who_asks_in_it(carrier):
    ask(**{"Accept-Language": "sw-KE,sw;q=0.9,en;q=0.8"})

    assert "ni msimbo wako wa O-Mache" in carrier.sent[0][1]


def test_the_answer_is_the_same_whoever_has_the_phone(carrier, django_assert_num_queries):
    UserFactory(phone="254712000001")
    phone_login.link(UserFactory(), "254712000002", timezone.now())
    answers = []
    for number in (1, 2, 3):
        with django_assert_num_queries(QUERIES_TO_SEND):
            answers.append(ask(f"25471200000{number}").json())

    for answer in answers:
        assert len(answer.pop("token")) == 22
    assert answers[0] == answers[1] == answers[2]
    assert answers[0] == {
        "detail": "If this phone can get SMS, a code is on its way.",
        "expires_in": 600,
        "again_in": 60,
    }


#: The counters, in one statement; the code; each in a transaction.
QUERIES_TO_SEND = 4


def test_a_phone_that_somebody_only_typed_opens_nothing(carrier, amina):
    User.objects.filter(pk=amina.pk).update(phone=PHONE)

    assert enter(carrier).json()["user"]["pk"] != amina.pk


def test_a_closed_account_is_not_opened(carrier):
    user = User.objects.get(pk=enter(carrier).json()["user"]["pk"])
    User.objects.filter(pk=user.pk).update(is_active=False)

    with later(minutes=2):
        assert code_of(enter(carrier)) == (401, "user_inactive")


@pytest.mark.parametrize("phone", ["0202222222", "+15551234567", "", None, 5, "254812345678"])
def test_only_kenyan_mobiles_are_sent_anything(carrier, phone):
    """Numbers abroad that cost their sender are what SMS pumping lives on."""
    assert ask(phone).status_code == 400
    assert carrier.sent == []


def test_phone_login_can_be_turned_off_by_a_setting(carrier, settings, amina_api):
    settings.PHONE_LOGIN = False

    for answer in (
        ask(),
        type_in("x", "123456"),
        amina_api.post("/account/phone/", {"phone": PHONE, "password": PASSWORD}),
        amina_api.post("/account/phone/confirm/", {"phone": PHONE, "token": "x", "code": "123456"}),
    ):
        assert code_of(answer) == (404, "phone_login_off")
    assert carrier.sent == []


def test_a_code_works_once(carrier):
    token, code = ask().json()["token"], carrier.code
    type_in(token, code)

    answer = type_in(token, code)

    assert (answer.status_code, answer.json()) == (400, {"code": [phone_codes.WRONG]})


def test_the_right_code_is_refused_after_five_wrong_ones(carrier):
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"
    for _ in range(5):
        assert type_in(token, wrong).status_code == 400

    assert type_in(token, carrier.code).status_code == 400


def test_a_code_is_over_after_ten_minutes(carrier):
    token = ask().json()["token"]

    with later(minutes=10, seconds=1):
        assert type_in(token, carrier.code).status_code == 400


def test_a_code_is_of_no_use_to_who_has_not_its_token(carrier):
    """Guessing across sessions: what another was sent is nobody's to guess at."""
    ask()
    victims = carrier.code
    with later(minutes=2):
        own = ask().json()["token"]

        assert type_in(own, victims).status_code == 400


def test_a_code_is_of_no_use_for_another_phone(carrier):
    token = ask().json()["token"]

    assert type_in(token, carrier.code, "254712000001").status_code == 400


def test_requesting_more_codes_does_not_invalidate_anothers_code(carrier):
    victims, code = ask().json()["token"], carrier.code
    with later(minutes=2):
        ask()

        assert type_in(victims, code).status_code == 201


def test_a_code_for_one_purpose_is_none_for_another(carrier, amina_api):
    token = ask().json()["token"]
    body = {"phone": PHONE, "token": token, "code": carrier.code}

    assert amina_api.post("/account/phone/confirm/", body).status_code == 400


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦7", "0" * 33])
def test_an_invalid_code_is_refused_politely(carrier, code):
    assert type_in(ask().json()["token"], code).status_code == 400


def test_a_code_may_be_pasted_with_signs_nobody_sees(carrier):
    token = ask().json()["token"]

    assert type_in(token, f"\u200e {carrier.code}\u200b").status_code == 201


def test_wrong_codes_count_with_their_network(carrier, settings, monkeypatch):
    settings.LOCKOUT = True

    statuses = {type_in(f"{number}", "123456").status_code for number in range(101)}

    assert statuses == {400, 429}


def test_strangers_lock_nobody_out_by_wrong_codes(carrier, settings, monkeypatch):
    settings.LOCKOUT = True
    monkeypatch.setitem(lockout.LIMITS, "network", lockout._Limit(5, HOUR, HOUR))
    statuses = [type_in(f"{number}", "123456").status_code for number in range(8)]
    token = ask().json()["token"]
    mistyped = type_in(token, f"{(int(carrier.code) + 1) % 10**6:06}")

    answer = type_in(token, carrier.code)

    assert statuses == [400] * 4 + [429] * 4
    assert mistyped.status_code == 429
    assert answer.status_code == 201


def test_a_locked_network_has_five_tries_at_a_code_as_any_other(carrier, settings, monkeypatch):
    settings.LOCKOUT = True
    monkeypatch.setitem(lockout.LIMITS, "network", lockout._Limit(1, HOUR, HOUR))
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"
    statuses = [type_in(token, wrong).status_code for _ in range(5)]

    answer = type_in(token, carrier.code)

    assert statuses == [429] * 5
    assert answer.status_code == 429
    assert not User.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_twelve_concurrent_uses_of_a_code_succeeds(carrier):
    token, code = ask().json()["token"], carrier.code

    answers = at_once(*[lambda: type_in(token, code)] * 12)

    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 11


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_five_of_twelve_concurrent_guesses_are_checked(carrier):
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"

    at_once(*[lambda: type_in(token, wrong)] * 12)

    assert PhoneCode.objects.get().tries == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_codes_of_one_newcomer_make_one_account(carrier):
    tokens = []
    for minutes in (-5, -3):
        with later(minutes=minutes):
            tokens.append((ask().json()["token"], carrier.code))

    answers = at_once(*[lambda one=one: type_in(*one) for one in tokens])

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["user"]["pk"] for answer in answers}) == 1


def test_the_database_knows_neither_phone_nor_code_nor_token(carrier):
    token = ask().json()["token"]

    kept = " ".join(str(value) for value in PhoneCode.objects.values_list().get())

    for secret in (token, PHONE, PHONE[-9:], carrier.code):
        assert secret not in kept.replace(str(PhoneCode.objects.get().expires_at), "")


def test_codes_that_are_over_are_deleted(carrier):
    ask()

    assert delete_old_codes(timezone.now()) == 0
    assert delete_old_codes(timezone.now() + timedelta(minutes=11)) == 1


def test_a_phone_gets_one_code_a_minute(carrier):
    ask()

    answer = ask()

    assert code_of(answer) == (429, "too_many_codes")
    assert answer["Retry-After"] == "60"
    assert len(carrier.sent) == 1


def test_a_phone_gets_five_codes_an_hour_and_ten_a_day(carrier):
    start = timezone.now()
    for minutes in (*range(0, 60, 5), *range(60, 24 * 60, 15)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            ask()
        if minutes == 55:
            assert len(carrier.sent) == 5

    assert len(carrier.sent) == 10


def test_a_network_asks_for_so_many_codes_whatever_the_phones(carrier, settings):
    settings.PHONE_CODES_A_NETWORK = 3

    statuses = [ask(f"2547120000{number:02}").status_code for number in range(4)]

    assert statuses == [200] * 3 + [429]


def test_the_shop_pays_for_so_many_codes_a_day(carrier, settings):
    settings.PHONE_CODES_A_DAY = 2

    statuses = [
        APIClient()
        .post("/login/phone/", {"phone": f"25471200000{n}"}, REMOTE_ADDR=f"41.90.{n}.1")
        .status_code
        for n in range(3)
    ]

    assert statuses == [200, 200, 429]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twelve_concurrent_requests_send_one_code(carrier):
    answers = at_once(*[ask] * 12)

    assert sorted(answer.status_code for answer in answers) == [200] + [429] * 11
    assert len(carrier.sent) == 1


def test_a_code_that_was_certainly_not_sent_does_not_count(carrier):
    carrier.trouble = NotSent("no credit", retryable=True)
    ask()
    carrier.trouble = None

    assert ask().status_code == 200


def test_a_code_that_may_have_been_sent_counts(carrier):
    carrier.trouble = MaybeSent("no answer")
    assert ask().status_code == 200

    assert ask().status_code == 429


@pytest.mark.parametrize(
    "power", [{"is_staff": True}, {"is_superuser": True}, {"second_factor_at": timezone.now()}]
)
def test_a_phone_opens_no_account_of_staff(carrier, power):
    user = User.objects.get(pk=enter(carrier).json()["user"]["pk"])
    User.objects.filter(pk=user.pk).update(**power)

    with later(minutes=2):
        assert code_of(enter(carrier)) == (403, "use_password")


def test_a_phone_opens_no_account_with_a_role(carrier):
    user = User.objects.get(pk=enter(carrier).json()["user"]["pk"])
    give_role(user, "delivery")

    with later(minutes=2):
        assert code_of(enter(carrier)) == (403, "use_password")


def test_a_number_that_rested_for_months_begins_anew(carrier):
    """Whoever has the number now gets an account of their own, and not that of before."""
    before = enter(carrier).json()["user"]["pk"]

    with later(days=121):
        answer = enter(carrier)

    assert (answer.status_code, answer.json()["user"]["pk"] != before) == (201, True)
    assert PhoneLogin.objects.get().user_id == answer.json()["user"]["pk"]


def test_a_number_that_is_used_stays_its_owners(carrier):
    before = enter(carrier).json()["user"]["pk"]
    for days in (100, 200, 300):
        with later(days=days):
            assert enter(carrier).json()["user"]["pk"] == before


def test_a_number_that_rested_asks_for_the_password_where_there_is_one(carrier, amina):
    phone_login.link(amina, PHONE, timezone.now())
    with later(days=121):
        token, code = ask().json()["token"], carrier.code

        assert code_of(type_in(token, code)) == (400, "password_needed")
        assert code_of(type_in(token, code, password="wrong")) == (400, "password_needed")
        answer = type_in(token, code, password=PASSWORD)

    assert (answer.status_code, answer.json()["user"]["pk"]) == (200, amina.pk)


def link(api, carrier, phone=PHONE):
    sent = api.post("/account/phone/", {"phone": phone, "password": PASSWORD}).json()
    body = {"phone": phone, "token": sent["token"], "code": carrier.code}
    return api.post("/account/phone/confirm/", body)


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
