"""What a guest is told by SMS: where they paid from, in the language they asked in."""

import pytest

from orders.models import Message
from tests.shopping import body

from .paying import fail, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sms(settings):
    settings.SMS = "console"
    settings.FRONTEND_URL = "https://shop.example.co.ke/shop"


@pytest.fixture
def told(django_capture_on_commit_callbacks):
    """What is sent by SMS to a guest while ``done`` is done to their order."""

    def what(done, api, kettle, **headers):
        placed = api.post("/cashout/", body((kettle, 1)), headers=headers)
        with django_capture_on_commit_callbacks(execute=True):
            done(placed)
        of_guest = Message.objects.filter(user__guest__isnull=False, channel="sms")
        return [(each.contact, each.language, each.text) for each in of_guest]

    return what


def test_the_phone_that_paid_is_told_how_to_see_the_code(told, api, kettle):
    [(phone, language, text)] = told(pay, api, kettle)

    assert (phone, language) == ("254712345678", "en")
    assert text.endswith(
        "To see the code and the full order, sign in with this phone: "
        "https://shop.example.co.ke/shop Thank you!"
    )


def test_messages_are_in_the_language_of_the_cash_out(told, api, kettle):
    [(_, language, text)] = told(pay, api, kettle, **{"Accept-Language": "sw-KE,en;q=0.5"})

    assert language == "sw"
    assert "ingia kwa simu hii: https://shop.example.co.ke/shop" in text


def test_prompts_that_fail_write_to_no_phone_that_anybody_may_type(told, api, kettle, seller):
    told(pay, api, kettle)
    Message.objects.all().delete()

    assert told(fail, api, kettle) == []


def test_an_account_is_told_nothing_of_signing_in(
    buyer_api, kettle, django_capture_on_commit_callbacks
):
    placed = buyer_api.post("/cashout/", body((kettle, 1)))
    with django_capture_on_commit_callbacks(execute=True):
        pay(placed)

    [sms] = Message.objects.filter(kind="paid", channel="sms")
    assert "sign in" not in sms.text
