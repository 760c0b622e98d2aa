"""No money leaves on one report: a staff member's, one posted message, one bank notification."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.backoffice import audit
from orders.fulfilment import PaymentInDoubt, move_line
from payments import clock
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.receipt_services import ActionNotAvailable
from payments.daraja.statement import StatementPage, StatementRow
from payments.evidence import record_on_statement, request_confirmation
from payments.ledger import balance
from payments.models import (
    Account,
    Payout,
    Receipt,
    ReceiptEvidence,
    ReceiptQuestion,
    Refund,
    RefundDay,
)
from payments.proof.prove import prove
from payments.proof.rules import RULES
from payments.reconciliation.statement_pull import pull_statement
from payments.refunds.external_reversals import record_outside_reversal
from payments.transfers import mark_done, mark_refused
from tests.factories import UserFactory
from tests.orders.lines import line_at
from tests.shopping import an_order

from .bodies import by_hand, post, post_c2b, success
from .conftest import ringing
from .test_bank import NAME, PASSWORD, notify, told

NUMBER, PHONE = "SGL7654321", "254722999888"


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """Override: payments are not confirmed automatically here."""


@pytest.fixture(autouse=True)
def shop(db, daraja, settings):
    settings.DARAJA_STATEMENT = True
    return daraja


def finance(name):
    return UserFactory(username=name, is_staff=True, is_superuser=True)


@pytest.fixture
def insider(db):
    return finance("mole")


@pytest.fixture
def colleague(db):
    return finance("njeri")


def browser_of(person):
    client = Client()
    client.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")
    return client


def rounds(times=3):
    """The clock, with everything that waits brought forward."""
    for _ in range(times):
        for rows in (Refund.objects, Payout.objects, ReceiptQuestion.objects):
            rows.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        clock.run_periodic(timezone.now() + timedelta(minutes=1))


def answer(receipt, *, code=0, **facts):
    """M-Pesa answers the question about a receipt."""
    told = {
        "ReceiptNo": receipt.number,
        "TransactionStatus": "Completed",
        "Amount": str(receipt.amount),
        "CreditPartyName": f"{django_settings.DARAJA_SHORTCODE} - O-Mache",
        **facts,
    }
    result = {"ResultType": 0, "ResultCode": code, "ResultDesc": "x", "TransactionID": "SGQ0000001"}
    result |= {"OriginatorConversationID": "ours-1", "ConversationID": "AG_1"}
    if code == 0:
        items = [{"Key": key, "Value": value} for key, value in told.items()]
        result["ResultParameters"] = {"ResultParameter": items}
    post(Client(), None, {"Result": result}, token=receipt.question.token)
    receipt.refresh_from_db()


def left(daraja):
    """Everything M-Pesa was asked to send."""
    return [*daraja.reversals, *daraja.payouts]


def on_statement(daraja, receipt, amount=None):
    row = StatementRow(
        receipt.number, amount or receipt.amount, timezone.now(), "", "", "c2b-pay-bill-debit"
    )
    pages = iter([StatementPage((row,), ()), StatementPage((), ())])
    daraja.on_pull = lambda pull: next(pages)
    pull_statement(timezone.now() + timedelta(days=1))
    receipt.refresh_from_db()


# --- The attack of the issue ---------------------------------------------------------------------


def test_finance_invents_a_receipt_and_sends_it_back_and_nothing_leaves(daraja, insider):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=70_000, reference="", phone=PHONE, by=insider
    )
    money_in.refund_receipt(receipt.pk, by=insider)
    rounds()
    answer(receipt, code="SFC_IC0003")
    rounds()

    assert left(daraja) == []
    assert {question["receipt"] for question in daraja.questions} == {NUMBER}
    assert (receipt.verification, receipt.doubt) == ("doubted", f"M-Pesa does not know {NUMBER}.")
    assert balance(Account.REFUNDS_PAYABLE) == 70_000
    page = browser_of(insider).get("/admin/payments/console/").content.decode()
    assert "Payments in doubt" in page
    assert f"M-Pesa does not know {NUMBER}." in page


def test_the_person_who_recorded_a_receipt_may_not_approve_its_refund(daraja, insider, colleague):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=70_000, reference="", phone=PHONE, by=insider
    )
    refund = money_in.refund_receipt(receipt.pk, by=insider)

    assert (refund.needs_approval, refund.next_check_at) == (True, None)
    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(refund.pk, by=insider)
    money_out.approve_refund(refund.pk, by=colleague)
    rounds()
    # Two people are still no gateway.
    assert left(daraja) == []


def test_a_reversal_m_pesa_knows_no_payment_for_never_falls_back_to_a_phone(
    client, order, payment, daraja
):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002", MSISDN="254712345678"))
    rounds()
    first, second = Receipt.objects.order_by("pk")
    answer(first)
    answer(second)
    rounds(1)
    refund = Refund.objects.get()
    assert [each["receipt"] for each in daraja.reversals] == ["SGL0000002"]

    post(client, None, refused(refund, "R000002"), token=refund.callback_token)
    rounds()

    second.refresh_from_db()
    assert (second.verification, daraja.payouts, Refund.objects.count()) == ("doubted", [], 1)
    with pytest.raises(ActionNotAvailable, match="in doubt"):
        money_out.retry_refund(refund.pk, phone=PHONE)


def refused(refund, code):
    result = {"ResultType": 0, "ResultCode": code, "ResultDesc": "The id is invalid."}
    result |= {
        "OriginatorConversationID": "x",
        "ConversationID": "y",
        "TransactionID": "SGQ0000002",
    }
    return {"Result": result}


@pytest.fixture
def invented(order, insider):
    """The order of two kettles, paid by a receipt that finance made up."""
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3000, reference=order.reference, by=insider
    )
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return receipt


def test_an_invented_receipt_on_an_order_whose_line_is_fetched_pays_no_seller(
    invented, order, daraja
):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    rounds()

    payout = Payout.objects.get()
    assert (left(daraja), payout.status) == ([], "due")
    # Nor can any number of people let it go.
    assert not payout.awaits_approval
    assert [question["receipt"] for question in daraja.questions][:1] == [NUMBER]


def test_goods_whose_payment_is_in_doubt_stay_where_they_are(invented, order):
    answer_asked(invented, code="SFC_IC0003")

    with pytest.raises(PaymentInDoubt):
        move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))


def answer_asked(receipt, **told):
    rounds(1)
    answer(receipt, **told)


def test_a_payment_that_never_came_is_written_off_by_another_person_and_its_goods_are_returned(
    invented, order, insider, colleague, kettle, daraja
):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    answer_asked(invented, code="SFC_IC0003")

    with pytest.raises(ActionNotAvailable, match="cannot decide"):
        money_in.write_off_receipt(invented.pk, by=insider)
    money_in.write_off_receipt(invented.pk, by=colleague)
    assert (balance(Account.MPESA_CLEARING), balance(Account.WRITE_OFFS)) == (0, 3000)
    rounds()
    assert left(daraja) == []
    move_line(
        order.tracks.get().pk, "cancelled", actor=UserFactory(is_superuser=True), note="Never paid."
    )
    rounds()

    order.refresh_from_db()
    assert (order.payment_status, order.in_doubt, left(daraja)) == ("refunded", False, [])
    for account in Account:
        assert balance(account) == 0


def test_a_payment_without_an_order_that_never_came_leaves_nothing_in_suspense(insider, colleague):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)
    money_in.refund_receipt(receipt.pk, by=insider)
    answer_asked(receipt, code="SFC_IC0003")

    money_in.write_off_receipt(receipt.pk, by=colleague)

    assert [balance(account) for account in Account] == [0] * len(Account)
    assert list(Refund.objects.values_list("cause", "status")) == [("staff", "done")]


# --- What confirms a payment ---------------------------------------------------------------------


def test_a_callback_and_m_pesas_answer_let_a_seller_be_paid(client, order, payment, daraja):
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    rounds(2)
    assert left(daraja) == []

    answer(Receipt.objects.get())
    rounds(1)

    assert [payout["amount"] for payout in daraja.payouts] == [3000]
    assert len(daraja.questions) == 1


def test_the_statement_confirms_without_a_question(client, order, payment, daraja):
    post(client, payment, success(payment, receipt=NUMBER))
    receipt = Receipt.objects.get()

    on_statement(daraja, receipt)

    assert receipt.verification == "confirmed"
    assert not ReceiptQuestion.objects.exists()


def test_two_posted_messages_confirm_nothing(client, order, payment):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))

    receipt = Receipt.objects.get()
    sources = set(ReceiptEvidence.objects.values_list("source", flat=True))
    assert (receipt.verification, sources) == ("told", {"callback", "c2b"})


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ({}, "confirmed"),
        ({"Amount": "10"}, "doubted"),
        ({"CreditPartyName": "254722000111 - JANE DOE"}, "doubted"),
        ({"TransactionStatus": "Declined"}, "doubted"),
        ({"CreditPartyName": ""}, "told"),
        ({"Amount": ""}, "told"),
        ({"ReceiptNo": "SGL0000009"}, "told"),
        ({"TransactionStatus": "Initiated"}, "told"),
        ({"code": "26"}, "told"),
    ],
)
def test_an_answer_is_read_strictly(insider, told, stands):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    answer_asked(receipt, **told)

    assert receipt.verification == stands


def test_an_answer_that_nobody_asked_for_confirms_nothing(insider):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    answer(receipt)

    assert receipt.verification == "told"


def test_a_payment_of_ten_shillings_named_for_a_price_of_three_thousand_pays_no_seller(
    order, payment, insider, daraja
):
    money_in.mark_attempt_paid(payment.pk, number=NUMBER, by=insider)
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt, amount=10)
    answer_asked(receipt)
    assert (receipt.amount, receipt.written_off, receipt.verification) == (10, 2990, "confirmed")

    rounds()

    # What the shop bears a second person has to let go: never who named the receipt.
    payout = Payout.objects.get()
    assert (left(daraja), payout.awaits_approval) == ([], True)
    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_payout(payout.pk, by=insider)


def test_a_report_of_another_amount_confirms_nothing(client, order, daraja):
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    assert receipt.verification == "confirmed"

    post_c2b(client, by_hand("nobody", 70_000, receipt=NUMBER))

    receipt.refresh_from_db()
    assert (receipt.amount, receipt.verification) == (70_000, "told")


def test_m_pesa_is_asked_for_a_day_and_then_a_person_looks(insider, daraja):
    receipt = money_in.record_seen_receipt(number=NUMBER, amount=700, reference="", by=insider)

    rounds(10)

    assert len(daraja.questions) == 8
    assert list(ReceiptQuestion.objects.unanswered()) == [receipt.question]
    money_in.ask_about_receipt(receipt.pk)
    rounds(1)
    assert len(daraja.questions) == 9


def test_a_number_the_statement_shows_after_all_is_in_doubt_no_more(invented, order, daraja):
    answer_asked(invented, code="SFC_IC0003")

    on_statement(daraja, invented)

    order.refresh_from_db()
    assert (invented.verification, order.in_doubt) == ("confirmed", False)


def test_a_doubt_is_ended_by_what_the_gateway_shows_alone(invented, colleague, daraja):
    answer_asked(invented, code="SFC_IC0003")
    with pytest.raises(ActionNotAvailable, match="has not shown this payment"):
        money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    ReceiptEvidence.objects.create(
        receipt=invented, source="statement", amount=3000, number=NUMBER, shortcode="174379"
    )
    money_in.confirm_doubted_receipt(invented.pk, by=colleague)

    invented.refresh_from_db()
    assert invented.verification == "confirmed"


@pytest.fixture
def declined(client, payment):
    """Paid and confirmed; then M-Pesa, queried again, reports that it was declined."""
    post(client, payment, success(payment, receipt=NUMBER))
    receipt = Receipt.objects.get()
    request_confirmation([receipt])
    rounds(1)
    answer(receipt)
    assert receipt.verification == "confirmed"
    answer(receipt, TransactionStatus="Declined")
    assert receipt.verification == "doubted"
    return receipt


def test_an_answer_from_before_the_doubt_does_not_end_it(declined, order, colleague):
    with pytest.raises(ActionNotAvailable, match="since it was put in doubt"):
        money_in.confirm_doubted_receipt(declined.pk, by=colleague)

    declined.refresh_from_db()
    order.refresh_from_db()
    assert (declined.verification, order.in_doubt) == ("doubted", True)


def test_an_answer_since_the_doubt_ends_the_doubt(declined, order):
    answer(declined)

    order.refresh_from_db()
    assert (declined.verification, declined.doubted_at) == ("confirmed", None)
    assert (order.payment_status, order.in_doubt) == ("paid", False)


def test_an_answer_of_another_amount_that_was_given_before_does_not_end_a_doubt(declined):
    answer(declined, Amount="10")
    answer(declined, Amount="10")

    assert declined.verification == "doubted"


def test_evidence_cannot_be_changed(invented):
    for change in (
        lambda: ReceiptEvidence.objects.update(amount=1),
        lambda: ReceiptEvidence.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


# --- Banks ---------------------------------------------------------------------------------------


@pytest.fixture
def forged_notice(client, order, settings):
    """A bank's notification that pays the order: anyone who knows its password can post it."""
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told(order.reference, 3000))
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return Receipt.objects.get()


