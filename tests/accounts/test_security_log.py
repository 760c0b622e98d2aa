"""The security log: an investigator reads who, from where and what, and nothing secret."""

import logging

import pytest
from django.db import transaction

from accounts import emails, second_factor, security_log
from accounts.backoffice import audit
from accounts.models import Audit
from tests.factories import PASSWORD, UserFactory

from .conftest import log_in

pytestmark = pytest.mark.django_db

CHOSEN = {"new_password1": "kikombe-refu-77", "new_password2": "kikombe-refu-77"}


@pytest.fixture
def lines(caplog, django_capture_on_commit_callbacks):
    """A function that does something and returns what was logged of it, committed too."""

    def of(do):
        with (
            caplog.at_level(logging.INFO, "omache.security"),
            django_capture_on_commit_callbacks(execute=True),
        ):
            do()
        return [each.getMessage() for each in caplog.records if each.name == "omache.security"]

    return of


def test_a_good_log_in_says_who_and_from_where(lines, api, amina):
    assert lines(lambda: log_in(api, "Amina")) == [
        f"login_ok user={amina.pk} who=- address=127.0.0.1"
    ]


def test_a_wrong_password_says_whose_it_is_not(lines, api, amina):
    assert lines(lambda: log_in(api, "amina@example.com", "not hers")) == [
        f"login_failed user={amina.pk} who=- door=password address=127.0.0.1"
    ]


def test_a_name_that_is_nobodys_is_not_written_for_it_may_be_a_password(lines, api):
    (line,) = lines(lambda: log_in(api, "My-Secret-Word1", "x"))

    who = security_log.digest("My-Secret-Word1")
    assert line == f"login_failed user=- who={who} door=password address=127.0.0.1"
    assert len(who) == 12


def test_two_spellings_of_one_name_have_one_digest_and_two_names_have_two():
    plain = security_log.digest("amina@example.com")

    assert security_log.digest("\u200bAmina@Example.COM ") == plain
    assert security_log.digest("amani@example.com") != plain


def test_a_digest_needs_the_shops_key(settings):
    before = security_log.digest("amina")
    settings.SECRET_KEY = "another"

    assert security_log.digest("amina") != before


def test_the_try_that_locks_and_those_after_it_say_so_once_each(lines, api, amina, settings):
    settings.LOCKOUT = True

    logged = lines(lambda: [log_in(api, "Amina", "wrong") for _ in range(6)])

    assert [line.split()[0] for line in logged] == ["login_failed"] * 4 + ["locked_out"] * 2
    assert logged[-1] == f"locked_out user={amina.pk} who=- door=password address=127.0.0.1"


def test_a_wrong_code_is_told_from_a_wrong_password(lines, rf, amina):
    def guess():
        with pytest.raises(second_factor.WrongCode):
            second_factor.check(rf.get("/"), amina, "000000")

    assert [line.split()[:2] for line in lines(guess)] == [["code_failed", f"user={amina.pk}"]]


def test_a_changed_password_and_the_sessions_it_ended(lines, pair, amina_api, amina):
    body = {"old_password": PASSWORD, **CHOSEN}

    logged = lines(lambda: amina_api.post("/password/change/", body))

    assert [line.split()[:2] for line in logged] == [
        ["session_ended_all", f"user={amina.pk}"],
        ["password_changed", f"user={amina.pk}"],
    ]


def test_a_password_chosen_by_a_mailed_link_is_told_from_a_changed_one(lines, api, amina):
    uid, token = emails._link(amina).split("/")[-2:]

    logged = lines(
        lambda: api.post("/password/reset/confirm/", {"uid": uid, "token": token, **CHOSEN})
    )

    assert [line.split()[:2] for line in logged] == [["password_reset", f"user={amina.pk}"]]


def test_a_guessed_link_is_nobodys(lines, api):
    body = {"uid": "MQ", "token": "c5z-0f", **CHOSEN}

    assert lines(lambda: api.post("/password/reset/confirm/", body)) == [
        "link_failed user=- who=- door=password address=127.0.0.1"
    ]


@pytest.mark.parametrize("before", ["", "old@example.com"])
def test_a_new_email_is_logged_and_not_written(lines, amina, amina_api, before):
    type(amina).objects.filter(pk=amina.pk).update(email=before)
    body = {"email": "new@example.com", "password": PASSWORD}

    logged = lines(lambda: amina_api.patch("/user/", body))

    assert [line.split()[0] for line in logged] == ["email_changed"]
    assert "@" not in logged[0]


def test_a_second_factor_that_is_taken_away(lines, amina):
    second_factor.RecoveryCodes.activate(amina)

    assert [line.split()[:2] for line in lines(lambda: second_factor.remove(amina))] == [
        ["factor_removed", f"user={amina.pk}"]
    ]


def test_staff_decisions_are_logged_without_reasons_and_typed_values(lines, amina):
    staff = UserFactory(is_staff=True)
    did = "Close the account (typed 42)"

    (line,) = lines(
        lambda: audit.log(staff, did, amina, action=audit.CHANGED, why="x", changes={"a": [1, 2]})
    )

    assert line.startswith(
        f"staff_did user={staff.pk} who=- did='Close the account' kind=accounts.user "
        f"object={amina.pk} audit={Audit.objects.get().pk} address="
    )


def test_a_rolled_back_event_is_not_logged(lines):
    def undone():
        with transaction.atomic():
            security_log.record_on_commit("email_changed", user=1)
            transaction.set_rollback(True)

    assert lines(undone) == []


def test_the_fields_are_of_their_own_for_a_search(caplog, api, amina):
    log_in(api, "Amina", "wrong")

    (entry,) = [each for each in caplog.records if each.name == "omache.security"]
    assert (entry.event, entry.user, entry.address) == ("login_failed", amina.pk, "127.0.0.1")
    assert entry.levelname == "WARNING"
