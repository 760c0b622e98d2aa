"""Sessions: seen, ended from elsewhere, ended by themselves, and not ended by a thief again."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import Session, User
from accounts.sessions import delete_old_sessions, describe_device
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory
from tests.threads import at_once

from .browser_client import code, later
from .conftest import bearer, log_in, refresh

pytestmark = pytest.mark.django_db

ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36"
)


@pytest.fixture
def staff_browser(db):
    """A member of staff in the admin, by the log-in page."""
    UserFactory(username="clerk", is_staff=True)
    client = Client(HTTP_USER_AGENT=ANDROID, REMOTE_ADDR="197.248.10.7")
    client.post("/admin/login/?next=/admin/", {"username": "clerk", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
    return client


def test_a_log_in_is_listed_with_when_where_and_on_what(api, amina):
    answer = api.post(
        "/login/",
        {"username": "Amina", "password": PASSWORD},
        HTTP_USER_AGENT=ANDROID,
        REMOTE_ADDR="197.248.10.7",
    )

    (shown,) = bearer(answer.json()["access"]).get("/account/sessions/").json()

    assert set(shown) == {
        "id", "kind", "started_at", "last_used_at", "expires_at", "address", "device", "current",
    }  # fmt: skip
    assert shown["kind"] == "api"
    assert shown["address"] == "197.248.10.7"
    assert shown["device"] == "Chrome on Android"
    assert shown["current"] is True


def test_a_rotated_session_is_one_session_last_used_now(pair):
    with later(days=1):
        fresh = refresh(pair["refresh"]).json()
        (shown,) = bearer(fresh["access"]).get("/account/sessions/").json()

    assert shown["last_used_at"][:10] != shown["started_at"][:10]


def test_the_list_has_the_callers_own_open_sessions_only(api, pair, buyer):
    log_in(api, "wanjiku")
    gone = log_in(api, "Amina").json()
    api.post("/logout/", {"refresh": gone["refresh"]})

    shown = bearer(pair["access"]).get("/account/sessions/").json()

    assert [session["current"] for session in shown] == [True]


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (ANDROID, "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:125.0) Firefox/125.0", "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
        ("x" * 10_000, "x" * 40),
    ],
)  # fmt: skip
def test_a_device_is_a_few_known_words(header, shown):
    assert describe_device(header) == shown


def test_ending_another_session_shuts_its_access_and_refresh_tokens_out_at_once(api, pair):
    thief = log_in(api, "Amina").json()
    mine = bearer(pair["access"])
    other = next(row for row in mine.get("/account/sessions/").json() if not row["current"])

    assert mine.delete(f"/account/sessions/{other['id']}/").status_code == 204

    assert code(bearer(thief["access"]).get("/user/")) == (401, "session_ended")
    assert code(refresh(thief["refresh"])) == (401, "session_ended")
    assert mine.get("/user/").status_code == 200
    assert refresh(pair["refresh"]).status_code == 200


def test_ending_a_session_twice_is_the_same_as_once(api, pair):
    log_in(api, "Amina")
    mine = bearer(pair["access"])
    other = next(row for row in mine.get("/account/sessions/").json() if not row["current"])
    mine.delete(f"/account/sessions/{other['id']}/")

    assert mine.delete(f"/account/sessions/{other['id']}/").status_code == 204


def test_a_strangers_session_is_not_there_and_goes_on(api, pair, buyer_api):
    theirs = Session.objects.get()

    assert code(buyer_api.delete(f"/account/sessions/{theirs.pk}/")) == (404, "not_found")
    assert bearer(pair["access"]).get("/user/").status_code == 200


def test_out_everywhere_ends_every_session_and_the_one_that_asks(api, pair):
    elsewhere = log_in(api, "Amina").json()

    answer = bearer(pair["access"]).post("/account/sessions/end-all/")

    assert answer.json() == {"detail": "You are signed out everywhere.", "ended": 2}
    for gone in (pair, elsewhere):
        assert code(bearer(gone["access"]).get("/user/")) == (401, "session_ended")
        assert refresh(gone["refresh"]).status_code == 401


def test_out_everywhere_ends_nobody_elses(api, pair, buyer):
    others = log_in(api, "wanjiku").json()

    bearer(pair["access"]).post("/account/sessions/end-all/")

    assert bearer(others["access"]).get("/user/").status_code == 200


def test_out_everywhere_ends_the_back_office_too(staff_browser):
    signed_in(User.objects.get(username="clerk")).post("/account/sessions/end-all/")

    assert staff_browser.get("/admin/").status_code == 302


def test_logging_out_shuts_the_access_token_out_at_once(api, pair):
    api.post("/logout/", {"refresh": pair["refresh"]})

    assert code(bearer(pair["access"]).get("/user/")) == (401, "session_ended")


def test_a_request_in_a_session_costs_one_query(pair, django_assert_num_queries):
    # the person, in a session that was not ended
    with django_assert_num_queries(1):
        assert bearer(pair["access"]).get("/user/").status_code == 200


def test_a_spent_token_replayed_again_and_again_signs_out_once(api, pair):
    spent = pair["refresh"]
    for days in (1, 2, 3):
        with later(days=days):
            mine = log_in(api, "Amina").json()
            if days == 1:
                refresh(spent)
                with later(seconds=31):
                    assert refresh(spent).status_code == 401  # the alarm
                    assert refresh(mine["refresh"]).status_code == 401
                continue
            assert refresh(spent).status_code == 401
            assert bearer(mine["access"]).get("/user/").status_code == 200
            assert refresh(mine["refresh"]).status_code == 200


def test_a_spent_token_of_a_session_that_was_signed_out_does_nothing(api, pair):
    fresh = refresh(pair["refresh"]).json()
    api.post("/logout/", {"refresh": fresh["refresh"]})
    mine = log_in(api, "Amina").json()

    with later(seconds=31):
        assert refresh(pair["refresh"]).status_code == 401
        assert refresh(mine["refresh"]).status_code == 200


def test_another_spent_token_of_the_same_family_raises_no_second_alarm(api, pair):
    second = refresh(pair["refresh"]).json()
    refresh(second["refresh"])
    with later(seconds=31):
        refresh(pair["refresh"])
        mine = log_in(api, "Amina").json()

        assert refresh(second["refresh"]).status_code == 401
        assert refresh(mine["refresh"]).status_code == 200


def test_a_spent_token_of_before_there_were_sessions_raises_one_alarm(api, pair, monkeypatch):
    monkeypatch.setattr(tokens, "SESSION_CLAIM", "none")
    fresh = refresh(pair["refresh"]).json()
    with later(seconds=31):
        refresh(pair["refresh"])
        assert refresh(fresh["refresh"]).status_code == 401
        mine = log_in(api, "Amina").json()

        assert refresh(pair["refresh"]).status_code == 401
        assert refresh(mine["refresh"]).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_concurrent_replays_raise_one_alarm(pair, caplog):
    refresh(pair["refresh"])
    Session.objects.update(started_at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        at_once(*[lambda: refresh(pair["refresh"])] * 6)

    assert caplog.text.count("token_reuse") == 1


def test_a_session_ends_after_ninety_days_however_often_it_is_rotated(api, pair):
    start = timezone.now()
    token = pair["refresh"]
    for days in (13, 26, 39, 52, 65, 78, 89):
        with time_machine.travel(start + timedelta(days=days), tick=False):
            token = refresh(token).json()["refresh"]

    with time_machine.travel(start + timedelta(days=90, minutes=1), tick=False):
        assert refresh(token).status_code == 401


def test_a_token_of_before_there_were_sessions_is_exchanged_once_more(pair, amina):
    old = tokens.RefreshToken(pair["refresh"])
    del old.payload[tokens.SESSION_CLAIM]
    with later(days=1):
        fresh = refresh(str(old)).json()

        adopted = Session.objects.get(pk=tokens.RefreshToken(fresh["refresh"])["sid"])
    assert int(adopted.started_at.timestamp()) == old["iat"]


def test_staff_are_out_of_the_api_after_thirty_idle_minutes(api, db):
    UserFactory(username="clerk", is_staff=True)
    pair = log_in(api, "clerk").json()

    with later(minutes=29):
        fresh = refresh(pair["refresh"]).json()
        with later(minutes=31):
            assert refresh(fresh["refresh"]).status_code == 401


def test_staff_are_out_of_the_api_after_twelve_hours(api, db):
    UserFactory(username="clerk", is_staff=True)
    token = log_in(api, "clerk").json()["refresh"]
    Session.objects.update(started_at=timezone.now() - timedelta(hours=11, minutes=59))
    token = refresh(token).json()["refresh"]

    with later(minutes=1, seconds=12):
        assert refresh(token).status_code == 401


def test_becoming_staff_ends_earlier_sessions(pair, amina):
    User.objects.update(is_staff=True)

    with later(hours=1):
        assert code(refresh(pair["refresh"])) == (401, "session_ended")


def test_the_admin_is_shut_after_thirty_idle_minutes(staff_browser):
    with later(minutes=31):
        assert staff_browser.get("/admin/").status_code == 302


def test_work_in_the_admin_puts_the_idle_end_off_and_twelve_hours_end_it(staff_browser):
    for minutes in (25, 50):
        with later(minutes=minutes):
            assert staff_browser.get("/admin/").status_code == 200
    Session.objects.update(started_at=timezone.now() - timedelta(hours=11, minutes=59))
    with later(minutes=60):
        assert staff_browser.get("/admin/").status_code == 200

    with later(minutes=61):
        assert staff_browser.get("/admin/").status_code == 302


def test_the_admins_session_is_listed_and_ended_by_signing_out(staff_browser):
    (shown,) = signed_in(User.objects.get()).get("/account/sessions/").json()
    staff_browser.post("/admin/logout/")

    assert (shown["kind"], shown["address"], shown["device"]) == (
        "admin", "197.248.10.7", "Chrome on Android",
    )  # fmt: skip
    assert Session.objects.get().ended_at is not None


def test_a_cookie_of_an_ended_session_opens_no_new_one(staff_browser):
    stolen = staff_browser.cookies["sessionid"].value
    staff_browser.post("/admin/logout/")
    staff_browser.cookies["sessionid"] = stolen

    assert staff_browser.get("/admin/").status_code == 302
    assert Session.objects.count() == 1


def test_sessions_are_forgotten_thirty_days_after_their_end(pair):
    over = Session.objects.get().expires_at

    assert delete_old_sessions(over + timedelta(days=29)) == 0
    assert delete_old_sessions(over + timedelta(days=31)) == 1
    assert delete_old_sessions(over + timedelta(days=31)) == 0
