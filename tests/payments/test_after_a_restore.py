"""After a restore nothing leaves before M-Pesa's statements show what left since the backup."""

import hashlib
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.backoffice import audit
from accounts.models import PhoneProof
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from payments import clock
from payments.backoffice.refusals import ActionNotAvailable
from payments.backoffice.transfer_services import (
    lift_payout_stop,
    reject_payout,
    set_withdrawal_aside,
    settle_withdrawal_as_payout,
    settle_withdrawal_as_refund,
)
from payments.ledger import balance
from payments.models import (
    Account,
    GatewayEvent,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    StatementPull,
    Withdrawal,
)
from payments.payouts.allocation import create_payouts
from payments.reconciliation.portal_statement_import import (
    CannotBeRead,
    reasons_not_to_resume,
    stop_after_restore,
)
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at
from tests.shopping import an_order

from .bodies import by_hand, post_c2b
from .paying_out import (
    payouts,
    post_result,
    post_status_result,
    run_clock_without_waits,
    sent,
    tick,
)
from .statements import PAYBILL, PAYING, read, read_all, statement
from .test_commands import said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

PHONE = "254722000000"


@pytest.fixture
def line(buyer, kettle):
    """One kettle, KES 1,500, collected from its seller."""
    return line_at("fetched", buyer=buyer, product=kettle)


@pytest.fixture
def stop(line):
    """Restored a moment ago from a backup of an hour ago; a payout is due in it."""
    create_payouts(line.seller_id)
    return stop_after_restore(lost_since=timezone.now() - timedelta(hours=1), now=timezone.now())


def a_withdrawal(amount=1500, **more):
    return {"receipt": "TKS0000001", "amount": -amount, "phone": PHONE, **more}


def lift(stop):
    lift_payout_stop(stop.pk)
    audit.log(
        UserFactory(is_superuser=True), "Resume outgoing payments", stop, action="console.stop.end"
    )


def test_nothing_is_sent_after_a_restore(stop, buyer, kettle, daraja):
    refund_due(buyer, kettle)

    for _ in range(3):
        run_clock_without_waits()

    assert (sent(daraja), daraja.reversals) == ([], [])
    assert payouts("status") == ["due"]
    assert Refund.objects.get().status == "due"


def test_transfers_under_way_are_queried_and_not_sent_again(line, daraja):
    tick()
    stop_after_restore(lost_since=timezone.now(), now=timezone.now())
    Payout.objects.update(status="unknown")

    run_clock_without_waits()
    assert (len(daraja.payouts), len(daraja.questions)) == (1, 1)

    post_status_result(Payout.objects.get(), code="SFC_IC0003")
    run_clock_without_waits()
    assert (len(daraja.payouts), payouts("status")) == (1, ["due"])


def test_a_bad_initiator_stops_beside_a_restore(stop, daraja):
    PayoutStop.objects.stop_transfers("The password was wrong.")

    assert PayoutStop.objects.still_open().count() == 2
    assert PayoutStop.objects.queries_are_stopped()


def test_a_restore_stops_once_and_the_older_backup_counts(stop):
    older = timezone.now() - timedelta(hours=5)

    stop_after_restore(lost_since=older, now=timezone.now())
    stop_after_restore(lost_since=timezone.now(), now=timezone.now())

    assert PayoutStop.objects.get().lost_since == older


def test_a_restore_has_pull_transactions_read_at_once(line):
    later = timezone.now() + timedelta(hours=6)
    StatementPull.objects.create(shortcode=PAYBILL, next_pull_at=later)

    stop_after_restore(lost_since=timezone.now(), now=timezone.now())

    assert StatementPull.objects.get().next_pull_at <= timezone.now()


@pytest.mark.parametrize("lost_since", [None, "a time"])
def test_the_database_wants_the_backups_time_of_a_restore_alone(lost_since):
    since = timezone.now() if lost_since else None
    cause = "initiator" if since else "restore"

    with pytest.raises(IntegrityError, match="stop_after_a_restore"), transaction.atomic():
        PayoutStop.objects.create(cause=cause, lost_since=since, reason="x")


def a_salary(**more):
    return {
        "receipt": "TKC0000009",
        "amount": 700,
        "phone": PHONE,
        "reason": "Salary Payment",
        **more,
    }


