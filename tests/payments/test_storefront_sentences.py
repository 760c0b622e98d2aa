"""What the storefront can say in Swahili too: every sentence of the payment page."""

from pathlib import Path

import pytest

from payments.checkout import messages
from payments.checkout.failures import FAILURES

_SOURCE = Path(__file__).parents[2] / "storefront" / "src" / "checkout" / "prompt.ts"
SENTENCES = sorted(
    {failure.en for failure in FAILURES.values()}
    | set(messages._WAITING.values())
    | set(messages._CLOSED.values())
    | {
        "Try again.",
        messages._CANCELLED_BY_STAFF,
        messages._CLOSED[messages.PaymentStatus.CANCELLED] + messages._GIVEN_UP_STILL_OPEN,
        messages._GIVEN_UP_PAID,
        messages._SENT_AGAIN,
        messages._SILENT,
        messages._WAITS_FOR_PHONE,
        messages._YIELDED,
    }
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_storefront_knows_every_sentence_of_the_payment_page(sentence):
    assert f'"{sentence}": msg`' in _SOURCE.read_text()
