"""The admin's pages of products, stock movements and reviews. Stock is not edited there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.datastructures import MultiValueDict
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import Truncator
from django.views.decorators.http import require_POST

from accounts.authentication import current_user
from accounts.backoffice.actions import (
    StaffAction,
    decides_about_rows,
    page_before,
    perform,
    staff_action,
)
from accounts.backoffice.admin import ShopAdmin
from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.formats import EMPTY_VALUE, Tone, badge
from accounts.backoffice.read_only_admin import LookupAdmin, ReadOnlyAdmin
from accounts.backoffice.row_page import RowPage, columns_of
from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.text import clean_shown, fold_identifier, tidy_line

from . import product_page  # noqa: F401  # declares sections of pages
from .admin_search import ids_named, is_id
from .listings.services import edit_product, list_product, unlist_product
from .models import MAX_PICTURES, MAX_REASON, Product, ProductQuerySet, Review, StockMovement
from .picture_actions import PICTURE_ACTIONS
from .reviews.services import hide_review, show_review
from .spreadsheets.admin import SheetAdmin

_READ_ONLY = (
    "picture",
    "item_number",
    "held",
    "sold_out",
    "listed",
    "seller",
    "payment_mpesa_number",
    "created_at",
    "updated_at",
)
#: The fields among these on a product's page. Pictures have their own section.
_READ_ONLY_ON_PAGE = _READ_ONLY[1:]


@admin.register(Product)
class ProductAdmin(RowPage, SheetAdmin, ShopAdmin):
    """Search by number, by words as shoppers do, or by the seller's user name.

    Products are added by their sellers, so that all stock has its movements, and never deleted,
    because orders refer to them. Unlist them instead.
    """

    none_yet = "Sellers list their products in the shop; you may import them as a sheet."

    list_display = (
        "name",
        "picture",
        "price",
        "item_number",
        "held",
        "sold_out",
        "listed",
        "category",
        "seller",
    )
    list_display_links = ("name",)
    list_filter = ("listed", "category")
    list_select_related = ("seller",)
    ordering = ("-pk",)
    normalisers = {"name": tidy_line}
    search_fields = ("pk",)
    search_help_text = "A product's number, words of its name, or a seller's user name."
    fields = ("name", "description", "category", "price", *_READ_ONLY_ON_PAGE)
    readonly_fields = _READ_ONLY
    actions = ("show", "hide")
    page_actions = {
        "show": lambda product: not product.listed,
        "hide": lambda product: product.listed,
    }
    page_labels = {"show": "List again", "hide": "Unlist"}

    @admin.display(description="picture")
    def picture(self, product: Product) -> str:
        if not product.thumbnail:
            return "none"
        return format_html('<img src="{}" width="72" alt="">', product.thumbnail.url)

    @admin.display(description="Sold out")
    def sold_out(self, product: Product) -> str:
        return badge("sold out", Tone.BAD) if product.soldout else EMPTY_VALUE

    @staff_action("List: show these products to the public", permissions=["change"])
    def show(product: Product, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        list_product(product.pk)

    @staff_action("Unlist: hide these products", permissions=["change"])
    def hide(product: Product, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        unlist_product(product.pk)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        """The editable fields, then the read-only ones."""
        editable, read_only = (
            self.fields[: -len(_READ_ONLY_ON_PAGE)],
            self.cells_of(request, _READ_ONLY_ON_PAGE),
        )
        return [("Text and price", {"fields": editable}), *columns_of(read_only)]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        return [*_READ_ONLY, *self.cells_of(request, _READ_ONLY_ON_PAGE)]

    def get_urls(self) -> list[Any]:
        change = self.admin_site.admin_view(self.change_pictures)
        name = "products_product_pictures"
        return [path("<int:object_id>/pictures/<str:key>/", change, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def change_pictures(self, request: HttpRequest, object_id: int, key: str) -> HttpResponse:
        """Run a picture action, then return to the product's page."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        product = get_object_or_404(Product, pk=object_id)
        action = PICTURE_ACTIONS.get(key)
        if action is None:
            raise Http404
        uploaded = request.FILES.getlist("picture")
        if key == "add" and len(uploaded) > 1:
            self._add_pictures(request, product, uploaded[:MAX_PICTURES])
        elif refusal := self._change_picture(request, product, action, request.FILES):
            messages.error(request, refusal)
        else:
            messages.success(request, f"{action.label}: done.")
        page = reverse("admin:products_product_change", args=[product.pk])
        return redirect(f"{page}#pictures")

    def _add_pictures(self, request: HttpRequest, product: Product, uploaded: list[Any]) -> None:
        """Add several pictures, each as an action of its own; those that are refused are named."""
        action, done = PICTURE_ACTIONS["add"], 0
        for each in uploaded:
            files = MultiValueDict({"picture": [each]})
            refusal = self._change_picture(request, product, action, files)
            if refusal:
                messages.error(request, f"{each.name}: {refusal}")
            else:
                done += 1
        messages.success(request, f"{action.label}: {done} of {len(uploaded)} done.")

    def _change_picture(
        self, request: HttpRequest, product: Product, action: StaffAction, files: Any
    ) -> str:
        """Run a picture action; return why it was refused, or an empty text."""
        form = action.form(request.POST, files)
        if not form.is_valid():
            return " ".join(str(text) for texts in form.errors.values() for text in texts)
        try:
            perform(action, product, form.cleaned_data, by=current_user(request))
        except Refusal as refusal:
            return str(refusal)
        return ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return _find(queryset, fold_identifier(search_term)), False

    def save_model(
        self, request: HttpRequest, obj: Product, form: ModelForm[Product], change: bool
    ) -> None:
        # Only the changed fields: saving the whole row would overwrite concurrent sales.
        edit_product(obj.pk, **{name: form.cleaned_data[name] for name in form.changed_data})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _find(products: Any, term: str) -> ProductQuerySet:
    if is_id(term):
        return products.filter(pk=int(term))
    if User.objects.called(term).exists():
        return products.sold_by(term)
    ids = ids_named(products, term, COUNT_AT_MOST)
    return products if ids is None else products.filter(pk__in=ids)