def test_money_in_that_is_called_money_out_is_kept_for_staff(line):
    file = statement(a_salary(), shortcode=PAYBILL)
    first, again = read(file), read(file)

    [event] = GatewayEvent.objects.filter(source="statement")
    assert event in GatewayEvent.objects.broken(c2b_token="")
    assert event.note == "Salary Payment: KES 700 to 174379, not known to be a payment to us."
    assert (first.unclear, again.unclear, first.payments) == (1, 1, 0)
    assert not Receipt.objects.filter(number="TKC0000009").exists()


def test_the_note_says_if_a_withdrawal_is_recorded_as_a_payment(line, client):
    post_c2b(client, by_hand("", 700, receipt="TKC0000009"))

    read_all(paybill=[a_salary()])

    event = GatewayEvent.objects.get(source="statement")
    assert event.note == "Salary Payment: about receipt TKC0000009, which is recorded as a payment."


def test_money_leaves_again_once_both_numbers_statements_were_read(stop, daraja):
    read_all()

    lift(stop)
    run_clock_without_waits()

    assert sent(daraja) == [(PHONE, 1500)]


def test_transfers_do_not_resume_before_a_statement_was_read(stop):
    with pytest.raises(ActionNotAvailable, match="statement of 174379 has to be read"):
        lift_payout_stop(stop.pk)


@pytest.mark.parametrize("shortcode", [PAYBILL, PAYING])
def test_transfers_do_not_resume_if_one_short_code_was_not_read(stop, shortcode):
    read(statement(shortcode=shortcode))

    other = PAYING if shortcode == PAYBILL else PAYBILL
    assert [other in sentence for sentence in reasons_not_to_resume(stop)] == [True]


def test_transfers_do_not_resume_if_the_statement_ends_before_the_restore(stop):
    read_all(ends=stop.created_at - timedelta(seconds=2))

    assert len(reasons_not_to_resume(stop)) == 2


def test_transfers_do_not_resume_if_the_statement_begins_after_the_backup(stop):
    read_all(begins=stop.lost_since + timedelta(seconds=2))

    assert len(reasons_not_to_resume(stop)) == 2


def test_transfers_do_not_resume_with_a_gap_between_two_statements(stop):
    read_all(ends=stop.lost_since + timedelta(minutes=10))
    read_all(begins=stop.lost_since + timedelta(minutes=12))
    assert len(reasons_not_to_resume(stop)) == 2

    read_all(
        begins=stop.lost_since + timedelta(minutes=9), ends=stop.lost_since + timedelta(minutes=13)
    )
    assert reasons_not_to_resume(stop) == []


def test_a_statement_of_long_before_the_backup_keeps_nothing_from_resuming(stop):
    long_before = stop.lost_since - timedelta(days=7)
    read_all(begins=long_before, ends=long_before + timedelta(days=1))

    read_all(begins=stop.lost_since - timedelta(seconds=2))

    assert reasons_not_to_resume(stop) == []


def test_a_statement_of_long_before_the_backup_is_not_enough(stop):
    long_before = stop.lost_since - timedelta(days=7)
    read_all(begins=long_before, ends=long_before + timedelta(days=1))

    assert len(reasons_not_to_resume(stop)) == 2


def test_transfers_do_not_resume_while_a_withdrawal_is_unexplained(stop):
    read_all(a_withdrawal(700))

    with pytest.raises(
        ActionNotAvailable, match="1 withdrawal on it is not explained by any refund"
    ):
        lift_payout_stop(stop.pk)


def test_a_payout_sent_in_the_lost_hours_is_not_sent_again(stop, daraja):
    read_all(a_withdrawal())
    lift(stop)

    run_clock_without_waits()

    assert payouts("status", "number") == [("done", "TKS0000001")]
    assert sent(daraja) == []
    assert balance(Account.SELLERS_PAYABLE) == 0


def test_the_request_it_names_decides_before_phone_and_amount(stop, buyer, kettle, daraja):
    second = line_at("fetched", buyer=buyer, product=kettle)
    create_payouts(second.seller_id)
    _, newer = Payout.objects.order_by("pk")

    read_all(
        a_withdrawal(details=f"Original conversation ID is {newer.originator_conversation_id}.")
    )

    assert payouts("status") == ["due", "done"]


def test_a_payout_whose_row_is_lost_waits_for_staff(stop):
    reading = read_all(a_withdrawal(700))

    assert reading.unexplained == 1
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.number, withdrawal.amount, withdrawal.phone, withdrawal.state) == (
        "TKS0000001",
        700,
        PHONE,
        "open",
    )
    assert balance(Account.MPESA_CLEARING) == 1500


