"""Lines cancelled after they were paid: the money goes back, the goods where they belong."""

import pytest
from django.utils import timezone

from orders.models import Order, OrderTrack
from payments import clock
from payments.daraja.result_codes import TransferFailure
from payments.ledger import balance
from payments.models import Account, Refund, SellerShare
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.transfers import mark_done, mark_refused
from products import stock
from products.models import StockMovement
from products.stock import StockLine
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, stock_of

from .lines import line_at, move, steps, with_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    return UserFactory(is_superuser=True)


@pytest.fixture
def pan(seller):
    """Three pans at KES 400."""
    return ProductFactory(seller=seller, name="Pan", item_number=3, price=400)


@pytest.fixture
def two(buyer, kettle, pan):
    """Two kettles, KES 3,000, and a pan, KES 400, paid with one receipt: the lines."""
    order = an_order(buyer, (kettle, 2), (pan, 1))
    record_outcome(
        order.payments.get().pk,
        AttemptOutcome(True, "0", "", "callback", order.amount, "SGR0000001"),
    )
    return list(order.tracks.order_by("product_id"))


def owed_back():
    return list(Refund.objects.order_by("pk").values_list("track", "amount", "cause", "way"))


def give_back():
    """All refunds reach their buyer."""
    for refund in Refund.objects.exclude(status="done"):
        mark_done(refund, number=f"TKY{refund.pk:07d}")


def order_status():
    return Order.objects.get().payment_status


def test_one_of_two_lines_is_paid_back_to_the_phone_that_paid(two, buyer):
    pan = two[1]

    move(buyer, pan, "cancelled")

    assert owed_back() == [(pan.pk, 400, "returned", "b2c")]
    assert Refund.objects.get().phone == "254712345678"
    assert balance(Account.BUYERS_HELD) == 3000
    assert balance(Account.REFUNDS_PAYABLE) == 400


def test_the_only_line_is_reversed_whole(buyer, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)

    move(buyer, line, "cancelled")

    assert owed_back() == [(line.pk, 1500, "returned", "reversal")]


def test_the_clock_sends_what_is_owed_back_once(two, buyer, daraja):
    move(buyer, two[1], "cancelled")
    Refund.objects.update(receipt_checked_at=timezone.now())

    clock.run_periodic(timezone.now())
    clock.run_periodic(timezone.now())

    assert [(sent["phone"], sent["amount"]) for sent in daraja.payouts] == [("254712345678", 400)]