def test_a_single_bank_notification_releases_no_payout_and_no_refund(forged_notice, order, daraja):
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    rounds()

    assert (left(daraja), forged_notice.verification) == ([], "told")


def test_a_person_who_is_not_its_buyer_confirms_a_banks_payment(
    forged_notice, order, colleague, daraja
):
    with pytest.raises(ActionNotAvailable, match="cannot decide"):
        money_in.confirm_bank_receipt(forged_notice.pk, by=order.buyer)
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    money_in.confirm_bank_receipt(forged_notice.pk, by=colleague)
    rounds()

    assert [payout["amount"] for payout in daraja.payouts] == [3000]


def test_a_payment_the_bank_does_not_show_is_written_off(forged_notice, order, colleague):
    money_in.doubt_bank_receipt(forged_notice.pk)
    with pytest.raises(PaymentInDoubt):
        move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))

    money_in.write_off_receipt(forged_notice.pk, by=colleague)

    assert (balance("equity_clearing"), balance(Account.WRITE_OFFS)) == (0, 3000)


# --- Refunds: a limit a day, and a second person -------------------------------------------------


@pytest.fixture
def owed(client, daraja):
    """KES 700 of no order, which M-Pesa's statement shows; they are to be sent back."""
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    return receipt


def test_a_refund_above_the_amount_waits_for_a_second_person(
    owed, settings, daraja, insider, colleague
):
    settings.REFUND_APPROVAL_ABOVE = 699
    refund = money_in.refund_receipt(owed.pk, by=insider)
    rounds()
    assert left(daraja) == []

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(refund.pk, by=insider)
    money_out.approve_refund(refund.pk, by=colleague)
    rounds(1)

    assert [reversal["amount"] for reversal in daraja.reversals] == [700]


