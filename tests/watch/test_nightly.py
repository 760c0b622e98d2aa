"""The nightly integrity check: in slices, by one process at a time, with a verdict."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from orders.models import Order
from payments import clock
from payments.models import NightlyProof
from payments.proof import prove
from payments.proof.rule import Rule
from payments.watch import nightly
from payments.watch.nightly import MAX_TRIES, prove_some
from tests.factories import UserFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

#: Two o'clock at night, and ten in the morning, in Nairobi.
NIGHT = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
DAY = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)


def whole(says):
    return Rule(says, lambda now: Order.objects.filter(amount=0))


def broken(says):
    return Rule(says, lambda now: Order.objects.order_by("pk"))


@pytest.fixture
def rules(settings, monkeypatch):
    """Three rules; an order breaks the second."""
    settings.PROOF_HOURS = range(1, 5)
    three = [whole("One"), broken("Two"), whole("Three")]
    monkeypatch.setattr(nightly, "RULES", three)
    return three


@pytest.fixture
def order():
    later = timezone.now() + timedelta(minutes=15)
    return Order.objects.create(
        buyer=UserFactory(),
        mpesa_number="254712345678",
        amount=10,
        expires_at=later,
        held_until=later,
    )


def test_no_check_starts_by_day(rules):
    assert prove_some(DAY) == 0
    assert not NightlyProof.objects.exists()


def test_at_night_every_rule_is_checked_once_and_the_verdict_is_stored(rules):
    assert prove_some(NIGHT, seconds=60) == 3
    assert prove_some(NIGHT, seconds=60) == 0

    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.night, verdict.rules, verdict.asked) == (date(2026, 11, 29), 3, 3)
    assert (verdict.broken, verdict.unanswered, verdict.claimed_until) == ([], [], None)


def test_a_round_checks_rules_until_its_time_is_over_and_the_next_continues(rules):
    asked = [prove_some(NIGHT, seconds=0) for _ in range(4)]

    assert asked == [1, 1, 1, 0]
    assert NightlyProof.objects.last_verdict().asked == 3


def test_a_check_started_at_night_is_finished_by_day(rules):
    prove_some(NIGHT, seconds=0)

    assert prove_some(DAY, seconds=60) == 2
    assert NightlyProof.objects.last_verdict() is not None


def test_the_next_night_starts_a_new_check(rules):
    prove_some(NIGHT, seconds=60)
    prove_some(NIGHT + timedelta(days=1), seconds=60)

    assert NightlyProof.objects.filter(ended_at__isnull=False).count() == 2


def test_a_broken_rule_is_reported_with_its_rows(rules, order, caplog):
    prove_some(NIGHT, seconds=60)

    said = f"Two: not so for order {order.pk}."
    assert NightlyProof.objects.last_verdict().broken == [said]
    assert f"nightly integrity check: {said}" in caplog.messages


def test_a_rule_that_times_out_is_reported_and_the_others_are_checked(rules, monkeypatch):
    def ask(rule, now, *, seconds, altogether=None):
        if rule.description == "Two":
            raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(nightly, "check_rule", ask)
    prove_some(NIGHT, seconds=60)

    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.asked, verdict.unanswered, verdict.broken) == (3, ["Two"], [])


def test_a_release_with_other_rules_restarts_the_check(rules, order):
    prove_some(NIGHT, seconds=0)
    prove_some(NIGHT, seconds=0)
    rules[1:] = [whole("Four")]

    assert prove_some(NIGHT, seconds=60) == 2
    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.rules, verdict.asked, verdict.broken) == (2, 2, [])


def test_only_one_process_checks_at_a_time(rules):
    prove_some(NIGHT, seconds=0)
    NightlyProof.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))

    assert prove_some(NIGHT) == 0


def test_the_check_of_a_dead_process_is_continued_by_another(rules):
    prove_some(NIGHT, seconds=0)
    NightlyProof.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    assert prove_some(NIGHT, seconds=60) == 2


def test_a_process_that_lost_its_claim_writes_nothing(rules, monkeypatch):
    other = timezone.now() + timedelta(minutes=9)

    def ask(rule, now, *, seconds, altogether=None):
        NightlyProof.objects.update(claimed_until=other)

    monkeypatch.setattr(nightly, "check_rule", ask)

    assert prove_some(NIGHT, seconds=60) == 0
    proof = NightlyProof.objects.get()
    assert (proof.asked, proof.claimed_until) == (0, other)


def test_a_rule_that_kills_every_process_is_skipped(rules, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(rule, now, *, seconds, altogether=None):
        if rule.description == "One":
            raise Killed

    monkeypatch.setattr(nightly, "check_rule", kill)
    for _ in range(MAX_TRIES):
        with pytest.raises(Killed):
            prove_some(NIGHT)
        NightlyProof.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    assert prove_some(NIGHT, seconds=60) == 3
    assert NightlyProof.objects.last_verdict().unanswered == ["One"]


def test_every_rule_of_the_shop_is_asked(settings):
    settings.PROOF_HOURS = range(1, 5)
    asked = prove_some(NIGHT, seconds=600)

    verdict = NightlyProof.objects.last_verdict()
    assert asked == verdict.asked == len(nightly.RULES) > 100
    assert (verdict.broken, verdict.unanswered) == ([], [])


def test_a_failing_check_does_not_stop_the_clock(settings, monkeypatch, caplog):
    def gone(*args):
        raise OperationalError("the database is gone")

    monkeypatch.setattr(clock, "prove_some", gone)

    assert clock.prove_tonight() == 0
    assert caplog.messages == ["the nightly integrity check failed; the next round retries"]


def test_one_round_of_a_clock_proves_too(rules, monkeypatch):
    monkeypatch.setattr(nightly.timezone, "now", lambda: NIGHT)

    call_command("clock", "--once")

    assert NightlyProof.objects.last_verdict().rules == 3


def test_verdicts_are_forgotten_after_ninety_days(rules):
    prove_some(NIGHT, seconds=60)

    assert nightly.delete_old_proofs(NIGHT + timedelta(days=89)) == 0
    assert nightly.delete_old_proofs(NIGHT + timedelta(days=92)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_ask_each_rule_once(rules, monkeypatch):
    asked = []

    def ask(rule, now, *, seconds, altogether=None):
        asked.append(rule.description)

    monkeypatch.setattr(nightly, "check_rule", ask)
    for _ in range(3):
        at_once(*[lambda: prove_some(NIGHT, seconds=0)] * 3)

    prove_some(NIGHT, seconds=60)
    assert sorted(asked) == ["One", "Three", "Two"]


@pytest.mark.django_db(transaction=True)
def test_a_statement_takes_no_longer_than_it_may():
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )

    def read(rows):
        with connection.cursor() as cursor:
            cursor.execute(endless)
        return iter([])

    slow = Rule("It ends", lambda now: Order.objects.all(), read=read)
    with pytest.raises(OperationalError):
        prove.check_rule(slow, timezone.now(), seconds=1)

    # The connection is as it was.
    assert prove.check_rule(whole("One"), timezone.now(), seconds=1) is None
