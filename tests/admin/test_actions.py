"""Staff actions call services and are audited."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError

from accounts.backoffice.actions import StaffAction, perform
from accounts.models import Audit
from omachemainproj.api.errors import Refusal
from orders.models import Order
from payments.models import GatewayEvent
from products.models import Product
from tests.factories import ProductFactory
from tests.shopping import paid_line

from .browsers import list_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def act(staff_browser, name, *rows, why="The buyer called"):
    return staff_browser.post(
        list_url(type(rows[0])),
        {
            "action": name,
            "_selected_action": [row.pk for row in rows],
            **({"said": "yes", "why": why} if why is not None else {}),
        },
        follow=True,
    )


def test_staff_cancel_an_unpaid_order_and_its_goods_are_free(staff_browser, staff, unpaid, kettle):
    act(staff_browser, "cancel", unpaid)

    unpaid.refresh_from_db()
    kettle.refresh_from_db()
    entry = LogEntry.objects.get()
    assert unpaid.payment_status == "cancelled"
    assert (kettle.item_number, kettle.held) == (5, 0)
    assert entry.user == staff
    assert entry.get_change_message().endswith("Why: The buyer called")
    kept = Audit.objects.get()
    assert (kept.actor, kept.why, kept.object_id) == (staff, "The buyer called", str(unpaid.pk))
    assert kept.changes == {
        "payment_status": ["requested", "cancelled"],
        "cancelled_by": ["", "staff"],
    }


@pytest.mark.parametrize("why", [None, "", "x"])
def test_nothing_is_done_without_a_reason(staff_browser, unpaid, why):
    response = act(staff_browser, "cancel", unpaid, why=why)

    unpaid.refresh_from_db()
    assert unpaid.payment_status == "requested"
    assert 'name="why"' in response.content.decode()
    assert not Audit.objects.exists()


@pytest.mark.parametrize("bar", [0, 1], ids=["above the list", "below the list"])
def test_an_action_is_chosen_above_or_below_the_list(staff_browser, unpaid, bar):
    chosen = ["", ""]
    chosen[bar] = "cancel"

    page = staff_browser.post(
        list_url(Order), {"action": chosen, "index": bar, "_selected_action": [unpaid.pk]}
    ).content.decode()

    assert '<input type="hidden" name="action" value="cancel">' in page


def test_closing_a_sellers_account_takes_their_goods_off_sale(
    staff_browser, client, kettle, monkeypatch
):
    monkeypatch.setattr("products.listings.services.UNLISTED_AT_ONCE", 1)
    ProductFactory(seller=kettle.seller)
    anothers = ProductFactory()
    asked = act(staff_browser, "close", kettle.seller, why=None).content.decode()

    act(staff_browser, "close", kettle.seller)

    assert "What they sell is taken off sale" in asked
    assert list(Product.objects.listed()) == [anothers]
    assert client.get(f"/product/{kettle.pk}/").status_code == 404


def test_the_goods_of_a_closed_account_are_listed_again_once_it_is_open(staff_browser, kettle):
    act(staff_browser, "close", kettle.seller)
    refused = act(staff_browser, "show", kettle).content.decode()
    act(staff_browser, "reopen", kettle.seller)
    is_listed = Product.objects.get().listed

    act(staff_browser, "show", kettle)

    assert "Its seller&#x27;s account is closed." in refused
    assert (is_listed, Product.objects.get().listed) == (False, True)


def test_an_order_of_a_closed_seller_goes_on(staff_browser, buyer, kettle):
    line = paid_line(buyer, kettle)

    act(staff_browser, "close", kettle.seller)

    line.refresh_from_db()
    assert (line.track_status, Product.objects.get().item_number) == ("paid", 4)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["update", "delete"])
def test_the_audit_is_only_added_to(staff_browser, unpaid, way):
    act(staff_browser, "cancel", unpaid)

    with pytest.raises(IntegrityError):
        Audit.objects.update(why="x") if way == "update" else Audit.objects.all().delete()

    assert Audit.objects.get().why == "The buyer called"


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_nobody_changes_the_audit_in_the_admin(staff_browser, unpaid, verb):
    act(staff_browser, "cancel", unpaid)
    kept = Audit.objects.get()

    answer = staff_browser.post(
        f"/admin/accounts/audit/{kept.pk}/{verb}/", {"why": "x", "post": "yes"}
    )

    assert answer.status_code == 403
    assert Audit.objects.get().why == "The buyer called"


def test_a_form_keeps_each_value_before_and_after(staff_browser, staff, buyer):
    staff_browser.post(
        f"/admin/accounts/user/{buyer.pk}/change/",
        {"username": "wanjiku", "first_name": "Helped", "is_active": "on"},
    )

    kept = Audit.objects.get()
    assert (kept.actor, kept.did, kept.object_name) == (staff, "Changed", "wanjiku")
    assert kept.changes == {"first_name": ["", "Helped"]}


def test_a_paid_order_is_not_cancelled_and_staff_are_told_why(staff_browser, sale):
    response = act(staff_browser, "cancel", sale)

    sale.refresh_from_db()
    assert sale.payment_status == "paid"
    assert "no longer waiting" in response.content.decode()


def reword(payment, given, by):
    payment.result_text = "Looked into"
    payment.save()
    if given["is_refused"]:
        raise Refusal("Not this one.")


@pytest.mark.parametrize(
    ("how", "recorded", "text"),
    [
        ({}, [], "Paid"),
        ({"own_transaction": True}, [], "Looked into"),
        ({"calls_gateway": True}, [("Reword (is refused)", {})], "Looked into"),
    ],
)
def test_what_stays_of_an_action_that_is_refused(staff, sale, how, recorded, text):
    payment, given = sale.payments.get(), {"why": "The buyer called", "is_refused": True}

    with pytest.raises(Refusal):
        perform(StaffAction("Reword", reword, **how), payment, given, by=staff)

    payment.refresh_from_db()
    assert payment.result_text == text
    assert list(Audit.objects.values_list("did", "changes")) == recorded


@pytest.mark.parametrize(
    ("how", "recorded"),
    [
        ({}, [("Reword", True)]),
        ({"own_transaction": True}, [("Reword", True)]),
        ({"calls_gateway": True}, [("Reword", False), ("Result: Reword", True)]),
    ],
)
def test_what_an_action_changed_is_on_record(staff, sale, how, recorded):
    payment, given = sale.payments.get(), {"why": "The buyer called", "is_refused": False}

    perform(StaffAction("Reword", reword, **how), payment, given, by=staff)

    changes = {"result_text": ["Paid", "Looked into"]}
    kept = Audit.objects.order_by("pk").values_list("did", "changes")
    assert list(kept) == [(did, changes if changed else {}) for did, changed in recorded]


def test_staff_send_another_prompt(staff_browser, unpaid):
    act(staff_browser, "ring", unpaid)

    assert [payment.live for payment in unpaid.payments.order_by("pk")] == [False, True]


def test_a_message_that_could_not_be_read_is_acted_on_again(staff_browser, sale):
    event = GatewayEvent.objects.create(body=b"not json", sha256="0" * 64, state="unreadable")

    act(staff_browser, "reapply", event)

    event.refresh_from_db()
    assert event.state == "unreadable"
    assert event.note != ""


def test_asking_about_a_payment_that_has_ended_changes_nothing(staff_browser, sale):
    act(staff_browser, "ask", sale.payments.get())

    assert Order.objects.get().payment_status == "paid"
