"""Support is told of a problem by e-mail: who, who not, what it says, and how often."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.contacts import record_paid_from
from accounts.preferences import change_preferences
from orders.models import InboxNotice, Message, Notice, ProblemKind
from orders.notifications.composing import compose
from orders.notifications.rendering import Item
from orders.notifications.to_support import render
from tests.conftest import signed_in
from tests.factories import UserFactory, give_role, proven
from tests.orders.lines import line_at

from .conftest import post, report

pytestmark = pytest.mark.django_db

KIND = "problem_shop"


@pytest.fixture
def akinyi(db):
    """Of support, with an e-mail that is hers."""
    return member("akinyi", first_name="Akinyi")


def member(username, *, role="support", **about):
    about = {"is_staff": True, "email": f"{username}@omache.example", **about}
    return give_role(proven(UserFactory(username=username, **about)), role)


def told():
    """The support staff notified of problems, and the channels, once messages are written."""
    for notice in Notice.objects.to_compose():
        compose(notice.pk)
    written = Message.objects.filter(kind=KIND).order_by("pk")
    return [(m.user.username, m.channel, m.contact) for m in written]


def test_each_of_support_is_told_by_mail_and_by_nothing_else(akinyi, line, buyer, settings):
    settings.SMS = "console"
    member("barasa")
    record_paid_from(akinyi.pk, "254722000009", timezone.now())

    report(line, buyer)

    assert told() == [
        ("akinyi", "email", "akinyi@omache.example"),
        ("barasa", "email", "barasa@omache.example"),
    ]
    assert not InboxNotice.objects.filter(notice__kind=KIND).exists()


@pytest.mark.parametrize(
    "about",
    [
        {"is_active": False},
        {"is_staff": False},
        {"role": "finance"},
        {"role": "delivery"},
        {"email": ""},
        {"is_superuser": True, "role": "catalogue"},
    ],
)
def test_only_support_is_mailed_about_a_new_problem(akinyi, line, buyer, about):
    member("other", **about)

    report(line, buyer)

    assert [who for who, *_ in told()] == ["akinyi"]


def test_an_inbox_that_is_not_confirmed_gets_nothing(line, buyer):
    give_role(UserFactory(is_staff=True, email="typed@omache.example"), "support")

    report(line, buyer)

    assert told() == []


@pytest.mark.parametrize("part", ["buyer", "seller"])
def test_support_staff_involved_in_a_problem_are_not_notified_as_support(akinyi, line, part):
    person = getattr(line, part)
    person.is_staff, person.email = True, "part@omache.example"
    person.save()
    give_role(proven(person), "support")

    report(line, line.buyer)

    assert [who for who, *_ in told()] == ["akinyi"]


def test_staff_with_a_conflict_of_interest_by_number_are_not_mailed(akinyi, line, buyer, kettle):
    # They once bought on the phone that paid for this.
    theirs = line_at("delivered", buyer=member("cousin"), product=kettle)
    assert theirs.order.mpesa_number == line.order.mpesa_number

    report(line, buyer)

    assert [who for who, *_ in told()] == ["akinyi"]


def test_message_settings_for_buying_and_selling_do_not_apply_to_support(akinyi, line, buyer):
    change_preferences(akinyi, {"buying_email": False, "selling_email": False})

    report(line, buyer)

    assert len(told()) == 1


def test_a_problem_is_told_once(akinyi, line, buyer):
    report(line, buyer)
    report(line, buyer)

    notice = Notice.objects.get(kind=KIND)
    assert notice.key == f"problem_shop:{notice.facts['problem']}"
    assert (len(told()), len(told())) == (1, 1)


def test_a_problem_reported_again_is_notified_once_a_day(akinyi, line, buyer):
    report(line, buyer)
    for hours, count in [(0, 1), (23, 1), (25, 2), (26, 2)]:
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
            post(buyer, line, "withdraw/")
            report(line, buyer, text=f"Again, after {hours} hours.")
            assert len(told()) == count


def test_a_problem_with_another_line_is_told_the_same_day(akinyi, line, buyer, kettle):
    report(line, buyer)
    report(line_at("delivered", buyer=buyer, product=kettle), buyer)

    assert len(told()) == 2


def test_the_mail_is_sent_once_the_report_is_committed(
    akinyi, line, buyer, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        report(line, buyer)

    [letter] = [letter for letter in mail.outbox if letter.to == [akinyi.email]]
    assert letter.subject == f"A problem with order {line.order.reference}: damaged"


def test_the_message_names_kind_and_page_but_not_the_buyers_text(akinyi, line, buyer):
    problem = report(line, buyer, text="Call 0722123456 for a prize.")

    told()

    assert Message.objects.get(kind=KIND).text == (
        "Hello Akinyi,\n\n"
        f"The buyer of order {line.order.reference} reported a problem (damaged):\n\n"
        "  Kettle\n\n"
        "The seller was notified and should answer; their money for it is on hold. If the two do "
        "not agree, the shop decides.\n\n"
        "You find it on the console under “Problems with goods”:\n"
        f"/admin/payments/console/problem/{problem.pk}/\n\n"
        "O-Mache\n\nYou get this e-mail because you have the support role.\n"
    )


def test_the_message_is_in_the_recipients_language(akinyi, line, buyer):
    change_preferences(akinyi, {"language": "sw"})
    problem = report(line, buyer)

    told()

    letter = Message.objects.get(kind=KIND)
    reference = line.order.reference
    assert (letter.language, letter.subject, letter.text) == (
        "sw",
        f"Tatizo kwenye oda {reference}: zimeharibika",
        "Habari Akinyi,\n\n"
        f"Mnunuzi wa oda {reference} ana tatizo, zimeharibika:\n\n"
        "  Kettle\n\n"
        "Muuzaji amejulishwa, naye anatakiwa kujibu; malipo yake yanasubiri. Wasipokubaliana, duka "
        "litaamua.\n\n"
        "Liko kwenye console ya duka, kati ya “Problems with goods”:\n"
        f"/admin/payments/console/problem/{problem.pk}/\n\n"
        "O-Mache\n\nUnapata barua hii kwa sababu unafanya kazi ya “support” dukani.\n",
    )


@pytest.mark.parametrize("about", ProblemKind.values)
@pytest.mark.parametrize("language", ["en", "sw"])
def test_each_kind_has_a_subject_of_one_line_and_a_plain_name_of_the_goods(about, language):
    goods = Item("Kettle www.evil.example 0722123456\nO-Mache" * 3, 100)

    subject, text = render(
        language, name="Akinyi", reference="ACDEFGHJ", about=about, item=goods, problem_id=10**18
    )

    assert "ACDEFGHJ" in subject
    assert "ACDEFGHJ" in text
    assert len(subject) <= 100
    assert "\n" not in subject
    assert not {"{", "}"} & set(subject + text)
    assert "evil.example" not in text
    assert "0722123456" not in text


def test_the_page_it_names_opens_for_support(akinyi, line, buyer, client):
    problem = report(line, buyer)
    client.force_login(akinyi)

    page = client.get(f"/admin/payments/console/problem/{problem.pk}/")

    assert page.status_code == 200
    assert line.order.reference in page.content.decode()


def test_messages_to_support_are_not_in_app_notices(akinyi, line, buyer):
    report(line, buyer)
    told()

    assert signed_in(akinyi).get("/notices/").json() == []
