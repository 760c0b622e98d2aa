"""Staff record a reversal of M-Pesa's with another amount than M-Pesa shows for it later."""

import pytest
from django.db import transaction
from django.utils import timezone

from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.portal_statement import Movement
from payments.daraja.result_codes import TransferFailure
from payments.models import Receipt, Refund, Withdrawal
from payments.proof.prove import prove
from payments.reconciliation.returns import record_reversal_row
from payments.reconciliation.withdrawals import settle_again, take_in_withdrawal
from payments.refunds.external_reversals import record_outside_reversal
from payments.refunds.services import refund_unmatched
from payments.transfers import mark_done, mark_refused, reserve_daily_limit

from .bodies import by_hand, post_c2b
from .reversals import BACK, PAID, books, cancel, refunds, seen

WHOLE = 3500

pytestmark = pytest.mark.django_db


def staff_say(amount):
    if amount == WHOLE:
        return seen()
    receipt = Receipt.objects.get()
    return money_out.record_part_reversal_seen(receipt.pk, number=BACK, amount=amount)


def m_pesa_shows(amount):
    return record_reversal_row(number=BACK, reverses=PAID, amount=amount)[1]


def held(lost):
    """The books of an order of KES 3,500, once M-Pesa took so much back."""
    books = {"mpesa_clearing": WHOLE - lost, "buyers_held": WHOLE, "write_offs": lost}
    return {account: amount for account, amount in books.items() if amount}


WRONG = [(500, 300), (500, 800), (500, WHOLE), (WHOLE, 300)]


@pytest.mark.parametrize(("said", "shown"), WRONG)
def test_what_m_pesa_shows_counts(paid, said, shown):
    staff_say(said)
    assert books() == held(said)

    m_pesa_shows(shown)

    receipt = Receipt.objects.get()
    assert (books(), receipt.written_off) == (held(shown), shown)
    assert receipt.unacknowledged
    assert receipt.note == (
        f"M-Pesa reversed KES {shown:,} of KES 3,500 under {BACK}; KES {said:,} had been recorded."
    )
    assert prove().broken == []


@pytest.mark.parametrize(("said", "shown"), WRONG)
def test_shown_again_it_changes_nothing(paid, said, shown):
    staff_say(said)
    m_pesa_shows(shown)
    before = books(), refunds()

    assert m_pesa_shows(shown) == "Already recorded."

    assert (books(), refunds()) == before


@pytest.mark.parametrize("amount", [500, WHOLE])
def test_what_agrees_is_left_as_it_is(paid, amount):
    staff_say(amount)

    assert m_pesa_shows(amount) == "Already recorded."

    assert refunds() == [(amount, "outside", "done", BACK)]


@pytest.mark.parametrize(("said", "shown"), WRONG)
def test_a_cancelled_line_is_refunded_from_what_is_left(paid, said, shown):
    cancel(paid, 0)
    staff_say(said)

    m_pesa_shows(shown)

    paid.refresh_from_db()
    due = sum(row.amount for row in Refund.objects.outstanding())
    assert (due, Receipt.objects.get().written_off) == (
        max(1500 - shown, 0),
        max(shown - 1500, 0),
    )
    assert paid.payment_status == "paid"
    assert prove().broken == []


@pytest.mark.parametrize(("said", "shown"), WRONG)
def test_an_order_that_is_cancelled_whole_owes_what_is_left(paid, said, shown):
    staff_say(said)
    cancel(paid, 0)
    cancel(paid, 1)

    m_pesa_shows(shown)

    due = sum(row.amount for row in Refund.objects.outstanding())
    assert (due, Receipt.objects.get().written_off) == (WHOLE - shown, 0)
    assert prove().broken == []


def test_staff_cannot_make_the_whole_of_a_part(paid):
    staff_say(500)

    with pytest.raises(ActionNotAvailable, match=f"{BACK} is recorded as a refund of KES 500"):
        staff_say(WHOLE)

    assert refunds() == [(500, "outside", "done", BACK)]


@pytest.mark.parametrize("shown", [300, WHOLE])
def test_a_part_of_a_payment_that_m_pesa_called_reversed_since_is_counted_once(paid, shown):
    staff_say(500)
    record_outside_reversal(Receipt.objects.get().pk)
    assert books() == held(WHOLE)

    assert m_pesa_shows(shown) == "Already recorded."

    assert books() == held(WHOLE)


