"""How a buyer can pay without the prompt: where to, under which reference, how much."""

from __future__ import annotations

from typing import TypedDict

from django.conf import settings

from orders.models import Order

PAY_BILL = "CustomerPayBillOnline"


class ManualPaymentOption(TypedDict):
    """Where to pay: ``account`` is what the buyer types as account number; ``amount`` whole KES."""

    provider: str
    pay_bill: str
    account: str
    amount: int


def manual_payment_options(order: Order, *, amount_due: int) -> list[ManualPaymentOption]:
    """The ways to pay what an order still misses; none once it waits for nothing.

    Only ways whose payments find their order by themselves: a till asks for no account number.
    """
    if not order.is_unpaid or amount_due <= 0:
        return []
    ways: list[ManualPaymentOption] = []
    if settings.DARAJA_C2B_TOKEN and settings.DARAJA_TRANSACTION_TYPE == PAY_BILL:
        ways.append(
            {
                "provider": "M-Pesa",
                "pay_bill": settings.DARAJA_SHORTCODE,
                "account": order.reference,
                "amount": amount_due,
            }
        )
    if settings.EQUITY_IPN_PASSWORD and settings.EQUITY_ACCOUNT:
        ways.append(
            {
                "provider": "Equity Bank",
                "pay_bill": settings.EQUITY_PAY_BILL,
                "account": settings.EQUITY_ACCOUNT.replace("{reference}", order.reference),
                "amount": amount_due,
            }
        )
    return ways
