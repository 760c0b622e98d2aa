"""The fee of a parcel: held for the buyer, earned as it is handed over, or given back."""

import pytest

from orders.fulfilment import move_line
from orders.lifecycle import cancel_order, expire_order
from orders.models import Order, OrderTrack, Parcel
from payments.delivery_fees import NoFeePaid, return_fee
from payments.ledger import balance
from payments.models import Account, LedgerPosting, Receipt, Refund, SellerShare, order_balance
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.refunds.external_reversals import record_outside_reversal
from payments.transfers import mark_done
from tests.factories import ProductFactory, UserFactory
from tests.threads import at_once

from .deliveries import delivered_order, paid_delivery, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    return UserFactory(is_superuser=True)


@pytest.fixture
def pan(seller):
    """Three pans at KES 400, of the same seller as the kettle."""
    return ProductFactory(seller=seller, name="Pan", item_number=3, price=400)


@pytest.fixture
def drill(db):
    """A drill of another seller's, at KES 3,000."""
    return ProductFactory(name="Drill", item_number=3, price=3000)


@pytest.fixture
def two(buyer, kettle, pan):
    """The lines of a paid parcel: a kettle and a pan for KES 1,900, delivery for 100."""
    order = paid_delivery(buyer, (kettle, 1), (pan, 1))
    return list(order.tracks.order_by("product_id"))


def cancel(line, by):
    return move_line(line.pk, "cancelled", actor=by, note="It broke.")


def walk(line, staff, *statuses):
    for status in statuses:
        move_line(line.pk, status, actor=staff, note="Seen.")


def fee_states():
    return list(Parcel.objects.order_by("pk").values_list("fee_state", flat=True))


def owed_back():
    return list(Refund.objects.order_by("pk").values_list("track", "amount", "cause", "status"))


def give_back():
    """All refunds reach their buyer."""
    for refund in Refund.objects.exclude(status="done").order_by("pk"):
        mark_done(refund, number=f"TKY{refund.pk:07d}")


def status():
    return Order.objects.get().payment_status


def books():
    """The balances held for buyers, earned by delivery, owed back, and owed to sellers."""
    accounts = ("buyers_held", "delivery_fees", "refunds_payable", "sellers_payable")
    return tuple(balance(account) for account in accounts)


def test_a_fee_that_was_paid_is_held_for_its_buyer(two):
    assert fee_states() == ["held"]
    assert books() == (2000, 0, 0, 0)


def test_a_fee_is_earned_with_the_first_line_that_is_handed_over(two, staff):
    kettle, _pan = two
    walk(kettle, staff, "fetched", "shipping", "delivered")

    assert fee_states() == ["earned"]
    assert books() == (400, 100, 0, 1500)
    parcel = Parcel.objects.get()
    assert LedgerPosting.objects.get(parcel=parcel).event == f"delivery:{parcel.pk}"


def test_a_fee_is_earned_once(two, staff):
    for line in two:
        walk(line, staff, "fetched", "shipping", "delivered")

    assert books() == (0, 100, 0, 1900)


def test_a_fee_is_no_part_of_the_sellers_share_nor_of_commission(buyer, kettle, staff, settings):
    settings.COMMISSION_PERCENT = 10
    line = paid_delivery(buyer, (kettle, 1), fee=250).tracks.get()
    walk(line, staff, "fetched", "shipping", "delivered")

    share = SellerShare.objects.get()
    assert (share.sold_for, share.commission, share.amount) == (1500, 150, 1350)
    assert balance("commission") == 150
    assert balance("delivery_fees") == 250


def test_a_fee_stays_with_a_parcel_of_which_a_line_stands(two, buyer):
    kettle, _ = two
    cancel(kettle, buyer)

    assert fee_states() == ["held"]
    assert owed_back() == [(kettle.pk, 1500, "returned", "due")]
    assert books() == (500, 0, 1500, 0)


def test_a_fee_goes_back_with_the_last_line_that_is_cancelled(two, buyer):
    kettle, pan = two
    cancel(kettle, buyer)
    cancel(pan, buyer)

    assert fee_states() == ["returned"]
    assert owed_back() == [(kettle.pk, 1500, "returned", "due"), (pan.pk, 500, "returned", "due")]
    assert books() == (0, 0, 2000, 0)
    give_back()
    assert status() == "refunded"
    assert books() == (0, 0, 0, 0)


def test_an_order_of_one_line_goes_back_whole(buyer, kettle):
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    cancel(line, buyer)

    assert owed_back() == [(line.pk, 1600, "returned", "due")]
    # By a reversal, which is of whole payments alone.
    assert Refund.objects.get().way == "reversal"


def test_each_parcel_of_an_order_has_a_fee_of_its_own(buyer, kettle, drill, staff):
    order = paid_delivery(buyer, (kettle, 1), (drill, 1))
    of_kettle, of_drill = order.tracks.order_by("product_id")
    cancel(of_kettle, buyer)
    walk(of_drill, staff, "fetched", "shipping", "delivered")

    assert order.amount == 4700
    assert sorted(fee_states()) == ["earned", "returned"]
    assert owed_back() == [(of_kettle.pk, 1600, "returned", "due")]
    assert books() == (0, 100, 1600, 3000)


