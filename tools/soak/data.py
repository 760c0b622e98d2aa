"""Buyers with tokens, and products in stock: ``python -m tools.soak.data``, as JSON.

Written by the ORM and not through the API: registering 4,000 buyers would test password hashing.
"""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rest_framework_simplejwt.tokens import AccessToken

#: Enough for every order, and few enough to sell out.
AMPLE, SCARCE = 100_000, 150


def fill(*, buyers: int, ample: int, scarce: int) -> dict:
    """Create this number of buyers and products; returns their tokens, ids and prices."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from rest_framework_simplejwt.tokens import AccessToken

    from products.models import ListingTerms, Product, StockMovement

    users, password = get_user_model().objects, make_password(None)
    users.bulk_create(
        [users.model(username=f"soak{number}", password=password) for number in range(buyers + 1)]
    )
    seller, *buying = users.filter(username__startswith="soak").order_by("pk")
    shelf = [(f"Ample {n}", AMPLE, 50 + n * 7) for n in range(ample)]
    shelf += [(f"Scarce {n}", SCARCE, 300 + n) for n in range(scarce)]
    products = Product.objects.bulk_create(
        Product(
            seller=seller,
            name=name,
            category="kitchen",
            price=price,
            item_number=stock,
            payment_mpesa_number="254722000000",
        )
        for name, stock, price in shelf
    )
    ListingTerms.objects.bulk_create(ListingTerms.of(product) for product in products)
    StockMovement.objects.bulk_create(
        StockMovement(product=product, quantity=product.item_number, reference="listed")
        for product in products
    )
    return {
        "tokens": [_token(AccessToken.for_user(buyer)) for buyer in buying],
        "ample": [(product.pk, product.price) for product in products[:ample]],
        "scarce": [(product.pk, product.price) for product in products[ample:]],
    }


def token_of(username: str) -> str:
    """A token of an existing user."""
    from django.contrib.auth import get_user_model
    from rest_framework_simplejwt.tokens import AccessToken

    return _token(AccessToken.for_user(get_user_model().objects.get(username=username)))


def _token(token: AccessToken) -> str:
    """A token valid for a day: refreshing would test something else."""
    token.set_exp(lifetime=timedelta(days=1))
    return str(token)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("buyers", 50), ("ample", 5), ("scarce", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()

    import django

    django.setup()
    print(json.dumps(fill(**vars(options))))


if __name__ == "__main__":
    main()
