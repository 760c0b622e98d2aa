"""Which messages are trusted on their own, which are checked, and which change nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order
from payments.backoffice.receipt_services import mark_attempt_paid, mark_attempt_unpaid
from payments.models import GatewayEvent, OrderPayment, Receipt, Refund
from payments.reconciliation.status_query import query_status
from tests.factories import UserFactory
from tests.shopping import an_order, stock_of

from .bodies import failure, post, success
from .conftest import ringing
from .fakes import CANCELLED, PAID

OTHERS = "f" * 32


def event():
    return GatewayEvent.objects.order_by("-pk").first()


def stand(payment):
    payment.refresh_from_db()
    return payment.status, Order.objects.get(pk=payment.order_id).payment_status


def test_the_attempts_own_address_ids_and_amount_are_believed(client, payment):
    answer = post(client, payment, success(payment, receipt="SGL1234567"))

    assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert stand(payment) == ("confirmed", "paid")
    assert (event().state, event().note) == ("applied", "The payment is credited.")
    assert event().payment_id == payment.pk
    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.amount, receipt.order_id, receipt.source) == (
        "SGL1234567",
        3000,
        payment.order_id,
        "callback",
    )


@pytest.mark.parametrize("token", ["", OTHERS, "x"])
def test_a_success_at_another_address_is_only_a_reason_to_ask(client, payment, daraja, token):
    post(client, payment, success(payment), token=token)

    assert stand(payment) == ("submitted", "requested")
    assert (event().state, event().note) == (
        "checking",
        "It did not come to the attempt's own URL.",
    )
    assert not Receipt.objects.exists()


def test_a_message_in_question_is_settled_when_staff_see_that_it_was_paid(client, payment, daraja):
    post(client, payment, success(payment), token="")

    mark_attempt_paid(payment.pk, number="SGL1234567", by=UserFactory())

    assert stand(payment) == ("confirmed", "paid")
    assert (event().state, event().note) == ("applied", "The attempt was confirmed by staff.")


def test_a_message_in_question_is_asked_about_though_staff_see_that_it_was_not_paid(
    client, payment, daraja
):
    post(client, payment, success(payment), token="")
    OrderPayment.objects.update(live=False)

    mark_attempt_unpaid(payment.pk)

    payment.refresh_from_db()
    assert (payment.status, payment.next_check_at is None) == ("failed", False)


def test_a_message_about_an_attempt_that_ended_is_asked_about_until_there_is_an_answer(
    client, payment, daraja
):
    post(client, payment, failure(payment))
    OrderPayment.objects.update(rung_at=timezone.now() - timedelta(days=2))
    post(client, payment, success(payment), token="")
    query_status(payment.pk)
    payment.refresh_from_db()
    asked_again, queries = payment.next_check_at, len(daraja.queries)

    OrderPayment.objects.update(next_check_at=timezone.now())
    daraja.answer = CANCELLED
    query_status(payment.pk)

    assert asked_again is not None
    assert queries
    assert stand(payment) == ("failed", "requested")
    assert event().state == "applied"
    payment.refresh_from_db()
    assert payment.next_check_at is None


def test_a_forged_success_is_closed_when_m_pesa_says_otherwise(client, payment, daraja):
    post(client, payment, success(payment), token="")
    daraja.answer = CANCELLED

    query_status(payment.pk)

    assert stand(payment) == ("failed", "requested")
    assert (event().state, event().note) == ("applied", "M-Pesa reports failed (1032).")
    assert not Receipt.objects.exists()


def test_a_success_at_another_address_is_believed_when_m_pesa_bears_it_out(client, payment, daraja):
    post(client, payment, success(payment, receipt="SGL7654321"), token="")
    daraja.answer = PAID

    query_status(payment.pk)

    receipt = Receipt.objects.get()
    assert stand(payment) == ("confirmed", "paid")
    assert (receipt.number, receipt.source, receipt.amount) == ("", "query", 3000)


def test_a_receipt_named_elsewhere_is_not_believed_and_the_own_address_names_it(
    client, payment, daraja
):
    post(client, payment, success(payment, receipt="FORGED1234"), token="")
    daraja.answer = PAID
    query_status(payment.pk)

    post(client, payment, success(payment, receipt="SGL7654321"))

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.source) == ("SGL7654321", "callback")


def test_a_receipt_that_is_not_counted_yet_cannot_be_borrowed(client, payment, daraja, kettle):
    elsewhere = an_order(UserFactory(), (kettle, 1), phone="254733000111")
    other = ringing(elsewhere.payments.get(), "ws_CO_2")
    post(client, payment, success(payment, receipt="SGL7654321"), token="")
    daraja.answer = PAID
    query_status(payment.pk)

    post(client, other, success(other, receipt="SGL7654321"))

    assert stand(other) == ("confirmed", "paid")
    assert (other.receipt.number, payment.receipt.number) == ("SGL7654321", "")


def test_a_borrowed_receipt_does_not_keep_real_money_from_being_counted(
    client, payment, daraja, kettle
):
    elsewhere = an_order(UserFactory(), (kettle, 1), phone="254733000111")
    other = ringing(elsewhere.payments.get(), "ws_CO_2")
    post(client, other, success(other, receipt="SGL7654321"))
    post(client, payment, success(payment, receipt="SGL7654321"), token="")
    daraja.answer = PAID

    query_status(payment.pk)

    assert stand(payment) == ("confirmed", "paid")
    assert payment.receipt.number == ""


@pytest.mark.parametrize("wrong", [{"checkout": "ws_CO_9"}, {"merchant": "m-9"}])
def test_other_request_ids_at_the_right_address_are_only_a_reason_to_ask(
    client, payment, daraja, wrong
):
    post(client, payment, success(payment, receipt="SGL7654321", **wrong))
    asked = (stand(payment), event().state, event().note)
    daraja.answer = PAID

    query_status(payment.pk)

    assert asked == (
        ("submitted", "requested"),
        "checking",
        "Its request ids are not those M-Pesa gave the attempt.",
    )
    assert stand(payment) == ("confirmed", "paid")
    # That receipt belongs to whatever those ids are about.
    assert payment.receipt.number == ""


def test_a_message_about_nothing_of_ours_changes_nothing(client, payment):
    post(client, None, success(payment, checkout="ws_CO_404"), token=OTHERS)

    assert (event().state, event().payment) == ("unmatched", None)
    assert stand(payment) == ("submitted", "requested")


@pytest.mark.parametrize("nothing", [None, "", [], {}, 0, False, "\x00", " "])
@pytest.mark.parametrize("name", ["CheckoutRequestID", "MerchantRequestID"])
def test_empty_ids_find_no_attempt(client, order, nothing, name):
    payment = order.payments.get()
    OrderPayment.objects.update(
        status="unknown", rung_at=payment.created_at, next_check_at=payment.created_at
    )
    told = success(payment, checkout="ws_CO_1", merchant="m-1")
    told["Body"]["stkCallback"][name] = nothing

    post(client, payment, told, token="")

    assert stand(payment) == ("unknown", "requested")
    assert (event().state, event().payment) == ("unreadable", None)


def test_an_attempt_nobody_sent_cannot_have_been_paid(client, order):
    payment = order.payments.get()

    post(client, payment, success(payment, checkout="ws_CO_1", merchant="m-1"))

    assert stand(payment) == ("requested", "requested")
    assert (event().state, event().note) == (
        "failed",
        "This attempt was never sent to M-Pesa. There is no request id to query M-Pesa by.",
    )


@pytest.mark.parametrize(
    ("source", "ends"),
    [
        ("196.201.214.200", "paid"),
        ("::ffff:196.201.214.200", "paid"),
        ("::FFFF:C4C9:D6C8", "paid"),
        ("196.201.213.44", "paid"),
        ("::ffff:196.201.212.127", "paid"),
        ("196.201.214.20", None),
        ("196.201.211.255", None),
        ("::c4c9:d6c8", None),
        ("41.1.2.3", None),
        ("", None),
    ],
)
def test_with_a_list_of_addresses_others_are_only_a_reason_to_ask(
    client, payment, settings, daraja, source, ends
):
    settings.DARAJA_CALLBACK_IPS = ["196.201.214.200", "196.201.212.0/23"]

    client.post(
        f"/safwebhook/{payment.callback_token}/",
        success(payment),
        content_type="application/json",
        REMOTE_ADDR=source,
    )

    assert stand(payment)[1] == (ends or "requested")
    assert event().state == ("applied" if ends else "checking")


@pytest.mark.parametrize("amount", [1, 2999, "2999.00"])
def test_less_than_was_asked_is_credited_and_waits_for_the_rest(client, payment, amount, kettle):
    post(client, payment, success(payment, amount=amount))

    receipt = Receipt.objects.get()
    came = int(float(amount))
    assert stand(payment) == ("confirmed", "requested")
    assert (receipt.amount, receipt.order_id, receipt.waiting) == (came, payment.order_id, True)
    assert event().note == f"KES {int(came):,} arrived, KES 3,000 was requested."
    assert stock_of(kettle) == (5, 2)
    assert not Refund.objects.exists()


@pytest.mark.parametrize("amount", [3001, 250_000])
def test_more_than_was_asked_pays_and_the_rest_is_owed_back(client, payment, amount, kettle):
    post(client, payment, success(payment, amount=amount))

    receipt, refund = Receipt.objects.get(), Refund.objects.get()
    assert stand(payment) == ("confirmed", "paid")
    assert (receipt.amount, receipt.order_id, receipt.waiting) == (amount, payment.order_id, False)
    assert (refund.amount, refund.cause, refund.order_id) == (
        amount - 3000,
        "excess",
        payment.order_id,
    )
    assert event().note == f"KES {amount:,} arrived, KES 3,000 was requested."
    assert stock_of(kettle) == (3, 0)


def test_a_receipt_counts_for_one_attempt_only(client, payment, kettle):
    post(client, payment, success(payment, receipt="SGL7654321"))
    other = ringing(an_order(UserFactory(), (kettle, 1)).payments.get(), "ws_CO_2")

    post(client, other, success(other, receipt="SGL7654321"))

    assert stand(other) == ("submitted", "requested")
    assert event().note == "Receipt SGL7654321 is already recorded; nothing was credited."
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("code", [4999, 7777, "E3008", -1])
def test_a_code_that_ends_nothing_is_only_a_reason_to_ask(client, payment, daraja, code):
    post(client, payment, failure(payment, code=code))

    assert stand(payment) == ("submitted", "requested")
    assert (event().state, event().note) == (
        "checking",
        f"{code} is not a final result code for a payment.",
    )


def test_a_failure_from_elsewhere_closes_no_prompt(client, payment, daraja):
    post(client, payment, failure(payment), token="")

    assert (stand(payment), payment.live) == (("submitted", "requested"), True)
    assert event().state == "checking"


def test_strangers_cannot_make_us_ask_more_than_once_in_ten_seconds(
    client, payment, daraja, django_capture_on_commit_callbacks
):
    for _ in range(5):
        with django_capture_on_commit_callbacks(execute=True):
            post(client, payment, success(payment), token="")

    assert daraja.queries == ["ws_CO_1"]


def test_a_doubtful_success_is_asked_about_though_a_failure_came_from_the_own_address(
    client, payment, daraja
):
    post(client, payment, success(payment, receipt="SGL7654321"), token="")

    post(client, payment, failure(payment))

    payment.refresh_from_db()
    assert (payment.status, payment.next_check_at is None) == ("failed", False)
    daraja.answer = PAID
    query_status(payment.pk)
    assert stand(payment) == ("confirmed", "paid")
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}
