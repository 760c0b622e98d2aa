"""An account is deleted as money for its goods comes, with real threads on PostgreSQL."""

from threading import Event

import pytest
from django.utils import timezone

from orders.lifecycle import expire_order
from payments.models import Receipt, Refund
from payments.people import erasure
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.payments.conftest import daraja, ringing  # noqa: F401
from tests.shopping import an_order, stock_of
from tests.threads import PATIENCE, at_once

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("daraja"),
]


@pytest.fixture
def late(buyer, kettle):
    """A prompt for one kettle, KES 1,500, whose order has expired; its money may still come."""
    order = an_order(buyer, (kettle, 1))
    payment = ringing(order.payments.get())
    assert expire_order(order.pk, now=order.expires_at)
    return payment


def money(payment):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 1500, "SGL7654321"))


def ends(payment):
    payment.order.refresh_from_db()
    return payment.order.payment_status


def test_a_seller_is_not_erased_with_goods_that_are_paid_at_this_moment(late, kettle, monkeypatch):
    """What tells a seller of paid goods refers to their row, which is locked in full: the money
    cannot be committed before the account is gone, and finds its goods off sale then."""
    looked, empty = Event(), erasure._empty_listings

    def then_money_comes(user_id):
        looked.set()
        Event().wait(0.3)
        return empty(user_id)

    monkeypatch.setattr(erasure, "_empty_listings", then_money_comes)

    erased, told = at_once(
        lambda: erasure.erase_account(kettle.seller, timezone.now()),
        lambda: looked.wait(PATIENCE) and money(late),
    )
    if told is not None:
        # Both waited for each other, and PostgreSQL let go of this one: the clock acts on it again.
        money(late)

    kettle.seller.refresh_from_db()
    is_erased = kettle.seller.erased_at is not None
    assert is_erased == (erased is None)
    assert (ends(late), is_erased) in [("paid", False), ("refund_due", True)]


def test_money_that_comes_once_its_goods_are_locked_goes_back(late, kettle, monkeypatch):
    locked, delete = Event(), erasure._delete_rows

    def slowly(person, now):
        locked.set()
        # What the money waits for is held until this is committed.
        Event().wait(0.3)
        delete(person, now)

    monkeypatch.setattr(erasure, "_delete_rows", slowly)

    answers = at_once(
        lambda: erasure.erase_account(kettle.seller, timezone.now()),
        lambda: locked.wait(PATIENCE) and money(late),
    )

    kettle.seller.refresh_from_db()
    assert answers == [None, None]
    assert (ends(late), kettle.seller.erased_at is not None) == ("refund_due", True)
    assert (Receipt.objects.get().amount, Refund.objects.get().amount) == (1500, 1500)
    assert stock_of(kettle) == (5, 0)
