"""One payment reported twice: by a query without a receipt, and by M-Pesa without a reference."""

import hashlib
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.backoffice import audit
from orders.lifecycle import expire_order
from payments import clock, payment_matching
from payments.backoffice import receipt_services as money_in
from payments.backoffice.order_suggestions import suggest_orders
from payments.backoffice.refusals import ActionNotAvailable
from payments.daraja.statement import StatementPage, StatementRow
from payments.disbursement import process_refund
from payments.ledger import balance
from payments.models import Account, LedgerPosting, OrderPayment, Receipt, Refund, StatementPull
from payments.payment_matching import criteria_of, filter_duplicates, matching_receipts
from payments.proof.prove import prove
from payments.reconciliation.statement_pull import pull_statement
from payments.reconciliation.status_query import query_now
from payments.refunds.external_reversals import record_outside_reversal
from tests.factories import UserFactory
from tests.shopping import PHONE, an_order

from .bodies import by_hand, post, post_c2b, success
from .conftest import ringing
from .fakes import PAID

NAIROBI = timezone.get_fixed_timezone(180)
HASHED = hashlib.sha256(PHONE.encode()).hexdigest()
MASKED = f"2547 ***** {PHONE[-3:]}"
UNCLEAR = f"*******{PHONE[-2:]}"
COUNTED_TWICE = "A payment without an order is not that of a prompt without a number: staff decide"


@pytest.fixture
def proven(payment, daraja):
    """The prompt's callback is lost; a query proves it, without a receipt number."""
    daraja.answer = PAID
    query_now(payment.pk)
    daraja.answer = None
    payment.refresh_from_db()
    return payment


def at(when):
    return when.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")


def at_a_till(client, amount=3000, *, receipt="SGL7654321", phone=MASKED, when=None):
    """A payment at the till: nobody types a reference."""
    told = by_hand("", amount, receipt=receipt, MSISDN=phone, TransTime=at(when or timezone.now()))
    post_c2b(client, {**told, "TransactionType": "Buy Goods"})


def counted():
    return sorted(Receipt.objects.exclude(amount=0).values_list("number", "amount", "order"))


def undecided():
    return [found for found in prove().broken if found.rule.startswith(COUNTED_TWICE)]


def _find_apart(receipts):
    """A person finds that they are payments of their own."""
    receipts.update(is_separate_payment=True)
    for receipt in receipts:
        audit.log(
            UserFactory(is_superuser=True),
            "It is a separate payment",
            receipt,
            action="console.receipt.apart",
        )


@pytest.fixture
def pair(client, proven):
    """Both receipts, from a phone that is masked too much to be sure. Decided at the end."""
    at_a_till(client, phone=UNCLEAR)
    receipts = Receipt.objects.get(number=""), Receipt.objects.get(number="SGL7654321")
    assert undecided()
    yield receipts
    _find_apart(Receipt.objects.filter(number="SGL7654321"))


@pytest.mark.parametrize(
    "shown",
    [
        PHONE,
        f"0{PHONE[3:]}",
        MASKED,
        f"2547*****{PHONE[-3:]}",
        f"2547xxxxx{PHONE[-3:]}",
        HASHED,
        HASHED.upper(),
        hashlib.sha256(f"0{PHONE[3:]}".encode()).hexdigest(),
        hashlib.sha256(f"+{PHONE}".encode()).hexdigest(),
    ],
)
def test_a_confirmation_without_a_reference_names_the_receipt_a_query_proved(
    client, proven, order, shown
):
    at_a_till(client, phone=shown)

    assert counted() == [("SGL7654321", 3000, order.pk)]
    assert (balance(Account.SUSPENSE), balance(Account.MPESA_CLEARING)) == (0, 3000)
    assert proven.receipt.number == "SGL7654321"


def test_the_statement_names_it_too(proven, order, daraja):
    row = StatementRow("SGL7654321", 3000, timezone.now(), PHONE[3:], "", "c2b-buy-goods-debit")
    daraja.on_pull = lambda pull: StatementPage((row,) if pull["offset"] == 0 else (), ())

    pull_statement(timezone.now())

    assert counted() == [("SGL7654321", 3000, order.pk)]


def test_staff_who_record_it_name_it_too(proven, order):
    money_in.record_seen_receipt(number="SGL7654321", amount=3000, reference="", phone=PHONE)

    assert counted() == [("SGL7654321", 3000, order.pk)]


def test_a_query_finds_its_money_where_the_confirmation_came_first(client, payment, order, daraja):
    at_a_till(client)
    daraja.answer = PAID

    query_now(payment.pk)

    assert counted() == [("SGL7654321", 3000, order.pk)]
    assert balance(Account.SUSPENSE) == 0


