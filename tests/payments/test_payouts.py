"""Sellers' earnings are paid out once, under one id."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.backoffice import audit
from orders.fulfilment import move_line
from orders.models.notifications import Notice
from payments import clock
from payments.daraja.errors import DarajaDuplicate, DarajaRefusal, DarajaRefused, DarajaUnknown
from payments.ledger import balance
from payments.models import Account, Payout, PayoutStop, SellerShare
from payments.payouts import services as service
from products.listings.services import edit_product
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at

from .paying_out import (
    lift_payout_stop,
    owed,
    payouts,
    post_result,
    post_status_result,
    run_clock_without_waits,
    sent,
    tick,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

PHONE, OTHER = "254722000000", "254733000222"


@pytest.fixture
def line(buyer, kettle):
    """One kettle, KES 1,500, collected from its seller."""
    return line_at("fetched", buyer=buyer, product=kettle)


@pytest.fixture
def payout(line, daraja):
    """M-Pesa was asked to pay it, and said that it took the request."""
    tick()
    return Payout.objects.get()


@pytest.mark.parametrize("here", ["created", "paid", "cancelled"])
def test_nothing_is_owed_before_the_goods_are_fetched(buyer, kettle, daraja, here):
    line_at(here, buyer=buyer, product=kettle)

    tick()

    assert (SellerShare.objects.count(), owed(), sent(daraja)) == (0, 0, [])


@pytest.mark.parametrize("here", ["fetched", "shipping", "delivered"])
def test_the_share_is_owed_once_the_goods_are_fetched(buyer, kettle, daraja, here):
    line_at(here, buyer=buyer, product=kettle)

    tick()
    tick()

    assert (SellerShare.objects.count(), owed(), sent(daraja)) == (1, 1500, [(PHONE, 1500)])


@pytest.mark.django_db(transaction=True)
def test_a_payout_is_made_right_after_the_commit(line):
    assert payouts("amount", "status", "phone") == [(1500, "due", PHONE)]


def test_saving_a_fetched_line_again_owes_nothing_more(line):
    line.save(update_fields=["track_status"])
    line.save(update_fields=["track_status"])

    assert (SellerShare.objects.count(), owed()) == (1, 1500)


def test_the_commission_is_what_it_was_when_it_was_sold(buyer, kettle, settings, daraja):
    settings.COMMISSION_PERCENT = 10
    line = line_at("paid", buyer=buyer, product=kettle)
    settings.COMMISSION_PERCENT = 50

    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    tick()

    share = SellerShare.objects.get()
    assert (share.sold_for, share.commission, share.amount) == (1500, 150, 1350)
    assert (sent(daraja), owed(), balance(Account.COMMISSION)) == ([(PHONE, 1350)], 1350, 150)


def test_the_number_is_the_one_the_listing_had_when_it_was_sold(buyer, kettle, daraja):
    line = line_at("paid", buyer=buyer, product=kettle)
    edit_product(kettle.pk, payment_mpesa_number=OTHER)

    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    tick()

    assert sent(daraja) == [(PHONE, 1500)]


def test_a_seller_who_gets_nothing_of_a_sale_is_sent_nothing(buyer, kettle, settings, daraja):
    settings.COMMISSION_PERCENT = 100
    line_at("fetched", buyer=buyer, product=kettle)

    tick()

    assert (payouts("pk"), owed(), balance(Account.COMMISSION)) == ([], 0, 1500)


def test_each_line_has_a_payout_of_its_own(buyer, kettle, daraja):
    for _ in range(3):
        line_at("fetched", buyer=buyer, product=kettle)

    tick()

    assert sent(daraja) == [(PHONE, 1500)] * 3
    assert len({asked["originator_conversation_id"] for asked in daraja.payouts}) == 3


def test_a_payout_is_unknown_before_it_is_sent(line, daraja):
    """The row is ``unknown`` in the database before M-Pesa is called."""
    seen = []
    daraja.on_pay = lambda asked: seen.extend(payouts("status", "originator_conversation_id"))

    tick()

    assert seen == [("unknown", daraja.payouts[0]["originator_conversation_id"])]
    assert payouts("status") == ["sent"]


def test_a_result_completes_the_payout(payout):
    assert post_result(payout, number="TKP9000000") == "The seller has the money."

    assert payouts("status", "number", "next_check_at") == [("done", "TKP9000000", None)]
    assert (owed(), balance(Account.MPESA_CLEARING)) == (0, 0)


def test_a_result_reported_twice_counts_once(payout):
    post_result(payout, number="TKP9000001")

    assert post_result(payout, number="TKP9000001") == "Already recorded."
    assert (owed(), balance(Account.MPESA_CLEARING)) == (0, 0)


def test_a_second_number_of_a_payout_that_is_done_is_left_for_staff(payout):
    post_result(payout, number="TKP8000001")
    post_result(payout, number="TKP8000002")
    post_result(payout, number="TKP8000002")

    payout.refresh_from_db()
    assert (payout.number, payout.status, payout.unacknowledged) == ("TKP8000001", "done", True)
    assert payout.note == (
        "M-Pesa also reports it as TKP8000002: the money may have been sent twice."
    )


def test_a_result_that_is_faster_than_the_answer_counts(line, daraja):
    daraja.on_pay = lambda asked: post_result(Payout.objects.get())

    tick()

    assert (payouts("status"), owed()) == (["done"], 0)


def test_a_failure_after_the_success_changes_nothing(payout):
    post_result(payout)

    assert post_result(payout, 2040) == "A refusal after it ended: still done."
    assert (payouts("status"), owed()) == (["done"], 0)


def test_a_result_with_another_amount_is_left_to_staff(payout):
    note = post_result(payout, amount=15)

    assert note == "M-Pesa says KES 15 was sent, KES 1,500 was due."
    assert payouts("status", "note", "unacknowledged", "next_check_at") == [
        ("sent", note, True, None)
    ]
    assert owed() == 1500


@pytest.mark.parametrize(
    "answer", [DarajaUnknown("no answer in time"), DarajaDuplicate("duplicate"), DarajaUnknown("?")]
)
def test_silence_and_duplicate_are_asked_about_and_never_sent_again(line, daraja, answer):
    daraja.on_pay = _raise(answer)
    tick()
    assert payouts("status") == ["unknown"]
    payout = Payout.objects.get()

    run_clock_without_waits()
    run_clock_without_waits()
    post_status_result(payout)

    asked = [question["originator_conversation_id"] for question in daraja.questions]
    assert asked == [payout.originator_conversation_id] * 2
    assert (len(daraja.payouts), payouts("status"), owed()) == (1, ["done"], 0)


def test_a_transfer_m_pesa_does_not_know_is_resent_with_the_same_id(line, daraja):
    daraja.on_pay = _raise(DarajaUnknown("no answer in time"))
    tick()
    run_clock_without_waits()
    post_status_result(Payout.objects.get(), code="SFC_IC0003")
    daraja.on_pay = lambda asked: None

    run_clock_without_waits()

    first, again = daraja.payouts
    assert first["originator_conversation_id"] == again["originator_conversation_id"]
    assert payouts("status") == ["sent"]


def test_an_accepted_payout_is_never_sent_again_though_it_is_not_found(payout, daraja):
    run_clock_without_waits()
    assert post_status_result(payout, code="SFC_IC0003") == "M-Pesa does not know it yet."

    run_clock_without_waits()

    assert (len(daraja.payouts), payouts("status")) == (1, ["sent"])


@pytest.mark.parametrize("status", ["Declined", "Cancelled", "Expired"])
def test_a_transfer_that_was_not_made_is_left_for_staff(payout, daraja, status):
    post_status_result(payout, status)

    run_clock_without_waits()

    assert payouts("status", "result_code") == [("refused", f"status.{status.lower()}")]
    assert (len(daraja.payouts), owed()) == (1, 1500)


@pytest.mark.parametrize("code", [15, 17, 26, 9999, "R000001"])
def test_a_code_that_ends_nothing_is_asked_about(payout, daraja, code):
    post_result(payout, code)
    tick()

    assert (payouts("status"), len(daraja.questions)) == (["sent"], 1)


def test_a_number_without_m_pesa_keeps_back_what_goes_to_it_and_nothing_else(
    payout, buyer, seller, kettle, daraja
):
    post_result(payout, 2040)
    elsewhere = ProductFactory(seller=seller, price=700, payment_mpesa_number=OTHER)
    line_at("fetched", buyer=buyer, product=kettle)
    line_at("fetched", buyer=buyer, product=elsewhere)

    run_clock_without_waits()
    run_clock_without_waits()

    assert sent(daraja) == [(PHONE, 1500), (OTHER, 700)]
    assert payouts("status", "next_check_at")[0] == ("refused", None)
    assert owed() == 3700


def test_a_seller_is_notified_once_of_a_payout_that_their_number_cannot_have(payout):
    for _ in range(2):
        post_result(payout, 2040)

    [notice] = Notice.objects.filter(kind="payout_failed")
    assert (notice.user_id, notice.phone) == (payout.seller_id, payout.phone)
    assert notice.facts == {"amount": payout.amount}


@pytest.mark.parametrize("code", [1, 2001, 11, 2006])
def test_a_seller_is_not_notified_of_what_the_shop_has_to_mend(payout, code):
    post_result(payout, code)

    assert not Notice.objects.filter(kind="payout_failed").exists()


def test_a_refused_payout_is_sent_to_another_number(payout, daraja):
    post_result(payout, 2040)

    assert service.retry_payout(payout.pk, phone=OTHER)
    assert not service.retry_payout(payout.pk, phone=OTHER)
    tick()

    assert sent(daraja) == [(PHONE, 1500), (OTHER, 1500)]
    assert payouts("status") == ["dropped", "sent"]


@pytest.mark.parametrize(("code", "hours"), [(1, 1), (4, 12), (8, 12)])
def test_a_temporary_refusal_of_a_payout_is_retried_later_with_a_new_id(
    payout, daraja, code, hours
):
    post_result(payout, code)
    wait = Payout.objects.get().next_check_at - timezone.now()
    assert timedelta(hours=hours) - timedelta(minutes=1) < wait <= timedelta(hours=hours)
    tick()
    assert len(daraja.payouts) == 1

    run_clock_without_waits()
    tick()

    first, again = daraja.payouts
    assert first["originator_conversation_id"] != again["originator_conversation_id"]
    assert payouts("status", "tries") == [("dropped", 0), ("sent", 1)]


def test_after_nine_refusals_staff_decide(payout, daraja):
    for _ in range(9):
        post_result(Payout.objects.latest("pk"), 1)
        run_clock_without_waits()
        tick()

    assert len(daraja.payouts) == 9
    assert payouts("status", "next_check_at")[-1] == ("refused", None)


@pytest.mark.parametrize("code", [2001, 8006, 18, 20, 21])
def test_an_initiator_m_pesa_does_not_accept_stops_everything(payout, buyer, kettle, daraja, code):
    post_result(payout, code)
    line_at("fetched", buyer=buyer, product=kettle)

    for _ in range(3):
        run_clock_without_waits()

    assert (len(daraja.payouts), daraja.questions) == (1, [])
    assert PayoutStop.objects.get().is_open

    lift_payout_stop()
    run_clock_without_waits()
    assert sent(daraja) == [(PHONE, 1500)] * 3
    assert owed() == 3000


def test_a_stop_keeps_questions_back_too(payout, daraja):
    PayoutStop.objects.create(reason="The password was wrong.")

    run_clock_without_waits()
    run_clock_without_waits()

    assert (daraja.questions, payouts("checks")) == ([], [0])


@pytest.mark.parametrize("kind", [DarajaRefusal.UNREACHABLE, DarajaRefusal.BUSY_GATEWAY])
def test_a_failed_connection_is_retried_with_the_same_id(line, daraja, kind):
    daraja.on_pay = _raise(DarajaRefused("nobody there", kind=kind))
    tick()
    assert payouts("status", "tries") == [("due", 0)]
    daraja.on_pay = lambda asked: None

    run_clock_without_waits()

    first, again = daraja.payouts
    assert first["originator_conversation_id"] == again["originator_conversation_id"]
    assert payouts("status") == ["sent"]


def test_a_rejected_transfer_is_retried_less_and_less_often_and_flagged_once(line, daraja):
    daraja.on_pay = _raise(DarajaRefused("too many", kind=DarajaRefusal.BUSY_GATEWAY))
    tick()
    waits, shown = [], []

    for _ in range(9):
        payout = Payout.objects.get()
        waits.append(payout.next_check_at - payout.sent_at)
        shown.append(Payout.objects.unacknowledged().exists())
        Payout.objects.update(unacknowledged=False)
        with time_machine.travel(payout.next_check_at + timedelta(seconds=1)):
            clock.process_due_payouts(timezone.now())

    minutes = [int(wait.total_seconds() // 60) for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert shown == [False] * 6 + [True, False, False]
    assert payouts("status", "tries") == [("due", 0)]
    assert len({asked["originator_conversation_id"] for asked in daraja.payouts}) == 1
    daraja.on_pay = lambda asked: None
    run_clock_without_waits()
    post_result(Payout.objects.get())
    assert payouts("status") == ["done"]


@pytest.mark.parametrize("kept_back", [False, True], ids=["a clock away", "a day's limit"])
def test_time_in_which_m_pesa_was_not_asked_is_no_refusal_of_its(line, daraja, kept_back):
    daraja.on_pay = _raise(DarajaRefused("too many", kind=DarajaRefusal.BUSY_GATEWAY))
    tick()
    tomorrow = timezone.now() + timedelta(days=1)
    if kept_back:
        Payout.objects.update(next_check_at=tomorrow)
    with time_machine.travel(tomorrow + timedelta(seconds=1)):
        clock.process_due_payouts(timezone.now())

    payout = Payout.objects.get()
    assert payout.next_check_at - payout.sent_at < timedelta(minutes=3)
    assert (payout.note, payout.unacknowledged) == ("", False)


def test_once_a_stop_is_ended_withheld_transfers_are_sent_immediately(line, daraja):
    daraja.on_pay = _raise(DarajaRefused("wrong keys", kind=DarajaRefusal.CONFIGURATION))
    tick()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        lift_payout_stop()
        clock.process_due_payouts(timezone.now())

        [payout] = Payout.objects.all()
        assert payout.next_check_at <= timezone.now() + timedelta(minutes=1)


def test_large_ones_wait_for_a_second_person(buyer, seller, settings, daraja):
    settings.PAYOUT_APPROVAL_ABOVE = 5_000
    for price in (5_000, 5_001):
        line_at("fetched", buyer=buyer, product=ProductFactory(seller=seller, price=price))

    run_clock_without_waits()
    run_clock_without_waits()

    assert sent(daraja) == [(PHONE, 5_000)]
    (large,) = Payout.objects.to_approve()
    assert (large.amount, large.next_check_at) == (5_001, None)

    second = UserFactory(is_superuser=True)
    Payout.objects.filter(pk=large.pk).update(approved_by=second, next_check_at=timezone.now())
    audit.log(second, "Approve the payout", large, action="console.payout.approve")
    run_clock_without_waits()
    assert sent(daraja) == [(PHONE, 5_000), (PHONE, 5_001)]


@pytest.mark.parametrize("status", ["unknown", "sent", "done", "refused"])
def test_the_database_lets_no_large_one_leave_before_that(buyer, kettle, settings, status):
    settings.PAYOUT_APPROVAL_ABOVE = 1_000
    line_at("fetched", buyer=buyer, product=kettle)
    tick()

    with pytest.raises(IntegrityError, match="approved"), transaction.atomic():
        Payout.objects.update(status=status, number="TKX0000001", done_at=timezone.now())


def _raise(error):
    def raise_it(asked):
        raise error

    return raise_it
