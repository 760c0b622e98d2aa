"""Attacks on other people's phones and inboxes, and on a victim who wants to pay."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.core import mail
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from accounts.contacts import record_paid_to
from accounts.models import PhoneProof, User
from orders.lifecycle import cancel_order
from orders.models.notifications import Message
from orders.notifications.sending import TOO_MANY, send_again, send_message
from payments import clock
from payments.checkout.messages import describe_prompt
from payments.checkout.stk_push import retry_payment, send_stk_push
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.models import OrderPayment
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import PHONE, an_order, cash_out
from tests.threads import at_once

from .conftest import a_message, pay

pytestmark = pytest.mark.django_db

CANCELLED = AttemptOutcome(False, "1032", "Request cancelled by user", "callback")


@pytest.fixture
def goods(seller):
    return ProductFactory(seller=seller, item_number=1000, price=10)


@pytest.fixture
def after_commit(django_capture_on_commit_callbacks):
    """Tasks enqueued on commit are run as without a broker."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def ask(order):
    """Ring for an order once more, and let the victim dismiss the prompt. Returns the attempt."""
    retry_payment(order)
    return ring(order)


def ring(order):
    send_stk_push(order.pk)
    attempt = order.payments.latest("pk")
    dismiss(attempt)
    attempt.refresh_from_db()
    return attempt


def dismiss(attempt):
    record_outcome(attempt.pk, CANCELLED)


def orders_of(count, goods, phone=PHONE):
    people = [UserFactory() for _ in range(count)]
    User.objects.filter(pk__in=[person.pk for person in people]).update(
        email=Concat("username", Value("@x.co"))
    )
    return [an_order(person, (goods, 1), phone=phone) for person in people]


def test_twelve_accounts_ring_a_stranger_five_times_and_send_neither_sms_nor_mail(
    goods, carrier, daraja, after_commit
):
    with after_commit():
        orders = orders_of(12, goods)
        for order in orders:
            ring(order)
        for order in orders:
            ask(order)

    assert len(daraja.pushes) == 5
    assert (carrier.sent, mail.outbox) == ([], [])


def test_a_day_of_asking_rings_a_stranger_ten_times(goods, daraja):
    with time_machine.travel(timezone.now(), tick=False) as now:
        for _ in range(4):
            for order in orders_of(6, goods):
                ring(order)
            now.shift(3601)

    assert len(daraja.pushes) == 10


def test_one_account_prompts_three_of_ten_strangers(goods, daraja):
    asker = UserFactory()
    for n in range(10):
        order = an_order(asker, (goods, 1), phone=f"2547200000{n:02}")
        attempt = ring(order)
        cancel_order(order.pk, cancelled_by="staff")

    assert [push["phone"] for push in daraja.pushes] == [f"2547200000{n:02}" for n in range(3)]
    assert attempt.result_code == "local.too_many_phones"


