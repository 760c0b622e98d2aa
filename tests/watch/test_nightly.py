"""``prove`` by itself at night: in slices, by one at a time, to a verdict."""

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
    """Three rules, the second of which an order breaks."""
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


def test_by_day_nothing_is_asked(rules):
    assert prove_some(DAY) == 0
    assert not NightlyProof.objects.exists()


def test_at_night_every_rule_is_asked_once_and_the_verdict_is_kept(rules):
    assert prove_some(NIGHT, seconds=60) == 3
    assert prove_some(NIGHT, seconds=60) == 0

    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.night, verdict.rules, verdict.asked) == (date(2026, 11, 29), 3, 3)
    assert (verdict.broken, verdict.unanswered, verdict.claimed_until) == ([], [], None)


def test_a_round_asks_as_many_as_its_time_allows_and_the_next_goes_on(rules):
    asked = [prove_some(NIGHT, seconds=0) for _ in range(4)]

    assert asked == [1, 1, 1, 0]
    assert NightlyProof.objects.last_verdict().asked == 3


def test_what_the_night_has_begun_is_asked_to_its_end_by_day(rules):
    prove_some(NIGHT, seconds=0)

    assert prove_some(DAY, seconds=60) == 2
    assert NightlyProof.objects.last_verdict() is not None


def test_another_night_begins_anew(rules):
    prove_some(NIGHT, seconds=60)
    prove_some(NIGHT + timedelta(days=1), seconds=60)

    assert NightlyProof.objects.filter(ended_at__isnull=False).count() == 2


def test_what_is_broken_is_said_with_the_rows_that_break_it(rules, order, caplog):
    prove_some(NIGHT, seconds=60)

    said = f"Two: not so for order {order.pk}."
    assert NightlyProof.objects.last_verdict().broken == [said]
    assert f"the night found something broken: {said}" in caplog.messages


def test_a_rule_that_takes_too_long_is_told_of_and_the_others_are_asked(rules, monkeypatch):
    def ask(rule, now, *, seconds, altogether=None):
        if rule.description == "Two":
            raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(nightly, "ask_alone", ask)
    prove_some(NIGHT, seconds=60)

    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.asked, verdict.unanswered, verdict.broken) == (3, ["Two"], [])


def test_another_release_with_other_rules_begins_the_night_anew(rules, order):
    prove_some(NIGHT, seconds=0)
    prove_some(NIGHT, seconds=0)
    rules[1:] = [whole("Four")]

    assert prove_some(NIGHT, seconds=60) == 2
    verdict = NightlyProof.objects.last_verdict()
    assert (verdict.rules, verdict.asked, verdict.broken) == (2, 2, [])


def test_while_one_asks_nobody_else_does(rules):
    prove_some(NIGHT, seconds=0)
    NightlyProof.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))

    assert prove_some(NIGHT) == 0


def test_where_one_has_ended_without_a_word_another_goes_on(rules):
    prove_some(NIGHT, seconds=0)
    NightlyProof.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    assert prove_some(NIGHT, seconds=60) == 2


def test_who_lost_the_night_to_another_writes_nothing_into_it(rules, monkeypatch):
    other = timezone.now() + timedelta(minutes=9)

    def ask(rule, now, *, seconds, altogether=None):
        NightlyProof.objects.update(claimed_until=other)

    monkeypatch.setattr(nightly, "ask_alone", ask)

    assert prove_some(NIGHT, seconds=60) == 0
    proof = NightlyProof.objects.get()
    assert (proof.asked, proof.claimed_until) == (0, other)


def test_a_rule_that_ends_every_process_is_passed_over(rules, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(rule, now, *, seconds, altogether=None):
        if rule.description == "One":
            raise Killed

    monkeypatch.setattr(nightly, "ask_alone", kill)
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


def test_a_proof_that_breaks_stops_no_clock(settings, monkeypatch, caplog):
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

    assert nightly.forget_old_proofs(NIGHT + timedelta(days=89)) == 0
    assert nightly.forget_old_proofs(NIGHT + timedelta(days=92)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_ask_each_rule_once(rules, monkeypatch):
    asked = []

    def ask(rule, now, *, seconds, altogether=None):
        asked.append(rule.description)

    monkeypatch.setattr(nightly, "ask_alone", ask)
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
        prove.ask_alone(slow, timezone.now(), seconds=1)

    # The connection is as it was.
    assert prove.ask_alone(whole("One"), timezone.now(), seconds=1) is None
