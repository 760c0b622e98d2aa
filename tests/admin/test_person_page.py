"""The page of a person: orders, sales, listings, balance and notifications."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts import tokens
from accounts.backoffice.audit import log
from accounts.guests import guest_with
from accounts.models import User
from orders.fulfilment import move_line
from orders.models import OrderTrack
from orders.problems.services import open_problem
from payments.models import Payout
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, paid_line

from .browsers import browser_of, in_role, row_url
from .pages import buttons, cells, content, facts, page, sections
from .test_order_page import message_of

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


@pytest.fixture
def sold(buyer, kettle):
    """A line of two kettles that was fetched: its seller is owed for it."""
    line = paid_line(buyer, kettle, 2)
    return move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))


def with_permissions(*codenames):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return browser_of(person)


def test_a_persons_page_shows_who_they_are_and_how_to_reach_them(support, buyer):
    User.objects.filter(pk=buyer.pk).update(
        first_name="Wanjiku", email="w@example.com", phone="254722000111"
    )

    told = facts(support, buyer, "details")

    assert "Open account" in told["lead"]
    assert (told["Name"], told["E-mail"]) == ("Wanjiku", "w@example.com (not confirmed)")
    assert "0722 000 111" in told["Phone"]
    assert told["Language"] == "English"


def test_phones_are_hidden_from_staff_who_may_not_help_users(buyer):
    User.objects.filter(pk=buyer.pk).update(phone="254722000111")
    client = with_permissions("view_user")

    assert "Phone" not in facts(client, buyer, "details")
    assert "0722 000 111" not in page(client, buyer)
    assert "254722000111" not in page(client, buyer)


def test_a_guest_has_no_account_and_nothing_to_sign_out_of(support):
    guest = guest_with("254712345678", language="sw").user

    told = facts(support, guest, "details")

    assert "Guest, without an account" in told["lead"]
    assert "0712 345 678" in told["Phone entered"]
    assert told["Language"] == "Kiswahili"
    assert "E-mail" not in told
    assert buttons(support, guest) == []


def test_a_deleted_account_shows_only_its_date(support, buyer):
    User.objects.filter(pk=buyer.pk).update(
        username=f"#{buyer.pk}",
        email="",
        first_name="",
        phone="",
        is_active=False,
        erased_at=timezone.now(),
    )

    told = facts(support, buyer, "details")

    assert "Deleted account" in told["lead"]
    assert list(told) == ["lead", "Deleted"]
    assert buttons(support, buyer) == []


def test_support_sees_orders_sales_problems_and_notifications(support, sold):
    assert sections(support, sold.buyer) == ["details", "orders", "notifications"]
    assert sections(support, sold.seller) == ["details", "orders", "sales", "notifications"]


def test_a_superuser_sees_listings_money_and_staff_actions(staff_browser, sold):
    Payout.objects.create(seller=sold.seller, phone="254722000000", amount=100, gross=100)

    assert sections(staff_browser, sold.seller) == [
        "details",
        "orders",
        "sales",
        "listings",
        "balance",
        "payouts",
        "notifications",
        "staff",
    ]


@pytest.mark.parametrize(
    ("permission", "section"),
    [
        ("view_order", "orders"),
        ("view_order", "sales"),
        ("view_product", "listings"),
        ("view_payout", "balance"),
        ("view_problem", "problems"),
        ("view_message", "notifications"),
        ("view_audit", "staff"),
    ],
)
def test_each_section_is_for_its_permission_alone(sold, permission, section):
    open_problem(sold.pk, buyer=sold.buyer, kind="damaged", text="Dented.")

    seen = sections(with_permissions("view_user", permission), sold.seller)

    assert section in seen
    assert section not in sections(with_permissions("view_user"), sold.seller)


@pytest.mark.parametrize("role", ["finance", "catalogue", "delivery"])
def test_no_other_role_opens_a_person(role, buyer):
    assert browser_of(in_role(role)).get(row_url(buyer)).status_code == 403


def test_orders_and_sales_lead_to_their_pages(support, sold):
    (bought,) = cells(support, sold.buyer, "orders")
    (line,) = cells(support, sold.seller, "sales")

    assert bought[0] == f'<a href="{row_url(sold.order)}">{sold.order.reference}</a>'
    assert "Paid" in bought[1]
    assert bought[2] == "KES 3,000"
    assert bought[3].endswith(">0712 345 678</a>")
    assert line[0] == f'<a href="{row_url(sold)}">2 × Kettle</a>'
    assert line[1] == f'<a href="{row_url(sold.order)}">{sold.order.reference}</a>'
    assert "Fetched" in line[2]


def test_a_balance_says_what_is_owed_and_what_of_it_waits(staff_browser, sold):
    told = facts(staff_browser, sold.seller, "balance")

    assert (told["Owed to the seller"], told["To be sent"]) == ("KES 3,000", "KES 3,000")
    assert told["Of that, withheld for problems"] == "KES 0"

    open_problem(sold.pk, buyer=sold.buyer, kind="damaged", text="Dented.")

    assert (
        facts(staff_browser, sold.seller, "balance")["Of that, withheld for problems"]
        == "KES 3,000"
    )


def test_a_person_without_sales_has_no_balance(staff_browser, buyer):
    assert "balance" not in sections(staff_browser, buyer)


def test_problems_are_listed_as_buyer_and_as_seller(support, sold):
    open_problem(sold.pk, buyer=sold.buyer, kind="damaged", text="Dented.")

    assert [row[1:3] for row in cells(support, sold.buyer, "problems")] == [["buyer", "2 × Kettle"]]
    assert [row[1:3] for row in cells(support, sold.seller, "problems")] == [
        ["seller", "2 × Kettle"]
    ]


def test_a_notification_is_resent_from_the_persons_page(support, sale):
    message = message_of(sale, state="failed", reason="No such subscriber")

    (told,) = content(support, sale.buyer, "notifications").of["messages"]

    assert told["buttons"].row == message
    assert "No such subscriber" in page(support, sale.buyer)


def test_staff_actions_about_a_person_are_listed(staff_browser, staff, buyer):
    log(
        staff,
        "Sign these people out everywhere",
        buyer,
        action="accounts.user.sign_out",
        why="Her phone was stolen",
    )

    ((what, who, why, _),) = cells(staff_browser, buyer, "staff")

    assert "Sign these people out everywhere" in what
    assert (who, why) == (f'<a href="{row_url(staff)}">boss</a>', "Her phone was stolen")


def test_support_signs_somebody_out_and_comes_back(support, buyer):
    here = row_url(buyer)
    assert buttons(support, buyer) == ["sign_out", "let_try_again"]

    form = {"action": "sign_out", "_selected_action": buyer.pk, "from_page": here}
    done = support.post("/admin/accounts/user/", {**form, "said": "yes", "why": "She asked"})

    assert done["Location"] == here


def test_a_second_factor_is_taken_away_only_where_there_is_one(staff_browser, buyer):
    assert buttons(staff_browser, buyer) == ["sign_out", "let_try_again", "close"]

    User.objects.filter(pk=buyer.pk).update(second_factor_at=timezone.now())

    assert "take_second_factor_away" in buttons(staff_browser, buyer)


def press(client, action, person):
    here = row_url(person)
    form = {"action": action, "_selected_action": person.pk, "from_page": here, "said": "yes"}
    answer = client.post("/admin/accounts/user/", {**form, "why": "They left"}, follow=True)
    person.refresh_from_db()
    return " ".join(str(each) for each in answer.context["messages"])


def test_a_superuser_closes_an_account_by_a_button_and_opens_it_again(staff_browser, buyer):
    tokens.issue(buyer)

    told = press(staff_browser, "close", buyer)

    assert "1 of 1 done" in told
    assert not buyer.is_active
    assert not tokens.open_sessions(buyer).exists()
    assert buttons(staff_browser, buyer) == ["sign_out", "let_try_again", "reopen"]

    press(staff_browser, "reopen", buyer)

    assert buyer.is_active


def test_nobody_closes_their_own_account_or_that_of_a_colleague_above_them(staff, staff_browser):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    colleague = UserFactory(is_staff=True)

    own = press(staff_browser, "close", staff)
    theirs = press(browser_of(clerk), "close", colleague)

    assert "0 of 1 done" in own
    assert "Only a superuser can change a staff account." in theirs
    assert staff.is_active
    assert colleague.is_active


def test_a_deleted_account_is_not_opened_again(staff_browser, buyer):
    User.objects.filter(pk=buyer.pk).update(
        username=f"#{buyer.pk}", email="", first_name="", is_active=False, erased_at=timezone.now()
    )

    press(staff_browser, "reopen", buyer)

    assert not buyer.is_active


def test_password_and_powers_are_closed_until_somebody_asks(staff_browser, buyer):
    fieldsets = staff_browser.get(row_url(buyer)).context["adminform"].fieldsets

    closed = {name: options for name, options in fieldsets if "collapse" in options["classes"]}

    assert len(closed) == len(fieldsets)
    assert "password" in closed["Password and permissions"]["fields"]


def test_the_newest_ten_are_shown_and_the_list_has_the_others(support, buyer):
    product = ProductFactory(item_number=50)
    orders = [an_order(buyer, (product, 1)) for _ in range(2)]
    first = paid_line(UserFactory(), product)
    for _ in range(11):
        OrderTrack.objects.create(
            order=an_order(UserFactory(), (ProductFactory(), 1)),
            buyer=buyer,
            product=product,
            seller=product.seller,
            name="Kettle",
            number=1,
            price=1,
            amount=1,
            payment_mpesa_number="254712345601",
        )

    told = content(support, product.seller, "sales")

    assert len(told.rows) == 10
    assert told.more.url == f"/admin/orders/ordertrack/?seller={product.seller_id}"
    assert support.get(told.more.url).context["cl"].result_count == 12 + len(orders)
    assert first.name not in [row[0] for row in told.rows]
    assert content(support, buyer, "orders").more is None


@pytest.mark.parametrize(("role", "most"), [("support", 15), ("superuser", 22)])
def test_a_person_with_many_sales_costs_what_one_with_few_does(
    sold, role, most, django_assert_num_queries
):
    who = UserFactory(is_staff=True, is_superuser=True) if role == "superuser" else in_role(role)
    client = browser_of(who)
    Payout.objects.create(seller=sold.seller, phone="254722000000", amount=100, gross=100)
    open_problem(sold.pk, buyer=sold.buyer, kind="damaged", text="Dented.")
    client.get(row_url(sold.seller))
    with django_assert_num_queries(most):
        client.get(row_url(sold.seller))

    for _ in range(12):
        paid_line(UserFactory(), ProductFactory(seller=sold.seller))
        Payout.objects.create(seller=sold.seller, phone="254722000000", amount=100, gross=100)
    with django_assert_num_queries(most) as seen:
        client.get(row_url(sold.seller))

    assert not any("COUNT(" in query["sql"] for query in seen.captured_queries)
