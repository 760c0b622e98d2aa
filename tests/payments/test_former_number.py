"""The shop changes the number that buyers pay to: M-Pesa's statement of the former one goes on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.daraja.client import StatementPage, StatementRow
from payments.daraja.errors import DarajaRefused
from payments.models import Receipt, Refund, StatementPull
from payments.proof.mpesa_books import compare_with_mpesa
from payments.proof.prove import prove
from payments.reconciliation.portal_statement_import import CannotBeRead
from payments.reconciliation.statement_pull import pull_statement
from payments.shortcodes import reversing_shortcode

from .bodies import by_hand, post, post_c2b, success
from .statements import read, statement

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
FORMER, NEW = "174379", "600999"
PAID, BACK = "SGL7654321", "SGR7654321"
NOTHING = StatementPage((), ())


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """Override: payments are confirmed by the statement here."""


@pytest.fixture
def moved(daraja, settings):
    """The former number's statement was read an hour ago; since then buyers pay to another."""
    pull_statement(NOW - timedelta(hours=7))
    daraja.pulls.clear()
    settings.DARAJA_SHORTCODE = NEW
    return daraja


def shows(daraja, **rows):
    """What the statement of each number shows: a row, or an error that is raised."""

    def answer(pull):
        shown = rows.get(f"of_{pull['shortcode']}", NOTHING)
        if isinstance(shown, Exception):
            raise shown
        is_first = isinstance(shown, StatementRow) and pull["offset"] == 0
        return StatementPage((shown,), ()) if is_first else NOTHING

    daraja.on_pull = answer


def a_payment(reference="nobody", **changed):
    told = {"is_reversal": False, "reverses": "", **changed}
    number = told.pop("number", PAID)
    return StatementRow(number, 3000, NOW, "2547*****678", reference, "Pay Bill", **told)


def numbers_read(daraja):
    return [pull["shortcode"] for pull in daraja.pulls if pull["offset"] == 0]


def pull_of(number):
    return StatementPull.objects.get(shortcode=number)


def test_both_numbers_are_read_each_from_where_it_was_left(moved):
    pull_statement(NOW)

    assert numbers_read(moved) == [FORMER, NEW]
    assert moved.pulls[0]["start"] == NOW - timedelta(hours=8)
    assert moved.pulls[1]["start"] == NOW - timedelta(hours=47, minutes=50)
    assert (pull_of(FORMER).read_until, pull_of(NEW).read_until) == (NOW, NOW)


def test_each_is_read_once_when_it_is_due(moved):
    pull_statement(NOW)
    pull_statement(NOW + timedelta(hours=1))

    assert numbers_read(moved) == [FORMER, NEW]


def test_what_is_still_paid_to_the_former_number_is_found(moved, order):
    shows(moved, of_174379=a_payment(order.reference))

    pull_statement(NOW)

    receipt = Receipt.objects.get()
    assert (receipt.order, receipt.amount) == (order, 3000)
    assert list(receipt.evidence.values_list("source", "shortcode")) == [("statement", FORMER)]
    assert reversing_shortcode(PAID) == FORMER


def test_a_payment_that_is_known_is_confirmed_for_the_number_it_was_paid_to(
    client, moved, order, payment
):
    post(client, payment, success(payment, receipt=PAID, amount=3000))
    row = a_payment(order.reference)
    Receipt.objects.update(phone=row.phone, reference=row.reference)
    shows(moved, of_174379=row)

    pull_statement(NOW)

    reports = Receipt.objects.get().evidence.filter(source="statement")
    assert set(reports.values_list("shortcode", flat=True)) == {FORMER}


def test_a_confirmation_of_a_payment_to_the_former_number_pays_its_order(client, moved, order):
    told = by_hand(order.reference, 3000, receipt=PAID, BusinessShortCode=FORMER)

    assert post_c2b(client, told, what="validation").json()["ResultCode"] == "0"
    post_c2b(client, told)

    order.refresh_from_db()
    assert (order.payment_status, Receipt.objects.get().evidence.get().shortcode) == (
        "paid",
        FORMER,
    )


