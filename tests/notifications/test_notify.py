"""Who is notified of what, in which language, and over which channels."""

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from orders.lifecycle import cancel_order
from orders.models.notifications import Message, Notice, NotificationKind
from orders.notifications.notify import notify, notify_all
from orders.notifications.rendering import compose
from payments.checkout.stk_push import retry_payment
from payments.models import OrderPayment
from payments.reconciliation.outcomes import Outcome, record_outcome
from tests.factories import ProductFactory, UserFactory
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
        f"O-Mache: KES 3,000 received for order {order.reference}. With the goods in your hands, "
        f"tell who brought them the code: 2 x Kettle {code}. Thank you!"
    )
    assert to_seller.text == (
        f"O-Mache: you sold, for KES 3,000, order {order.reference}: 2 x Kettle. Please keep it "
        "ready to be collected."
    )
    assert code not in to_seller.text


def test_the_mail_greets_by_name_and_lists_every_line(order, buyer, kettle, pan):
    both = pay(an_order(buyer, (kettle, 1), (pan, 1)))

    letter = next(m for m in written(NotificationKind.PAID) if m.channel == "email")

    first, second = codes(both)
    assert letter.subject == f"Order {both.reference} is paid"
    assert letter.text.startswith("Hello Wanjiku,\n\nThank you! KES 2,200 was received")
    assert f"  Kettle {first}\n  Pan {second}\n" in letter.text


def test_one_purchase_is_one_message_and_each_seller_hears_of_their_own_lines(
    buyer, kettle, pan, carrier
):
    other = UserFactory(username="otieno")
    lamp = ProductFactory(seller=other, name="Lamp", price=100)

    pay(an_order(buyer, (kettle, 1), (pan, 2), (lamp, 1)))

    sold = [(m.user.username, m.text) for m in written(NotificationKind.SOLD) if m.channel == "sms"]
    assert len([m for m in written(NotificationKind.PAID) if m.channel == "sms"]) == 1
    assert [name for name, _ in sold] == ["amina", "otieno"]
    assert "for KES 2,900" in sold[0][1]
    assert "Kettle, 2 x Pan" in sold[0][1]
    assert "Lamp" not in sold[0][1]
    assert "for KES 100," in sold[1][1]


def test_who_reads_swahili_is_told_in_swahili(order, buyer, carrier):
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


def test_who_has_no_address_gets_no_mail(order, buyer, carrier):
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

    record_outcome(first.pk, Outcome(False, "1037", "", "callback"))

    assert OrderPayment.objects.filter(live=True).count() == 1
    assert not Notice.objects.exists()


def test_a_failure_is_not_told_of_an_order_that_was_given_up(order):
    cancel_order(order.pk)

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

    assert "2 x Kettle. If you do not have it, tell us today." in sms.text
    assert track.collection_code not in sms.text


def test_a_seller_who_was_paid_is_told_at_the_number_that_got_it(seller, carrier):
    notify(
        NotificationKind.PAID_OUT,
        key="paid_out:payout:7",
        user_id=seller.pk,
        phone="254733000111",
        amount=2850,
        receipt="TKR1234567",
    )

    [letter, sms] = written(NotificationKind.PAID_OUT)

    assert letter.subject == "KES 2,850 was sent to your M-Pesa"
    assert (sms.contact, sms.text) == (
        "254733000111",
        "O-Mache: KES 2,850 for what you sold was sent to your M-Pesa. M-Pesa receipt TKR1234567.",
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
def test_what_is_rolled_back_is_told_to_nobody(order, carrier):
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
