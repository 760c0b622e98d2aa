"""What happens to payments here: the clock's rounds, and answers of M-Pesa."""

import itertools
from datetime import timedelta

from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from payments import clock
from payments.daraja.statement import StatementPage, StatementRow
from payments.models import (
    Payout,
    ReceiptQuestion,
    Refund,
)
from payments.reconciliation.statement_pull import pull_statement
from tests.factories import UserFactory
from tests.payments.bodies import post

NUMBER, PHONE = "SGL7654321", "254722999888"
_conversations = itertools.count(1)


def finance(name):
    return UserFactory(username=name, is_staff=True, is_superuser=True)


def browser_of(person):
    client = Client()
    client.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")
    return client


def run_clock(times=3):
    """The clock, with everything that waits brought forward."""
    for _ in range(times):
        for rows in (Refund.objects, Payout.objects, ReceiptQuestion.objects):
            rows.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        clock.run_periodic(timezone.now() + timedelta(minutes=1))


def answer(receipt, *, code=0, conversation="", **facts):
    """M-Pesa answers the question about a receipt; each answer has an id of its own."""
    told = {
        "ReceiptNo": receipt.number,
        "TransactionStatus": "Completed",
        "Amount": str(receipt.amount),
        "CreditPartyName": f"{django_settings.DARAJA_SHORTCODE} - O-Mache",
        **facts,
    }
    result = {"ResultType": 0, "ResultCode": code, "ResultDesc": "x", "TransactionID": "SGQ0000001"}
    conversation = conversation or f"AG_{next(_conversations)}"
    result |= {"OriginatorConversationID": "ours-1", "ConversationID": conversation}
    if code == 0:
        items = [{"Key": key, "Value": value} for key, value in told.items()]
        result["ResultParameters"] = {"ResultParameter": items}
    post(Client(), None, {"Result": result}, token=receipt.question.token)
    receipt.refresh_from_db()


def sent_transfers(daraja):
    """Everything M-Pesa was asked to send."""
    return [*daraja.reversals, *daraja.payouts]


def on_statement(daraja, receipt, amount=None):
    row = StatementRow(
        receipt.number, amount or receipt.amount, timezone.now(), "", "", "c2b-pay-bill-debit"
    )
    pages = iter([StatementPage((row,), ()), StatementPage((), ())])
    daraja.on_pull = lambda pull: next(pages)
    pull_statement(timezone.now() + timedelta(days=1))
    receipt.refresh_from_db()


def answer_query(receipt, **told):
    run_clock(1)
    answer(receipt, **told)
