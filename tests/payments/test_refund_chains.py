"""A refund M-Pesa refused and made after all, while the one that replaced it was under way."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders.models import Notice
from payments.daraja.result_codes import TransferFailure
from payments.ledger import balance
from payments.models import Account, Receipt, Refund
from payments.proof.prove import prove
from payments.refunds.replacements import create_replacement
from payments.transfers import mark_done, mark_not_received, mark_refused, reserve_daily_limit
from tests.shopping import an_order

from .bodies import post, success
from .conftest import ringing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]


def sent(refund, status="sent"):
    now = timezone.now()
    assert reserve_daily_limit(refund, now)
    Refund.objects.filter(pk=refund.pk).update(status=status, sent_at=now, next_check_at=None)
    refund.refresh_from_db()
    return refund


def refuse(refund, reason=TransferFailure.OTHER):
    mark_refused(refund, code="2", text="Declined.", reason=reason)
    refund.refresh_from_db()
    return refund


@pytest.fixture
def first(client, buyer, kettle):
    """KES 100 of 1,600 are owed back for a kettle of 1,500. M-Pesa refused to send them."""
    payment = ringing(an_order(buyer, (kettle, 1)).payments.get())
    post(client, payment, success(payment, receipt="SGL7654321", amount=1600))
    Receipt.objects.update(verification="confirmed")
    return refuse(sent(Refund.objects.get()))


@pytest.fixture
def second(first):
    """Another refund of it, which M-Pesa has, when it makes the first one after all."""
    following = sent(create_replacement(first, way="b2c", phone=first.phone), status="unknown")
    mark_done(first, number="SGB0000001")
    first.refresh_from_db()
    following.refresh_from_db()
    return following


def not_received(refund):
    assert mark_not_received(refund, heard_at=timezone.now() + timedelta(seconds=1))


NOT_MADE = {
    "refused": refuse,
    "refused for now": lambda refund: refuse(refund, TransferFailure.NO_FUNDS),
    "never received": not_received,
}


@pytest.fixture(params=NOT_MADE)
def not_made(request, second):
    """The second one, which M-Pesa did not make."""
    NOT_MADE[request.param](second)
    second.refresh_from_db()
    return second


def test_a_replacement_that_is_not_made_is_dropped_and_not_sent_again(first, not_made):
    rows = Refund.objects.order_by("pk").values_list("status", "next_check_at", "replaces")

    assert list(rows) == [("done", None, None), ("dropped", None, None)]


def test_the_money_then_went_back_once(first, not_made):
    first.refresh_from_db()
    accounts = (Account.MPESA_CLEARING, Account.REFUNDS_PAYABLE, Account.SUSPENSE)

    assert [balance(account) for account in accounts] == [1500, 0, 0]
    assert (first.note, first.unacknowledged) == ("", False)
    assert prove().broken == []


def test_its_buyer_is_notified_once(not_made):
    assert Notice.objects.filter(kind="refunded").count() == 1


def test_the_same_if_the_first_of_three_is_made(first):
    second = refuse(sent(create_replacement(first, way="b2c", phone=first.phone)))
    third = sent(create_replacement(second, way="b2c", phone=first.phone))
    mark_done(first, number="SGB0000001")

    refuse(third)

    rows = Refund.objects.order_by("pk").values_list("status", "replaces")
    assert list(rows) == [("done", None), ("refused", None), ("dropped", second.pk)]
    assert balance(Account.SUSPENSE) == 0


def test_a_replacement_that_is_made_although_it_was_dropped_went_back_twice(not_made):
    with transaction.atomic():
        note = mark_done(not_made, number="SGB0000002")
        balances = balance(Account.MPESA_CLEARING), balance(Account.SUSPENSE)
        broken = [found.rule for found in prove().broken]
        transaction.set_rollback(True)

    assert note == "The money was refunded twice: it had already gone back another way."
    assert balances == (1400, -100)
    assert broken == ["Only a rejected refund is replaced by another"]
