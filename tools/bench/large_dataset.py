"""A large dataset: a few days of trading (``tools.bench.template``), copied up to N orders.

Each copy has its own people, products and orders, and lies some time after the previous one. In
the first copies the buyer, the seller and the pick-up point are the same: these become the heavy
users.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from orders.models import (
    TO_FULFIL,
    Order,
    PickupPoint,
)
from payments.immutable_columns import IMMUTABLE_COLUMNS
from payments.immutable_triggers import create_original_triggers
from products.models import Product

from .indexes import built_afterwards
from .large_dataset_digests import write_digests
from .shop import environment_without_shop

#: Rows of each heavy user.
LINES_BOUGHT, LINES_SOLD, LISTINGS, PARCELS = 2_000, 50_000, 20_000, 5_000
#: The period all orders fall into.
_SPAN = timedelta(days=730)
#: Copies per statement.
_AT_ONCE = 500
#: Tables whose template rows are kept as they are, without copies.
_ONCE = ("orders.DeliveryRate", "orders.PayoutStop")
#: Tables recomputed from the others, or not part of trading.
_LEFT_OUT = frozenset(
    {
        "accounts.ContactCount",
        "accounts.PhoneCode",
        # The shop's own staff may do anything.
        "accounts.User_groups",
        "accounts.User_user_permissions",
        "products.SearchWord",
        "products.ListingCountChange",
        "products.CategoryListingCount",
        "products.SellerListingCount",
        "products.ReviewDigest",
        "orders.OrderDigest",
        "orders.DeliveryDigest",
        "payments.AccessToken",
        "payments.StatementPull",
        "payments.QueryBudget",
        "payments.PayoutDay",
        "payments.RefundDay",
        "payments.Original",
        "payments.Trouble",
        "payments.AlertMail",
        "payments.NightlyProof",
    }
)
_APPS = ("accounts", "products", "orders", "payments")
_PHONES = frozenset({"phone", "mpesa_number", "payment_mpesa_number"})
#: Unique texts, and how those of a copy differ: with its number appended, or a digest of both.
_NUMBERED = frozenset(
    {
        "username",
        "reference",
        "idempotency_key",
        "merchant_request_id",
        "checkout_request_id",
        "originator_conversation_id",
        "conversation_id",
        "reversal_conversation_id",
        "number",
        "provider_id",
        "skeleton",
    }
)
_DIGESTED = frozenset({"callback_token", "status_token", "token"})
#: Event names that end with the number of a row.
_NAMED_AFTER_A_ROW = frozenset({"products.StockMovement.reference", "payments.LedgerPosting.event"})


class _Copies(NamedTuple):
    """How rows of the template are turned into those of copy ``k``."""

    #: The offset of every id, and the increment per copy.
    base: int
    stride: int
    #: Ids of the heavy users, and the number of copies that share each.
    buyer: int
    buyer_for: int
    seller: int
    seller_for: int
    point_for: int
    #: The shop's own staff: one of each.
    staff: list[int]
    #: Time between two copies, and the age of the first.
    apart: timedelta
    back: timedelta

    def key(self, column: str) -> str:
        return f"{column} + {self.base} + k * {self.stride}"

    def person(self, column: str) -> str:
        staff = ", ".join(map(str, self.staff)) or "0"
        return (
            f"{column} + {self.base} + {self.stride} * CASE WHEN {column} IN ({staff}) THEN 0"
            f" WHEN {column} = {self.buyer} AND k < {self.buyer_for} THEN 0"
            f" WHEN {column} = {self.seller} AND k < {self.seller_for} THEN 0 ELSE k END"
        )

    def point(self, column: str) -> str:
        return (
            f"{column} + {self.base} + {self.stride} *"
            f" CASE WHEN k < {self.point_for} THEN 0 ELSE k %% 20 END"
        )

    def phone(self, column: str) -> str:
        # The same seller keeps the same payout number.
        return (
            f"CASE WHEN {column} !~ '^254[0-9]{{9}}$' OR k = 0 OR"
            f" ({column} = '254722000000' AND k < {self.seller_for}) THEN {column}"
            f" ELSE '2547' || lpad(((substr({column}, 5)::bigint + k * 7919) %% 100000000)::text,"
            " 8, '0') END"
        )

    def moment(self, column: str) -> str:
        return (
            f"{column} - interval '{self.back.total_seconds()} seconds'"
            f" + k * interval '{self.apart.total_seconds()} seconds'"
        )


def fill(orders: int) -> None:
    """Fill an almost empty database up to this number of orders."""
    if Order.objects.count() > orders // 2:
        return
    template = _template()
    copies = -(-orders // len(template["orders.Order"]))
    how = _plan(template, copies)
    listed = Product.objects.aggregate(last=Max("pk"))["last"] or 0
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # All or nothing: a half-filled shop could not be filled again.
        with transaction.atomic():
            # Without triggers and foreign keys: their results are copied, or computed below.
            cursor.execute("SET LOCAL session_replication_role = replica")
            with built_afterwards(cursor, [model._meta.db_table for model in _copied()]):
                _write_copies(cursor, template, how, copies)
            cursor.execute("SET LOCAL session_replication_role = origin")
            _finish(cursor, how, listed)
        cursor.execute("VACUUM ANALYZE")


def _write_copies(
    cursor: Any, template: dict[str, list[dict[str, Any]]], how: _Copies, copies: int
) -> None:
    for model in _copied():
        _stage(cursor, model, template[model._meta.label])
    for first in range(0, copies, _AT_ONCE):
        last = min(first + _AT_ONCE, copies) - 1
        for model in _copied():
            cursor.execute(_copy(model, how), [first, last])
        print(f"  {last + 1:,} of {copies:,} copies", file=sys.stderr, flush=True)


def _template() -> dict[str, list[dict[str, Any]]]:
    """Run the template in a separate process with its own database."""
    with tempfile.NamedTemporaryFile() as file:
        play = [sys.executable, "-m", "tools.bench.template", file.name]
        subprocess.run(play, check=True, env=environment_without_shop())
        rows: dict[str, list[dict[str, Any]]] = pickle.loads(  # noqa: S301 - our own
            Path(file.name).read_bytes()
        )
        return rows


def _copied() -> Iterator[type[models.Model]]:
    for name in _APPS:
        for model in apps.get_app_config(name).get_models(include_auto_created=True):
            if model._meta.label not in _LEFT_OUT:
                yield model


def _plan(template: dict[str, list[dict[str, Any]]], copies: int) -> _Copies:
    lines, users = template["orders.OrderTrack"], template["accounts.User"]
    buyer, seller = lines[0]["buyer_id"], lines[0]["seller_id"]
    bought = sum(line["buyer_id"] == buyer for line in lines)
    at_point = {
        row["order_id"] for row in template["orders.OrderDelivery"] if row["pickup_point_id"]
    }
    waiting = {
        line["parcel_id"]
        for line in lines
        if line["order_id"] in at_point and line["track_status"] in TO_FULFIL
    }
    largest = Product.objects.aggregate(last=Max("pk"))["last"] or 0
    others = [model._default_manager.aggregate(last=Max("pk"))["last"] for model in (User, Order)]
    ids = [
        row["id"] for rows in template.values() for row in rows if isinstance(row.get("id"), int)
    ]
    apart, now = _SPAN / copies, timezone.now()
    return _Copies(
        base=max(largest, *(last or 0 for last in others)),
        stride=max(ids),
        buyer=buyer,
        buyer_for=-(-LINES_BOUGHT // bought),
        seller=seller,
        seller_for=-(-LINES_SOLD // len(lines)),
        point_for=-(-PARCELS // max(len(waiting), 1)),
        staff=[user["id"] for user in users if user["is_staff"]],
        apart=apart,
        back=_ended(template) - now + apart * copies,
    )


def _ended(template: dict[str, list[dict[str, Any]]]) -> datetime:
    """The latest timestamp in any row."""
    return max(
        value
        for rows in template.values()
        for row in rows
        for value in row.values()
        if isinstance(value, datetime)
    )


def _columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _stage(cursor: Any, model: type[models.Model], rows: list[dict[str, Any]]) -> None:
    table, columns = model._meta.db_table, _columns(model)
    names = ", ".join(f'"{field.column}"' for field in columns)
    cursor.execute(f"CREATE TEMP TABLE staged_{table} AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608
    cursor.executemany(
        f"INSERT INTO staged_{table} VALUES ({', '.join(['%s'] * len(columns))})",  # noqa: S608
        [
            [field.get_db_prep_save(row[field.attname], connection) for field in columns]
            for row in rows
        ],
    )


def _copy(model: type[models.Model], how: _Copies) -> str:
    """The SQL that writes a range of copies of a model's rows."""
    columns = _columns(model)
    names = ", ".join(f'"{field.column}"' for field in columns)
    values = ", ".join(_value(model, field, how) for field in columns)
    where = ""
    if model is User:
        staff = ", ".join(map(str, how.staff)) or "0"
        where = f" WHERE k = 0 OR id NOT IN ({staff})"
    elif model is PickupPoint:
        where = " WHERE k < 20"
    elif model._meta.label in _ONCE:
        where = " WHERE k = 0"
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608
        f" FROM generate_series(%s::int, %s::int) AS k CROSS JOIN staged_{table} AS it{where}"
        " ON CONFLICT DO NOTHING"
    )