def test_a_callback_that_comes_after_both_makes_them_one(client, pair, proven, order):
    post(client, proven, success(proven, receipt="SGL7654321"))

    assert counted() == [("SGL7654321", 3000, order.pk)]
    assert not undecided()


@pytest.mark.parametrize(
    ("amount", "phone", "minutes"),
    [
        (2999, MASKED, 0),
        (3000, "2547 ***** 999", 0),
        (3000, "254799000999", 0),
        (3000, hashlib.sha256(b"254799000999").hexdigest(), 0),
        (3000, MASKED, 30),
        (3000, MASKED, -90),
    ],
)
def test_money_that_differs_in_amount_phone_or_time_is_another_payment(
    client, proven, amount, phone, minutes
):
    OrderPayment.objects.filter(pk=proven.pk).update(rung_at=timezone.now() - timedelta(hours=2))
    when = timezone.now() - timedelta(hours=2) + timedelta(minutes=minutes)

    at_a_till(client, amount, phone=phone, when=when)

    assert Receipt.objects.get(number="SGL7654321").order is None
    assert not undecided()
    assert money_in.refund_receipt(Receipt.objects.get(number="SGL7654321").pk)


def test_where_two_prompts_fit_staff_decide(client, proven, order, kettle):
    other = ringing(an_order(UserFactory(), (kettle, 2), phone="254799999678").payments.get(), "2")

    at_a_till(client, phone="2547*****678")

    movement = Receipt.objects.get(number="SGL7654321")
    assert (movement.order, len(undecided())) == (None, 1)
    with pytest.raises(ActionNotAvailable, match="Decide that first"):
        money_in.refund_receipt(movement.pk)
    money_in.merge_with_order(movement.pk, reference=order.reference, why="The portal shows it")
    assert other.order.payment_status == "requested"
    assert not undecided()


def test_a_pair_cannot_be_sent_back_while_nobody_has_decided(pair):
    with pytest.raises(ActionNotAvailable, match="Decide that first"):
        money_in.refund_receipt(pair[1].pk)

    assert not Refund.objects.exists()


def test_a_pair_cannot_be_given_to_another_order_either(pair, kettle):
    other = an_order(UserFactory(), (kettle, 1), phone="254799000999")

    with pytest.raises(ActionNotAvailable, match="Decide first whether it is"):
        money_in.match_receipt_to_order(pair[1].pk, reference=other.reference, why="")


@pytest.mark.parametrize("way", ["same", "give", "name"])
def test_staff_say_that_it_is_this_receipt(pair, order, way):
    unnamed, movement = pair
    if way == "same":
        money_in.merge_with_order(movement.pk, reference=order.reference, why="The portal says so")
    elif way == "give":
        money_in.match_receipt_to_order(movement.pk, reference=order.reference, why="Portal")
    else:
        money_in.set_receipt_number(unnamed.pk, number="sgl 7654321")

    movement.refresh_from_db()
    assert counted() == [("SGL7654321", 3000, order.pk)]
    assert (movement.same_as_id, movement.amount, movement.number) == (unnamed.pk, 0, "")
    assert (balance(Account.SUSPENSE), balance(Account.MPESA_CLEARING)) == (0, 3000)
    # By an opposite posting: nothing that was posted is changed.
    entries = LedgerPosting.objects.get(event=f"merge:{movement.pk}").entries
    assert sorted(entries.values_list("account", "side", "amount")) == [
        ("mpesa_clearing", "credit", 3000),
        ("suspense", "debit", 3000),
    ]
    assert not Refund.objects.exists()
    assert not undecided()


def test_staff_say_that_they_are_two_payments(pair, order):
    money_in.mark_as_separate_payment(pair[1].pk)

    assert not undecided()
    assert money_in.refund_receipt(pair[1].pk).amount == 3000


def test_a_pair_of_other_amounts_is_one_at_a_persons_word_and_what_came_counts(
    client, proven, order
):
    at_a_till(client, 3100)

    money_in.set_receipt_number(proven.receipt.pk, number="SGL7654321")

    assert counted() == [("SGL7654321", 3100, order.pk)]
    assert list(Refund.objects.values_list("amount", flat=True)) == [100]


def test_a_refund_due_before_the_query_waits_and_is_then_dropped(client, payment, order, daraja):
    OrderPayment.objects.update(status="failed", live=False)
    at_a_till(client, phone=UNCLEAR)
    movement = Receipt.objects.get()
    refund = money_in.refund_receipt(movement.pk)
    OrderPayment.objects.update(status="submitted")
    daraja.answer = PAID
    query_now(payment.pk)

    process_refund(refund.pk)

    refund.refresh_from_db()
    assert (refund.status, daraja.reversals) == ("due", [])
    assert undecided()
    money_in.merge_with_order(movement.pk, reference=order.reference, why="It is")
    refund.refresh_from_db()
    assert (refund.status, counted()) == ("dropped", [("SGL7654321", 3000, order.pk)])
    assert balance(Account.REFUNDS_PAYABLE) == 0