def test_the_earnings_of_a_lost_payout_are_not_paid_again(stop, buyer, kettle, daraja):
    """The line it was for is fetched again: its share is what they have had."""
    again = line_at("paid", buyer=buyer, product=ProductFactory(seller=kettle.seller, price=700))
    read_all(a_withdrawal(700))

    settle_withdrawal_as_payout(Withdrawal.objects.get().pk, username=kettle.seller.username)
    create_payouts(kettle.seller_id)
    lift(stop)
    run_clock_without_waits()
    assert sent(daraja) == [(PHONE, 800)]
    post_result(Payout.objects.get(status="sent"))

    steps_on(again)
    run_clock_without_waits()

    # With what they had before the restore that is 2,200: both lines, once.
    assert sent(daraja) == [(PHONE, 800), (PHONE, 700)]
    post_result(Payout.objects.get(status="sent"))
    assert balance(Account.SELLERS_PAYABLE) == 0
    assert Payout.objects.filter(status="done", number="TKS0000001", amount=700).exists()


def steps_on(line):
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    create_payouts(line.seller_id)


def test_two_that_it_could_be_are_a_persons(stop, buyer, daraja):
    other = ProductFactory(seller=UserFactory(), price=1500, payment_mpesa_number=PHONE)
    create_payouts(line_at("fetched", buyer=buyer, product=other).seller_id)

    assert read_all(a_withdrawal()).unexplained == 1
    assert payouts("status") == ["due", "due"]


def test_of_a_sellers_equal_payouts_each_withdrawal_is_one(stop, buyer, kettle, daraja):
    create_payouts(line_at("fetched", buyer=buyer, product=kettle).seller_id)

    read_all(a_withdrawal(), a_withdrawal(receipt="TKS0000002"))

    assert payouts("status", "number") == [("done", "TKS0000001"), ("done", "TKS0000002")]


def test_a_masked_number_says_not_enough(stop):
    assert read_all(a_withdrawal(phone="2547****000")).unexplained == 1


def test_a_payout_that_needs_approval_is_approved_first(stop, daraja):
    Payout.objects.update(needs_approval=True, next_check_at=None)

    assert read_all(a_withdrawal()).unexplained == 1

    second = UserFactory(is_superuser=True)
    Payout.objects.update(approved_by=second, next_check_at=timezone.now())
    audit.log(second, "Approve the payout", Payout.objects.get(), action="console.payout.approve")
    assert read_all(a_withdrawal()).unexplained == 0
    assert payouts("status") == ["done"]


def test_a_declined_payout_that_had_left_is_left_to_staff(stop, seller):
    """Approved and sent after the backup, and declined after the restore, which had lost that."""
    Payout.objects.update(needs_approval=True, next_check_at=None)
    payout = Payout.objects.get()
    reject_payout(payout.pk, why="Who is this?")
    named = f"Original conversation ID is {payout.originator_conversation_id}."

    assert read_all(a_withdrawal(details=named)).unexplained == 1

    settle_withdrawal_as_payout(Withdrawal.objects.get().pk, username=payout.seller.username)
    assert payouts("status") == ["dropped", "done"]
    assert balance(Account.SELLERS_PAYABLE) == 0


def test_a_reversal_of_the_lost_hours_is_not_asked_for_again(stop, buyer, kettle, daraja):
    refund = refund_due(buyer, kettle)

    read_all(
        paybill=[
            a_withdrawal(
                refund.amount,
                receipt="TKR0000001",
                reason="Transaction Reversal",
                reverses=refund.receipt.number,
            )
        ]
    )
    lift(stop)
    run_clock_without_waits()

    refund.refresh_from_db()
    assert (refund.status, refund.number, daraja.reversals) == ("done", "TKR0000001", [])
    assert Withdrawal.objects.get().refund_id == refund.pk


def test_a_lost_refund_to_a_phone_is_named_by_staff(stop, line, daraja):
    receipt = Receipt.objects.get(order=line.order)
    read_all(a_withdrawal(500, phone="254712345678"))

    refund = settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number=receipt.number)

    assert (refund.amount, refund.status, refund.number) == (500, "done", "TKS0000001")
    assert balance(Account.MPESA_CLEARING) == 1000
    # The goods stand: what is missing for them is written off until they are cancelled.
    assert balance(Account.WRITE_OFFS) == 500


#: What a statement shows of 254722000000, and of nobody's number that is known here.
SHOWN = ["2547****000", hashlib.sha256(PHONE.encode()).hexdigest(), "2547****999"]


