"""What is deleted, changed or written in batches is done to its end, however much there is."""

import time
from datetime import timedelta
from itertools import count

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import lockout
from accounts.contact_budgets import delete_ended_counts
from accounts.models import ContactCount, PasswordTries, Session
from accounts.sessions import delete_old_sessions
from omachemainproj import batches
from omachemainproj.caches import delete_expired_cache_entries
from omachemainproj.models import CacheEntry
from orders.models import Notice
from orders.models.notifications import InboxNotice, Message, SmsReport
from orders.parcels import waiting
from orders.parcels.waiting import remind_of_waiting_goods
from orders.retention import delete_old_messages
from payments.payouts import statement
from payments.people import erasure
from payments.people.erasure import erase_account, erase_old_texts
from payments.proof import rule
from products.listings.pictures import remove_all_pictures
from products.models import Product, ProductPicture
from tests.batches import ids_in_a_statement
from tests.factories import ProductFactory, UserFactory
from tests.orders.parcels import a_parcel, a_point, an_agent, bring
from tests.payments.fakes import FakeDaraja
from tests.shopping import fetched_line

pytestmark = pytest.mark.django_db

#: For batches of two: less than one, one, more than one, and whole ones.
NUMBERS = pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
NOW = timezone.now()
OLD = NOW - timedelta(days=4000)
_keys = count()


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


def messages(user, number, **columns):
    rows = [
        Message.objects.create(
            notice=Notice.objects.create(kind="paid_out", key=f"{next(_keys)}", user=user),
            user=user, kind="paid_out", language="en", contact="254712345678", text="Paid.",
            channel="sms", **columns,
        )
        for _ in range(number)
    ]  # fmt: skip
    Message.objects.update(created_at=OLD)
    return rows


@NUMBERS
def test_sessions_that_are_over_are_all_deleted(buyer, monkeypatch, number):
    monkeypatch.setattr(batches, "BATCH", 2)
    for expires in [NOW + timedelta(days=1), *[OLD] * number]:
        Session.objects.create(
            user=buyer, started_at=OLD, last_used_at=OLD, expires_at=expires, device=""
        )

    with ids_in_a_statement(min(number, 2)):
        assert delete_old_sessions(NOW) == number
    assert Session.objects.get().expires_at > NOW


@NUMBERS
def test_counts_of_guesses_that_are_over_are_all_deleted(monkeypatch, number):
    monkeypatch.setattr(batches, "BATCH", 2)
    PasswordTries.objects.create(key="known", at=OLD, proved_at=timezone.now())
    for key in range(number):
        PasswordTries.objects.create(key=key, at=OLD)

    with ids_in_a_statement(min(number, 2)):
        assert lockout.delete_old_failures() == number
    assert PasswordTries.objects.get().key == "known"


@NUMBERS
def test_counts_of_rate_limits_that_are_over_are_all_deleted(monkeypatch, number):
    monkeypatch.setattr(batches, "BATCH", 2)
    CacheEntry.objects.create(key="kept", value="1", expires=time.time() + 60)
    for key in range(number):
        CacheEntry.objects.create(key=key, value="1", expires=OLD.timestamp())

    with ids_in_a_statement(min(number, 2)):
        assert delete_expired_cache_entries() == number
    assert CacheEntry.objects.get().key == "kept"


@NUMBERS
def test_counts_of_contacts_that_are_over_are_all_deleted(monkeypatch, number):
    monkeypatch.setattr(batches, "BATCH", 2)
    ContactCount.objects.create(key="kept", ends_at=NOW)
    for key in range(number):
        ContactCount.objects.create(key=key, ends_at=OLD)

    with ids_in_a_statement(min(number, 2)):
        assert delete_ended_counts(NOW) == number
    assert ContactCount.objects.get().key == "kept"


def test_no_batch_is_begun_after_the_seconds_and_the_rest_is_for_the_next_call(monkeypatch):
    class Clock:
        now = 0

        def monotonic(self):
            self.now += 4
            return self.now

    monkeypatch.setattr(batches, "BATCH", 2)
    monkeypatch.setattr(batches, "time", Clock())
    for key in range(7):
        ContactCount.objects.create(key=key, ends_at=OLD)

    rows = ContactCount.objects.order_by("key")

    assert batches.delete_in_batches(rows, seconds=10) == 4
    assert list(rows.values_list("key", flat=True)) == ["4", "5", "6"]


def test_a_round_deletes_counts_of_rate_limits_for_so_long(monkeypatch):
    monkeypatch.setattr("omachemainproj.caches._DELETING_SECONDS", -1)
    CacheEntry.objects.create(key="over", value="1", expires=OLD.timestamp())

    assert delete_expired_cache_entries() == 0


def test_what_changed_since_its_batch_was_read_is_not_deleted(monkeypatch):
    ContactCount.objects.create(key="again", ends_at=OLD)
    delete = QuerySet.delete

    def begins_again(rows):
        ContactCount.objects.update(ends_at=NOW)
        return delete(rows)

    monkeypatch.setattr(QuerySet, "delete", begins_again)

    assert delete_ended_counts(NOW) == 0
    assert ContactCount.objects.exists()


