"""Helpers for payouts: rounds of the clock, and M-Pesa's results."""

import itertools
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.backoffice import audit
from payments import clock
from payments.ledger import balance
from payments.models import Account, GatewayEvent, Payout, PayoutStop
from tests.factories import UserFactory

_numbers = (f"TKP{n:07d}" for n in itertools.count(1))


def owed() -> int:
    """KES that the ledger says are owed to sellers."""
    return balance(Account.SELLERS_PAYABLE)


def tick() -> None:
    """Run the clock once, a minute from now."""
    clock.run_periodic(timezone.now() + timedelta(minutes=1))


def run_clock_without_waits() -> None:
    """Run the clock once, with everything that waits made due."""
    Payout.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
    tick()


def lift_payout_stop() -> None:
    """Lift the stop of payouts, as staff."""
    PayoutStop.objects.update(is_open=False, ended_at=timezone.now())
    audit.log(
        UserFactory(is_superuser=True),
        "Resume outgoing payments",
        PayoutStop.objects.get(),
        action="console.stop.end",
    )


def payouts(*fields: str) -> list[Any]:
    return list(Payout.objects.order_by("pk").values_list(*fields, flat=len(fields) == 1))


def sent(daraja) -> list[tuple[str, int]]:
    """The numbers and amounts M-Pesa was requested to pay."""
    return [(payout["phone"], payout["amount"]) for payout in daraja.payouts]


def post_result(
    payout: Payout, code: Any = 0, *, number: str = "", amount: int | None = None
) -> str:
    """Post M-Pesa's result of a payout; return the note of the message."""
    facts = {"TransactionAmount": payout.amount if amount is None else amount}
    return _post(payout.callback_token, payout, code, number or next(_numbers), facts)


def post_status_result(payout: Payout, status: str = "Completed", *, code: Any = 0) -> str:
    """Post M-Pesa's answer to a status query."""
    facts = {
        "TransactionStatus": status,
        "ReceiptNo": next(_numbers),
        "Amount": payout.amount,
    }
    return _post(payout.status_token, payout, code, "TKZ0000000", facts)


def _post(token: str, payout: Payout, code: Any, number: str, facts: dict[str, Any]) -> str:
    told: dict[str, Any] = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "As it was.",
        "OriginatorConversationID": payout.originator_conversation_id,
        "ConversationID": payout.conversation_id or "AG_0",
        "TransactionID": number,
    }
    if code == 0:
        items = [{"Key": name, "Value": value} for name, value in facts.items()]
        told["ResultParameters"] = {"ResultParameter": items}
    answer = Client().post(
        f"/safwebhook/{token}/", {"Result": told}, content_type="application/json"
    )
    assert answer.status_code == 200
    clock.process_stored_events(timezone.now() + timedelta(minutes=1))
    return GatewayEvent.objects.latest("pk").note
