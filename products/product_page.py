"""A product's page in the admin: its current state, pictures, stock and reviews.

Sections about sales and reservations are in orders.sections.
"""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html

from accounts.backoffice.formats import Tone, badge, kes, moment, phone_link
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import (
    NEWEST,
    Content,
    Facts,
    Part,
    Table,
    list_of,
    newest_of,
    section,
)
from accounts.models import User

from .models import MAX_PICTURES, Newest, Product, ProductPicture, Review, StockMovement

SEES_PRODUCTS = "products.view_product"


@section(Product, "summary", "Overview", permission=SEES_PRODUCTS, place=10)
def show_overview(product: Product, viewer: User) -> Content:
    facts: list[tuple[str, Any]] = [
        ("Price", kes(product.price)),
        ("On the shelf", f"{product.item_number:,}"),
        ("Held for unpaid orders", f"{product.held:,}"),
        ("Free to sell", f"{product.free:,}"),
        ("Sold", f"{product.sold:,}"),
        ("Seller", link_to(product.seller, viewer)),
        ("Paid to", phone_link(product.payment_mpesa_number)),
        ("Listed since", moment(product.created_at)),
    ]
    if product.review_count:
        facts.append(("Stars", f"{product.stars} of {product.review_count:,}"))
    return Facts(facts, lead=describe_listing(product))


def describe_listing(product: Product) -> str:
    """A badge: unlisted, sold out or on sale."""
    if not product.listed:
        return badge("unlisted: the public does not see it", Tone.QUIET)
    return badge("sold out", Tone.BAD) if product.soldout else badge("on sale", Tone.GOOD)


@section(Product, "pictures", "Pictures", permission=SEES_PRODUCTS, place=20)
def show_pictures(product: Product, viewer: User) -> Content:
    pictures = list(ProductPicture.objects.filter(product=product.pk).order_by("place"))
    return Part(
        "admin/products/page/pictures.html",
        {
            "product": product,
            "pictures": pictures,
            "may_change": viewer.has_perm("products.change_product")
            and viewer.pk != product.seller_id,
            "is_full": len(pictures) >= MAX_PICTURES,
            "most": MAX_PICTURES,
        },
    )


@section(
    Product,
    "movements",
    "Stock movements",
    permission="products.view_stockmovement",
    place=50,
    below=True,
)
def show_movements(product: Product, viewer: User) -> Content:
    moves, has_more = newest_of(
        StockMovement.objects.filter(product=product.pk).select_related("actor")
    )
    rows = [
        (
            moment(move.created_at),
            f"{move.quantity:+,}",
            move.reference,
            link_to(move.actor, viewer) or "the shop",
            move.note,
        )
        for move in moves
    ]
    more = list_of(StockMovement, "All stock movements", product=product.pk) if has_more else None
    return Table(("When", "Change", "For", "By", "Note"), rows, "No stock movements.", more)


@section(Product, "reviews", "Reviews", permission="products.view_review", place=80, below=True)
def show_reviews(product: Product, viewer: User) -> Content | None:
    reviews, has_more = newest_of(Review.objects.filter(product=product.pk).select_related("buyer"))
    if not reviews:
        return None
    shown = [
        {
            "review": review,
            "link": link_to(review, viewer, f"{review.stars} of 5"),
            "by": link_to(review.buyer, viewer),
            "status_label": badge("hidden", Tone.QUIET)
            if review.hidden
            else badge("shown", Tone.GOOD),
            "at": moment(review.created_at),
        }
        for review in reviews
    ]
    more = list_of(Review, "All reviews", product=product.pk) if has_more else None
    may_hide = viewer.has_perm("products.hide_review")
    return Part(
        "admin/products/page/reviews.html", {"reviews": shown, "may_hide": may_hide, "more": more}
    )


@section(User, "listings", "Listings", permission=SEES_PRODUCTS, place=40)
def show_listings(person: User, viewer: User) -> Content | None:
    # The order of the index behind a seller's own list.
    newest = list(Product.objects.owned_by(person).order_by(Newest())[: NEWEST + 1])
    if not newest:
        return None
    rows = [
        (
            link_to(product, viewer),
            describe_listing(product),
            kes(product.price),
            format_html("{} free, {} sold", f"{product.free:,}", f"{product.sold:,}"),
        )
        for product in newest[:NEWEST]
    ]
    more = list_of(Product, "All listings", seller=person.pk) if len(newest) > NEWEST else None
    return Table(("Product", "Status", "Price", "Stock"), rows, "", more)