def _value(model: type[models.Model], field: models.Field[Any, Any], how: _Copies) -> str:  # noqa: C901, PLR0911, PLR0912 - a kind of column a line
    column, name = f'it."{field.column}"', field.attname
    label = f"{model._meta.label}.{name}"
    if isinstance(field, models.ForeignKey):
        if field.related_model is User:
            return how.person(column)
        if field.related_model is PickupPoint:
            return how.point(column)
        in_apps = field.related_model._meta.app_label in _APPS
        return how.key(column) if in_apps else column
    if field.primary_key and isinstance(field, models.AutoField):
        return how.key(column)
    if isinstance(field, models.UUIDField):
        return f"CASE WHEN k = 0 THEN {column} ELSE gen_random_uuid() END"
    if isinstance(field, models.DateTimeField):
        return how.moment(column)
    if name in _PHONES:
        return how.phone(column)
    if label in _NAMED_AFTER_A_ROW or label == "orders.Notice.key":
        return _event_of_copy(column, how)
    if label == "accounts.Audit.object_id":
        return f"CASE WHEN {column} = '' THEN '' ELSE ({how.key(f'{column}::bigint')})::text END"
    if label == "payments.GatewayEvent.body":
        return _message_of_copy(column)
    if label == "payments.GatewayEvent.sha256":
        return f"encode(sha256({_message_of_copy('it.body')}), 'hex')"
    if name in _DIGESTED:
        return f"CASE WHEN {column} = '' THEN '' ELSE md5({column} || k) END"
    if (
        name in _NUMBERED and isinstance(field, models.CharField)
    ) or label == "orders.PickupPoint.name":
        return (
            f"CASE WHEN {column} = '' OR k = 0 THEN {column} ELSE {column} || upper(to_hex(k)) END"
        )
    if name == "email":
        return f"replace({column}, '@', CASE WHEN k = 0 THEN '@' ELSE '+' || to_hex(k) || '@' END)"
    return column


