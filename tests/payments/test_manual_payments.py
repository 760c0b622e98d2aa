"""Manual payments through the pay bill: validated before, confirmed after, recorded once."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from orders.lifecycle import cancel_order, expire_order
from orders.models import Order
from payments import clock
from payments.checkout.stk_push import retry_payment
from payments.ledger import balance
from payments.models import Account, GatewayEvent, OrderPayment, Receipt, Refund
from payments.reconciliation.statement_pull import pull_statement
from payments.reconciliation.status_query import query_now
from payments.refunds.routes import why_no_route
from tests.factories import UserFactory
from tests.shopping import an_order, cash_out, stock_of

from .bodies import by_hand, failure, post, post_c2b, success
from .conftest import ringing, settled
from .fakes import PAID

ACCEPTED = {"ResultCode": "0", "ResultDesc": "Accepted"}


def event():
    return GatewayEvent.objects.order_by("-pk").first()


def status(order):
    order.refresh_from_db()
    return order.payment_status


def receipts():
    return sorted(Receipt.objects.values_list("number", "amount", "order"))


def owed_back():
    return list(Refund.objects.order_by("pk").values_list("receipt__number", "amount", "way"))


def asked(client, told, **where):
    return post_c2b(client, told, what="validation", **where)


def test_validation_accepts_the_amount_an_order_waits_for(client, payment, order):
    answer = asked(client, by_hand(order.reference, 3000))

    assert (answer.status_code, answer.json()) == (200, ACCEPTED)


def test_asking_keeps_nothing_and_changes_nothing(client, payment, order, kettle):
    asked(client, by_hand(order.reference, 3000))

    assert (GatewayEvent.objects.count(), Receipt.objects.count()) == (0, 0)
    assert (status(order), stock_of(kettle)) == ("requested", (5, 2))


@pytest.mark.parametrize("token", ["laptop-onl", "laptop-only2", "LAPTOP-ONLY", "é"])
@pytest.mark.parametrize("ours", ["laptop-only", ""])
def test_at_another_address_there_is_nothing_to_ask(client, order, settings, token, ours):
    settings.DARAJA_C2B_TOKEN = ours

    answer = asked(client, by_hand(order.reference, 3000), token=token)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"BillRefNumber": "NOSUCH22"}, "C2B00012"),
        ({"BillRefNumber": ""}, "C2B00012"),
        ({"TransAmount": "2999.00"}, "C2B00013"),
        ({"TransAmount": "3001.00"}, "C2B00013"),
        ({"BusinessShortCode": "600000"}, "C2B00015"),
        ({"BusinessShortCode": "x"}, "C2B00016"),
        ({"TransAmount": "3000.50"}, "C2B00016"),
        ({"TransAmount": None}, "C2B00016"),
        ({"TransID": ""}, "C2B00016"),
    ],
)
def test_validation_refuses_what_cannot_pay_an_order_with_darajas_code(
    client, order, changed, code
):
    answer = asked(client, by_hand(order.reference, 3000, **changed))

    assert (answer.status_code, answer.json()) == (
        200,
        {"ResultCode": code, "ResultDesc": "Rejected"},
    )


@pytest.mark.parametrize(
    "typed",
    [
        "\u2068ACDE3467\u2069",
        "ACDE\u200b3467",
        "ＡＣＤＥ３４６７",
        "acde\u00a03467",
        "ACDE\u20113467",
        "AC\u00adDE٣٤٦٧",
    ],
)
@pytest.mark.parametrize("reference", ["ACDE3467"])
def test_a_reference_is_read_as_it_was_pasted(client, payment, order, typed):
    assert asked(client, by_hand(typed, 3000)).json() == ACCEPTED
    post_c2b(client, by_hand(typed, 3000))
    assert status(order) == "paid"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"text"'])
def test_unreadable_input_is_refused(client, db, body):
    assert asked(client, body).json()["ResultCode"] == "C2B00016"


@pytest.mark.parametrize("end", ["paid", "cancelled", "expired"])
def test_an_order_that_waits_for_nothing_takes_no_payment(client, payment, order, end):
    if end == "paid":
        post(client, payment, success(payment))
    elif end == "cancelled":
        cancel_order(order.pk, cancelled_by="staff")
    else:
        expire_order(order.pk, now=order.expires_at)

    assert asked(client, by_hand(order.reference, 3000)).json()["ResultCode"] == "C2B00012"


@pytest.mark.parametrize(("amount", "code"), [(2000, "0"), (3000, "C2B00013"), (1000, "C2B00013")])
def test_once_a_part_came_only_the_rest_may_be_paid(client, order, amount, code):
    post_c2b(client, by_hand(order.reference, 1000))

    assert asked(client, by_hand(order.reference, amount)).json()["ResultCode"] == code


def test_a_payment_by_hand_pays_its_order(client, order, kettle):
    answer = post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    receipt, paid = Receipt.objects.get(), OrderPayment.objects.latest("pk")
    assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert (status(order), stock_of(kettle)) == ("paid", (3, 0))
    assert (receipt.number, receipt.amount, receipt.order_id, receipt.payment_id) == (
        "SGL7654321",
        3000,
        order.pk,
        paid.pk,
    )
    assert (receipt.source, receipt.phone, receipt.payer, receipt.reference) == (
        "c2b",
        "2547*****678",
        "WANJIKU",
        order.reference,
    )
    assert (paid.channel, paid.status, paid.live, paid.phone) == (
        "pay_bill",
        "confirmed",
        False,
        "",
    )
    assert (event().state, event().note) == ("applied", "The payment is credited.")
    assert (event().receipt_id, event().payment_id) == (receipt.pk, paid.pk)


@pytest.mark.parametrize(
    "typed",
    [
        "AQ7L6R3C",
        "aq7l6r3c",
        " AQ7L 6R3C ",
        "AQ7L-6R3C.",
        "order AQ7L6R3C please",
        "Ref:AQ7L6R3C",
        "A07L6R3C",
        "AO7L6R3C",
        "AQ716R3C",
        "AQ7I6R3C",
        "AQ2L6R3C",
        "AQZL6R3C",
        "AQ7L5R3C",
        "AQ7LSR3C",
        "AQ7L683C",
        "AQ7L6RBC",
        "a02 15-b8c",
    ],
)
@pytest.mark.parametrize("reference", ["AQ7L6R3C"])
def test_a_reference_is_understood_as_people_type_it(client, order, typed):
    post_c2b(client, by_hand(typed, 3000))

    assert status(order) == "paid"


@pytest.mark.parametrize("typed", ["", "x", "AQ7L6R3", "AQ7L6R3D", "QA7L6R3C", "wanjiku", "é" * 9])
@pytest.mark.parametrize("reference", ["AQ7L6R3C"])
def test_money_for_no_order_waits_in_suspense_for_a_person(client, order, typed):
    post_c2b(client, by_hand(typed, 3000))

    receipt = Receipt.objects.get()
    assert (receipt.order, receipt.payment, status(order)) == (None, None, "requested")
    assert receipt.note
    assert balance(Account.SUSPENSE) == 3000


@pytest.mark.parametrize("reference", ["AQ7L6R3C"])
def test_a_look_alike_of_two_orders_is_a_persons_to_decide(client, buyer, order, kettle):
    other = an_order(UserFactory(), (kettle, 1), reference="AD7L6R3C")

    post_c2b(client, by_hand("A07L6R3C", 3000))

    assert (Receipt.objects.get().order, status(order), status(other)) == (
        None,
        "requested",
        "requested",
    )


@pytest.mark.parametrize("reference", ["AQ7L6R3C"])
def test_two_references_in_one_text_are_a_persons_to_decide(client, order, kettle):
    an_order(UserFactory(), (kettle, 1), reference="AD7L6R3C")

    post_c2b(client, by_hand("AQ7L6R3C AD7L6R3C", 3000))

    assert Receipt.objects.get().order is None


@pytest.mark.parametrize("reference", ["AQ7L6R3C"])
def test_a_reference_typed_right_is_not_taken_for_a_look_alike(client, order, kettle):
    other = an_order(UserFactory(), (kettle, 1), reference="AD7L6R3C")

    post_c2b(client, by_hand("AQ7L6R3C", 3000))

    assert (status(order), status(other)) == ("paid", "requested")


def test_a_payment_told_of_twice_counts_once(client, order):
    told = by_hand(order.reference, 3000)

    post_c2b(client, told)
    post_c2b(client, told)

    assert (Receipt.objects.count(), OrderPayment.objects.count()) == (1, 2)
    assert event().note == "Already recorded."
    assert not Refund.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\x00"])
def test_an_unreadable_confirmation_is_kept_and_accepted(client, db, body):
    answer = post_c2b(client, body)

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, bytes(event().body), event().source) == ("unreadable", body, "c2b")
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("token", ["wrong", "laptop-only2"])
def test_a_confirmation_at_another_address_is_kept_and_changes_nothing(client, order, token):
    answer = post_c2b(client, by_hand(order.reference, 3000), token=token)

    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert (event().state, event().receipt, event().token) == ("unmatched", None, token)
    assert (Receipt.objects.count(), status(order)) == (0, "requested")


def test_a_confirmation_from_elsewhere_changes_nothing_where_addresses_are_known(
    client, order, settings
):
    settings.DARAJA_CALLBACK_IPS = ["196.201.214.200"]

    post_c2b(client, by_hand(order.reference, 3000))

    assert (event().state, Receipt.objects.count(), status(order)) == ("unmatched", 0, "requested")


@pytest.mark.parametrize("listed", [" 127.0.0.1", "127.0.0.0/30", "::ffff:127.0.0.1"])
def test_a_confirmation_from_an_address_or_a_network_listed_counts(client, order, settings, listed):
    settings.DARAJA_CALLBACK_IPS = ["196.201.214.200", listed]

    post_c2b(client, by_hand(order.reference, 3000))

    assert (event().state, Receipt.objects.count(), status(order)) == ("applied", 1, "paid")


def test_without_a_token_of_ours_no_confirmation_is_believed(client, order, settings):
    settings.DARAJA_C2B_TOKEN = ""

    post_c2b(client, by_hand(order.reference, 3000), token="laptop-only")

    assert (event().state, Receipt.objects.count()) == ("unmatched", 0)


def test_m_pesas_confirmation_of_a_prompt_counts_nothing_twice(client, payment, order):
    post(client, payment, success(payment, receipt="SGL7654321"))

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    receipt = Receipt.objects.get()
    assert (receipt.payment_id, receipt.source, receipt.payer) == (
        payment.pk,
        "callback",
        "WANJIKU",
    )
    assert (order.payments.count(), Refund.objects.count()) == (1, 0)


def test_a_prompt_takes_over_its_money_that_was_thought_paid_by_hand(client, payment, order):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    post(client, payment, success(payment, receipt="SGL7654321"))

    receipt = Receipt.objects.get()
    assert (receipt.payment_id, receipt.source) == (payment.pk, "callback")
    assert list(order.payments.values_list("channel", "status")) == [("stk", "confirmed")]
    assert set(GatewayEvent.objects.values_list("payment", flat=True)) == {payment.pk}
    assert (status(order), Refund.objects.count()) == ("paid", 0)


def test_a_prompt_finds_its_money_in_suspense(client, payment, order):
    post_c2b(client, by_hand("no idea", 3000, receipt="SGL7654321"))

    post(client, payment, success(payment, receipt="SGL7654321"))

    assert receipts() == [("SGL7654321", 3000, order.pk)]
    assert (status(order), balance(Account.SUSPENSE)) == ("paid", 0)


def test_a_query_takes_money_by_hand_that_came_after_it_rang_for_its_own(
    client, payment, order, daraja
):
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))
    daraja.answer = PAID

    query_now(payment.pk)

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.payment_id, receipt.source) == ("SGL7654321", payment.pk, "c2b")
    assert order.payments.count() == 1


def test_a_query_does_not_take_money_by_hand_that_came_before_it_rang(
    client, payment, order, daraja
):
    post(client, payment, failure(payment))
    post_c2b(client, by_hand(order.reference, 1500, receipt="SGL7654321"))
    retry_payment(order)
    again = ringing(order.payments.latest("pk"), "ws_CO_2")
    OrderPayment.objects.filter(pk=again.pk).update(rung_at=timezone.now())
    daraja.answer = PAID

    query_now(again.pk)

    assert receipts() == [("", 1500, order.pk), ("SGL7654321", 1500, order.pk)]
    assert (status(order), Refund.objects.count()) == ("paid", 0)


@pytest.mark.parametrize("amount", [2999, 3001])
def test_a_query_does_not_take_money_of_another_amount(client, payment, order, daraja, amount):
    post_c2b(client, by_hand(order.reference, amount, receipt="SGL7654321"))
    daraja.answer = PAID

    query_now(payment.pk)

    assert receipts() == [("", 3000, order.pk), ("SGL7654321", amount, order.pk)]


def test_money_that_only_a_query_proved_gets_its_number_from_the_confirmation(
    client, payment, order, daraja
):
    daraja.answer = PAID
    query_now(payment.pk)

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.payment_id, receipt.source) == ("SGL7654321", payment.pk, "c2b")
    assert event().note == "Already recorded; its receipt number is known now."


def test_a_number_that_was_anothers_after_all_goes_back_to_the_hand(client, payment, order, daraja):
    daraja.answer = PAID
    query_now(payment.pk)
    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))

    post(client, payment, success(payment, receipt="SGL7654321"))

    assert receipts() == [("SGL0000002", 3000, order.pk), ("SGL7654321", 3000, order.pk)]
    assert payment.receipt.number == "SGL7654321"
    assert [amount for _, amount, _ in owed_back()] == [3000]


def test_money_by_hand_beside_the_prompts_goes_back_whole(client, payment, order):
    post(client, payment, success(payment, receipt="SGL7654321"))

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL0000002"))

    assert status(order) == "paid"
    assert owed_back() == [("SGL0000002", 3000, "reversal")]


def answer_of(api, order):
    return api.get(f"/cashout/{order.order_token}/").json()


def test_a_part_is_credited_and_the_order_waits_for_the_rest(client, payment, order, kettle):
    post_c2b(client, by_hand(order.reference, 1000))

    assert (status(order), stock_of(kettle), Refund.objects.count()) == ("requested", (5, 2), 0)
    assert Receipt.objects.get().waiting


def test_the_rest_pays_the_order_and_nothing_waits_any_more(client, payment, order, kettle):
    post_c2b(client, by_hand(order.reference, 1000))

    post_c2b(client, by_hand(order.reference, 2000))

    assert (status(order), stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)
    assert not Receipt.objects.filter(waiting=True).exists()


def test_ringing_again_asks_for_the_rest(
    client, buyer_api, payment, order, daraja, django_capture_on_commit_callbacks
):
    post(client, payment, failure(payment))
    post_c2b(client, by_hand(order.reference, 1000))

    with django_capture_on_commit_callbacks(execute=True):
        buyer_api.post(f"/cashout/{order.order_token}/pay/")

    rung = order.payments.latest("pk")
    assert (rung.channel, rung.amount, daraja.pushes[-1]["amount"]) == ("stk", 2000, 2000)
    post(client, rung, success(rung))
    assert (status(order), Refund.objects.count()) == ("paid", 0)


def test_a_part_of_an_order_that_expires_goes_back(client, payment, order, kettle):
    post_c2b(client, by_hand(order.reference, 1000, receipt="SGL7654321"))
    expire_order(order.pk, now=order.expires_at)

    done = [clock.refund_uncovered_money(timezone.now()) for _ in range(2)]

    assert (done, status(order), stock_of(kettle)) == ([1, 0], "refund_due", (5, 0))
    assert owed_back() == [("SGL7654321", 1000, "reversal")]
    assert Refund.objects.get().cause == "short"


def test_a_part_that_comes_after_expiry_goes_back_at_once(client, payment, order):
    expire_order(order.pk, now=order.expires_at)

    post_c2b(client, by_hand(order.reference, 1000, receipt="SGL7654321"))

    assert (status(order), owed_back()) == ("refund_due", [("SGL7654321", 1000, "reversal")])


def test_an_excess_is_refunded_to_the_phone_that_paid(client, payment, order):
    post_c2b(client, by_hand(order.reference, 3200, receipt="SGL7654321"))

    assert (status(order), owed_back()) == ("paid", [("SGL7654321", 200, "b2c")])
    assert Refund.objects.get().phone == order.mpesa_number


@pytest.mark.parametrize(
    "shown", ["2547*****999", "0712***678", "*********678", "2547******78", ""]
)
def test_too_much_from_a_phone_nobody_knows_is_a_persons_to_send(client, payment, order, shown):
    post_c2b(client, by_hand(order.reference, 3200, MSISDN=shown))

    refund = Refund.objects.get()
    assert (refund.way, refund.status, refund.note) == (
        "portal",
        "refused",
        "The payer's number is not known.",
    )


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (MIN_B2C - 1, "M-Pesa pays out KES 10 or more, and reverses only whole payments."),
        (MIN_B2C, "The payer's number is not known."),
        (MAX_B2C, "The payer's number is not known."),
        (MAX_B2C + 1, "M-Pesa pays out at most KES 250,000 at once. Refund it on the portal."),
    ],
)
def test_staff_read_why_a_refund_is_theirs_to_send(amount, why):
    assert why_no_route(amount) == why


def test_money_after_expiry_takes_goods_that_are_still_there(client, payment, order, kettle):
    expire_order(order.pk, now=order.expires_at)

    post_c2b(client, by_hand(order.reference, 3000))

    assert (status(order), stock_of(kettle), Refund.objects.count()) == ("paid", (3, 0), 0)


def test_money_after_the_goods_were_gone_goes_back(client, payment, order, kettle):
    expire_order(order.pk, now=order.expires_at)
    an_order(UserFactory(), (kettle, 4))

    post_c2b(client, by_hand(order.reference, 3000, receipt="SGL7654321"))

    assert (status(order), stock_of(kettle)) == ("refund_due", (5, 4))
    assert owed_back() == [("SGL7654321", 3000, "reversal")]
    assert Refund.objects.get().cause == "goods_gone"


def test_at_each_stage_the_buyer_is_told_what_to_pay_and_where(client, buyer_api, payment, order):
    def told():
        answer = answer_of(buyer_api, order)
        return answer["amount_due"], answer["by_hand"], answer["prompt"]["message"]

    def way(amount):
        return {
            "provider": "M-Pesa",
            "pay_bill": "174379",
            "account": order.reference,
            "amount": amount,
        }

    rings = told()
    post(client, payment, failure(payment))
    failed = told()
    post_c2b(client, by_hand(order.reference, 1000))
    partly = told()
    post_c2b(client, by_hand(order.reference, 2000))
    paid = told()

    hand = f"Or pay by hand: M-Pesa pay bill 174379, account {order.reference}, KES"
    assert rings == (3000, [way(3000)], "Look at your phone and enter your M-Pesa PIN.")
    assert failed == (
        3000,
        [way(3000)],
        f"You cancelled on your phone. Try again when you are ready. {hand} 3,000.",
    )
    assert partly == (
        2000,
        [way(2000)],
        "We received KES 1,000 of KES 3,000. Pay the remaining KES 2,000 before the time runs out. "
        f"{hand} 2,000.",
    )
    assert paid == (0, [], "Paid. Thank you!")


@pytest.mark.parametrize(
    ("name", "value"),
    [("DARAJA_C2B_TOKEN", ""), ("DARAJA_TRANSACTION_TYPE", "CustomerBuyGoodsOnline")],
)
def test_where_payments_by_hand_find_no_order_the_way_is_not_told(
    buyer_api, order, settings, name, value
):
    setattr(settings, name, value)

    assert answer_of(buyer_api, order)["by_hand"] == []


@pytest.fixture
def unpaid(buyer_api, kettle, simulator):
    """An order whose prompt was cancelled; M-Pesa knows where to ask and tell."""
    call_command("register_c2b_urls", statement_number="254700000000", stdout=StringIO())
    cash_out(buyer_api, (kettle, 2), phone="0712341032")
    settled(simulator)
    return Order.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_payment_by_hand_is_asked_about_made_and_told_of(unpaid, simulator, kettle):
    paid = simulator.pay_by_hand("0712341032", 3000, account=unpaid.reference.lower())
    settled(simulator, events=2)

    channels = [call["channel"] for call in simulator.callbacks]
    assert (str(paid["result_code"]), channels) == (
        "0",
        ["stk", "c2b_validation", "c2b_confirmation"],
    )
    assert (status(unpaid), stock_of(kettle)) == ("paid", (3, 0))
    assert Receipt.objects.get().number == paid["receipt"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("amount", "account"), [(2999, None), (3000, "NOSUCH22")])
def test_a_payment_that_fits_no_order_moves_nothing(unpaid, simulator, amount, account):
    simulator.pay_by_hand("0712341032", amount, account=account or unpaid.reference)
    simulator.wait_until_quiet()

    assert (simulator.books()["received"], Receipt.objects.count()) == (0, 0)
    assert status(unpaid) == "requested"


@pytest.mark.django_db(transaction=True)
def test_a_prompt_is_told_of_by_both_doors_and_counted_once(buyer_api, kettle, simulator, unpaid):
    simulator.script(operation="c2b", confirmation_first=True)
    buyer_api.post(f"/cashout/{unpaid.order_token}/pay/", {"mpesa_number": "0733000111"})
    settled(simulator, events=3)

    assert receipts() == [(simulator.books()["entries"][0]["receipt"], 3000, unpaid.pk)]
    assert list(unpaid.payments.order_by("pk").values_list("channel", "status")) == [
        ("stk", "failed"),
        ("stk", "confirmed"),
    ]
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_payment_nobody_was_told_of_is_found_on_the_statement_once(unpaid, simulator, kettle):
    simulator.forget_urls()
    paid = simulator.pay_by_hand("0712341032", 3000, account=unpaid.reference)
    simulator.wait_until_quiet()
    before = status(unpaid)

    read = [pull_statement(timezone.now() + timedelta(hours=7 * n)) for n in range(2)]

    assert (before, status(unpaid), stock_of(kettle)) == ("requested", "paid", (3, 0))
    assert (read, receipts()) == ([1, 1], [(paid["receipt"], 3000, unpaid.pk)])
    assert Receipt.objects.get().source == "statement"


@pytest.mark.django_db(transaction=True)
def test_a_forged_confirmation_of_real_money_leaves_it_to_the_statement(client, unpaid, simulator):
    simulator.forget_urls()
    paid = simulator.pay_by_hand("0712341032", 3000, account=unpaid.reference)
    post_c2b(client, by_hand(unpaid.reference, 3000, receipt=paid["receipt"]), token="wrong")
    forged = (event().state, Receipt.objects.count())

    pull_statement(timezone.now())

    assert forged == ("unmatched", 0)
    assert receipts() == [(paid["receipt"], 3000, unpaid.pk)]
