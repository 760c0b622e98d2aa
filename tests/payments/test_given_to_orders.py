"""By which ways money in suspense becomes an order's, and of what money none of them does."""

import pytest

from payments.backoffice import receipt_services as money_in
from payments.backoffice.receipt_services import ActionNotAvailable
from payments.ledger import balance
from payments.models import Account, Receipt, ReceiptSource
from payments.reconciliation.outcomes import Outcome, record_outcome
from payments.reconciliation.receipts import IncomingPayment, record_receipt
from tests.factories import UserFactory

from .bodies import post, success

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

NUMBER = "SGX0000001"


def seen(amount, *, reference="", source=ReceiptSource.STATEMENT, number=NUMBER, **more):
    """What a source reports of a payment."""
    more.setdefault("shortcode", "174379")
    return record_receipt(
        IncomingPayment("mpesa", number, amount, source, reference=reference, **more)
    )[0]


def stand(order):
    """How an order stands: its payment, and whether its goods wait for a doubt to be decided."""
    order.refresh_from_db()
    return order.payment_status, order.in_doubt


# --- What came back ------------------------------------------------------------------------------


@pytest.fixture
def returned():
    """KES 3,000 that the shop had sent, and that came back."""
    receipt = seen(3000)
    Receipt.objects.filter(pk=receipt.pk).update(source=ReceiptSource.RETURNED)
    return receipt


def test_no_attempt_is_paid_with_what_came_back(order, payment, returned):
    with pytest.raises(ActionNotAvailable, match="is what the shop had sent: no buyer paid it"):
        money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=UserFactory())

    assert (stand(order), balance(Account.SUSPENSE)) == (("requested", False), 3000)


def test_nor_where_a_callback_names_its_number(client, order, payment, returned):
    post(client, payment, success(payment, receipt=NUMBER))

    event = payment.events.get()
    assert (event.state, stand(order)) == ("applied", ("requested", False))
    assert event.note == (
        f"{NUMBER}: KES 3,000 is what the shop had sent: no buyer paid it. Nothing was credited."
    )


def test_no_prompts_receipt_is_named_by_what_came_back(order, payment, returned):
    record_outcome(payment.pk, Outcome(True, "0", "", ReceiptSource.QUERY))
    unnamed = Receipt.objects.get(order=order)

    with pytest.raises(ActionNotAvailable, match="is what the shop had sent"):
        money_in.set_receipt_number(unnamed.pk, number=NUMBER, by=UserFactory())
    with pytest.raises(ActionNotAvailable, match="is what the shop had sent"):
        money_in.merge_with_order(returned.pk, reference=order.reference, why="It fits.")

    returned.refresh_from_db()
    assert (returned.same_as, returned.amount, balance(Account.SUSPENSE)) == (None, 3000, 3000)
