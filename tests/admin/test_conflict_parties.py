"""Conflict of interest: staff cannot decide about their own orders, sales, payments or records."""

from collections import defaultdict
from dataclasses import replace

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.backoffice import audit, conflicts
from accounts.backoffice.actions import ACTIONS, perform
from accounts.backoffice.conflicts import ConflictOfInterest, Parties
from accounts.models import Audit, User
from orders.models import Order, OrderTrack, Parcel
from orders.parcels.actions import ACTIONS as PARCEL_ACTIONS
from orders.reviews import review_line
from payments.backoffice.kinds import KINDS
from payments.backoffice.receipt_actions import WRITE_DOWN
from payments.conflict_parties import SENT_ELSEWHERE, WRITING, people_of_payout
from payments.daraja.result_codes import TransferFailure
from payments.models import Payout, Receipt, Refund
from payments.models.order_payments import new_callback_token
from payments.models.transfers import new_conversation_id
from payments.payouts.allocation import create_payouts
from payments.transfers import mark_refused
from products.models import Product
from products.picture_actions import PICTURE_ACTIONS
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.orders.lines import line_at, move, with_role
from tests.shopping import an_order, delivered_line, fetched_line

from .browsers import browser_of, in_role
from .console import CONSOLE, act, shown_messages
from .test_line_actions import do, status_of
from .test_spreadsheets import NEW, preview, problems, sheet

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def listed_actions():
    """Every action of every list of the admin: its model, name and function."""
    for model, page in admin.site._registry.items():
        for name in page.actions:
            found = name if callable(name) else getattr(type(page), name)
            yield model, found.__name__, found


def staff_actions():
    """Every staff action with the model of its rows."""
    for model, _, found in listed_actions():
        if hasattr(found, "staff_action"):
            yield model, found.staff_action
    for kind in KINDS.values():
        for action in kind.actions.values():
            yield kind.model, action
    yield Receipt, WRITE_DOWN
    yield from ((Parcel, action) for action in PARCEL_ACTIONS.values())
    yield from ((Product, action) for action in PICTURE_ACTIONS.values())


def test_every_action_of_the_admin_asks_who_has_a_part_in_the_row():
    without = {
        f"{model.__name__}.{name}"
        for model, name, found in listed_actions()
        if not hasattr(found, "staff_action") and not hasattr(found, "keeps_out")
    }

    assert {name for name in without if not name.endswith(".download")} == set()
    assert {action.key for _, action in staff_actions()} == ACTIONS.keys()


@pytest.mark.parametrize("who", ["a person", "a number"])
def test_every_staff_action_refuses_whoever_has_a_part_superusers_too(monkeypatch, who):
    boss = UserFactory(is_staff=True, is_superuser=True)
    ProductFactory(seller=boss, payment_mpesa_number="254700000001")
    parties = {
        "a person": Parties(frozenset({boss.pk})),
        "a number": Parties(phones=frozenset({"254700000001"})),
    }[who]
    given, refused = defaultdict(str, why="x"), []

    for model, action in staff_actions():
        assert conflicts.is_declared(model), f"say who has a part in a {model.__name__}"
        monkeypatch.setitem(conflicts._party_finders, model, [lambda row: parties])
        done = replace(action, do=lambda *_: pytest.fail("it was done"))
        row = model(pk=model._meta.pk.to_python(1))
        row.received_at, row.amount = timezone.now(), 1
        with pytest.raises(ConflictOfInterest):
            perform(done, row, given, by=boss)
        refused.append(action.label)

    logged = Audit.objects.order_by("pk").values_list("did", flat=True)
    assert list(logged) == [f"Refused, own interest: {label}"[:200] for label in refused]


def test_a_row_nobody_spoke_for_is_not_decided_about(staff):
    with pytest.raises(TypeError, match=r"no parties_of\(\) is declared for Audit"):
        conflicts.refuse_conflicts(staff, Audit())


