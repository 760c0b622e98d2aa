"""The start page and the sidebar: sections by job, permissions, and pages that are closed."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission

from accounts.backoffice import audit, sidebar
from accounts.backoffice.error_pages import permissions_for
from accounts.backoffice.sidebar import PAGES, SIDEBAR, ModelList
from accounts.models import Audit
from orders.models import DeliveryRate, OrderTrack
from payments.backoffice.dashboard.panels import PANELS
from payments.models import LedgerPosting
from tests.factories import UserFactory

from .browsers import browser_of, in_role, list_url, row_url

pytestmark = pytest.mark.django_db

#: By role: the sections, and what is in each, in order.
SEES = {
    "support": {
        "Overview": ["Needs attention", "Approvals", "How the shop is doing"],
        "Orders": ["Orders", "Order lines", "Problems with goods"],
        "Deliveries": ["Parcels"],
        "People": ["People"],
        "Messages": ["Messages to people"],
    },
    "finance": {
        "Overview": ["Needs attention", "Approvals", "How the shop is doing"],
        "Orders": ["Problems with goods"],
        "Money": [
            "Money in",
            "Payment attempts",
            "Refunds",
            "Payouts",
            "Seller earnings",
            "Payout stops",
            "Unexplained withdrawals",
            "Paid out, by day",
            "Refunded, by day",
        ],
        "System": [
            "Gateway messages",
            "M-Pesa’s statement",
            "Portal statements",
            "Postings",
            "Ledger entries",
        ],
    },
    "catalogue": {
        "Overview": ["How the shop is doing"],
        "Goods": ["Products", "Reviews", "Stock movements"],
    },
    "delivery": {
        "Overview": ["Approvals"],
        "Orders": ["Order lines"],
        "Deliveries": ["Parcels", "Pick-up points", "Delivery rates"],
    },
}


def shown(client):
    answer = client.get("/admin/")
    return {
        section["name"]: [held["name"] for held in section["models"]]
        for section in answer.context["app_list"]
    }


@pytest.mark.parametrize("role", SEES)
def test_a_role_sees_its_sections_in_the_order_of_its_jobs(role):
    seen = shown(browser_of(in_role(role)))

    assert seen == SEES[role]
    assert list(seen) == list(SEES[role])


def test_a_superuser_sees_every_section_the_system_last(staff_browser):
    assert list(shown(staff_browser)) == [
        "Overview",
        "Orders",
        "Deliveries",
        "Goods",
        "People",
        "Money",
        "Messages",
        "System",
    ]


def test_every_registered_model_is_in_exactly_one_section():
    held = [
        each.model for section in SIDEBAR for each in section.entries if isinstance(each, ModelList)
    ]
    registered = {model._meta.label for model in admin.site._registry}

    assert len(held) == len(set(held))
    assert registered == set(held)


def test_a_list_without_a_section_is_in_the_last_one(staff_browser, monkeypatch):
    monkeypatch.delitem(sidebar._LISTS, "products.Review")

    seen = shown(staff_browser)

    assert seen["System"][-1] == "Reviews"
    assert "Reviews" not in seen["Goods"]


def test_each_section_of_the_start_page_has_an_anchor(staff_browser):
    page = staff_browser.get("/admin/").content.decode()

    assert [section.key for section in SIDEBAR if f'id="{section.key}"' not in page] == []


def test_whoever_sees_a_panel_of_the_dashboard_finds_the_dashboard():
    assert set(PAGES["dashboard"].permissions) == {panel.permission for panel in PANELS}


def test_the_start_page_says_what_one_did_last_in_people_s_words(staff_browser, staff, sale):
    line = sale.tracks.get()
    LogEntry.objects.log_actions(
        staff.pk, [line], CHANGE, change_message="Fetched.", single_object=True
    )

    page = " ".join(staff_browser.get("/admin/").content.decode().split())

    assert f'Fetched. <a href="{row_url(line)}">{line}</a>' in page
    assert "Order line, <time" in page


def test_a_history_without_entries_says_so_in_people_s_words(staff_browser, sale):
    page = staff_browser.get(f"/admin/orders/order/{sale.pk}/history/").content.decode()

    assert "No staff member has changed this in the admin." in page
    assert '<a href="/admin/orders/order/">Orders</a>' in page


def test_the_record_tells_each_value_before_and_after_in_words(staff_browser, staff, sale):
    changes = {"is_open": [True, False], "tries": [None, 1]}
    audit.log(staff, "Changed", sale, action=audit.CHANGED, changes=changes)

    page = staff_browser.get(row_url(Audit.objects.latest("pk"))).content.decode()

    assert "<p>Open: yes → no</p>" in page
    assert "<p>Tries: 1</p>" in page
    assert "Orders | order" not in staff_browser.get(list_url(Audit)).content.decode()


def test_a_list_is_called_what_the_sidebar_calls_it(staff_browser):
    answer = staff_browser.get(list_url(OrderTrack))

    page = answer.content.decode()
    assert answer.context["title"] == "Order lines"
    assert '<a href="/admin/orders/order/">Orders</a>' in page
    assert "order track" not in page.lower()


def test_view_site_opens_the_storefront(staff_browser):
    assert '<a href="/shop/">View site</a>' in staff_browser.get("/admin/").content.decode()


def test_the_admin_has_an_icon_before_log_in_too(client):
    page = client.get("/admin/login/").content.decode()

    assert '<link rel="icon" href="/static/omachemainproj/icon.svg"' in page


def test_staff_without_a_role_are_told_that_they_have_none():
    page = browser_of(UserFactory(is_staff=True)).get("/admin/").content.decode()

    assert "You have no role yet" in page


def test_a_closed_page_says_which_role_it_takes_and_leads_back(sale):
    answer = browser_of(in_role("catalogue")).get(row_url(sale))

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This page is for the role <strong>support</strong>. Your roles: catalogue." in page
    assert 'href="/admin/">Back to the start page</a>' in page


@pytest.mark.parametrize(
    ("role", "path", "says"),
    [
        ("delivery", "/admin/payments/console/", "<strong>support</strong> or"),
        ("delivery", "/admin/dashboard/", "<strong>finance</strong> or"),
        ("finance", "/admin/deliveries/", "<strong>support</strong> or"),
        ("catalogue", "/admin/payments/console/receipt/1/", "<strong>finance</strong>"),
        ("support", "/admin/payments/payout/", "<strong>finance</strong>"),
        ("support", "/admin/auth/group/", "Only a superuser can see this page"),
    ],
)
def test_every_closed_page_names_who_may_open_it(role, path, says):
    answer = browser_of(in_role(role)).get(path)

    assert answer.status_code == 403
    assert says in answer.content.decode()


def test_a_superuser_is_told_what_cannot_be_done_manually(staff_browser, sale):
    answer = staff_browser.post(row_url(sale).replace("change", "delete"), {"post": "yes"})

    assert answer.status_code == 403
    assert "Nobody can do this manually" in answer.content.decode()


def test_an_address_without_a_page_leads_back(staff_browser):
    answer = staff_browser.get("/admin/payments/console/nothing/1/")

    assert answer.status_code == 404
    assert "Back to the start page" in answer.content.decode()


def test_the_page_names_no_roles_to_users_who_are_not_staff(client, buyer):
    client.force_login(buyer, backend="accounts.backends.UsernameOrEmailBackend")

    answer = client.get("/admin/nothing/")

    assert "role" not in answer.content.decode()


@pytest.mark.parametrize(
    ("url_name", "method", "needed"),
    [
        ("orders_order_changelist", "GET", "orders.view_order"),
        ("orders_ordertrack_change", "GET", "orders.view_ordertrack"),
        ("products_product_change", "POST", "products.change_product"),
        ("orders_pickuppoint_add", "GET", "orders.add_pickuppoint"),
        ("orders_deliveryrate_delete", "POST", "orders.delete_deliveryrate"),
        ("parcels-act", "POST", "orders.move_track"),
        ("console-timeline", "GET", "payments.view_receipt"),
    ],
)
def test_a_page_asks_for_the_permission_of_what_it_does(url_name, method, needed):
    assert needed in permissions_for(url_name, method)


def test_a_form_and_a_page_are_called_what_they_show(staff_browser, sale):
    def title(path):
        return re.search(r"<h1>(.*?)</h1>", staff_browser.get(path).content.decode())[1]

    person = sale.buyer
    posting = LedgerPosting.objects.latest("pk")

    assert title("/admin/orders/pickuppoint/add/") == "New pick-up point"
    assert title(row_url(posting)) == f"Posting {posting}"
    assert title(f"/admin/accounts/user/{person.pk}/history/") == "Audit log of wanjiku"
    assert title(f"/admin/accounts/user/{person.pk}/password/") == "Set a password for wanjiku"
    assert title("/admin/password_change/") == "Change your password"


def test_the_breadcrumbs_name_each_step_once(staff_browser, sale):
    def steps(path):
        page = staff_browser.get(path).content.decode()
        trail = re.search(r'<div class="breadcrumbs">(.*?)</div>', page, re.DOTALL)[1]
        return [step.strip() for step in re.sub("<[^>]*>", "", trail).split("&rsaquo;")]

    line = sale.tracks.get()

    assert steps("/admin/orders/order/") == ["Home", "Orders"]
    assert steps(row_url(sale)) == ["Home", "Orders", str(sale)]
    assert steps(list_url(OrderTrack)) == ["Home", "Orders", "Order lines"]
    assert steps(row_url(line)) == ["Home", "Orders", "Order lines", str(line)]
    assert steps("/admin/orders/pickuppoint/add/") == [
        "Home",
        "Deliveries",
        "Pick-up points",
        "New",
    ]
    assert steps(f"/admin/accounts/user/{sale.buyer.pk}/history/") == [
        "Home",
        "People",
        "wanjiku",
        "History",
    ]


def test_the_breadcrumbs_lead_to_no_list_that_the_reader_may_not_see():
    adder = UserFactory(is_staff=True)
    adder.user_permissions.add(Permission.objects.get(codename="add_pickuppoint"))

    page = browser_of(adder).get("/admin/orders/pickuppoint/add/").content.decode()

    trail = re.search(r'<div class="breadcrumbs">(.*?)</div>', page, re.DOTALL)[1]
    assert "Pick-up points" in trail
    assert 'href="/admin/orders/pickuppoint/"' not in trail


@pytest.mark.parametrize(
    ("path", "django_s"),
    [
        ("/admin/orders/deliveryrate/add/", "---------"),
        ("/admin/orders/order/", "---------"),
        ("/admin/password_change/", "for security’s sake"),
        ("/admin/password_change/done/", "successful"),
    ],
)
def test_nothing_is_said_in_django_s_words(staff_browser, sale, path, django_s):
    assert django_s not in staff_browser.get(path).content.decode()


def test_a_deletion_asks_for_confirmation_with_what_is_deleted(staff_browser):
    rate = DeliveryRate.objects.create(county="kisumu", way="home", fee=300, days=2)

    page = staff_browser.get(f"/admin/orders/deliveryrate/{rate.pk}/delete/").content.decode()
    staff_browser.post(f"/admin/orders/deliveryrate/{rate.pk}/delete/", {"post": "yes"})

    assert "This cannot be undone." in page
    assert "Are you sure" not in page
    assert not DeliveryRate.objects.filter(pk=rate.pk).exists()


def test_the_log_in_page_has_a_heading_and_the_last_page_thanks_nobody(client, staff_browser):
    assert '<h1 class="visually-hidden">Log in</h1>' in client.get("/admin/login/").content.decode()
    assert "quality time" not in staff_browser.post("/admin/logout/").content.decode()


def test_the_record_names_rows_choices_times_and_sums_as_pages_do(staff_browser, staff, sale):
    line = sale.tracks.get()
    audit.log(
        staff,
        "Changed",
        line,
        action=audit.CHANGED,
        changes={
            "track_status": ["paid", "fetched"],
            "updated_at": [None, "2026-11-28T22:05:00.123+00:00"],
            "amount": [3000, 2000],
            "payment_mpesa_number": [None, "254712345601"],
            "seller": [line.seller_id, 999_999],
        },
    )

    page = staff_browser.get(row_url(Audit.objects.latest("pk"))).content.decode()

    assert "<p>Status: to fetch → fetched</p>" in page
    assert "<p>Changed: 29 Nov 2026, 01:05</p>" in page
    assert "<p>Amount: KES 3,000 → KES 2,000</p>" in page
    assert "<p>Seller’s payout number: 0712 345 601</p>" in page
    assert f"<p>Seller: {line.seller} → 999999 (deleted)</p>" in page


def test_a_phone_in_the_record_is_written_as_people_dial_it(staff_browser, staff, sale):
    did = "Send it elsewhere (254712345601, TKB254712345601)"
    audit.log_with_history(staff, did, sale, action="console.payout.send", why="Asked to")
    audit.log(staff, did, sale.buyer, action="console.payout.send")
    deed = Audit.objects.filter(object_id=str(sale.pk)).latest("pk")

    for path in (
        list_url(Audit),
        row_url(deed),
        row_url(sale),
        row_url(sale.buyer),
        f"/admin/orders/order/{sale.pk}/history/",
    ):
        page = staff_browser.get(path).content.decode()
        assert "elsewhere (0712 345 601, TKB254712345601)" in page, path
        assert "(254712345601" not in page, path
    # What is done later looks for it as it was kept.
    assert deed.did == did


def test_whoever_bought_cannot_be_deleted_and_the_page_says_what_shuts_them_out(
    staff_browser, sale
):
    page = staff_browser.get(f"/admin/accounts/user/{sale.buyer_id}/delete/").content.decode()

    assert "It cannot be deleted: records required for the books would be deleted with it." in page
    assert "To shut them out, use <strong>Close their account</strong> on their page." in page
    assert 'value="Delete it"' not in page