@pytest.mark.parametrize("shown", SHOWN)
def test_a_masked_number_is_recorded_as_the_sellers_own_and_proves_nothing(stop, kettle, shown):
    ProductFactory(seller=kettle.seller, payment_mpesa_number="254733000999")
    PhoneProof.objects.all().delete()
    read_all(a_withdrawal(700, phone="2547****000"))
    Withdrawal.objects.update(phone=shown)

    payout = settle_withdrawal_as_payout(
        Withdrawal.objects.get().pk, username=kettle.seller.username
    )

    assert payout.phone == (PHONE if shown != SHOWN[2] else "254733000999")
    assert (payout.status, payout.amount) == ("done", 700)
    assert not PhoneProof.objects.exists()


def test_a_number_shown_in_full_is_proven(stop, kettle):
    read_all(a_withdrawal(700, phone="254733000999"))

    payout = settle_withdrawal_as_payout(
        Withdrawal.objects.get().pk, username=kettle.seller.username
    )

    assert payout.phone == "254733000999"
    assert PhoneProof.objects.filter(user=kettle.seller, phone="254733000999").exists()


def test_a_masked_number_matches_no_user_who_sells_nothing(stop):
    read_all(a_withdrawal(700, phone="2547****000"))

    with pytest.raises(ActionNotAvailable, match="only part of the number"):
        settle_withdrawal_as_payout(Withdrawal.objects.get().pk, username=UserFactory().username)


@pytest.mark.parametrize(
    ("payer", "way"), [("254712345678", ("b2c", "254712345678")), ("", ("portal", ""))]
)
def test_a_lost_refund_whose_number_is_shown_in_part_goes_down_to_its_payers(
    stop, client, payer, way
):
    post_c2b(client, by_hand("", 700, receipt="SHC0000009", MSISDN=payer))
    read_all(a_withdrawal(700, phone="2547****678"))

    refund = settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number="SHC0000009")

    assert (refund.way, refund.phone) == way
    assert (refund.status, refund.number) == ("done", "TKS0000001")


def test_a_lost_refund_leaves_so_much_less_to_be_sent(stop, client, buyer, kettle):
    """KES 100 too much came for a kettle and are due back. KES 1,550 had gone back by hand."""
    order = an_order(buyer, (kettle, 1))
    post_c2b(client, by_hand(order.reference, 1600, receipt="SHC0000009"))
    Receipt.objects.update(verification="confirmed")
    read_all(a_withdrawal(1550, phone="254712345678"))

    settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number="SHC0000009")

    rows = Refund.objects.order_by("pk").values_list("amount", "status", "number")
    assert list(rows) == [(100, "dropped", ""), (1550, "done", "TKS0000001")]
    # For the kettle KES 50 are left of 1,500.
    assert balance(Account.WRITE_OFFS) == 1450


def test_of_a_larger_refund_that_was_due_the_rest_is_sent(stop, client, buyer, kettle):
    """KES 1,600 came for a cancelled order and are due back. KES 600 had gone back by hand."""
    order = an_order(buyer, (kettle, 1))
    cancel_order(order.pk, cancelled_by="buyer")
    post_c2b(client, by_hand(order.reference, 1600, receipt="SHC0000009"))
    read_all(a_withdrawal(600, phone="254712345678"))

    settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number="SHC0000009")

    rows = Refund.objects.order_by("pk").values_list("amount", "status", "number")
    assert list(rows) == [(1600, "dropped", ""), (600, "done", "TKS0000001"), (1000, "due", "")]


def test_no_more_goes_back_than_came(stop, line):
    read_all(a_withdrawal(1600, phone="254712345678"))
    number = Receipt.objects.get(order=line.order).number

    with pytest.raises(ActionNotAvailable, match="Only KES 1,500 arrived"):
        settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number=number)


def test_withdrawals_on_the_portal_are_set_aside(stop):
    read_all(a_withdrawal(700))

    set_withdrawal_aside(Withdrawal.objects.get().pk)

    assert reasons_not_to_resume(stop) == []
    with pytest.raises(ActionNotAvailable, match="already been explained"):
        set_withdrawal_aside(Withdrawal.objects.get().pk)


def test_reading_again_changes_nothing(stop, daraja):
    rows = [a_withdrawal(), a_withdrawal(700, receipt="TKS0000002")]
    read_all(*rows)
    before = list(Payout.objects.values()), list(Withdrawal.objects.values())

    read_all(*rows)

    assert (list(Payout.objects.values()), list(Withdrawal.objects.values())) == before


def test_a_known_payout_is_no_withdrawal_to_explain(line, daraja):
    tick()
    post_result(Payout.objects.get(), number="TKS0000001")

    read_all(a_withdrawal())

    assert not Withdrawal.objects.exists()


