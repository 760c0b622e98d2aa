"""Leaving with problems, parcels and pictures behind one: what keeps, what goes, what stays."""

import io

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from PIL import Image

from accounts.models import User
from omachemainproj.images import normalise_own
from orders import claims
from orders.fulfilment import move_line
from orders.models import (
    OrderDelivery,
    ParcelEvent,
    PriceReduction,
    Problem,
    ProblemMessage,
    ProblemPicture,
)
from orders.models.notifications import Message, Notice
from orders.models.problems import PARTIAL_REFUND_HOLD
from orders.problems.services import add_message, open_problem
from payments.backoffice import transfer_services
from payments.models import LedgerPosting, Payout, Receipt, Refund, SellerShare
from payments.payouts.allocation import create_payouts
from payments.people.erasure import erase_account, erase_remaining_data
from payments.proof.prove import prove
from payments.transfers import mark_done
from products.catalogue.category_summaries import for_sale_of_seller
from products.listings.pictures import add_picture
from products.models import Product, ProductPicture
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at
from tests.orders.parcels import a_parcel, a_point, an_agent
from tests.payments.paying_out import post_result, tick
from tests.problems.conftest import daraja, get, post, report  # noqa: F401
from tests.shopping import paid_line
from tests.threads import at_once

from .test_erasure import BODY, delete, restock_refusal
from .test_export import export_of

pytestmark = pytest.mark.django_db


def png(colour="red"):
    file = io.BytesIO()
    Image.new("RGB", (900, 700), colour).save(file, "PNG")
    return file.getvalue()


def picture(colour="red", *, gallery=False):
    return normalise_own(png(colour), gallery=gallery)


@pytest.fixture
def parcel(buyer, kettle):
    """A kettle at KES 1,500 that an agent brought to a door."""
    parcel, agent = a_parcel(buyer, kettle), an_agent()
    claims.claim_parcel(parcel.pk, agent=agent)
    line = parcel.lines.get()
    move_line(line.pk, "fetched", actor=agent)
    move_line(line.pk, "delivered", actor=buyer)
    agent.groups.clear()
    return parcel


@pytest.fixture
def settled(parcel, buyer, seller):
    """A problem with it, of which both said something; KES 200 went back, the rest was paid out."""
    line = parcel.lines.get()
    report(line, buyer, text="Wanjiku's kettle leaks.", pictures=[picture()])
    problem = Problem.objects.get()
    add_message(
        problem.pk, author=seller, party="seller", text="Amina is sorry.", pictures=[picture()]
    )
    assert post(seller, line, "accept/", {"amount": 200, "note": "For the lid."}).status_code == 200
    # The rest of the price waits so long for what the buyer says to it.
    Problem.objects.update(closed_at=F("closed_at") - PARTIAL_REFUND_HOLD)
    create_payouts(seller.pk)
    settle()
    return Problem.objects.get()


def settle():
    """All that is owed leaves, and M-Pesa says that it arrived."""
    tick()
    for refund in Refund.objects.exclude(status="done"):
        mark_done(refund, number=f"TKR{refund.pk:07d}")
    tick()
    for payout in Payout.objects.exclude(status="done"):
        post_result(payout)


def test_an_undecided_problem_keeps_its_buyer_and_its_seller(buyer, seller, parcel):
    create_payouts(seller.pk)
    settle()
    report(parcel.lines.get(), buyer)

    named = delete(buyer).json()["under_way"]

    order = parcel.order
    assert named == [
        {
            "what": "problem",
            "reference": order.reference,
            "order_token": str(order.order_token),
        }
    ]
    assert restock_refusal(seller) == ["problem"]


def test_goods_that_are_to_come_back_keep_both(buyer, seller, parcel):
    line = parcel.lines.get()
    report(line, buyer)
    post(seller, line, "accept/", {"bring_back": True})

    assert restock_refusal(buyer) == ["problem"]
    assert restock_refusal(seller) == ["problem", "money_owed"]


def test_a_problem_that_ended_keeps_nobody(buyer, seller, settled):
    assert [delete(buyer).status_code, delete(seller).status_code] == [200, 200]