def test_prove_misses_the_money_of_a_confirmation_to_the_former_number(client, moved, order):
    post_c2b(client, by_hand("nobody", 3000, receipt=PAID, BusinessShortCode=FORMER))

    Receipt.objects.update(amount=7)

    rules = [each.rule for each in prove().broken]
    Receipt.objects.update(amount=3000)
    assert "A processed message had its effect: its money is recorded" in rules


def test_a_confirmation_of_a_payment_to_another_shop_s_number_is_left_aside(client, moved, order):
    told = by_hand(order.reference, 3000, receipt=PAID, BusinessShortCode="555555")

    assert post_c2b(client, told, what="validation").json()["ResultCode"] == "C2B00015"
    post_c2b(client, told)

    assert not Receipt.objects.exists()


def test_m_pesa_s_reversal_of_an_earlier_payment_is_found(client, moved, order, payment):
    post(client, payment, success(payment, receipt=PAID, amount=3000))
    shows(moved, of_174379=a_payment(number=BACK, is_reversal=True, reverses=PAID))

    pull_statement(NOW)

    assert Refund.objects.get().number == BACK


def test_a_former_number_that_m_pesa_refuses_keeps_nobody_from_reading_the_other(moved):
    shows(moved, of_174379=DarajaRefused("Invalid ShortCode"))

    pull_statement(NOW)

    assert pull_of(FORMER).result_text == "Invalid ShortCode"
    assert pull_of(FORMER).next_pull_at == NOW + timedelta(hours=6)
    assert (pull_of(NEW).read_until, pull_of(NEW).result_text) == (NOW, "")


@pytest.mark.parametrize(
    ("days", "said", "read"),
    [
        (6, "Invalid ShortCode", [FORMER, NEW]),
        (8, "Invalid ShortCode", [NEW]),
        (8, "", [FORMER, NEW]),
        (None, "Invalid ShortCode", [FORMER, NEW]),
    ],
)
def test_after_a_week_of_refusals_it_is_not_read_any_more(moved, days, said, read):
    until = None if days is None else NOW - timedelta(days=days)
    StatementPull.objects.update(read_until=until, result_text=said)

    pull_statement(NOW)

    assert numbers_read(moved) == read


def test_the_number_that_is_paid_to_is_read_however_long_it_failed(daraja):
    pull_statement(NOW - timedelta(days=9))
    StatementPull.objects.update(result_text="Internal error")
    daraja.pulls.clear()

    pull_statement(NOW)

    assert numbers_read(daraja) == [FORMER]


def test_prove_compares_with_the_statements_of_both(moved, order, monkeypatch):
    monkeypatch.setattr("payments.proof.mpesa_books._query_balance", lambda *about: None)
    shows(moved, of_174379=a_payment(order.reference))
    pull_statement(NOW)
    Receipt.objects.update(created_at=NOW - timedelta(hours=2), paid_at=NOW - timedelta(hours=2))

    found = compare_with_mpesa(patience=0)

    assert [each for each in found.differences if PAID in each] == []


def test_the_portal_s_statement_of_a_former_number_is_read(moved, order):
    shown = {"receipt": PAID, "amount": 3000, "account": order.reference, "reason": "Pay Bill"}

    read(statement(shown, shortcode=FORMER))

    receipt = Receipt.objects.get()
    assert (receipt.order, receipt.amount) == (order, 3000)
    assert receipt.evidence.get().shortcode == FORMER


def test_it_confirms_for_that_number_what_is_known(client, moved, order, payment):
    post(client, payment, success(payment, receipt=PAID, amount=3000))
    shown = {"receipt": PAID, "amount": 3000, "reason": "Pay Bill"}

    read(statement(shown, shortcode=FORMER))

    assert Receipt.objects.get().evidence.get(source="statement").shortcode == FORMER


def test_a_number_that_was_never_the_shop_s_is_refused(moved):
    with pytest.raises(CannotBeRead, match="It is of 555555, not of 600999 or 600000"):
        read(statement({"receipt": PAID, "amount": 3000}, shortcode="555555"))
