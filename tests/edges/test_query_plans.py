"""How PostgreSQL reads what grows with the shop: by an index that serves it, and no further.

A shop of a few rows is read whole whatever indexes there are, so that is made dear here: what no
index serves is read whole all the same, or sorted, and the plan says so.
"""

import re
from itertools import product

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.claims import is_abandoned
from orders.models import OrderTrack, Parcel
from orders.models.notifications import Message
from orders.parcels.queries import Reader, visible_to
from orders.parcels.waiting import going_to_closed_points
from orders.problems.queries import problems_of_seller
from orders.retention import delete_old_messages, mask_old_phones
from payments.backoffice.dashboard.goods import late_parcels
from payments.backoffice.period import Period
from payments.backoffice.queues import QUEUES
from payments.models import GatewayEvent, OrderPayment, Receipt
from payments.payment_matching import matching_receipts, possible_duplicates
from payments.proof.prove import _PLANNER_SETTINGS, _breaking_within
from payments.proof.rules import RULES
from payments.watch.alerts import _gateway_down
from products.catalogue.filters import ListingFilter
from products.models import Product
from tests.admin.browsers import browser_of, in_role
from tests.conftest import signed_in
from tests.factories import ProductFactory
from tests.orders.parcels import a_parcel, an_agent
from tests.shopping import an_order

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.usefixtures("never_analyzed"),
]


#: What reads whole tables, or sorts them.
WHOLE = ("seqscan", "sort", "bitmapscan", "hashagg", "hashjoin", "mergejoin")


def plan_of(rows, without=WHOLE):
    """The plan of a queryset, or of a statement that was captured, if rows were many."""
    with connection.cursor() as cursor:
        for way in without:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        if isinstance(rows, str):
            cursor.execute(f"EXPLAIN {rows}")
            return "\n".join(line for (line,) in cursor.fetchall())
    return rows.explain(costs=False)


def statements_of(read):
    with CaptureQueriesContext(connection) as asked:
        read()
    return [query["sql"] for query in asked.captured_queries]


def lately():
    now = timezone.now()
    today = timezone.localdate(now)
    return Period(now=now, first=today, last=today)


def test_a_sellers_problems_are_read_in_the_order_they_are_shown(seller):
    plan = plan_of(problems_of_seller(seller)[:26])

    assert "Index Scan using problem_of_seller_undecided" in plan
    assert "Sort" not in plan


def test_things_said_are_counted_of_the_problems_that_are_shown_alone(seller):
    plan = plan_of(problems_of_seller(seller)[:26])

    # No row is grouped before the page is cut: the problems are joined to their lines at most.
    assert plan.startswith("Limit\n  ->  Nested Loop")
    assert plan.index("SubPlan") < plan.index("GroupAggregate")


def test_late_parcels_are_looked_for_from_the_oldest_order_on():
    (statement,) = statements_of(lambda: late_parcels(lately()))

    plan = plan_of(statement)

    assert "using track_to_bring on orders_ordertrack" in plan
    assert "Sort" not in plan
    assert "Unique" not in plan


def test_a_seller_looks_for_words_among_their_own_goods_alone(seller):
    ProductFactory.create_batch(3, seller=seller, name="Kettle")
    mine = Product.objects.owned_by(seller).order_by("-pk")
    found = ListingFilter({"search": "kettle"}, mine).qs

    plan = plan_of(found.order_by("price")[:26], without=["seqscan", "indexscan"])

    assert found.count() == 3
    assert "product_search" not in plan
    assert "seller_id" in plan


def queue(key):
    return next(each for each in QUEUES if each.key == key).rows(timezone.now())[:26]


@pytest.mark.parametrize(
    ("key", "index"),
    [
        ("approve", "payout_open"),
        ("payouts-refused", "payout_open"),
        ("refunds-approve", "refund_open"),
        ("unconfirmed", "receipt_told"),
    ],
)
def test_a_queue_looks_at_what_is_open_alone(key, index):
    assert f"using {index} on" in plan_of(queue(key))