def test_a_parcel_that_was_taken_on_keeps_who_brings_it_and_no_role_any_more(buyer, kettle):
    parcel, agent = a_parcel(buyer, kettle), an_agent()
    claims.claim_parcel(parcel.pk, agent=agent)
    move_line(parcel.lines.get().pk, "fetched", actor=agent)
    agent.groups.clear()

    named = delete(agent).json()["under_way"]

    assert named == [{"what": "parcel_to_bring", "parcel": parcel.pk}]
    move_line(parcel.lines.get().pk, "delivered", actor=buyer)
    assert delete(agent).status_code == 200


def test_who_hands_over_at_a_point_stays_until_they_are_taken_off_it(db):
    person = UserFactory()
    point = a_point(person)

    assert delete(person).json()["code"] == "staff_account"
    point.agents.clear()
    assert delete(person).status_code == 200


@pytest.mark.parametrize("way", ["hold_payout", "reject_payout"])
def test_money_that_is_kept_back_keeps_its_seller(buyer, seller, settings, way):
    settings.PAYOUT_APPROVAL_ABOVE = 500
    line_at("delivered", buyer=buyer, product=ProductFactory(seller=seller, price=900))
    create_payouts(seller.pk)

    getattr(transfer_services, way)(Payout.objects.get().pk, why="Looks like a theft")
    answer = delete(seller)

    assert answer.json()["under_way"] == [{"what": "money_owed", "amount": 900}]
    assert "theft" not in answer.content.decode()


def sold_for(price, *, buyer, seller, phone="254722000001"):
    """A delivered line of this price, whose earnings go to this number."""
    product = ProductFactory(seller=seller, price=price, payment_mpesa_number=phone)
    line_at("delivered", buyer=buyer, product=product)
    tick()


def renounce(person, amount):
    return delete(person, {**BODY, "renounce": amount})


def owed(answer):
    return [each for each in answer.json()["under_way"] if each["what"] == "money_owed"]


def test_a_seller_who_is_owed_less_than_can_be_sent_is_told_that_they_may_give_it_up(buyer, seller):
    sold_for(7, buyer=buyer, seller=seller)

    answer = delete(seller)

    assert (answer.status_code, owed(answer)) == (
        409,
        [{"what": "money_owed", "amount": 7, "renounceable": True}],
    )


def test_what_a_seller_gives_up_is_posted_to_an_account_of_its_own(buyer, seller):
    sold_for(7, buyer=buyer, seller=seller)

    assert renounce(seller, 7).status_code == 200

    posting = LedgerPosting.objects.get(event=f"renounced:{seller.pk}")
    entries = posting.entries.order_by("side").values_list("side", "account", "amount", "seller")
    assert list(entries) == [
        ("credit", "renounced", 7, None),
        ("debit", "sellers_payable", 7, seller.pk),
    ]
    payout = Payout.objects.get()
    assert (payout.gross, payout.amount, payout.status, payout.note) == (
        7, 0, "done", "The seller gave it up when they closed their account.",
    )  # fmt: skip
    assert list(prove().broken) == []


def test_so_little_for_each_of_two_numbers_may_be_given_up_together(buyer, seller):
    for price, phone in ((7, "254722000001"), (8, "254722000002")):
        sold_for(price, buyer=buyer, seller=seller, phone=phone)

    assert renounce(seller, 15).status_code == 200
    assert list(prove().broken) == []


@pytest.mark.parametrize("amount", [6, 8])
def test_another_amount_than_what_is_owed_is_not_given_up(buyer, seller, amount):
    sold_for(7, buyer=buyer, seller=seller)

    answer = renounce(seller, amount)

    assert (answer.status_code, owed(answer)[0]["amount"]) == (409, 7)
    assert not LedgerPosting.objects.filter(event__startswith="renounced:").exists()


def test_money_that_can_be_sent_cannot_be_given_up(buyer, seller):
    sold_for(10, buyer=buyer, seller=seller)

    answer = renounce(seller, 10)

    assert owed(answer) == [{"what": "money_owed", "amount": 10}]
    assert not LedgerPosting.objects.filter(event__startswith="renounced:").exists()