def test_no_code_sends_what_was_not_approved(owed, settings, insider):
    settings.REFUND_APPROVAL_ABOVE = 699
    money_in.refund_receipt(owed.pk, by=insider)

    said = pytest.raises(IntegrityError, match="refund_is_sent_once_it_is_approved")
    with said, transaction.atomic():
        Refund.objects.update(status="unknown")


def test_beyond_the_days_limit_a_refund_goes_the_next_day(owed, settings, daraja):
    settings.REFUND_DAILY_LIMIT = 699
    refund = money_in.refund_receipt(owed.pk)

    rounds(1)

    refund.refresh_from_db()
    assert (left(daraja), refund.status) == ([], "due")
    assert refund.next_check_at > timezone.now()
    settings.REFUND_DAILY_LIMIT = 700
    rounds(1)
    assert (len(daraja.reversals), RefundDay.objects.get().sent) == (1, 700)


def test_a_refused_transfer_does_not_count_towards_the_day(owed, daraja):
    refund = money_in.refund_receipt(owed.pk)
    rounds(1)
    refund.refresh_from_db()

    mark_refused(refund, code="1", text="No funds", reason="no_funds")

    assert RefundDay.objects.get().sent == 0


def test_a_number_that_staff_entered_is_paid_once_another_has_looked(
    owed, daraja, insider, colleague
):
    refund = money_in.refund_receipt(owed.pk)
    rounds(1)
    refund.refresh_from_db()
    mark_refused(refund, code="2028", text="No", reason="misconfigured")
    again = money_out.retry_refund(refund.pk, phone=PHONE, by=insider)
    rounds()
    assert daraja.payouts == []

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_refund(again.pk, by=insider)
    money_out.approve_refund(again.pk, by=colleague)
    rounds(1)
    # M-Pesa says that the payment still stands, before a phone is paid.
    Refund.objects.filter(pk=again.pk).update(receipt_stands_at=timezone.now())
    rounds(1)

    assert [payout["phone"] for payout in daraja.payouts] == [PHONE]


