"""The admin's pages to export products as a sheet, and to import one."""

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

#: What stands in each column, as the page tells who reads a sheet in.
COLUMNS_IN_WORDS = {
    "seller": "the user name of who sells it",
    "id": "the product’s number; empty for a new one",
    "sku": "the seller’s own number of it",
    "name": "what it is called",
    "description": "more about it",
    "category": "where it stands in the shop",
    "price": "whole Kenyan shillings",
    "item_number": "how many are on the shelf; read for new ones only",
    "payment_mpesa_number": "the phone at which its seller is paid",
    "listed": "yes, or no",
    "restock": "how many have come in: it is added to what is there",
    "stock_version": "leave it as it is: by it nothing is added twice",
}


class SheetForm(ImportForm):
    """A file of 2 MB at most."""

    def clean_import_file(self) -> UploadedFile:
        """Refuse what is too large before any of it is read."""
        sent: UploadedFile = self.cleaned_data["import_file"]
        if (sent.size or 0) > MAX_BYTES:
            raise ValidationError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
        return sent


class ConfirmForm(ConfirmImportForm):
    """What the preview's page sends back: the name of the kept file, and no other choice."""

    import_file_name = forms.RegexField(r"^[0-9a-f]{32}\Z", widget=forms.HiddenInput())
    original_file_name = forms.CharField(max_length=255, widget=forms.HiddenInput())
    format = forms.ChoiceField(choices=[("0", "CSV")], widget=forms.HiddenInput())
    resource = forms.ChoiceField(
        choices=[("0", "products")], required=False, widget=forms.HiddenInput()
    )


class SheetAdmin(ImportExportMixin):
    """Import for those who may change products, export for those who may download lists.

    Both are on record: an export as such, an import row by row.
    """

    resource_classes = (ProductResource,)
    formats = (SheetFormat,)
    import_form_class = SheetForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = SheetStorage
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    # Rows are recorded where they are saved, in the same transaction.
    skip_admin_log = True

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.change_product")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(("products.view_product", "accounts.export_rows"))

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What its page says; the library's own words are for who wrote the sheet's code."""
        return {
            **super().get_import_context_data(**kwargs),
            "about": "A sheet as “Take along as a sheet” gives it, saved as CSV: "
            f"{MAX_ROWS:,} rows at most. You see what it would do before anything is saved.",
            "sheet_columns": COLUMNS_IN_WORDS.items(),
            "process_url": reverse("admin:products_product_process_import"),
        }

    def import_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _called("Read in a sheet", super().import_action(request, *args, **kwargs))

    def get_export_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_export_context_data(**kwargs),
            "about": f"The newest {MAX_ROWS:,} products at most, of those that the list showed, as "
            "CSV: change them in a spreadsheet, and read them in again. It is on record.",
        }

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            return _called("Take along as a sheet", super().export_action(request))
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
        said = f"The sheet is read: {new} new, {changed} changed, {left} left as they were."
        messages.success(request, said)

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
        """As many as a sheet may have, so that it can be sent back."""
        products: ProductQuerySet = super().get_export_queryset(request)
        return products.with_stock_version()[:MAX_ROWS]

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[int]:
        """None: rows are chosen by search and filter. The library would list all there are."""
        return []

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any
    ) -> Any:
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        audit.log(current_user(request), f"Exported up to {MAX_ROWS:,} as CSV", None, kind=Product)
        return data


def _called(title: str, page: HttpResponse) -> HttpResponse:
    """A page of the library's under a title of ours; a download or a redirect as it is."""
    if isinstance(page, TemplateResponse) and page.context_data is not None:
        page.context_data["title"] = title
    return page
