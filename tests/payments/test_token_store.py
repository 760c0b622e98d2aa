"""M-Pesa's token in the database is fetched by one process, whatever dies or fails."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from payments import token_store
from payments.daraja.account import DarajaAccount
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.daraja.tokens import SharedToken
from payments.models import AccessToken
from payments.token_store import DatabaseTokenStore
from tests.threads import PATIENCE, at_once

ACCOUNT = DarajaAccount(
    base_url="https://api.safaricom.co.ke",
    consumer_key="the-key",
    consumer_secret="the-secret",
    shortcode="174379",
    passkey="the-passkey",
)
ALIVE = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store():
    """The token store of one process."""
    return DatabaseTokenStore(ACCOUNT)


@pytest.fixture
def other():
    """The token store of another process: the same database, and nothing else in common."""
    return DatabaseTokenStore(ACCOUNT)


class Fetch:
    """A fetch that hangs until it is released."""

    def __init__(self, ends_with="token-1"):
        self.ends_with = ends_with
        self.begun, self.end = threading.Event(), threading.Event()
        self.times = 0

    def __call__(self):
        self.times += 1
        self.begun.set()
        assert self.end.wait(PATIENCE)
        if isinstance(self.ends_with, Exception):
            raise self.ends_with
        return self.ends_with, 3000


def end_when_waited_for(fetch, store):
    """Let the fetch end once this store has seen that somebody fetches."""
    claim = store._claim

    def claim_and_tell():
        claimed = claim()
        if not claimed:
            fetch.end.set()
        return claimed

    store._claim = claim_and_tell


def kept(store, token, seconds=3000):
    with store.refreshing() as found:
        assert found is None
        store.set(token, seconds)


@pytest.mark.django_db
def test_another_process_finds_the_token_without_asking_for_one(store, other):
    kept(store, "token-1")

    def never():
        raise AssertionError("asked for a token though there is one")

    assert SharedToken(other, never).get() == "token-1"


@pytest.mark.django_db
def test_neither_the_key_nor_the_secret_is_in_the_database(store):
    kept(store, "token-1")

    row = AccessToken.objects.values().get()
    assert len(row["account"]) == 64
    assert "the-key" not in str(row)
    assert "the-secret" not in str(row)
    assert "token-1" not in str(AccessToken.objects.get())


@pytest.mark.django_db
def test_another_key_has_a_token_of_its_own(store):
    theirs = DatabaseTokenStore(
        DarajaAccount(
            base_url=ACCOUNT.base_url,
            consumer_key="another-key",
            consumer_secret="",
            shortcode="174379",
            passkey="",
        )
    )
    kept(store, "token-1")

    assert theirs.get() is None


@pytest.mark.django_db
def test_a_token_is_given_until_its_time_is_over(store):
    kept(store, "token-1", seconds=0)

    assert store.get() is None


@pytest.mark.django_db
def test_a_token_is_read_once_in_five_seconds(store, django_assert_num_queries):
    kept(store, "token-1")
    began = timezone.now()

    with time_machine.travel(began, tick=False) as clock:
        assert store.get() == "token-1"
        clock.shift(timedelta(seconds=4.9))
        with django_assert_num_queries(0):
            assert store.get() == "token-1"
        clock.shift(timedelta(seconds=0.2))
        with django_assert_num_queries(1):
            assert store.get() == "token-1"


@pytest.mark.django_db
def test_a_token_that_was_read_is_not_used_beyond_its_time(store):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        kept(store, "token-1", seconds=3)
        assert store.get() == "token-1"
        clock.shift(timedelta(seconds=3))

        assert store.get() is None


@pytest.mark.django_db
def test_a_token_that_was_turned_down_is_read_again_at_once(store, other):
    kept(store, "token-1")
    assert store.get() == "token-1"
    other.forget("token-1")
    kept(other, "token-2")

    store.forget("token-1")

    assert store.get() == "token-2"


@pytest.mark.django_db
def test_only_the_token_that_was_turned_down_is_forgotten(store, other):
    kept(store, "token-2")

    other.forget("token-1")
    still = other.get()
    other.forget("token-2")

    assert still == "token-2"
    assert store.get() is None


@ALIVE
def test_two_processes_fetch_one_token(store, other):
    fetch = Fetch()

    def second():
        assert fetch.begun.wait(PATIENCE)
        end_when_waited_for(fetch, other)
        return SharedToken(other, fetch).get()

    assert at_once(SharedToken(store, fetch).get, second) == ["token-1", "token-1"]
    assert fetch.times == 1


@ALIVE
def test_no_row_is_locked_and_no_transaction_open_while_a_token_is_fetched(store):
    seen = []

    def fetch():
        seen.append(connection.in_atomic_block)
        elsewhere = at_once(
            lambda: AccessToken.objects.filter(token="").update(failure_message="free")
        )
        seen.append(elsewhere)
        return "token-1", 3000

    assert SharedToken(store, fetch).get() == "token-1"
    assert seen == [False, [1]]


@ALIVE
def test_callers_waiting_for_a_failed_fetch_get_its_error_and_do_not_retry(store, other):
    wrong = DarajaRefused(
        "Invalid Authentication passed", code="400.008.01", kind=DarajaRefusal.CONFIGURATION
    )
    fetch = Fetch(wrong)

    def second():
        assert fetch.begun.wait(PATIENCE)
        end_when_waited_for(fetch, other)
        return SharedToken(other, fetch).get()

    first, waited = at_once(SharedToken(store, fetch).get, second)

    assert fetch.times == 1
    assert (first.code, first.kind) == (waited.code, waited.kind) == ("400.008.01", "configuration")


@ALIVE
def test_a_failure_is_over_for_later_callers(store, other):
    failed = Fetch(DarajaRefused("no", kind=DarajaRefusal.UNREACHABLE))
    failed.end.set()
    with pytest.raises(DarajaRefused):
        SharedToken(store, failed).get()

    assert SharedToken(other, lambda: ("token-1", 3000)).get() == "token-1"


@pytest.mark.django_db
def test_a_caller_that_waits_too_long_gives_up_without_sending(store, other, monkeypatch):
    monkeypatch.setattr(token_store, "LONGEST_WAIT_SECONDS", 0.1)
    fetch = Fetch()

    with store.refreshing(), pytest.raises(DarajaRefused) as refused:
        SharedToken(other, fetch).get()

    assert refused.value.is_over_later
    assert fetch.times == 0


@pytest.mark.django_db
def test_a_process_that_died_while_it_fetched_keeps_nobody_waiting_for_ever(store):
    store.get()
    with store.refreshing():
        pass
    AccessToken.objects.update(
        claimed_by="dead", claimed_until=timezone.now() - timedelta(seconds=1)
    )

    assert SharedToken(store, lambda: ("token-1", 3000)).get() == "token-1"


@pytest.mark.django_db
def test_a_claim_holds_for_longer_than_a_fetch_can_take(store):
    with store.refreshing():
        until = AccessToken.objects.get().claimed_until

    assert until - timezone.now() > timedelta(seconds=35)


@pytest.mark.django_db
def test_a_token_that_comes_after_its_claim_lapsed_is_not_kept(store, other):
    """The newer fetch ended it, or is about to."""
    with store.refreshing():
        AccessToken.objects.update(claimed_until=timezone.now())
        kept(other, "token-2")
        store.set("token-1", 3000)

    assert store.get() == "token-2"


@pytest.mark.django_db
def test_a_late_end_of_a_lapsed_claim_does_not_end_the_newer_one(store, other):
    with store.refreshing():
        AccessToken.objects.update(claimed_until=timezone.now())
        newer = other.refreshing()
        newer.__enter__()

    assert AccessToken.objects.get().claimed_until is not None
    newer.__exit__(None, None, None)
    assert AccessToken.objects.get().claimed_until is None


@pytest.mark.django_db
def test_a_token_that_came_between_the_look_and_the_claim_is_used(store, other, monkeypatch):
    claim = store._claim

    def slow_to_claim():
        kept(other, "token-1")
        return claim()

    monkeypatch.setattr(store, "_claim", slow_to_claim)

    with store.refreshing() as found:
        assert found == "token-1"
    assert AccessToken.objects.get().claimed_until is None