def test_a_payers_number_that_staff_entered_needs_another_too(daraja, insider, order):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3500, reference=order.reference, phone=PHONE, by=insider
    )
    answer_asked(receipt)

    refund = Refund.objects.get()
    assert (refund.amount, refund.way, refund.phone) == (500, "b2c", PHONE)
    assert (refund.awaits_approval, refund.author) == (True, insider)
    rounds()
    assert daraja.payouts == []


def test_the_providers_payer_details_replace_those_entered_by_staff(client, insider, order):
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=700, reference="", phone=PHONE, by=insider
    )

    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER, MSISDN="2547*****678"))

    receipt.refresh_from_db()
    assert (receipt.phone, receipt.phone_by) == ("2547*****678", None)


def test_given_back_on_the_portal_is_not_said_of_what_nobody_confirmed(client, payment, order):
    post(client, payment, success(payment, receipt=NUMBER, amount=3005))
    refund = Refund.objects.get()

    with pytest.raises(ActionNotAvailable, match="not confirmed"):
        money_out.record_refund_on_portal(refund.pk, number="SGB0000001")


def test_a_payout_to_a_number_that_staff_entered_needs_another(
    client, order, payment, daraja, insider, colleague
):
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    rounds(2)
    answer(Receipt.objects.get())
    rounds(1)
    payout = Payout.objects.get()
    mark_refused(payout, code="2040", text="No M-Pesa", reason="not_registered")
    money_out.retry_refused_payout(payout.pk, phone=PHONE, by=insider)
    rounds()
    last = Payout.objects.latest("pk")
    assert (last.phone, last.awaits_approval, len(daraja.payouts)) == (PHONE, True, 1)

    with pytest.raises(ActionNotAvailable, match="cannot approve"):
        money_out.approve_payout(last.pk, by=insider)
    money_out.approve_payout(last.pk, by=colleague)
    audit.log(
        colleague,
        "Approve the payout",
        last,
        action="console.payout.approve",
        why="Called the seller.",
    )
    rounds(1)

    assert [payout["phone"] for payout in daraja.payouts][1:] == [PHONE]


