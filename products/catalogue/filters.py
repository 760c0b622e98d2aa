"""Filters of product lists. Invalid values get a 400."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import User
from omachemainproj.api.parameters import not_among, refuse_unknown
from omachemainproj.text import fold_identifier
from products.models import MAX_SKU, STAR_RANK, Category, Product, ProductQuerySet
from products.serializers import category_of

from .search import MAX_TERM, matching_of_few, named_of_few, stop_words_in, word_forms

#: The names of orders, and the columns each pages by (omachemainproj.api.pagination).
ORDERS = {
    "newest": ("newest",),
    "price": ("price", "id"),
    "-price": ("-price", "-id"),
    "stars": ("-star_rank", "-id"),
    "best-selling": ("-sold_rank", "-id"),
}
#: Aliases that callers are likely to try.
OTHER_NAMES = {"-stars": "stars", "-sold": "best-selling"}
#: Products with all the words in their name come first. Only for searches with words.
RELEVANCE = "relevance"
#: The orders of a seller's own list.
LISTING_ORDERS = {
    "newest": ("newest",),
    "price": ("price", "id"),
    "-price": ("-price", "-id"),
    "available": ("available", "id"),
    "-available": ("-available", "-id"),
    "best-selling": ("-sold", "-id"),
}
#: At most how many units are free for a product to count as low on stock, by default.
LOW_STOCK = 5


class ChoiceFilter(django_filters.ChoiceFilter):
    """Lists the choices when it refuses a value. ``also`` are accepted but not listed."""

    def __init__(self, *, choices: Any, also: Any = (), **kwargs: Any) -> None:
        named = list(choices)
        super().__init__(
            choices=[(name, name) for name in (*named, *also)],
            error_messages={"invalid_choice": not_among("%(value)s", named)},
            **kwargs,
        )


class _ShillingsField(forms.RegexField):
    """Accepts plain digits only; Django's IntegerField would also accept “ １.0 ”."""

    default_error_messages = {"invalid": "Give a whole number of shillings, like 1500."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A[0-9]{1,9}\Z", strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return int(text) if text else None


class _NumberField(_ShillingsField):
    default_error_messages = {"invalid": "Give a whole number, like 5."}


class _ShillingsFilter(django_filters.NumberFilter):
    field_class = _ShillingsField

    def get_max_validator(self) -> None:
        """None, because the field's pattern limits the value already."""


class _NumberFilter(_ShillingsFilter):
    field_class = _NumberField


class _StarsField(forms.RegexField):
    """1 to 5 with at most one decimal. The cleaned value is in tenths."""

    default_error_messages = {"invalid": "Give 1 to 5 stars, like 4 or 4.5."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A(?:[1-4](?:\.[0-9])?|5(?:\.0)?)\Z", strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return int(text.replace(".", "") if "." in text else f"{text}0") if text else None


class _StarsFilter(django_filters.NumberFilter):
    field_class = _StarsField

    def get_max_validator(self) -> None:
        """None, because the field's pattern limits the value already."""


class _ProductForm(forms.Form):
    """Refuses a lowest price above the highest."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        least, most = cleaned.get("min_price"), cleaned.get("max_price")
        if least is not None and most is not None and least > most:
            self.add_error(
                "min_price", f"The lowest price (KES {least}) is above the highest (KES {most})."
            )
        return cleaned


class ProductFilter(django_filters.FilterSet):
    """The filters of a category's list. ``ordering`` is only validated here."""

    min_price = _ShillingsFilter(
        field_name="price", lookup_expr="gte", help_text="Lowest price, in KES."
    )
    max_price = _ShillingsFilter(
        field_name="price", lookup_expr="lte", help_text="Highest price, in KES."
    )
    min_stars = _StarsFilter(
        method="filter_stars", help_text="Lowest average of the reviews: 1 to 5, with one decimal."
    )
    in_stock = ChoiceFilter(
        choices=["true", "false"],
        method="filter_stock",
        help_text="`true`: products for sale; `false`: sold-out products.",
    )
    seller = django_filters.CharFilter(
        method="filter_seller", max_length=150, help_text="A seller's `user_name`, in any case."
    )
    ordering = ChoiceFilter(
        choices=ORDERS,
        also=OTHER_NAMES,
        method="no_filter",
        help_text="Default `newest`. `stars` and `best-selling` show the best first.",
    )

    class Meta:
        model = Product
        fields: list[str] = []
        form = _ProductForm

    _seller: list[int] | None = None

    def only_prices(self) -> tuple[int | None, int | None] | None:
        """The lowest and highest price in KES, if there are no other filters; otherwise None."""
        used = self.form.cleaned_data
        if used.keys() - {"min_price", "max_price", "ordering"}:
            return None
        return used.get("min_price"), used.get("max_price")

    def filter_stars(self, products: ProductQuerySet, name: str, value: int) -> ProductQuerySet:
        return products.filter(star_rank__gte=value * STAR_RANK)

    def filter_stock(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(soldout=value == "false")

    def filter_seller(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        # One query, however many lists are filtered.
        if self._seller is None:
            self._seller = list(User.objects.called(value).values_list("pk", flat=True)[:1])
        return products.filter(seller=self._seller[0]) if self._seller else products.none()

    def no_filter(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products


class CategoriesFilter(django_filters.CharFilter):
    """One or more categories. ``SearchView`` reads them."""

    #: May be given more than once.
    repeats = True


class SearchFilter(ProductFilter):
    """The filters of the search."""

    category = CategoriesFilter(
        method="no_filter",
        help_text="One or more keys of `/categories/`, in any case: comma-separated or repeated.",
    )
    ordering = ChoiceFilter(
        choices=[RELEVANCE, *ORDERS],
        also=OTHER_NAMES,
        method="no_filter",
        help_text=(
            "Default `newest`. `relevance`: products with all the words in their name first;"
            " `stars` and `best-selling`: the best first."
        ),
    )


def read_categories(request: Request) -> list[str] | None:
    """The categories to search in; None for all. Raises ValidationError for an unknown one."""
    typed = [
        word
        for value in request.query_params.getlist("category")
        for word in value.split(",")
        if word.strip()
    ]
    known = [category_of(word) for word in typed]
    for word, category in zip(typed, known, strict=True):
        if category not in Category.values:
            raise ValidationError({"category": [not_among(word, Category.values)]})
    return list(dict.fromkeys(known)) or None


#: The statuses of a seller's listings, and the condition of each.
STATUSES = {
    "on_sale": Q(listed=True, soldout=False),
    "low_stock": Q(listed=True, soldout=False, item_number__lte=F("held") + LOW_STOCK),
    "sold_out": Q(listed=True, soldout=True),
    "unlisted": Q(listed=False),
}
_TRUE_OR_FALSE = ["true", "false"]


class StatusFilter(django_filters.MultipleChoiceFilter):
    """One or more statuses."""

    repeats = True


class ListingFilter(django_filters.FilterSet):
    """The filters of a seller's own list."""

    id = _NumberFilter(help_text="Only the product with this id.")
    status = StatusFilter(
        choices=[(name, name) for name in STATUSES],
        method="filter_statuses",
        error_messages={"invalid_choice": not_among("%(value)s", STATUSES)},
        help_text=f"Repeat for any of several. `low_stock`: {LOW_STOCK} or fewer available.",
    )
    low_stock = _NumberFilter(
        method="filter_low_stock",
        help_text="Only products with at most this many units available, including sold-out ones.",
    )
    listed = ChoiceFilter(
        choices=_TRUE_OR_FALSE,
        method="filter_boolean",
        help_text="`true`: visible to the public; `false`: taken off.",
    )
    soldout = ChoiceFilter(
        choices=_TRUE_OR_FALSE, method="filter_boolean", help_text="`true`: no units available."
    )
    sku = django_filters.CharFilter(
        method="filter_sku", max_length=MAX_SKU, help_text="Your own code. Case matters."
    )
    search = django_filters.CharFilter(
        method="filter_words",
        max_length=MAX_TERM,
        help_text="Words, or beginnings of words, in the name or description.",
    )
    ordering = ChoiceFilter(
        choices=LISTING_ORDERS,
        also=["-sold"],
        method="no_filter",
        help_text="Default `newest`. `available`: the fewest first.",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def filter_statuses(
        self, products: ProductQuerySet, name: str, value: list[str]
    ) -> ProductQuerySet:
        any_of = Q()
        for status in value:
            any_of |= STATUSES[status]
        return products.filter(any_of)

    def filter_low_stock(self, products: ProductQuerySet, name: str, value: int) -> ProductQuerySet:
        return products.filter(item_number__lte=F("held") + value)

    def filter_boolean(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(**{name: value == "true"})

    def filter_sku(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(sku=fold_identifier(value))

    def filter_words(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        if stop_words := stop_words_in(value):
            products = named_of_few(products, stop_words)
        return matching_of_few(
            products, [[f"{each}*" for each in forms] for forms in word_forms(value)]
        )

    def no_filter(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products


@lru_cache(maxsize=256)
def _only(filters: Any, used: frozenset[str]) -> Any:
    """A FilterSet class with only the requested filters.

    An instance copies all filters and form fields of its class, which is expensive per request.
    """
    narrow = type(filters.__name__, (filters,), {"__module__": filters.__module__})
    narrow.base_filters = {  # type: ignore[attr-defined]
        name: each for name, each in filters.base_filters.items() if name in used
    }
    # One form class for all instances, each of which copies its fields anyway.
    form = narrow().get_form_class()
    narrow.get_form_class = lambda self: form  # type: ignore[attr-defined]
    return narrow


class ProductFilterBackend(DjangoFilterBackend):
    """Builds the FilterSet only if a filter is used, because it costs more than the query.

    Refuses query parameters that are neither filters nor among the view's ``parameters``.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filters = self.read(request, view)
        return queryset if filters is None else filters.filter_queryset(queryset)

    def read(self, request: Request, view: Any, *, known: Collection[str] = ()) -> Any:
        """The FilterSet for the request, validated; None if no filter is used.

        ``known`` are orders that need no FilterSet. Raises ValidationError for invalid values,
        repeated parameters and unknown parameters.
        """
        if not request.query_params:
            return None
        offered: dict[str, Any] = view.filterset_class.base_filters
        refuse_unknown(request, [*offered, *view.parameters])
        used = offered.keys() & request.query_params.keys()
        for name in used:
            once = not getattr(offered[name], "repeats", False)
            if once and len(request.query_params.getlist(name)) > 1:
                raise ValidationError({name: ["Give this once."]})
        if request.query_params.get("ordering") in known:
            used = used - {"ordering"}
        if not used - {"category"}:
            return None
        narrowing = _only(view.filterset_class, frozenset(used))
        filters = narrowing(request.query_params, view.queryset, request=request)
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        return filters
