"""Who is notified of what, in which language, and over which channels."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from accounts.contacts import record_paid_to
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models import Order
from orders.models.notifications import Message, Notice, NotificationKind
from orders.notifications.composing import compose
from orders.notifications.notify import notify, notify_all
from payments.checkout.stk_push import _record_refusal, retry_payment, send_stk_push
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.models import OrderPayment
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import ProductFactory, UserFactory, proven
from tests.shopping import an_order

from .conftest import codes, fail, pay, wish

pytestmark = pytest.mark.django_db


def written(kind=None):
    """Compose what waits, and return the messages."""
    for notice_id in Notice.objects.to_compose().order_by("pk").values_list("pk", flat=True):
        compose(notice_id)
    messages = Message.objects.order_by("pk")
    return list(messages.filter(kind=kind) if kind else messages)


def test_a_paid_order_is_told_to_its_buyer_with_the_codes_and_to_its_seller(
    order, buyer, seller, carrier
):
    pay(order)

    [code] = codes(order)
    told = [(m.user, m.kind, m.channel, m.contact) for m in written()]
    assert told == [
        (buyer, "paid", "email", "wanjiku@example.com"),
        (buyer, "paid", "sms", "254712345678"),
        (seller, "sold", "email", "amina@example.com"),
        (seller, "sold", "sms", "254722000000"),
    ]
    [_, to_buyer, _, to_seller] = written()
    assert to_buyer.text == (
        f"O-Mache: we received KES 3,000 for order {order.reference}. Give this code only when "
        f"you have the goods: 2 x Kettle {code}. Thank you!"
    )
    assert to_seller.text == (
        f"O-Mache: you made a sale of KES 3,000, order {order.reference}: 2 x Kettle. Please have "
        "the goods ready for collection."
    )
    assert code not in to_seller.text


def test_the_mail_greets_by_name_and_lists_every_line(order, buyer, kettle, pan):
    both = pay(an_order(buyer, (kettle, 1), (pan, 1)))

    letter = next(m for m in written(NotificationKind.PAID) if m.channel == "email")

    first, second = codes(both)
    assert letter.subject == f"Order {both.reference} is paid"
    assert letter.text.startswith("Hello Wanjiku,\n\nThank you! We received KES 2,200")
    assert f"  Kettle {first}\n  Pan {second}\n" in letter.text


def test_one_purchase_is_one_message_and_each_seller_hears_of_their_own_lines(
    buyer, kettle, pan, carrier
):
    other = proven(UserFactory(username="otieno"), "254722000000")
    lamp = ProductFactory(seller=other, name="Lamp", price=100)

    pay(an_order(buyer, (kettle, 1), (pan, 2), (lamp, 1)))

    sold = [(m.user.username, m.text) for m in written(NotificationKind.SOLD) if m.channel == "sms"]
    assert len([m for m in written(NotificationKind.PAID) if m.channel == "sms"]) == 1
    assert [name for name, _ in sold] == ["amina", "otieno"]
    assert "a sale of KES 2,900" in sold[0][1]
    assert "Kettle, 2 x Pan" in sold[0][1]
    assert "Lamp" not in sold[0][1]
    assert "a sale of KES 100," in sold[1][1]


def test_messages_are_in_swahili_for_users_who_read_it(order, buyer, carrier):
    wish(buyer, language="sw")
    pay(order)

    sms = next(m for m in written(NotificationKind.PAID) if m.channel == "sms")

    assert (sms.language, sms.text) == (
        "sw",
        f"O-Mache: Tumepokea KES 3,000 kwa oda {order.reference}. Ukishapata bidhaa mkononi, mpe "
        f"aliyekuletea nambari hii ya siri: 2 x Kettle {codes(order)[0]}. Asante!",
    )


@pytest.mark.parametrize(
    ("wishes", "left"),
    [
        ({"buying_sms": False}, ["email"]),
        ({"buying_email": False}, ["sms"]),
        ({"buying_sms": False, "buying_email": False}, []),
        ({"prompts_sms": False, "selling_sms": False}, ["email", "sms"]),
    ],
)
def test_nobody_is_told_what_they_do_not_want(order, buyer, carrier, wishes, left):
    wish(buyer, **wishes)

    pay(order)

    assert [m.channel for m in written(NotificationKind.PAID)] == left


def test_users_without_an_address_get_no_mail(order, buyer, carrier):
    buyer.email = ""
    buyer.save()

    pay(order)

    assert [m.channel for m in written(NotificationKind.PAID)] == ["sms"]


def test_a_shop_without_sms_writes_none(order, settings):
    settings.SMS = "off"

    pay(order)

    assert {m.channel for m in written()} == {"email"}


@pytest.mark.parametrize(
    ("language", "why"),
    [
        ("en", "is not paid yet. The M-Pesa PIN was wrong. Try again with the right one."),
        ("sw", "bado haijalipwa. PIN ya M-Pesa haikuwa sahihi. Jaribu tena kwa PIN sahihi."),
    ],
)
def test_a_prompt_that_failed_is_told_with_what_to_do_next(order, buyer, carrier, language, why):
    wish(buyer, language=language)

    fail(order)

    sms = next(m for m in written() if m.channel == "sms")
    assert (sms.kind, sms.contact) == ("prompt_failed", "254712345678")
    assert why in sms.text
    assert f"174379, {'account' if language == 'en' else 'akaunti'} {order.reference}" in sms.text


def test_an_attempt_that_fails_twice_is_told_once(order):
    fail(order)
    OrderPayment.objects.update(status="submitted")
    fail(order)

    assert Notice.objects.filter(kind=NotificationKind.PROMPT_FAILED).count() == 1


def test_a_failure_is_not_told_while_another_prompt_rings(order, buyer):
    OrderPayment.objects.update(live=False, status="submitted", rung_at=timezone.now())
    retry_payment(order)

    first = OrderPayment.objects.order_by("pk").first()

    record_outcome(first.pk, AttemptOutcome(False, "1037", "", "callback"))

    assert OrderPayment.objects.filter(live=True).count() == 1
    assert not Notice.objects.exists()


def test_a_failure_is_not_told_of_an_order_that_was_given_up(order):
    cancel_order(order.pk, cancelled_by="staff")

    fail(order)

    assert not Notice.objects.exists()


def test_a_failure_is_not_told_once_the_order_is_paid(order, carrier):
    fail(order)
    pay(order)

    assert written(NotificationKind.PROMPT_FAILED) == []


def test_lines_of_one_order_that_leave_together_are_one_message(buyer, kettle, pan, carrier):
    order = pay(an_order(buyer, (kettle, 1), (pan, 1)))
    notify_all(
        Notice(
            kind=NotificationKind.SHIPPED,
            key=f"shipped:track:{track.pk}",
            order_id=order.pk,
            track_id=track.pk,
        )
        for track in order.tracks.order_by("pk")
    )

    [sms] = [m for m in written(NotificationKind.SHIPPED) if m.channel == "sms"]

    first, second = codes(order)
    assert f"Kettle {first}, Pan {second}" in sms.text


def test_delivered_names_the_goods_and_no_code(order, carrier):
    pay(order)
    [track] = order.tracks.all()
    notify(
        NotificationKind.DELIVERED, key="delivered:track:1", order_id=order.pk, track_id=track.pk
    )

    [sms] = [m for m in written(NotificationKind.DELIVERED) if m.channel == "sms"]

    assert "2 x Kettle. If you did not get it, tell us today." in sms.text
    assert track.collection_code not in sms.text


def test_a_seller_who_was_paid_is_told_at_the_number_that_got_it(seller, carrier):
    record_paid_to(seller.pk, "254733000111", timezone.now())
    notify(
        NotificationKind.PAID_OUT,
        key="paid_out:payout:7",
        user_id=seller.pk,
        phone="254733000111",
        amount=2850,
        receipt="TKR1234567",
    )

    [letter, sms] = written(NotificationKind.PAID_OUT)

    assert letter.subject == "We sent KES 2,850 to your M-Pesa"
    assert (sms.contact, sms.text) == (
        "254733000111",
        "O-Mache: we sent KES 2,850 for your sales to your M-Pesa. M-Pesa receipt TKR1234567.",
    )


def test_a_key_is_told_once(order):
    notify(NotificationKind.PAID, key="paid:order:1", order_id=order.pk)
    notify(NotificationKind.PAID, key="paid:order:1", order_id=order.pk)

    assert Notice.objects.count() == 1


def test_composing_twice_writes_nothing_twice(order):
    pay(order)
    before = len(written())
    notice = Notice.objects.order_by("pk").first()

    assert (compose(notice.pk), Message.objects.count()) == (0, before)


def test_telling_is_one_insert_however_much_is_told(order, django_assert_num_queries):
    notices = [
        Notice(kind=NotificationKind.PAID, key=f"x:{n}", order_id=order.pk) for n in range(9)
    ]

    with django_assert_num_queries(1):
        notify_all(notices)


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_sends_no_message(order, carrier):
    with transaction.atomic():
        notify(NotificationKind.PAID, key="paid:order:1", order_id=order.pk)
        transaction.set_rollback(True)

    assert (Notice.objects.count(), carrier.sent, mail.outbox) == (0, [], [])


@pytest.mark.django_db(transaction=True)
def test_after_the_commit_everybody_is_told_at_once(order, carrier):
    pay(order)

    assert [phone for phone, _ in carrier.sent] == ["254712345678", "254722000000"]
    assert [letter.to for letter in mail.outbox] == [
        ["wanjiku@example.com"],
        ["amina@example.com"],
    ]
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_a_failure_is_not_told_once_the_buyer_paid_for_the_same_goods(buyer, kettle, carrier):
    first = an_order(buyer, (kettle, 1))
    second = an_order(proven(buyer, "254733000111"), (kettle, 1), phone="254733000111")
    pay(first)

    fail(second)

    assert written(NotificationKind.PROMPT_FAILED) == []


def test_a_failure_is_told_though_the_buyer_paid_for_other_goods(buyer, kettle, pan, carrier):
    first = an_order(buyer, (pan, 1))
    second = an_order(proven(buyer, "254733000111"), (kettle, 1), phone="254733000111")
    pay(first)

    fail(second)

    assert len(written(NotificationKind.PROMPT_FAILED)) == 2


def test_a_failure_is_told_though_the_same_goods_were_paid_for_before(buyer, kettle, carrier):
    pay(an_order(buyer, (kettle, 1)))
    second = an_order(proven(buyer, "254733000111"), (kettle, 1), phone="254733000111")

    fail(second)

    assert len(written(NotificationKind.PROMPT_FAILED)) == 2


def test_a_failure_is_not_told_once_the_time_to_pay_is_over(order, carrier):
    fail(order)
    Order.objects.update(expires_at=timezone.now())

    assert written(NotificationKind.PROMPT_FAILED) == []


def test_nobody_is_told_to_collect_or_to_keep_ready_what_was_cancelled_meanwhile(
    buyer, kettle, pan, carrier
):
    order = pay(an_order(buyer, (kettle, 1), (pan, 1)))
    kettles = order.tracks.get(product=kettle)
    move_line(kettles.pk, "cancelled", actor=buyer)

    told = {(m.kind, m.channel): m.text for m in written()}

    assert "Pan" in told["paid", "sms"]
    assert "Kettle" not in told["paid", "sms"]
    assert "a sale of KES 700" in told["sold", "sms"]


def test_nobody_is_told_that_an_order_is_paid_whose_lines_were_all_cancelled(
    order, buyer, kettle, carrier
):
    pay(order)
    move_line(order.tracks.get().pk, "cancelled", actor=buyer)

    assert {m.kind for m in written()} & {"paid", "sold"} == set()


def test_goods_that_arrived_are_not_told_to_be_on_the_way(order, buyer, carrier):
    pay(order)
    line, staff = order.tracks.get(), UserFactory(is_superuser=True)
    written()
    for to in ("fetched", "shipping", "delivered"):
        move_line(line.pk, to, actor=staff, note="The carrier says so.")

    assert [m.channel for m in written(NotificationKind.SHIPPED)] == []
    assert [m.channel for m in written(NotificationKind.DELIVERED)] == ["email", "sms"]


def another_order(buyer, product, phone="254712345678"):
    """Another order, of other goods, and its attempt."""
    other = an_order(buyer, (product, 1), phone=phone)
    return other, other.payments.get()


def rung(order, *, ago=0, **changed):
    """The order's phone was rung so many seconds ago."""
    rung_at = timezone.now() - timedelta(seconds=ago)
    OrderPayment.objects.filter(order=order).update(
        **{"status": "unknown", "rung_at": rung_at, "next_check_at": timezone.now(), **changed}
    )


