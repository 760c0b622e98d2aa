"""A quote over HTTP."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from omachemainproj.api.fields import read_input
from omachemainproj.api.languages import translate_response

from . import openapi
from .serializers import QuoteInput, QuoteOutput
from .services import quote


class QuoteView(APIView):
    """The cost of a cart with its delivery."""

    permission_classes = (AllowAny,)
    throttle_scope = "quote"

    @extend_schema(**openapi.QUOTE)
    def post(self, request: Request) -> Response:
        """The cost of a cash-out with the same body at this moment, and what would prevent it.

        Nothing is stored or reserved. No sign-in is needed, except to use one of the caller's own
        addresses; for a signed-in caller, goods of their own are reported too. Goods that are
        missing, sold out or cannot be delivered there are reported in a 200 response; 400 is for
        bodies that cannot be read.
        """
        wanted = read_input(QuoteInput, request.data)
        made = quote(
            buyer=request.user if isinstance(request.user, User) else None,
            lines=wanted["order"],
            delivery=wanted.get("delivery"),
            mpesa_number=wanted.get("mpesa_number") or "",
            shown_amount=wanted.get("amount"),
        )
        return translate_response(request, Response(QuoteOutput(made).data), {"message"})
