"""By which ways money in suspense becomes an order's, and of what money none of them does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.fulfilment import PaymentInDoubt, move_line
from payments.backoffice import receipt_services as money_in
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.statement import StatementPage, StatementRow
from payments.doubt import put_in_doubt
from payments.evidence import SourceReport, lock_receipt, record
from payments.ledger import balance
from payments.models import Account, Receipt, ReceiptSource
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.statement_pull import pull_statement
from tests.factories import UserFactory

from .bodies import by_hand, post, post_c2b, success
from .statements import PAYBILL, read, statement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

NUMBER = "SGX0000001"


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """Override: payments are not confirmed automatically here."""


def seen(amount, *, reference="", source=ReceiptSource.STATEMENT, number=NUMBER, **more):
    """A source's report of a payment."""
    more.setdefault("shortcode", "174379")
    return record_receipt(
        IncomingPayment("mpesa", number, amount, source, reference=reference, **more)
    )[0]


def stand(order):
    """An order's payment status, and whether its goods wait for a doubt to be decided."""
    order.refresh_from_db()
    return order.payment_status, order.in_doubt


@pytest.fixture
def returned():
    """KES 3,000 that the shop had sent, and that came back."""
    receipt = seen(3000)
    Receipt.objects.filter(pk=receipt.pk).update(source=ReceiptSource.RETURNED)
    return receipt


def test_no_attempt_is_paid_with_what_came_back(order, payment, returned):
    with pytest.raises(ActionNotAvailable, match="came back: no buyer paid it"):
        money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=UserFactory())

    assert (stand(order), balance(Account.SUSPENSE)) == (("requested", False), 3000)


def test_returned_money_is_not_given_to_an_order_by_a_callback_with_its_number(
    client, order, payment, returned
):
    post(client, payment, success(payment, receipt=NUMBER))

    event = payment.events.get()
    assert (event.state, stand(order)) == ("applied", ("requested", False))
    assert event.note == (
        f"{NUMBER}: KES 3,000 was sent by the shop and came back: no buyer paid it. "
        "Nothing was credited."
    )


def test_no_prompts_receipt_is_named_by_what_came_back(order, payment, returned):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", ReceiptSource.QUERY))
    unnamed = Receipt.objects.get(order=order)

    with pytest.raises(ActionNotAvailable, match="was sent by the shop and came back"):
        money_in.set_receipt_number(unnamed.pk, number=NUMBER, by=UserFactory())
    with pytest.raises(ActionNotAvailable, match="was sent by the shop and came back"):
        money_in.merge_with_order(returned.pk, reference=order.reference, why="It fits.")

    returned.refresh_from_db()
    assert (returned.same_as, returned.amount, balance(Account.SUSPENSE)) == (None, 3000, 3000)


@pytest.fixture
def doubted():
    """KES 3,000 recorded by staff, of which M-Pesa says that it does not know it."""
    receipt = seen(3000, source=ReceiptSource.STAFF, by=UserFactory().pk)
    put_in_doubt(receipt.pk, f"M-Pesa does not know {NUMBER}.")
    return receipt


def test_goods_bought_with_a_payment_in_doubt_wait_until_it_is_decided(
    client, order, payment, doubted
):
    post(client, payment, success(payment, receipt=NUMBER))

    assert stand(order) == ("paid", True)
    with pytest.raises(PaymentInDoubt):
        move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    # M-Pesa's own answer ends the doubt, and with it the wait.
    record(lock_receipt(doubted.pk), SourceReport("statement", 3000, NUMBER, "174379"))
    doubted.refresh_from_db()
    assert (doubted.verification, stand(order)) == ("confirmed", ("paid", False))


def test_staff_cannot_pay_an_attempt_with_a_payment_in_doubt(order, payment, doubted):
    with pytest.raises(ActionNotAvailable, match="Decide first whether it arrived"):
        money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=UserFactory())

    assert stand(order) == ("requested", False)


def test_a_prompt_that_a_query_proves_is_not_paid_with_a_payment_in_doubt(order, payment, doubted):
    Receipt.objects.filter(pk=doubted.pk).update(phone=payment.phone)

    record_outcome(payment.pk, AttemptOutcome(True, "0", "", ReceiptSource.QUERY))

    # The query proves the payment; whether the money in doubt is the same is decided later.
    doubted.refresh_from_db()
    assert (stand(order), doubted.order) == (("paid", False), None)
    assert Receipt.objects.get(order=order).number == ""
    # Until a person has said so, the books are told to be unclear.
    money_in.mark_as_separate_payment(doubted.pk)


