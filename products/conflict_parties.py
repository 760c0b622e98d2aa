"""The people involved in a product or a review (accounts.backoffice.conflicts)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.backoffice.conflicts import Parties, parties_of, people, phone_source, phones

from .models import Product, Review


@parties_of(Product)
def _of_product(product: Product) -> Parties:
    return Parties(people(product.seller_id), phones([product.payment_mpesa_number]))


@parties_of(Review)
def _of_review(review: Review) -> Parties:
    """The buyer who wrote it and the seller of the product."""
    return Parties(people(review.buyer_id, review.seller_id))


@phone_source
def _payout_phones(person_id: int) -> QuerySet[Any, Any]:
    mine = Product.objects.filter(seller=person_id)
    return mine.values_list("payment_mpesa_number", flat=True)
