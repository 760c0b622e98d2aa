"""Signing in by phone."""

# ruff: noqa: F401, F811 - a fixture of others

import pytest
from django.utils import timezone

from accounts import phone_login
from accounts.models import PhoneLogin, User
from tests.factories import PASSWORD, UserFactory, give_role

from .browser_client import later
from .conftest import bearer
from .phone_sign_in import PHONE, ask, carrier, code_of, enter, type_in

pytestmark = pytest.mark.django_db


def test_a_newcomer_joins_with_a_phone_alone(carrier):
    answer = enter(carrier)

    joined = answer.json()
    assert (answer.status_code, joined["is_new"]) == (201, True)
    assert joined["user"]["username"].startswith("mteja-")
    user = User.objects.get(pk=joined["user"]["pk"])
    assert (user.phone, user.has_usable_password()) == (PHONE, False)
    assert bearer(joined["access"]).get("/me/").json()["phone"] == PHONE


def test_a_newcomers_messages_are_in_the_language_in_which_they_joined(carrier):
    joined = enter(carrier, headers={"Accept-Language": "sw"}).json()

    assert bearer(joined["access"]).get("/account/messages/").json()["language"] == "sw"


def test_signing_in_keeps_the_language_of_messages_that_was_chosen(carrier):
    joined = enter(carrier, headers={"Accept-Language": "sw"}).json()
    bearer(joined["access"]).patch("/account/messages/", {"language": "en"})
    with later(minutes=2):
        again = enter(carrier, headers={"Accept-Language": "sw"}).json()
        mine = bearer(again["access"]).get("/account/messages/").json()

    assert mine["language"] == "en"


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
