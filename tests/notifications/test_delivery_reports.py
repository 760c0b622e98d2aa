"""Delivery reports of SMS: kept in any order, once, and followed where an SMS did not arrive."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import requests
from django.core import mail
from django.db import connection
from django.utils import timezone

from daraja_simulator import Simulator
from omachemainproj.sms.reports import UnreadableReport, read_report
from orders.models import NotificationKind
from orders.models.notifications import Message, SmsReport
from orders.notifications.reports import follow_report
from orders.notifications.sending import send_again, send_message
from orders.retention import delete_old_messages
from payments import clock
from payments.watch.gauges import COUNT_AT_MOST
from tests.daraja.gateway import replies, running_gateway
from tests.shopping import PHONE

from .conftest import a_message, wish

pytestmark = pytest.mark.django_db

SECRET = "0123456789abcdef0123"
ADDRESS = f"/safwebhook/sms/{SECRET}/"


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.AFRICASTALKING_REPORTS_TOKEN = SECRET


@pytest.fixture
def sent(order, carrier):
    """An SMS that its provider took as ATXid_1."""
    message = a_message(order)
    send_message(message.pk)
    return message


@pytest.fixture
def report(client):
    def post(status="Success", *, address=ADDRESS, **changed):
        form = {"id": "ATXid_1", "status": status, "phoneNumber": f"+{PHONE}"} | changed
        form = {name: value for name, value in form.items() if value is not None}
        body = urlencode(form)
        return client.post(address, body, content_type="application/x-www-form-urlencoded")

    return post


def delivery(message):
    return Message.objects.with_delivery().get(pk=message.pk).reported


def said():
    return SmsReport.objects.get().status


def test_a_report_says_what_became_of_a_message(sent, report):
    assert delivery(sent) is None

    answer = report("Success", networkCode="63902", retryCount="0")

    assert (answer.status_code, answer.json()) == (200, {"detail": "Stored."})
    assert delivery(sent) == "success"
    assert not Message.objects.undelivered().exists()


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        (["Sent", "Success"], "success"),
        (["Success", "Sent"], "success"),
        (["Buffered", "Submitted", "Sent"], "buffered"),
        (["Failed", "Buffered"], "failed"),
        (["Failed", "Success"], "success"),
        (["Success", "Failed"], "success"),
        (["Rejected", "Rejected"], "rejected"),
    ],
)
def test_the_report_that_is_further_counts_in_whatever_order_they_come(sent, report, words, counts):
    assert [report(word).status_code for word in words] == [200] * len(words)

    assert said() == counts


@pytest.mark.parametrize("word", ["AbsentSubscriber", "Expired"])
def test_a_newer_word_for_not_delivered_is_its_own_reason(sent, report, word):
    report(word)

    kept = SmsReport.objects.get()
    assert (kept.status, kept.reason) == ("failed", word)


def test_a_report_about_an_unknown_message_is_stored_and_changes_nothing(sent, report):
    assert report("Failed", id="ATXid_of_a_code").status_code == 200

    kept = SmsReport.objects.get()
    follow_report(kept.pk)
    kept.refresh_from_db()
    assert (kept.provider_id, kept.status, kept.followed_at) == ("ATXid_of_a_code", "failed", None)
    assert clock.follow_reports(timezone.now() + timedelta(hours=1)) == 0
    assert list(Message.objects.all()) == [sent]


@pytest.mark.parametrize("stands_for_none", ["unnamed", "logged", "", " "])
def test_a_report_is_about_no_message_whose_id_nobody_named(sent, report, stands_for_none):
    Message.objects.update(provider_id=stands_for_none.strip() or "unnamed")

    answer = report("Failed", id=stands_for_none)

    assert (answer.status_code, answer.json()["code"]) == (400, "report_unreadable")
    assert not SmsReport.objects.exists()
    assert not Message.objects.undelivered().exists()


@pytest.mark.parametrize("address", ["/safwebhook/sms/wrong/", "/safwebhook/sms/laptop-only/"])
def test_a_wrong_secret_address_is_not_found(sent, report, address):
    assert report("Failed", address=address).status_code == 404
    assert not SmsReport.objects.exists()


def test_a_shop_without_a_secret_reads_none(sent, report, settings):
    settings.AFRICASTALKING_REPORTS_TOKEN = ""

    assert report("Failed").status_code == 404


def test_reports_are_posted(client):
    answer = client.get(ADDRESS)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 65},
        {"status": None},
        {"status": "Lost"},
        {"id": "\0"},
        {f"field{n}": "x" for n in range(20)},
    ],
)
def test_a_body_that_is_not_a_report_is_refused(report, changed):
    answer = report(**changed)

    assert (answer.status_code, answer.json()["code"]) == (400, "report_unreadable")
    assert not SmsReport.objects.exists()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b'{"id": "1"}', b"id=1&id=2&status=Sent"])
def test_other_bodies_are_no_reports_either(client, body):
    answer = client.post(ADDRESS, body, content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["code"]) == (400, "report_unreadable")


def test_a_report_is_short(client):
    form = b"id=1&status=Sent&x=" + b"x" * 9000
    answer = client.post(ADDRESS, form, content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_an_undelivered_sms_is_mailed_to_users_who_chose_sms_only(
    buyer, sent, report, django_capture_on_commit_callbacks
):
    wish(buyer, buying_email=False)

    with django_capture_on_commit_callbacks(execute=True):
        report("Failed", failureReason="UserIsInactive")

    [letter] = mail.outbox
    assert letter.to == ["wanjiku@example.com"]
    assert "Paid." in letter.body
    assert "did not reach your phone" in letter.body
    assert SmsReport.objects.get().reason == "UserIsInactive"
    assert not Message.objects.undelivered_without_email().exists()
    assert Message.objects.undelivered().get() == sent


def test_the_mail_is_written_once_for_repeated_reports(sent, report):
    for word in ["Rejected", "Failed", "Failed"]:
        report(word)
        follow_report(SmsReport.objects.get().pk)
        follow_report(SmsReport.objects.get().pk)

    assert Message.objects.filter(channel="email").count() == 1


def test_users_who_got_the_mail_anyway_get_no_second(order, sent, report):
    a_message(order, channel="email", contact="wanjiku@example.com", subject="Paid")

    report("Failed")
    follow_report(SmsReport.objects.get().pk)

    assert Message.objects.filter(channel="email").count() == 1


def test_an_undelivered_sms_of_a_minor_kind_is_not_mailed(order, carrier, report):
    message = a_message(order, kind=NotificationKind.PROBLEM_REPLY)
    send_message(message.pk)

    report("Failed")
    follow_report(SmsReport.objects.get().pk)

    assert not Message.objects.filter(channel="email").exists()
    assert SmsReport.objects.get().followed_at is not None


def test_an_undelivered_sms_without_an_inbox_is_left_to_staff_to_resend(
    buyer, sent, report, carrier
):
    buyer.email_confirmed_at = None
    buyer.save(update_fields=["email_confirmed_at"])
    report("Failed")
    follow_report(SmsReport.objects.get().pk)
    assert Message.objects.undelivered_without_email().get() == sent

    assert send_again(sent.pk)
    send_message(sent.pk)

    assert len(carrier.sent) == 2
    sent.refresh_from_db()
    assert (sent.state, sent.provider_id, delivery(sent)) == ("sent", "ATXid_2", None)
    assert not Message.objects.undelivered_without_email().exists()
    assert not send_again(sent.pk)


def test_a_report_that_is_faster_than_the_answer_is_followed_by_the_clock(order, carrier, report):
    message = a_message(order)
    report("Failed")
    follow_report(SmsReport.objects.get().pk)
    later = timezone.now() + timedelta(minutes=1)
    assert clock.follow_reports(later) == 0

    send_message(message.pk)

    assert clock.follow_reports(later) == 1
    assert clock.follow_reports(later) == 0
    assert Message.objects.filter(channel="email").count() == 1


def test_delivery_reports_are_erased_with_the_messages(settings, sent, report):
    report("Success")

    delete_old_messages(timezone.now() + timedelta(days=settings.KEEP_MESSAGES_DAYS - 1))
    assert SmsReport.objects.exists()
    delete_old_messages(timezone.now() + timedelta(days=settings.KEEP_MESSAGES_DAYS + 1))

    assert not SmsReport.objects.exists()


def test_staff_see_what_arrived(admin_client, sent, report):
    report("Failed", failureReason="UserInBlackList")

    for address in (
        "/admin/orders/message/",
        "/admin/orders/message/?arrived=no",
        f"/admin/orders/message/{sent.pk}/change/",
        f"/admin/orders/order/{sent.notice.order_id}/change/",
        f"/admin/accounts/user/{sent.user_id}/change/",
    ):
        page = admin_client.get(address, follow=True).content.decode()
        assert "not delivered" in page.lower(), address
        assert "UserInBlackList" in page, address


@pytest.mark.parametrize(("word", "count"), [("Failed", 1), ("Success", 0), ("Sent", 0)])
def test_undelivered_messages_are_counted(buyer, sent, report, word, count):
    buyer.email_confirmed_at = None
    buyer.save(update_fields=["email_confirmed_at"])

    report(word)

    assert Message.objects.undelivered_without_email()[:COUNT_AT_MOST].count() == count


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({}, {"Sent", "Success"}),
        ({"report": "Failed"}, {"Sent", "Failed"}),
        ({"callbacks": 2}, {"Sent", "Success"}),
        ({"report": "Rejected", "callback_before_answer": True}, {"Rejected"}),
    ],
)
def test_the_simulator_reports_as_it_is_told(script, words):
    with (
        running_gateway() as shop,
        Simulator(port=0, sms_reports_url=f"{shop.url}/reports/") as simulator,
    ):
        shop.on("/reports/", replies(200, {}))
        simulator.script(operation="sms", phone=PHONE, **script)
        answered = requests.post(
            f"{simulator.url}/version1/messaging",
            data={"username": "omache", "to": f"+{PHONE}", "message": "Habari"},
            headers={"apiKey": "simulator-sms-key"},
            timeout=5,
        )
        assert simulator.wait_until_quiet(10)
        heard = [read_report(each.body) for each in shop.heard_on("/reports/")]

    [recipient] = answered.json()["SMSMessageData"]["Recipients"]
    assert {each.provider_id for each in heard} == {recipient["messageId"]}
    assert {each.status for each in heard} == {word.lower() for word in words}
    assert {each.phone for each in heard} == {PHONE}
    assert len(heard) == len(words) * script.get("callbacks", 1)


def test_a_form_that_says_something_twice_is_unreadable():
    with pytest.raises(UnreadableReport):
        read_report(b"id=1&status=Sent&status=Failed")


def test_a_report_is_found_by_its_id_and_not_by_looking_at_all_messages(sent, report):
    report("Failed")
    query = Message.objects.filter(channel="sms", provider_id="ATXid_1")

    names = {index.name for index in Message._meta.indexes}
    assert "message_by_provider_id" in names
    if connection.vendor == "sqlite":
        assert "message_by_provider_id" in query.explain()