@pytest.fixture
def refunded_on_the_portal(paid):
    """KES 1,500 of a line, which M-Pesa refused to send: staff reversed them on the portal."""
    cancel(paid, 0)
    refund = Refund.objects.get()
    assert reserve_daily_limit(refund, timezone.now())
    Refund.objects.update(status="sent", sent_at=timezone.now())
    refund.refresh_from_db()
    mark_refused(refund, code="2", text="Declined.", reason=TransferFailure.OTHER)
    Receipt.objects.update(verification="confirmed")
    money_out.record_refund_on_portal(refund.pk, number=BACK)
    return paid


def test_a_refund_that_staff_made_by_a_reversal_is_that_reversal(refunded_on_the_portal):
    before = refunds()

    assert m_pesa_shows(1500) == "Already recorded."

    assert (refunds(), prove().broken) == (before, [])


@pytest.mark.parametrize(
    ("shown", "due", "lost"), [(300, 1200, 0), (1800, 0, 300), (WHOLE, 0, 2000)]
)
def test_of_a_refund_by_another_amount_the_rest_is_due_or_lost(
    refunded_on_the_portal, shown, due, lost
):
    m_pesa_shows(shown)
    again = m_pesa_shows(shown)

    assert sum(row.amount for row in Refund.objects.outstanding()) == due
    assert Receipt.objects.get().written_off == lost
    assert again == "Already recorded."
    assert prove().broken == []


def test_staff_cannot_record_such_a_refund_as_m_pesa_s_reversal_too(refunded_on_the_portal):
    with pytest.raises(ActionNotAvailable, match=f"{BACK} is recorded as a refund of KES 1,500"):
        staff_say(WHOLE)
    assert staff_say(500) == "Already recorded."


def test_our_own_reversal_is_shown_as_what_it_is(client, daraja):
    post_c2b(client, by_hand("nobody", 700, receipt=PAID))
    refund_unmatched(Receipt.objects.get().pk)
    reversal = Refund.objects.get()
    assert reserve_daily_limit(reversal, timezone.now())
    Refund.objects.update(status="sent", sent_at=timezone.now())
    reversal.refresh_from_db()
    mark_done(reversal, number=BACK)

    told = record_reversal_row(number=BACK, reverses=PAID, amount=700)

    assert told == (Receipt.objects.get(), "Already recorded.")
    record_reversal_row(number=BACK, reverses=PAID, amount=300)
    assert refunds() == [(700, "reversal", "done", BACK)]


def on_the_portal(amount, *, reverses=PAID, phone=""):
    """The statement of M-Pesa's portal shows that so much of the payment was reversed."""
    at = Receipt.objects.get().paid_at
    row = Movement(BACK, at, False, amount, phone, "Reversal", "", reverses, ())
    return take_in_withdrawal(row, shortcode="600000")


def test_the_portal_s_statement_corrects_it_too(paid):
    staff_say(500)

    assert on_the_portal(300) is None

    assert books() == held(300)


def test_so_does_a_withdrawal_that_was_shown_before(paid):
    withdrawal = on_the_portal(300)
    staff_say(500)

    assert settle_again(withdrawal.pk)

    assert books() == held(300)
    assert Withdrawal.objects.get().refund == Refund.objects.get(amount=300)


def test_the_reversal_of_another_payment_corrects_none_of_this_one(paid):
    staff_say(500)

    on_the_portal(300, reverses="SGL0000009")

    assert refunds() == [(500, "outside", "done", BACK)]


def test_a_payment_to_a_phone_corrects_no_reversal(refunded_on_the_portal):
    before = refunds()

    on_the_portal(300, reverses="", phone="254700000009")

    assert refunds() == before


def test_nor_does_one_that_was_shown_before(paid):
    withdrawal = on_the_portal(500, reverses="", phone="254700000009")
    staff_say(600)

    with transaction.atomic():
        assert settle_again(withdrawal.pk)
        assert refunds() == [(600, "outside", "done", BACK)]
        transaction.set_rollback(True)


def test_a_number_without_what_m_pesa_showed_for_it_is_seen(paid):
    staff_say(500)
    m_pesa_shows(300)

    with transaction.atomic():
        Refund.objects.filter(amount=300).update(way="portal", unnumbered="not_told")
        broken = {each.rule for each in prove().broken}
        transaction.set_rollback(True)

    assert (
        "A refund that M-Pesa accepted has a sending time, and one not done has no number" in broken
    )
