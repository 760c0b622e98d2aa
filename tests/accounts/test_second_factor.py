"""The second factor of staff: who must have one, and every way around it."""

import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Group
from django.test import Client

from accounts import second_factor
from accounts.models import Audit, User
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory
from tests.threads import at_once

from .conftest import log_in, refresh

pytestmark = pytest.mark.django_db
BACKEND = "accounts.backends.UsernameOrEmailBackend"
NOW = 1_790_000_010


@pytest.fixture(autouse=True)
def _required(settings):
    settings.STAFF_MFA = True
    settings.LOCKOUT = True


@pytest.fixture
def _still():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def boss(db):
    return UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def secret():
    return second_factor.decrypt_secret(second_factor.new_secret())


@pytest.fixture
def enrolled(boss, secret, _still):
    """The boss, whose app has the secret; the code of now is used up."""
    boss.codes = second_factor.enrol(boss, secret=secret, code=code_of(secret))
    return boss


def code_of(secret, periods=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods))


def browser(user):
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def give_password(client, name="boss", next_page=""):
    return client.post(f"/admin/login/?next={next_page}", {"username": name, "password": PASSWORD})


def give_code(client, code):
    return client.post("/admin/login/code/", {"code": code})


def test_a_superuser_without_a_factor_reaches_nothing_but_its_page(boss):
    staff_browser = browser(boss)

    for address in ("/admin/", "/admin/accounts/user/", "/admin/payments/console/"):
        answer = staff_browser.get(address)
        assert answer.status_code == 302
        assert staff_browser.get(answer["Location"])["Location"] == "/admin/second-factor/"
    assert staff_browser.get("/admin/second-factor/").status_code == 200


@pytest.mark.parametrize(("role", "status"), [("finance", 302), ("support", 200)])
def test_a_second_factor_is_required_for_work_with_money_and_optional_for_others(role, status):
    person = UserFactory(username="juma", is_staff=True)
    person.groups.add(Group.objects.get(name=role))

    assert browser(person).get("/admin/").status_code == status


def test_finance_without_a_factor_gets_no_tokens_either(api, boss):
    answer = log_in(api, "boss")

    assert answer.status_code == 403
    assert answer.json()["code"] == "mfa_not_set_up"


def test_without_staff_mfa_nobody_needs_a_second_factor(api, boss, settings):
    settings.STAFF_MFA = False

    assert browser(boss).get("/admin/").status_code == 200
    assert log_in(api, "boss").status_code == 200


