"""Filters of product lists. A value that cannot be read is answered with 400."""

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

#: Each name of an order, and the columns it pages by (omachemainproj.api.pagination).
ORDERS = {
    "newest": ("newest",),
    "price": ("price", "id"),
    "-price": ("-price", "-id"),
    "stars": ("-star_rank", "-id"),
    "best-selling": ("-sold_rank", "-id"),
}
#: Other names of orders, as many who write filters would write them.
OTHER_NAMES = {"-stars": "stars", "-sold": "best-selling"}
#: Only where there are words to be near to: products with all of them in the name come first.
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
#: What a seller has so few free of that it is time to restock, unless they say another number.
LOW_STOCK = 5


class ChoiceFilter(django_filters.ChoiceFilter):
    """Refuses what is none of its choices by naming them; ``also`` are taken, and not named."""

    def __init__(self, *, choices: Any, also: Any = (), **kwargs: Any) -> None:
        named = list(choices)
        super().__init__(
            choices=[(name, name) for name in (*named, *also)],
            error_messages={"invalid_choice": not_among("%(value)s", named)},
            **kwargs,
        )


class _ShillingsField(forms.RegexField):
    """Plain digits; Django's IntegerField would also read “ １.0 ”."""

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
        """None: the field's pattern bounds it already."""


class _NumberFilter(_ShillingsFilter):
    field_class = _NumberField