def test_one_network_has_so_many_strangers_rung_however_many_accounts(
    goods, settings, daraja, after_commit
):
    settings.THROTTLES, settings.NEW_PHONES_A_NETWORK = True, 3

    def ask_from(address, n, asker=None):
        api = signed_in(asker or UserFactory())
        api.defaults["REMOTE_ADDR"] = address
        return cash_out(api, (goods, 1), phone=f"07200000{n:02}")

    # One site has a /48 of addresses.
    answers = [ask_from(f"2001:db8:0:{n}::1", n) for n in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[3].json()["code"] == "too_many_new_phones"
    assert ask_from("2001:db8:0:9::1", 0).status_code == 201
    assert ask_from("2001:db8:1::1", 3).status_code == 201


def test_a_phone_that_has_paid_is_none_of_a_networks_strangers(buyer, goods, settings):
    settings.THROTTLES, settings.NEW_PHONES_A_NETWORK = True, 1

    answers = [
        cash_out(signed_in(UserFactory()), (goods, 1), phone="0720000001"),
        cash_out(signed_in(buyer), (goods, 1), phone=PHONE),
        cash_out(signed_in(UserFactory()), (goods, 1), phone=PHONE),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 429]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twelve_accounts_at_once_ring_one_phone_exactly_as_often_as_there_is_room(
    goods, daraja, monkeypatch
):
    monkeypatch.setattr("omachemainproj.background.run_task", lambda *_: None)
    orders = orders_of(12, goods)
    # The victim dismisses each prompt at once: no other is in the way of the next one.
    daraja.on_push = lambda push: dismiss(
        OrderPayment.objects.get(rung_at__isnull=False, live=True)
    )

    def insist(order):
        while order.payments.filter(live=True, status="requested").exists():
            send_stk_push(order.pk)
            if order.payments.latest("pk").result_code == "local.phone_busy":
                retry_payment(order)

    at_once(*[lambda order=order: insist(order) for order in orders])

    assert len(daraja.pushes) == 5


def test_the_refusal_of_too_many_prompts_reveals_nothing_about_the_phone(goods, daraja):
    orders = orders_of(7, goods)
    spent = [ring(order) for order in orders][-1]

    message = describe_prompt(orders[-1], spent, due=10, options=[])["message"]

    assert spent.result_code == "local.too_many_prompts"
    assert message == (
        "We cannot send a prompt to this phone right now. Try again in a few minutes, or use "
        "another number."
    )


def test_strangers_leave_the_owner_their_room(order, goods, daraja):
    for each in orders_of(8, goods):
        ring(each)
    strangers = len(daraja.pushes)

    ring(order)

    assert (strangers, len(daraja.pushes)) == (5, 6)


def test_the_owner_is_rung_ten_times_an_hour(order, daraja):
    ring(order)
    for _ in range(11):
        ask(order)

    assert len(daraja.pushes) == 10


def test_the_owner_waits_for_a_strangers_prompt_and_then_goes_first(order, goods, daraja):
    first, second = orders_of(2, goods)
    send_stk_push(first.pk)

    send_stk_push(order.pk)
    waiting = order.payments.get()
    said = describe_prompt(order, waiting, due=3000, options=[])["message"]
    dismiss(first.payments.get())
    send_stk_push(second.pk)
    clock.send_forgotten_stk_pushes(timezone.now() + timedelta(seconds=6))

    assert said == (
        "Your phone has another prompt open. Close it there, and ours follows within three minutes."
    )
    assert second.payments.get().result_code == "local.phone_busy"
    assert order.payments.get().status == "submitted"
    assert len(daraja.pushes) == 2


def test_strangers_who_renew_their_prompts_keep_the_owner_for_one_of_them_at_most(
    order, goods, daraja
):
    strangers = orders_of(3, goods)
    with time_machine.travel(timezone.now(), tick=False) as now:
        send_stk_push(strangers[0].pk)
        send_stk_push(order.pk)
        for each in [*strangers[1:], strangers[0]]:
            now.shift(61)
            retry_payment(each)
            send_stk_push(each.pk)
            clock.send_forgotten_stk_pushes(timezone.now())

    references = [push["reference"] for push in daraja.pushes]
    assert references == [strangers[0].reference, order.reference]


def test_a_wait_for_the_phone_ends_after_three_minutes(order, goods, daraja):
    [stranger] = orders_of(1, goods)
    send_stk_push(stranger.pk)
    send_stk_push(order.pk)

    clock.expire_stk_pushes(timezone.now() + timedelta(seconds=175))
    during = order.payments.get().live
    clock.expire_stk_pushes(timezone.now() + timedelta(seconds=181))

    ended = order.payments.get()
    assert (during, ended.live, ended.result_code) == (True, False, "local.phone_busy")


def test_a_waiting_buyer_can_be_prompted_on_another_phone(order, goods, daraja):
    [stranger] = orders_of(1, goods)
    send_stk_push(stranger.pk)
    send_stk_push(order.pk)

    retry_payment(order, phone="254733000111")
    send_stk_push(order.pk)

    assert [push["phone"] for push in daraja.pushes] == [PHONE, "254733000111"]


def test_a_prompt_that_mpesa_did_not_take_costs_the_phone_nothing(goods, daraja):
    def refuse(push):
        raise DarajaRefused("no", kind=DarajaRefusal.BAD_REQUEST)

    daraja.on_push = refuse
    for order in orders_of(6, goods):
        ring(order)
    daraja.on_push = lambda push: None
    for order in orders_of(6, goods):
        ring(order)

    assert len(daraja.pushes) == 6 + 5


def test_an_order_turned_to_a_stranger_and_paid_otherwise_tells_the_stranger_nothing(
    buyer, goods, carrier
):
    order = an_order(buyer, (goods, 1), phone="254720000001")
    paid = IncomingPayment("mpesa", "SGH0000001", 10, "c2b", reference=order.reference, phone=PHONE)

    record_receipt(paid)
    clock.compose_notifications(timezone.now() + timedelta(seconds=6))

    order.refresh_from_db()
    assert order.is_paid
    assert not Message.objects.filter(channel="sms", contact="254720000001").exists()


@pytest.mark.parametrize(("shown", "written"), [("254720000001", 1), ("2547 ***** 001", 0)])
def test_a_manual_payer_is_notified_if_m_pesa_shows_their_number(goods, carrier, shown, written):
    order = an_order(UserFactory(), (goods, 1), phone="254720000001")

    record_receipt(
        IncomingPayment("mpesa", "SGH0000001", 10, "c2b", reference=order.reference, phone=shown)
    )
    clock.compose_notifications(timezone.now() + timedelta(seconds=6))

    assert Message.objects.filter(channel="sms", kind="paid").count() == written


def test_goods_listed_on_a_strangers_phone_send_it_nothing(buyer, carrier):
    listed = ProductFactory(payment_mpesa_number="254720000001", price=10)
    pay(an_order(buyer, (listed, 1)))

    clock.compose_notifications(timezone.now() + timedelta(seconds=6))

    assert list(Message.objects.filter(channel="sms").values_list("contact", flat=True)) == [PHONE]


def test_a_payout_of_ten_shillings_opens_a_phone_to_five_sms_an_hour(order, seller, carrier):
    record_paid_to(order.buyer_id, "254720000001", timezone.now())
    for n in range(7):
        send_message(a_message(order, kind=f"{n}", contact="254720000001").pk)

    assert len(carrier.sent) == 5
    assert Message.objects.filter(state="failed", reason=TOO_MANY).count() == 2


@pytest.mark.parametrize("kind", ["problem", "problem_reply", "problem_ended"])
def test_endless_problem_reports_do_not_block_a_sellers_other_messages(
    order, seller, carrier, kind
):
    """Each costs nothing: one line, reported and withdrawn, took all that a phone may get."""
    record_paid_to(order.buyer_id, "254720000001", timezone.now())
    for n in range(7):
        notice = a_message(order, kind=f"{n}", contact="254720000001")
        Message.objects.filter(pk=notice.pk).update(kind=kind)
        send_message(notice.pk)

    send_message(a_message(order, kind="paid_out", contact="254720000001").pk)

    assert len(carrier.sent) == 4
    assert Message.objects.get(kind="paid_out").state == "sent"


def test_messages_resent_by_staff_count_too(order, carrier):
    messages = [a_message(order, kind=f"{n}") for n in range(30)]
    for message in messages:
        send_message(message.pk)
    messages[0].refresh_from_db()
    Message.objects.filter(pk=messages[0].pk).update(state="unknown", sent_at=None)

    send_again(messages[0].pk)

    messages[0].refresh_from_db()
    assert len(carrier.sent) == 30
    assert messages[0].reason == TOO_MANY


def test_an_inbox_nobody_confirmed_gets_no_mail(goods, carrier):
    pay(an_order(UserFactory(email="stranger@example.com"), (goods, 1)))

    clock.compose_notifications(timezone.now() + timedelta(seconds=6))

    assert not Message.objects.filter(contact="stranger@example.com").exists()


def test_earlier_payers_have_proven_their_phone_and_inbox(goods):
    payer, other = (UserFactory(email=f"{name}@Example.com") for name in ("Payer", "other"))
    pay(an_order(payer, (goods, 1)))
    an_order(other, (goods, 1))
    PhoneProof.objects.all().delete()
    migration = import_module("payments.migrations.0019_who_has_proven_themselves")

    for _ in range(2):
        migration.record_phones(apps, None)
        migration.confirm_their_emails(apps, None)

    assert list(PhoneProof.objects.values_list("user", "phone")) == [(payer.pk, PHONE)]
    confirmed = User.objects.filter(pk__in=[payer.pk, other.pk], email_confirmed_at__isnull=False)
    assert list(confirmed) == [payer]
