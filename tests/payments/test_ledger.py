"""The ledger: all money on one account each, posted once, balanced, and never changed."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from orders.lifecycle import expire_order
from orders.models import Order
from payments import clock, ledger
from payments.ledger import Posting, Unbalanced, balance
from payments.models import (
    Account,
    LedgerEntry,
    LedgerPosting,
    OrderPayment,
    Receipt,
    ReceiptSource,
    Refund,
)
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.refunds.services import refund_excess
from tests.factories import UserFactory
from tests.shopping import an_order
from tests.threads import at_once

from .conftest import ringing


def money(receipt="SGL0000001", amount=3000, source=ReceiptSource.CALLBACK):
    return AttemptOutcome(
        succeeded=True, code="0", text="Done", source=source, amount=amount, receipt=receipt
    )


PROVEN = money(receipt="", amount=None, source=ReceiptSource.QUERY)


def balances(order=None):
    """The accounts that are not empty; of one order, if one is given."""
    of = {account: balance(account, order_id=order and order.pk) for account in Account}
    return {str(account): amount for account, amount in of.items() if amount}


def events():
    return list(LedgerPosting.objects.order_by("pk").values_list("event", flat=True))


@pytest.fixture
def second(order, payment):
    """Another attempt for the same order."""
    attempt = OrderPayment.objects.create(order=order, phone="1", amount=3000, live=False)
    return ringing(attempt, "ws_CO_2")


@pytest.fixture
def sold_out(order, kettle):
    """The order has expired and its goods are promised to another buyer."""
    expire_order(order.pk, now=order.expires_at)
    return an_order(UserFactory(), (kettle, 4))


def test_money_that_pays_an_order_is_held_for_its_buyer(payment, order):
    record_outcome(payment.pk, money())

    assert balances() == {"mpesa_clearing": 3000, "buyers_held": 3000}
    assert balances(order) == {"buyers_held": 3000}
    assert events() == [f"receipt:{Receipt.objects.get().pk}"]


def test_money_said_twice_is_posted_once(payment):
    record_outcome(payment.pk, money())
    record_outcome(payment.pk, money())

    assert balances() == {"mpesa_clearing": 3000, "buyers_held": 3000}


def test_less_than_was_asked_is_held_for_its_buyer_all_the_same(payment, order):
    record_outcome(payment.pk, money(amount=2999))

    assert balances() == {"mpesa_clearing": 2999, "buyers_held": 2999}
    assert balances(order) == {"buyers_held": 2999}


def test_an_excess_is_due_back(payment, order):
    record_outcome(payment.pk, money(amount=3001))

    assert balances(order) == {"buyers_held": 3000, "refunds_payable": 1}


def test_a_partial_payment_is_owed_back_once_its_order_is_closed(payment, order):
    record_outcome(payment.pk, money(amount=2999))
    expire_order(order.pk, now=order.expires_at)

    done = (
        clock.run_periodic()["refund_uncovered_money"],
        clock.run_periodic()["refund_uncovered_money"],
    )

    order.refresh_from_db()
    assert (done, order.payment_status) == ((1, 0), "refund_due")
    assert balances() == {"mpesa_clearing": 2999, "refunds_payable": 2999}


def test_a_second_receipt_for_one_attempt_lies_in_suspense(payment):
    record_outcome(payment.pk, money("SGL0000001"))
    record_outcome(payment.pk, money("SGL0000002", amount=40))

    assert balances() == {"mpesa_clearing": 3040, "buyers_held": 3000, "suspense": 40}


def test_a_receipt_that_tells_of_no_amount_moves_nothing(payment):
    record_outcome(payment.pk, money("SGL0000001"))
    record_outcome(payment.pk, money("SGL0000002", amount=None, source=ReceiptSource.QUERY))

    assert Receipt.objects.get(number="SGL0000002").amount == 0
    assert balances() == {"mpesa_clearing": 3000, "buyers_held": 3000}


def test_less_than_was_counted_at_first_is_the_shops_own_loss(payment):
    record_outcome(payment.pk, PROVEN)
    record_outcome(payment.pk, money(amount=1))

    assert balances() == {"mpesa_clearing": 1, "buyers_held": 3000, "write_offs": 2999}


def test_more_than_was_counted_at_first_is_owed_back(payment):
    record_outcome(payment.pk, PROVEN)
    record_outcome(payment.pk, money(amount=3001))

    assert balances() == {"mpesa_clearing": 3001, "buyers_held": 3000, "refunds_payable": 1}


def test_money_that_came_after_the_goods_were_gone_is_owed_back(payment, order, sold_out):
    record_outcome(payment.pk, money())

    assert balances() == {"mpesa_clearing": 3000, "refunds_payable": 3000}
    assert balances(order) == {"refunds_payable": 3000}
    assert events() == [
        f"receipt:{Receipt.objects.get().pk}",
        f"refund:{Refund.objects.get().pk}:owed",
    ]


def test_money_that_came_twice_is_owed_back_once(payment, second, order):
    record_outcome(payment.pk, money("SGL0000001"))
    record_outcome(second.pk, money("SGL0000002"))

    assert balances(order) == {"buyers_held": 3000, "refunds_payable": 3000}


def test_money_that_came_twice_for_goods_that_are_gone_is_all_owed_back(
    payment, second, order, sold_out
):
    record_outcome(payment.pk, money("SGL0000001"))
    record_outcome(second.pk, money("SGL0000002"))

    assert balances(order) == {"refunds_payable": 6000}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_payments_at_once_one_is_held_and_one_is_owed_back(payment, second, order):
    at_once(
        lambda: record_outcome(payment.pk, money("SGL0000001")),
        lambda: record_outcome(second.pk, money("SGL0000002")),
    )

    assert balances(order) == {"buyers_held": 3000, "refunds_payable": 3000}


def test_a_refund_the_clock_finds_due_is_created_once(payment, order, sold_out):
    payment.status, payment.live, payment.next_check_at = "confirmed", False, None
    payment.confirmed_at = payment.created_at
    payment.save_base(raw=True)
    ledger.post_receipt(order.receipts.create(payment=payment, amount=3000, source="query"))

    done = (
        clock.run_periodic()["sync_unsynced_orders"],
        clock.run_periodic()["sync_unsynced_orders"],
    )

    assert (done, Order.objects.get(pk=order.pk).payment_status) == ((1, 0), "refund_due")
    assert balances() == {"mpesa_clearing": 3000, "refunds_payable": 3000}


def test_a_refund_that_is_due_already_is_not_created_again(payment, order, sold_out):
    record_outcome(payment.pk, money())

    refund_excess(order.pk)

    assert balances(order) == {"refunds_payable": 3000}


def test_nothing_is_owed_back_for_an_order_that_is_paid(payment, order):
    record_outcome(payment.pk, money())

    refund_excess(order.pk)

    assert balances(order) == {"buyers_held": 3000}


def test_a_posting_is_one_statement_where_the_database_takes_it_at_once(
    payment, django_assert_num_queries
):
    record_outcome(payment.pk, money())
    one = {Account.BUYERS_HELD: 3000}
    shares = {Account.SELLERS_PAYABLE: 2900, Account.COMMISSION: 100}

    of = {"order_id": payment.order_id, "seller_id": payment.order.buyer_id}

    with transaction.atomic():
        with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
            ledger.post(Posting("fetched:1", one, shares, **of))
        assert balances(payment.order) == {"sellers_payable": 2900, "commission": 100}
        # No line of the order was fetched.
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("debited", "credited"),
    [({"suspense": 2}, {"suspense": 1}), ({}, {}), ({"suspense": 0}, {"suspense": 0}),
     ({"suspense": 1, "buyers_held": -1}, {"suspense": 0})],
)  # fmt: skip
def test_an_unbalanced_posting_is_refused(db, debited, credited):
    with pytest.raises(Unbalanced):
        ledger.post(Posting("mistake:1", debited, credited))

    assert events() == []


@transaction.atomic
def committed(write):
    write()
    connection.check_constraints()


def refused(write, match=None):
    with pytest.raises(IntegrityError, match=match):
        committed(write)


def test_an_event_is_posted_once(payment):
    record_outcome(payment.pk, money())
    owed = {Account.BUYERS_HELD: 1}, {Account.REFUNDS_PAYABLE: 1}

    refused(lambda: ledger.post(Posting(events()[0], *owed, order_id=payment.order_id)), "event")


@pytest.mark.parametrize(("model", "field"), [(LedgerPosting, "event"), (LedgerEntry, "account")])
def test_a_posting_cannot_be_changed(payment, model, field):
    record_outcome(payment.pk, money())

    refused(lambda: model.objects.update(**{field: "suspense"}), "only added to")


@pytest.mark.parametrize("model", [LedgerPosting, LedgerEntry])
def test_a_posting_cannot_be_deleted(payment, model):
    record_outcome(payment.pk, money())
    rows = model.objects.all()

    refused(lambda: rows._raw_delete(rows.db), "only added to")


def entry(**changed):
    posting = LedgerPosting.objects.first() or LedgerPosting.objects.create(event="mistake:1")
    fields = {"posting": posting, "account": "suspense", "side": "debit", "amount": 1}
    return LedgerEntry.objects.create(**fields | changed)


@pytest.mark.parametrize(
    "changed",
    [{"amount": 0}, {"side": "left"}, {"account": "buyers_held"}, {"account": "petty_cash"}],
)
def test_an_entry_is_above_zero_on_a_side_of_an_account(db, changed):
    refused(lambda: entry(**changed), "ledger_")


@pytest.mark.parametrize("account", ["mpesa_clearing", "suspense"])
def test_money_in_suspense_belongs_to_no_order(order, account):
    refused(lambda: entry(account=account, order=order), "ledger_account")


@pytest.mark.postgres
@pytest.mark.parametrize("sides", [[], ["debit"], ["debit", "debit"], ["debit", "credit", "debit"]])
def test_the_database_refuses_a_posting_that_does_not_balance(db, sides):
    def write():
        posting = LedgerPosting.objects.create(event="mistake:1")
        for side in sides:
            entry(posting=posting, side=side)

    refused(write, "ledger posting")


@pytest.mark.postgres
def test_the_database_refuses_to_unbalance_a_posting_of_before(payment):
    record_outcome(payment.pk, money())
    connection.check_constraints()

    refused(entry, "ledger posting")


def test_receipts_of_before_the_ledger_get_the_same_postings(
    buyer, kettle, payment, second, order, monkeypatch
):
    before = import_module("payments.migrations.0003_post_what_came_before")
    monkeypatch.setattr(before, "CHUNK", 2)
    with monkeypatch.context() as patch:
        patch.setattr("payments.ledger.post", lambda *postings: None)
        late = an_order(UserFactory(), (kettle, 3))
        expire_order(late.pk, now=late.expires_at)
        record_outcome(payment.pk, money("SGL0000001"))
        record_outcome(second.pk, money("SGL0000002"))
        record_outcome(payment.pk, money("SGL0000003", amount=40))
        third = an_order(UserFactory(), (kettle, 3))
        record_outcome(late.payments.get().pk, money("SGL0000004", amount=4500))

    before.post_receipts(apps, None)
    before.post_receipts(apps, None)

    assert (balances(third), balances(late)) == ({}, {"refunds_payable": 4500})
    assert balances(order) == {"buyers_held": 3000, "refunds_payable": 3000}
    assert balances() == {
        "mpesa_clearing": 10540, "buyers_held": 3000, "refunds_payable": 7500, "suspense": 40,
    }  # fmt: skip
