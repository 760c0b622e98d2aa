"""The pages of lines, receipts, prompts, refunds and payouts: their facts and links to orders."""

import pytest

from orders.fulfilment import move_line
from payments.backoffice.kinds import console_page
from payments.models import LedgerPosting, Payout, Receipt, SellerShare
from tests.factories import UserFactory
from tests.shopping import paid_line

from . import cases
from .browsers import browser_of, in_role, row_url
from .pages import content, facts, links, page

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def test_a_line_a_receipt_and_a_prompt_link_to_their_order(staff_browser, sale):
    name, here = f"Order {sale.reference}", row_url(sale)

    for row in (sale.tracks.get(), sale.payments.get(), Receipt.objects.get()):
        assert links(staff_browser, row)[name] == here


def test_a_refund_a_payout_and_earnings_link_to_their_order(staff_browser, buyer, kettle, daraja):
    line = paid_line(buyer, kettle)
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    payout = Payout.objects.create(
        seller=line.seller, phone="254712345601", amount=1500, gross=1500
    )
    line.seller_share.payout = payout
    line.seller_share.save()
    refund = cases.owed_refund()

    assert links(staff_browser, refund)[f"Order {refund.order}"] == row_url(refund.order)
    assert links(staff_browser, payout)[f"Order {line.order}"] == row_url(line.order)
    assert links(staff_browser, line.seller_share)[f"Order {line.order}"] == row_url(line.order)


def test_for_finance_the_link_is_to_the_orders_history_on_the_console(sale):
    client = browser_of(in_role("finance"))

    found = links(client, Receipt.objects.get())

    assert found == {
        f"Order {sale.reference}": f"/admin/payments/console/order/{sale.pk}/",
        "History and actions": console_page(Receipt.objects.get()),
    }
    assert client.get(found[f"Order {sale.reference}"]).status_code == 200


def test_for_delivery_agents_there_is_no_link_to_the_order(sale):
    assert links(browser_of(in_role("delivery")), sale.tracks.get()) == {}


def test_a_lines_page_shows_its_buyer_only_to_people_who_may_see_orders(support, sale):
    line = sale.tracks.get()
    agent = browser_of(in_role("delivery"))

    told = facts(support, line, "summary")
    seen = facts(agent, line, "summary")

    assert told["Price"] == "2 × KES 1,500 = KES 3,000"
    assert told["Buyer"] == f'<a href="{row_url(sale.buyer)}">wanjiku</a>'
    assert list(seen) == ["lead", "Goods", "Price", "Since", "Seller"]
    assert "wanjiku" not in page(agent, line)
    assert "0722 000 000" not in page(agent, line)


def test_a_lines_page_shows_its_steps(support, sale):
    line = sale.tracks.get()
    boss = UserFactory(username="boss", is_superuser=True)
    move_line(line.pk, "fetched", actor=boss, note="Rider Otieno")

    fetched, paid = content(support, line, "steps").rows[:2]

    assert fetched[0] == "Fetched"
    assert fetched[2] == "Rider Otieno"
    assert paid[:2] == ("To fetch", "the shop")


def test_a_receipts_page_shows_its_evidence_and_a_prompts_its_receipts(staff_browser, sale):
    receipt = Receipt.objects.get()

    assert content(staff_browser, receipt, "evidence").rows[-1][1:4] == (
        "callback of the prompt",
        "KES 3,000",
        "TKB1234567",
    )
    assert content(staff_browser, receipt, "refunds").rows == []
    ((number, amount, *_),) = content(staff_browser, sale.payments.get(), "receipts").rows
    assert (">TKB1234567</a>" in number, amount) == (True, "KES 3,000")


def test_a_payouts_page_shows_its_earnings_and_a_postings_its_entries(staff_browser, buyer, kettle):
    line = paid_line(buyer, kettle)
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    payout = Payout.objects.create(
        seller=line.seller, phone="254712345601", amount=1500, gross=1500
    )
    SellerShare.objects.update(payout=payout)

    ((goods, *sums, _),) = content(staff_browser, payout, "shares").rows
    entries = content(staff_browser, LedgerPosting.objects.first(), "entries").rows

    assert "1 × Kettle" in goods
    assert sums == ["KES 1,500", "KES 0", "KES 1,500"]
    assert [row[2] for row in entries] == ["KES 1,500", "KES 1,500"]
