"""``prove`` finds each thing it looks for. (A checker that cannot fail is none.)"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import InternalError, transaction
from django.utils import timezone

from orders.models import Order, OrderTrack
from payments import ledger
from payments.ledger import Posting
from payments.models import Account, GatewayEvent, LedgerEntry, LedgerPosting, OrderPayment, Receipt
from payments.proof import RULES, one_moment, prove
from payments.settlement import Outcome, settle
from products.models import Product, StockMovement

from .factories import ProductFactory
from .invariants import check_books
from .shopping import an_order
from .threads import at_once


@pytest.fixture
def paid(buyer, kettle):
    """Two of five kettles, KES 3,000, paid."""
    order = an_order(buyer, (kettle, 2))
    told = Outcome(True, "0", "", "callback", 3000, "SGL0000001")
    settle(order.payments.get().pk, told)
    order.refresh_from_db()
    return order


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def _move_for_another_order():
    StockMovement.objects.filter(quantity__lt=0).update(reference="order:0")


def _bring_unposted_money():
    Receipt.objects.create(number="SGL0000009", amount=1, door="query", note="Whose is it?")


def _post_what_nobody_brought():
    ledger.post(Posting("found:1", {Account.MPESA_CLEARING: 1}, {Account.SUSPENSE: 1}))


def _post_one_side():
    posting = LedgerPosting.objects.get()
    LedgerEntry.objects.create(posting=posting, account="suspense", side="debit", amount=1)


def _post_nothing():
    LedgerPosting.objects.create(event="nothing:1")


def _owe_back_what_was_earned():
    ledger.post(
        Posting(
            "mistake:1",
            {Account.BUYERS_HELD: 1},
            {Account.REFUNDS_PAYABLE: 1},
            order_id=Order.objects.get().pk,
        )
    )


def _leave_a_message():
    event = GatewayEvent.objects.create(body=b"{}", sha256="0" * 64)
    GatewayEvent.objects.filter(pk=event.pk).update(received_at=ago(6))


def _forget_to_ring():
    OrderPayment.objects.update(status="requested", created_at=ago(6))


def _stop_asking_too_early():
    OrderPayment.objects.update(
        status="submitted",
        checkout_request_id="ws_CO_1",
        rung_at=ago(23 * 60),
        checked_at=ago(0),
        next_check_at=None,
    )


def _forget_to_expire():
    Order.objects.update(payment_status="requested", expires_at=ago(11))


BREAKS = [
    ("What a product holds is", lambda: Product.objects.update(held=1)),
    ("What stands on the shelf", lambda: Product.objects.update(item_number=4)),
    ("The goods of a paid order left", _move_for_another_order),
    ("Nothing leaves the shelf", lambda: Order.objects.update(payment_status="cancelled")),
    ("An order's amount is", lambda: Order.objects.update(amount=2999)),
    ("A line is where", lambda: OrderTrack.objects.update(track_status="created")),
    ("An order that is paid or due back", lambda: Receipt.objects.update(amount=2999)),
    ("No money is credited", lambda: Order.objects.update(payment_status="expired")),
    ("A confirmed attempt has a receipt", lambda: Receipt.objects.update(order=None)),
    ("A receipt is credited through", lambda: OrderPayment.objects.update(status="failed")),
    ("A receipt without an order", lambda: Receipt.objects.update(order=None)),
    ("A prompt is live only", lambda: OrderPayment.objects.update(live=True)),
    ("A submitted attempt has", lambda: OrderPayment.objects.update(status="submitted")),
    ("Every posting balances", _post_one_side),
    ("Every posting balances", _post_nothing),
    ("Every receipt is in the ledger", _bring_unposted_money),
    ("What the ledger has at M-Pesa", _post_what_nobody_brought),
    ("A receipt's money is in suspense", lambda: Receipt.objects.update(order=None, note="?")),
    ("All that came for an order due", lambda: Order.objects.update(payment_status="refund_due")),
    ("What came for a paid order beyond", _owe_back_what_was_earned),
    ("A message is acted on", _leave_a_message),
    ("An attempt is sent or given up", _forget_to_ring),
    ("An attempt that was sent", lambda: OrderPayment.objects.update(status="unknown")),
    ("An attempt that was sent", _stop_asking_too_early),
    ("An unpaid order is expired", _forget_to_expire),
]


@pytest.mark.parametrize(("rule", "breaks"), BREAKS)
def test_what_is_broken_is_found(paid, rule, breaks):
    with transaction.atomic():
        breaks()
        found = [broken.rule for broken in prove().broken]
        # Or the database itself would refuse some of it in the end.
        transaction.set_rollback(True)

    assert [says for says in found if says.startswith(rule)]


def test_every_rule_is_shown_to_find_something():
    broken = tuple(rule for rule, _ in BREAKS)

    assert [rule.says for rule in RULES if not rule.says.startswith(broken)] == []


def test_an_attempt_asked_about_for_a_day_waits_for_a_person(paid):
    with transaction.atomic():
        _stop_asking_too_early()
        OrderPayment.objects.update(rung_at=ago(24 * 60))
        found = " ".join(broken.rule for broken in prove().broken)
        transaction.set_rollback(True)

    assert "An attempt that was sent" not in found


def test_nothing_is_broken_by_a_paid_and_an_unpaid_order(paid, buyer, kettle, capsys):
    an_order(buyer, (kettle, 1))

    call_command("prove")

    told = f"Nothing is broken: {len(RULES)} rules, 2 orders, 1 receipts.\n"
    assert capsys.readouterr().out == told


def test_the_command_names_the_rule_and_the_rows_and_ends_with_1(paid, kettle, capsys):
    Product.objects.update(held=1)

    with pytest.raises(SystemExit) as ended:
        call_command("prove")

    assert ended.value.code == 1
    assert capsys.readouterr().out == (
        "What a product holds is what its unpaid orders were promised: "
        f"not so for product {kettle.pk}.\n"
    )


def test_twenty_rows_are_named_and_the_rest_is_counted(seller):
    products = [ProductFactory(seller=seller) for _ in range(23)]
    Product.objects.update(held=1)

    [broken] = prove().broken

    assert broken.ids == [product.pk for product in products[:20]]
    assert str(broken).endswith(f"{products[19].pk} and 3 more.")


def test_exactly_twenty_rows_leave_no_rest(seller):
    for _ in range(20):
        ProductFactory(seller=seller)
    Product.objects.update(held=1)

    [broken] = prove().broken

    assert (len(broken.ids), broken.more) == (20, 0)


def test_tests_check_the_same_rules(kettle):
    Product.objects.update(held=1)

    with pytest.raises(AssertionError, match="What a product holds is"):
        check_books()


@pytest.mark.django_db(transaction=True)
def test_all_of_it_belongs_to_one_moment_and_keeps_nobody_from_writing(kettle):
    with one_moment():
        before = Product.objects.count()
        [written] = at_once(lambda: ProductFactory(seller=kettle.seller).pk)
        after = Product.objects.count()

    assert isinstance(written, int)
    assert (before, after, Product.objects.count()) == (1, 1, 2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_meanwhile(kettle):
    with pytest.raises(InternalError, match="read-only"), one_moment():
        Product.objects.update(held=1)
