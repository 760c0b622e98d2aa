"""Where an e-mail leads: to the page that is its reader's, and to whom the shop names."""

import uuid

import pytest

from orders.models.notifications import Message, NotificationKind
from orders.notifications.checks import check_email_links
from orders.notifications.links import Link, Page, link_to
from orders.notifications.rendering import render_email

from .conftest import fail, pay, wish
from .test_notify import written
from .test_templates import EVERY, values

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.co.ke/shop"
CONTACT = "0712 345 678, help@example.co.ke"


@pytest.fixture(autouse=True)
def _shop(settings):
    settings.FRONTEND_URL, settings.SHOP_CONTACT = SHOP, CONTACT


def mails():
    written()
    return {m.kind: m.text for m in Message.objects.filter(channel="email")}


def test_the_buyers_mail_leads_to_their_order_and_the_sellers_to_their_sales(order):
    pay(order)

    told = mails()
    assert f"Your order:\n{SHOP}/orders/{order.order_token}\n" in told["paid"]
    sold = f"Your sales:\n{SHOP}/selling/orders?order={order.reference}\n"
    assert sold in told["sold"]
    # A seller knows an order by its reference alone.
    assert str(order.order_token) not in told["sold"]


def test_of_a_failed_prompt_too(order):
    fail(order)

    assert f"Your order:\n{SHOP}/orders/{order.order_token}\n" in mails()["prompt_failed"]


def test_in_swahili_to_whoever_reads_swahili(order, buyer, seller):
    for person in (buyer, seller):
        wish(person, language="sw")

    pay(order)

    told = mails()
    assert f"Oda yako:\n{SHOP}/orders/{order.order_token}\n" in told["paid"]
    assert f"Ulichouza:\n{SHOP}/selling/orders?order={order.reference}\n" in told["sold"]
    assert f"Una swali? Wasiliana nasi: {CONTACT}\n" in told["paid"]


def test_an_sms_has_neither_a_link_nor_a_contact(order, carrier):
    pay(order)
    written()

    sms = Message.objects.filter(channel="sms")
    assert sms.count() == 2
    for message in sms:
        assert "http" not in message.text
        assert CONTACT not in message.text


def test_a_message_that_was_written_before_stays_as_it_was(order, settings):
    pay(order)
    before = mails()

    settings.FRONTEND_URL, settings.SHOP_CONTACT = "https://elsewhere.example", ""

    assert mails() == before


@pytest.mark.parametrize(("kind", "language"), EVERY)
@pytest.mark.parametrize("page", Page)
def test_every_mail_has_the_way_on_and_the_contact(kind, language, page):
    link = Link(page, f"{SHOP}/somewhere")

    _, text = render_email(kind, language, values(language), link=link)

    assert f":\n{SHOP}/somewhere\n\n" in text
    assert f": {CONTACT}\n\n" in text


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Questions? Reply to this e-mail."), ("sw", "Una swali? Jibu barua pepe hii.")],
)
def test_where_the_shop_names_nobody_the_mail_is_answered(settings, language, said):
    settings.SHOP_CONTACT = ""

    _, text = render_email(
        NotificationKind.PAID_OUT, language, values(language), link=link_to(Page.MONEY)
    )

    assert f"\n\n{said}\n\n" in text


def test_each_page_has_one_address(order):
    order.order_token, order.reference = uuid.UUID(int=7), "PR7KWQ4M"

    assert [link_to(page, order).address.removeprefix(SHOP) for page in Page] == [
        "/orders/00000000-0000-0000-0000-000000000007",
        "/selling/orders?order=PR7KWQ4M",
        "/selling/money",
    ]


@pytest.mark.parametrize(
    ("contact", "frontend", "warned"),
    [
        (CONTACT, SHOP, []),
        ("", SHOP, ["orders.W001"]),
        (CONTACT, "http://localhost:5173", ["orders.W002"]),
        ("", "http://127.0.0.1:8000/shop", ["orders.W001", "orders.W002"]),
    ],
)
def test_a_shop_whose_mails_lead_nowhere_is_warned(settings, contact, frontend, warned):
    settings.SHOP_CONTACT, settings.FRONTEND_URL = contact, frontend

    assert [each.id for each in check_email_links()] == warned
