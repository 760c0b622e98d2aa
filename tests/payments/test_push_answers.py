"""The answer to a prompt does not overwrite what was learned while it was under way."""

import pytest
from django.utils import timezone

from accounts.contact_budgets import HOUR
from accounts.contacts import record_paid_from
from accounts.models import ContactCount
from payments import gateway
from payments.checkout.failures import RATE_LIMITED, TOO_MANY_PHONES
from payments.checkout.prompt_budget import release_prompt, reserve_prompt
from payments.checkout.stk_push import send_stk_push
from payments.daraja.client import PushAccepted
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.models import OrderPayment
from tests.shopping import PHONE, an_order


class Meanwhile:
    """A gateway that takes the prompt; before its answer is read, the row has moved on."""

    def __init__(self, **learned):
        self.learned = learned

    def stk_push(self, **_):
        OrderPayment.objects.update(**self.learned)
        return PushAccepted("ours", "ws_CO_1", "")


def ring(monkeypatch, order, **learned):
    OrderPayment.objects.update(status="requested", live=True, result_code="")
    monkeypatch.setattr(gateway, "daraja", lambda: Meanwhile(**learned))
    send_stk_push(order.pk)
    return OrderPayment.objects.get()


@pytest.mark.django_db
def test_an_attempt_that_has_failed_meanwhile_learns_its_ids_and_stays_failed(
    buyer, kettle, monkeypatch
):
    payment = ring(monkeypatch, an_order(buyer, (kettle, 1)), status="failed", live=False)

    assert (payment.status, payment.checkout_request_id) == ("failed", "ws_CO_1")


@pytest.mark.django_db
def test_an_attempt_whose_ids_are_known_already_is_submitted_and_keeps_them(
    buyer, kettle, monkeypatch
):
    payment = ring(monkeypatch, an_order(buyer, (kettle, 1)), checkout_request_id="ws_CO_0")

    assert (payment.status, payment.checkout_request_id) == ("submitted", "ws_CO_0")


def ask(user, phone, now):
    return reserve_prompt(user, phone, now, is_own=False).refused


def test_a_newcomers_phone_costs_one_statement_of_budgets(db, django_assert_num_queries):
    now = timezone.now()

    with django_assert_num_queries(1):
        assert ask(1, PHONE, now) == ""
    again = [ask(1, PHONE, now) for _ in range(5)]
    others = [ask(1, f"25470000000{n}", now) for n in range(3)]

    assert again == [""] * 4 + [RATE_LIMITED]
    assert others == ["", "", TOO_MANY_PHONES]
    # What was too much was not counted: a day's room has as much left as it should.
    later = now + HOUR
    assert [ask(1, f"25471000000{n}", later) for n in range(4)] == [
        "",
        "",
        "",
        TOO_MANY_PHONES,
    ]


def used():
    return sorted(ContactCount.objects.values_list("used", flat=True))


class Refusing:
    """A gateway that refuses every prompt; the order is paid while the refusal is on its way."""

    def __init__(self, meanwhile):
        self.meanwhile = meanwhile

    def stk_push(self, **_):
        self.meanwhile()
        raise DarajaRefused("Bad Request", code="400.002.02", kind=DarajaRefusal.BAD_REQUEST)


@pytest.mark.django_db
@pytest.mark.parametrize("pays", [True, False])
def test_a_prompt_that_reached_no_phone_uses_no_budget_whoever_owns_it_now(
    buyer, kettle, monkeypatch, pays
):
    order = an_order(buyer, (kettle, 1))
    ContactCount.objects.all().delete()

    def meanwhile():
        assert used() == [1] * 5
        if pays:
            record_paid_from(buyer.pk, order.mpesa_number, timezone.now())

    OrderPayment.objects.update(status="requested", live=True, result_code="")
    monkeypatch.setattr(gateway, "daraja", lambda: Refusing(meanwhile))

    send_stk_push(order.pk)

    assert used() == [0] * 5


def test_a_phone_prompted_before_stays_counted_if_it_is_not_prompted_again(db):
    now = timezone.now()
    rung = reserve_prompt(1, PHONE, now, is_own=False)
    again = reserve_prompt(1, PHONE, now, is_own=False)

    release_prompt(again, now)

    assert (len(rung.budgets), len(again.budgets)) == (5, 2)
    assert used() == [1] * 5