def payment_seen_by_staff():
    return Receipt.objects.create(number="TKB7000000", amount=1500, source="staff")


def money_sent_again(kettle, buyer):
    """A payout to a number that somebody typed, as far as only the audit knows."""
    first = refused_payout(kettle, buyer)
    first.shares.update(phone="254700000001")
    first.drop("It is being retried.")
    create_payouts(kettle.seller_id)
    return first, Payout.objects.latest("pk")


@pytest.mark.parametrize(
    ("action", "did"),
    [(key, "By whatever label") for key in WRITING]
    + [("", audit.TEXT_BEFORE_KEYS[key] + " (TKB7000000)") for key in WRITING],
)
def test_who_recorded_a_payment_is_known_by_the_key_and_of_old_entries_by_the_text(
    staff, action, did
):
    receipt = payment_seen_by_staff()
    Audit.objects.create(
        actor=staff,
        did=did,
        action=action,
        content_type=ContentType.objects.get_for_model(Receipt),
        object_id=str(receipt.pk),
    )

    with pytest.raises(ConflictOfInterest):
        conflicts.refuse_conflicts(staff, receipt)


@pytest.mark.parametrize(
    ("action", "did"),
    [(SENT_ELSEWHERE, "By whatever label"), ("", audit.TEXT_BEFORE_KEYS[SENT_ELSEWHERE])],
)
def test_who_typed_a_number_is_known_by_the_key_and_of_old_entries_by_the_text(
    staff, kettle, buyer, action, did
):
    dropped, payout = money_sent_again(kettle, buyer)
    conflicts.refuse_conflicts(staff, payout)
    Audit.objects.create(
        actor=staff,
        did=f"{did} ({payout.phone})",
        action=action,
        content_type=ContentType.objects.get_for_model(Payout),
        object_id=str(dropped.pk),
    )

    with pytest.raises(ConflictOfInterest):
        conflicts.refuse_conflicts(staff, payout)


def test_who_typed_a_number_is_asked_in_one_statement_however_much_was_dropped(kettle, buyer):
    """A statement takes 65,535 parameters, and a seller may have more dropped payouts."""
    dropped, payout = money_sent_again(kettle, buyer)

    def asked():
        with CaptureQueriesContext(connection) as captured:
            people_of_payout(payout)
        return [query["sql"] for query in captured.captured_queries]

    before = asked()
    for _ in range(2):
        dropped.pk, dropped.originator_conversation_id = None, new_conversation_id()
        dropped.callback_token, dropped.status_token = new_callback_token(), new_callback_token()
        dropped.save(force_insert=True)

    assert asked() == before


def test_what_was_done_with_a_payment_besides_makes_nobody_its_author(staff):
    receipt = payment_seen_by_staff()
    for action in ("console.receipt.seen", audit.REFUSED, audit.PROPOSED):
        audit.log(staff, "Wrote it down", receipt, action=action)

    conflicts.refuse_conflicts(staff, receipt)


def test_the_words_of_old_entries_never_change():
    """They stand in the table, and nobody can change them there."""
    assert audit.TEXT_BEFORE_KEYS == {
        "admin.add": "Added",
        "admin.change": "Changed",
        "console.receipt.write": "Wrote it down",
        "console.attempt.paid": "Say that it was paid",
        "console.receipt.name": "Name its number",
        "console.payout.send": "Send it to another number",
    }


def test_entries_are_looked_for_by_keys_of_actions_there_are():
    of_actions = {key for key in audit.TEXT_BEFORE_KEYS if not key.startswith("admin.")}

    assert of_actions <= ACTIONS.keys()
    assert {*WRITING, SENT_ELSEWHERE} <= of_actions