def test_a_fee_of_goods_that_were_fetched_and_cancelled_is_earned(two, staff):
    kettle, pan = two
    walk(kettle, staff, "fetched")
    cancel(kettle, staff)
    assert fee_states() == ["held"]
    cancel(pan, staff)

    assert fee_states() == ["earned"]
    assert books() == (0, 100, 1900, 0)
    give_back()
    assert status() == "refunded"
    assert books() == (0, 100, 0, 0)


def test_a_fee_stays_earned_where_what_was_delivered_is_taken_back(two, staff):
    for line in two:
        walk(line, staff, "fetched", "shipping", "delivered")
        cancel(line, staff)

    assert fee_states() == ["earned"]
    assert books() == (0, 100, 1900, 0)
    give_back()
    assert status() == "refunded"


def test_a_parcel_that_is_free_moves_no_money(buyer, kettle, staff):
    line = paid_delivery(buyer, (kettle, 1), free_above=1500).tracks.get()
    walk(line, staff, "fetched", "shipping", "delivered")

    assert (Parcel.objects.get().fee, fee_states()) == (0, ["earned"])
    assert not LedgerPosting.objects.filter(parcel__isnull=False).exists()


def test_money_for_a_cancelled_order_is_refunded_with_its_fee(buyer, kettle):
    order = delivered_order(buyer, (kettle, 1))
    cancel_order(order.pk, cancelled_by="buyer")
    pay(order)

    assert owed_back() == [(None, 1600, "cancelled", "due")]
    assert fee_states() == ["held"]
    give_back()
    assert status() == "refunded"


def test_an_order_is_not_paid_by_its_goods_alone(buyer, kettle):
    order = delivered_order(buyer, (kettle, 1))
    record_receipt(IncomingPayment("mpesa", "SHF0000001", 1500, "c2b", order.reference))

    order.refresh_from_db()
    assert order.payment_status == "requested"
    assert order_balance(order.pk).credited == 1500


def test_late_money_pays_for_goods_and_fee(buyer, kettle, staff):
    order = delivered_order(buyer, (kettle, 1))
    expire_order(order.pk, now=order.expires_at)
    pay(order)

    assert status() == "paid"
    walk(order.tracks.get(), staff, "fetched", "shipping", "delivered")
    assert books() == (0, 100, 0, 1500)


def test_the_excess_is_refunded_without_the_fee(buyer, kettle):
    order = pay(delivered_order(buyer, (kettle, 1)), amount=1650)

    assert owed_back() == [(None, 50, "excess", "due")]
    assert order_balance(order.pk).needed(order) == 1600


def test_a_fee_that_is_held_is_given_back_by_staff(two, staff):
    assert return_fee(Parcel.objects.get().pk, by=staff, why="It came late.")

    assert fee_states() == ["returned"]
    assert owed_back() == [(None, 100, "fee", "due")]
    assert books() == (1900, 0, 100, 0)


def test_a_fee_that_was_earned_is_given_back_by_an_opposite_posting(two, staff):
    for line in two:
        walk(line, staff, "fetched", "shipping", "delivered")
    parcel = Parcel.objects.get()
    return_fee(parcel.pk, by=staff, why="It came broken.")

    events = LedgerPosting.objects.filter(parcel=parcel).order_by("pk")
    assert [posting.event for posting in events] == [
        f"delivery:{parcel.pk}",
        f"delivery-back:{parcel.pk}",
    ]
    assert books() == (0, 0, 100, 1900)
    assert status() == "paid"


def test_a_fee_is_given_back_once(two, staff):
    parcel = Parcel.objects.get()

    assert return_fee(parcel.pk, by=staff, why="It came late.")
    assert not return_fee(parcel.pk, by=staff, why="It came late.")
    assert owed_back() == [(None, 100, "fee", "due")]
    assert (parcel.fee_return.decided_by, parcel.fee_return.why) == (staff, "It came late.")


def test_a_fee_that_was_given_back_is_not_owed_again_with_its_goods(two, buyer, staff):
    return_fee(Parcel.objects.get().pk, by=staff, why="It came late.")
    for line in two:
        cancel(line, buyer)

    assert [amount for _, amount, *_ in owed_back()] == [100, 1500, 400]
    assert books() == (0, 0, 2000, 0)


def test_a_fee_that_was_given_back_is_not_earned_as_it_is_handed_over(two, staff):
    return_fee(Parcel.objects.get().pk, by=staff, why="It came late.")
    for line in two:
        walk(line, staff, "fetched", "shipping", "delivered")

    assert fee_states() == ["returned"]
    assert books() == (0, 0, 100, 1900)


def test_the_fee_of_an_order_that_is_refunded_can_still_be_given_back(two, staff):
    kettle, _pan = two
    walk(kettle, staff, "fetched")
    for line in two:
        cancel(line, staff)
    give_back()
    return_fee(Parcel.objects.get().pk, by=staff, why="Our agent lost it.")

    assert status() == "refund_due"
    assert owed_back()[-1] == (None, 100, "fee", "due")
    give_back()
    assert (status(), books()) == ("refunded", (0, 0, 0, 0))