def _event_of_copy(column: str, how: _Copies) -> str:
    """Rename an event: the first number after a colon is an id; without one it is not unique."""
    return (
        f"CASE WHEN {column} ~ ':[0-9]' THEN regexp_replace({column}, '[0-9]+',"
        f" (substring({column} FROM '[0-9]+')::bigint + {how.base} + k * {how.stride})::text)"
        f" ELSE {column} END"
    )


def _message_of_copy(body: str) -> str:
    """The gateway events of a copy: about its own receipts (numbered as in ``_NUMBERED``), with
    no real phone number.
    """
    said = f"regexp_replace(convert_from({body}, 'UTF8'), '\"254[0-9]{{9}} - ', '\"')"
    return (
        f"CASE WHEN k = 0 THEN {body} ELSE convert_to(regexp_replace({said},"
        " '\"([A-Z0-9]{10})\"', '\"\\1' || upper(to_hex(k)) || '\"', 'g'), 'UTF8') END"
    )


def _finish(cursor: Any, how: _Copies, listed: int) -> None:
    """Compute what follows from the copies: sums, digests, originals, terms, untraded products."""
    # Without ANALYZE the planner believes every table to be empty.
    cursor.execute("ANALYZE")
    for model in _copied():
        if isinstance(model._meta.pk, models.AutoField):
            table = model._meta.db_table
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608
                f" (SELECT greatest(max(id), 1) FROM {table}))"
            )
    for statement in _SUMS:
        cursor.execute(statement)
    seller = how.seller + how.base
    cursor.execute(
        "UPDATE products_product SET seller_id = %s WHERE id IN (SELECT id FROM products_product"
        " WHERE id <= %s ORDER BY id LIMIT greatest(0, %s - (SELECT count(*) FROM products_product"
        " WHERE seller_id = %s)))",
        [seller, listed, LISTINGS, seller],
    )
    for statement in _OF_LISTINGS:
        cursor.execute(statement)
    for statement in _NOT_TRADED:
        cursor.execute(statement, [how.base, min(how.staff) + how.base])
    write_digests(cursor, how.base + 1)
    # Recreating the triggers records all existing rows in one statement each.
    for group in IMMUTABLE_COLUMNS:
        cursor.execute(f"DROP TRIGGER IF EXISTS {group.trigger} ON {group.table}")
    # The planner believes the originals to be empty, and would scan all of them for every row.
    cursor.execute("SET LOCAL enable_nestloop = off")
    create_original_triggers()