def test_whether_m_pesa_takes_prompts_is_looked_at_in_the_newest_attempts_alone():
    asked = statements_of(lambda: _gateway_down(timezone.now()))

    assert len(asked) == 2
    for each in asked:
        assert "Scan Backward using payments_orderpayment_pkey" in plan_of(each)


def test_a_refund_that_was_refused_is_not_joined_with_all_refunds():
    assert "Anti Join" in plan_of(queue("refused"))


def test_where_no_point_has_closed_nothing_is_looked_through_for_it():
    (asked,) = statements_of(lambda: list(going_to_closed_points()))

    assert "orders_pickuppoint" in asked
    assert "orders_ordertrack" not in asked


def test_parcels_on_their_way_are_found_by_the_lines_that_are():
    plan = plan_of(Parcel.objects.under_way())

    assert "using track_to_bring on orders_ordertrack" in plan


def test_parcels_that_may_be_seen_are_found_by_two_indexes():
    plan = plan_of(Parcel.objects.not_delivered_before(timezone.now()))

    assert "Index Only Scan using track_to_bring" in plan
    assert "Index Only Scan using track_handed_over" in plan


def test_an_agent_of_a_point_does_not_have_all_open_parcels_gone_through(seller):
    reader = Reader(seller, delivers=False, decides=False, points=frozenset({1}))

    plan = plan_of(visible_to(reader, timezone.now()))

    # A SubPlan is checked for one parcel after another; the parts of a union are found.
    assert "Append" in plan
    assert "SubPlan" not in plan


def test_an_agents_own_parcels_and_free_ones_are_each_found_by_their_own_index(seller):
    reader = Reader(seller, delivers=True, decides=False, points=frozenset())

    plan = plan_of(visible_to(reader, timezone.now()))

    assert plan.count("using parcel_of_agent_newest on orders_parcel") == 2


def plan_of_parcels(client, address):
    """The plan of the list of parcels at this address."""
    asked = statements_of(lambda: client.get(address))
    (statement,) = (
        each for each in asked if 'FROM "orders_parcel"' in each and '"orders_order"' in each
    )
    return plan_of(statement)


@pytest.mark.parametrize("query", ["open=false", "status=delivered", "mine=true&open=false"])
def test_what_an_agent_has_delivered_is_found_by_when_it_was(query):
    plan = plan_of_parcels(signed_in(an_agent()), f"/deliveries/?{query}")

    assert "using track_handed_over on orders_ordertrack" in plan
    # Which would be checked for all that the agent ever had.
    assert "SubPlan" not in plan
    assert "agent_id IS NULL" not in plan


@pytest.mark.parametrize("query", ["mine=true", "mine=true&open=true", "mine=true&status=fetched"])
def test_an_agents_own_parcels_are_found_without_those_that_are_free(query):
    plan = plan_of_parcels(signed_in(an_agent()), f"/deliveries/?{query}")

    assert "using parcel_of_agent_newest on orders_parcel" in plan
    assert "agent_id IS NULL" not in plan


@pytest.mark.parametrize("query", ["part=done", "part=bring&mine=mine", "mine=mine"])
def test_the_page_of_parcels_does_not_look_through_free_ones_for_others(query):
    plan = plan_of_parcels(browser_of(in_role("delivery")), f"/admin/deliveries/?{query}")

    assert "agent_id IS NULL" not in plan


def test_who_brings_parcels_is_asked_of_rights_and_not_of_each_person():
    (asked,) = statements_of(lambda: list(Parcel.objects.filter(is_abandoned())))

    # Once a person, that is.
    assert "EXISTS" not in asked


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (Message.objects.filter(user=1), "message_to_person_newest"),
        (Message.objects.filter(contact="amina@example.test"), "message_to_contact_newest"),
        (Message.objects.filter(kind="waiting"), "message_of_kind_newest"),
        (Message.objects.filter(channel="email"), "message_by_mail"),
        (GatewayEvent.objects.filter(state="aside"), "event_not_acted_on"),
        (GatewayEvent.objects.filter(source="c2b"), "event_of_other_sources"),
    ],
)
def test_a_list_of_few_among_millions_walks_their_index(rows, index):
    plan = plan_of(rows.order_by("-pk")[:51])

    assert f"{index} on" in plan
    assert "Sort" not in plan


