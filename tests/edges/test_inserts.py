"""On PostgreSQL the SQL of an insert is written once, and its values are those of each row."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.sql.compiler import SQLInsertCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ContactCount
from omachemainproj import inserts
from omachemainproj.inserts import insert, insert_new, insert_with
from omachemainproj.postgresql import compiler
from orders.models import TrackStatus
from products.models import Product, SearchWord, StockMovement
from tests.factories import ProductFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def written_anew(monkeypatch):
    """How many inserts Django has written the SQL of since."""
    count, write = [], SQLInsertCompiler.as_sql

    def as_sql(self):
        count.append(self.query.model)
        return write(self)

    monkeypatch.setattr(SQLInsertCompiler, "as_sql", as_sql)
    return count


def some_movements(product, *quantities):
    return [
        StockMovement(product=product, quantity=quantity, reference=f"r{quantity}")
        for quantity in quantities
    ]


@pytest.mark.parametrize("rows", [1, 2, 8])
def test_the_second_insert_of_a_kind_is_not_written_anew(rows, written_anew):
    product = ProductFactory()
    StockMovement.objects.bulk_create(some_movements(product, *range(1, 1 + rows)))
    written_anew.clear()

    second = StockMovement.objects.bulk_create(some_movements(product, *range(11, 11 + rows)))

    assert written_anew == []
    kept = StockMovement.objects.filter(pk__in=[each.pk for each in second]).order_by("pk")
    assert [each.quantity for each in kept] == list(range(11, 11 + rows))
    assert [each.reference for each in kept] == [f"r{n}" for n in range(11, 11 + rows)]


def test_what_is_kept_of_each_insert_is_what_its_instance_says(monkeypatch):
    product = ProductFactory()
    monkeypatch.setattr(compiler, "_written", {})

    for quantity in (1, 2):
        [movement] = StockMovement.objects.bulk_create(some_movements(product, quantity))

        # The first is written, and asks for a moment twice; the second is not.
        assert StockMovement.objects.get(pk=movement.pk).created_at == movement.created_at


def test_more_rows_than_a_few_go_as_arrays():
    product = ProductFactory()

    with CaptureQueriesContext(
        connection,
    ) as sent:
        StockMovement.objects.bulk_create(some_movements(product, *range(1, 9)))
        StockMovement.objects.bulk_create(some_movements(product, *range(11, 20)))

    inserts = [each["sql"] for each in sent if each["sql"].startswith("INSERT")]
    assert ["UNNEST" in sql for sql in inserts] == [False, True]
    assert product.movements.filter(reference__startswith="r").count() == 17


def test_what_happens_to_a_conflict_is_part_of_the_kind():
    word = {"word": "kettle"}
    SearchWord.objects.bulk_create([SearchWord(**word)], ignore_conflicts=True)

    SearchWord.objects.bulk_create([SearchWord(**word)], ignore_conflicts=True)
    with pytest.raises(IntegrityError):
        SearchWord.objects.bulk_create([SearchWord(**word)])


def test_what_of_a_conflict_is_written_is_part_of_the_kind():
    now = timezone.now()

    def upsert(used, *columns):
        ContactCount.objects.bulk_create(
            [ContactCount(key="k", used=used, ends_at=now)],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=columns,
        )
        return ContactCount.objects.get(key="k").used

    assert [upsert(1, "used"), upsert(2, "ends_at"), upsert(3, "used")] == [1, 1, 3]


def test_an_expression_is_written_each_time():
    for word in "KETTLE", "PAN":
        SearchWord.objects.bulk_create([SearchWord(word=Lower(Value(word)))])
    SearchWord.objects.bulk_create([SearchWord(word="POT")])

    words = SearchWord.objects.filter(word__in=["kettle", "pan", "POT"])
    assert sorted(words.values_list("word", flat=True)) == ["POT", "kettle", "pan"]


def test_a_single_insert_equals_a_bulk_insert_of_one(monkeypatch):
    product = ProductFactory()
    monkeypatch.setattr(inserts, "_templates", {})
    alone, bulk = some_movements(product, 5), some_movements(product, 6)

    insert(alone)
    StockMovement.objects.bulk_create(bulk)

    kept = StockMovement.objects.get(pk=alone[0].pk)
    assert (kept.product_id, kept.quantity, kept.reference) == (product.pk, 5, "r5")
    assert kept.created_at == alone[0].created_at
    assert vars(alone[0]).keys() == vars(bulk[0]).keys()
    assert not alone[0]._state.adding


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_inserted_rows_get_their_own_keys(rows):
    made = some_movements(ProductFactory(), *range(1, 1 + rows))

    insert(made)

    by_key = StockMovement.objects.in_bulk([each.pk for each in made])
    assert [by_key[each.pk].quantity for each in made] == list(range(1, 1 + rows))


def test_the_second_insert_is_one_statement_that_django_does_not_write(
    written_anew, django_assert_num_queries
):
    product = ProductFactory()
    insert(some_movements(product, 1))
    written_anew.clear()

    with django_assert_num_queries(1):
        insert(some_movements(product, 2))

    assert written_anew == []


def test_an_insert_leaves_out_what_is_there_only_where_it_may():
    insert([SearchWord(word="kettle")])

    insert([SearchWord(word="kettle"), SearchWord(word="pan")], ignore_conflicts=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([SearchWord(word="kettle")])

    assert SearchWord.objects.filter(word__in=["kettle", "pan"]).count() == 2


def test_a_number_that_somebody_chose_is_kept():
    chosen = StockMovement(pk=4711, product=ProductFactory(), quantity=1, reference="chosen")

    insert([chosen])

    assert StockMovement.objects.get(pk=4711).reference == "chosen"


def test_an_expression_is_inserted_as_what_it_says(monkeypatch):
    monkeypatch.setattr(inserts, "_templates", {})
    insert([SearchWord(word=Lower(Value("KETTLE")))])
    insert([SearchWord(word="POT")])
    insert([SearchWord(word=Lower(Value("PAN")))])

    words = SearchWord.objects.filter(word__in=["kettle", "pan", "POT"])
    assert sorted(words.values_list("word", flat=True)) == ["POT", "kettle", "pan"]


def test_a_column_that_makes_something_of_its_value_is_asked_to():
    reason = StockMovement(product=ProductFactory(), quantity="7", reference=TrackStatus.PAID)

    insert([reason])

    kept = StockMovement.objects.get(pk=reason.pk)
    assert (kept.quantity, kept.reference) == (7, "paid")


def test_nothing_is_inserted_by_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])


def test_of_new_rows_it_is_told_which_were_not_there():
    first, second = ProductFactory(), ProductFactory()
    StockMovement.objects.create(product=first, quantity=-1, reference="order:1")

    def told(*products):
        rows = [StockMovement(product=each, quantity=-1, reference="order:1") for each in products]
        return insert_new(rows, "product_id")

    assert told() == []
    assert told(first, second) == [second.pk]
    assert told(first, second) == []
    assert StockMovement.objects.filter(reference="order:1").count() == 2


def test_more_new_rows_than_a_few_are_told_of_too():
    product = ProductFactory()
    StockMovement.objects.bulk_create(some_movements(product, 3))

    insert_new(some_movements(product, *range(1, 12)), "product_id")

    assert product.movements.filter(reference__startswith="r").count() == 11


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_a_row_and_those_that_refer_to_it_are_inserted_together(lines):
    product, order = ProductFactory.build(), ProductFactory()
    product.seller, movements = order.seller, some_movements(product, *range(1, 1 + lines))
    for movement in movements:
        movement.product_id = None

    with CaptureQueriesContext(connection) as sent:
        insert_with(product, movements, refers="product")

    assert len(sent) == (1 if lines <= inserts.MOST else 2)
    assert sorted(product.movements.values_list("quantity", flat=True)) == [*range(1, 1 + lines)]
    assert not product._state.adding
    assert not movements[0]._state.adding


def test_rows_inserted_together_are_refused_together():
    kettle, known = ProductFactory(), some_movements(ProductFactory(), 1)
    insert(known)
    copy = ProductFactory.build(seller=kettle.seller, name="Sufuria")
    twice = [*some_movements(kettle, 2), *some_movements(kettle, 2)]

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_with(copy, twice, refers="product")

    assert not Product.objects.filter(name="Sufuria").exists()
