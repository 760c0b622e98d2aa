"""Sellers' listings as CSV over HTTP: export, and import of the edited file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.http import QueryDict, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.api.fields import read_idempotency_key
from omachemainproj.api.languages import translate_response
from omachemainproj.api.parsers import CSVParser, StrictMultiPartParser
from omachemainproj.api.renderers import JSONRenderer
from omachemainproj.csv_files import write_sheet
from products.models import Product

from . import openapi
from .csv_format import COLUMNS, READ_BACK, BadSheet, read_sheet
from .download_links import LINK_SECONDS, make_link, seller_of_link
from .exporter import batches
from .importer import import_sheet
from .serializers import ImportInput


class BadLink(Refusal):
    """The token of a download address is invalid or has expired."""

    code = "link_expired"
    message = "This link has expired. Request a new one."
    status_code = status.HTTP_404_NOT_FOUND


class _Sheet(APIView):
    """A seller's listings as CSV."""

    throttle_scope = "import"

    def perform_content_negotiation(
        self, request: Request, force: bool | None = False
    ) -> tuple[Any, str]:
        """Ignore ``Accept``: the file is CSV, and errors are JSON as everywhere."""
        return JSONRenderer(), JSONRenderer.media_type

    def sheet_of(self, seller: User | int) -> StreamingHttpResponse:
        rows = batches(Product.objects.owned_by(seller))
        # Read before the response starts, so that a database error is still a 503.
        first: list[list[Sequence[Any]]] = [next(rows, [])]
        response = StreamingHttpResponse(
            write_sheet(COLUMNS, chain(first, rows), as_they_are=READ_BACK),
            content_type="text/csv; charset=utf-8",
        )
        name = f"products-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class ExportView(_Sheet):
    """All of the caller's listings as CSV."""

    @extend_schema(**openapi.EXPORT)
    def get(self, request: Request) -> StreamingHttpResponse:
        return self.sheet_of(current_user(request))

    @extend_schema(**openapi.EXPORT_LINK)
    def post(self, request: Request) -> Response:
        """An address for a plain link, with which a browser saves the file directly."""
        token = make_link(current_user(request))
        url = request.build_absolute_uri(f"{request.path}{token}/")
        return Response({"url": url, "expires_in": LINK_SECONDS}, status=status.HTTP_201_CREATED)


class DownloadView(_Sheet):
    """A seller's listings as CSV, by a download link."""

    authentication_classes = []
    permission_classes = [AllowAny]
    #: The sheet is private to its seller.
    is_private = True

    @extend_schema(**openapi.DOWNLOAD)
    def get(self, request: Request, token: str) -> StreamingHttpResponse:
        seller = seller_of_link(token)
        if seller is None:
            raise BadLink
        return self.sheet_of(seller)


class ImportView(APIView):
    """Imports a sheet of listings."""

    parser_classes = [StrictMultiPartParser, CSVParser]
    throttle_scope = "import"

    @extend_schema(**openapi.IMPORT)
    def post(self, request: Request) -> Response:
        serializer = ImportInput(data=_with_address(request))
        serializer.is_valid(raise_exception=True)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        try:
            rows = read_sheet(serializer.validated_data["file"].read())
        except BadSheet as bad:
            refuse_field("file", str(bad))
        report = import_sheet(
            rows, seller=current_user(request), check=serializer.validated_data["check"], key=key
        )
        return translate_response(request, Response(report), {"errors", "notes"})


def _with_address(request: Request) -> QueryDict:
    """The form, including ``check`` from the query string."""
    form = QueryDict(mutable=True)
    form.update(request.data)
    for typed in request.query_params.getlist("check"):
        form.appendlist("check", typed)
    # A form field would read an empty text as missing, but "check=" may have been meant as true.
    if "" in form.getlist("check"):
        refuse_field("check", "Send true or false.")
    return form
