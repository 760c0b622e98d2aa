"""Statements compiled once answer as the querysets they were made of."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from accounts.models import MessagePreferences, User
from omachemainproj.compiled_queries import Fixed, Sometimes, Update, compiled, compiled_update
from omachemainproj.locking import lock_row
from orders import hold_limits
from orders.models import Order
from payments.models import GatewayEvent
from payments.reconciliation import outcomes, receipts
from payments.webhooks import stk_callback
from products.models import Product, Review
from tests.factories import ProductFactory
from tests.shopping import an_order
from tests.threads import at_once

DAY = timedelta(days=1)


@compiled
def later_ones(pk: int, name: str) -> QuerySet:
    return Product.objects.filter(pk__gt=pk, name=name).values_list("id", "name", named=True)


@compiled
def one_order(pk: int) -> QuerySet:
    return Order.objects.filter(pk=pk)


@compiled
def these(ids: Sequence[int], but: Sequence[str]) -> QuerySet:
    listed = Product.objects.filter(pk__in=ids).exclude(name__in=but)
    return listed.order_by("pk").values_list("name", flat=True)


@compiled
def unpaid_of(buyer: int, key: str | None) -> QuerySet:
    orders = Order.objects.filter(buyer=buyer).order_by("pk")
    if key is not None:
        orders = orders.filter(idempotency_key=key)
    return orders.values_list("pk")


@compiled
def cheapest(limit: Fixed[int], above: int) -> QuerySet:
    return Product.objects.filter(price__gt=above).order_by("price").values_list("price")[:limit]


@compiled
def between(start: datetime, end: datetime) -> QuerySet:
    orders = Order.objects.filter(created_at__gte=start - DAY, created_at__lt=end + DAY)
    buyers = User.objects.filter(pk=OuterRef("buyer"), date_joined__gt=start - 2 * DAY)
    return orders.filter(Exists(buyers)).values_list("pk", flat=True)


@pytest.mark.django_db
def test_rows_are_those_of_the_values():
    kettle = ProductFactory(name="Kettle")
    pan = ProductFactory(name="Pan")

    (found,) = later_ones(pk=kettle.pk, name="Pan")

    assert (found.id, found.name) == (pan.pk, "Pan")
    assert later_ones(pan.pk, "Pan") == []
    assert [row.id for row in later_ones(kettle.pk - 1, name="Kettle")] == [kettle.pk]


@compiled
def order_and_people(pk: int) -> QuerySet:
    joined = Order.objects.select_related("buyer__message_preferences", "guest")
    return joined.annotate(twice=F("amount") * 2).filter(pk=pk)


@pytest.mark.django_db
def test_instances_have_those_beside_them_that_were_joined(
    buyer, kettle, django_assert_num_queries
):
    order = an_order(buyer, (kettle, 1))
    MessagePreferences.objects.create(user=buyer, language="sw")

    with django_assert_num_queries(1):
        [found] = order_and_people(order.pk)
        language, guest = found.buyer.message_preferences.language, found.guest

    assert (found, found.twice, found.amount) == (order, 2 * order.amount, order.amount)
    assert (found.buyer, found.buyer.username) == (buyer, buyer.username)
    assert (language, guest) == ("sw", None)


@pytest.mark.django_db
def test_what_was_joined_and_is_not_there_is_not_asked_for_again(
    buyer, kettle, django_assert_num_queries
):
    order = an_order(buyer, (kettle, 1))

    with django_assert_num_queries(1):
        [found] = order_and_people(order.pk)
        has_none = not hasattr(found.buyer, "message_preferences")

    assert has_none


@pytest.mark.django_db
def test_a_compiled_query_returns_whole_instances(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    (read,) = one_order(pk=order.pk)

    assert read == order
    assert (read.order_token, read.expires_at) == (order.order_token, order.expires_at)
    assert read.get_deferred_fields() == set()
    assert read._state.db == connection.alias


@pytest.mark.django_db
def test_sequences_may_have_any_length():
    names = {name: ProductFactory(name=name).pk for name in ("Jiko", "Kettle", "Pan")}
    ids = list(names.values())

    assert these(ids=ids, but=["Kettle"]) == ["Jiko", "Pan"]
    assert these(ids=ids[1:], but=[]) == ["Kettle", "Pan"]
    assert these(ids=ids[:1], but=["Kettle", "Pan"]) == ["Jiko"]


@pytest.mark.django_db
def test_nothing_is_asked_where_nothing_can_match(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert these(ids=[], but=["Pan"]) == []


@pytest.mark.django_db
def test_with_none_it_is_another_statement(buyer, kettle):
    orders = [an_order(buyer, (kettle, 1)).pk for _ in range(2)]
    Order.objects.filter(pk=orders[0]).update(idempotency_key="mine")

    assert unpaid_of(buyer=buyer.pk, key=None) == [(orders[0],), (orders[1],)]
    assert unpaid_of(buyer=buyer.pk, key="mine") == [(orders[0],)]
    assert unpaid_of(buyer=buyer.pk, key="yours") == []


@pytest.mark.django_db
def test_fixed_values_are_part_of_the_statement():
    for price in (300, 100, 200):
        ProductFactory(price=price)

    assert cheapest(limit=1, above=100) == [(200,)]
    assert cheapest(limit=2, above=1) == [(100,), (200,)]
    # A number that fits no column of 32 bits is a number all the same.
    assert cheapest(limit=2, above=2**40) == []


@pytest.mark.django_db
@pytest.mark.parametrize("zone", [UTC, None])
def test_moments_are_compared_with_time_added(buyer, kettle, zone):
    order = an_order(buyer, (kettle, 1))
    now = order.created_at.astimezone(zone)
    moment = timedelta(microseconds=1)

    assert between(start=now + DAY, end=now) == [order.pk]
    assert between(start=now + DAY + moment, end=now) == []
    assert between(start=now, end=now - DAY + moment) == [order.pk]
    assert between(start=now, end=now - DAY) == []
    User.objects.filter(pk=buyer.pk).update(date_joined=now - DAY)
    assert between(start=now + DAY, end=now) == []


@pytest.mark.django_db
def test_an_update_tells_how_many_rows_it_wrote(kettle):
    @compiled_update
    def hold(product: int, number: int) -> Update:
        query = Product.objects.filter(pk=product, item_number__gte=F("held") + number)
        return query, {"held": F("held") + number}

    written = hold(product=kettle.pk, number=2), hold(kettle.pk, number=9)

    kettle.refresh_from_db()
    assert written == (1, 0)
    assert kettle.held == 2


@pytest.mark.django_db
def test_a_statement_is_compiled_once_per_vendor_and_shape(monkeypatch):
    built = []

    @compiled
    def products(ids: Sequence[int], name: str) -> QuerySet:
        built.append(len(ids))
        return Product.objects.filter(pk__in=ids, name=name)

    for ids in ([1], [2], [1, 2], [3, 4]):
        products(ids, "Kettle")
    # Each twice, with other stand-ins.
    assert built == [1, 1, 2, 2]

    # Of another database's statement none is sent to this one, nor of this one's to another.
    monkeypatch.setattr(connection, "vendor", "other")
    products([1], "Kettle")
    assert built == [1, 1, 2, 2, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_threads_have_each_their_own_values_and_connection():
    pks = [ProductFactory(name=name).pk for name in ("Jiko", "Kettle", "Pan", "Sufuria")]

    @compiled
    def named(pk: int) -> QuerySet:
        return Product.objects.filter(pk=pk).values_list("name", flat=True)

    def read(pk):
        return [named(pk=pk) for _ in range(20)]

    found = at_once(*[lambda pk=pk: read(pk) for pk in pks])

    assert found == [[[name]] * 20 for name in ("Jiko", "Kettle", "Pan", "Sufuria")]


@pytest.mark.django_db
def test_a_statement_can_become_part_of_a_larger_one():
    kettle, pan = ProductFactory(name="Kettle"), ProductFactory(name="Pan")
    one, other = later_ones.statement(0, "Kettle"), later_ones.statement(0, name="Pan")

    both = one._replace(
        sql=f"{one.sql} UNION ALL {other.sql}", parameters=one.parameters + other.parameters
    )

    assert {(row.id, row.name) for row in both.rows()} == {(kettle.pk, "Kettle"), (pan.pk, "Pan")}


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((), {"pk": 1}),
        ((), {"name": "Pan"}),
        ((1, "Pan", 2), {}),
        ((1,), {"pk": 1}),
        ((1, "Pan"), {"name": "Pan"}),
        ((1, "Pan"), {"colour": "red"}),
        ((1,), {"colour": "red"}),
        ((), {"pk": 1, "name": "Pan", "colour": "red"}),
    ],
)
def test_arguments_must_be_those_of_the_function(args, kwargs):
    with pytest.raises(TypeError, match="argument"):
        later_ones(*args, **kwargs)


@pytest.mark.django_db
def test_parameters_with_a_default_may_be_omitted():
    ProductFactory(price=100)

    @compiled
    def priced(above: int = 50) -> QuerySet:
        return Product.objects.filter(price__gt=above).values_list("price", flat=True)

    assert (priced(), priced(100), priced(above=99)) == ([100], [], [100])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: later_ones("1", "Pan"), "pk takes int, not str"),
        (lambda: later_ones(None, "Pan"), "pk takes int, not NoneType"),
        (lambda: later_ones(1, name=2), "name takes str, not int"),
        (lambda: these(ids=[1, "2"], but=[]), "ids takes int, not str"),
        (lambda: unpaid_of(buyer=None, key=None), "buyer takes int, not NoneType"),
        (lambda: between(1, datetime.now(UTC)), "start takes datetime, not int"),
        (
            lambda: between(datetime(2026, 1, 1), datetime.now(UTC)),  # noqa: DTZ001
            "start takes a datetime with a time zone",
        ),
    ],
)
def test_a_value_must_be_of_its_type(ask, message):
    with pytest.raises(TypeError, match=message):
        ask()


def _left_out(pk: int, name: str) -> QuerySet:
    return Product.objects.filter(pk=pk)


def _always(pk: int, price: int) -> QuerySet:
    return Product.objects.filter(Q(price=price) | ~Q(pk__in=[]), pk=pk)


def _never(price: int) -> QuerySet:
    return Product.objects.filter(price=price, pk__in=[])


def _reckoned_with(number: int) -> QuerySet:
    return Product.objects.filter(item_number=number + 1)


def _reckoned_with_too(number: int, other: int) -> QuerySet:
    return Product.objects.filter(item_number=number, held=other, sold=number + 1)


def _doubled(number: int) -> QuerySet:
    return Product.objects.filter(item_number=number, held__gte=F("sold") - number * 2)


def _first(price: int, limit: int) -> QuerySet:
    return Product.objects.filter(price=price)[:limit]


def _part_of_a_text(name: str) -> QuerySet:
    return Product.objects.filter(name=name).exclude(description__startswith=name)


def _one_of_two(ids: Sequence[int]) -> QuerySet:
    return Product.objects.filter(pk=ids[0])


def _day_of(moment: datetime) -> QuerySet:
    return Order.objects.filter(created_at__year=moment.year, expires_at=moment)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("build", "args", "message"),
    [
        (_left_out, (1, "Pan"), "name did not arrive"),
        (_always, (1, 5), "price did not arrive"),
        (_never, (5,), "nothing can match"),
        (_reckoned_with, (5,), "made of a value"),
        (_reckoned_with_too, (5, 6), "made of a value"),
        (_doubled, (5,), "made of a value"),
        (_first, (5, 6), "has to be Fixed"),
        (_part_of_a_text, ("Pan",), "made of a value"),
        (_day_of, (datetime.now(UTC),), "made of a value"),
        (_one_of_two, ([1, 2],), "ids did not arrive"),
    ],
)
def test_a_value_that_did_not_arrive_in_the_sql_is_refused(build, args, message):
    with pytest.raises(TypeError, match=message):
        compiled(build)(*args)


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_column_too_narrow_for_a_stand_in_is_refused():
    def at_most(stars: int) -> QuerySet:
        return Review.objects.filter(stars__lte=stars)

    def exactly(stars: int) -> QuerySet:
        return Review.objects.filter(stars=stars)

    with pytest.raises(TypeError, match="stars did not arrive"):
        compiled(at_most)(5)
    with pytest.raises(TypeError, match="nothing can match"):
        compiled(exactly)(5)


@pytest.mark.django_db
def test_a_value_may_be_used_sometimes():
    ProductFactory(name="Kettle", price=100)

    @compiled
    def named(name: Sometimes[str], whatever: Fixed[bool]) -> QuerySet:
        products = Product.objects.values_list("price", flat=True)
        return products if whatever else products.filter(name=name)

    assert named(name="Pan", whatever=True) == [100]
    assert named(name="Pan", whatever=False) == []


def test_a_parameter_says_what_it_is():
    def loud(pk) -> QuerySet:
        return Product.objects.filter(pk=pk)

    def odd(names: tuple[str, ...]) -> QuerySet:
        return Product.objects.filter(name__in=names)

    for build in (loud, odd):
        with pytest.raises(TypeError, match="is neither int, str"):
            compiled(build)


@pytest.mark.django_db
def test_annotations_are_attributes_of_the_instance(buyer, kettle):
    @compiled
    def dearer(least: int) -> QuerySet:
        return Order.objects.filter(amount__gte=least).annotate(more=F("amount") + 1)

    order = an_order(buyer, (kettle, 1))

    assert [(row, row.more) for row in dearer(1)] == [(order, 1501)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "some",
    [
        lambda: Order.objects.only("amount"),
        lambda: Order.objects.defer("amount"),
        lambda: Order.objects.prefetch_related("tracks"),
        lambda: Order.objects.values("amount"),
    ],
)
def test_only_rows_and_whole_instances_can_be_compiled(some):
    @compiled
    def orders() -> QuerySet:
        return some()

    with pytest.raises(TypeError, match="can"):
        orders()


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction(kettle):
    @compiled
    def lock(pk: int) -> QuerySet:
        return Product.objects.select_for_update().filter(pk=pk).values_list("pk", flat=True)

    with transaction.atomic():
        assert lock_row(Product, kettle.pk) == kettle
        assert lock(pk=kettle.pk) == [kettle.pk]
    # Compiled by now, which is when Django would have complained.
    with pytest.raises(TransactionManagementError):
        lock_row(Product, kettle.pk)
    with pytest.raises(TransactionManagementError):
        lock(pk=kettle.pk)


@pytest.mark.django_db
def test_a_row_that_is_not_there_cannot_be_locked():
    with pytest.raises(Product.DoesNotExist):
        lock_row(Product, 4711)


@compiled
def named_so(above: int) -> QuerySet:
    odd = Q(name="O'Brien's 50% \\ kettle") | Q(name="Pan") | Q(listed=False)
    return (
        Product.objects.filter(odd, price__gt=above).order_by("pk").values_list("name", flat=True)
    )


@pytest.mark.django_db
def test_what_no_call_changes_is_written_out_and_odd_words_are_not():
    for name in ("O'Brien's 50% \\ kettle", "Pan", "Jiko"):
        ProductFactory(name=name)

    statement = named_so.statement(above=1)

    assert named_so(above=1) == ["O'Brien's 50% \\ kettle", "Pan"]
    if connection.vendor == "postgresql":
        assert "'Pan'" in statement.sql
        assert statement.parameters == ["O'Brien's 50% \\ kettle", 1]


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "indexes"),
    [
        (
            lambda: hold_limits._holds_counting_against.statement(
                1, "254700000001", "10.0.0.0/8", timezone.now()
            ),
            ("order_unpaid_by_buyer", "order_of_phone", "order_unpaid_by_network"),
        ),
        (
            lambda: outcomes._receipts_known.statement(1, "B000000001"),
            ("payments_receipt_payment_id_key", "receipt_counts_once"),
        ),
        (lambda: receipts._receipts_with.statement("mpesa", "B1"), ("receipt_counts_once",)),
    ],
)
def test_one_plan_for_all_values_finds_few_rows_by_indexes_of_them(asked, indexes):
    """Else each cash-out would read all unpaid orders, or have its statement planned anew."""
    statement, now = asked(), timezone.now()
    people = User.objects.bulk_create(User(username=f"buyer{n}") for n in range(1000))
    Order.objects.bulk_create(
        Order(
            buyer=buyer,
            mpesa_number=f"2547{n:08d}",
            amount=100,
            expires_at=now + DAY,
            held_until=now + DAY,
            network=f"2001:db8:{n}::/48",
        )
        for n, buyer in enumerate(people)
    )
    places = iter(range(1, len(statement.parameters) + 1))
    sql = re.sub("%s", lambda _: f"${next(places)}", statement.sql)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE orders_order")
        cursor.execute(f"PREPARE one_for_all AS {sql}")
        values = ", ".join(["NULL"] * len(statement.parameters))
        cursor.execute(f"EXPLAIN EXECUTE one_for_all({values})")
        plan = "\n".join(row for (row,) in cursor.fetchall())
        cursor.execute("DEALLOCATE one_for_all")

    assert [index for index in indexes if index not in plan] == []


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "all_that_wait"),
    [
        (
            lambda: hold_limits._holds_counting_against.statement(
                1, "254700000001", "10.0.0.0/8", timezone.now()
            ),
            "order_unpaid_to_expire",
        ),
        (lambda: stk_callback._untrusted_of.statement(1), "event_to_apply"),
    ],
)
def test_a_rush_is_not_gone_through_though_nothing_waited_when_rows_were_counted(
    asked, all_that_wait
):
    statement = asked()
    places = iter(range(1, len(statement.parameters) + 1))
    sql = re.sub("%s", lambda _: f"${next(places)}", statement.sql)
    people = User.objects.bulk_create(User(username=f"buyer{n}") for n in range(1000))
    expires_at = timezone.now() + DAY
    Order.objects.bulk_create(
        Order(
            buyer=buyer,
            mpesa_number=f"2547{n:08d}",
            amount=100,
            expires_at=expires_at,
            held_until=expires_at,
        )
        for n, buyer in enumerate(people)
    )
    # An earlier rush has left an index of one page by time, and a deeper one by buyer.
    Order.objects.update(payment_status="expired")
    GatewayEvent.objects.bulk_create(
        GatewayEvent(body=b"", sha256=f"{n:064d}", state="applied") for n in range(1000)
    )

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE orders_order, payments_gatewayevent")
        cursor.execute(f"PREPARE one_for_all AS {sql}")
        values = ", ".join(["NULL"] * len(statement.parameters))
        cursor.execute(f"EXPLAIN EXECUTE one_for_all({values})")
        plan = "\n".join(row for (row,) in cursor.fetchall())
        cursor.execute("DEALLOCATE one_for_all")

    assert all_that_wait not in plan


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_one_cursor_of_a_connection_asks_as_any_other_does(kettle):
    seen = []

    def watch(execute, sql, params, many, context):
        seen.append(sql.split()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert connection.execute_shared("SELECT 1 + %s", [1]).fetchall() == [(2,)]
        one_order(pk=1)
        ProductFactory(name="Pan")
    with pytest.raises(DataError), transaction.atomic():
        connection.execute_shared("SELECT 1 / %s", [0])
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            one_order(pk=1)

    assert seen[:2] == ["SELECT", "SELECT"]
    assert "INSERT" in seen
    assert connection.execute_shared("SELECT 3", []).fetchall() == [(3,)]