#: Tables with few rows at all times.
SHORT = {"products_shelfmove"}


def test_no_rule_reads_a_whole_table_that_grows():
    """It would do so again for each key range."""
    read = {}
    with connection.cursor() as cursor:
        cursor.execute("".join(f"SET LOCAL {each};" for each in _PLANNER_SETTINGS))
        for rule in (each for each in RULES if each.read is None):
            statement = _breaking_within.statement(rule, timezone.now(), None, None)
            cursor.execute(f"EXPLAIN {statement.sql}", statement.parameters)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            if whole := set(re.findall(r"Seq Scan on (\w+)", plan)) - SHORT:
                read[rule.description] = whole

    assert read == {}


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda now: OrderPayment.objects.unsynced(), "order_unpaid_by_buyer on orders_order"),
        (
            OrderPayment.objects.unsynced_since,
            "payment_ended_by_time on payments_orderpayment",
        ),
        (
            lambda now: GatewayEvent.objects.now_applicable(),
            "event_awaiting_receipt on payments_gatewayevent",
        ),
        (lambda now: possible_duplicates(), "One-Time Filter"),
    ],
    ids=["unpaid", "closed", "reversals", "duplicates"],
)
def test_no_round_of_the_clock_goes_through_all_there_has_been(rows, index):
    assert index in plan_of(rows(timezone.now()))


def test_what_is_kept_no_longer_is_found_among_what_is_still_kept():
    asked = statements_of(
        lambda: (delete_old_messages(timezone.now()), mask_old_phones(timezone.now()))
    )
    (orders,) = (each for each in asked if 'FROM "orders_order"' in each)
    texts = [each for each in asked if 'FROM "orders_message"' in each]

    assert "using order_of_phone on orders_order" in plan_of(orders)
    assert len(texts) == 2
    for each in texts:
        assert "using message_with_text on orders_message" in plan_of(each)


def test_money_in_suspense_is_matched_to_a_prompt_by_amount_and_time(buyer, kettle):
    prompt = an_order(buyer, (kettle, 1)).payments.get()
    Receipt.objects.bulk_create(
        Receipt(number=f"SGL{number:07}", amount=number, source="c2b") for number in range(500)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_receipt")

    asked = statements_of(lambda: matching_receipts(prompt))

    plan = plan_of(asked[-1])
    assert "using receipt_in_suspense_by_amount on payments_receipt" in plan
    assert re.search(r"Index Cond: .*amount = 1500.*created_at >=.*created_at <=", plan)


def test_who_else_has_a_messages_id_is_found_by_an_index_of_each_channel():
    rule = next(
        each
        for each in RULES
        if each.description == "A provider's message ID belongs to one message"
    )

    plan = plan_of(rule.violations(timezone.now()))

    assert "using message_by_provider_id" in plan
    assert "using mail_by_provider_id" in plan


def test_parcels_under_way_are_those_at_one_of_three_statuses(buyer, kettle):
    several = ("paid", "fetched", "shipping", "delivered")
    for number, both in enumerate(product(several, several)):
        Product.objects.update(item_number=90, held=0)
        parcel = a_parcel(buyer, kettle, ProductFactory(seller=kettle.seller))
        for line, status in zip(parcel.lines.all(), both, strict=True):
            QuerySet.update(OrderTrack.objects.filter(pk=line.pk), track_status=status)
        if number % 2:
            Parcel.objects.filter(pk=parcel.pk).update(arrived_at=timezone.now())

    any_of = {
        parcel.pk
        for status in ("fetched", "shipping", "arrived")
        for parcel in Parcel.objects.at_status(status)
    }

    assert {parcel.pk for parcel in Parcel.objects.under_way()} == any_of
    assert len(any_of) == 8