def test_the_other_lines_go_on(two, buyer, staff):
    kettles, pan = two

    move(buyer, pan, "cancelled")
    give_back()
    answers = [move(staff, kettles, "fetched"), move(buyer, kettles, "delivered")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (steps(pan), order_status()) == (["paid", "cancelled", "refunded"], "paid")
    assert balance(Account.SELLERS_PAYABLE) == 3000


def test_the_line_is_refunded_when_its_money_is_back_and_not_before(two, buyer):
    move(buyer, two[1], "cancelled")
    assert steps(two[1]) == ["paid", "cancelled"]

    give_back()
    give_back()

    assert steps(two[1]) == ["paid", "cancelled", "refunded"]


def test_money_that_came_in_two_parts_is_back_when_both_are(buyer, kettle):
    order = an_order(buyer, (kettle, 2))
    for number, amount in (("SGR0000004", 1000), ("SGR0000005", 2000)):
        record_receipt(
            IncomingPayment(
                provider="mpesa",
                number=number,
                amount=amount,
                source="c2b",
                reference=order.reference,
            )
        )
    line = order.tracks.get()
    move(buyer, line, "cancelled")
    first, second = Refund.objects.order_by("amount")

    mark_done(first, number="TKY7000001")
    assert steps(line) == ["paid", "cancelled"]
    mark_done(second, number="TKY7000002")

    assert (first.amount, second.amount) == (1000, 2000)
    assert steps(line) == ["paid", "cancelled", "refunded"]


def test_a_refund_m_pesa_refused_leaves_the_line_cancelled(two, buyer):
    move(buyer, two[1], "cancelled")
    refund = Refund.objects.get()
    Refund.objects.update(status="sent")

    mark_refused(refund, code="2040", text="", reason=TransferFailure.NOT_REGISTERED)

    assert steps(two[1]) == ["paid", "cancelled"]
    assert OrderTrack.objects.get(pk=two[1].pk).returned


def test_when_the_last_line_is_cancelled_all_is_owed_back(two, buyer):
    move(buyer, two[0], "cancelled")
    assert order_status() == "paid"
    move(buyer, two[1], "cancelled")
    assert order_status() == "refund_due"

    give_back()

    assert (order_status(), [steps(line)[-1] for line in two]) == ("refunded", ["refunded"] * 2)
    assert balance(Account.BUYERS_HELD) == balance(Account.MPESA_CLEARING) == 0
    assert [amount for _, amount, _, _ in owed_back()] == [3000, 400]


def test_the_excess_is_refunded_in_addition_to_the_line(two, buyer):
    order = two[0].order
    payment = order.payments.get()
    again = order.payments.create(
        channel=payment.channel, phone=payment.phone, amount=order.amount, live=False
    )
    record_outcome(again.pk, AttemptOutcome(True, "0", "", "callback", order.amount, "SGR0000002"))

    move(buyer, two[1], "cancelled")

    assert owed_back() == [
        (None, 3400, "excess", "reversal"), (two[1].pk, 400, "returned", "b2c")
    ]  # fmt: skip


def test_less_than_m_pesa_pays_out_waits_for_staff(buyer, seller, kettle):
    straw = ProductFactory(seller=seller, price=9)
    order = an_order(buyer, (kettle, 1), (straw, 1))
    record_outcome(
        order.payments.get().pk, AttemptOutcome(True, "0", "", "callback", 1509, "SGR0000003")
    )

    move(buyer, order.tracks.get(product=straw), "cancelled")

    refund = Refund.objects.get()
    assert (refund.way, refund.status, refund.amount) == ("portal", "refused", 9)


def test_goods_a_buyer_gave_up_stand_on_the_shelf_again_once(two, buyer, kettle):
    assert stock_of(kettle) == (3, 0)

    for _ in range(3):
        move(buyer, two[0], "cancelled")

    assert stock_of(kettle) == (5, 0)
    back = StockMovement.objects.get(reference=f"return:{two[0].pk}")
    assert (back.product_id, back.quantity) == (kettle.pk, 2)
    kettle.refresh_from_db()
    assert kettle.sold == 0


def test_one_reference_puts_goods_back_once(two, buyer, kettle):
    move(buyer, two[0], "cancelled")

    stock.return_goods(StockLine(kettle.pk, 2), reference=f"return:{two[0].pk}")

    kettle.refresh_from_db()
    assert (kettle.item_number, kettle.sold) == (5, 0)


def test_stock_added_meanwhile_stays(two, buyer, kettle):
    an_order(UserFactory(), (kettle, 1), phone="254733000111")

    move(buyer, two[0], "cancelled")

    assert stock_of(kettle) == (5, 1)


def test_a_buyer_cannot_say_that_the_sellers_goods_are_gone(two, buyer, kettle):
    move(buyer, two[0], "cancelled", goods_there=False)

    assert stock_of(kettle) == (5, 0)


def test_goods_a_seller_cannot_deliver_are_not_sold_again(two, seller, kettle):
    move(seller, two[0], "cancelled", note="They broke.")

    assert stock_of(kettle) == (3, 0)
    assert owed_back() == [(two[0].pk, 3000, "returned", "b2c")]


@pytest.mark.parametrize("who", ["seller", "staff"])
def test_seller_and_staff_say_where_the_goods_are(two, seller, staff, kettle, who):
    person = {"seller": seller, "staff": staff}[who]

    move(person, two[0], "cancelled", note="No rider today.", goods_there=True)

    assert stock_of(kettle) == (5, 0)


def test_staff_cancel_after_delivery_and_the_seller_is_owed_no_more(buyer, kettle, staff):
    line = line_at("delivered", buyer=buyer, product=kettle)
    assert balance(Account.SELLERS_PAYABLE) == 1500

    answer = move(with_role("support"), line, "cancelled", note="It leaks.")

    assert (answer.status_code, answer.json()["payment_status"]) == (200, "refund_due")
    assert (stock_of(kettle), owed_back()) == ((4, 0), [(line.pk, 1500, "returned", "reversal")])
    assert SellerShare.objects.get().reversed_at is not None
    assert balance(Account.SELLERS_PAYABLE) == 0


def test_after_it_was_fetched_neither_buyer_nor_seller_cancel(buyer, seller, kettle):
    line = line_at("fetched", buyer=buyer, product=kettle)

    answers = [move(who, line, "cancelled", note="I want to.") for who in (buyer, seller)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert not Refund.objects.exists()


def test_the_shop_gives_its_commission_back(buyer, kettle, staff, settings):
    settings.COMMISSION_PERCENT = 10
    line = line_at("delivered", buyer=buyer, product=kettle)
    earned = balance(Account.COMMISSION)

    move(staff, line, "cancelled", note="It leaks.")
    give_back()

    assert (earned, balance(Account.COMMISSION)) == (150, 0)
    assert balance(Account.MPESA_CLEARING) == 0