def test_a_factor_is_set_up_and_its_recovery_codes_are_shown_once(boss):
    staff_browser = browser(boss)
    page = staff_browser.get("/admin/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]

    answer = staff_browser.post(
        "/admin/second-factor/", {"code": code_of(secret), "password": PASSWORD}
    )

    assert "<svg" in page
    assert len(re.findall(r"<code>\d{8}</code>", answer.content.decode())) == 10
    assert staff_browser.get("/admin/").status_code == 200
    assert Audit.objects.get().did == "Set up a second factor"


def test_a_session_left_open_sets_none_up_without_the_password(boss):
    staff_browser = browser(boss)
    page = staff_browser.get("/admin/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]

    staff_browser.post("/admin/second-factor/", {"code": code_of(secret), "password": "a guess"})

    assert User.objects.get().second_factor_at is None


def test_every_other_session_and_token_is_over_then(api, boss, secret, settings):
    settings.STAFF_MFA = False
    before, pair = browser(boss), log_in(api, "boss").json()
    assert before.get("/admin/").status_code == 200

    second_factor.enrol(boss, secret=secret, code=code_of(secret))

    assert before.get("/admin/").status_code == 302
    assert refresh(pair["refresh"]).status_code == 401


def test_the_secret_lies_encrypted_in_the_database_and_the_session(enrolled, secret):
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in rows
    assert not any(code in rows for code in enrolled.codes)


def test_a_second_one_is_not_set_up_over_the_first(enrolled, secret):
    with pytest.raises(second_factor.AlreadyEnrolled):
        second_factor.enrol(enrolled, secret=secret, code=code_of(secret, 1))


def test_the_password_alone_opens_nothing(client, enrolled):
    answer = give_password(client)

    assert answer["Location"] == "/admin/login/code/"
    assert client.get("/admin/").status_code == 302
    assert "_auth_user_id" not in client.session
    assert "<h1>One more step</h1>" in client.get(answer["Location"]).content.decode()


def test_the_code_opens_what_was_asked_for(client, enrolled, secret):
    give_password(client, next_page="/admin/accounts/user/")

    answer = give_code(client, code_of(secret, 1))

    assert answer["Location"] == "/admin/accounts/user/"
    assert client.get("/admin/").status_code == 200


def test_a_session_has_another_key_after_signing_in(client, enrolled, secret):
    give_password(client)
    before = client.session.session_key

    give_code(client, code_of(secret, 1))

    assert client.session.session_key != before


def test_a_code_without_a_password_opens_nothing(client, enrolled, secret):
    assert give_code(client, code_of(secret, 1))["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302


def test_the_code_must_come_within_five_minutes(client, enrolled, secret):
    give_password(client)

    with time_machine.travel(NOW + 301, tick=False):
        give_code(client, code_of(secret))
        assert client.get("/admin/").status_code == 302


def test_a_code_that_was_seen_opens_nothing_again(client, enrolled, secret):
    seen = code_of(secret, 1)
    give_password(client)
    give_code(client, seen)
    thief = Client()
    give_password(thief)

    answer = give_code(thief, seen)

    assert answer.status_code == 200
    assert thief.get("/admin/").status_code == 302


def test_a_recovery_code_opens_once(enrolled):
    code = enrolled.codes[3]
    statuses = []
    for _ in range(2):
        client = Client()
        give_password(client)
        give_code(client, code)
        statuses.append(client.get("/admin/").status_code)

    assert statuses == [200, 302]


def test_guessing_codes_locks_and_the_password_in_between_does_not_help(enrolled):
    statuses = []
    for _ in range(6):
        client = Client()
        give_password(client)
        statuses.append(give_code(client, "000000").status_code)

    assert statuses == [200] * 4 + [429] * 2


def test_a_password_that_was_changed_meanwhile_voids_the_first_half(client, enrolled, secret):
    give_password(client)
    enrolled.set_password("quite another secret")
    enrolled.save()

    give_code(client, code_of(secret, 1))

    assert client.get("/admin/").status_code == 302


def api_log_in(api, code=None):
    body = {"username": "boss", "password": PASSWORD}
    return api.post("/login/", body if code is None else {**body, "code": code})


def test_the_api_asks_for_the_code_too(api, enrolled, secret):
    without, wrong, right = (api_log_in(api, code) for code in (None, "000000", code_of(secret, 1)))

    assert (without.status_code, without.json()["code"]) == (400, "mfa_required")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "mfa_invalid")
    assert right.status_code == 200


def test_codes_are_guessed_five_times_at_the_api(api, enrolled):
    statuses = [api_log_in(api, "000000").status_code for _ in range(6)]

    assert statuses == [400] * 4 + [429] * 2


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_log_ins_with_one_code_succeeds(enrolled, secret):
    from rest_framework.test import APIClient

    code = code_of(secret, 1)

    answers = at_once(*[lambda: api_log_in(APIClient(), code)] * 2)

    assert sorted(answer.status_code for answer in answers) == [200, 400]


def test_a_buyer_without_a_factor_signs_in_as_ever(api, amina):
    assert log_in(api, "Amina").status_code == 200


def take_away(client, person):
    form = {
        "action": "take_second_factor_away", "_selected_action": person.pk, "said": "yes",
        "why": "Lost the phone; I know the voice.",
    }  # fmt: skip
    return client.post("/admin/accounts/user/", form)


def test_a_superuser_takes_anothers_away_and_it_is_on_record(enrolled, settings):
    settings.STAFF_MFA = False
    other = UserFactory(username="root", is_staff=True, is_superuser=True)

    take_away(browser(other), enrolled)

    assert User.objects.get(username="boss").second_factor_at is None
    assert not Authenticator.objects.exists()
    assert Audit.objects.get().actor == other


def test_removing_ones_own_second_factor_needs_a_code(enrolled):
    take_away(browser(enrolled), enrolled)

    assert User.objects.get().second_factor_at is not None


def test_a_code_removes_ones_own_second_factor(enrolled, secret):
    staff_browser = browser(enrolled)

    staff_browser.post("/admin/second-factor/", {"code": "000000", "remove": "yes"})
    assert User.objects.get().second_factor_at is not None
    staff_browser.post("/admin/second-factor/", {"code": code_of(secret, 1), "remove": "yes"})

    assert User.objects.get().second_factor_at is None


def test_new_recovery_codes_void_the_old(enrolled, secret):
    answer = browser(enrolled).post(
        "/admin/second-factor/", {"code": code_of(secret, 1), "renew": "yes"}
    )

    fresh = re.findall(r"<code>(\d{8})</code>", answer.content.decode())
    assert len(fresh) == 10
    assert not set(fresh) & set(enrolled.codes)


def test_a_changed_key_reads_what_the_one_before_encrypted(enrolled, secret, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the shop"

    assert second_factor._use(enrolled, code_of(secret, 1))


def test_under_a_foreign_key_no_code_is_right_and_nothing_breaks(enrolled, secret, settings):
    settings.SECRET_KEY = "another key of the shop"

    assert not second_factor._use(enrolled, code_of(secret, 1))


def test_a_role_given_later_ends_the_tokens_of_before(enrolled, settings):
    settings.STAFF_MFA = False
    juma = UserFactory(username="juma")
    api = signed_in(juma)
    pair = log_in(api, "juma").json()
    finance = Group.objects.get(name="finance")
    form = {"username": "juma", "is_active": "on", "groups": [finance.pk]}

    browser(enrolled).post(f"/admin/accounts/user/{juma.pk}/change/", form)

    assert list(juma.groups.all()) == [finance]
    assert refresh(pair["refresh"]).status_code == 401


def test_ones_own_new_password_ends_every_session_but_this_one(enrolled):
    staff_browser, elsewhere = browser(enrolled), browser(enrolled)
    new = "quite another secret"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    staff_browser.post("/admin/password_change/", form)

    assert staff_browser.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
