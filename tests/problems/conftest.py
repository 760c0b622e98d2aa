"""What every test of problems uses: a line whose goods arrived, and a problem with it."""

import pytest

from accounts.backoffice.actions import ACTIONS, perform
from orders.models import OrderTrack, Problem
from orders.problems.services import open_problem
from payments.payouts.allocation import create_payouts
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role
from tests.guards import balanced_books, no_network_in_transactions  # noqa: F401
from tests.orders.lines import line_at
from tests.payments.fakes import FakeDaraja

WHY = "Seen on the pictures"


@pytest.fixture(autouse=True)
def _watched(balanced_books, no_network_in_transactions):  # noqa: F811
    pass


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    """M-Pesa, which takes whatever it is asked for."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture
def line(buyer, kettle):
    """A kettle at KES 1,500, delivered."""
    return line_at("delivered", buyer=buyer, product=kettle)


@pytest.fixture
def problem(line, buyer):
    """The lid is cracked."""
    return report(line, buyer)


@pytest.fixture
def clerk(db):
    """Somebody of support's."""
    return support()


@pytest.fixture
def sell(buyer, seller):
    """Sell something at this price, at this status; returns the line."""

    def sell(price, status="fetched", number=1):
        product = ProductFactory(seller=seller, price=price)
        line = line_at(status, buyer=buyer, product=product, number=number)
        create_payouts(seller.pk)  # as a worker does after the commit
        return line

    return sell


def support():
    return give_role(UserFactory(is_staff=True), "support")


def report(line, buyer, kind="damaged", text="The lid is cracked.", **more):
    """The buyer reports a problem; it is returned as it is now."""
    opened = open_problem(line.pk, buyer=buyer, kind=kind, text=text, **more)
    return Problem.objects.get(pk=opened.problem.pk)


def decide(problem, key, by, *, why=WHY, **given):
    """Staff press a button of the console; returns the problem as it is then."""
    perform(ACTIONS[f"console.problem.{key}"], problem, {"why": why, **given}, by=by)
    return Problem.objects.get(pk=problem.pk)


def post(person, line, what="", body=None, **more):
    """POST /track/{id}/problem/… by this person."""
    address = f"/track/{line.pk}/problem/{what}"
    return signed_in(person).post(address, body or {}, **more)


def get(person, line, what=""):
    return signed_in(person).get(f"/track/{line.pk}/problem/{what}")


def again(row):
    """The row as the database has it now."""
    return type(row).objects.get(pk=row.pk)


def line_of(problem):
    return OrderTrack.objects.get(problems=problem)
