"""Staff decisions about payouts."""

import pytest
from django.utils import timezone

from accounts.backoffice.audit import CHANGED, log
from accounts.backoffice.conflicts import ConflictOfInterest
from accounts.backoffice.formats import dial
from accounts.models import Audit
from omachemainproj.dates import NAIROBI
from orders.fulfilment import move_line
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_payout
from payments.models import Payout, PayoutDay, PayoutStop
from payments.payouts.allocation import create_payouts
from payments.transfers import mark_done, mark_refused
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.shopping import paid_line

from .browsers import browser_of
from .console import act, page, shown_messages, timeline_path

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_postgres,
    pytest.mark.usefixtures("daraja", "balanced_books"),
]


@pytest.fixture
def agent(db):
    return UserFactory(username="agent", is_staff=True, is_superuser=True)


@pytest.fixture
def payout(buyer, kettle, agent):
    """KES 1,500 that an agent's fetching owes the seller."""
    move_line(paid_line(buyer, kettle).pk, "fetched", actor=agent)
    create_payouts(kettle.seller_id)
    return Payout.objects.get()


@pytest.fixture
def large(settings, request):
    """The same, in a shop where two people look at what is above KES 1,000."""
    settings.PAYOUT_APPROVAL_ABOVE = 1_000
    return request.getfixturevalue("payout")


@pytest.fixture
def refused(payout):
    now = timezone.now()
    Payout.objects.update(status="unknown", sent_at=now, next_check_at=now)
    mark_refused(payout, code="2040", text="No M-Pesa", reason=TransferFailure.NOT_REGISTERED)
    return payout


@pytest.fixture
def silent(payout):
    old = timezone.now() - timezone.timedelta(days=3)
    Payout.objects.update(status="unknown", sent_at=old, next_check_at=None)
    PayoutDay.objects.create(day=old.astimezone(NAIROBI).date(), sent=payout.amount)
    return payout


def test_a_large_payout_waits_on_the_console(large, staff_browser, daraja):
    process_payout(large.pk)

    assert "Payouts to approve" in page(staff_browser)
    assert daraja.sent == []


def test_a_second_person_approves_a_payout_and_is_recorded(large, staff_browser, staff, daraja):
    act(staff_browser, large, "approve")
    process_payout(large.pk)

    assert (large.approved_by, [sent["amount"] for sent in daraja.sent]) == (staff, [1500])
    audit = Audit.objects.latest("pk")
    assert (audit.actor, audit.why, audit.changes["approved_by"]) == (
        staff,
        "Seen on the portal",
        [None, staff.pk],
    )


def test_the_person_who_fetched_the_goods_cannot_approve_the_payout(large, agent, daraja):
    answer = act(browser_of(agent), large, "approve")
    process_payout(large.pk)

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert (large.approved_by, daraja.sent) == (None, [])


def test_nobody_approves_their_own_payout(large, kettle, daraja):
    seller = kettle.seller
    seller.is_staff = seller.is_superuser = True
    seller.save()
    log(
        UserFactory(is_superuser=True),
        "Changed",
        seller,
        action=CHANGED,
        changes={"is_staff": [False, True]},
    )

    act(browser_of(seller), large, "approve")

    assert large.approved_by is None


def test_a_rejected_payout_is_retried(refused, staff_browser):
    act(staff_browser, refused, "again")
    create_payouts(refused.seller_id)

    follower = Payout.objects.latest("pk")
    assert (refused.status, follower.status, follower.amount) == ("dropped", "due", 1500)
    assert follower.phone == refused.phone


def test_a_rejected_payout_is_sent_to_another_number(refused, staff_browser):
    act(staff_browser, refused, "send", phone="0733 000 222")
    create_payouts(refused.seller_id)

    assert Payout.objects.latest("pk").phone == "254733000222"


def test_a_payout_on_the_portal_is_recorded(refused, staff_browser):
    act(staff_browser, refused, "portal", number="TKB1234567")

    assert (refused.status, refused.number) == ("done", "TKB1234567")


def test_a_payout_without_a_result_is_marked_sent(silent, staff_browser):
    assert "Payouts without a result from M-Pesa" in page(staff_browser)

    act(staff_browser, silent, "done", number="TKB1234567")

    assert (silent.status, silent.number) == ("done", "TKB1234567")


def test_a_payout_without_a_result_is_marked_not_sent(silent, staff_browser):
    act(staff_browser, silent, "not-done")

    assert silent.status == "refused"
    assert "Rejected payouts" in page(staff_browser)


def test_a_number_that_is_known_already_is_not_another_payout_s(
    refused, buyer, staff_browser, agent
):
    other = ProductFactory(seller=UserFactory())
    move_line(paid_line(buyer, other).pk, "fetched", actor=agent)
    create_payouts(other.seller_id)
    known = Payout.objects.get(seller=other.seller)
    mark_done(known, number="TKB1234567")

    answer = act(staff_browser, refused, "portal", number="TKB1234567")

    assert shown_messages(answer) == [
        "Enter the receipt number shown on the M-Pesa portal. This one is already recorded."
    ]
    assert refused.status == "refused"


def test_an_unexpected_payout_outcome_is_acknowledged(payout, staff_browser):
    Payout.objects.update(unacknowledged=True, note="M-Pesa says KES 1 was sent.")
    assert "Payouts with an unexpected outcome" in page(staff_browser)

    act(staff_browser, payout, "seen")

    assert payout.unacknowledged is False


def test_the_timeline_of_a_payout_shows_its_lines(payout, staff_browser):
    story = page(staff_browser, timeline_path(payout))

    assert "1 × Kettle: fetched from the seller by agent." in story
    assert f"A payout of KES 1,500 to {payout.seller} at {dial(payout.phone)} was created." in story


def test_a_stop_holds_payouts_back_and_says_so(payout, staff_browser, daraja):
    PayoutStop.objects.create(reason="A bad password")
    Payout.objects.update(created_at=timezone.now() - timezone.timedelta(minutes=3))

    process_payout(payout.pk)

    assert daraja.sent == []
    assert "Postponed payouts" in page(staff_browser)
