"""Money that was recorded and never arrived is on an account of its own, not on the commission."""

from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.db.models import Sum

from orders.fulfilment import move_line
from payments import ledger
from payments.immutable_triggers import create_original_triggers
from payments.ledger import Posting, balance, post
from payments.models import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
)
from payments.proof.prove import prove
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import UserFactory
from tests.migration_steps import StepByStep

from .bodies import by_hand, post_c2b

PROVEN = AttemptOutcome(True, "0", "", ReceiptSource.QUERY)
SHORT = AttemptOutcome(True, "0", "", ReceiptSource.CALLBACK, amount=1, receipt="SGL0000001")
BEFORE, AFTER = "0010_ledger_entries", "0012_move_write_offs_off_commission"

move_write_offs = import_module(f"payments.migrations.{AFTER}")


def losses():
    """KES on the shop's commission, and KES written off."""
    return balance(Account.COMMISSION), balance(Account.WRITE_OFFS)


def come_short(payment):
    """KES 3,000 is counted, and turns out to be KES 1."""
    record_outcome(payment.pk, PROVEN)
    record_outcome(payment.pk, SHORT)


def cancel(order):
    """The goods are cancelled: nobody has them, and nobody paid for them but KES 1."""
    move_line(
        order.tracks.get().pk, "cancelled", actor=UserFactory(is_superuser=True), note="They broke."
    )


def report(amount):
    """M-Pesa's statement has the receipt with another amount than the callback."""
    record_receipt(IncomingPayment(Provider.MPESA, SHORT.receipt, amount, ReceiptSource.STATEMENT))


def test_a_buyer_who_pays_what_was_missing_pays_for_what_was_written_off(client, payment, order):
    come_short(payment)
    assert losses() == (0, 2999)

    post_c2b(client, by_hand(order.reference, 2999, receipt="SGL0000002"))

    assert losses() == (0, 0)
    assert not Refund.objects.exists()
    receipt = Receipt.objects.get(number="SGL0000002")
    assert (receipt.unacknowledged, receipt.note) == (
        True,
        "KES 2,999 that were written off of its order are paid now.",
    )


def test_of_a_second_payment_only_what_is_too_much_goes_back(client, payment, order):
    come_short(payment)

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))

    assert losses() == (0, 0)
    assert list(Refund.objects.values_list("amount", flat=True)) == [1]


#: Columns of today's models that the tables of then do not have: the code needs them.
lent = []
#: The same of whole tables.
lent_tables = []


def migrate_to(name):
    """Take the tables to a migration, with the columns of today's code lent to older ones."""
    with connection.schema_editor() as editor:
        while lent:
            editor.execute("ALTER TABLE {} DROP COLUMN {}".format(*lent.pop()))
        while lent_tables:
            editor.execute(f"DROP TABLE {lent_tables.pop()._meta.db_table}")
    StepByStep(connection).migrate([("payments", name)])
    there = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("payments").get_models():
            if model._meta.db_table not in there:
                editor.create_model(model)
                lent_tables.append(model)
    for model in apps.get_app_config("payments").get_models():
        table = model._meta.db_table
        with connection.cursor() as cursor:
            there = {
                each.name for each in connection.introspection.get_table_description(cursor, table)
            }
        missing = [field for field in model._meta.local_fields if field.column not in there]
        with connection.schema_editor() as editor:
            for field in missing:
                first = field.get_default()
                literal = f"'{first}'" if isinstance(first, str) else str(first).lower()
                default = "" if field.null else f" NOT NULL DEFAULT {literal}"
                kind = field.db_type(connection).split(" CHECK")[0]
                editor.execute(f"ALTER TABLE {table} ADD COLUMN {field.column} {kind}{default}")
                lent.append((table, field.column))


def migrate_to_the_latest():
    ((_, latest),) = StepByStep(connection).loader.graph.leaf_nodes("payments")
    migrate_to(latest)
    create_original_triggers()


@pytest.fixture
def booked_as_then(order, daraja, monkeypatch):
    """The bookkeeping of before write-offs had an account."""
    post = ledger.post

    def commission(amounts):
        of = {Account.WRITE_OFFS: Account.COMMISSION}
        return {of.get(account, account): amount for account, amount in amounts.items()}

    def post_as_then(*postings):
        post(
            *(
                replace(each, debits=commission(each.debits), credits=commission(each.credits))
                for each in postings
            )
        )

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "post", post_as_then)
        yield


@pytest.fixture
def before(transactional_db, booked_as_then):
    """That, and the database of then."""
    migrate_to(BEFORE)
    yield
    migrate_to_the_latest()


