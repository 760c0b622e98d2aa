"""Budgets: as many as there is room for, however many ask, and nothing of whom they are about."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.contact_budgets import (
    DAY,
    HOUR,
    Budget,
    count,
    delete_ended_counts,
    forget,
    release,
    take,
    take_of_groups,
)
from accounts.contacts import (
    confirmation_budgets,
    has_paid_from,
    has_proven_email,
    may_be_written_to,
    one_inbox,
    record_paid_from,
    record_paid_to,
)
from accounts.models import ContactCount, PhoneProof
from accounts.services import change_details
from tests.factories import UserFactory, proven
from tests.threads import at_once

pytestmark = pytest.mark.django_db

PHONE = "254712345678"
HOURLY, DAILY = Budget("test", 2, HOUR), Budget("test", 3, DAY)


def test_a_budget_allows_its_limit_and_more_once_the_window_is_over():
    now = timezone.now()

    taken = [take(HOURLY, now=now) for _ in range(3)]

    assert taken == [True, True, False]
    assert not take(HOURLY, now=now + HOUR - timedelta(seconds=1))
    assert take(HOURLY, now=now + HOUR)


def test_several_budgets_are_all_taken_or_none():
    now = timezone.now()
    for _ in range(3):
        take(HOURLY, DAILY, now=now)

    assert take(DAILY, now=now)
    assert not take(DAILY, now=now)


def test_any_number_of_budgets_is_taken_in_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert take(HOURLY, DAILY, now=timezone.now())


def test_several_groups_are_all_taken_or_none_and_locked_group_by_group(
    django_assert_num_queries,
):
    now, first = timezone.now(), [Budget("zebra", 1, DAY), Budget("ape", 1, DAY)]

    with django_assert_num_queries(1) as asked:
        assert take_of_groups(first, [HOURLY, DAILY], now=now)
    assert not take_of_groups(first, [HOURLY, DAILY], now=now)

    ordered = [*sorted(each.digest for each in first), *sorted([HOURLY.digest, DAILY.digest])]
    sql = asked.captured_queries[0]["sql"]
    assert sorted(ordered, key=sql.index) == ordered
    assert [take(HOURLY, now=now), take(HOURLY, now=now)] == [True, False]


def test_what_was_forgotten_was_never_taken():
    now, once = timezone.now(), Budget("test", 1, DAY)
    take(once, now=now)

    forget(once)

    assert take(once, now=now)
    assert not take(once, now=now)


def test_what_did_not_happen_is_given_back_once():
    now = timezone.now()
    take(HOURLY, now=now)

    release(HOURLY, now=now)
    release(HOURLY, now=now)

    assert [take(HOURLY, now=now) for _ in range(3)] == [True, True, False]


def test_a_refusal_by_one_budget_is_not_counted_in_the_next():
    now = timezone.now()

    assert [count(HOURLY, DAILY, now=now) for _ in range(4)] == [True, True, False, False]
    later = [count(HOURLY, DAILY, now=now + HOUR) for _ in range(2)]
    assert later == [True, False]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [take, count])
def test_exactly_the_limit_of_twelve_concurrent_requests_passes(way):
    now, five = timezone.now(), Budget("test", 5, HOUR)

    answers = at_once(*[lambda: way(five, Budget("test", 7, DAY), now=now)] * 12)

    assert sorted(answers) == [False] * 7 + [True] * 5


def test_no_phone_stands_in_the_table_and_what_is_over_is_deleted():
    now = timezone.now()
    take(Budget(f"sms:{PHONE}", 1, HOUR), Budget(f"sms:{PHONE}", 1, 3 * DAY), now=now)

    assert not ContactCount.objects.filter(pk__contains=PHONE).exists()
    assert delete_ended_counts(now + HOUR + DAY + timedelta(seconds=1)) == 1
    assert ContactCount.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "inbox"),
    [
        ("Amina+Shop@Example.com", "amina@example.com"),
        ("a.mi.na@gmail.com", "amina@gmail.com"),
        ("amina+x@googlemail.com", "amina@gmail.com"),
        ("a.mina@example.com", "a.mina@example.com"),
        ("+tag@example.com", "+tag@example.com"),
    ],
)
def test_spellings_of_one_inbox_share_a_budget(typed, inbox):
    assert one_inbox(typed) == inbox


def test_an_inbox_is_asked_once_a_day_whoever_typed_it_and_an_account_asks_three():
    now = timezone.now()

    def ask(email, user):
        return take(*confirmation_budgets(email, user), now=now)

    assert [ask("a@x.co", 1), ask("A+b@x.co", 2)] == [True, False]
    assert [ask(f"{n}@x.co", 1) for n in range(3)] == [True, True, False]


def test_an_email_is_proven_by_its_own_person_and_as_it_is_now():
    amina = proven(UserFactory(email="Amina@example.com"))
    other = UserFactory(email="other@example.com")

    assert has_proven_email(amina)
    assert not has_proven_email(other)
    change_details(amina, {"email": "new@example.com"})
    amina.refresh_from_db()
    assert not has_proven_email(amina)


def test_a_phone_is_proven_for_whom_it_paid_or_got_a_payout_and_for_a_year():
    now, buyer, seller = timezone.now(), UserFactory(), UserFactory()
    record_paid_from(buyer.pk, PHONE, now)
    record_paid_to(seller.pk, PHONE, now)

    proofs = [(may_be_written_to(u, PHONE, now), has_paid_from(u, PHONE, now)) for u in (
        buyer.pk, seller.pk, UserFactory().pk,
    )]  # fmt: skip

    assert proofs == [(True, True), (True, False), (False, False)]
    assert not may_be_written_to(buyer.pk, PHONE, now + timedelta(days=365))


def test_a_phone_that_pays_again_is_proven_anew():
    now, buyer = timezone.now(), UserFactory()
    record_paid_from(buyer.pk, PHONE, now - timedelta(days=300))

    record_paid_from(buyer.pk, PHONE, now)

    assert PhoneProof.objects.get().paid_at == now
