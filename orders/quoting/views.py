"""A quote over HTTP."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from omachemainproj.api.fields import read_input
from omachemainproj.api.languages import in_their_language

from . import openapi
from .serializers import QuoteInput, QuoteOutput
from .services import quote


class QuoteView(APIView):
    """What a cart costs, brought where."""

    permission_classes = (AllowAny,)
    throttle_scope = "quote"

    @extend_schema(**openapi.QUOTE)
    def post(self, request: Request) -> Response:
        """What a cash-out with the same body would cost at this moment, and what stands in its way.

        Nothing is kept and nothing is held. No sign-in is needed, but for one of the caller's own
        addresses; who is signed in is also told of their own goods. Whatever is missing, sold out
        or not brought there is said in the answer, which is a 200; a 400 is for a body that cannot
        be read.
        """
        wanted = read_input(QuoteInput, request.data)
        made = quote(
            buyer=request.user if isinstance(request.user, User) else None,
            lines=wanted["order"],
            delivery=wanted.get("delivery"),
            mpesa_number=wanted.get("mpesa_number") or "",
            shown_amount=wanted.get("amount"),
        )
        return in_their_language(request, Response(QuoteOutput(made).data), {"message"})
