"""Buyers' reviews of their order lines. products.reviews.services stores them."""

from __future__ import annotations

from accounts.models import User
from omachemainproj.api.errors import Refusal
from products.models import Review
from products.reviews.services import NoSuchReview, write_review

from .models import OrderTrack, TrackStatus


class NotDelivered(Refusal):
    """The line is not delivered."""

    code = "not_delivered"
    message = "You can review this once it is delivered."


class OwnGoods(Refusal):
    """The buyer is the seller."""

    code = "own_goods"
    message = "You cannot review what you sell yourself."


def review_line(*, track_id: int, buyer: User, stars: int, text: str = "") -> Review:
    """Store a buyer's review of a line that was delivered to them.

    Raises OrderTrack.DoesNotExist for a line that is not theirs, OwnGoods, NotDelivered,
    AlreadyReviewed.
    """
    line = OrderTrack.objects.bought_by(buyer).get(pk=track_id)
    if line.seller_id == buyer.pk:
        raise OwnGoods
    # Not locked: a line that is cancelled concurrently could also be cancelled after the review.
    if line.track_status != TrackStatus.DELIVERED:
        raise NotDelivered
    return write_review(
        line_id=line.pk,
        product_id=line.product_id,
        buyer_id=buyer.pk,
        seller_id=line.seller_id,
        stars=stars,
        text=text,
    )


def find_review(*, track_id: int, buyer: User) -> int:
    """Return the id of the buyer's own review of a line. Raises NoSuchReview."""
    own = Review.objects.written_by(buyer).filter(line=track_id)
    review_id = own.values_list("pk", flat=True).first()
    if review_id is None:
        raise NoSuchReview
    return review_id