def test_a_line_cancelled_again_sends_nothing_again(stop, line, daraja):
    """It was cancelled in the lost hours, and its buyer's money went to their phone."""
    receipt = Receipt.objects.get(order=line.order)
    read_all(a_withdrawal(phone="254712345678"))
    settle_withdrawal_as_refund(Withdrawal.objects.get().pk, number=receipt.number)

    boss = UserFactory(is_superuser=True)
    move_line(line.pk, "cancelled", actor=boss, note="Broken", goods_there=False)
    lift(stop)
    run_clock_without_waits()

    assert (daraja.payouts, daraja.reversals) == ([], [])
    assert [balance(each) for each in (Account.WRITE_OFFS, Account.MPESA_CLEARING)] == [0, 0]


def came(order, receipt="TKC0000001", **more):
    return {
        "receipt": receipt,
        "amount": order.amount,
        "phone": "254712345678",
        "reason": "Pay Bill Online",
        "account": order.reference,
        **more,
    }


def test_a_payment_of_the_lost_hours_pays_its_order(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    reading = read_all(paybill=[came(order)])

    order.refresh_from_db()
    assert (reading.payments, reading.new_payments) == (1, 1)
    assert order.payment_status == "paid"


def test_money_for_a_lost_order_waits_without_an_order(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    read_all(paybill=[came(order, account="ZZZZ9999")])

    receipt = Receipt.objects.get()
    assert (receipt.order, receipt.amount, balance(Account.SUSPENSE)) == (None, 1500, 1500)


def test_a_payment_taken_back_in_the_lost_hours_is_both(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    read_all(
        paybill=[
            came(order),
            a_withdrawal(
                receipt="TKR0000001", reason="Transaction Reversal", reverses="TKC0000001"
            ),
        ]
    )

    assert Refund.objects.get().number == "TKR0000001"
    assert balance(Account.MPESA_CLEARING) == 0


def test_restored_says_what_to_do_next():
    told = said("restored", "--backup-taken", "2026-11-01T09:00")

    assert "restored from a backup of 01 Nov 2026 09:00" in told
    assert "statements of 174379 and 600000" in told
    assert PayoutStop.objects.after_a_restore().count() == 1


def test_restored_wants_a_time_that_has_been():
    with pytest.raises(CommandError, match="is in the future"):
        said("restored", "--backup-taken", "2126-11-01T09:00")


def test_read_statement_says_what_waits(stop, tmp_path):
    files = [tmp_path / "paybill.csv", tmp_path / "b2c.csv"]
    files[0].write_bytes(statement(shortcode=PAYBILL))
    files[1].write_bytes(statement(a_withdrawal(700)))

    with pytest.raises(CommandError, match="stay stopped"):
        said("read_statement", *map(str, files))

    set_withdrawal_aside(Withdrawal.objects.get().pk)
    told = said("read_statement", *map(str, files))
    assert "1 withdrawals, 0 unexplained" in told
    assert "You can resume outgoing payments on the console." in told


def test_read_statement_says_what_it_credits_nothing_for(line, tmp_path):
    (file := tmp_path / "paybill.csv").write_bytes(statement(a_salary(), shortcode=PAYBILL))

    assert "1 incoming movements are not payments by their type" in said(
        "read_statement", str(file)
    )


def test_read_statement_takes_nothing_of_two_files_where_one_is_torn(stop, tmp_path):
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    whole.write_bytes(statement(a_withdrawal()))
    torn.write_bytes(statement(a_withdrawal(), shortcode=PAYBILL)[:-40])

    with pytest.raises(CommandError, match=r"torn\.csv: .*Nothing was imported"):
        said("read_statement", str(whole), str(torn))

    assert payouts("status") == ["due"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"shortcode": "999999"}, "It is of 999999, not of 174379 or 600000"),
        ({"begins": timezone.now(), "ends": timezone.now() - timedelta(hours=1)}, "outside"),
    ],
)
def test_a_statement_that_is_not_ours_is_refused(given, why):
    with pytest.raises(CannotBeRead, match=why):
        read(statement(a_withdrawal(), **given))


def refund_due(buyer, kettle):
    """A refund of a payment for an order that its buyer had cancelled."""
    order = an_order(buyer, (kettle, 1))
    cancel_order(order.pk, cancelled_by="buyer")
    post_c2b(Client(), by_hand(order.reference, 1500, receipt="SHC0000001"))
    clock.process_stored_events(timezone.now() + timedelta(minutes=1))
    return Refund.objects.get()