_SENT = "status IN ('unknown', 'sent', 'done') AND sent_at IS NOT NULL AND amount > 0"
_SUMS = [
    *(
        f"INSERT INTO payments_{kind}day (day, sent) SELECT (sent_at AT TIME ZONE"  # noqa: S608
        f" 'Africa/Nairobi')::date AS day, sum(amount) FROM payments_{kind} WHERE {_SENT}"
        " GROUP BY 1 ON CONFLICT DO NOTHING"
        for kind in ("payout", "refund")
    ),
    "DELETE FROM products_sellerrating",
    "INSERT INTO products_sellerrating (seller_id, review_stars, review_count)"
    " SELECT seller_id, sum(stars), count(*) FROM products_review WHERE NOT hidden GROUP BY 1",
]
#: Terms, first movements and pictures of the products of ``tools.bench.data``, and listing counts.
_OF_LISTINGS = [
    "INSERT INTO products_productpicture (product_id, place, image, medium, thumbnail, preview,"
    " is_drawn, sizes, created_at) SELECT id, 0, image, '', thumbnail, '', true, '{}', created_at"
    " FROM products_product WHERE image <> '' ON CONFLICT DO NOTHING",
    "INSERT INTO products_listingterms (product_id, seller_id, price, payment_mpesa_number,"
    " created_at) SELECT id, seller_id, price, payment_mpesa_number, created_at"
    " FROM products_product p WHERE NOT EXISTS (SELECT 1 FROM products_listingterms t"
    " WHERE t.product_id = p.id)",
    "INSERT INTO products_stockmovement (product_id, quantity, reference, note, created_at)"
    " SELECT id, item_number, 'listed', '', created_at FROM products_product p"
    " WHERE item_number > 0 AND NOT EXISTS (SELECT 1 FROM products_stockmovement m"
    " WHERE m.product_id = p.id)",
    "DELETE FROM products_shelfmove",
    "DELETE FROM products_categoryshelf",
    "DELETE FROM products_sellershelf",
    "INSERT INTO products_categoryshelf (category, for_sale) SELECT category, count(*)"
    " FROM products_product WHERE listed AND NOT soldout GROUP BY 1",
    "INSERT INTO products_sellershelf (seller_id, for_sale) SELECT seller_id, count(*)"
    " FROM products_product WHERE listed AND NOT soldout GROUP BY 1",
    "INSERT INTO products_searchword (word) VALUES ('kettle'), ('mug'), ('radio'), ('match')"
    " ON CONFLICT DO NOTHING",
]
#: A message for each in-app notice, and audit entries.
_NOT_TRADED = [
    "INSERT INTO orders_message (notice_id, user_id, kind, channel, language, contact, subject,"
    " text, state, tries, provider_id, reason, created_at, tried_at, sent_at)"
    " SELECT notice_id, user_id, kind, 'sms', 'en', '2547' || lpad((user_id %% 100000000)::text, 8,"
    " '0'), '', 'O-Mache: ' || kind, 'sent', 1, 'sms-' || id, '', created_at, created_at,"
    " created_at FROM orders_inboxnotice WHERE notice_id >= %s AND %s > 0",
]