@pytest.fixture
def news_to_a_debtor(client, order, payment, buyer, kettle, insider, daraja):
    """A seller owes KES 3,000, and is owed as much for what nobody but one of the staff says was
    paid."""
    boss = UserFactory(is_superuser=True)
    post(client, payment, success(payment, receipt=NUMBER))
    on_statement(daraja, Receipt.objects.get())
    move_line(order.tracks.get().pk, "fetched", actor=boss)
    rounds(1)
    mark_done(Payout.objects.get(), number="SGB0000001")
    move_line(order.tracks.get().pk, "cancelled", actor=boss, note="It broke.")
    other = an_order(buyer, (kettle, 2), phone="254733000111")
    money_in.record_seen_receipt(
        number="SGL0000009", amount=3000, reference=other.reference, by=insider
    )
    move_line(other.tracks.get().pk, "fetched", actor=boss)


def test_a_debt_is_not_paid_off_with_what_nobody_confirmed(news_to_a_debtor, daraja):
    rounds()

    # Else the next real sale would be paid in full, on money that never came.
    assert (Payout.objects.count(), len(daraja.payouts)) == (1, 1)


def test_beside_news_what_the_shop_bears_waits_where_the_debt_is_more(
    news_to_a_debtor, buyer, kettle, daraja
):
    line = line_at("fetched", buyer=buyer, product=kettle)
    receipt = line.order.receipts.get()
    record_on_statement([receipt])
    record_outside_reversal(receipt.pk)

    rounds()

    prepared = [rule for rule in RULES if rule.description.startswith("Earnings are in a payout")]
    receipt.refresh_from_db()
    assert (receipt.verification, receipt.written_off) == ("confirmed", 1500)
    assert (line.amount, Payout.objects.count(), len(daraja.payouts)) == (1500, 1, 1)
    assert prove(timezone.now() + timedelta(minutes=6), rules=prepared).broken == []
    assert len(prepared) == 1


