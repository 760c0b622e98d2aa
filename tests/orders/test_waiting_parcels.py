"""Goods waiting at a pick-up point: the buyer is reminded, then staff decide; no money moves."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services.closing import close_account
from orders.fulfilment import move_line
from orders.models import InboxNotice, Notice, Parcel, PickupPoint
from orders.notifications.composing import compose
from orders.parcels.waiting import (
    going_to_closed_points,
    of_closed_sellers,
    remind_of_waiting_goods,
    uncollected,
)
from payments.models import LedgerPosting
from tests.factories import UserFactory
from tests.shopping import fetched_line, paid_line

from .lines import with_role
from .parcels import a_parcel, a_point, an_agent, bring, code_of, lines

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(db):
    return UserFactory()


@pytest.fixture
def arrived(buyer, kettle, keeper):
    """A parcel that its point took in at this moment."""
    parcel = a_parcel(buyer, kettle, point=a_point(keeper, name="Kilimani Pick-up"))
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")
    return Parcel.objects.get(pk=parcel.pk)


def after(days):
    return timezone.now() + timedelta(days=days)


def told():
    kinds = Notice.objects.filter(kind__in=["waiting", "uncollected"]).order_by("pk")
    return list(kinds.values_list("kind", flat=True))


def console(role):
    browser = Client()
    person = with_role(role)
    type(person).objects.filter(pk=person.pk).update(is_staff=True)
    browser.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")
    return browser.get("/admin/payments/console/").content.decode()


def test_a_buyer_is_reminded_at_half_time_and_told_at_the_end_once_each(arrived):
    for days in (3, 3.6, 3.7, 6.9, 7.1, 8):
        remind_of_waiting_goods(after(days))

    assert told() == ["waiting", "uncollected"]


def test_a_clock_that_stood_still_reminds_of_nothing_that_is_over(arrived):
    remind_of_waiting_goods(after(8))

    assert told() == ["uncollected"]


def test_the_reminder_says_where_and_until_when(arrived, buyer):
    remind_of_waiting_goods(after(4))
    compose(Notice.objects.get(kind="waiting").pk)

    said = InboxNotice.objects.get(user=buyer, kind="waiting").said["en"]
    until = timezone.localtime(arrived.arrived_at) + timedelta(days=7)
    assert said["text"].startswith(
        f"Goods from your order {arrived.order} are still waiting for you at Kilimani Pick-up, "
        f"open Mon–Sat 8:00–19:00, until {until.day}/{until.month}/{until.year}."
    )
    assert code_of(arrived) not in str(said)


def test_a_buyer_who_collected_is_not_reminded(arrived, keeper):
    bring(keeper, arrived, "delivered", code=code_of(arrived))

    assert remind_of_waiting_goods(after(4)) == 0


def test_no_message_is_written_about_goods_collected_meanwhile(arrived, buyer):
    remind_of_waiting_goods(after(4))
    move_line(lines(arrived)[0].pk, "delivered", actor=buyer)
    compose(Notice.objects.get(kind="waiting").pk)

    assert not InboxNotice.objects.filter(kind="waiting").exists()


def test_support_finds_it_on_the_console_and_no_money_has_moved(arrived):
    postings = LedgerPosting.objects.count()
    assert str(arrived.order) not in console("support")

    Parcel.objects.update(arrived_at=after(-8))
    shown = console("support")

    assert str(arrived.order) in shown
    assert list(uncollected(timezone.now())) == lines(arrived)
    assert LedgerPosting.objects.count() == postings
    Parcel.objects.update(arrived_at=arrived.arrived_at)


def test_parcels_for_a_closed_point_are_shown_to_support(buyer, kettle):
    parcel = a_parcel(buyer, kettle, point=a_point(name="Kilimani Pick-up"))
    assert str(parcel.order) not in console("support")

    PickupPoint.objects.update(is_open=False)

    assert list(going_to_closed_points()) == lines(parcel)
    assert str(parcel.order) in console("support")
    assert str(parcel.order) not in console("finance")


def test_paid_goods_of_a_seller_whose_account_is_closed_are_shown_to_support(buyer, kettle):
    paid = paid_line(buyer, kettle)
    fetched = fetched_line(buyer, kettle)
    assert str(paid.order) not in console("support")

    close_account(kettle.seller)

    assert list(of_closed_sellers()) == [paid]
    shown = console("support")
    assert str(paid.order) in shown
    assert str(fetched.order) not in shown
    assert str(paid.order) not in console("finance")


def test_cancelling_the_goods_of_a_closed_account_takes_them_off_the_console(buyer, kettle):
    paid = paid_line(buyer, kettle)
    close_account(kettle.seller)

    move_line(paid.pk, "cancelled", actor=buyer)

    assert list(of_closed_sellers()) == []
