"""Orders are found by anything that a caller can read out."""

import pytest

from accounts.backoffice import audit
from accounts.models import Audit
from orders.models import Order, OrderTrack
from payments.models import GatewayEvent, OrderPayment, Receipt
from products import admin_search
from products.catalogue.search import REACHES, SearchPlan
from products.models import Product
from tests.factories import ProductFactory, UserFactory

from .browsers import list_url

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

SPELLINGS = {
    "its token": lambda order: str(order.order_token),
    "its reference": lambda order: order.reference,
    "its reference in small letters, with a space": lambda order: (
        order.reference[:4] + " " + order.reference[4:].lower()
    ),
    "its phone as people write it": lambda order: "0712 345 678",
    "its buyer": lambda order: "Wanjiku",
    "its receipt": lambda order: "tkb1234567",
    "its token out of a message": lambda order: f"\u2068{order.order_token}\u2069\u200b",
    "its reference in wide letters": lambda order: "".join(
        chr(ord(letter) + 0xFEE0) for letter in order.reference
    ),
    "its phone out of a chat": lambda order: "\u2068+254\u00a0712\u2009345\u202f678\u2069",
    "its buyer out of a chat": lambda order: "\u2068Wan\u00adjiku\u2069",
}
PASTED_RECEIPTS = [
    "\u2068TKB 1234567\u2069",
    "ＴＫＢ１２３４５６７",
    "tkb\u200b1234567",
    "TKB1234567 Confirmed. Ksh1,500.00 sent to O-MACHE",
]


@pytest.mark.parametrize("model", [Order, OrderPayment, Receipt, GatewayEvent])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_sale_is_found_by(staff_browser, sale, model, spelling):
    response = staff_browser.get(list_url(model), {"q": SPELLINGS[spelling](sale)})

    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize(
    "spelling", [spelling for spelling in SPELLINGS if spelling != "its receipt"]
)
def test_the_list_of_lines_finds_an_orders_lines_by(staff_browser, sale, spelling):
    response = staff_browser.get(list_url(OrderTrack), {"q": SPELLINGS[spelling](sale)})

    assert response.context["cl"].result_count == sale.tracks.count() > 0


@pytest.mark.parametrize("typed", PASTED_RECEIPTS)
def test_a_receipt_is_found_as_it_was_pasted(staff_browser, sale, typed):
    response = staff_browser.get(list_url(Receipt), {"q": typed})

    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize("typed", ["nothing like it", "0799999999", "%", "2" * 400])
def test_what_matches_nothing_finds_nothing(staff_browser, sale, typed):
    response = staff_browser.get(list_url(Order), {"q": typed})

    assert response.context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("clerk", {"Looked", "Changed"}),
        ("CLERK", {"Looked", "Changed"}),
        ("{sale}", {"Looked", "Hid"}),
        ("clerk {sale}", {"Looked"}),
        ("nobody", set()),
    ],
)
def test_what_staff_did_is_found_by_who_did_it_and_by_what_it_was_done_to(
    staff_browser, staff, sale, typed, found
):
    clerk, other = UserFactory(username="clerk", is_staff=True), UserFactory(pk=10_001)
    for who, did, row in ((clerk, "Looked", sale), (staff, "Hid", sale), (clerk, "Changed", other)):
        audit.log(who, did, row, action=audit.CHANGED)

    rows = (
        staff_browser.get(list_url(Audit), {"q": typed.format(sale=sale.pk)})
        .context["cl"]
        .result_list
    )

    assert {row.did for row in rows} == found


def test_products_are_listed_by_whole_words_and_else_by_how_words_begin(staff_browser, seller):
    sam, _ = ProductFactory(name="Sam stool"), ProductFactory(name="Samsung Galaxy")
    _, both = ProductFactory(name="Kettle, small"), ProductFactory(name="Kettle holder, smaller")

    def found(words):
        page = staff_browser.get(list_url(Product), {"q": words})
        return [row.name for row in page.context["cl"].result_list]

    assert found("sam") == [sam.name]
    assert found("samsun") == ["Samsung Galaxy"]
    assert found("kettle small") == ["Kettle, small"]
    assert found("kett hold") == [both.name]
    assert found("kettle radio") == []
    assert len(found("%")) == 4


def test_a_long_list_of_words_is_looked_for_once(staff_browser, seller, monkeypatch):
    """Among the latest of a large shop are fewer than a list of a thousand wants."""
    ProductFactory(name="Kettle")
    monkeypatch.setattr(
        admin_search, "plan_for", lambda query: SearchPlan(is_scan=False, reaches=REACHES)
    )
    monkeypatch.setattr(admin_search, "having_dated", lambda *_: pytest.fail("looked in vain"))

    page = staff_browser.get(list_url(Product), {"q": "kettle"})

    assert [row.name for row in page.context["cl"].result_list] == ["Kettle"]
