"""A line's whole way, which of their lines buyers ask for, and what nobody may send."""

from datetime import timedelta

import pytest

from orders import fulfilment
from orders.fulfilment import auto_confirm_deliveries
from orders.models import Order, TrackStatus
from payments import clock
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order

from .lines import line_at, move, steps, with_role

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def history(user, line):
    return signed_in(user).get(f"/track/order/{line.pk}/").json()["history"]


def test_the_history_tells_every_step_in_order(buyer, seller, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    agent = with_role("delivery")
    move(agent, line, "fetched")
    move(agent, line, "shipping", note="With Otieno, by motorbike.")
    move(buyer, line, "delivered")
    move(with_role("support"), line, "cancelled", note="It leaks.")

    told = [(step["track_status"], step["by"], step["note"]) for step in history(buyer, line)]

    assert told == [
        ("created", "buyer", ""),
        ("paid", "shop", ""),
        ("fetched", "shop", ""),
        ("shipping", "shop", "With Otieno, by motorbike."),
        ("delivered", "buyer", ""),
        ("cancelled", "shop", "It leaks."),
    ]
    times = [step["at"] for step in history(buyer, line)]
    assert times == sorted(times)


def test_buyer_seller_agent_and_staff_read_the_same_history(buyer, seller, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    move(seller, line, "cancelled", note="It fell.")

    readers = [buyer, seller, with_role("delivery"), with_role("support")]
    read = [history(reader, line) for reader in readers]

    assert read[0][-1] | {"at": ""} == {
        "track_status": "cancelled", "by": "seller", "note": "It fell.", "at": "",
    }  # fmt: skip
    assert read == [read[0]] * 4


@pytest.mark.parametrize("here", [status.value for status in TrackStatus])
def test_the_code_is_told_to_the_buyer_alone_while_it_is_of_use(buyer, seller, kettle, here):
    line = line_at(here, buyer=buyer, product=kettle)

    told = [
        signed_in(reader).get(f"/track/order/{line.pk}/").json()["collection_code"]
        for reader in (buyer, seller, with_role("delivery"), with_role("support"))
    ]

    of_use = here in {"paid", "fetched", "shipping"}
    assert told == [line.collection_code if of_use else None, None, None, None]


def test_a_lines_history_costs_the_same_number_of_queries_at_any_length(
    buyer, buyer_api, kettle, django_assert_num_queries
):
    line = line_at("delivered", buyer=buyer, product=kettle)

    # the reader, the line, the row, its history
    with django_assert_num_queries(4):
        buyer_api.get(f"/track/order/{line.pk}/")


def test_lines_are_listed_by_status_and_order(buyer, buyer_api, seller):
    mug, pan = ProductFactory(seller=seller), ProductFactory(seller=seller)
    order = an_order(buyer, (mug, 1), (pan, 1))
    paid = line_at("paid", buyer=buyer, product=mug)
    ours = list(order.tracks.order_by("-pk").values_list("pk", flat=True))

    def listed(query):
        return [row["id"] for row in buyer_api.get(f"/track/order/?{query}").json()]

    assert listed("status=paid") == [paid.pk]
    assert listed("status=created") == ours
    assert listed(f"order={order.order_token}") == ours
    assert listed(f"order={order.order_token}&status=paid") == []
    assert listed(f"order={paid.order.order_token}&status=paid") == [paid.pk]
    assert listed("status=delivered") == []


def test_nobody_lists_anothers_order(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    answer = signed_in(UserFactory()).get(f"/track/order/?order={order.order_token}")

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("status=", "status"),
        ("status=paid&status=created", "status"),
        ("order=1", "order"),
        ("order=", "order"),
        ("order=" + "9" * 4000, "order"),
    ],
)
def test_a_filter_that_says_nothing_is_refused(buyer_api, query, field):
    answer = buyer_api.get(f"/track/order/?{query}")

    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "to"),
        ({"to": None}, "to"),
        ({"to": "lost"}, "to"),
        ({"to": ["fetched"]}, "to"),
        ({"to": {"fetched": {}}}, "to"),
        ({"to": "fetched", "note": "x" * 201}, "note"),
        ({"to": "fetched", "note": None}, "note"),
        ({"to": "fetched", "note": [["deep"]]}, "note"),
        ({"to": "cancelled", "note": "x", "goods_there": "perhaps"}, "goods_there"),
        ({"to": "cancelled", "note": "x", "goods_there": None}, "goods_there"),
        ({"to": "cancelled", "note": "x", "goods_there": 1}, "goods_there"),
        (["fetched"], "non_field_errors"),
        ("fetched", "non_field_errors"),
        (7, "non_field_errors"),
    ],
)
def test_junk_is_refused_and_moves_nothing(buyer, kettle, body, field):
    line = line_at("paid", buyer=buyer, product=kettle)
    agent = signed_in(UserFactory(is_superuser=True))

    answer = agent.post(f"/track/{line.pk}/move/", body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert steps(line) == ["paid"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"to": 1' + b"0" * 400 + b"}",
        b'{"to": 1e400}',
        b'{"to": NaN}',
        b'{"to": "fetched\\u0000"}',
        b'{"to": "fetched", "note": "nul \\u0000"}',
        b'{"to": "fetched", "note": "\\ud800"}',
        b'{"to": "fetched", "to": "cancelled"',
        b"[" * 5000 + b"]" * 5000,
        b'"' + b"x" * 10_000_000 + b'"',
        b"\xff\xfe",
        b"",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_nobody_means_gets_a_4xx(buyer, kettle, body):
    line = line_at("paid", buyer=buyer, product=kettle)
    agent = signed_in(UserFactory(is_superuser=True))

    answer = agent.generic("POST", f"/track/{line.pk}/move/", body, content_type="application/json")

    assert answer.status_code in {400, 413}
    assert steps(line) == ["paid"]


@pytest.mark.parametrize("query", ["status=paid%00", "order=%00", "order=%ff", "status=%F0%9F"])
def test_bytes_that_are_no_text_get_a_400(buyer_api, query):
    assert buyer_api.get(f"/track/order/?{query}").status_code == 400


@pytest.mark.parametrize("line", ["0", "9" * 18, "9" * 19, "9" * 400, "-1", "x"])
def test_a_line_that_cannot_be_is_not_there(buyer_api, line):
    answers = [
        buyer_api.get(f"/track/order/{line}/"),
        buyer_api.post(f"/track/{line}/move/", {"to": "cancelled"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


def after(age, line):
    """The moment so long after the line's last step."""
    return line.updated_at + age


def test_a_line_on_the_way_for_a_week_counts_as_delivered(buyer, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)

    done = clock.run_periodic(now=after(7 * DAY, line))

    assert done["auto_confirm_deliveries"] == 1

    event = line.events.last()
    assert (event.track_status, event.actor, event.note) == (
        "delivered", None, "No word from the buyer for 7 days."
    )  # fmt: skip
    assert auto_confirm_deliveries(after(7 * DAY, line)) == 0


def test_a_minute_less_than_a_week_does_not_count(buyer, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)

    assert auto_confirm_deliveries(after(7 * DAY - timedelta(minutes=1), line)) == 0
    assert steps(line)[-1] == "shipping"


@pytest.mark.parametrize("here", ["created", "paid", "fetched", "cancelled", "refunded"])
def test_a_line_that_never_left_is_never_delivered_by_time(buyer, kettle, here):
    line = line_at(here, buyer=buyer, product=kettle)

    assert auto_confirm_deliveries(after(365 * DAY, line)) == 0


def test_the_shop_says_how_long_silence_lasts(buyer, kettle, settings):
    settings.DELIVERY_CONFIRM_DAYS = 2
    line = line_at("shipping", buyer=buyer, product=kettle)

    assert auto_confirm_deliveries(after(2 * DAY, line)) == 1


def test_a_payment_put_in_doubt_meanwhile_stops_the_delivery_by_silence(buyer, kettle, monkeypatch):
    """The clock found the line before; it sees the order again under its lock."""
    line = line_at("shipping", buyer=buyer, product=kettle)
    lock = fulfilment._lock

    def lock_after_the_doubt(track_id):
        Order.objects.filter(pk=line.order_id).update(in_doubt=True)
        try:
            return lock(track_id)
        finally:
            Order.objects.filter(pk=line.order_id).update(in_doubt=False)

    monkeypatch.setattr(fulfilment, "_lock", lock_after_the_doubt)

    assert auto_confirm_deliveries(after(7 * DAY, line)) == 0
    assert steps(line)[-1] == "shipping"


def test_a_line_is_not_saved_whole_which_would_restart_its_deadlines(buyer, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    since = line.updated_at

    with pytest.raises(TypeError, match="update_fields"):
        line.save()
    line.save(update_fields=["disputed"])

    line.refresh_from_db()
    assert line.updated_at == since
