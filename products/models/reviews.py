"""Reviews of products, and the rating of each seller."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import User

from .products import ONE_TO_FIVE_STARS_A_REVIEW, Product

MAX_REVIEW = 2000
MAX_REASON = 200


class ReviewQuerySet(models.QuerySet["Review"]):
    def shown(self) -> ReviewQuerySet:
        """Reviews that are not hidden. Only these are public and count in averages."""
        return self.filter(hidden=False)

    def of_product(self, product_id: int) -> ReviewQuerySet:
        """Reviews of one product."""
        return self.filter(product=product_id)

    def of_seller(self, seller: User) -> ReviewQuerySet:
        """Reviews of any product of one seller."""
        return self.filter(seller=seller)

    def written_by(self, user: User) -> ReviewQuerySet:
        """Reviews by one buyer."""
        return self.filter(buyer=user)


class Review(models.Model):
    """A buyer's review of a delivered order line: at most one per line.

    It stays, and counts, when the goods are returned: a seller must not be able to remove a bad
    review by refunding the buyer. The API marks it with ``returned``.
    """

    #: By name: orders imports products, not the other way round.
    line = models.OneToOneField(
        "orders.OrderTrack", on_delete=models.PROTECT, related_name="review"
    )
    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="reviews",
        db_index=False,  # review_of_product_newest starts with this column
    )
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stars = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    text = models.TextField(max_length=MAX_REVIEW, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, editable=False)
    #: The seller's answer. It can be given once.
    answer = models.TextField(max_length=MAX_REVIEW, blank=True)
    answered_at = models.DateTimeField(null=True, editable=False)
    #: Hidden by staff, with a reason. A hidden review does not count in averages.
    hidden = models.BooleanField(default=False)
    hidden_reason = models.CharField(max_length=MAX_REASON, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="review_has_one_to_five_stars", condition=Q(stars__gte=1, stars__lte=5)
            ),
            models.CheckConstraint(
                name="review_is_hidden_for_a_reason",
                condition=Q(hidden=False, hidden_reason="") | Q(hidden=True, hidden_reason__gt=""),
            ),
            models.CheckConstraint(
                name="review_answer_has_a_time",
                condition=Q(answer="", answered_at=None)
                | Q(answer__gt="", answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="review_is_written_before_it_is_edited_or_answered",
                condition=(Q(edited_at__isnull=True) | Q(edited_at__gte=F("created_at")))
                & (Q(answered_at__isnull=True) | Q(answered_at__gte=F("created_at"))),
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "-id"],
                name="review_of_product_newest",
                condition=Q(hidden=False),
            ),
            models.Index(
                fields=["seller", "-id"],
                name="review_of_seller_newest",
                condition=Q(hidden=False),
            ),
        ]
        permissions = [("hide_review", "Can hide reviews and show them again")]

    def __str__(self) -> str:
        return f"{self.stars} stars for {self.product}"


#: The fields of a review that its digests cover: all of them.
DIGESTED_OF_REVIEW = (
    "line_id",
    "product_id",
    "buyer_id",
    "seller_id",
    "stars",
    "text",
    "created_at",
    "edited_at",
    "answer",
    "answered_at",
    "hidden",
    "hidden_reason",
)


class ReviewDigest(models.Model):
    """SHA-256 of a review (omachemainproj.digests): one as it is written, and one per change.

    Never changed or deleted. ``prove`` recomputes each review's newest digest, which reveals stars
    that were changed in the database together with the averages.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="digests")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.sha256


class SellerRating(models.Model):
    """The sum of stars and the number of visible reviews of all a seller's products.

    Kept up to date like Product.review_stars.
    """

    seller = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="rating",
        primary_key=True,
    )
    review_stars = models.PositiveIntegerField(default=0)
    review_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="seller_has_one_to_five_stars_a_review", condition=ONE_TO_FIVE_STARS_A_REVIEW
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_stars} stars in {self.review_count} reviews"
