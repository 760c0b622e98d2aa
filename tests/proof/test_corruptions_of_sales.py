"""Changes by SQL of orders, steps, stock or reviews are refused or found by ``prove``."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from omachemainproj.append_only import append_only
from orders.claims import claim_parcel
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order, expire_order
from orders.models import OrderDigest, TrackEvent
from orders.parcels.moves import move_parcel
from orders.reviews import review_line
from payments.delivery_fees import return_fee
from payments.proof.prove import prove
from payments.proof.rules import RULES
from products.models import ListingTerms, ReviewDigest
from tests.factories import ProductFactory, UserFactory
from tests.invariants import check_books
from tests.orders.deliveries import a_point, paid_delivery
from tests.shopping import an_order, delivered_line, paid_line

from .corruptions_of_sales import CORRUPTIONS

pytestmark = pytest.mark.usefixtures("two_at_a_time")


@pytest.fixture(scope="module")
def healthy(django_db_setup, django_db_blocker):
    """One shop for all of them, rolled back in the end: the ids of its rows, and moments."""
    block = transaction.atomic()
    # As Django's TestCase says of its own: it is none of the shop's.
    block._from_testcase = True
    with django_db_blocker.unblock(), block:
        yield _open_shop()
        transaction.set_rollback(True)


@override_settings(COMMISSION_PERCENT=10)
def _open_shop():
    buyer, friend, agent = UserFactory(), UserFactory(), UserFactory(is_superuser=True)
    kettle = ProductFactory(item_number=50)
    pot = ProductFactory(seller=kettle.seller, price=kettle.price)
    delivered, paid = delivered_line(buyer, kettle), paid_line(buyer, kettle, 2)
    returned = paid_line(buyer, kettle)
    move_line(returned.pk, "cancelled", actor=buyer)
    review = review_line(track_id=delivered.pk, buyer=buyer, stars=2)
    given_up, unpaid = (an_order(buyer, (kettle, 1)) for _ in range(2))
    late = an_order(buyer, (pot, 1))
    cancel_order(given_up.pk, cancelled_by="buyer")
    expire_order(late.pk, now=late.expires_at)
    brought = _bring(buyer, kettle, agent)
    now = timezone.now()
    moments = {"now": now, "past": now - timedelta(days=30), "future": now + timedelta(days=30)}
    moments["far"] = datetime(2999, 1, 1, tzinfo=UTC)
    adapt = connection.ops.adapt_datetimefield_value
    return {
        "buyer": buyer.pk,
        "friend": friend.pk,
        "agent": agent.pk,
        "seller": kettle.seller_id,
        "kettle": kettle.pk,
        "pot": pot.pk,
        "delivered": delivered.pk,
        "paid": paid.pk,
        "order": paid.order_id,
        "returned": returned.pk,
        "review": review.pk,
        "given_up": given_up.pk,
        "late": late.pk,
        "unpaid": unpaid.pk,
        "unpaid_line": unpaid.tracks.get().pk,
        **brought,
        "true": "true",
        "false": "false",
        **{name: f"'{adapt(moment)}'" for name, moment in moments.items()},
    }


def _bring(buyer, kettle, agent):
    """Three parcels to a point, for KES 100 each: held, earned, and given back by staff."""
    drill = ProductFactory(item_number=50)
    held = paid_delivery(buyer, (kettle, 1), (drill, 1))
    earned, returned = (paid_delivery(buyer, (kettle, 1)) for _ in range(2))
    claim_parcel(held.tracks.order_by("product_id")[0].parcel_id, agent=agent)
    for status in ("fetched", "arrived", "delivered"):
        move_parcel(earned.parcels.get().pk, status, actor=agent, note="Seen.")
    return_fee(returned.parcels.get().pk, by=agent, why="It was late.")
    off = paid_delivery(buyer, (kettle, 1))
    move_line(off.tracks.get().pk, "cancelled", actor=buyer)
    elsewhere = a_point("Nyali Pick-up", "mombasa")
    of_kettle, of_drill = held.tracks.order_by("product_id")
    return {
        "brought": held.pk,
        "of_kettle": of_kettle.pk,
        "of_drill": of_drill.pk,
        "held": of_kettle.parcel_id,
        "held_too": of_drill.parcel_id,
        "earned": earned.parcels.get().pk,
        "given_back": returned.parcels.get().pk,
        "off": off.parcels.get().pk,
        "elsewhere": elsewhere.pk,
    }


def _seen(statements, healthy, rules):
    """What refuses these statements, or those of the rules that name what they leave."""
    with transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement.format(**healthy))
                connection.check_constraints()
        except IntegrityError as refused:
            return [str(refused)]
        found = [broken.rule for broken in prove(rules=rules).broken]
        transaction.set_rollback(True)
    return found


def test_the_shop_is_healthy(healthy):
    check_books()


@pytest.mark.parametrize(
    ("statements", "seen"),
    [each[1:] for each in CORRUPTIONS],
    ids=[each[0] for each in CORRUPTIONS],
)
def test_what_is_corrupted_is_seen(healthy, statements, seen):
    # The others would take most of the time, and are not looked at.
    asked = [rule for rule in RULES if seen.lower() in rule.description.lower()]

    found = _seen(statements, healthy, asked)

    assert [says for says in found if seen.lower() in says.lower()], found


def _take_away(editor):
    """All that nothing kept before, and what keeps it."""
    for model in (OrderDigest, ListingTerms, ReviewDigest):
        append_only(model._meta.db_table, says="").reverse_code(apps, editor)
        model.objects.all().delete()
    append_only(TrackEvent._meta.db_table, says="").reverse_code(apps, editor)
    TrackEvent.objects.update(cause="")


def test_a_database_of_before_is_healthy_once_it_is_migrated(healthy):
    terms = import_module("products.migrations.0009_terms_and_digests")
    agreed = import_module("orders.migrations.0011_what_was_agreed")
    # A table whose rows are still to be asked for at commit keeps its triggers.
    connection.check_constraints()
    with transaction.atomic(), connection.cursor() as cursor:
        editor = SimpleNamespace(connection=connection, execute=cursor.execute)
        _take_away(editor)
        before = len(prove().broken)
        for migrate in (
            agreed.keep_digests,
            agreed.write_causes,
            terms.keep_terms,
            terms.keep_digests,
        ):
            migrate(apps, editor)
        after = prove().broken
        transaction.set_rollback(True)

    assert (before, after) == (8, [])
