"""POST /account/delete/: who it was cannot be told any more, and the books stay true."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.addresses.services import add_address
from accounts.contacts import record_paid_from
from accounts.emails import _sender
from accounts.models import (
    Address,
    MessagePreferences,
    NameClaim,
    PhoneLogin,
    PhoneProof,
    Session,
    User,
)
from accounts.phone_login import link
from accounts.services import change_details, register
from accounts.sessions import Origin, open_session
from accounts.tokens import RefreshToken
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order, expire_order, is_too_late
from orders.models import Order
from orders.models.notifications import Message, Notice
from orders.problems.services import open_problem
from orders.reviews import review_line
from payments.people import erasure
from payments.people.erasure import erase_account, erase_old_texts, erase_remaining_data
from payments.people.inventory import PERSONAL_DATA, WHOLE
from payments.proof.prove import prove
from products.listings.services import create_product
from products.models import Product, Review
from products.reviews.services import answer_review
from products.spreadsheets.csv_format import SheetRow
from products.spreadsheets.importer import SheetImport
from products.spreadsheets.row_reports import CREATED
from tests.accounts.conftest import log_in
from tests.batches import ids_in_a_statement
from tests.conftest import signed_in
from tests.factories import (
    PASSWORD,
    AddressFactory,
    ProductFactory,
    UserFactory,
    give_role,
    proven,
)
from tests.invariants import check_books
from tests.orders.parcels import a_parcel
from tests.proof.conftest import daraja, healthy  # noqa: F401
from tests.shopping import an_order, cash_out, paid_line
from tests.threads import at_once

pytestmark = pytest.mark.django_db
BODY = {"password": PASSWORD}
A_PLACE = {
    "recipient": "W. Kamau",
    "phone": "254712345678",
    "county": "kiambu",
    "area": "Thika",
}
A_LISTING = {
    "name": "Steel kettle",
    "category": "kitchen",
    "price": 1500,
    "item_number": 2,
    "payment_mpesa_number": "254722000001",
}


def delete(user, body=None):
    return signed_in(user).post("/account/delete/", body or BODY)


def restock_refusal(user):
    answer = delete(user)
    assert answer.status_code == 409, answer.json()
    return [one["what"] for one in answer.json()["under_way"]]


def two_days_later():
    return time_machine.travel(timezone.now() + timedelta(days=2))


@pytest.fixture
def wanjiku(db):
    """A buyer with all that one can have here."""
    wanjiku = register(username="wanjiku", email="wanjiku@example.com", password=PASSWORD)
    User.objects.filter(pk=wanjiku.pk).update(
        first_name="Wanjiku",
        last_name="Kamau",
        gender="woman",
        phone="254712345678",
        email_confirmed_at=timezone.now(),
    )
    wanjiku.refresh_from_db()
    proven(wanjiku, "254712345678")
    MessagePreferences.objects.create(user=wanjiku, language="sw")
    Address.objects.create(
        user=wanjiku, recipient="W. Kamau", phone="254712345678", county="kiambu", area="Ruiru"
    )
    return wanjiku


@pytest.fixture
def customer(wanjiku, kettle):
    """The same, who bought a kettle, has it, and said how it boils."""
    parcel = a_parcel(
        wanjiku, kettle, recipient="W. Kamau", county="kiambu", area="Ruiru", directions="Church"
    )
    line = parcel.lines.get()
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    move_line(line.pk, "delivered", actor=wanjiku)
    review_line(track_id=line.pk, buyer=wanjiku, stars=5, text="Wanjiku says: it boils.")
    notice = Notice.objects.create(key="told", kind="paid", user=wanjiku, facts={"who": "W."})
    Message.objects.create(
        notice=notice,
        user=wanjiku,
        kind="paid",
        channel="sms",
        language="sw",
        contact="254712345678",
        text="Habari Wanjiku",
        next_try_at=timezone.now(),
    )
    return wanjiku


def test_whose_it_is_says_so_by_the_password(wanjiku):
    answer = delete(wanjiku)

    # In the language of their account.
    assert (answer.status_code, answer.json()) == (200, {"detail": "Akaunti yako imefutwa."})


@pytest.mark.parametrize("body", [{"password": "wrong"}, {}, {"password": ""}])
def test_a_stolen_token_deletes_nothing(wanjiku, body):
    answer = signed_in(wanjiku).post("/account/delete/", body)

    assert (answer.status_code, list(answer.json())) == (400, ["password"])
    assert User.objects.get(pk=wanjiku.pk).is_active


def test_guesses_with_a_stolen_token_lock(wanjiku, settings):
    settings.LOCKOUT = True

    statuses = [delete(wanjiku, {"password": f"no {n}"}).status_code for n in range(5)]

    assert statuses == [400] * 4 + [429]
    assert delete(wanjiku).status_code == 429


@pytest.mark.parametrize("power", [{"is_staff": True}, {"is_superuser": True}])
def test_staff_accounts_cannot_be_deleted(power):
    answer = delete(UserFactory(**power))

    assert (answer.status_code, answer.json()["code"]) == (409, "staff_account")


def test_a_user_with_a_role_cannot_be_deleted(wanjiku):
    assert delete(give_role(wanjiku, "delivery")).json()["code"] == "staff_account"


def test_an_unpaid_order_keeps_its_buyer_and_its_seller(wanjiku, seller, kettle):
    order = an_order(wanjiku, (kettle, 1))

    answer = delete(wanjiku)

    assert answer.json()["code"] == "under_way"
    assert answer.json()["under_way"] == [
        {
            "what": "unpaid_order",
            "reference": order.reference,
            "order_token": str(order.order_token),
        }
    ]
    assert restock_refusal(seller) == ["goods_to_hand_over"]


def test_a_seller_is_not_given_the_token_of_what_they_sold(wanjiku, seller, kettle):
    order = paid_line(wanjiku, kettle).order
    open_problem(order.tracks.get().pk, buyer=wanjiku, kind="damaged", text="The lid is cracked.")

    of_seller = delete(seller).json()["under_way"]
    of_buyer = delete(wanjiku).json()["under_way"]

    assert of_seller == [
        {"what": what, "reference": order.reference} for what in ("goods_to_hand_over", "problem")
    ]
    own = {"reference": order.reference, "order_token": str(order.order_token)}
    assert of_buyer == [{"what": what, **own} for what in ("goods_to_come", "problem")]


def test_money_may_come_for_a_day_after_an_order_ended(wanjiku, kettle):
    order = an_order(wanjiku, (kettle, 1))
    cancel_order(order.pk, cancelled_by="staff")

    assert restock_refusal(wanjiku) == ["late_money"]
    with two_days_later():
        assert delete(wanjiku).status_code == 200


def test_an_order_that_a_silent_clock_closed_late_keeps_its_buyer_for_a_day_from_then(
    wanjiku, kettle
):
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        order = an_order(wanjiku, (kettle, 1))

    expire_order(order.pk, now=timezone.now())

    order.refresh_from_db()
    assert order.payment_status == "expired"
    assert not is_too_late(order, timezone.now())
    assert restock_refusal(wanjiku) == ["late_money"]
    with two_days_later():
        assert is_too_late(order, timezone.now())
        assert delete(wanjiku).status_code == 200


def test_goods_on_their_way_keep_both(wanjiku, seller, kettle):
    paid_line(wanjiku, kettle)

    assert restock_refusal(wanjiku) == ["goods_to_come"]
    assert restock_refusal(seller) == ["goods_to_hand_over"]


def test_money_on_its_way_back_keeps_its_buyer(wanjiku, kettle):
    move_line(paid_line(wanjiku, kettle).pk, "cancelled", actor=wanjiku)

    assert restock_refusal(wanjiku) == ["refund"]


def test_a_payment_in_doubt_keeps_its_buyer(customer):
    Order.objects.update(in_doubt=True)

    assert restock_refusal(customer) == ["doubted_payment"]


def test_a_seller_who_is_owed_money_cannot_be_deleted(customer, seller):
    answer = delete(seller)

    assert answer.json()["under_way"] == [{"what": "money_owed", "amount": 1500}]


def test_a_refusal_changes_nothing(wanjiku, kettle):
    an_order(wanjiku, (kettle, 1))
    before = User.objects.values().get(pk=wanjiku.pk)

    delete(wanjiku)

    assert User.objects.values().get(pk=wanjiku.pk) == before
    assert Address.objects.filter(user=wanjiku).exists()


def test_no_column_names_a_deleted_person(customer):
    assert delete(customer).status_code == 200

    for entry in PERSONAL_DATA:
        rows = entry.table._default_manager.filter(pk__in=entry.keys_of(customer.pk))
        if entry.erased == WHOLE:
            assert not rows.exists(), entry.section
            continue
        erased = [name for name in entry.erased.split() if name != "user"]
        for row in rows.values(*erased) if erased else ():
            kept = {name: value for name, value in row.items() if value not in ("", None, {})}
            for name in ("username", "password", "skeleton"):
                kept.pop(name, None)
            assert not kept or kept == {"mpesa_number": "•••••••••678"}, entry.section
    left = User.objects.values_list("username", "is_active").get(pk=customer.pk)
    assert left == (f"#{customer.pk}", False)


def test_the_words_of_a_review_go_and_its_stars_stay(customer, kettle):
    delete(customer)

    review = Review.objects.get()
    assert (review.text, review.stars) == ("", 5)
    kettle.refresh_from_db()
    assert (kettle.review_stars, kettle.review_count) == (5, 1)


def test_the_books_agree_afterwards(customer):
    delete(customer)

    check_books()


@pytest.mark.usefixtures("healthy")
@pytest.mark.long
def test_nothing_that_prove_knows_misses_the_words_of_anybody():
    """A day of trade, every buyer's and seller's words gone."""
    for pk in User.objects.values_list("pk", flat=True):
        erase_old_texts(pk)

    assert [str(found) for found in prove().broken] == []


def test_a_waiting_message_is_not_sent(customer):
    delete(customer)

    message = Message.objects.get(notice__key="told")
    assert (message.state, message.next_try_at, message.contact) == ("failed", None, "")


def test_the_answer_of_a_deleted_seller_goes(customer, seller):
    answer_review(Review.objects.get().pk, seller_id=seller.pk, text="Amina says thanks")

    erase_old_texts(seller.pk)

    assert Review.objects.get().answer == ""
    check_books()


def test_listings_are_off_sale_and_say_nothing_any_more():
    seller = UserFactory()
    product = ProductFactory(seller=seller, description="Call Amina", image="products/1.webp")

    delete(seller)

    product.refresh_from_db()
    assert (product.listed, product.description, product.image.name) == (False, "", "")
    assert APIClient().get(f"/product/{product.pk}/").status_code == 404


def test_the_files_of_pictures_are_deleted(
    settings, tmp_path, db, django_capture_on_commit_callbacks
):
    settings.MEDIA_ROOT = tmp_path
    for name in ("avatars/1.webp", "products/1.webp", "products/1.thumb.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    seller = UserFactory(avatar="avatars/1.webp")
    ProductFactory(seller=seller, image="products/1.webp", thumbnail="products/1.thumb.webp")

    with django_capture_on_commit_callbacks(execute=True):
        delete(seller)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_deletion_ends_every_session(api, wanjiku):
    pair = log_in(api, "wanjiku").json()
    delete(wanjiku)

    assert api.post("/token/refresh/", pair).status_code == 401
    assert api.get("/me/", headers={"Authorization": f"Bearer {pair['access']}"}).status_code == 401
    assert not Session.objects.exists()
    assert not OutstandingToken.objects.filter(user=wanjiku).exists()


def test_a_deleted_users_credentials_do_not_work(api, wanjiku):
    delete(wanjiku)

    for name in ("wanjiku", "wanjiku@example.com", f"#{wanjiku.pk}"):
        assert log_in(api, name).status_code == 400


def test_the_name_rests_and_the_e_mail_is_free(api, wanjiku):
    delete(wanjiku)
    newcomer = {"password1": "sukuma wiki 7", "password2": "sukuma wiki 7"}

    taken = api.post("/registration/", {"username": "wanjiku", **newcomer})
    joined = api.post(
        "/registration/", {"username": "njeri", "email": "wanjiku@example.com", **newcomer}
    )

    assert (taken.status_code, joined.status_code) == (400, 201)
    assert NameClaim.objects.get(skeleton__startswith="w").user is None


def test_the_owner_is_notified_in_their_language(
    wanjiku, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        delete(wanjiku)
    _sender.submit(lambda: None).result()
    (mail,) = [one for one in mailoutbox if "imefutwa" in one.subject]
    assert mail.to == ["wanjiku@example.com"]


def test_the_deletion_is_in_the_security_log(wanjiku, caplog, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        delete(wanjiku)

    assert f"account_erased user={wanjiku.pk}" in caplog.text
    assert "wanjiku@" not in caplog.text


def test_the_database_keeps_no_name_of_a_deleted_person(wanjiku):
    delete(wanjiku)

    for change in ({"email": "w@example.com"}, {"is_active": True}, {"username": "wanjiku"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=wanjiku.pk).update(**change)


def test_deletions_interrupted_by_a_crash_finish_at_night(customer, monkeypatch):
    monkeypatch.setattr(erasure, "erase_old_texts", lambda user_id: 0)
    delete(customer)
    monkeypatch.undo()
    assert Review.objects.get().text

    assert erase_remaining_data(timezone.now()) > 0

    assert Review.objects.get().text == ""
    assert erase_remaining_data(timezone.now()) == 0


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_all_rows_of_a_section_are_deleted_however_many(wanjiku, monkeypatch, number):
    monkeypatch.setattr(erasure, "BATCH", 2)
    Address.objects.filter(user=wanjiku).delete()
    AddressFactory.create_batch(number, user=wanjiku)

    with ids_in_a_statement(2):
        assert delete(wanjiku).status_code == 200
    assert not Address.objects.exists()


def test_a_person_whose_erasure_breaks_keeps_none_behind_them_from_theirs(wanjiku, db, monkeypatch):
    amina = UserFactory()
    for person in (wanjiku, amina):
        assert delete(person).status_code == 200
    served = []

    def erase(user_id):
        if user_id == wanjiku.pk:
            raise ZeroDivisionError
        served.append(user_id)
        return 3

    monkeypatch.setattr(erasure, "erase_old_texts", erase)

    assert (erase_remaining_data(timezone.now()), served) == (3, [amina.pk])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_a_concurrent_order_and_deletion_succeeds(buyer, buyer_api, kettle):
    placed, deleted = at_once(
        lambda: cash_out(buyer_api, (kettle, 1), key="once"), lambda: delete(buyer)
    )

    came = (placed.status_code, deleted.status_code)
    assert came in {(401, 200), (201, 409)}
    assert Order.objects.filter(buyer=buyer).exists() == (came == (201, 409))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_concurrent_deletions_is_told_the_account_is_gone(buyer):
    answers = at_once(lambda: delete(buyer), lambda: delete(buyer))

    assert sorted(answer.status_code for answer in answers) == [200, 401]


def test_an_order_that_waited_for_the_deletion_is_refused(buyer, kettle):
    api = signed_in(buyer)
    erase_account(buyer, timezone.now())
    User.objects.filter(pk=buyer.pk).update(erased_at=None, is_active=False)

    with pytest.raises(Exception, match="closed"):
        an_order(buyer, (kettle, 1))
    assert api.get("/me/").status_code == 401


@pytest.mark.parametrize(
    "write",
    [
        lambda wanjiku: add_address(wanjiku, A_PLACE),
        lambda wanjiku: link(wanjiku, "254712345678", timezone.now()),
        lambda wanjiku: change_details(wanjiku, {"email": "other@example.com"}),
        lambda wanjiku: create_product(seller=wanjiku, **A_LISTING),
    ],
    ids=["an address", "a phone", "an e-mail", "a listing"],
)
def test_what_waited_for_the_deletion_is_refused(wanjiku, write):
    erase_account(User.objects.get(pk=wanjiku.pk), timezone.now())

    with pytest.raises(AuthenticationFailed, match="closed"):
        write(wanjiku)

    assert not Address.objects.exists()
    assert not PhoneLogin.objects.exists()
    assert not Product.objects.exists()


def test_a_row_of_a_sheet_that_waited_for_the_deletion_fails():
    seller = UserFactory()
    row = SheetRow(1, {name: str(value) for name, value in A_LISTING.items()})
    importing = SheetImport([row], seller=seller, by=seller)
    assert importing.import_row(row, check=True).status == CREATED
    erase_account(User.objects.get(pk=seller.pk), timezone.now())

    report = importing.import_row(row, check=False)

    assert report.errors == {"row": ["The account was closed a moment ago."]}
    assert not Product.objects.exists()


def test_what_was_written_at_the_moment_of_a_deletion_goes_at_night(wanjiku):
    delete(wanjiku)
    log_in_of_that_moment = open_session(wanjiku, origin=Origin("196.201.214.200", "Chrome"))
    RefreshToken.for_session(log_in_of_that_moment, wanjiku)
    MessagePreferences.objects.create(user=wanjiku, language="sw")

    assert erase_remaining_data(timezone.now()) == 3

    of_her = {"user": wanjiku.pk}
    assert not Session.objects.filter(**of_her).exists()
    assert not OutstandingToken.objects.filter(**of_her).exists()
    assert not MessagePreferences.objects.filter(**of_her).exists()


def test_a_payment_that_comes_later_names_nobody(wanjiku):
    delete(wanjiku)

    record_paid_from(wanjiku.pk, "254712345678", timezone.now())

    assert User.objects.get(pk=wanjiku.pk).phone == ""


def test_phones_of_payments_stay_as_the_books_need_them(customer):
    delete(customer)

    assert customer.orders.get().payments.get().phone == "254712345678"
    assert not PhoneProof.objects.filter(user=customer).exists()