@pytest.mark.parametrize("source", ["the API", "the admin"])
@pytest.mark.parametrize("power", ["support", "superuser"])
def test_support_cancels_the_line_they_bought_and_had_delivered(kettle, source, power):
    person = in_role("support", is_superuser=power == "superuser")
    line = delivered_line(person, kettle)

    if source == "the API":
        answer = move(person, line, "cancelled", note="Broken")
        assert (answer.status_code, answer.json()["code"]) == (403, "own_interest")
    else:
        answer = do(browser_of(person), "to_cancelled", line, why="Broken", goods_there="no")
        assert ConflictOfInterest.message in shown_messages(answer)[0]

    assert status_of(line) == "delivered"
    assert not Refund.objects.exists()
    refused = Audit.objects.get()
    assert (refused.actor, refused.did[:21]) == (person, "Refused, own interest")


@pytest.mark.parametrize("theirs", ["order", "sale", "payout number", "paying number"])
def test_an_agent_fetches_goods_of_their_own_order_sale_or_number(buyer, kettle, theirs):
    agent = with_role("delivery")
    line = line_at("paid", buyer=buyer, product=kettle)
    if theirs == "order":
        OrderTrack.objects.filter(pk=line.pk).update(buyer=agent)
    elif theirs == "sale":
        OrderTrack.objects.filter(pk=line.pk).update(seller=agent)
    elif theirs == "payout number":
        ProductFactory(seller=agent, payment_mpesa_number=line.payment_mpesa_number)
    else:
        an_order(agent, (ProductFactory(), 1), phone=line.order.mpesa_number)

    answer = move(agent, line, "fetched")

    assert (answer.status_code, answer.json()["code"]) == (403, "own_interest")
    assert status_of(line) == "paid"


def write_down(client, **given):
    form = {"number": "TKB7000000", "amount": 3000, "why": "Seen", "reference": "", "phone": ""}
    return client.post(f"{CONSOLE}receipt/", {**form, **given}, follow=True)


@pytest.mark.parametrize("power", ["finance", "superuser"])
def test_finance_pays_their_own_order_with_an_invented_receipt(kettle, power):
    person = in_role("finance", is_superuser=power == "superuser")
    order = an_order(person, (kettle, 2))

    answer = write_down(browser_of(person), reference=order.reference)

    order.refresh_from_db()
    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert (order.payment_status, Receipt.objects.count()) == ("requested", 0)


def test_finance_writes_a_receipt_down_as_paid_by_their_own_phone(kettle):
    person = in_role("finance")
    an_order(person, (kettle, 1), phone="254700000001")

    answer = write_down(browser_of(person), phone="0700 000 001")

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert not Receipt.objects.exists()


@pytest.mark.usefixtures("balanced_books")
def test_finance_writes_a_receipt_down_and_sends_it_back():
    person = in_role("finance")
    write_down(browser_of(person), phone="0700 000 001")
    receipt = Receipt.objects.get()

    answer = act(browser_of(person), receipt, "back")

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert not Refund.objects.exists()


def test_finance_gives_a_strangers_money_to_their_own_order(kettle):
    person = in_role("finance")
    order = an_order(person, (kettle, 1))
    lost = Receipt.objects.create(number="TKB7000000", amount=1500, source="c2b")

    answer = act(browser_of(person), lost, "give", reference=order.reference)

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert lost.order is None


def refused_payout(kettle, buyer):
    fetched_line(buyer, kettle)
    create_payouts(kettle.seller_id)
    now = timezone.now()
    Payout.objects.update(status="unknown", sent_at=now, next_check_at=now)
    payout = Payout.objects.get()
    mark_refused(payout, code="2040", text="No M-Pesa", reason=TransferFailure.NOT_REGISTERED)
    return payout


def test_finance_sends_a_sellers_money_to_a_number_of_their_own(kettle, buyer):
    payout, person = refused_payout(kettle, buyer), in_role("finance")
    ProductFactory(seller=person, payment_mpesa_number="254700000001")

    answer = act(browser_of(person), payout, "send", phone="0700000001")

    assert (shown_messages(answer), payout.status) == ([ConflictOfInterest.message], "refused")