def test_two_reports_that_crossed_are_merged_by_the_clock(pair, order, daraja):
    Receipt.objects.filter(pk=pair[1].pk).update(phone=MASKED)

    clock.pull_and_apply_statement(timezone.now())

    assert counted() == [("SGL7654321", 3000, order.pk)]
    assert not undecided()


def test_money_at_a_bank_is_never_a_prompts(proven, order):
    at_equity = {"provider": "equity", "number": "EQ1", "source": "bank"}
    with transaction.atomic():
        Receipt.objects.create(**at_equity, amount=3000, phone=PHONE)
        assert not undecided()
        transaction.set_rollback(True)


def test_a_hashed_phone_is_kept_whole_and_its_order_suggested(client, payment, order):
    expire_order(order.pk, now=order.expires_at)
    OrderPayment.objects.update(status="failed", live=False)

    post_c2b(client, by_hand("", 3000, receipt="SGL7654321", MSISDN=HASHED))

    receipt = Receipt.objects.get()
    assert receipt.phone == HASHED
    assert [(each.order, each.why) for each in suggest_orders(receipt)] == [
        (order, "same amount and matching phone")
    ]


def test_the_phone_of_another_attempt_is_known_too(client, payment, order):
    OrderPayment.objects.update(status="failed", live=False)
    order.payments.create(phone="254799000999", amount=3000, status="failed", live=False)
    hashed = hashlib.sha256(b"254799000999").hexdigest()

    post_c2b(client, by_hand("", 3000, receipt="SGL7654321", MSISDN=hashed))

    assert [each.order for each in suggest_orders(Receipt.objects.get())] == [order]


def test_a_phone_is_replaced_by_one_that_says_more_and_never_by_less(client, payment, daraja):
    OrderPayment.objects.update(status="failed", live=False)
    seen = []
    for shown in [MASKED, HASHED, MASKED, PHONE[3:], HASHED, MASKED, "", "nobody"]:
        row = StatementRow("SGL7654321", 3000, timezone.now(), shown, "", "Pay Bill")
        daraja.on_pull = lambda pull, row=row: StatementPage(
            (row,) if pull["offset"] == 0 else (), ()
        )
        StatementPull.objects.update(next_pull_at=timezone.now())
        pull_statement(timezone.now())
        seen.append(Receipt.objects.get().phone)

    assert seen == [MASKED, HASHED, HASHED, PHONE, PHONE, PHONE, PHONE, PHONE]


def test_the_excess_paid_by_a_hashed_phone_is_refunded_to_the_orders_phone(client, payment, order):
    OrderPayment.objects.update(status="failed", live=False)

    post_c2b(client, by_hand(order.reference, 3200, MSISDN=HASHED))

    assert Refund.objects.values_list("way", "phone", "amount").get() == ("b2c", PHONE, 200)


def test_a_strangers_money_of_the_same_amount_makes_nothing_unclear(client, proven, order):
    at_a_till(client, receipt="SGL0000009", phone="2547 ***** 999")

    at_a_till(client)

    proven.receipt.refresh_from_db()
    assert proven.receipt.number == "SGL7654321"


def test_where_two_movements_fit_staff_decide(client, pair, proven):
    at_a_till(client, receipt="SGL0000002")

    proven.receipt.refresh_from_db()
    assert (proven.receipt.number, undecided()[0].ids) == (
        "",
        sorted(Receipt.objects.exclude(number="").values_list("pk", flat=True)),
    )
    _find_apart(Receipt.objects.exclude(number=""))


ANOTHERS = "2547 ***** 999"
BOTH = [("", 3000), ("SGL7654321", 3000)]


def of(order):
    return sorted(order.receipts.values_list("number", "amount"))


