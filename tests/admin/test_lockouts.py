"""Lockouts after wrong passwords: shown to support, and lifted."""

import pytest

from accounts.lockout import LIMITS
from accounts.models import Audit, PasswordTries
from tests.accounts.test_lockout import fail, log_in
from tests.factories import PASSWORD, UserFactory

from .browsers import browser_of, in_role, list_url
from .pages import facts
from .test_lists import cells

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LOCKS = list_url(PasswordTries)


@pytest.fixture(autouse=True)
def _locks(settings):
    """The lock-out on, as in production."""
    settings.LOCKOUT = True


@pytest.fixture
def amina(db):
    return UserFactory(username="Amina")


def let_try(client, row):
    form = {"action": "let_try", "_selected_action": row.pk, "said": "yes", "why": "She rang us"}
    return client.post(LOCKS, form, follow=True)


def pair():
    return PasswordTries.objects.get(key__startswith="password.pair", user__isnull=False)


def test_support_reads_on_the_person_s_page_that_they_are_locked_out(amina):
    support = browser_of(in_role("support"))
    assert "Log-in" not in facts(support, amina, "details")

    fail(LIMITS["pair"].tries)

    assert "Locked until" in facts(support, amina, "details")["Log-in"]


def test_the_system_section_lists_who_is_locked_out_and_why(staff_browser, amina):
    fail(LIMITS["pair"].tries)
    fail(1, name="nobody-here")

    page = staff_browser.get(LOCKS)
    waiting = staff_browser.get(LOCKS, {"locked": "yes"})

    seen = [cells(page, row) for row in range(5)]
    assert {(each["Whose"], each["What is counted"], each["Failed attempts"]) for each in seen} == {
        (amina.username, "Password of an account, from one network", "5"),
        (amina.username, "Password of an account, from anywhere", "5"),
        ("a name nobody has", "Password of an account, from one network", "1"),
        ("a name nobody has", "Password of an account, from anywhere", "1"),
        ("anybody", "Anything, from one network", "6"),
    }
    (locked,) = waiting.context["cl"].result_list
    assert locked.pk == pair().pk
    assert cells(waiting)["Locked until"] != "–"


def test_a_lock_is_lifted_on_record(staff_browser, amina):
    fail(LIMITS["pair"].tries)

    let_try(staff_browser, pair())

    assert log_in(password=PASSWORD).status_code == 200
    assert Audit.objects.get().did == "Let them try again"


def test_nobody_lifts_their_own_lockout(staff_browser, staff):
    PasswordTries.objects.create(
        key="password.pair:0", user=staff, failures=9, at=staff.date_joined
    )

    let_try(staff_browser, pair())

    assert pair().failures == 9


def test_a_successful_sign_in_makes_no_lockout_row(staff_browser, amina):
    log_in(password=PASSWORD)

    assert "Nothing here" in staff_browser.get(LOCKS).content.decode()
