"""A seller's money over HTTP: statement, balance and payouts."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.api.error_schemas import error_answer
from omachemainproj.api.errors import Refusal
from omachemainproj.api.languages import translate_response
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from omachemainproj.csv_files import write_sheet
from payments.models import LedgerEntry, Payout

from .serializers import (
    BalanceOutput,
    MovementOutput,
    NewNumberInput,
    PayoutOutput,
    SummaryOutput,
    represent_balance,
    represent_payout,
)
from .services import retry_payout
from .statement import Movement, entries_of_seller, whole_statement, with_running_balance
from .summary import summarise

_NOT_YOURS = error_answer("There is no such payout.", "payout_not_found")
_SHEET = OpenApiExample(
    "one sale",
    value=(
        f"{','.join(Movement._fields)}\r\n"
        "4711,2026-11-25 13:02:40,sale,3700,5550,PR7KWQ4M,Ramtons cordless kettle 1.7 L,\r\n"
    ),
)
_SUMMARY = OpenApiExample(
    "a good day",
    value={
        "sales": {
            "today": {"orders": 3, "goods": 4, "amount": 7400},
            "days_7": {"orders": 11, "goods": 15, "amount": 26150},
            "days_30": {"orders": 38, "goods": 52, "amount": 91300},
        },
        "to_hand_over": {"waiting": 2, "under_way": 1},
        "balance": {"owed": 5550, "on_its_way": 3700, "waiting": 0, "held": 1850},
        "next_payout": {
            "id": 91,
            "amount": 3700,
            "status": "on_its_way",
            "mpesa_number": "254722000001",
        },
        "stock": {"listed": 24, "low": 3, "sold_out": 1, "unlisted": 2},
        "rating": {"stars": 4.6, "reviews": 17},
        "to_answer": {"problems": 1, "refused_payouts": 0, "reviews": 4},
    },
    response_only=True,
    status_codes=[200],
)


class NoSuchPayout(Refusal):
    """The caller has no payout with this id."""

    code = "payout_not_found"
    message = "There is no such payout."
    status_code = status.HTTP_404_NOT_FOUND


class NotRefused(Refusal):
    """M-Pesa has not refused the payout, so its number cannot be changed."""

    code = "payout_not_refused"
    message = "This payout was not refused. A new number applies to future sales only."


class StatementView(GenericAPIView):
    """The caller's sales, deductions and payouts."""

    queryset = LedgerEntry.objects.none()
    serializer_class = MovementOutput
    pagination_class = KeysetPagination
    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_statement",
        summary="Money earned and sent",
        tags=["selling"],
        responses={200: MovementOutput(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List every sale, commission, refund and payout, newest first, with the running balance.

        `/seller/statement/export/` returns all of it as CSV, oldest first.
        """
        refuse_unknown(request, PAGING)
        seller = current_user(request)
        page = self.paginate_queryset(entries_of_seller(seller)) or []
        rows = with_running_balance(seller, page)
        return self.get_paginated_response([row._asdict() for row in rows])


class BalanceView(APIView):
    """The caller's balance."""

    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_balance",
        summary="Money owed and held back",
        tags=["selling"],
        responses={200: BalanceOutput},
        examples=[
            OpenApiExample(
                "one problem",
                {"owed": 4150, "on_its_way": 1500, "waiting": 800, "held": 1850},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Get what the shop owes the caller for their sales, and where it is. What undecided
        problems hold back is `held` (`/seller/problems/`)."""
        return Response(represent_balance(current_user(request)))


class StatementExportView(APIView):
    """The whole statement as a file."""

    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_statement_export",
        summary="The statement as CSV",
        tags=["selling"],
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR, description="The file.", examples=[_SHEET]
            )
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Download every movement, oldest first, with the columns of `/seller/statement/`."""
        batches = whole_statement(current_user(request))
        response = StreamingHttpResponse(
            write_sheet(Movement._fields, batches), content_type="text/csv; charset=utf-8"
        )
        name = f"statement-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class PayoutsView(GenericAPIView):
    """Payouts to the caller."""

    queryset = Payout.objects.none()
    serializer_class = PayoutOutput
    pagination_class = KeysetPagination
    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_payouts",
        summary="Payouts",
        tags=["selling"],
        responses={200: PayoutOutput(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List the caller's payouts, newest first. One that was `refused` needs another number."""
        refuse_unknown(request, PAGING)
        mine = Payout.objects.of_seller(current_user(request)).prefetch_related("shares")
        page = self.paginate_queryset(mine) or []
        shown = [represent_payout(payout) for payout in page]
        return translate_response(request, self.get_paginated_response(shown), {"reason"})


class PayoutNumberView(APIView):
    """Another number for a payout that M-Pesa refused."""

    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_payout_number",
        summary="Send a refused payout to another number",
        tags=["selling"],
        request=NewNumberInput,
        responses={
            200: PayoutOutput,
            404: _NOT_YOURS,
            409: error_answer("This payout was not refused.", "payout_not_refused"),
            429: error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out"),
        },
    )
    def post(self, request: Request, payout_id: str) -> Response:
        """Send what M-Pesa refused to another number, as a new payout."""
        mine = Payout.objects.of_seller(current_user(request))
        payout = mine.filter(pk=int(payout_id)).first()
        if payout is None:
            raise NoSuchPayout
        serializer = NewNumberInput(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        note = "The seller gave another number."
        if not retry_payout(payout.pk, phone=serializer.validated_data["mpesa_number"], note=note):
            raise NotRefused
        payout.refresh_from_db()
        return translate_response(request, Response(represent_payout(payout)), {"reason"})


class SummaryView(APIView):
    """The seller's figures."""

    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_summary",
        summary="Sales, money and stock at a glance",
        tags=["selling"],
        responses={200: SummaryOutput},
        examples=[_SUMMARY],
    )
    def get(self, request: Request) -> Response:
        """Get what the caller sold today, in 7 and in 30 days, what is to be handed over, their
        money and their stock. Users who sell nothing get zeros."""
        return Response(summarise(current_user(request), timezone.now()))