def test_payments_that_may_be_one_prompts_are_found_in_every_chunk_of_ids(
    client, pair, monkeypatch, django_assert_num_queries
):
    """A range may have more ids than a statement has parameters."""
    for n in range(1, 5):
        at_a_till(client, receipt=f"SGL777777{n}", phone=UNCLEAR)
    at_a_till(client, receipt="SGL7777775", phone="254700000009")
    at_a_till(client, receipt="SGL7777776", phone=UNCLEAR, when=timezone.now() - timedelta(hours=1))
    ids = list(Receipt.objects.unidentified_payments().order_by("pk").values_list("pk", flat=True))
    asked = []
    monkeypatch.setattr("payments.proof.rule.CHUNK", 2)
    monkeypatch.setattr(
        "payments.proof.money_in.filter_duplicates",
        lambda receipt_ids: asked.append(receipt_ids) or filter_duplicates(receipt_ids),
    )

    (found,) = undecided()

    assert (len(ids), found.ids) == (7, ids[:5])
    assert asked == [ids[:2], ids[2:4], ids[4:6], ids[6:]]
    with django_assert_num_queries(2):
        assert filter_duplicates(ids) == ids[:5]
    _find_apart(Receipt.objects.filter(number__startswith="SGL7777"))


def test_money_that_was_reported_at_another_time_is_not_read_for_a_prompt(
    client, pair, proven, monkeypatch
):
    """At a till that may be all that was ever paid at the counter."""
    rang, month = proven.rung_at, timedelta(days=30)
    # When it was reported, and when M-Pesa says it moved: at most so far from each other.
    times = {
        "SGL7777771": (rang - timedelta(minutes=12), rang - timedelta(minutes=2)),
        "SGL7777772": (rang + timedelta(days=3, minutes=15), rang + timedelta(minutes=15)),
        "SGL7777773": (rang - month, rang - month),
        "SGL7777774": (rang + month, rang + month),
    }
    for number, (created_at, paid_at) in times.items():
        at_a_till(client, receipt=number, phone=UNCLEAR)
        Receipt.objects.filter(number=number).update(created_at=created_at, paid_at=paid_at)
    read = []
    monkeypatch.setattr(
        payment_matching,
        "criteria_of",
        lambda receipt: read.append(receipt.number) or criteria_of(receipt),
    )

    matching = matching_receipts(proven)

    assert sorted(receipt.number for receipt in matching) == sorted(read)
    assert sorted(read) == ["SGL7654321", "SGL7777771", "SGL7777772"]
    _find_apart(Receipt.objects.filter(number__startswith="SGL7777"))


def test_a_payment_by_another_phone_is_not_the_prompts(client, proven, order, daraja):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321", MSISDN=ANOTHERS))

    assert of(order) == BOTH
    assert proven.receipt.number == ""
    assert balance(Account.MPESA_CLEARING) == 6000
    # Nothing goes back while two receipts may be one; then the one too many does.
    refund = Refund.objects.get()
    process_refund(refund.pk)
    assert daraja.reversals == []
    post(client, proven, success(proven, receipt="SGL0000001"))
    assert of(order) == [("SGL0000001", 3000), ("SGL7654321", 3000)]
    assert (refund.receipt.number, refund.amount, refund.way) == ("SGL7654321", 3000, "reversal")


def test_a_receipt_reported_before_the_query_proves_the_prompt_is_not_counted_twice(
    client, payment, order, daraja
):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321", MSISDN=ANOTHERS))
    daraja.answer = PAID

    query_now(payment.pk)

    assert of(order) == BOTH
    assert Receipt.objects.get(number="SGL7654321").payment.channel == "pay_bill"
    # The later of two is the one too many.
    assert Refund.objects.values_list("receipt__payment", "amount").get() == (payment.pk, 3000)


def test_a_receipt_matched_from_suspense_is_not_counted_twice(client, proven, order):
    at_a_till(client, phone=ANOTHERS)

    movement = Receipt.objects.get(number="SGL7654321")
    money_in.match_receipt_to_order(movement.pk, reference=order.reference, why="Her sister paid")

    assert of(order) == BOTH
    assert Refund.objects.values_list("receipt", "amount").get() == (movement.pk, 3000)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_number_that_staff_entered_tells_no_two_payments_apart(payment, order, daraja, is_first):
    daraja.answer = PAID
    if not is_first:
        query_now(payment.pk)
    money_in.record_seen_receipt(
        number="SGL7654321",
        amount=3000,
        reference=order.reference,
        phone="254799000999",
        by=UserFactory(is_superuser=True),
    )
    if is_first:
        query_now(payment.pk)

    assert of(order) == [("SGL7654321", 3000)]
    assert not Refund.objects.exists()


def test_reversing_one_of_two_equal_payments_leaves_the_prompts_with_its_order(
    client, proven, order
):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321", MSISDN=ANOTHERS))

    note = record_outside_reversal(Receipt.objects.get(number="SGL7654321").pk, number="SGR0000001")

    order.refresh_from_db()
    assert note == "M-Pesa reversed it under SGR0000001 at its customer's request: KES 0 lost."
    assert (order.payment_status, balance(Account.WRITE_OFFS)) == ("paid", 0)
    assert balance(Account.MPESA_CLEARING) == 3000