@pytest.mark.parametrize("closed", [False, True])
def test_no_fee_is_given_back_that_was_not_paid(buyer, kettle, staff, closed):
    order = delivered_order(buyer, (kettle, 1))
    if closed:
        cancel_order(order.pk, cancelled_by="staff")

    with pytest.raises(NoFeePaid):
        return_fee(Parcel.objects.get().pk, by=staff, why="Why not.")
    assert fee_states() == ["held"]


def test_no_fee_is_given_back_of_a_parcel_that_was_free(buyer, kettle, staff):
    paid_delivery(buyer, (kettle, 1), free_above=1)

    with pytest.raises(NoFeePaid):
        return_fee(Parcel.objects.get().pk, by=staff, why="Why not.")


def test_the_shop_bears_a_fee_it_earned_of_a_payment_that_was_taken_back(two, staff):
    kettle, _pan = two
    walk(kettle, staff, "fetched")
    for line in two:
        cancel(line, staff)
    record_outside_reversal(Receipt.objects.get().pk)

    # Goods worth 1,900 were owed back and are; the 100 that were earned are lost.
    assert Receipt.objects.get().written_off == 100
    assert (balance("write_offs"), balance("delivery_fees")) == (100, 100)
    assert status() == "refunded"


def test_a_loss_ends_as_the_fee_is_given_back(two, staff):
    for line in two:
        walk(line, staff, "fetched", "shipping", "delivered")
    record_outside_reversal(Receipt.objects.get().pk)
    assert balance("write_offs") == 2000
    return_fee(Parcel.objects.get().pk, by=staff, why="It came broken.")

    assert (balance("write_offs"), balance("delivery_fees")) == (1900, 0)


def losses():
    """The losses written off, and how much of them by the order's receipts."""
    written_off = sum(Receipt.objects.values_list("written_off", flat=True))
    return balance("write_offs"), written_off


@pytest.mark.parametrize("is_first", [True, False])
def test_an_order_taken_back_by_m_pesa_stays_closed_as_its_fee_is_given_back_last(
    two, staff, is_first
):
    walk(two[0], staff, "fetched")
    if is_first:
        record_outside_reversal(Receipt.objects.get().pk)
    for line in two:
        cancel(line, staff)
    if not is_first:
        record_outside_reversal(Receipt.objects.get().pk)
    assert (status(), fee_states(), losses()) == ("refunded", ["earned"], (100, 100))

    return_fee(Parcel.objects.get().pk, by=staff, why="Our agent lost it.")

    # The shop had borne the fee: nothing is to be sent, and nothing else would close the order.
    assert (status(), losses(), books()) == ("refunded", (0, 0), (0, 0, 0, 0))
    assert set(Refund.objects.values_list("status", flat=True)) == {"done"}


def test_an_order_of_which_some_is_still_to_be_sent_closes_only_then(buyer, kettle, staff):
    order = delivered_order(buyer, (kettle, 1))
    for number, amount in (("SGL0000001", 1500), ("SGL0000002", 100)):
        record_receipt(
            IncomingPayment("mpesa", number, amount, source="c2b", reference=order.reference)
        )
    line = order.tracks.get()
    walk(line, staff, "fetched")
    record_outside_reversal(Receipt.objects.get(number="SGL0000001").pk)
    assert losses() == (1500, 1500)

    cancel(line, staff)

    # The hundred that stand with the shop go back, and the fee that it earned it bears.
    assert (status(), losses()) == ("refund_due", (100, 100))
    return_fee(Parcel.objects.get().pk, by=staff, why="Our agent lost it.")
    assert (status(), losses()) == ("refund_due", (0, 0))
    assert owed_back()[-1][1:] == (100, "returned", "due")
    give_back()
    assert status() == "refunded"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_last_lines_cancelled_at_once_give_the_fee_back_once(buyer, kettle, pan):
    order = paid_delivery(buyer, (kettle, 1), (pan, 1))
    lines = list(order.tracks.all())

    came = at_once(*[lambda line=line: cancel(line, buyer).track_status for line in lines])

    assert came == ["cancelled", "cancelled"]
    assert fee_states() == ["returned"]
    assert sum(Refund.objects.values_list("amount", flat=True)) == 2000


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_fee_given_back_while_its_parcel_is_handed_over_is_earned_or_not_but_goes_back(
    buyer, kettle
):
    staff = UserFactory(is_superuser=True)
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    walk(line, staff, "fetched", "shipping")
    parcel = Parcel.objects.get()

    moved, *given = at_once(
        lambda: walk(line, staff, "delivered"),
        lambda: return_fee(parcel.pk, by=staff, why="It came late."),
        lambda: return_fee(parcel.pk, by=staff, why="It came late."),
    )

    assert (moved, sorted(given)) == (None, [False, True])
    assert fee_states() == ["returned"]
    assert (balance(Account.DELIVERY_FEES), owed_back()) == (0, [(None, 100, "fee", "due")])
    assert OrderTrack.objects.get().track_status == "delivered"
