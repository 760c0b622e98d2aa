"""``prove`` finds each thing it checks. (A check that cannot fail checks nothing.)"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from orders.fulfilment import move_line
from orders.models import Order, OrderTrack, TrackEvent
from orders.models.notifications import Message, Notice, SmsReport
from payments import ledger
from payments.ledger import Posting
from payments.models import (
    Account,
    GatewayEvent,
    LedgerEntry,
    LedgerPosting,
    OrderPayment,
    Payout,
    Receipt,
    ReceiptEvidence,
    Refund,
    SellerShare,
    Withdrawal,
)
from payments.models.refunds import PART_REVERSED
from payments.payouts.allocation import create_payouts
from payments.proof import (
    bounds,
    days,
    immutable_columns,
    messages,
    payouts,
    people,
    problems,
    staff,
)
from payments.proof.prove import RULES, one_moment, prove
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from products import stock
from products.models import Product, Review, SellerRating
from products.stock import StockLine

from .factories import ProductFactory, UserFactory
from .invariants import CHECKED, check_books, suspected_rules
from .proof.corruptions_of_sales import CORRUPTIONS
from .shopping import an_order, fetched_line
from .threads import at_once


@pytest.fixture
def paid(buyer, kettle):
    """Two of five kettles, KES 3,000, paid."""
    order = an_order(buyer, (kettle, 2))
    told = AttemptOutcome(True, "0", "", "callback", 3000, "SGL0000001")
    record_outcome(order.payments.get().pk, told)
    order.refresh_from_db()
    return order


@pytest.fixture
def fetched(paid, settings):
    """The same, fetched from the seller, who is owed all but KES 100."""
    OrderTrack.objects.update(commission=100)
    agent = UserFactory(is_superuser=True, is_staff=True)
    move_line(paid.tracks.get().pk, "fetched", actor=agent)
    create_payouts(paid.tracks.get().seller_id)
    return paid


def _fetched_by(person):
    # Steps are append-only.
    TrackEvent.objects.create(track=OrderTrack.objects.get(), track_status="fetched", actor=person)


def _send_back_what_pays():
    """What M-Pesa shows went back, and its order is still paid: by what a message told of alone."""
    refund = _owe(amount=3000, way="reversal", status="sent", sent_at=timezone.now())
    told = {"provider": "mpesa", "number": "SGX0000009", "amount": 3000, "source": "c2b"}
    Receipt.objects.create(order=refund.order, **told)


def _write_off_of_a_closed_order():
    Order.objects.update(payment_status="refund_due")
    Receipt.objects.update(amount=2999, written_off=1)


def _approve_by(person):
    Payout.objects.update(approved_by=person)


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


#: The fields of a transfer completed with an M-Pesa receipt.
DONE = {"status": "done", "number": "TKX0000001", "done_at": timezone.now()}


def _place_long_ago(**changed):
    """Move the order to half an hour ago, the most its constraints allow."""
    Order.objects.update(created_at=ago(30), **changed)


def _take_from_another_product():
    OrderTrack.objects.update(product=ProductFactory())


def _bring_unposted_money():
    Receipt.objects.create(number="SGL0000009", amount=1, source="query", note="Whose is it?")


def _count_a_payment_twice():
    OrderPayment.objects.update(rung_at=timezone.now())
    Receipt.objects.update(number="")
    Receipt.objects.create(number="SGL0000009", amount=3000, source="c2b", phone="2547*****678")


def _enter_a_number_for_an_earlier_prompt():
    Receipt.objects.update(number="", created_at=ago(90))
    order = Order.objects.get()
    earlier = order.payments.create(amount=3000, status="failed", live=False)
    entered = Receipt.objects.create(
        number="SGL0000009", amount=3000, order=order, payment=earlier, source="staff"
    )
    entered.evidence.create(source="staff", amount=3000, number="SGL0000009")


def _take_a_part_back():
    receipt = Receipt.objects.get()
    Refund.objects.create(
        receipt=receipt, order_id=receipt.order_id, amount=1, cause="outside", way="outside",
        **DONE,
    )  # fmt: skip


def _take_an_unnumbered_part_back():
    _take_a_part_back()
    Refund.objects.filter(way="outside").update(
        number="", unnumbered="outside", result_text=PART_REVERSED
    )


def _post_what_nobody_brought():
    ledger.post(Posting("found:1", {Account.MPESA_CLEARING: 1}, {Account.SUSPENSE: 1}))


def _book_a_loss_on_commission():
    of = {"order_id": Order.objects.get().pk, "receipt_id": Receipt.objects.get().pk}
    ledger.post(Posting("mistake:1", {Account.COMMISSION: 1}, {Account.BUYERS_HELD: 1}, **of))


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


def _owe(**changed):
    """A refund of KES 1 without ledger entries, due in a minute."""
    receipt = Receipt.objects.get()
    fields = {
        "receipt": receipt,
        "order_id": receipt.order_id,
        "amount": 1,
        "cause": "excess",
        "way": "b2c",
        "phone": "254712345678",
        "next_check_at": ago(-1),
    }
    return Refund.objects.create(**fields | changed)


def _take_the_money_away(status):
    Receipt.objects.update(order=None)
    Order.objects.update(payment_status=status)


def _owe_part_of_what_is_waited_for():
    Receipt.objects.update(amount=2999)
    Order.objects.update(payment_status="requested")
    _owe()


def _close_with_money(status, **changed):
    Receipt.objects.update(created_at=ago(6))
    _place_long_ago(payment_status=status, **changed)


def _call_it_refunded_too_early():
    _owe()
    Order.objects.update(payment_status="refunded")


def _send_one_that_was_replaced():
    _owe(replaces=_owe(status="sent"))


def _leave_a_message():
    event = GatewayEvent.objects.create(body=b"{}", sha256="0" * 64)
    GatewayEvent.objects.filter(pk=event.pk).update(received_at=ago(6))


def _review(**wrong):
    """A hidden review of the two kettles, which is not counted."""
    line = OrderTrack.objects.get()
    fields = {
        "line": line,
        "product": line.product,
        "buyer": line.buyer,
        "seller": line.seller,
        "stars": 4,
        "hidden": True,
        "hidden_reason": "Rude.",
    }
    return Review.objects.create(**fields | wrong)


def _review_uncounted():
    _review(hidden=False, hidden_reason="")


def _count_what_nobody_wrote(model, **counted):
    if model is SellerRating:
        SellerRating.objects.create(seller=Product.objects.get().seller)
    model.objects.update(**counted)


def _review_counted_wrong():
    _review_uncounted()
    seller_id = Product.objects.get().seller_id
    SellerRating.objects.create(seller_id=seller_id, review_stars=3, review_count=1)


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


def _leave_a_notice():
    Notice.objects.update(created_at=ago(6))


def _leave_a_message_to_somebody():
    notice = Notice.objects.first()
    Message.objects.create(
        notice=notice,
        user=notice.order.buyer,
        kind=notice.kind,
        channel="sms",
        next_try_at=ago(11),
    )


def _leave_an_sms_that_did_not_arrive():
    notice = Notice.objects.first()
    Message.objects.create(
        notice=notice,
        user=notice.order.buyer,
        kind=notice.kind,
        channel="sms",
        state="sent",
        tries=1,
        tried_at=ago(30),
        sent_at=ago(30),
        provider_id="ATXid_lost",
    )
    SmsReport.objects.create(provider_id="ATXid_lost", status="failed", reported_at=ago(11))


def _forget_to_expire():
    _place_long_ago(payment_status="requested", expires_at=ago(11))


def _put_back_what_was_not_cancelled():
    line = OrderTrack.objects.get()
    stock.return_goods(StockLine(line.product_id, line.number), reference=f"return:{line.pk}")


def _return(**changed):
    """A line of KES 3,000 that is cancelled while its order continues."""
    QuerySet(OrderTrack).update(returned=True, **changed)
    return OrderTrack.objects.get()


def _call_a_line_refunded_too_early():
    _owe(track=_return(track_status="refunded"))


def _forget_that_a_line_is_refunded():
    _owe(track=_return(track_status="cancelled"), **DONE)


def _fetch_for_nothing():
    QuerySet(OrderTrack).update(track_status="fetched")


def _believe_one_source():
    """A receipt marked as confirmed although only a callback reported it."""
    Receipt.objects.update(number="SGL0000002")
    receipt = Receipt.objects.get()
    told = {"receipt": receipt, "amount": receipt.amount, "number": receipt.number}
    ReceiptEvidence.objects.create(source="callback", **told)


def _send_on_news(**changed):
    """A refund of a receipt known from one message only."""
    receipt = Receipt.objects.create(
        number="SGL0000009", amount=10, source="c2b", note="No reference was typed."
    )
    fields = {"cause": "staff", "way": "b2c", "phone": "254712345678"}
    return Refund.objects.create(receipt=receipt, amount=10, **fields, **changed)


def _wait_without_asking():
    refund = _send_on_news()
    Refund.objects.filter(pk=refund.pk).update(created_at=ago(6))


def _pay_out_on_news():
    """A payout for an order whose only payment was recorded by staff."""
    Receipt.objects.update(order=None)
    Receipt.objects.create(
        number="SGL0000009", amount=3000, source="staff", order=Order.objects.get()
    )
    Payout.objects.update(status="done", number="SGB0000001", done_at=timezone.now())


def _share_of(amount):
    SellerShare.objects.update(amount=amount, sold_for=amount + 100, carried=amount)


def _forget_to_pay():
    SellerShare.objects.update(payout=None, created_at=ago(6))
    Payout.objects.update(status="dropped", next_check_at=None)


BREAKS = [
    ("A confirmed payment has two agreeing sources, one of them M-Pesa's own", _believe_one_source),
    ("No payment was refunded on notifications alone", lambda: _send_on_news(status="sent")),
    ("An order is in doubt exactly while its payment", lambda: Order.objects.update(in_doubt=True)),
    ("An order is in doubt exactly while", lambda: Receipt.objects.update(verification="doubted")),
    ("A payment that never arrived is", lambda: Receipt.objects.update(verification="never_came")),
    ("M-Pesa is queried about the payment that a refund waits for", _wait_without_asking),
    ("A payment without an order is not that of a prompt without a", _count_a_payment_twice),
    (
        "A number that staff entered for one prompt is not the missing",
        _enter_a_number_for_an_earlier_prompt,
    ),
    ("A payment that M-Pesa reversed is fully refunded, and nothing of it is", _take_a_part_back),
    ("A part of a payment that M-Pesa reversed has a number", _take_an_unnumbered_part_back),
    ("A product's reserved stock is the sum of its unpaid", lambda: Product.objects.update(held=1)),
    ("A product's stock on hand is the sum of its", lambda: Product.objects.update(item_number=4)),
    ("A product's sold count is what was taken for", lambda: Product.objects.update(sold=1)),
    ("A line that was ever paid took its number from stock", _take_from_another_product),
    ("No stock is taken for an order", lambda: Order.objects.update(payment_status="cancelled")),
    ("A product's stars and reviews are those of its visible reviews", _review_uncounted),
    (
        "A product's stars and reviews are those of its visible reviews",
        lambda: _count_what_nobody_wrote(Product, review_stars=5, review_count=1),
    ),
    ("A seller's stars and reviews are those of the visible reviews of", _review_counted_wrong),
    (
        "A seller's stars and reviews are those of the visible reviews of their products",
        lambda: _count_what_nobody_wrote(SellerRating, review_stars=5, review_count=1),
    ),
    ("A visible review counts for a seller", _review_uncounted),
    ("A review is by the buyer of its line, of that", lambda: _review(buyer=UserFactory())),
    ("A review is by the buyer of its line, of that", lambda: _review(seller=UserFactory())),
    ("A review is by the buyer of its line, of that", lambda: _review(product=ProductFactory())),
    ("A review is by the buyer of its", lambda: _review(seller=OrderTrack.objects.get().buyer)),
    ("An order's amount is the sum of its lines and", lambda: Order.objects.update(amount=2999)),
    ("A line's status is", lambda: OrderTrack.objects.update(track_status="created")),
    ("The lines of a paid order are covered by its", lambda: Receipt.objects.update(amount=2999)),
    ("The lines of a paid order are covered by its", lambda: Receipt.objects.update(amount=3001)),
    ("The lines of a paid order are covered by its payments, and any excess is owed back", _owe),
    ("A line's status is that of its last step", lambda: _return(track_status="refunded")),
    ("Only cancelled lines put stock back, in the number they", _put_back_what_was_not_cancelled),
    ("A returned line is refunded exactly when all that it owes", _call_a_line_refunded_too_early),
    ("A returned line is refunded exactly when all that it owes", _forget_that_a_line_is_refunded),
    ("The seller of a fetched line, and nobody else, has earnings for it", _fetch_for_nothing),
    ("An order that is refunded or", lambda: Order.objects.update(payment_status="refund_due")),
    ("An order that is refunded or", lambda: Order.objects.update(payment_status="refunded")),
    ("An order that is refunded or refund due was", lambda: _take_the_money_away("refund_due")),
    ("An order that is refunded or refund due was paid", lambda: _take_the_money_away("refunded")),
    ("An unpaid order has received less", lambda: Order.objects.update(payment_status="requested")),
    ("An unpaid order has received less than its amount, and", _owe_part_of_what_is_waited_for),
    ("Payments of a cancelled or expired order are owed", lambda: _close_with_money("cancelled")),
    ("Payments of a cancelled or", lambda: _close_with_money("expired", expires_at=ago(11))),
    ("An order is refunded exactly", lambda: Order.objects.update(payment_status="refund_due")),
    ("An order is refunded exactly when all that it owes back was", _call_it_refunded_too_early),
    ("A confirmed attempt has a receipt credited to", lambda: Receipt.objects.update(order=None)),
    ("A receipt is credited through a", lambda: OrderPayment.objects.update(status="failed")),
    ("A receipt without an order has a note that says", lambda: Receipt.objects.update(order=None)),
    ("A prompt is open only while its result is", lambda: OrderPayment.objects.update(live=True)),
    ("A submitted attempt has M-Pesa's", lambda: OrderPayment.objects.update(status="submitted")),
    ("Every posting balances and has at least two entries", _post_one_side),
    ("Every posting balances and has at least two entries", _post_nothing),
    ("Every receipt is in the ledger with its amount, at its provider", _bring_unposted_money),
    ("Every receipt is in the ledger with its", lambda: Receipt.objects.update(provider="equity")),
    ("Every receipt is in the ledger with its", lambda: Receipt.objects.update(amount=2999)),
    ("Ledger entries at a provider belong to a receipt, a refund or a", _post_what_nobody_brought),
    ("A receipt's shortfall is written off, and", lambda: Receipt.objects.update(written_off=1)),
    ("A receipt's shortfall is written off, and none of it is taken", _book_a_loss_on_commission),
    ("A receipt's money is in suspense", lambda: Receipt.objects.update(order=None, note="?")),
    ("A refund leaves M-Pesa in the ledger once, when it is done", lambda: _owe(**DONE)),
    ("Open refunds of an order match what the ledger owes for it", _owe_back_what_was_earned),
    ("Open refunds of an order match what the ledger owes for it", _owe),
    ("A receipt is not refunded by more than its amount", lambda: _owe(amount=3001)),
    ("Write-offs of an order that is not paid are at most its", _write_off_of_a_closed_order),
    ("No confirmed payment of a paid order was refunded while only", _send_back_what_pays),
    ("Only a rejected refund is replaced by another", _send_one_that_was_replaced),
    ("A due refund is sent or queried at its time", lambda: _owe(next_check_at=ago(11))),
    ("A due refund is sent or queried at its", lambda: _owe(status="sent", next_check_at=ago(11))),
    ("A refund without a next check has ended, or was queried", lambda: _owe(next_check_at=None)),
    (
        "A refund without a next check has ended, or was queried for two days",
        lambda: _owe(status="sent", sent_at=ago(47 * 60), next_check_at=None),
    ),
    ("A refund without a next check has", lambda: _owe(status="unknown", next_check_at=None)),
    ("A message from the gateway is processed within five minutes", _leave_a_message),
    ("An attempt is sent or dropped within five minutes", _forget_to_ring),
    ("An attempt that was sent is queried", lambda: OrderPayment.objects.update(status="unknown")),
    ("An attempt that was sent is queried until it ends, or for a day", _stop_asking_too_early),
    ("An unpaid order expires within ten minutes of its time", _forget_to_expire),
    ("A notification is composed within five minutes", _leave_a_notice),
    ("A notification is sent", _leave_a_message_to_somebody),
    ("An undelivered SMS is replaced, or left to staff, within", _leave_an_sms_that_did_not_arrive),
]


#: Corruptions of a fetched line that is owed to its seller.
def _find_what_never_left():
    """A withdrawal settled as a payout that is still due."""
    payout = Payout.objects.get()
    Withdrawal.objects.create(
        number="TKS0000001",
        shortcode="600000",
        amount=payout.amount,
        left_at=ago(0),
        state="payout",
        payout=payout,
        settled_at=ago(0),
    )


BREAKS_OF_PAYOUTS = [
    ("The seller of a fetched line, and", lambda: SellerShare.objects.update(reversed_at=ago(0))),
    ("The seller of a fetched line, and", lambda: OrderTrack.objects.update(track_status="paid")),
    ("A seller's earnings match the price and", lambda: OrderTrack.objects.update(commission=1)),
    ("A seller's earnings and their commission are in the ledger while", lambda: _share_of(2899)),
    (
        "A payout leaves M-Pesa in the ledger once, when it is done",
        lambda: Payout.objects.update(status="done", number="TKP0000001", done_at=ago(0)),
    ),
    ("A settled withdrawal matches its payout or refund", _find_what_never_left),
    ("A payout is the sum of its earnings, and goes to", lambda: Payout.objects.update(gross=2899)),
    ("A payout is the sum of its", lambda: SellerShare.objects.update(phone="254711111111")),
    ("What the ledger owes a seller", lambda: Payout.objects.update(amount=2890)),
    ("No seller was paid for a payment known from notifications alone", _pay_out_on_news),
    ("Earnings are in a payout within five minutes, if M-Pesa accepts the amount", _forget_to_pay),
    ("A due payout is sent or queried at", lambda: Payout.objects.update(next_check_at=ago(11))),
    ("A payout without a next check has ended", lambda: Payout.objects.update(next_check_at=None)),
    ("No staff member or agent moved a line", lambda: _fetched_by(OrderTrack.objects.get().buyer)),
    ("No staff member or agent moved a line", lambda: _fetched_by(OrderTrack.objects.get().seller)),
    ("A payout was approved on the", lambda: _approve_by(TrackEvent.objects.latest("pk").actor)),
]


@pytest.fixture
def forgotten(buyer, kettle):
    """Earnings of two sellers in no payout: three of one, for one number, and one of another."""
    for product in (kettle, kettle, kettle, ProductFactory(price=1500, item_number=9)):
        fetched_line(buyer, product)
    SellerShare.objects.update(payout=None, created_at=ago(6))
    Payout.objects.update(status="dropped", next_check_at=None)
    return list(SellerShare.objects.order_by("pk").values_list("pk", flat=True))


def test_sendable_earnings_are_computed_once_per_seller(forgotten, django_assert_num_queries):
    with django_assert_num_queries(2) as asked:
        assert payouts._with_enough(forgotten) == forgotten

    added_up = asked.captured_queries[-1]["sql"]
    assert f"IN ({forgotten[0]}, {forgotten[3]})" in added_up


def check_rule_finds(rule, breaks):
    with transaction.atomic():
        breaks()
        found = [broken.rule for broken in prove().broken]
        suspected = {rule.description for rule in suspected_rules(timezone.now())}
        # Otherwise the database itself would refuse some of it at commit.
        transaction.set_rollback(True)

    assert [says for says in found if says.startswith(rule)]
    # So does the single query of the tests.
    assert {*found} & {rule.description for rule in CHECKED} <= suspected


@pytest.mark.parametrize(("rule", "breaks"), BREAKS_OF_PAYOUTS)
def test_rules_about_payouts_find_corruptions(fetched, rule, breaks):
    check_rule_finds(rule, breaks)


@pytest.mark.parametrize(("rule", "breaks"), BREAKS)
def test_rules_find_corruptions(paid, rule, breaks):
    check_rule_finds(rule, breaks)


def test_every_rule_has_a_corruption_that_it_finds():
    broken = (
        *(rule for rule, _ in BREAKS + BREAKS_OF_PAYOUTS),
        *(seen for _, _, seen in CORRUPTIONS),
    )
    # The others are covered by the corruptions in tests/proof.
    elsewhere = (bounds, days, messages, immutable_columns, people, problems, staff)
    others = {module.__name__ for module in elsewhere}

    assert [
        rule.description
        for rule in RULES
        if rule.violations.__module__ not in others and not rule.description.startswith(broken)
    ] == []


def test_an_attempt_asked_about_for_a_day_waits_for_a_person(paid):
    with transaction.atomic():
        _stop_asking_too_early()
        OrderPayment.objects.update(rung_at=ago(24 * 60))
        found = " ".join(broken.rule for broken in prove().broken)
        transaction.set_rollback(True)

    assert "An attempt that was sent is queried until it ends, or for a day" not in found


@pytest.mark.parametrize("minutes", [1, 4])
def test_money_of_an_order_that_has_just_been_closed_may_wait_for_the_clock(paid, minutes):
    with transaction.atomic():
        Receipt.objects.update(created_at=ago(minutes))
        Order.objects.update(payment_status="cancelled")
        found = " ".join(broken.rule for broken in prove().broken)
        transaction.set_rollback(True)

    assert "Payments of a cancelled or expired order are owed back within five minutes" not in found


def test_a_refund_asked_about_for_two_days_waits_for_a_person(paid):
    with transaction.atomic():
        _owe(status="sent", sent_at=ago(48 * 60), next_check_at=None)
        found = " ".join(broken.rule for broken in prove().broken)
        transaction.set_rollback(True)

    assert "A refund without a next check has ended, or was queried for two days" not in found


def test_nothing_is_broken_by_a_paid_and_an_unpaid_order(paid, buyer, kettle, capsys):
    an_order(buyer, (kettle, 1))

    call_command("prove")

    told = f"Nothing is broken: {len(RULES)} rules, 2 orders, 1 receipts, 0 refunds, 0 payouts.\n"
    assert capsys.readouterr().out == told


def test_the_command_names_the_rule_and_the_rows_and_ends_with_1(paid, kettle, capsys):
    Product.objects.update(held=1)

    with pytest.raises(SystemExit) as ended:
        call_command("prove")

    assert ended.value.code == 1
    assert capsys.readouterr().out == (
        "A product's reserved stock is the sum of its unpaid orders: "
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


def test_rules_are_compiled_once_and_use_the_current_time(paid, monkeypatch):
    order = an_order(paid.buyer, (ProductFactory(), 1))
    written = []
    as_sql = SQLCompiler.as_sql

    def counted(compiler, *args, **kwargs):
        written.append(compiler.query)
        return as_sql(compiler, *args, **kwargs)

    prove()
    monkeypatch.setattr(SQLCompiler, "as_sql", counted)
    late = order.expires_at + timedelta(minutes=10)
    found = [prove(now).broken for now in (late - timedelta(seconds=1), late)]

    expired = [" ".join(broken.rule for broken in each if broken.rows == "order") for each in found]
    assert expired == ["", "An unpaid order expires within ten minutes of its time"]
    # The orders, receipts, refunds and payouts are counted.
    assert len(written) < len(RULES)


def test_tests_check_the_same_rules(kettle):
    Product.objects.update(held=1)

    with pytest.raises(AssertionError, match="A product's reserved stock is the sum of its unpaid"):
        check_books()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_key_range_is_gone_through_by_its_keys_and_by_the_indexes_of_other_tables():
    """Otherwise another table would be scanned again for each range."""

    def planned():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('enable_hashjoin') || current_setting('jit')")
            return cursor.fetchone()[0]

    with one_moment():
        assert planned() == "offoff"
    assert planned() == "onoff"


@pytest.mark.django_db(transaction=True)
def test_the_check_reads_one_snapshot_and_blocks_no_writers(kettle):
    with one_moment():
        before = Product.objects.count()
        [written] = at_once(lambda: ProductFactory(seller=kettle.seller).pk)
        after = Product.objects.count()

    assert isinstance(written, int)
    assert (before, after, Product.objects.count()) == (1, 1, 2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_prove_writes_nothing_to_the_database(kettle):
    with pytest.raises(OperationalError, match="read-only"), one_moment():
        Product.objects.update(held=1)
