"""Filters of product lists. A value that cannot be read is answered with 400."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from omachemainproj.text import fold_identifier
from products.models import MAX_SKU, Product, ProductQuerySet

from .search import MAX_TERM, matching, word_forms

#: Each name of an order, and the columns it pages by (omachemainproj.api.pagination).
ORDERS = {
    "newest": ("newest",),
    "price": ("price", "id"),
    "-price": ("-price", "-id"),
}


class _ShillingsField(forms.RegexField):
    """Plain digits; Django's IntegerField would also read “ １.0 ”."""

    default_error_messages = {"invalid": "Give a whole number of shillings, like 1500."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A[0-9]{1,9}\Z", strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return int(text) if text else None


class _ShillingsFilter(django_filters.NumberFilter):
    field_class = _ShillingsField

    def get_max_validator(self) -> None:
        """None: the field's pattern bounds it already."""


class ProductFilter(django_filters.FilterSet):
    """``min_price``, ``max_price``, ``in_stock``, ``seller``; ``ordering`` is only checked here."""

    min_price = _ShillingsFilter(
        field_name="price", lookup_expr="gte", help_text="KES; this or more."
    )
    max_price = _ShillingsFilter(
        field_name="price", lookup_expr="lte", help_text="KES; this or less."
    )
    in_stock = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")],
        method="keep_stock",
        help_text="`true`: what can be bought; `false`: only what is sold out.",
    )
    seller = django_filters.CharFilter(
        method="keep_seller", max_length=150, help_text="A seller's `user_name`, in any case."
    )
    ordering = django_filters.ChoiceFilter(
        choices=[(name, name) for name in ORDERS],
        method="keep_all",
        help_text="`newest` unless told.",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def keep_stock(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(soldout=value == "false")

    def keep_seller(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.sold_by(value)

    def keep_all(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products


_TRUE_OR_FALSE = [("true", "true"), ("false", "false")]


class ListingFilter(django_filters.FilterSet):
    """What a seller narrows their own products by."""

    listed = django_filters.ChoiceFilter(
        choices=_TRUE_OR_FALSE,
        method="keep_if",
        help_text="`true`: what the public sees; `false`: what you took off.",
    )
    soldout = django_filters.ChoiceFilter(
        choices=_TRUE_OR_FALSE, method="keep_if", help_text="`true`: what has nothing free."
    )
    sku = django_filters.CharFilter(
        method="keep_sku", max_length=MAX_SKU, help_text="Your own code, in its own case."
    )
    search = django_filters.CharFilter(
        method="keep_words",
        max_length=MAX_TERM,
        help_text="Words, or beginnings of words, of name or description.",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def keep_if(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(**{name: value == "true"})

    def keep_sku(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(sku=fold_identifier(value))

    def keep_words(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return matching(products, [[f"{each}*" for each in forms] for forms in word_forms(value)])


class ProductFilterBackend(DjangoFilterBackend):
    """Builds the FilterSet only when a filter is asked for: it costs more than the query."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filters: Any = view.filterset_class
        asked = filters.base_filters.keys() & request.query_params.keys()
        if not asked:
            return queryset
        for name in asked:
            if len(request.query_params.getlist(name)) > 1:
                raise ValidationError({name: ["Give this once."]})
        return super().filter_queryset(request, queryset, view)
