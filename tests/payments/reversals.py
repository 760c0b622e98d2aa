"""A paid order that M-Pesa reverses at its customer's request, and what it leaves in the books."""

from django.utils import timezone

from orders.fulfilment import move_line
from payments.backoffice import transfer_services as money_out
from payments.daraja.statement import StatementPage, StatementRow
from payments.disbursement import process_refund
from payments.ledger import balance
from payments.models import (
    Account,
    Receipt,
    Refund,
    StatementPull,
)
from payments.reconciliation.statement_pull import pull_statement
from payments.transfers import reserve_daily_limit
from tests.factories import UserFactory

from .bodies import post

PAID, BACK = "SGL7654321", "SGR7654321"
MONEY = (
    Account.MPESA_CLEARING,
    Account.BUYERS_HELD,
    Account.WRITE_OFFS,
    Account.REFUNDS_PAYABLE,
    Account.SUSPENSE,
)


def books():
    """The accounts that hold money, in KES."""
    return {str(account.value): balance(account) for account in MONEY if balance(account)}


def cancel(order, line):
    """Staff cancel the n-th line."""
    line_id = order.tracks.order_by("pk")[line].pk
    move_line(line_id, "cancelled", actor=UserFactory(is_superuser=True), note="They broke.")


def refunds():
    """Each refund: amount, method, status, number."""
    return list(Refund.objects.order_by("pk").values_list("amount", "way", "status", "number"))


def seen(number=BACK):
    """Staff record the reversal."""
    return money_out.record_reversal_seen(Receipt.objects.get().pk, number=number)


def sent_to_a_phone(order):
    """KES 1,500 of the payment, for a line that was cancelled, on its way to the phone."""
    cancel(order, 0)
    refund = Refund.objects.get()
    sent_at = timezone.now()
    Refund.objects.update(status="sent", sent_at=sent_at, next_check_at=sent_at)
    reserve_daily_limit(refund, sent_at)
    return refund


def answer(client, refund, *, code=0, receipt=PAID, status="Completed", **facts):
    """M-Pesa answers the query about a refund's payment; then the refund is processed."""
    told = {
        "ReceiptNo": receipt,
        "TransactionStatus": status,
        "Amount": "3500",
        "CreditPartyName": "174379 - O-Mache",
        **facts,
    }
    result = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "x",
        "OriginatorConversationID": "ours-1",
        "ConversationID": "AG_1",
        "TransactionID": "SGQ0000001",
        "ResultParameters": {
            "ResultParameter": [{"Key": key, "Value": value} for key, value in told.items()]
        },
    }
    if code:
        del result["ResultParameters"]
    post(client, None, {"Result": result}, token=refund.status_token)
    process_refund(refund.pk)
    refund.refresh_from_db()


def a_row(amount=3500, **changed):
    """The reversal as a row of the statement."""
    told = {"reference": PAID, "reverses": PAID, **changed}
    return StatementRow(
        BACK, amount, timezone.now(), "712345678", told["reference"], "c2b-reversal",
        is_reversal=True, reverses=told["reverses"],
    )  # fmt: skip


def told_by_the_statement(daraja, *rows):
    """Have the statement read, with these rows."""
    daraja.on_pull = lambda pull: StatementPage(rows if pull["offset"] == 0 else (), ())
    StatementPull.objects.update(next_pull_at=timezone.now())
    pull_statement(timezone.now())
