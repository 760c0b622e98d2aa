"""What people were told waits in the app: theirs alone, in their language, until it is read."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import MessagePreferences
from orders.fulfilment import move_line
from orders.models import InboxNotice, Message, Notice
from orders.models.notifications import NotificationKind
from orders.notices.services import MOST_UNREAD, count_unread
from orders.notifications.composing import compose
from orders.notifications.rendering import Item, render_in_app
from orders.retention import delete_old_messages
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.orders.deliveries import paid_delivery
from tests.orders.parcels import a_parcel, a_point, an_agent, bring, code_of
from tests.shopping import paid_line

pytestmark = pytest.mark.django_db
LIST, READ = "/notices/", "/notices/read/"


@pytest.fixture
def line(buyer, kettle):
    """A paid kettle; buyer and seller were notified."""
    line = paid_line(buyer, kettle)
    tell()
    return line


def tell():
    """Write what is due, as after a commit."""
    for notice_id in Notice.objects.to_compose().values_list("pk", flat=True):
        compose(notice_id)


def test_a_buyer_finds_what_they_were_told_without_the_code(buyer, buyer_api, line):
    told = InboxNotice.objects.get(user=buyer)

    rows = buyer_api.get(LIST).json()

    order = line.order
    assert rows == [
        {
            "id": told.pk,
            "kind": "paid",
            "title": f"Order {order.reference} is paid",
            "text": (
                f"We received KES 1,500 for your order {order.reference}. Your order shows a code "
                "for each item. When you have the goods, and not before, give it to the person who "
                "brought them.\n\nKettle"
            ),
            "order_token": str(order.order_token),
            "reference": order.reference,
            "line": None,
            "created_at": told.created_at.isoformat(),
            "read": False,
        }
    ]
    assert line.collection_code not in str(told.said)


def test_notices_say_where_goods_go_and_where_they_are_collected(
    buyer, buyer_api, seller_api, kettle
):
    order = paid_delivery(buyer, (kettle, 1))
    tell()

    [bought], [sold] = buyer_api.get(LIST).json(), seller_api.get(LIST).json()

    assert order.delivery.pickup_point.name in bought["text"]
    assert "Our agent needs to know where" in sold["text"]
    assert order.tracks.get().collection_code not in bought["text"] + sold["text"]


def test_a_seller_is_told_the_reference_and_not_the_buyers_token(seller_api, line):
    [row] = seller_api.get(LIST).json()

    assert (row["kind"], row["reference"], row["order_token"]) == (
        "sold",
        line.order.reference,
        None,
    )
    assert str(line.order.order_token) not in str(row)


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("sw", "imelipwa"),
        ("sw-KE,en;q=0.5", "imelipwa"),
        ("en-GB,sw;q=0.5", "is paid"),
        ("fr", "is paid"),
    ],
)
def test_notices_are_in_the_requested_language(buyer_api, line, header, title):
    row = buyer_api.get(LIST, headers={"Accept-Language": header}).json()[0]

    assert title in row["title"]


def test_without_a_header_it_is_read_in_the_accounts_language(buyer, buyer_api, line):
    MessagePreferences.objects.create(user=buyer, language="sw")

    assert "imelipwa" in buyer_api.get(LIST).json()[0]["title"]


def test_users_who_want_no_messages_still_get_notices(buyer, buyer_api, kettle):
    off = {"buying_email": False, "buying_sms": False}
    MessagePreferences.objects.create(user=buyer, **off)

    paid_line(buyer, kettle)
    tell()

    assert not Message.objects.filter(user=buyer).exists()
    assert [row["kind"] for row in buyer_api.get(LIST).json()] == ["paid"]


def test_a_line_is_named_where_it_is_about_that_line(buyer, buyer_api, line):
    staff = UserFactory(is_superuser=True)
    move_line(line.pk, "fetched", actor=staff)
    move_line(line.pk, "shipping", actor=staff)
    tell()

    newest = buyer_api.get(LIST).json()[0]

    assert (newest["kind"], newest["line"]) == ("shipped", line.pk)


def test_nobody_finds_what_others_were_told(line):
    assert signed_in(UserFactory()).get(LIST).json() == []


def test_a_stranger_is_asked_to_sign_in(api):
    assert (api.get(LIST).status_code, api.post(READ, {"up_to": 1}).status_code) == (401, 401)


def three_for(user, line):
    """Three notices of one person, the newest last."""
    InboxNotice.objects.filter(user=user).delete()
    notice = InboxNotice.objects.first().notice
    said = {"en": {"title": "t", "text": "x"}, "sw": {"title": "t", "text": "x"}}
    rows = []
    for number in range(3):
        notice.pk, notice.key = None, f"made-{user.pk}-{number}"
        notice.save(force_insert=True)
        rows.append(InboxNotice.objects.create(notice=notice, user=user, kind="paid", said=said))
    return rows


def test_shown_notices_become_read_and_newer_ones_do_not(buyer, buyer_api, line):
    _, second, third = three_for(buyer, line)

    answer = buyer_api.post(READ, {"up_to": second.pk})
    unread = buyer_api.get(LIST, {"unread": "true"})

    assert (answer.status_code, answer.json()) == (200, {"unread": 1})
    assert [row["id"] for row in unread.json()] == [third.pk]
    assert unread["Unread-Count"] == "1"
    assert [row["read"] for row in buyer_api.get(LIST).json()] == [False, True, True]


def test_some_are_read_by_their_ids(buyer, buyer_api, line):
    first, _, third = three_for(buyer, line)

    assert buyer_api.post(READ, {"ids": [first.pk, third.pk]}).json() == {"unread": 1}


def test_reading_again_changes_nothing(buyer, buyer_api, line):
    rows = three_for(buyer, line)
    buyer_api.post(READ, {"up_to": rows[-1].pk})
    before = list(InboxNotice.objects.of(buyer).values_list("read_at", flat=True))

    buyer_api.post(READ, {"up_to": rows[-1].pk})

    assert list(InboxNotice.objects.of(buyer).values_list("read_at", flat=True)) == before


def test_nobody_reads_for_others(seller, buyer, buyer_api, line):
    theirs = InboxNotice.objects.get(user=seller)

    buyer_api.post(READ, {"ids": [theirs.pk]})
    buyer_api.post(READ, {"up_to": theirs.pk + 1000})

    theirs.refresh_from_db()
    assert theirs.read_at is None


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": []}, {"ids": [1], "up_to": 2}, {"up_to": 0}, {"ids": ["x"]}, {"up_to": 2**63}],
)
def test_unreadable_input_is_refused(buyer_api, body):
    assert buyer_api.post(READ, body, format="json").status_code == 400


@pytest.mark.parametrize("query", ["?unread=perhaps", "?unread=true&unread=true"])
def test_a_filter_that_cannot_be_read_is_refused_on_its_field(buyer_api, query):
    answer = buyer_api.get(LIST + query)

    assert (answer.status_code, list(answer.json())) == (400, ["unread"])


def test_a_page_costs_three_statements(buyer, buyer_api, line, django_assert_num_queries):
    three_for(buyer, line)
    buyer_api.get(LIST)

    # caller with their language; the page; how many are unread
    with django_assert_num_queries(3):
        assert len(buyer_api.get(LIST).json()) == 3


def test_pages_go_on_where_the_last_one_ended(buyer, buyer_api, line):
    rows = three_for(buyer, line)

    first = buyer_api.get(LIST, {"page_size": 2})
    second = buyer_api.get(first["Link"].split(";")[0].strip("<>"))

    assert [row["id"] for row in first.json() + second.json()] == [row.pk for row in reversed(rows)]


def test_no_more_than_a_hundred_are_counted(buyer, line, monkeypatch):
    three_for(buyer, line)
    monkeypatch.setattr("orders.notices.services.MOST_UNREAD", 2)

    assert (count_unread(buyer), MOST_UNREAD) == (2, 100)


def test_a_notification_is_stored_in_the_app_once(buyer, line):
    told = InboxNotice.objects.get(user=buyer)
    again = InboxNotice(notice=told.notice, user=buyer, kind="paid", said=told.said)

    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_notices_are_erased_with_the_messages(buyer, seller, line, settings):
    settings.KEEP_MESSAGES_DAYS = 180
    told = InboxNotice.objects.get(user=buyer)

    delete_old_messages(told.created_at + timedelta(days=180))
    assert InboxNotice.objects.filter(pk=told.pk).exists()

    delete_old_messages(timezone.now() + timedelta(days=181))
    assert not InboxNotice.objects.exists()


VALUES = {
    "name": "Asha",
    "amount": "KES 1,500",
    "reference": "PR7KWQ4M",
    "why": "It was too late.",
    "because": "",
    "by_hand": "",
    "receipt": "",
    "about": "damaged",
}
PLACES = {"place": "Kilimani Pick-up", "where": " Delivery to Kilimani.", "collect": " At Gikomba."}


@pytest.mark.parametrize("places", [{}, PLACES], ids=["nowhere", "somewhere"])
@pytest.mark.parametrize("language", ["en", "sw"])
# What only the support reads goes by mail alone.
@pytest.mark.parametrize("kind", [kind for kind in NotificationKind if kind != "problem_shop"])
def test_everything_that_is_told_can_wait_in_the_app(kind, language, places):
    title, text = render_in_app(kind, language, VALUES | places, [Item("Kettle", 1, "482913")])

    assert title
    assert text
    assert "482913" not in text
    assert "{" not in text


def test_a_notice_says_where_goods_wait_without_the_code(buyer, buyer_api, kettle):
    agent, keeper = an_agent(), UserFactory()
    parcel = a_parcel(buyer, kettle, point=a_point(keeper, name="Kilimani Pick-up"))
    bring(agent, parcel, "fetched")
    bring(keeper, parcel, "arrived")
    tell()

    rows = {row["kind"]: row["text"] for row in buyer_api.get(LIST).json()}

    reference = parcel.order.reference
    assert rows["arrived"] == (
        f"Goods from your order {reference} are ready for you at Kilimani Pick-up, open Mon–Sat "
        "8:00–19:00. When you have them, and not before, give the code shown on your order to the "
        "person at the counter.\n\nKettle"
    )
    assert "within 2 days to Kilimani Pick-up" in rows["paid"]
    assert code_of(parcel) not in str(rows)