def test_staff_change_no_amount_that_m_pesa_reported(order, payment):
    receipt = seen(10)

    with pytest.raises(
        ActionNotAvailable, match="the prompt was for KES 3,000: it is another payment"
    ):
        money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=UserFactory())

    receipt.refresh_from_db()
    assert (receipt.amount, receipt.order, stand(order)) == (10, None, ("requested", False))
    assert balance(Account.MPESA_CLEARING) == 10


def test_returned_money_is_not_given_to_an_order_by_concurrent_reports(order):
    receipt = seen(10, reference=order.reference)

    # A person's report that was checked just before M-Pesa's came in.
    seen(3000, reference=order.reference, source=ReceiptSource.STAFF, by=UserFactory().pk)

    receipt.refresh_from_db()
    assert (receipt.amount, stand(order)) == (10, ("requested", False))


@pytest.mark.parametrize(("source", "counted", "lost"), [("staff", 3000, 0), ("c2b", 300, 2700)])
def test_an_amount_only_staff_saw_does_not_change_a_prompts_payment(
    order, payment, source, counted, lost
):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", ReceiptSource.QUERY))
    movement = seen(300, source=source, by=UserFactory().pk if source == "staff" else None)

    receipt = money_in.merge_with_order(movement.pk, reference=order.reference, why="It fits.")

    assert (receipt.number, receipt.amount, receipt.written_off) == (NUMBER, counted, lost)
    assert balance(Account.MPESA_CLEARING) == counted


def told_without_reference():
    """KES 3,000 recorded by staff, whose typed reference no source has reported yet."""
    return seen(3000, source=ReceiptSource.STAFF, by=UserFactory().pk, shortcode="")


def from_c2b(client, daraja, order):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))


def from_the_statement(client, daraja, order):
    row = StatementRow(
        NUMBER, 3000, timezone.now(), "2547*****678", order.reference, "c2b-pay-bill-debit"
    )
    pages = iter([StatementPage((row,), ()), StatementPage((), ())])
    daraja.on_pull = lambda pull: next(pages)
    pull_statement(timezone.now() + timedelta(days=1))


def from_the_portals_statement(client, daraja, order):
    came = {
        "receipt": NUMBER, "amount": 3000, "phone": "254712345678", "reason": "Pay Bill Online",
        "account": order.reference, "details": "Pay Bill Online",
    }  # fmt: skip
    read(statement(came, shortcode=PAYBILL))


@pytest.mark.parametrize("source", [from_c2b, from_the_statement, from_the_portals_statement])
def test_a_reference_that_comes_later_pays_its_order(client, daraja, order, settings, source):
    settings.DARAJA_STATEMENT = True
    told_without_reference()

    source(client, daraja, order)

    receipt = Receipt.objects.get()
    assert (stand(order), receipt.order, receipt.payment.channel) == (
        ("paid", False), order, "pay_bill",
    )  # fmt: skip
    assert (balance(Account.SUSPENSE), balance(Account.BUYERS_HELD, order_id=order.pk)) == (0, 3000)


def test_a_reference_merges_money_with_the_receipt_of_the_orders_prompt(client, order, payment):
    told_without_reference()
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", ReceiptSource.QUERY))

    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER, MSISDN=payment.phone))

    assert list(Receipt.objects.filter(amount__gt=0).values_list("number", "order", "payment")) == [
        (NUMBER, order.pk, payment.pk)
    ]
    assert balance(Account.MPESA_CLEARING) == 3000


def test_money_being_refunded_is_not_matched_by_a_later_reference(client, order):
    receipt = told_without_reference()
    money_in.refund_receipt(receipt.pk)

    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    receipt.refresh_from_db()
    assert (receipt.order, receipt.refunds.get().status, stand(order)) == (
        None, "due", ("requested", False),
    )  # fmt: skip


def test_money_in_doubt_is_not_matched_by_a_later_reference(client, order, doubted):
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    doubted.refresh_from_db()
    assert (doubted.order, stand(order)) == (None, ("requested", False))