def test_money_that_staff_hold_back_cannot_be_given_up(buyer, seller):
    sold_for(7, buyer=buyer, seller=seller)
    SellerShare.objects.update(withheld_why="Looks like a theft")

    assert owed(renounce(seller, 7)) == [{"what": "money_owed", "amount": 7}]


def test_money_whose_payment_is_not_confirmed_cannot_be_given_up(buyer, seller):
    sold_for(7, buyer=buyer, seller=seller)
    Receipt.objects.update(verification="reported")

    assert owed(renounce(seller, 7)) == [{"what": "money_owed", "amount": 7}]


def test_a_refusal_for_another_reason_gives_nothing_up(buyer, seller, kettle):
    sold_for(7, buyer=buyer, seller=seller)
    paid_line(buyer, kettle)

    assert renounce(seller, 7).status_code == 409
    assert not LedgerPosting.objects.filter(event__startswith="renounced:").exists()


def test_a_renouncement_of_an_open_account_is_found_broken(buyer, seller):
    sold_for(7, buyer=buyer, seller=seller)
    renounce(seller, 7)
    User.objects.filter(pk=seller.pk).update(erased_at=None)

    assert [broken.rule for broken in prove().broken] == [
        "A ledger entry owed to a seller names the seller of its earnings, payout or renouncement"
    ]


def test_pictures_of_problems_go_with_who_sent_them(buyer, seller, settled):
    delete(buyer)

    assert ProblemPicture.objects.get().message.author == seller


def test_words_about_a_problem_stay_for_the_other_side(buyer, seller, settled):
    delete(buyer)

    said = get(seller, settled.track, "messages/").json()
    assert [(one["by"], one["text"], len(one["pictures"])) for one in said] == [
        ("buyer", "Wanjiku's kettle leaks.", 0),
        ("seller", "Amina is sorry.", 1),
        ("seller", "For the lid.", 0),
    ]


def test_the_database_lets_nobody_change_what_was_said(buyer, settled):
    delete(buyer)

    with pytest.raises(IntegrityError), transaction.atomic():
        ProblemMessage.objects.filter(author=buyer).update(text="")


def test_where_a_parcel_went_goes_and_who_brought_it_stays(buyer, parcel):
    delete(buyer)

    place = OrderDelivery.objects.get()
    assert (place.recipient, place.phone, place.area, place.directions) == ("", "", "", "")
    assert place.county == "kisumu"
    assert ParcelEvent.objects.get(step="claimed").agent is not None


