"""Pick-up points, rates and refunded fees in the admin: permissions and audit."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.backoffice.actions import ACTIONS, perform
from accounts.backoffice.approval_limits import Cost, SecondPersonNeeded
from accounts.backoffice.conflicts import ConflictOfInterest
from accounts.models import Audit, Proposal
from orders.fulfilment import move_line
from orders.fulfilment_actions import to_cancelled
from orders.models import DeliveryRate, FeeReturn, OrderDelivery, Parcel, PickupPoint
from payments.models import Refund
from tests.factories import ProductFactory, UserFactory, give_role
from tests.guards import balanced_books  # noqa: F401
from tests.orders.deliveries import a_point, a_rate, paid_delivery

from .browsers import browser_of, in_role
from .console import shown_messages
from .test_line_actions import do

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

POINTS, RATES = "/admin/orders/pickuppoint/", "/admin/orders/deliveryrate/"
POINT = {
    "name": "Kilimani  Pick-up ",
    "county": "nairobi",
    "area": "Argwings Kodhek Road",
    "directions": "",
    "opening_hours": "Mon–Sat 8:00–19:00",
    "phone": "0711 000-111",
    "is_open": "on",
}
CANCEL = {"why": "Broken", "goods_there": True}


@pytest.fixture
def keeper(db):
    return in_role("delivery")


@pytest.fixture
def browser(keeper):
    return browser_of(keeper)


def errors_of(answer):
    return answer.context["adminform"].form.errors


def test_the_delivery_role_adds_a_point_in_our_forms_of_texts_and_phones(browser, keeper):
    agent = give_role(UserFactory(), "delivery")
    answer = browser.post(f"{POINTS}add/", {**POINT, "agents": [agent.pk]})

    assert answer.status_code == 302, errors_of(answer)
    point = PickupPoint.objects.get()
    assert (point.name, point.phone) == ("Kilimani Pick-up", "254711000111")
    assert list(point.agents.all()) == [agent]
    kept = Audit.objects.latest("pk")
    assert (kept.actor, kept.did, kept.object_name) == (keeper, "Added", "Kilimani Pick-up")
    assert kept.changes["agents"] == [None, [str(agent)]]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("phone", "12345"),
        ("phone", ""),
        ("name", ""),
        ("name", "x" * 61),
        ("area", "Kilimani\u202e"),
        ("county", "atlantis"),
        ("opening_hours", ""),
    ],
)
def test_what_the_api_would_refuse_is_refused_on_its_field(browser, field, wrong):
    answer = browser.post(f"{POINTS}add/", {**POINT, field: wrong})

    assert list(errors_of(answer)) == [field]
    assert not PickupPoint.objects.exists()


def test_only_agents_can_be_keepers_of_a_point(browser):
    answer = browser.post(f"{POINTS}add/", {**POINT, "agents": [UserFactory().pk]})

    assert list(errors_of(answer)) == ["agents"]


def test_closing_a_point_is_on_record_and_keeps_the_parcels_under_way(browser, buyer, kettle):
    order = paid_delivery(buyer, (kettle, 1))
    point = PickupPoint.objects.get()
    page = {name: getattr(point, name) for name in POINT if name != "is_open"}

    answer = browser.post(f"{POINTS}{point.pk}/change/", page)

    assert answer.status_code == 302, errors_of(answer)
    assert not PickupPoint.objects.get().is_open
    assert order.delivery.pickup_point == point
    assert Audit.objects.latest("pk").changes == {"is_open": [True, False]}


def test_a_point_s_phone_is_read_and_written_as_people_write_it(browser):
    point = a_point()
    address = f"{POINTS}{point.pk}/change/"
    form = browser.get(address).context["adminform"].form
    shown = form["phone"].value()
    page = {name: form[name].value() or "" for name in POINT if name != "is_open"}

    answer = browser.post(address, {**page, "is_open": "on", "area": "Elsewhere"})

    assert re.fullmatch(r"0\d{3} \d{3} \d{3}", shown)
    assert answer.status_code == 302, errors_of(answer)
    assert PickupPoint.objects.get().phone == point.phone
    assert Audit.objects.latest("pk").changes == {"area": [point.area, "Elsewhere"]}


def test_saving_a_point_writes_the_changed_fields_only(browser):
    """The whole row would undo what somebody else changed while the page was open."""
    point = a_point(area="Argwings Kodhek Road")
    page = browser.get(f"{POINTS}{point.pk}/change/").context["adminform"].form
    form = {name: page[name].value() or "" for name in page.fields if name != "agents"}

    with CaptureQueriesContext(connection) as sent:
        answer = browser.post(f"{POINTS}{point.pk}/change/", {**form, "area": "Yaya Centre"})

    assert answer.status_code == 302
    [written] = [
        each["sql"] for each in sent if each["sql"].startswith('UPDATE "orders_pickuppoint"')
    ]
    assert re.findall(r"SET (.*) WHERE", written) == ["\"area\" = 'Yaya Centre'"]


def test_a_rate_of_no_county_says_for_whom_it_is(browser):
    page = browser.get(f"{RATES}add/").content.decode()
    a_rate(way="home")

    assert ">Every county without a rate of its own</option>" in page
    assert ">Choose one</option>" in page
    assert ">To an address, anywhere else<" in browser.get(RATES).content.decode()


def test_a_point_s_form_opens_no_window_to_add_people(staff_browser):
    assert "_popup" not in staff_browser.get(f"{POINTS}add/").content.decode()


def test_a_point_is_not_deleted(buyer, kettle):
    point = a_point()
    admin = browser_of(UserFactory(is_staff=True, is_superuser=True))

    assert admin.post(f"{POINTS}{point.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_delivery_role_keeps_the_rates_on_record(browser, keeper):
    added = browser.post(
        f"{RATES}add/", {"way": "home", "county": "embu", "fee": 250, "days": 3, "free_above": ""}
    )
    rate = DeliveryRate.objects.get()
    changed = browser.post(
        f"{RATES}{rate.pk}/change/",
        {"way": "home", "county": "embu", "fee": 200, "days": 3, "free_above": 5000},
    )

    assert (added.status_code, changed.status_code) == (302, 302)
    assert Audit.objects.latest("pk").changes == {"fee": [250, 200], "free_above": [None, 5000]}
    assert browser.post(f"{RATES}{rate.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not DeliveryRate.objects.exists()
    assert Audit.objects.latest("pk").did == "Deleted"


def test_a_county_has_one_rate_a_way(browser):
    a_rate("embu", "home")

    answer = browser.post(
        f"{RATES}add/", {"way": "home", "county": "embu", "fee": 250, "days": 3, "free_above": ""}
    )

    assert "This county has a rate for this way already." in str(errors_of(answer))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("fee", -1),
        ("fee", "1.5"),
        ("fee", 20_001),
        ("fee", 10**30),
        ("days", -1),
        ("days", 61),
        ("free_above", 250_001),
        ("county", "atlantis"),
        ("way", "drone"),
    ],
)
def test_a_rate_is_of_whole_shillings_and_days_that_can_be_meant(browser, field, wrong):
    rate = {"way": "home", "county": "", "fee": 250, "days": 3, "free_above": ""}

    assert list(errors_of(browser.post(f"{RATES}add/", {**rate, field: wrong}))) == [field]


def test_who_takes_the_goods_in_decides_nothing_about_them(buyer, kettle):
    support = in_role("support", phone="254733000111")
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    OrderDelivery.objects.update(phone="254733000111")

    answer = do(browser_of(support), "give_fee_back", line, why="It came late")

    assert ConflictOfInterest.message in shown_messages(answer)[0]
    assert not FeeReturn.objects.exists()


@pytest.mark.usefixtures("balanced_books")
def test_support_gives_a_fee_back_with_a_reason_on_record(buyer, kettle):
    support = in_role("support")
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()

    answer = do(browser_of(support), "give_fee_back", line, why="It came late")
    again = do(browser_of(support), "give_fee_back", line, why="It came late")

    assert "KES 100 will be refunded." in " ".join(shown_messages(answer))
    assert "The delivery fee was already refunded." in " ".join(shown_messages(again))
    given = FeeReturn.objects.get()
    assert (given.decided_by, given.why) == (support, "It came late")
    assert Refund.objects.get().amount == 100
    assert Audit.objects.order_by("pk").first().did == "Refund the delivery fee"


def test_a_line_that_nothing_was_paid_to_bring_has_no_fee_to_give_back(buyer, kettle):
    line = paid_delivery(buyer, (kettle, 1), free_above=1).tracks.get()

    answer = do(browser_of(in_role("support")), "give_fee_back", line, why="It came late")

    assert "Nothing was paid for the delivery of this parcel." in shown_messages(answer)[0]


@pytest.mark.usefixtures("balanced_books")
def test_a_large_fee_needs_a_second_person(buyer, kettle):
    line = paid_delivery(buyer, (kettle, 1), fee=6000).tracks.get()

    do(browser_of(in_role("support")), "give_fee_back", line, why="It came late")

    assert (Proposal.objects.get().cost, Refund.objects.count()) == (6000, 0)
    assert Parcel.objects.get().fee_state == "held"


def test_a_fee_that_was_given_back_costs_nothing_more(buyer, kettle):
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    price = ACTIONS["payments.admin.fees.give_fee_back"].approval.price

    assert price(line, {}) == Cost(at_risk=100)
    Parcel.objects.update(fee_state="returned")
    line.refresh_from_db()
    assert price(line, {}) == Cost()
    Parcel.objects.update(fee_state="held")


def test_cancelling_the_last_line_of_a_parcel_moves_its_fee_too(buyer, seller, kettle):
    pan = ProductFactory(seller=seller, price=400)
    first, last = paid_delivery(buyer, (kettle, 1), (pan, 1)).tracks.order_by("pk")
    price = to_cancelled.staff_action.approval.price

    assert price(first, CANCEL) == Cost(moved=1500)
    move_line(first.pk, "cancelled", actor=buyer)
    assert price(last, CANCEL) == Cost(moved=500)


def test_cancelling_what_follows_fetched_goods_moves_no_fee(buyer, seller, kettle):
    pan = ProductFactory(seller=seller, price=400)
    first, last = paid_delivery(buyer, (kettle, 1), (pan, 1)).tracks.order_by("pk")
    boss = UserFactory(is_superuser=True)
    for status in ("fetched", "cancelled"):
        move_line(first.pk, status, actor=boss, note="It broke.")

    assert to_cancelled.staff_action.approval.price(last, CANCEL) == Cost(moved=400)


@pytest.mark.usefixtures("balanced_books")
def test_a_line_and_its_fee_above_a_days_moves_are_proposed_as_both(buyer, seller, settings):
    settings.STAFF_MOVES_DAILY_LIMIT = 1550
    line = paid_delivery(buyer, (ProductFactory(seller=seller, price=1500), 1)).tracks.get()

    with pytest.raises(SecondPersonNeeded):
        perform(to_cancelled.staff_action, line, CANCEL, by=in_role("support"))

    assert Proposal.objects.get().cost == 1600


@pytest.mark.parametrize("typed", [10**30, 2**63, "x", "\x00", ""])
def test_an_agent_id_that_no_column_can_hold_is_no_valid_choice(browser, typed):
    answer = browser.post(f"{POINTS}add/", {**POINT, "agents": [typed]})

    assert answer.status_code == 200
    assert list(errors_of(answer)) == ["agents"]


def test_a_role_id_that_no_column_can_hold_is_no_valid_choice(client):
    boss, person = UserFactory(is_superuser=True, is_staff=True), UserFactory()
    client.force_login(boss)
    page = f"/admin/accounts/user/{person.pk}/change/"
    form = client.get(page).context["adminform"].form

    answer = client.post(page, {**dict.fromkeys(form.fields, ""), "groups": [10**30]})

    assert answer.status_code == 200
    assert "groups" in errors_of(answer)
