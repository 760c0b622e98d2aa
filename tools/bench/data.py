"""Fills a shop with products, using SQL in the database: a million takes a minute."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from rest_framework_simplejwt.tokens import AccessToken

from .indexes import built_afterwards

_FIRST = [
    "Samsung",
    "Tecno",
    "Sufuria",
    "Kettle",
    "Laptop",
    "Jiko",
    "Sofa",
    "Bicycle",
    "Console",
    "Trainer",
]
_SECOND = [
    "Galaxy",
    "Camon",
    "Steel",
    "Electric",
    "Elite",
    "Charcoal",
    "Corner",
    "Mountain",
    "Pocket",
    "Running",
]
_THIRD = [
    "Red",
    "Blue",
    "Large",
    "Small",
    "Classic",
    "Deluxe",
    "Mini",
    "Mega",
    "Plain",
    "Gold",
    "Silver",
    "Basic",
]
_CATEGORIES = [
    "electronics",
    "furniture",
    "fashions",
    "computing",
    "gaming",
    "kitchen",
    "phones",
    "sports",
]

_PRODUCTS = """
INSERT INTO products_product (seller_id, name, image, thumbnail, description, category, price,
    item_number, held, payment_mpesa_number, listed, review_stars, review_count, created_at,
    updated_at)
SELECT (%(sellers)s::bigint[])[1 + n %% %(seller_count)s::int],
    (%(first)s::text[])[1 + n %% 10] || ' ' || (%(second)s::text[])[1 + n / 10 %% 10] || ' '
        || (%(third)s::text[])[1 + n / 100 %% 12] || ' ' || n,
    'products/' || md5(n::text) || '.webp', 'products/' || md5(n::text) || '.thumb.webp',
    'Good as new, from a shop that has sold such things for years. Number ' || n,
    (%(categories)s::text[])[1 + n %% 8], 100 + n * 7919::bigint %% 90000,
    CASE WHEN n %% 20 = 0 THEN 0 ELSE 100000 END, 0, '254722000000', true, 0, 0, now(), now()
FROM generate_series(%(start)s::int, %(stop)s::int) AS n
"""


def fill(products: int) -> None:
    """Fill the table up to this number of products, one in twenty of them sold out."""
    user_model = get_user_model()
    sellers = list(user_model.objects.filter(username__startswith="seller").values_list("pk"))
    if not sellers:
        user_model.objects.bulk_create(
            user_model(username=f"seller{number}", password=make_password(None))
            for number in range(50)
        )
        sellers = list(user_model.objects.filter(username__startswith="seller").values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT count(*) FROM products_product")
        there = cursor.fetchone()[0]
        if there < products:
            with transaction.atomic(), built_afterwards(cursor, ["products_product"]):
                cursor.execute(
                    _PRODUCTS,
                    {
                        "sellers": [pk for (pk,) in sellers],
                        "seller_count": len(sellers),
                        "first": _FIRST,
                        "second": _SECOND,
                        "third": _THIRD,
                        "categories": _CATEGORIES,
                        "start": there + 1,
                        "stop": products,
                    },
                )
        cursor.execute(
            "INSERT INTO products_searchword (word)"
            " SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            [[word.lower() for word in _FIRST + _SECOND + _THIRD]],
        )
        cursor.execute("VACUUM ANALYZE")


def tokens(count: int, *, first: int = 0) -> list[str]:
    """Access tokens of this number of buyers, starting at ``first``, valid for a whole bench.

    Missing buyers are created.
    """
    user_model = get_user_model()
    password = make_password(None)
    names = [f"buyer{number}" for number in range(first, first + count)]
    user_model.objects.bulk_create(
        (user_model(username=name, password=password) for name in names), ignore_conflicts=True
    )
    buyers = user_model.objects.in_bulk(names, field_name="username")
    return [token_of(buyers[name]) for name in names]


def token_of(buyer: Any) -> str:
    """An access token that is valid for a whole bench."""
    token = AccessToken.for_user(buyer)
    token.set_exp(lifetime=timedelta(days=1))
    return str(token)