def test_finance_types_a_payouts_number_and_approves_it(kettle, buyer, settings):
    payout, person = refused_payout(kettle, buyer), in_role("finance")
    settings.PAYOUT_APPROVAL_ABOVE = 1000
    act(browser_of(person), payout, "send", phone="0700000001")
    create_payouts(kettle.seller_id)
    large = Payout.objects.latest("pk")

    answer = act(browser_of(person), large, "approve")

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert (large.phone, large.approved_by) == ("254700000001", None)


def test_support_calls_off_their_own_order_as_the_shop(kettle):
    person = in_role("support")
    order = an_order(person, (kettle, 1))
    form = {"action": "cancel", "_selected_action": order.pk, "said": "yes", "why": "Called"}

    browser_of(person).post("/admin/orders/order/", form)

    assert Order.objects.get().payment_status == "requested"


@pytest.mark.parametrize("power", ["catalogue", "superuser"])
def test_catalogue_changes_lists_and_imports_goods_of_their_own(power):
    person = in_role("catalogue", is_superuser=power == "superuser")
    own = ProductFactory(seller=person, price=900, listed=False)
    client, page = browser_of(person), f"/admin/products/product/{own.pk}/change/"
    listing = {"action": "show", "_selected_action": own.pk, "said": "yes", "why": "Nice"}

    changed = client.post(page, {"name": "Pan", "category": "kitchen", "price": 1}, follow=True)
    client.post("/admin/products/product/", listing)
    row = {**NEW, "seller": person.username}
    imported = preview(client, sheet(row)).content.decode()

    own.refresh_from_db()
    assert (own.price, own.listed) == (900, False)
    assert shown_messages(changed) == [ConflictOfInterest.message]
    assert ConflictOfInterest.message in imported
    assert [kept.did for kept in Audit.objects.order_by("pk")] == [
        "Refused, own interest: Change",
        "Refused, own interest: List: show these products to the public",
    ]


def test_catalogue_imports_a_strangers_listing_that_is_paid_to_their_own_number(seller):
    person = in_role("catalogue")
    ProductFactory(seller=person, payment_mpesa_number="254722000001")
    client = browser_of(person)

    page = preview(client, sheet(NEW))

    assert problems(page) == [{"seller": [ConflictOfInterest.message]}]
    assert not seller.products.exists()


@pytest.mark.parametrize("action", ["hide", "show"])
def test_catalogue_hides_a_bad_review_of_their_own_goods(buyer, action):
    person = in_role("catalogue")
    review = review_line(
        track_id=delivered_line(buyer, ProductFactory(seller=person)).pk, buyer=buyer, stars=1
    )
    form = {"action": action, "_selected_action": review.pk, "reason": "Rude"}

    answer = browser_of(person).post("/admin/products/review/", form, follow=True)

    review.refresh_from_db()
    assert not review.hidden
    assert ConflictOfInterest.message in shown_messages(answer)[0]


def test_a_superuser_changes_their_own_powers_email_and_password(staff_browser, staff):
    page = f"/admin/accounts/user/{staff.pk}/"
    before = User.objects.values().get(pk=staff.pk)

    changed = staff_browser.post(
        f"{page}change/", {"username": "boss", "email": "b@example.com", "is_active": "on"},
        follow=True,
    )  # fmt: skip
    new = {"password1": "mine mine mine", "password2": "mine mine mine"}
    password = staff_browser.post(f"{page}password/", new)
    deleted = staff_browser.post(f"{page}delete/", {"post": "yes"})

    assert shown_messages(changed) == [ConflictOfInterest.message]
    assert (password.status_code, deleted.status_code) == (403, 403)
    assert User.objects.values().get(pk=staff.pk) == before
    assert [kept.did for kept in Audit.objects.order_by("pk")] == [
        "Refused, own interest: Change",
        "Refused, own interest: Set the password",
    ]