# --- Taken back by M-Pesa before it was confirmed -----------------------------------------------


@pytest.fixture
def fetched(client, buyer, kettle, daraja):
    """Two kettles, KES 3,000, paid by a callback that nothing else bears out, and fetched."""
    order = an_order(buyer, (kettle, 2))
    payment = ringing(order.payments.get())
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    rounds()
    return Receipt.objects.get()


def test_a_payment_m_pesa_says_it_reversed_came_and_its_sellers_payout_is_a_second_persons(
    fetched, daraja
):
    answer(fetched, TransactionStatus="Reversed")
    rounds()

    assert (fetched.verification, fetched.written_off) == ("confirmed", 3000)
    assert left(daraja) == []
    [payout] = Payout.objects.all()
    assert list(Payout.objects.to_approve()) == [payout]
    money_out.approve_payout(payout.pk, by=finance("wairimu"))
    rounds()
    assert [sent["amount"] for sent in daraja.payouts] == [3000]


@pytest.mark.parametrize(
    "told",
    [
        {"Amount": "2999"},
        {"Amount": ""},
        {"CreditPartyName": "600610 - Shop"},
        {"CreditPartyName": ""},
    ],
)
def test_an_answer_about_a_reversal_another_amount_or_receiver_confirms_nothing(
    fetched, daraja, told
):
    answer(fetched, TransactionStatus="Reversed", **told)
    rounds()

    assert (fetched.verification, left(daraja)) == ("told", [])


def test_earnings_of_a_payment_that_never_came_wait_for_approval(fetched, daraja, colleague):
    answer(fetched, code="SFC_IC0003")
    money_in.write_off_receipt(fetched.pk, by=colleague)
    rounds()

    fetched.refresh_from_db()
    assert (fetched.verification, fetched.written_off) == ("never_came", 3000)
    assert left(daraja) == []
    [payout] = Payout.objects.all()
    assert list(Payout.objects.to_approve()) == [payout]

    money_out.approve_payout(payout.pk, by=finance("wairimu"))
    rounds()

    assert [sent["amount"] for sent in daraja.payouts] == [3000]


def test_a_reported_reversal_of_a_written_off_payment_is_shown_to_staff(fetched, daraja, colleague):
    answer(fetched, code="SFC_IC0003")
    money_in.write_off_receipt(fetched.pk, by=colleague)
    answer(fetched, TransactionStatus="Reversed")

    assert fetched.events.order_by("pk").last().state == "applied"
    assert (fetched.verification, fetched.unacknowledged) == ("never_came", True)
    assert fetched.note == "It was written off because it never arrived, and M-Pesa shows it now."


# --- What goes back leaves the order with what is confirmed --------------------------------------


@pytest.fixture
def paid_twice(payment, forged_notice, client):
    """A bank's notice that nobody has looked up pays the order; its prompt was paid as well, which
    M-Pesa confirms. The latest is owed back."""
    post(client, payment, success(payment, receipt=NUMBER))
    real = Receipt.objects.get(number=NUMBER)
    record_on_statement([real])
    refund = Refund.objects.get()
    assert (refund.receipt, refund.amount, refund.way) == (real, 3000, "reversal")
    return refund