class _StarsField(forms.RegexField):
    """1 to 5, with one decimal at most; its value is in tenths."""

    default_error_messages = {"invalid": "Give 1 to 5 stars, like 4 or 4.5."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A(?:[1-4](?:\.[0-9])?|5(?:\.0)?)\Z", strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return int(text.replace(".", "") if "." in text else f"{text}0") if text else None


class _StarsFilter(django_filters.NumberFilter):
    field_class = _StarsField

    def get_max_validator(self) -> None:
        """None: the field's pattern bounds it already."""


class _ProductForm(forms.Form):
    """Refuses bounds that nothing can lie between."""

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        least, most = asked.get("min_price"), asked.get("max_price")
        if least is not None and most is not None and least > most:
            self.add_error("min_price", f"Nothing costs {least} or more and {most} or less.")
        return asked


class ProductFilter(django_filters.FilterSet):
    """What the lists of a category are narrowed by; ``ordering`` is only checked here."""

    min_price = _ShillingsFilter(
        field_name="price", lookup_expr="gte", help_text="KES; this or more."
    )
    max_price = _ShillingsFilter(
        field_name="price", lookup_expr="lte", help_text="KES; this or less."
    )
    min_stars = _StarsFilter(
        method="keep_stars", help_text="1 to 5, with one decimal: what is reviewed so or better."
    )
    in_stock = ChoiceFilter(
        choices=["true", "false"],
        method="keep_stock",
        help_text="`true`: what can be bought; `false`: only what is sold out.",
    )
    seller = django_filters.CharFilter(
        method="keep_seller", max_length=150, help_text="A seller's `user_name`, in any case."
    )
    ordering = ChoiceFilter(
        choices=ORDERS,
        also=OTHER_NAMES,
        method="keep_all",
        help_text="`newest` unless told; `stars` and `best-selling` are the best first.",
    )

    class Meta:
        model = Product
        fields: list[str] = []
        form = _ProductForm

    _seller: list[int] | None = None

    def prices_alone(self) -> tuple[int | None, int | None] | None:
        """The least and the most in KES, where nothing but prices narrows the list; else None."""
        asked = self.form.cleaned_data
        if asked.keys() - {"min_price", "max_price", "ordering"}:
            return None
        return asked.get("min_price"), asked.get("max_price")

    def keep_stars(self, products: ProductQuerySet, name: str, value: int) -> ProductQuerySet:
        return products.filter(star_rank__gte=value * STAR_RANK)

    def keep_stock(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(soldout=value == "false")

    def keep_seller(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        # Asked once, of however many shelves.
        if self._seller is None:
            self._seller = list(User.objects.called(value).values_list("pk", flat=True)[:1])
        return products.filter(seller=self._seller[0]) if self._seller else products.none()

    def keep_all(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products


class CategoriesFilter(django_filters.CharFilter):
    """One category or more; the list that has it reads them (``SearchView``)."""

    #: May be given more than once.
    repeats = True


class SearchFilter(ProductFilter):
    """What a search is narrowed by."""

    category = CategoriesFilter(
        method="keep_all",
        help_text="One or more, with commas or given again; as in `/categories/`, in any case.",
    )
    ordering = ChoiceFilter(
        choices=[RELEVANCE, *ORDERS],
        also=OTHER_NAMES,
        method="keep_all",
        help_text=(
            "`newest` unless told. `relevance`: what has all the words in its name first;"
            " `stars` and `best-selling`: the best first."
        ),
    )


def read_categories(request: Request) -> list[str] | None:
    """The categories a search is for; None for all. Raises ValidationError for an unknown one."""
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


#: What a seller's listing can be, and which they are.
STATUSES = {
    "on_sale": Q(listed=True, soldout=False),
    "low_stock": Q(listed=True, soldout=False, item_number__lte=F("held") + LOW_STOCK),
    "sold_out": Q(listed=True, soldout=True),
    "unlisted": Q(listed=False),
}
_TRUE_OR_FALSE = ["true", "false"]


class StatusFilter(django_filters.MultipleChoiceFilter):
    """One status or more."""

    repeats = True


class ListingFilter(django_filters.FilterSet):
    """What a seller narrows their own products by."""

    id = _NumberFilter(help_text="One product, with all that this list says of it.")
    status = StatusFilter(
        choices=[(name, name) for name in STATUSES],
        method="keep_statuses",
        error_messages={"invalid_choice": not_among("%(value)s", STATUSES)},
        help_text=f"One or more, given again: any of them. `low_stock` has {LOW_STOCK} or fewer.",
    )
    low_stock = _NumberFilter(
        method="keep_low", help_text="Of which at most so many can be bought: sold out ones too."
    )
    listed = ChoiceFilter(
        choices=_TRUE_OR_FALSE,
        method="keep_if",
        help_text="`true`: what the public sees; `false`: what you took off.",
    )
    soldout = ChoiceFilter(
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
    ordering = ChoiceFilter(
        choices=LISTING_ORDERS,
        also=["-sold"],
        method="keep_all",
        help_text="`newest` unless told; `available`: what is scarcest first.",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def keep_statuses(
        self, products: ProductQuerySet, name: str, value: list[str]
    ) -> ProductQuerySet:
        any_of = Q()
        for status in value:
            any_of |= STATUSES[status]
        return products.filter(any_of)

    def keep_low(self, products: ProductQuerySet, name: str, value: int) -> ProductQuerySet:
        return products.filter(item_number__lte=F("held") + value)

    def keep_if(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(**{name: value == "true"})

    def keep_sku(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(sku=fold_identifier(value))

    def keep_words(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        if stop_words := stop_words_in(value):
            products = named_of_few(products, stop_words)
        return matching_of_few(
            products, [[f"{each}*" for each in forms] for forms in word_forms(value)]
        )

    def keep_all(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products


@lru_cache(maxsize=256)
def _only(filters: Any, asked: frozenset[str]) -> Any:
    """A FilterSet of the filters that are asked for alone: each copies all it has, field by field,
    and a form of them, for one request."""
    narrow = type(filters.__name__, (filters,), {"__module__": filters.__module__})
    narrow.base_filters = {  # type: ignore[attr-defined]
        name: each for name, each in filters.base_filters.items() if name in asked
    }
    # Nor is the class of the form made anew: each copies its fields all the same.
    form = narrow().get_form_class()
    narrow.get_form_class = lambda self: form  # type: ignore[attr-defined]
    return narrow


class ProductFilterBackend(DjangoFilterBackend):
    """Builds the FilterSet only when a filter is asked for: it costs more than the query.

    A parameter that is none of the view's is refused: its filters, and its ``parameters``.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filters = self.read(request, view)
        return queryset if filters is None else filters.filter_queryset(queryset)

    def read(self, request: Request, view: Any, *, known: Collection[str] = ()) -> Any:
        """The FilterSet, with what is asked for read; None where nothing is.

        ``known`` are orders that need no FilterSet. Raises ValidationError for what cannot be
        read, is given twice, or is no parameter.
        """
        if not request.query_params:
            return None
        offered: dict[str, Any] = view.filterset_class.base_filters
        refuse_unknown(request, [*offered, *view.parameters])
        asked = offered.keys() & request.query_params.keys()
        for name in asked:
            once = not getattr(offered[name], "repeats", False)
            if once and len(request.query_params.getlist(name)) > 1:
                raise ValidationError({name: ["Give this once."]})
        if request.query_params.get("ordering") in known:
            asked = asked - {"ordering"}
        if not asked - {"category"}:
            return None
        narrowing = _only(view.filterset_class, frozenset(asked))
        filters = narrowing(request.query_params, view.queryset, request=request)
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        return filters
