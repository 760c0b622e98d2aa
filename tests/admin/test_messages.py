"""Messages in the admin: found, shown without codes, and resent with permission."""

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models.notifications import Message, Notice
from orders.notifications.composing import compose
from tests.factories import UserFactory, proven

from .pages import buttons as own_buttons
from .pages import links

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LIST = reverse("admin:orders_message_changelist")


@pytest.fixture
def told(sale, settings):
    """Failed notifications to the buyer and the seller of a sale."""
    settings.SMS = "console"
    sale.buyer.email = "wanjiku@example.com"
    sale.buyer.save()
    proven(sale.buyer, sale.mpesa_number)
    proven(sale.tracks.get().seller, "254722000000")
    for notice_id in Notice.objects.values_list("pk", flat=True):
        compose(notice_id)
    Message.objects.update(state="failed", next_try_at=None, reason="x")
    return Message.objects.get(kind="paid", channel="email")


def again(browser, *messages):
    chosen = [message.pk for message in messages]
    return browser.post(LIST, {"action": "send_again", "_selected_action": chosen})


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("wanjiku@example.com", 1),
        ("0712345678", 1),
        ("the reference", 3),
        ("nobody@example.com", 0),
    ],
)
def test_a_message_is_found_by_what_a_caller_reads_out(staff_browser, sale, told, typed, found):
    typed = sale.reference if typed == "the reference" else typed

    response = staff_browser.get(LIST, {"q": typed})

    assert response.context["cl"].result_count == found


def test_the_collection_code_is_shown_to_no_staff(staff_browser, sale, told):
    code = sale.tracks.get().collection_code

    page = staff_browser.get(
        reverse("admin:orders_message_change", args=[told.pk])
    ).content.decode()

    assert code in told.text
    assert code not in page
    assert "Kettle ••••••" in page


def test_a_failed_message_is_resent(staff_browser, told):
    again(staff_browser, told)

    told.refresh_from_db()
    assert (told.state, len(mail.outbox)) == ("sent", 1)


def test_a_sent_message_is_not_sent_again(staff_browser, told):
    now = timezone.now()
    sent = {"tries": 1, "tried_at": now, "sent_at": now, "provider_id": "1"}
    Message.objects.update(state="sent", **sent)

    again(staff_browser, told)

    assert mail.outbox == []


@pytest.mark.parametrize("may", [True, False])
def test_only_who_may_have_messages_sent_again(told, may):
    person = UserFactory(username="support", is_staff=True)
    names = ["view_message"] + ["resend_message"] * may
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")

    again(browser, told)

    assert len(mail.outbox) == int(may)


def test_a_message_s_page_sends_what_failed_again_and_leads_to_its_order(staff_browser, sale, told):
    failed = own_buttons(staff_browser, told)
    again(staff_browser, told)

    assert (failed, own_buttons(staff_browser, told)) == (["send_again"], [])
    assert f"Order {sale.reference}" in links(staff_browser, told)
