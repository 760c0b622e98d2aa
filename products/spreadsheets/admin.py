"""The admin's pages for exporting and importing products as a sheet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm
from import_export.results import RowResult

from accounts.authentication import current_user
from accounts.backoffice import audit
from products.models import Product, ProductQuerySet

from .csv_format import MAX_BYTES, MAX_ROWS, BadSheet
from .import_export import ProductResource, SheetFormat, SheetStorage

#: The description of each column on the import page.
COLUMNS_IN_WORDS = {
    "seller": "the seller’s user name",
    "id": "the product’s number; empty for a new product",
    "sku": "the seller’s own code for the product",
    "name": "the product’s name",
    "description": "the product’s description",
    "category": "the category in the shop",
    "price": "whole Kenyan shillings",
    "item_number": "the stock; read for new products only",
    "payment_mpesa_number": "the phone number at which the seller is paid",
    "listed": "yes or no",
    "restock": "how many to add to the stock",
    "stock_version": "leave this as it is; it prevents adding stock twice",
}


class SheetForm(ImportForm):
    """The upload form. Files have at most 2 MB."""

    def clean_import_file(self) -> UploadedFile:
        """Refuse a file that is too large before reading it."""
        sent: UploadedFile = self.cleaned_data["import_file"]
        if (sent.size or 0) > MAX_BYTES:
            raise ValidationError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
        return sent


class ConfirmForm(ConfirmImportForm):
    """The form of the preview page: the name of the stored file, and fixed choices."""

    import_file_name = forms.RegexField(r"^[0-9a-f]{32}\Z", widget=forms.HiddenInput())
    original_file_name = forms.CharField(max_length=255, widget=forms.HiddenInput())
    format = forms.ChoiceField(choices=[("0", "CSV")], widget=forms.HiddenInput())
    resource = forms.ChoiceField(
        choices=[("0", "products")], required=False, widget=forms.HiddenInput()
    )


class SheetAdmin(ImportExportMixin):
    """Import for staff who may change products, export for staff who may download lists.

    Both are audited: an export as a whole, an import row by row.
    """

    resource_classes = (ProductResource,)
    formats = (SheetFormat,)
    import_form_class = SheetForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = SheetStorage
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    # Rows are audited where they are saved, in the same transaction.
    skip_admin_log = True

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.change_product")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(("products.view_product", "accounts.export_rows"))

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The texts of the page. The library's own are written for developers."""
        return {
            **super().get_import_context_data(**kwargs),
            "about": "Upload a sheet made by “Export as a sheet”, saved as CSV, with at most "
            f"{MAX_ROWS:,} rows. You see a preview before anything is saved.",
            "sheet_columns": COLUMNS_IN_WORDS.items(),
            "process_url": reverse("admin:products_product_process_import"),
        }

    def import_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _titled("Import a sheet", super().import_action(request, *args, **kwargs))

    def get_export_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_export_context_data(**kwargs),
            "about": f"Downloads up to {MAX_ROWS:,} of the products in the list, newest first, as "
            "CSV. Change them in a spreadsheet and import the file. Exports are audited.",
        }

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            return _titled("Export as a sheet", super().export_action(request))
        except IncorrectLookupParameters:
            return redirect(f"{reverse('admin:products_product_changelist')}?{ERROR_FLAG}=1")

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        new, changed, left = (
            result.totals[kind]
            for kind in (
                RowResult.IMPORT_TYPE_NEW,
                RowResult.IMPORT_TYPE_UPDATE,
                RowResult.IMPORT_TYPE_SKIP,
            )
        )
        message = f"Sheet imported: {new} new, {changed} changed, {left} unchanged."
        messages.success(request, message)

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if not isinstance(e, BadSheet):
            raise e
        form.add_error("import_file", str(e))

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().process_import(request, **kwargs)
        except BadSheet as bad:
            messages.error(request, str(bad))
            return redirect("admin:products_product_import")
        return response

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        for row in result.invalid_rows:
            errors = " ".join(text for texts in row.error_dict.values() for text in texts)
            messages.warning(request, f"Row {row.number} of the file was not saved: {errors}")
        response: HttpResponse = super().process_result(result, request)
        return response

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """At most as many products as an import accepts."""
        products: ProductQuerySet = super().get_export_queryset(request)
        return products.with_stock_version()[:MAX_ROWS]

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[int]:
        """An empty list: rows are chosen by search and filter. The library would list them all."""
        return []

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any
    ) -> Any:
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        audit.log(
            current_user(request),
            f"Exported up to {MAX_ROWS:,} as CSV",
            None,
            action=audit.DOWNLOADED,
            kind=Product,
        )
        return data


def _titled(title: str, page: HttpResponse) -> HttpResponse:
    """Give a page of the library our title. Downloads and redirects are returned unchanged."""
    if isinstance(page, TemplateResponse) and page.context_data is not None:
        page.context_data["title"] = title
    return page