@NUMBERS
def test_texts_of_old_messages_are_all_erased(buyer, monkeypatch, number):
    monkeypatch.setattr("orders.retention.BATCH", 2)
    at = {"tries": 1, "tried_at": NOW, "sent_at": NOW, "provider_id": "unnamed"}
    messages(buyer, number, state="sent", **at)

    with ids_in_a_statement(min(number, 2)):
        assert delete_old_messages(NOW) == number
    assert set(Message.objects.values_list("text", "contact")) == {("", "•••••••••678")}


@NUMBERS
def test_old_reports_and_notices_in_the_app_are_all_deleted(buyer, monkeypatch, number):
    monkeypatch.setattr(batches, "BATCH", 2)
    for n in range(number + 1):
        notice = Notice.objects.create(kind="paid_out", key=f"{next(_keys)}", user=buyer)
        InboxNotice.objects.create(notice=notice, user=buyer, kind="paid_out", said={})
        SmsReport.objects.create(
            provider_id=f"ATXid_{n}", status="success", reported_at=OLD if n else NOW
        )
    InboxNotice.objects.exclude(notice=notice).update(created_at=OLD)

    with ids_in_a_statement(min(number, 2)):
        assert delete_old_messages(NOW) == 0
    assert InboxNotice.objects.get().notice == notice
    assert SmsReport.objects.get().provider_id == "ATXid_0"


@NUMBERS
def test_what_was_written_to_an_erased_person_is_all_erased(buyer, monkeypatch, number):
    monkeypatch.setattr(erasure, "BATCH", 2)
    messages(buyer, number, next_try_at=NOW)

    # Once as due ones, and once their texts.
    with ids_in_a_statement(min(number, 2)):
        assert erase_old_texts(buyer.pk) == 2 * number
    left = Message.objects.values_list("state", "text", "contact", "next_try_at")
    assert set(left) == {("failed", "", "", None)}


@NUMBERS
def test_pictures_of_all_products_are_removed_with_their_files(
    settings, tmp_path, monkeypatch, django_capture_on_commit_callbacks, number
):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr("products.listings.pictures._BATCH", 2)
    kept, *goods = ProductFactory.create_batch(number + 1)
    for product in (kept, *goods):
        row = ProductPicture(product=product, place=0)
        for name in ("image", "thumbnail"):
            getattr(row, name).save(f"{product.pk}-{name}.webp", ContentFile(b"RIFF"), save=False)
        row.save()

    with (
        ids_in_a_statement(min(number, 2)),
        django_capture_on_commit_callbacks(execute=True),
        transaction.atomic(),
    ):
        remove_all_pictures([product.pk for product in goods])

    picture = ProductPicture.objects.get()
    assert picture.product == kept
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {f"{kept.pk}-image.webp", f"{kept.pk}-thumbnail.webp"}


@NUMBERS
def test_the_listings_of_an_erased_seller_are_all_emptied(seller, monkeypatch, number):
    monkeypatch.setattr(erasure, "BATCH", 2)
    monkeypatch.setattr("products.listings.pictures._BATCH", 2)
    ProductFactory.create_batch(number, seller=seller, description="It boils.")

    with ids_in_a_statement(min(number, 2)):
        erase_account(seller, NOW)

    listings = Product.objects.values_list("listed", "description")
    assert list(listings) == [(False, "")] * number


@NUMBERS
def test_a_sellers_statement_is_the_same_in_batches(buyer, seller, monkeypatch, number):
    for price in range(100, 100 + number):
        fetched_line(buyer, ProductFactory(seller=seller, price=price))
    (whole,) = statement.whole_statement(seller)
    monkeypatch.setattr(statement, "BATCH", 2)

    batches = list(statement.whole_statement(seller))

    assert [row for batch in batches for row in batch] == whole
    assert len(whole) == number
    assert [len(batch) for batch in batches] == [2] * (number // 2) + [1] * (number % 2)


@pytest.mark.parametrize(("number", "rounds"), [(1, [1, 0]), (2, [2, 0]), (3, [2, 1, 0])])
def test_buyers_whose_goods_wait_are_all_reminded_once(buyer, monkeypatch, number, rounds):
    monkeypatch.setattr(waiting, "REMINDED_PER_ROUND", 2)
    keeper = UserFactory()
    point, agent = a_point(keeper), an_agent()
    for _ in range(number):
        parcel = a_parcel(buyer, ProductFactory(), point=point)
        bring(agent, parcel, "fetched")
        bring(keeper, parcel, "arrived")
    later = timezone.now() + timedelta(days=4)

    assert [remind_of_waiting_goods(later) for _ in rounds] == rounds
    assert Notice.objects.filter(kind="waiting").count() == number


@pytest.mark.parametrize(
    ("ids", "chunks"),
    [([], []), ([1, 2], [[1, 2]]), ([1, 2, 3], [[1, 2], [3]]), ([1, 2, 3, 4], [[1, 2], [3, 4]])],
)
def test_ids_of_a_key_range_are_cut_into_chunks(monkeypatch, ids, chunks):
    monkeypatch.setattr(rule, "CHUNK", 2)

    assert list(rule.chunks(ids)) == chunks
