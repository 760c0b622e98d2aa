"""The search box finds rows, opens a single match, and respects permissions."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.backoffice.search import LONGEST
from accounts.guests import guest_with
from accounts.models import User
from accounts.models.phones import PhoneLogin
from orders.models import Order, OrderDelivery, OrderTrack
from payments.models import OrderPayment, Payout, Receipt, Refund, Withdrawal
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, paid_line

from . import cases
from .browsers import browser_of, in_role, list_url, row_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def find(client, typed):
    return client.get("/admin/find/", {"q": typed})


def opened(client, typed):
    """The address of the redirect; None if the response is a page."""
    answer = find(client, typed)
    return answer.headers.get("Location")


def listed(client, typed):
    """What is listed, by kind: the addresses of the rows."""
    answer = find(client, typed)
    assert answer.status_code == 200
    return {
        title: [str(row[0]).split('"')[1] for row in table.rows]
        for title, table in answer.context["found"]
    }


def as_role(role):
    return browser_of(in_role(role))


def story(order):
    return f"/admin/payments/console/order/{order.pk}/"


SPELLINGS = {
    "its reference": lambda order: order.reference,
    "its reference in small letters, with a space": lambda order: (
        f" {order.reference[:4]} {order.reference[4:].lower()} "
    ),
    "its reference with a dash": lambda order: f"{order.reference[:4]}-{order.reference[4:]}",
    "its reference out of a sentence": lambda order: f"Order no. {order.reference}, please",
    "its reference in wide letters": lambda order: "".join(
        chr(ord(letter) + 0xFEE0) for letter in order.reference
    ),
    "its token": lambda order: str(order.order_token),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_order_opens_by(sale, spelling):
    assert opened(as_role("support"), SPELLINGS[spelling](sale)) == row_url(sale)


def test_an_order_opens_by_a_reference_with_a_letter_that_looks_alike(sale):
    Order.objects.filter(pk=sale.pk).update(reference="ACDQ3467")

    assert opened(as_role("support"), "ACD0 3467") == row_url(sale)


PAYMENT_SMS = (
    "TKB1234567 Confirmed. Ksh1,500.00 sent to O-MACHE for account ABCD2345 on 30/11/26 at 9:35 PM "
    "New M-PESA balance is Ksh72,001.00. Transaction cost, Ksh0.00. Amount you can transact within "
    "the day is 472,001.00."
)


@pytest.mark.parametrize(
    "typed",
    [
        "TKB1234567",
        "tkb 1234567",
        "\u2068TKB1234567\u2069",
        PAYMENT_SMS,
        "TKB1234567 Imethibitishwa. Umetuma Ksh1,500.00 kwa O-MACHE",
    ],
)
def test_an_order_opens_by_the_receipt_of_its_money_for_support(sale, typed):
    assert opened(as_role("support"), typed) == row_url(sale)


@pytest.mark.parametrize(
    "sms",
    [
        "O-Mache: we received KES 1,500 for order {}. Delivery by tomorrow to Kayole Soweto mtaa "
        "wa tatu nyumba 28. Give this code only when you have the goods: Kettle 1.7 L stainless "
        "steel 475761. Thank you!",
        "O-Mache: Oda {}, KES 1,500, bado haijalipwa.",
        "O-Mache: Bidhaa za oda {} ziko njiani kuja kwako.",
    ],
)
@pytest.mark.parametrize("role", ["support", "finance"])
def test_an_order_opens_by_the_shops_own_sms_about_it(sale, role, sms):
    Order.objects.filter(pk=sale.pk).update(reference="ACDQ3467")
    staff = as_role(role)
    by_reference = opened(staff, "ACDQ3467")

    assert by_reference is not None
    assert opened(staff, sms.format("ACDQ3467")) == by_reference


@pytest.mark.parametrize(
    ("number", "typed"), [("TKO1234567", "TK0I234567"), ("TK0I234567", "tko 1234567")]
)
def test_a_receipt_opens_by_its_number_with_letters_that_look_alike(number, typed):
    receipt = cases.lost_receipt(number=number)

    assert opened(as_role("finance"), typed) == row_url(receipt)


def test_the_receipt_as_typed_comes_before_one_that_looks_alike(db):
    pair = [cases.lost_receipt(number=number) for number in ("TKB1O34567", "TKB1034567")]

    finance = as_role("finance")
    assert [opened(finance, receipt.number) for receipt in pair] == list(map(row_url, pair))


def test_a_refund_opens_by_its_number_with_letters_that_look_alike(db):
    refund = cases.sent_refund()
    cases.result(refund, number="TKO1234567")

    assert opened(as_role("finance"), "TK0I234567") == row_url(refund)


def test_a_withdrawal_opens_by_its_number_with_letters_that_look_alike(db):
    withdrawal = Withdrawal.objects.create(
        number="TKO1234567", amount=100, shortcode="600000", left_at=timezone.now()
    )

    assert opened(as_role("finance"), "TK0I234567") == row_url(withdrawal)


def test_the_receipt_itself_opens_for_finance(sale):
    assert opened(as_role("finance"), "tkb1234567") == row_url(Receipt.objects.get())


def test_an_orders_story_opens_for_who_sees_money_and_no_orders(sale):
    assert opened(as_role("finance"), sale.reference) == story(sale)


def test_a_receipt_without_an_order_opens_for_a_superuser(staff_browser):
    receipt = cases.lost_receipt()

    assert opened(staff_browser, receipt.number) == row_url(receipt)


def test_an_orders_only_line_opens_for_who_carries_goods(sale):
    assert opened(as_role("delivery"), sale.reference) == row_url(sale.tracks.get())


@pytest.mark.parametrize("typed", ["0712345678", "wanjiku", "TKB1234567"])
def test_who_carries_goods_finds_neither_people_nor_receipts(sale, typed):
    assert listed(as_role("delivery"), typed) == {}


@pytest.mark.parametrize("typed", ["wanjiku", "WANJIKU", "wanj", "Wan\u00adjiku", "w@example.com"])
def test_a_person_opens_by(buyer, typed):
    User.objects.filter(pk=buyer.pk).update(email="W@example.com")

    assert opened(as_role("support"), typed) == row_url(buyer)


def test_a_beginning_of_two_letters_is_nobodys_name(buyer):
    assert listed(as_role("support"), "wa") == {}


def test_a_person_opens_by_the_phone_they_are_called_at(db):
    person = UserFactory(phone="254733000111")

    assert opened(as_role("support"), "0733 000 111") == row_url(person)


def test_a_person_opens_by_the_phone_they_sign_in_with(db):
    person, now = UserFactory(), timezone.now()
    PhoneLogin.objects.create(user=person, phone="254733000222", linked_at=now, proved_at=now)

    assert opened(as_role("support"), "+254 733 000 222") == row_url(person)


def test_a_guest_opens_by_the_phone_they_typed(db):
    guest = guest_with("254733000333", language="en")

    assert opened(as_role("support"), "0733-000-333") == row_url(guest.user)


#: Of Wanjikũ Kamau, whose user name says neither.
NAMES = ["Wanjikũ Kamau", "kamau wanjikũ", "WANJIKŨ", "kamau", "Wanj", "kam", "wanjikũ  k"]


@pytest.mark.parametrize("typed", NAMES)
def test_a_person_opens_by_their_first_and_last_name(db, typed):
    if typed == "WANJIKŨ" and connection.vendor == "sqlite":
        pytest.skip("SQLite knows capitals of plain letters only")
    person = UserFactory(username="neema", first_name="Wanjikũ", last_name="Kamau")
    UserFactory(username="otieno", first_name="Zawadi", last_name="Otieno")

    assert opened(as_role("support"), typed) == row_url(person)


def test_who_is_called_so_comes_before_who_has_it_for_a_name(buyer):
    named = UserFactory(username="neema", first_name="Wanjiku", last_name="Kamau")

    assert listed(as_role("support"), "wanjiku") == {"People": [row_url(buyer), row_url(named)]}


def test_of_many_people_with_a_name_the_list_has_the_rest(db):
    UserFactory.create_batch(11, first_name="Wanjiku", last_name="Kamau")
    support = as_role("support")

    [(_, table)] = find(support, "wanjiku kamau").context["found"]

    assert len(table.rows) == 10
    assert table.more.url == "/admin/accounts/user/?q=wanjiku+kamau"
    assert support.get(table.more.url).context["cl"].result_count == 11


@pytest.mark.parametrize("role", ["finance", "catalogue", "delivery"])
def test_nobody_finds_people_by_a_name_who_may_not_see_them(buyer, role):
    User.objects.filter(pk=buyer.pk).update(first_name="Zawadi", last_name="Otieno")

    assert listed(as_role(role), "Zawadi Otieno") == {}


def test_the_list_of_people_finds_by_phone_who_may_help_them_alone(db):
    person = UserFactory(phone="254733000111")
    support = in_role("support")
    path = "/admin/accounts/user/?q=0733000111"

    assert browser_of(support).get(path).context["cl"].result_count == 1
    assert support.groups.get().permissions.filter(codename="help_user").delete()
    assert browser_of(User.objects.get(pk=support.pk)).get(path).context["cl"].result_count == 0
    assert person.phone == "254733000111"


def test_a_product_opens_by_its_number_and_by_its_name(kettle):
    catalogue = as_role("catalogue")

    assert opened(catalogue, str(kettle.pk)) == row_url(kettle)
    assert opened(catalogue, kettle.name) == row_url(kettle)


def test_a_product_opens_by_how_a_word_of_its_name_begins(db):
    pot = ProductFactory(name="Sufuria kubwa")

    assert opened(as_role("catalogue"), "sufu") == row_url(pot)


def test_a_prompt_opens_by_its_checkout_request_id(sale):
    payment = sale.payments.get()

    assert opened(as_role("finance"), payment.checkout_request_id) == row_url(payment)


@pytest.fixture
def gift(sale):
    """The sale, with another recipient than its buyer."""
    OrderDelivery.objects.create(
        order=sale,
        way="home",
        recipient="Zawadi Otieno",
        phone="254733000444",
        county="kiambu",
        area="Ruiru",
        days=2,
    )
    return sale


@pytest.mark.parametrize("typed", ["0733 000 444", "zawadi otieno", "Zawadi", " ZAWADI  O"])
def test_an_order_opens_by_who_receives_it(gift, unpaid, typed):
    assert opened(as_role("support"), typed) == row_url(gift)


@pytest.mark.parametrize("typed", ["0733000444", "Zawadi Otieno"])
@pytest.mark.parametrize("role", ["finance", "catalogue", "delivery"])
def test_who_receives_an_order_finds_it_for_nobody_who_may_not_see_where_it_goes(gift, role, typed):
    assert listed(as_role(role), typed) == {}


def test_an_order_whose_place_is_forgotten_is_found_by_it_no_more(gift):
    OrderDelivery.objects.update(recipient="", phone="•••••••••444")

    assert listed(as_role("support"), "•••••••••444") == {}


def test_an_order_that_its_payer_receives_stands_once(gift, unpaid):
    OrderDelivery.objects.update(phone="254712345678")

    assert listed(as_role("support"), "0712345678") == {
        "Orders": [row_url(unpaid), row_url(gift)],
        # Once it has paid, it is where they are called.
        "People": [row_url(gift.buyer)],
    }


@pytest.mark.parametrize("typed", ["0733000444", "Zawadi"])
@pytest.mark.parametrize("model", [Order, OrderTrack])
def test_the_lists_find_by_who_receives_too(staff_browser, gift, unpaid, model, typed):
    answer = staff_browser.get(list_url(model), {"q": typed})

    assert [getattr(row, "order", row) for row in answer.context["cl"].result_list] == [gift]


def test_the_list_of_lines_finds_by_who_receives_for_nobody_who_sees_no_orders(gift):
    answer = as_role("delivery").get(list_url(OrderTrack), {"q": "0733000444"})

    assert answer.context["cl"].result_count == 0


def test_the_list_of_orders_has_those_of_a_buyer_and_those_they_receive(
    staff_browser, gift, unpaid
):
    other = an_order(UserFactory(), (ProductFactory(), 1))
    OrderDelivery.objects.create(
        order=other, way="home", recipient="Wanjiku", phone="254733000555", county="kiambu", days=2
    )

    answer = staff_browser.get(list_url(Order), {"q": "wanjiku"})

    assert list(answer.context["cl"].result_list) == [other, unpaid, gift]


#: The payer's phone, as M-Pesa shows it.
SHOWN = {
    "in full": "254733000555",
    "hashed": hashlib.sha256(b"254733000555").hexdigest(),
    "hashed, cut": hashlib.sha256(b"254733000555").hexdigest()[:20],
}


@pytest.mark.parametrize("shown", SHOWN)
def test_an_order_opens_by_the_phone_that_paid_it_for_support(sale, shown):
    Receipt.objects.update(phone=SHOWN[shown])

    assert opened(as_role("support"), "0733 000 555") == row_url(sale)


def test_a_payers_phone_lists_the_order_and_its_receipt_for_finance(sale):
    Receipt.objects.update(phone="254733000555")

    assert listed(as_role("finance"), "0733000555") == {
        "Orders": [story(sale)],
        "Money in": [row_url(Receipt.objects.get())],
    }


def test_money_without_an_order_opens_by_the_phone_that_paid(db):
    receipt = cases.lost_receipt(phone="254733000555")

    assert opened(as_role("finance"), "0733000555") == row_url(receipt)


def test_a_phone_of_which_digits_are_hidden_is_nobodys(sale):
    Receipt.objects.update(phone="2547 ***** 555")

    assert listed(as_role("finance"), "0733000555") == {}


def test_the_list_of_money_in_finds_by_the_phone_that_paid(staff_browser, sale):
    receipt = cases.lost_receipt(phone="254733000555")

    answer = staff_browser.get(list_url(Receipt), {"q": "0733000555"})

    assert list(answer.context["cl"].result_list) == [receipt]


def test_a_refund_opens_by_mpesas_number_of_it(db):
    refund = cases.owed_refund()
    Refund.objects.update(number="TKR1234567")

    finance = as_role("finance")

    assert opened(finance, "tkr 1234567") == row_url(refund)
    assert opened(finance, refund.originator_conversation_id) == row_url(refund)


def test_a_phone_lists_who_has_it_and_the_orders_it_was_asked_to_pay(sale, unpaid, buyer):
    User.objects.filter(pk=buyer.pk).update(phone="254712345678")

    assert listed(as_role("support"), "0712 345 678") == {
        "Orders": [row_url(unpaid), row_url(sale)],
        "People": [row_url(buyer)],
    }


def test_a_phone_lists_its_orders_for_finance_and_nobody(sale, unpaid, buyer):
    User.objects.filter(pk=buyer.pk).update(phone="254712345678")

    assert listed(as_role("finance"), "0712345678") == {"Orders": [story(unpaid), story(sale)]}


def test_who_may_not_help_people_finds_none_by_their_phones(buyer, sale):
    User.objects.filter(pk=buyer.pk).update(phone="254712345678")
    support = in_role("support")
    support.groups.get().permissions.remove(
        *support.groups.get().permissions.filter(codename="help_user")
    )

    assert opened(browser_of(support), "0712345678") == row_url(sale)


def test_a_name_lists_a_buyers_orders_for_finance(sale, unpaid):
    assert listed(as_role("finance"), "wanjiku") == {"Orders": [story(unpaid), story(sale)]}


def test_a_sellers_name_lists_their_goods_for_the_catalogue(kettle):
    other = ProductFactory(seller=kettle.seller)

    assert listed(as_role("catalogue"), kettle.seller.username) == {
        "Products": [row_url(other), row_url(kettle)]
    }


def test_a_sellers_name_opens_their_only_payout_for_finance(kettle):
    payout = Payout.objects.create(
        seller=kettle.seller, gross=700, amount=700, phone="254722000000", status="due"
    )

    assert opened(as_role("finance"), kettle.seller.username) == row_url(payout)


def test_ten_are_listed_and_the_list_has_the_rest(db):
    for _ in range(11):
        ProductFactory(name="Sufuria")

    answer = find(as_role("catalogue"), "sufuria")

    [(_, table)] = answer.context["found"]
    assert len(table.rows) == 10
    assert table.more.url == "/admin/products/product/?q=sufuria"
    assert table.more.url in answer.content.decode()


def test_a_superuser_finds_every_kind(staff_browser, buyer, kettle):
    User.objects.filter(pk=buyer.pk).update(username="kettle", skeleton="kettle")
    line = paid_line(buyer, kettle)
    OrderPayment.objects.update(phone="254712000999")
    User.objects.filter(pk=buyer.pk).update(phone="254712000999")

    assert list(listed(staff_browser, "kettle")) == ["People", "Products"]
    assert list(listed(staff_browser, "0712000999")) == ["Orders", "People"]
    assert opened(staff_browser, line.order.reference) == row_url(line.order)


NOTHING = [
    "nothing like it",
    "0799999999",
    "%",
    "_",
    "😀",
    "' OR 1=1 --",
    "a" * 10_000,
    "9" * 400,
    "9" * 18,
    "@",
    "nobody@example.com",
    "\u202e\u200b",
    "&|!<->:*",
    "the",
    "ws_CO_nothing",
    "e6a1f5c2-0000-4000-8000-000000000000",
    "İstanbul",
    "Zawadi Otieno",
    "-1",
    "  ",
]


@pytest.mark.parametrize("typed", NOTHING)
def test_meaningless_text_finds_nothing(staff_browser, sale, typed):
    assert listed(staff_browser, typed) == {}


@pytest.mark.parametrize("typed", NOTHING[:3])
def test_where_nothing_is_found_the_page_says_what_can_be_typed(sale, typed):
    page = find(as_role("support"), typed).content.decode()

    assert "Nothing that you may see is called" in page
    assert "an order’s reference; a phone, as people dial it; M-Pesa’s receipt number;" in page
    assert "words of a product’s name" not in page


@pytest.mark.parametrize("sent", ["%00", "a%00b", "%ff", "%f0%9f%98", "\x01"])
def test_what_cannot_be_read_is_refused(staff_browser, sent):
    assert staff_browser.get(f"/admin/find/?q={sent}").status_code == 400


def test_what_is_typed_stands_on_the_page_as_text(staff_browser, db):
    page = find(staff_browser, '"><script>alert(1)</script>').content.decode()

    assert "<script>alert" not in page


def test_nothing_is_looked_for_where_nothing_was_typed_or_too_much(
    staff_browser, sale, django_assert_num_queries
):
    for typed in ("", "a" * (LONGEST + 1)):
        # who asks: two of their session, and they
        with django_assert_num_queries(3):
            find(staff_browser, typed)


def test_only_reading_is_done(staff_browser, db):
    assert staff_browser.post("/admin/find/", {"q": "x"}).status_code == 405


def test_users_who_are_not_staff_are_sent_to_the_log_in_page(client, buyer):
    client.force_login(buyer, backend="accounts.backends.UsernameOrEmailBackend")

    assert find(client, "wanjiku").headers["Location"].startswith("/admin/login/")


def test_staff_without_a_role_find_nothing_and_see_no_box(sale):
    nobody = browser_of(UserFactory(is_staff=True))

    answer = find(nobody, sale.reference)

    assert answer.status_code == 200
    assert "You have no role yet" in answer.content.decode()
    assert 'role="search"' not in nobody.get("/admin/").content.decode()


def test_the_box_is_on_the_start_page_once_and_says_what_a_role_may_type(sale):
    page = as_role("catalogue").get("/admin/").content.decode()

    assert page.count('action="/admin/find/"') == 1
    assert "words of a product’s name; a product’s number; a seller’s user name." in page


def test_the_box_is_in_the_head_of_every_other_page(staff_browser, sale):
    for path in (row_url(sale), "/admin/orders/order/", "/admin/payments/console/"):
        head = staff_browser.get(path).content.decode().split("</header>")[0]

        assert head.count('action="/admin/find/"') == 1, path


def test_the_log_in_page_has_no_search_box(client, db):
    assert 'role="search"' not in client.get("/admin/login/").content.decode()


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        # session and person, and: the order
        ("reference", 4),
        # the receipt, and its order
        ("receipt", 5),
        # prompts, receipts, their orders, receipts once more, deliveries, payouts, people's ids,
        # people, which of them are guests
        ("phone", 12),
    ],
)
def test_a_search_takes_few_statements(
    staff_browser, sale, buyer, typed, number, django_assert_num_queries
):
    User.objects.filter(pk=buyer.pk).update(phone="254712345678")
    names = {"reference": sale.reference, "receipt": "TKB1234567", "phone": "0712345678"}

    with django_assert_num_queries(number):
        find(staff_browser, names[typed])


def test_what_may_be_anything_takes_twenty_two_statements_at_most(
    staff_browser, sale, django_assert_max_num_queries
):
    with django_assert_max_num_queries(22) as asked:
        find(staff_browser, "kahawane kubwa")

    assert not any("LIKE" in each["sql"] for each in asked.captured_queries)


READ_OUT = ["0712345678", "wanj", "wanjiku kamau", "w@example.com", "TKB1234567", "ABCD3467"]


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads PostgreSQL's plan")
@pytest.mark.parametrize("typed", READ_OUT)
def test_every_statement_can_be_answered_from_an_index(staff_browser, gift, buyer, typed):
    an_order(UserFactory(), (ProductFactory(), 1))
    with connection.cursor() as cursor:
        # Small tables are read whole, whatever index they have.
        cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as asked:
            find(staff_browser, typed)
        plans = []
        for each in asked.captured_queries:
            if each["sql"].startswith(("SELECT", "(SELECT")):
                cursor.execute(f"EXPLAIN {each['sql']}")
                plans.append("\n".join(line for (line,) in cursor.fetchall()))

    assert [plan for plan in plans if "Seq Scan" in plan] == []


#: What each new way is found by, and the index it takes.
WAYS = {
    "user_by_first_name": lambda: User.objects.called_from("wanj", by="first_name")[:11],
    "user_by_last_name": lambda: User.objects.called_from("kam", by="last_name")[:11],
    "delivery_by_phone": lambda: OrderDelivery.objects.received_at("254733000444")[:11],
    "delivery_by_recipient": lambda: OrderDelivery.objects.received_from("zawadi")[:11],
    "receipt_by_phone": lambda: Receipt.objects.paid_from("254733000555")[:11],
}


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.parametrize("index", WAYS)
def test_a_name_and_a_phone_are_looked_up_in_their_index(db, index):
    """On either database: SQLite does not see it where a parameter stands in the expression."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = WAYS[index]().explain()

    assert index in plan
    if connection.vendor == "sqlite":
        assert f"SEARCH {WAYS[index]().model._meta.db_table} USING INDEX {index}" in plan
    else:
        assert "Index Cond" in plan


def test_an_orders_story_leads_nobody_to_a_page_that_is_closed_to_them(sale, staff_browser):
    page = row_url(sale)

    assert f'href="{page}"' not in as_role("finance").get(story(sale)).content.decode()
    assert f'href="{page}"' in staff_browser.get(story(sale)).content.decode()
