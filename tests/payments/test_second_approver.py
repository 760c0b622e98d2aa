"""A user who gave another their account this week cannot approve their decisions about money."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from accounts.backoffice import audit
from accounts.models import Audit, User
from payments.backoffice import receipt_services as money_in
from payments.backoffice import transfer_services as money_out
from payments.backoffice.refusals import ActionNotAvailable
from payments.conflict_parties import SENT_ELSEWHERE
from payments.daraja.result_codes import TransferFailure
from payments.doubt import put_in_doubt
from payments.models import Payout, Provider, Receipt, ReceiptSource, Refund
from payments.payouts.services import create_payouts
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.transfers import mark_refused, reserve_daily_limit
from tests.factories import UserFactory
from tests.orders.lines import line_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

refused = pytest.raises(ActionNotAvailable, match="count as two people")


@pytest.fixture
def boss():
    return UserFactory(is_superuser=True)


@pytest.fixture
def second(boss):
    """An account that the boss made this week."""
    made = UserFactory(is_superuser=True)
    gave(boss, made)
    return made


def gave(giver, got, action=audit.ADDED):
    return audit.log(giver, "By whatever name", got, action=action)


def refused_by_mpesa(row):
    now = timezone.now()
    reserve_daily_limit(row, now)
    type(row).objects.filter(pk=row.pk).update(status="sent", sent_at=now)
    mark_refused(row, code="2040", text="", reason=TransferFailure.NOT_REGISTERED)


@pytest.fixture
def payout(buyer, kettle, boss):
    """KES 1,500, to a number that the boss typed."""
    seller_id = line_at("fetched", buyer=buyer, product=kettle).seller_id
    create_payouts(seller_id)
    first = Payout.objects.get()
    refused_by_mpesa(first)
    money_out.retry_refused_payout(first.pk, phone="0799000111", by=boss)
    create_payouts(seller_id)
    row = Payout.objects.latest("pk")
    assert row.awaits_approval
    return row


def came(source=ReceiptSource.C2B, provider=Provider.MPESA, **more):
    told = IncomingPayment(provider, "SGL7654321", 3000, source, phone="254712345678", **more)
    return record_receipt(told)[0]


@pytest.fixture
def refund(boss):
    """KES 3,000 of money in suspense, to a number that the boss typed."""
    first = money_in.refund_receipt(came().pk)
    Refund.objects.filter(pk=first.pk).update(status="refused", next_check_at=None)
    return money_out.retry_refund(first.pk, phone="0799000111", by=boss)


def test_a_payout_is_not_approved_by_an_account_that_who_typed_its_number_made(payout, second):
    with refused:
        money_out.approve_payout(payout.pk, by=second)

    payout.refresh_from_db()
    assert (payout.awaits_approval, payout.approved_by) == (True, None)


def test_a_refund_is_not_approved_by_an_account_that_who_typed_its_number_made(refund, second):
    with refused:
        money_out.approve_refund(refund.pk, by=second)

    refund.refresh_from_db()
    assert (refund.awaits_approval, refund.approved_by) == (True, None)


def test_a_payout_is_not_approved_by_whoever_reset_the_typists_password_this_week(payout, boss):
    giver = UserFactory(is_superuser=True)
    gave(giver, boss, action=audit.CHANGED)

    with refused:
        money_out.approve_payout(payout.pk, by=giver)


@pytest.mark.parametrize("did", ["Added", "Changed"])
def test_an_account_made_before_the_audit_had_keys_is_no_second_person(payout, boss, did):
    second = UserFactory(is_superuser=True)
    kind = ContentType.objects.get_for_model(User)
    Audit.objects.create(actor=boss, did=did, content_type=kind, object_id=str(second.pk))

    with refused:
        money_out.approve_payout(payout.pk, by=second)


def test_whoever_only_looked_after_the_account_is_a_second_person(payout, boss):
    second = UserFactory(is_superuser=True)
    gave(boss, second, action=audit.REMARK)

    money_out.approve_payout(payout.pk, by=second)

    payout.refresh_from_db()
    assert payout.approved_by == second


def test_a_payout_is_not_approved_by_an_account_its_seller_created(buyer, kettle, settings):
    settings.PAYOUT_APPROVAL_ABOVE = 1000
    create_payouts(line_at("fetched", buyer=buyer, product=kettle).seller_id)
    payout, second = Payout.objects.get(), UserFactory(is_superuser=True)
    gave(payout.seller, second)

    with refused:
        money_out.approve_payout(payout.pk, by=second)


def test_a_week_later_two_are_two(payout, boss, monkeypatch):
    second, then = UserFactory(is_superuser=True), timezone.now() - timedelta(days=7, minutes=1)
    with monkeypatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: then)
        gave(boss, second)

    money_out.approve_payout(payout.pk, by=second)

    payout.refresh_from_db()
    assert (payout.awaits_approval, payout.approved_by) == (False, second)


def test_a_third_person_approves_the_payout(payout, second):
    third = UserFactory(is_superuser=True)

    money_out.approve_payout(payout.pk, by=third)

    payout.refresh_from_db()
    assert payout.approved_by == third


@pytest.mark.parametrize("say", [money_in.confirm_doubted_receipt, money_in.write_off_receipt])
def test_a_payment_in_doubt_is_not_decided_about_by_an_account_that_who_wrote_it_made(
    boss, second, say
):
    receipt = came(ReceiptSource.STAFF, by=boss.pk)
    put_in_doubt(receipt.pk, "M-Pesa does not know it.")

    with refused:
        say(receipt.pk, by=second)

    assert Receipt.objects.get().verification == "doubted"


def test_a_banks_payment_is_not_confirmed_by_an_account_that_who_wrote_it_made(boss, second):
    receipt = came(ReceiptSource.STAFF, provider="equity", by=boss.pk)

    with refused:
        money_in.confirm_bank_receipt(receipt.pk, by=second)

    assert not receipt.evidence.filter(told_by=second).exists()


def test_a_payout_is_not_approved_by_whoever_sent_an_earlier_one_to_its_number(payout):
    redirector = UserFactory(is_superuser=True)
    Audit.objects.create(
        actor=redirector,
        did=f"Send it to another number ({payout.phone})",
        action=SENT_ELSEWHERE,
        content_type=ContentType.objects.get_for_model(Payout),
        object_id=str(Payout.objects.dropped().get().pk),
    )

    with pytest.raises(ActionNotAvailable, match="entered the phone number"):
        money_out.approve_payout(payout.pk, by=redirector)