def test_nobody_is_told_that_their_phone_was_busy_with_their_own_other_order(order, buyer, pan):
    rung(order)
    other, attempt = another_order(buyer, pan)

    send_stk_push(other.pk)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.result_code) == ("failed", "local.phone_busy")
    assert not Notice.objects.filter(order=other).exists()


def test_a_buyer_is_told_that_a_strangers_prompt_kept_their_phone_busy(order, pan):
    rung(order)
    other, _ = another_order(UserFactory(), pan)

    send_stk_push(other.pk)

    assert Notice.objects.get(order=other).kind == "prompt_failed"


@pytest.mark.parametrize("code", ["refused.busy_phone", "17", "1001", "1037", "1019"])
@pytest.mark.parametrize("own", ["open", "paid"])
def test_nobody_is_told_of_what_their_own_other_prompt_may_have_caused(
    order, buyer, pan, daraja, code, own
):
    rung(order, ago=110)
    if own == "paid":
        pay(order)
    other, attempt = another_order(buyer, pan)
    rung(other, live=own == "paid")

    fail_with(attempt, code, daraja)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.result_code) == ("failed", code)
    assert not Notice.objects.filter(order=other).exists()


@pytest.mark.parametrize("code", ["1", "1032", "2001", "8006"])
def test_a_failure_the_buyer_caused_is_notified_despite_other_prompts(
    order, buyer, pan, daraja, code
):
    rung(order, ago=110)
    other, attempt = another_order(buyer, pan)
    rung(other, live=False)

    fail_with(attempt, code, daraja)

    assert Notice.objects.get(order=other).kind == "prompt_failed"


@pytest.mark.parametrize("why", ["other phone", "long ago", "failed too", "anothers"])
def test_a_phone_that_did_not_answer_is_told_where_no_prompt_of_their_own_was_in_the_way(
    order, buyer, pan, daraja, why
):
    rung(order, ago=300 if why == "long ago" else 60, live=False)
    if why == "failed too":
        OrderPayment.objects.update(status="failed", next_check_at=None)
    other, attempt = another_order(
        UserFactory() if why == "anothers" else buyer,
        pan,
        phone="254733000111" if why == "other phone" else "254712345678",
    )
    rung(other)

    fail_with(attempt, "1037", daraja)

    assert Notice.objects.get(order=other).kind == "prompt_failed"


def fail_with(attempt, code, daraja):
    if code == "refused.busy_phone":
        _record_refusal(attempt, DarajaRefused("Subscriber locked", kind=DarajaRefusal.BUSY_PHONE))
    else:
        record_outcome(attempt.pk, AttemptOutcome(False, code, "", "callback"))
