"""Corruptions of problems and price reductions, as in test_corruptions_of_money.py."""

import pytest
from django.db.models import F

from accounts.backoffice.actions import ACTIONS, perform
from orders.models import Problem
from orders.problems.decisions import Decider, refund_part, withdraw
from payments.models import Payout
from payments.payouts.allocation import create_payouts
from payments.proof import immutable_columns, problems
from payments.proof.prove import RULES, prove
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at
from tests.payments.fakes import FakeDaraja
from tests.problems.conftest import decide, report

from .test_corruptions_of_money import _seen

pytestmark = pytest.mark.django_db

OWN = [
    rule
    for rule in RULES
    if rule.violations.__module__ == problems.__name__
    or (
        rule.violations.__module__ == immutable_columns.__name__
        and "price reduction" in rule.description
    )
]
REDUCED, REFUNDED, DISMISSED, OPEN = (
    f"(SELECT id FROM orders_problem WHERE {which})"
    for which in (
        "outcome = 'reduced'",
        "outcome = 'refunded'",
        "outcome = 'dismissed'",
        "state = 'open'",
    )
)
COMING_BACK = "(SELECT track_id FROM orders_problem WHERE state = 'returning')"
NOBODY = "(SELECT id FROM accounts_user WHERE username = 'nobody')"

#: What is done, and SQL that does it.
CORRUPTIONS = [
    (
        "a dispute ended without its problem",
        "UPDATE orders_ordertrack SET disputed = FALSE WHERE disputed",
    ),
    (
        "a line disputed for nothing",
        "UPDATE orders_ordertrack SET disputed = TRUE WHERE track_status = 'delivered'",
    ),
    (
        "a problem put to another seller",
        f"UPDATE orders_problem SET seller_id = {NOBODY} WHERE id IN {OPEN}",
    ),
    (
        "a problem nobody reported",
        f"UPDATE orders_problemmessage SET author_id = {NOBODY}, party = 'shop'"
        f" WHERE problem_id IN {OPEN}",
    ),
    (
        "words put into a buyer's mouth",
        f"UPDATE orders_problemmessage SET author_id = {NOBODY} WHERE party = 'buyer'",
    ),
    (
        "the seller's words made the shop's",
        "UPDATE orders_problemmessage SET party = 'shop' WHERE party = 'seller'",
    ),
    (
        "the word by which it was decided deleted",
        f"DELETE FROM orders_problemmessage WHERE problem_id IN {DISMISSED} AND decided <> ''",
    ),
    (
        "another named as who decided",
        f"UPDATE orders_problem SET decided_by_id = {NOBODY} WHERE id IN {REFUNDED}",
    ),
    (
        "what the shop closed, refunded on paper",
        f"UPDATE orders_problem SET outcome = 'refunded', refunded = 1000 WHERE id IN {DISMISSED}",
    ),
    (
        "less said to go back",
        f"UPDATE orders_problem SET refunded = refunded - 1 WHERE id IN {REFUNDED}",
    ),
    (
        "less said to go back of a part",
        f"UPDATE orders_problem SET refunded = refunded - 1 WHERE id IN {REDUCED}",
    ),
    (
        "a reduction of more",
        "UPDATE orders_pricereduction SET amount = amount + 1",
    ),
    (
        "a reduction deleted",
        "UPDATE payments_ledgerposting SET event = 'reduction:0' WHERE event LIKE 'reduction:%'",
    ),
    (
        "a reduction deleted, and what it took with it",
        "DELETE FROM orders_pricereduction",
        "UPDATE orders_ordertrack SET reduced = 0",
        "UPDATE payments_sellershare SET reduced = 0, commission_reduced = 0",
    ),
    (
        "a line reduced by more",
        "UPDATE orders_ordertrack SET reduced = reduced + 1 WHERE reduced > 0",
    ),
    (
        "a reduction borne by its seller alone",
        "UPDATE orders_pricereduction SET commission = 0",
        "UPDATE payments_sellershare SET reduced = reduced + commission_reduced,"
        " commission_reduced = 0 WHERE reduced > 0",
    ),
    (
        "a share reduced by less",
        "UPDATE payments_sellershare SET reduced = reduced - 1 WHERE reduced > 0",
    ),
    (
        "what is held back put into a payout",
        "UPDATE payments_sellershare SET payout_id = (SELECT MAX(id) FROM payments_payout"
        f" WHERE status = 'due'), carried = 900 WHERE track_id IN {COMING_BACK}",
    ),
    (
        "a payout that carries nothing of its share",
        "UPDATE payments_sellershare SET carried = 0 WHERE payout_id IS NOT NULL",
    ),
    (
        "what the shop decided, decided nowhere",
        "DELETE FROM accounts_audit WHERE did LIKE 'Close without%'",
    ),
    (
        "goods asked back by nobody",
        "DELETE FROM orders_problemmessage WHERE decided = 'returning'",
    ),
    (
        "a payout kept back by nobody",
        "DELETE FROM accounts_audit WHERE did LIKE 'Put it on hold%'",
    ),
]


@pytest.fixture
def troubled(buyer, seller, settings, monkeypatch):
    """A problem in each state and with each outcome, and a payout on hold."""
    monkeypatch.setattr("payments.gateway.daraja", FakeDaraja)
    settings.COMMISSION_PERCENT = 10
    settings.PAYOUT_APPROVAL_ABOVE = 2000
    UserFactory(username="nobody")

    def wrong(price):
        product = ProductFactory(seller=seller, price=price)
        line = line_at("delivered", buyer=buyer, product=product)
        create_payouts(seller.pk)
        return report(line, buyer, text=f"Broken: {price}")

    clerk, boss = (UserFactory(is_superuser=True, is_staff=True) for _ in range(2))
    wrong(1100)
    decide(wrong(1200), "back", clerk)
    decide(wrong(1300), "refund", clerk)
    decide(wrong(1000), "close", clerk)
    refund_part(wrong(1400).pk, Decider(seller, "seller", "For the lid."), amount=205)
    withdraw(wrong(1500).pk, buyer=buyer)
    line_at("delivered", buyer=buyer, product=ProductFactory(seller=seller, price=3000))
    create_payouts(seller.pk)
    large = Payout.objects.get(status="due", amount__gt=F("approval_above"))
    perform(ACTIONS["console.payout.hold"], large, {"why": "A strange sale"}, by=boss)
    assert Problem.objects.count() == 6


@pytest.mark.long
def test_every_corruption_of_problems_is_seen_or_refused(troubled):
    assert [str(broken) for broken in prove().broken] == []

    seen = {name: _seen(statements, OWN) for name, *statements in CORRUPTIONS}

    assert [name for name, found in seen.items() if not found] == []
    broken = set().union(*seen.values())
    assert [rule.description for rule in OWN if rule.description not in broken] == []
    assert [str(broken) for broken in prove().broken] == []
