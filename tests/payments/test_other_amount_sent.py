"""M-Pesa reports that it sent another amount than a payout's, and staff record which it was."""

import pytest

from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.ledger import balance
from payments.models import Payout, PayoutDay
from payments.payouts.serializers import represent_payout
from payments.proof.prove import prove
from tests.orders.lines import line_at

from .paying_out import payouts, post_result, run_clock_without_waits, sent, tick

SENT = "TKA0000001"


@pytest.fixture
def payout(buyer, kettle, daraja):
    """A payout of KES 1,500 that is on its way."""
    line_at("fetched", buyer=buyer, product=kettle)
    tick()
    return Payout.objects.get()


def record(payout, amount, number=SENT):
    return money_out.record_amount_sent(payout.pk, number=number, amount=amount)


def books():
    return balance("mpesa_clearing"), balance("sellers_payable")


def test_the_reported_amount_is_kept(payout):
    post_result(payout, amount=900, number=SENT)

    assert payouts("amount", "reported_amount", "status") == [(1500, 900, "sent")]


def test_less_that_was_sent_is_booked_and_the_rest_is_paid(payout, daraja):
    before, _ = books()
    post_result(payout, amount=900, number=SENT)

    done = record(payout, 900)

    assert (done.status, done.number, done.unacknowledged) == ("done", SENT, False)
    assert done.note == "M-Pesa sent KES 900 of KES 1,500: the rest is owed."
    assert books() == (before - 900, 600)
    assert PayoutDay.objects.get().sent == 900
    assert prove().broken == []
    run_clock_without_waits()
    assert [
        (each.gross, each.amount_sent, each.status) for each in Payout.objects.order_by("pk")
    ] == [
        (1500, 900, "done"),
        (0, 600, "sent"),
    ]
    assert sent(daraja) == [(payout.phone, 1500), (payout.phone, 600)]
    post_result(Payout.objects.last())
    assert books() == (before - 1500, 0)
    assert PayoutDay.objects.get().sent == 1500
    assert prove().broken == []


def test_more_that_was_sent_is_booked_and_is_the_seller_s_debt(payout, buyer, kettle, daraja):
    before, _ = books()
    post_result(payout, amount=2000, number=SENT)

    done = record(payout, 2000)

    assert done.note == "M-Pesa sent KES 2,000 of KES 1,500: the rest is the seller's debt."
    assert books() == (before - 2000, -500)
    assert prove().broken == []
    line_at("fetched", buyer=buyer, product=kettle)
    run_clock_without_waits()
    assert payouts("gross", "amount", "status")[1:] == [(1500, 1000, "sent")]


def test_the_portal_may_show_the_amount_that_was_requested(payout):
    before, _ = books()
    post_result(payout, amount=900, number=SENT)

    done = record(payout, 1500)

    assert (done.amount_sent, done.note) == (1500, "")
    assert books() == (before - 1500, 0)
    assert PayoutDay.objects.get().sent == 1500


@pytest.mark.parametrize("amount", [901, 1499, 0, -900])
def test_no_other_amount_is_recorded(payout, amount):
    post_result(payout, amount=900, number=SENT)

    with pytest.raises(ActionNotAvailable, match="M-Pesa reported KES 900, and KES 1,500 was"):
        record(payout, amount)

    assert payouts("status", "amount", "unacknowledged") == [("sent", 1500, True)]


def test_it_is_not_recorded_as_sent_in_full_unseen(payout):
    post_result(payout, amount=900, number=SENT)

    with pytest.raises(ActionNotAvailable, match="M-Pesa reports another amount"):
        money_out.record_transfer_outcome(payout, number=SENT)

    assert payouts("status", "unacknowledged") == [("sent", True)]


def test_a_refused_payout_of_which_a_part_was_sent_is_booked_with_that_part(payout):
    before, _ = books()
    post_result(payout, 2040)
    assert (payouts("status"), PayoutDay.objects.get().sent) == (["refused"], 0)
    post_result(payout, amount=900, number=SENT)
    with pytest.raises(ActionNotAvailable, match="M-Pesa reports another amount"):
        money_out.record_payout_on_portal(payout.pk, number=SENT)

    record(payout, 900)

    assert books() == (before - 900, 600)
    assert PayoutDay.objects.get().sent == 900
    assert prove().broken == []


def test_a_payout_without_another_amount_has_none_to_record(payout):
    with pytest.raises(ActionNotAvailable, match="has not reported another amount"):
        record(payout, 1500)

    post_result(payout, amount=900, number=SENT)
    record(payout, 900)
    with pytest.raises(ActionNotAvailable, match="has not reported another amount"):
        record(payout, 900, number="TKA0000002")


def test_its_seller_does_not_read_that_the_rest_was_withheld(payout):
    post_result(payout, amount=900, number=SENT)

    shown = represent_payout(record(payout, 900))

    assert (shown["amount"], shown["kept_back"]) == (900, 0)