def test_confirmed_money_does_not_go_back_while_news_alone_pays_the_order(
    paid_twice, forged_notice, daraja, colleague
):
    rounds()
    assert (left(daraja), Receipt.objects.get(number=NUMBER).verification) == ([], "confirmed")

    money_in.confirm_bank_receipt(forged_notice.pk, by=colleague)

    # At once, not when it was to be looked at again.
    paid_twice.refresh_from_db()
    assert paid_twice.next_check_at <= timezone.now()
    clock.process_due_refunds(timezone.now())
    assert [each["receipt"] for each in daraja.reversals] == [NUMBER]


def test_a_second_payment_covers_the_order_if_the_first_never_came(
    paid_twice, forged_notice, order, daraja, colleague
):
    money_in.doubt_bank_receipt(forged_notice.pk)
    rounds()
    assert left(daraja) == []

    money_in.write_off_receipt(forged_notice.pk, by=colleague)
    rounds()

    paid_twice.refresh_from_db()
    order.refresh_from_db()
    assert (paid_twice.status, left(daraja)) == ("dropped", [])
    assert (order.payment_status, order.in_doubt, balance(Account.WRITE_OFFS)) == ("paid", False, 0)


def test_a_second_payment_is_not_refunded_if_m_pesa_reversed_the_first(
    client, order, payment, daraja
):
    post(client, payment, success(payment, receipt=NUMBER))
    post_c2b(client, by_hand(order.reference, 3100, receipt="SGL0000002"))
    assert Refund.objects.get().amount == 3100

    record_outside_reversal(Receipt.objects.get(number=NUMBER).pk)

    owed = Refund.objects.owed().exclude(way="outside").get()
    assert (owed.amount, owed.receipt.number) == (100, "SGL0000002")
    assert balance(Account.WRITE_OFFS) == 0


def test_a_number_that_staff_mistyped_gives_the_payment_itself_not_back(
    client, order, payment, daraja, insider, colleague
):
    money_in.mark_attempt_paid(payment.pk, number="SGX0000009", by=insider)
    post_c2b(client, by_hand(order.reference, 3000, receipt=NUMBER))
    mistyped, real = Receipt.objects.order_by("pk")
    record_on_statement([real])
    rounds()
    assert left(daraja) == []

    answer(mistyped, code="SFC_IC0003")
    money_in.write_off_receipt(mistyped.pk, by=colleague)
    rounds()

    order.refresh_from_db()
    assert (left(daraja), order.payment_status, order.in_doubt) == ([], "paid", False)
    assert balance(Account.WRITE_OFFS) == 0
    assert balance(Account.MPESA_CLEARING) == 3000


# --- The shop has another pay bill number since --------------------------------------------------


@pytest.fixture
def paid_before(client, payment, settings):
    """A prompt of KES 3,000 was paid to 174379; since then the shop's number is 600999."""
    post(client, payment, success(payment, receipt=NUMBER))
    assert settings.DARAJA_SHORTCODE == "174379"
    settings.DARAJA_SHORTCODE = settings.DARAJA_PARTY_B = "600999"
    receipt = Receipt.objects.get()
    request_confirmation([receipt])
    return receipt


def test_a_payment_to_the_previous_short_code_is_confirmed(paid_before, order):
    answer_asked(paid_before, CreditPartyName="174379 - O-Mache")

    order.refresh_from_db()
    assert (paid_before.verification, order.in_doubt) == ("confirmed", False)


def test_a_payment_to_a_short_code_that_was_never_ours_is_in_doubt(paid_before, order):
    answer_asked(paid_before, CreditPartyName="600998 - Another Shop")

    order.refresh_from_db()
    assert (paid_before.verification, order.in_doubt) == ("doubted", True)


def test_a_payment_to_the_previous_short_code_is_reversed_there(paid_before, order, daraja):
    answer_asked(paid_before, CreditPartyName="174379 - O-Mache")
    move_line(
        order.tracks.get().pk, "cancelled", actor=UserFactory(is_superuser=True), note="Broken."
    )

    rounds()
    Refund.objects.update(reversal_conversation_id="ours-1")
    rounds(1)

    assert [sent["shortcode"] for sent in daraja.reversals] == ["174379"]
    assert daraja.questions[-1]["shortcode"] == "174379"