@pytest.mark.django_db
def test_money_that_is_not_lost_after_all_is_not_written_off(order, payment, daraja):
    come_short(payment)
    assert losses() == (0, 2999)

    cancel(order)

    assert (losses(), Receipt.objects.get().written_off) == ((0, 0), 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount", "lost", "refunded"), [(2000, 1000, 0), (3000, 0, 0), (3400, 0, 400)]
)
def test_money_that_turns_up_later_reverses_the_write_off(payment, amount, lost, refunded):
    come_short(payment)

    report(amount)

    receipt = Receipt.objects.get()
    assert (losses(), receipt.written_off) == ((0, lost), lost)
    assert receipt.refunds.aggregate(total=Sum("amount", default=0))["total"] == refunded


@pytest.mark.django_db
def test_the_same_amount_may_be_reported_again_after_another(payment):
    come_short(payment)
    for amount in (3000, 1, 3000, 1):
        report(amount)

    receipt = Receipt.objects.get()
    assert (receipt.amount, receipt.written_off, losses()) == (1, 2999, (0, 2999))
    assert list(
        LedgerPosting.objects.filter(event__startswith="correction:")
        .order_by("pk")
        .values_list("event", flat=True)
    ) == [f"correction:{receipt.pk}:{number}" for number in (1, 2, 3, 4, 5)]
    assert prove().broken == []


@pytest.mark.django_db
def test_a_correction_of_before_that_is_named_by_its_amount_blocks_nobody(payment):
    record_outcome(payment.pk, PROVEN)
    receipt = Receipt.objects.get()
    post(
        Posting(
            f"correction:{receipt.pk}:2",
            debits={Account.MPESA_CLEARING: 2},
            credits={Account.MPESA_CLEARING: 2},
            receipt_id=receipt.pk,
        )
    )

    record_outcome(payment.pk, SHORT)

    assert losses() == (0, 2999)


@pytest.mark.django_db
def test_the_same_loss_may_be_undone_again_after_it_came_back(payment):
    come_short(payment)
    receipt = Receipt.objects.get()
    with transaction.atomic():
        for _ in range(2):
            ledger.post_write_off_reversal(receipt, 500)

        assert losses() == (0, 1999)
        # Only the ledger's part was done here, and the receipt knows nothing of it.
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_write_offs_posted_to_commission_are_moved_off_it(booked_as_then, payment):
    come_short(payment)
    assert losses() == (-2999, 0)

    move_write_offs.move(apps, None)

    assert losses() == (0, 2999)
    assert prove().broken == []
    moved = LedgerPosting.objects.get(event__startswith="reclassified:")
    assert moved.event == f"reclassified:correction:{Receipt.objects.get().pk}:1"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_database_of_then_has_it_moved_by_its_migration(before, payment):
    come_short(payment)
    assert losses() == (-2999, 0)

    migrate_to(AFTER)

    assert losses() == (0, 2999)
    migrate_to_the_latest()
    assert prove().broken == []
    moved = LedgerPosting.objects.get(event__startswith="reclassified:")
    assert moved.event == f"reclassified:correction:{Receipt.objects.get().pk}:1"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_undone_write_offs_on_commission_are_moved_too(before, order, payment):
    come_short(payment)
    cancel(order)
    assert losses() == (0, 0)

    migrate_to(AFTER)

    assert losses() == (0, 0)
    migrate_to_the_latest()
    assert prove().broken == []
    assert LedgerPosting.objects.filter(event__startswith="reclassified:").count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_moving_twice_moves_once(before, payment):
    come_short(payment)
    migrate_to(AFTER)
    posted = LedgerPosting.objects.count()

    move_write_offs.move(apps, None)

    assert (losses(), LedgerPosting.objects.count()) == ((0, 2999), posted)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_there_is_a_way_back_only_while_nothing_is_written_off(before, payment):
    migrate_to(AFTER)
    migrate_to(BEFORE)
    come_short(payment)
    migrate_to(AFTER)

    with pytest.raises(IrreversibleError, match="nothing is deleted"):
        migrate_to(BEFORE)

    assert losses() == (0, 2999)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [(AFTER,), (AFTER, BEFORE)])
def test_the_ledger_is_only_added_to_there_and_back(before, payment, way):
    record_outcome(payment.pk, PROVEN)

    for name in way:
        migrate_to(name)

    with pytest.raises(IntegrityError, match="only added to"):
        LedgerEntry.objects.update(amount=1)