def test_all_pictures_of_listings_and_their_files_go(
    seller, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.MEDIA_ROOT = tmp_path
    product = ProductFactory(seller=seller, item_number=3)
    for colour in ("red", "green", "blue"):
        add_picture(product.pk, picture(colour, gallery=True))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    with django_capture_on_commit_callbacks(execute=True):
        assert delete(seller).status_code == 200

    assert len(files) >= 6
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    product.refresh_from_db()
    assert (product.image.name, product.thumbnail.name) == ("", "")
    assert not ProductPicture.objects.exists()
    sold = User.objects.annotate(for_sale=for_sale_of_seller()).get(pk=seller.pk)
    assert sold.for_sale == 0


def test_pictures_of_others_stay(seller, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MEDIA_ROOT = tmp_path
    kept = ProductFactory()
    add_picture(kept.pk, picture(gallery=True))
    ProductFactory(seller=seller)

    with django_capture_on_commit_callbacks(execute=True):
        delete(seller)

    assert ProductPicture.objects.get().product == kept
    assert (tmp_path / ProductPicture.objects.get().image.name).exists()


def test_a_listing_and_a_picture_that_came_in_that_moment_go_in_the_night(
    seller, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.MEDIA_ROOT = tmp_path
    delete(seller)
    late = ProductFactory(seller=seller, listed=True, description="Call Amina")
    add_picture(late.pk, picture(gallery=True))

    with django_capture_on_commit_callbacks(execute=True):
        assert erase_remaining_data(timezone.now()) == 1

    late = Product.objects.get(pk=late.pk)
    assert (late.listed, late.description, late.image.name) == (False, "", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert erase_remaining_data(timezone.now()) == 0


@pytest.mark.parametrize("order", [("buyer", "seller"), ("seller", "buyer")])
def test_prove_is_clean_once_both_are_gone(buyer, seller, settled, order):
    people = {"buyer": buyer, "seller": seller}

    for who in order:
        assert delete(people[who]).status_code == 200

    assert [str(found) for found in prove().broken] == []
    kept = Problem.objects.get()
    assert (kept.state, kept.refunded) == ("closed", 200)
    assert PriceReduction.objects.get().amount == 200


def test_a_problem_with_what_a_deleted_seller_sold_can_be_reported(buyer, seller, parcel):
    create_payouts(seller.pk)
    settle()
    delete(seller)

    body = {"kind": "damaged", "text": "It leaks."}
    assert post(buyer, parcel.lines.get(), "", body).status_code == 201
    assert Notice.objects.filter(kind="problem").exists()
    tick()
    assert not Message.objects.filter(user=seller).exclude(contact="").exists()
    assert [str(found) for found in prove().broken] == []


def test_a_deleted_buyer_reports_nothing_any_more(buyer, parcel):
    delete(buyer)

    answer = post(buyer, parcel.lines.get(), "", {"kind": "damaged", "text": "It leaks."})

    assert answer.status_code == 401


def test_a_problem_report_that_waited_for_the_deletion_is_refused(buyer, parcel):
    erase_account(buyer, timezone.now())

    with pytest.raises(Exception, match="closed"):
        open_problem(parcel.lines.get().pk, buyer=buyer, kind="damaged", text="It leaks.")

    assert not Problem.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_a_concurrent_problem_and_deletion_succeeds(buyer, parcel):
    line = parcel.lines.get()
    told, deleted = at_once(
        lambda: post(buyer, line, "", {"kind": "damaged", "text": "It leaks."}),
        lambda: delete(buyer),
    )

    came = (told.status_code, deleted.status_code)
    assert came in {(401, 200), (201, 409)}
    assert Problem.objects.exists() == (came == (201, 409))


def test_a_buyer_gets_their_problems_and_their_own_words(buyer, settled):
    _, text, kept = export_of(buyer)

    [problem] = kept["problems_reported"]
    assert (problem["kind"], problem["outcome"], problem["refunded"]) == ("damaged", "reduced", 200)
    assert [one["text"] for one in kept["said_about_problems"]] == ["Wanjiku's kettle leaks."]
    assert [one["message__problem__track_id"] for one in kept["pictures_of_problems"]] == [
        settled.track_id
    ]
    assert [one["amount"] for one in kept["price_reductions"]] == [200]
    assert kept["parcels_bought"][0]["fee"] == 0
    assert kept["problems_with_goods"] == []
    assert "Amina is sorry" not in text


def test_a_seller_gets_theirs_and_nothing_of_who_bought(seller, settled):
    _, text, kept = export_of(seller)

    assert [one["outcome"] for one in kept["problems_with_goods"]] == ["reduced"]
    assert [one["text"] for one in kept["said_about_problems"]] == [
        "Amina is sorry.",
        "For the lid.",
    ]
    assert (kept["earned"][0]["amount"], kept["earned"][0]["reduced"]) == (1500, 200)
    assert kept["goods_for_sale"] or kept["goods_counted_next"]
    assert "Wanjiku" not in text
    assert "Milimani" not in text


def test_why_staff_keep_money_back_is_for_staff_alone(buyer, seller, settings):
    settings.PAYOUT_APPROVAL_ABOVE = 500
    line_at("delivered", buyer=buyer, product=ProductFactory(seller=seller, price=900))
    create_payouts(seller.pk)
    transfer_services.hold_payout(Payout.objects.get().pk, why="Looks like a theft")

    _, text, kept = export_of(seller)

    assert len(kept["paid_out"]) == 1
    assert "theft" not in text


def test_pictures_of_listings_are_named(seller, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    product = ProductFactory(seller=seller)
    added = add_picture(product.pk, picture(gallery=True))

    _, _, kept = export_of(seller)

    assert [one["image"] for one in kept["listing_pictures"]] == [added.image.name]
