"""One person over HTTP: at a glance."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.media import media_prefix

from .queries import glance_at
from .serializers import MeOutput

_ME = OpenApiExample(
    "a buyer who sells",
    value={
        "id": 7,
        "username": "wanjiku",
        "email": "wanjiku@example.com",
        "first_name": "Wanjiku",
        "last_name": "Kamau",
        "avatar": "http://127.0.0.1:8000/media/avatars/3f1c.webp",
        "phone": "254712345678",
        "language": "sw",
        "roles": [],
        "is_seller": True,
        "counts": {"unpaid_orders": 1, "to_hand_over": 3},
    },
    response_only=True,
    status_codes=["200"],
)


class MeView(APIView):
    """Who asks."""

    throttle_scope = "read"

    @extend_schema(
        tags=["account"],
        operation_id="get_me",
        summary="Who am I?",
        description="All that a page needs of the caller, in one request: names, picture, "
        "language, what they may do, and what waits for them.",
        responses=MeOutput,
        examples=[_ME],
    )
    def get(self, request: Request) -> Response:
        user = current_user(request)
        glance = glance_at(user, timezone.now())
        avatar = f"{media_prefix(request)}{user.avatar.name}" if user.avatar else None
        return Response(
            {
                "id": user.pk,
                "username": user.username,
                "email": user.email,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "avatar": avatar,
                "phone": user.phone,
                "language": glance.language,
                "roles": glance.roles,
                "is_seller": glance.is_seller,
                "counts": {
                    "unpaid_orders": glance.counts.unpaid_orders,
                    "to_hand_over": glance.counts.to_hand_over,
                },
            }
        )
