"""All changes of reviews, and of the averages of products and sellers that follow from them.

A review and the sums change in one transaction. Locks are taken in the order review, product,
seller, so that a concurrent edit and hiding count each star once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.digests import digest_of
from omachemainproj.locking import lock_row
from products.models import (
    DIGESTED_OF_REVIEW,
    Product,
    Review,
    ReviewDigest,
    SellerRating,
)

EDITABLE_FOR = timedelta(days=7)


class NoSuchReview(Refusal):
    """There is no review with this id, or the caller may not do this with it."""

    code = "review_not_found"
    message = "There is no such review."
    status_code = 404


class AlreadyReviewed(Refusal):
    """The line already has a review."""

    code = "already_reviewed"
    message = (
        f"You have already reviewed this. A review can be changed for {EDITABLE_FOR.days} days."
    )


class ReviewClosed(Refusal):
    """The review can no longer be changed."""

    code = "review_closed"
    message = f"A review can be changed for {EDITABLE_FOR.days} days after it was written."


class AlreadyAnswered(Refusal):
    """The seller has already answered the review."""

    code = "already_answered"
    message = "You have already answered this review. You can answer it only once."


class NoSuchAnswer(Refusal):
    """The seller has not answered the review."""

    code = "answer_not_found"
    message = "You have not answered this review."
    status_code = 404


class AnswerClosed(Refusal):
    """The answer can no longer be changed."""

    code = "answer_closed"
    message = f"An answer can be changed for {EDITABLE_FOR.days} days after it was given."


def write_review(
    *, line_id: int, product_id: int, buyer_id: int, seller_id: int, stars: int, text: str = ""
) -> Review:
    """Write a buyer's review of one line. The caller has to check that they may.

    Raises AlreadyReviewed, also for the second of two concurrent calls.
    """
    review = Review(
        line_id=line_id,
        product_id=product_id,
        buyer_id=buyer_id,
        seller_id=seller_id,
        stars=stars,
        text=text,
    )
    try:
        with transaction.atomic():
            review.save(force_insert=True)
            _record_digest(review)
            _count(review, stars=stars, reviews=1)
    except IntegrityError as error:
        if Review.objects.filter(line=line_id).exists():
            raise AlreadyReviewed from error
        raise
    return review


@transaction.atomic
def edit_review(
    review_id: int,
    *,
    stars: int | None = None,
    text: str | None = None,
    now: datetime | None = None,
) -> None:
    """Change a review's stars or text, within a week. Safe to repeat.

    A hidden review can be changed too, and stays hidden. Raises ReviewClosed.
    """
    now = now or timezone.now()
    review = lock_row(Review, review_id)
    if now - review.created_at > EDITABLE_FOR:
        raise ReviewClosed
    before = review.stars, review.text
    review.stars = review.stars if stars is None else stars
    review.text = review.text if text is None else text
    if (review.stars, review.text) == before:
        return
    review.edited_at = now
    review.save(update_fields=["stars", "text", "edited_at"])
    _record_digest(review)
    if not review.hidden:
        _count(review, stars=review.stars - before[0])


@transaction.atomic
def answer_review(review_id: int, *, seller_id: int, text: str) -> None:
    """Write the seller's answer to a visible review of their products.

    Raises NoSuchReview and AlreadyAnswered, also for the second of two concurrent calls.
    """
    theirs = Review.objects.shown().filter(pk=review_id, seller=seller_id)
    unanswered = theirs.filter(answered_at=None)
    if not unanswered.update(answer=text, answered_at=timezone.now()):
        raise AlreadyAnswered if theirs.exists() else NoSuchReview
    _record_digest(Review.objects.get(pk=review_id))


@transaction.atomic
def edit_answer(review_id: int, *, seller_id: int, text: str, now: datetime | None = None) -> None:
    """Change the seller's answer to a visible review, within a week. Safe to repeat.

    Raises NoSuchReview, NoSuchAnswer and AnswerClosed.
    """
    now = now or timezone.now()
    theirs = Review.objects.shown().filter(pk=review_id, seller=seller_id)
    if not theirs.exists():
        raise NoSuchReview
    review = lock_row(Review, review_id)
    if review.answered_at is None:
        raise NoSuchAnswer
    if now - review.answered_at > EDITABLE_FOR:
        raise AnswerClosed
    if review.answer == text:
        return
    review.answer = text
    review.save(update_fields=["answer"])
    _record_digest(review)


@transaction.atomic
def hide_review(review_id: int, *, reason: str) -> bool:
    """Hide a review and take it out of the averages. Safe to repeat.

    Returns False if it was hidden already; the first reason is kept.
    """
    review = lock_row(Review, review_id)
    if review.hidden:
        return False
    review.hidden, review.hidden_reason = True, reason
    review.save(update_fields=["hidden", "hidden_reason"])
    _record_digest(review)
    _count(review, stars=-review.stars, reviews=-1)
    return True


@transaction.atomic
def show_review(review_id: int) -> bool:
    """Show a hidden review again. Safe to repeat. Returns whether it was hidden."""
    review = lock_row(Review, review_id)
    if not review.hidden:
        return False
    review.hidden, review.hidden_reason = False, ""
    review.save(update_fields=["hidden", "hidden_reason"])
    _record_digest(review)
    _count(review, stars=review.stars, reviews=1)
    return True


def erase_texts(person_id: int) -> int:
    """Erase the texts of a deleted person's reviews and answers; return how many rows changed.

    The stars stay. Safe to repeat and to run concurrently: each review is its own transaction.
    """
    wrote, answered = Q(buyer=person_id) & ~Q(text=""), Q(seller=person_id) & ~Q(answer="")
    done = 0
    for pk in Review.objects.filter(wrote | answered).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            review = lock_row(Review, pk)
            if review.buyer_id == person_id:
                review.text = ""
            if review.seller_id == person_id:
                review.answer, review.answered_at = "", None
            review.save(update_fields=["text", "answer", "answered_at"])
            _record_digest(review)
        done += 1
    return done


def _record_digest(review: Review) -> None:
    """Record the digest of a changed review, in the transaction that changed it."""
    sha256 = digest_of(attrgetter(*DIGESTED_OF_REVIEW)(review))
    ReviewDigest.objects.create(review=review, sha256=sha256)


def _count(review: Review, *, stars: int, reviews: int = 0) -> None:
    """Add to the sums of the review's product and seller, in the transaction that changes it."""
    if not stars and not reviews:
        return
    moved = {
        "review_stars": F("review_stars") + stars,
        "review_count": F("review_count") + reviews,
    }
    Product.objects.filter(pk=review.product_id).update(**moved)
    rating = SellerRating.objects.filter(pk=review.seller_id)
    if not rating.update(**moved):
        first = SellerRating(seller_id=review.seller_id)
        SellerRating.objects.bulk_create([first], ignore_conflicts=True)
        rating.update(**moved)
