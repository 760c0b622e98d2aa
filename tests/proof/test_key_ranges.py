"""Large tables are checked in key ranges, and no row is left out."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments.models import Payout, PayoutDay, SellerShare
from payments.proof import key_ranges as ranges
from payments.proof import prove as proving
from payments.proof.key_ranges import (
    COOLDOWN_RANGES,
    EVEN_KEYS,
    FIRST_KEYS,
    LONGEST_KEYS,
    SHORTEST_KEYS,
    WHOLE,
    ends_of,
    even_key_ranges,
    key_ranges,
)
from payments.proof.prove import check_rule, prove
from payments.proof.rule import RULES, Rule
from products.models import CategoryListingCount, Product
from tests.batches import ids_in_a_statement
from tests.factories import ProductFactory
from tests.shopping import fetched_line


class Clock:
    """Time that passes as a range takes it."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(ranges, "time", clock)
    return clock


def cut(ends, clock, seconds):
    """The ranges between ends if each key takes this many seconds."""
    found = []
    for start, end in key_ranges(ends):
        found.append((start, end))
        clock.now += (end - start) * seconds
    return found


def lengths(found):
    return [end - start for start, end in found]


@pytest.mark.parametrize("seconds", [0, 0.00001, 0.0001, 0.001])
def test_key_ranges_leave_no_key_out_and_name_none_twice(clock, seconds):
    found = cut((17, 1_000_000), clock, seconds)

    assert (found[0][0], found[-1][1]) == (16, 1_000_000)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_quick_ranges_grow_and_slow_ranges_shrink(clock):
    assert max(lengths(cut((1, 10_000_000), clock, 0))) == LONGEST_KEYS
    *slow, _ = lengths(cut((1, 100_000), clock, 0.001))
    assert slow[:4] == [FIRST_KEYS, FIRST_KEYS // 2, FIRST_KEYS // 4, SHORTEST_KEYS]
    assert set(slow[4:]) == {SHORTEST_KEYS}


def test_a_length_that_took_far_too_long_is_not_tried_again_for_a_while(clock):
    taken = []
    for start, end in key_ranges((1, 1_000_000)):
        taken.append(end - start)
        # Beyond 10,000 the database takes another way.
        clock.now += 1 if end - start > 10_000 else 0.001

    tried = [number for number, length in enumerate(taken) if length > 10_000]
    assert {taken[number] for number in tried} == {16_000}
    assert {after - before for before, after in pairwise(tried)} == {COOLDOWN_RANGES + 1}


def test_one_range_that_something_else_held_up_does_not_slow_down_all_the_others(clock):
    for number, (start, end) in enumerate(key_ranges((1, 100_000_000))):
        clock.now += 1 if number == 2 else 0.001
        longest = end - start
        if longest == LONGEST_KEYS:
            break

    assert longest == LONGEST_KEYS


@pytest.mark.parametrize(
    "ends", [(5, 5), (5, EVEN_KEYS + 4), (5, EVEN_KEYS + 5), (1, 3 * EVEN_KEYS + 1)]
)
def test_what_is_read_a_row_at_a_time_is_read_whole_and_no_row_twice(ends):
    found = list(even_key_ranges(ends))

    assert (found[0][0], found[-1][1]) == (ends[0] - 1, ends[1])
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert max(end - start for start, end in found) <= EVEN_KEYS
    assert list(even_key_ranges(None)) == [WHOLE]


def test_a_small_table_is_one_range(clock):
    assert cut_all((5, FIRST_KEYS)) == cut_all(None) == [WHOLE]


def cut_all(ends):
    return list(key_ranges(ends))


@pytest.mark.django_db
def test_ends_are_the_first_and_the_last_key(seller):
    first, _, last = ProductFactory.create_batch(3, seller=seller)

    assert ends_of([Product, CategoryListingCount]) == {
        Product: (first.pk, last.pk),
        CategoryListingCount: None,
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("healthy", "two_at_a_time")
def test_no_rule_needs_to_see_beyond_a_range():
    assert prove().broken == []


def held_without_orders(now):
    return Product.objects.filter(held=1)


def every_product(now):
    return Product.objects.all()


def those_held(rows):
    """As a rule reads rows that SQL cannot tell apart."""
    for product in rows.order_by("pk"):
        if product.held:
            yield product.pk


def only_held(ids):
    assert len(ids) <= 2
    return [pk for pk in ids if Product.objects.get(pk=pk).held]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rule",
    [
        Rule("None is held", held_without_orders),
        Rule("None is held", every_product, only=only_held),
        Rule("None is held", every_product, read=those_held),
    ],
    ids=["asked", "narrowed", "read"],
)
def test_what_breaks_a_rule_is_found_in_every_range(seller, two_at_a_time, monkeypatch, rule):
    products = [product.pk for product in ProductFactory.create_batch(7, seller=seller)]
    broken = [products[0], products[3], products[4], products[6]]
    Product.objects.filter(pk__in=broken).update(held=1)
    monkeypatch.setattr(proving, "IDS_SHOWN", 3)

    (found,) = prove(rules=[rule]).broken
    alone = check_rule(rule, timezone.now(), seconds=60)

    assert found == alone
    assert (found.ids, found.more) == (broken[:3], 1)
    assert (
        str(found)
        == f"None is held: not so for product {', '.join(map(str, broken[:3]))} and 1 more."
    )


@pytest.mark.django_db
def test_transfers_missing_in_their_day_are_found_in_every_chunk_of_ids(seller, monkeypatch):
    """A range may have more ids than a statement has parameters."""
    monkeypatch.setattr("payments.proof.rule.CHUNK", 2)
    now = timezone.now()
    sent = [
        Payout.objects.create(
            seller=seller, phone="254722000000", gross=700, amount=700, approval_above=20_000,
            status="sent", sent_at=now - timedelta(days=days),
        )
        for days in (1, 2, 3, 1, 3)
    ]  # fmt: skip
    PayoutDay.objects.create(day=(now - timedelta(days=1)).astimezone(NAIROBI).date(), sent=1400)
    (rule,) = [rule for rule in RULES if rule.violations.__name__ == "payout_is_counted"]

    with ids_in_a_statement(2):
        (found,) = prove(rules=[rule]).broken

    assert found.ids == [sent[1].pk, sent[2].pk, sent[4].pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rule",
    # One of days has few ids: ten years are 3650.
    [rule for rule in RULES if rule.only is not None and "_day_" not in rule.violations.__name__],
    ids=lambda rule: rule.violations.__name__,
)
def test_no_rule_names_more_ids_in_a_statement_than_a_chunk(buyer, monkeypatch, rule):
    monkeypatch.setattr("payments.proof.rule.CHUNK", 2)
    # Ids of any rows, but of earnings each to another number.
    for n in range(5):
        fetched_line(buyer, ProductFactory(payment_mpesa_number=f"25471100000{n}"))
    shares = list(SellerShare.objects.order_by("pk").values_list("pk", flat=True))

    with ids_in_a_statement(2):
        rule.only(shares)


@pytest.mark.django_db
def test_all_ranges_of_a_rule_share_a_time_limit(seller, two_at_a_time):
    ProductFactory.create_batch(7, seller=seller)

    with pytest.raises(TimeoutError, match="more than 0 seconds"):
        check_rule(
            Rule("None is held", held_without_orders), timezone.now(), seconds=60, altogether=0
        )
