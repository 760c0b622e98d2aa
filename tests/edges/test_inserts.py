"""On PostgreSQL the SQL of an insert is written once, and its values are those of each row."""

import pytest
from django.db import IntegrityError, connection
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.sql.compiler import SQLInsertCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ContactCount
from omachemainproj.postgresql import compiler
from products.models import SearchWord, StockMovement
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