@admin.register(StockMovement)
class StockMovementAdmin(LookupAdmin):
    """Every change of a product's stock, with its reason."""

    list_display = ("product", "quantity", "reference", "actor", "note", "created_at")
    labels: ClassVar[dict[str, str]] = {"quantity": "Change", "reference": "For"}
    list_select_related = ("product", "actor")
    ordering = ("-pk",)
    search_help_text = "A product's number."

    def find(self, term: str) -> dict[str, Any]:
        return {"product": int(term)} if is_id(term) else {}


class ReasonForm(ActionForm):
    """The reason that staff give when they hide a review."""

    reason = forms.CharField(
        max_length=MAX_REASON, required=False, help_text="Required to hide a review."
    )


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Search by a product's number or a person's user name. A review's text is not edited here."""

    none_yet = "Buyers review goods once these are handed over."

    list_display = ("product", "stars", "beginning", "buyer", "seller", "hidden", "created_at")
    page_name = "Review:"
    list_filter = ("hidden", "stars")
    list_select_related = ("product", "buyer", "seller")
    ordering = ("-pk",)
    fields = (
        "product",
        "line",
        "buyer",
        "seller",
        "stars",
        "text",
        "created_at",
        "edited_at",
        "answer",
        "answered_at",
        "hidden",
        "hidden_reason",
    )
    readonly_fields = fields
    search_fields = ("pk",)
    search_help_text = "A product's number, or the user name of a buyer or seller."
    action_form = ReasonForm
    actions = ("hide", "show")
    # A second row of actions would have an empty reason field, and Django reads the last one.
    actions_on_bottom = False

    @admin.display(description="text")
    def beginning(self, review: Review) -> str:
        return Truncator(review.text).chars(80)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = fold_identifier(search_term)
        if is_id(term):
            return queryset.filter(product=int(term)), False
        if term:
            people = list(User.objects.called(term).values_list("pk", flat=True))
            queryset = queryset.filter(Q(buyer__in=people) | Q(seller__in=people))
        return queryset, False

    def has_hide_permission(self, request: HttpRequest) -> bool:
        """Whether this user may hide reviews."""
        return request.user.has_perm("products.hide_review")

    @admin.action(description="Hide, with the reason given", permissions=["hide"])
    @decides_about_rows
    def hide(self, request: HttpRequest, reviews: QuerySet[Review]) -> HttpResponse | None:
        reason = clean_shown(request.POST.get("reason", ""))
        if not reason:
            self.message_user(request, "Enter a reason next to the action.", messages.ERROR)
            return _back_to(request)
        for review in reviews:
            with transaction.atomic():
                if hide_review(review.pk, reason=reason):
                    self.log_change(request, review, f"Hidden: {reason}")
        return _back_to(request)

    @admin.action(description="Show again", permissions=["hide"])
    @decides_about_rows
    def show(self, request: HttpRequest, reviews: QuerySet[Review]) -> HttpResponse | None:
        for review in reviews:
            with transaction.atomic():
                if show_review(review.pk):
                    self.log_change(request, review, "Shown again.")
        return _back_to(request)


def _back_to(request: HttpRequest) -> HttpResponse | None:
    """Redirect to the page whose button was pressed; None for the list."""
    back = page_before(request)
    return redirect(f"{back}#reviews") if back else None
