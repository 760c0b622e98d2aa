"""Every case that needs staff, created by requests of M-Pesa and the bank."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from orders.lifecycle import cancel_order
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.disbursement import process_refund
from payments.models import GatewayEvent, OrderPayment, Receipt, Refund
from payments.reconciliation.status_query import query_status
from payments.webhooks.inbox import process_event
from tests.factories import ProductFactory, UserFactory
from tests.payments.bodies import post, success
from tests.payments.conftest import ringing
from tests.payments.fakes import PAID, FakeDaraja
from tests.shopping import PHONE, an_order

_numbers = (f"TKB{n:07d}" for n in itertools.count(1))
_phones = (f"2547{n:08d}" for n in itertools.count(30_000_000))
#: A phone as M-Pesa masks it in manual payments.
MASKED = "2547 ***** 678"


@dataclass
class Accepted:
    conversation_id: str
    originator_conversation_id: str


@dataclass
class FakeMpesa(FakeDaraja):
    """Takes refunds too, unless ``refuses`` says why not."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    refuses: DarajaRefused | None = None

    def reversal(self, **asked: Any) -> Accepted:
        return self._take(asked)

    def b2c_payment(self, **asked: Any) -> Accepted:
        return self._take(asked)

    def transaction_status(self, **asked: Any) -> None:
        pass

    def _take(self, asked: dict[str, Any]) -> Accepted:
        if self.refuses:
            raise self.refuses
        self.sent.append(asked)
        return Accepted(f"AG_{len(self.sent)}", f"rev_{len(self.sent)}")


def by_hand(amount, reference, *, number=None, phone=MASKED, token=None) -> Any:
    """A payment to the pay bill, as M-Pesa confirms it. Returns its number."""
    number = number or next(_numbers)
    body = {
        "TransactionType": "Pay Bill",
        "TransID": number,
        "TransTime": "20261123102115",
        "TransAmount": f"{amount}.00",
        "BusinessShortCode": settings.DARAJA_SHORTCODE,
        "BillRefNumber": reference,
        "MSISDN": phone,
        "FirstName": "WANJIKU",
    }
    token = settings.DARAJA_C2B_TOKEN if token is None else token
    Client().post(f"/safwebhook/c2b/{token}/confirmation/", body, content_type="application/json")
    return number


def result(refund: Refund, *, code=0, number=None, amount=None) -> None:
    """How a refund ended, as M-Pesa posts it to the refund's own address."""
    told = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "Done." if code == 0 else "It was declined.",
        "OriginatorConversationID": refund.originator_conversation_id,
        "ConversationID": refund.conversation_id,
        "TransactionID": number or next(_numbers),
        "ResultParameters": {
            "ResultParameter": [{"Key": "TransactionAmount", "Value": amount or refund.amount}]
        },
    }
    Client().post(
        f"/safwebhook/{refund.callback_token}/", {"Result": told}, content_type="application/json"
    )
    refund.refresh_from_db()


def new_order(number=1, price=1500, phone=PHONE):
    """An order of a new buyer whose prompt failed, so that it can be paid manually."""
    product = ProductFactory(item_number=number, price=price)
    order = an_order(UserFactory(), (product, number), phone=phone)
    order.payments.update(live=False, status="failed", result_text="Request cancelled by user")
    return order


def lost_receipt(reference="NOSUCHREF", amount=1500, **told) -> Receipt:
    """A payment without an order."""
    return Receipt.objects.get(number=by_hand(amount, reference, **told))


def silent_attempt(ids=True) -> OrderPayment:
    """A prompt without a result from M-Pesa, a day old."""
    payment = ringing(new_order().payments.get(), f"ws_CO_{next(_numbers)}" if ids else "")
    payment.rung_at -= timedelta(days=1, hours=1)
    payment.live, payment.next_check_at = False, None
    if not ids:
        payment.status, payment.merchant_request_id = "unknown", ""
    payment.save()
    return payment


def owed_refund() -> Refund:
    """A refund for a cancelled order, not sent yet."""
    order = new_order()
    cancel_order(order.pk, cancelled_by="staff")
    an_order(UserFactory(), (order.tracks.get().product, 1), phone=next(_phones))
    by_hand(order.amount, order.reference)
    return Refund.objects.get(order=order)


def sent_refund() -> Refund:
    """A refund M-Pesa has taken."""
    refund = owed_refund()
    process_refund(refund.pk)
    refund.refresh_from_db()
    return refund


def refused_refund() -> Refund:
    """A reversal M-Pesa refused; it was paid from a number that is hidden."""
    refund = sent_refund()
    Refund.objects.filter(pk=refund.pk).update(way="reversal")
    Receipt.objects.filter(pk=refund.receipt_id).update(phone="2547 ***** 999")
    OrderPayment.objects.filter(receipt=refund.receipt_id).update(phone="")
    refund.refresh_from_db()
    result(refund, code="2028")
    return refund


def silent_refund() -> Refund:
    """A refund that M-Pesa accepted, without a result."""
    refund = sent_refund()
    Refund.objects.filter(pk=refund.pk).update(next_check_at=None)
    refund.refresh_from_db()
    return refund


def differing_refund() -> Refund:
    """A refund for which M-Pesa reports another amount."""
    refund = sent_refund()
    result(refund, amount=refund.amount - 1)
    return refund


def double_refund() -> Refund:
    """A reversal that was refused, followed by a payment, and then both were done."""
    refund = sent_refund()
    result(refund, code="2028")
    following = Refund.objects.get(replaces=refund)
    process_refund(following.pk)
    following.refresh_from_db()
    result(following)
    result(refund)
    return refund


def unnamed_receipt(daraja) -> Receipt:
    """A receipt known only from a status query more than an hour ago."""
    payment = ringing(new_order().payments.get(), f"ws_CO_{next(_numbers)}")
    answer, daraja.answer = daraja.answer, PAID
    query_status(payment.pk)
    daraja.answer = answer
    Receipt.objects.filter(payment=payment).update(created_at=timezone.now() - timedelta(hours=2))
    return Receipt.objects.get(payment=payment)


def corrected_receipt(daraja) -> Receipt:
    """A receipt from a query whose callback reports another amount."""
    receipt = unnamed_receipt(daraja)
    told = success(receipt.payment, amount=receipt.amount - 100, receipt=next(_numbers))
    post(Client(), receipt.payment, told)
    receipt.refresh_from_db()
    return receipt


def broken_message() -> GatewayEvent:
    """A message the bank sent about money that is not ours to count."""
    event = GatewayEvent.objects.create(
        body=b'{"callbackType": "IPN"}', sha256="0" * 64, source="equity"
    )
    process_event(event.pk)
    event.refresh_from_db()
    return event


def unreadable_confirmation() -> GatewayEvent:
    """Something at the pay bill's secret address that is no confirmation."""
    Client().generic(
        "POST",
        f"/safwebhook/c2b/{settings.DARAJA_C2B_TOKEN}/confirmation/",
        b"not json",
        content_type="application/json",
    )
    return GatewayEvent.objects.latest("pk")


def short_payment() -> Receipt:
    """Half of an order's price."""
    order = new_order()
    return Receipt.objects.get(number=by_hand(order.amount - 500, order.reference))


def stopped(daraja) -> Refund:
    """M-Pesa did not accept the initiator: nothing leaves the shop."""
    refund = owed_refund()
    daraja.refuses = DarajaRefused(
        "Bad initiator", code="401.002.01", kind=DarajaRefusal.CONFIGURATION
    )
    process_refund(refund.pk)
    daraja.refuses = None
    refund.refresh_from_db()
    return refund
